//! `proofward loan`: debts that both sides announce.

mod accept;
mod offer;
mod repay;
mod show;
mod transfer;

use anyhow::Context as _;

use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use proofward::ledger::state::{EntryKey, HeldDebt};
use proofward::ledger::transaction::CoreId;

/// Lend tokens, accept a loan, give it back, hand the claim on
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward loan offer bob 100 --owed 105 --due 5000 --from alice --out loan.tx   alice signs
  proofward loan accept loan.tx --key bob                                         bob signs and sends it
  proofward loan offer bob 100 --owed 105 --due 5000 --from alice                 both keys are here: in one
  proofward loan offer bob 100 --owed 105 --due 5000 --from alice --announce      in public, binding nobody
  proofward loan repay DEBT 50 --from bob
  proofward loan transfer DEBT --to carol --from alice                            carol is paid from now on
  proofward loan show DEBT

A debt is named by the core id of its loan. Whoever has a file that both have signed can bring it to a
miner, and nobody can change a word of it. Overdue is what the height says: the chain takes no pledge and
collects nothing.")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Offer(Box<offer::Args>),
    Accept(Box<accept::Args>),
    Repay(Box<repay::Args>),
    Transfer(Box<transfer::Args>),
    Show(show::Args),
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.what {
            What::Offer(args) => args.run(),
            What::Accept(args) => args.run(),
            What::Repay(args) => args.run(),
            What::Transfer(args) => args.run(),
            What::Show(args) => args.run(),
        }
    }
}

/// A debt of the chain.
fn debt(desk: &Desk, core: CoreId) -> anyhow::Result<HeldDebt> {
    desk.entry(&EntryKey::Debt(core))?.with_context(|| {
        format!("no debt {core}: it was never opened, or has been closed for 1,000 blocks")
    })
}
