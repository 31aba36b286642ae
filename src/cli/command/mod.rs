//! One file for each command; its arguments stand beside what they do.

mod bench;
mod kernels;
mod key;
mod oracle;
mod search;
mod verify;

use super::exit::Outcome;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Bench(Box<bench::Args>),
    Kernels(kernels::Args),
    Key(key::Args),
    Oracle(oracle::Args),
    Search(search::Args),
    Verify(verify::Args),
}

impl Command {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Bench(args) => args.run(),
            Self::Kernels(args) => args.run(),
            Self::Key(args) => args.run(),
            Self::Oracle(args) => args.run(),
            Self::Search(args) => args.run(),
            Self::Verify(args) => args.run(),
        }
    }
}
