//! `proofward proof`: what the chain holds, shown to somebody who has headers alone.

mod check;
mod get;
mod headers;

use crate::cli::exit::Outcome;

/// Prove what the chain holds, or does not, to somebody who has headers alone
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward proof get account miner --out miner.proof
  proofward proof get transaction 1f0c... --out payment.proof
  proofward proof get cores 12 --out block-12.proof            what it accepted, and so what not
  proofward proof headers --out headers.bin
  proofward proof check miner.proof --headers headers.bin
  proofward proof check miner.proof --block 00000a1b...

A proof of the state speaks of the state after the block before the tip, and ends at the tip.")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Get(get::Args),
    Check(check::Args),
    Headers(headers::Args),
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.what {
            What::Get(args) => args.run(),
            What::Check(args) => args.run(),
            What::Headers(args) => args.run(),
        }
    }
}
