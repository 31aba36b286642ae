//! `proofward loan offer`: the lender's half of a loan, or the announcement that there could be one.

use anyhow::{Context as _, ensure};
use serde::Serialize;

use crate::cli::command::claim::commitment;
use crate::cli::exit::Outcome;
use crate::cli::sending::{Proposal, SendArgs};
use crate::cli::settings::{parse_tokens, tokens};
use proofward::ledger::transaction::pay::LoanTerms;
use proofward::ledger::transaction::{Body, Pay, PayKind};
use proofward::words::Done;

/// Offer a loan: sign it for the other side to accept
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Who would owe: an address, 64 hex digits, or a key of the directory
    debtor: String,
    /// How many tokens are lent
    #[arg(value_parser = parse_tokens)]
    amount: u64,
    /// How many tokens are to be given back in all
    #[arg(long, value_name = "TOKENS", value_parser = parse_tokens)]
    owed: u64,
    /// Last height at which a repayment is in time
    #[arg(long, value_name = "HEIGHT")]
    due: u32,
    /// Commits to whatever else was agreed: a file, or 64 hex digits
    #[arg(long, value_name = "FILE")]
    document: Option<String>,
    /// Say in public that the loan is to be had, instead of lending: it moves nothing and binds nobody
    #[arg(long)]
    announce: bool,
    /// Who lends
    #[arg(long, value_name = "KEY")]
    from: String,
    #[command(flatten)]
    send: SendArgs,
}

#[derive(Serialize)]
struct More {
    amount_units: u64,
    owed_units: u64,
    due_h: u32,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.send.desk()?;
        let (to, from) = (desk.key(&self.debtor)?, desk.key(&self.from).context("--from")?);
        let (due_h, total_owed, next) = (self.due, self.owed, desk.next()?.height);
        ensure!(due_h >= next, "--due {due_h}: the next block is {next}");
        let document = commitment(self.document.as_deref())?;
        let terms = LoanTerms { due_h, total_owed, document };
        let kind = if self.announce { PayKind::LoanOffer(terms) } else { PayKind::Loan(terms) };
        let body = Body::Pay(Pay { from, to, amount: self.amount, kind });
        // Into a file goes the lender's word alone, for the debtor to look at first.
        let names = match self.announce || self.send.has_out() {
            true => vec![&self.from],
            false => vec![&self.from, &self.debtor],
        };
        let outgoing = self.send.sign(&desk, Proposal::new(body, names))?;
        let done = if self.announce { Done::Announced } else { Done::Lent };
        let values = [&*tokens(self.amount), &self.debtor, &tokens(total_owed), &due_h.to_string()];
        let text = done.say(self.send.lang(), &values);
        let more = More { amount_units: self.amount, owed_units: total_owed, due_h };
        outgoing.send(&self.send, &desk, &text, more)
    }
}
