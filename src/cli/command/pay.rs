//! `proofward pay`: a transfer, signed and left for whoever holds the chain.

use anyhow::Context as _;
use serde::Serialize;

use crate::cli::exit::Outcome;
use crate::cli::sending::{Proposal, SendArgs};
use crate::cli::settings::{parse_tokens, tokens};
use proofward::ledger::transaction::{Body, Pay, PayKind};
use proofward::words::Done;

/// Pay tokens to a key
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward pay clinic 12.5 --from miner
  proofward pay clinic 3 --from lpw1... --signer card-sign
  proofward pay lpw1... 1 --from miner --out payment.tx
  proofward pay clinic 2 --from alice --payer sponsor
  proofward pay clinic 2 --from lpw1... --unsigned --out visit.tx

The transaction is left in the inbox of the directory, where a miner finds it; with --out it goes to
a file instead, which others may sign: see `proofward tx`. The fee is what the rules ask unless given.")]
pub(crate) struct Args {
    /// Who is paid: an address, 64 hex digits, or the name of a key of the directory
    to: String,
    /// How many tokens, at most 8 decimals
    #[arg(value_parser = parse_tokens)]
    amount: u64,
    /// Which key of the directory pays; with --signer also an address or 64 hex digits
    #[arg(long, value_name = "KEY")]
    from: String,
    #[command(flatten)]
    send: SendArgs,
}

#[derive(Serialize)]
struct More {
    amount_units: u64,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.send.desk()?;
        let (to, from) = (desk.key(&self.to)?, desk.key(&self.from).context("--from")?);
        let body = Body::Pay(Pay { from, to, amount: self.amount, kind: PayKind::Plain });
        let outgoing = self.send.sign(&desk, Proposal::new(body, [&self.from]))?;
        let text = Done::Paid.say(self.send.lang(), &[&tokens(self.amount), &self.to]);
        outgoing.send(&self.send, &desk, &text, More { amount_units: self.amount })
    }
}
