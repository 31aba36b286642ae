//! `proofward loan repay`: gives back, in part or whole.

use anyhow::Context as _;
use serde::Serialize;

use super::debt;
use crate::cli::exit::Outcome;
use crate::cli::sending::{Proposal, SendArgs};
use crate::cli::settings::{parse_tokens, tokens};
use proofward::ledger::transaction::{Body, CoreId, Pay, PayKind};
use proofward::words::Done;

/// Give back what is owed, in part or whole
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The debt: the core id of its loan
    debt: CoreId,
    /// How many tokens [default: all that is still owed]
    #[arg(value_parser = parse_tokens)]
    amount: Option<u64>,
    /// Who owes
    #[arg(long, value_name = "KEY")]
    from: String,
    #[command(flatten)]
    send: SendArgs,
}

#[derive(Serialize)]
struct More {
    amount_units: u64,
    left_units: u64,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.send.desk()?;
        let held = debt(&desk, self.debt)?;
        let from = desk.key(&self.from).context("--from")?;
        let amount = self.amount.unwrap_or(held.left());
        let kind = PayKind::Repay { debt: self.debt.0 };
        let body = Body::Pay(Pay { from, to: held.lender, amount, kind });
        let outgoing = self.send.sign(&desk, Proposal::new(body, [&self.from]))?;
        let left = held.left().saturating_sub(amount);
        let text = Done::Repaid.say(self.send.lang(), &[&tokens(amount), &tokens(left)]);
        outgoing.send(&self.send, &desk, &text, More { amount_units: amount, left_units: left })
    }
}
