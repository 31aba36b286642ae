//! `proofward loan transfer`: hands the claim on.

use anyhow::Context as _;

use super::debt;
use crate::cli::exit::Outcome;
use crate::cli::sending::{NoMore, Proposal, SendArgs};
use proofward::ledger::transaction::{Body, CoreId, Pay, PayKind};
use proofward::words::Done;

/// Hand the claim on to somebody else; to the debtor, it forgives the rest
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The debt: the core id of its loan
    debt: CoreId,
    /// Who is paid from now on
    #[arg(long, value_name = "KEY")]
    to: String,
    /// Who holds the claim
    #[arg(long, value_name = "KEY")]
    from: String,
    #[command(flatten)]
    send: SendArgs,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.send.desk()?;
        let held = debt(&desk, self.debt)?;
        let from = desk.key(&self.from).context("--from")?;
        let to = desk.key(&self.to).context("--to")?;
        let kind = PayKind::Assign { debt: self.debt.0 };
        let body = Body::Pay(Pay { from, to, amount: 0, kind });
        let outgoing = self.send.sign(&desk, Proposal::new(body, [&self.from]))?;
        let done = if to == held.debtor { Done::Forgiven } else { Done::HandedOn };
        let text = done.say(self.send.lang(), &[&self.to]);
        outgoing.send(&self.send, &desk, &text, NoMore {})
    }
}
