//! One file for each command; its arguments stand beside what they do.

mod balance;
mod bench;
mod chain;
mod demo;
mod fuzz;
mod init;
mod kernels;
mod key;
mod mine;
mod oracle;
mod pay;
mod proof;
mod search;
mod tx;
mod verify;

use super::exit::Outcome;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Balance(balance::Args),
    Bench(Box<bench::Args>),
    Chain(chain::Args),
    Demo(demo::Args),
    Fuzz(fuzz::Args),
    Init(init::Args),
    Kernels(kernels::Args),
    Key(key::Args),
    Mine(Box<mine::Args>),
    Oracle(oracle::Args),
    Pay(Box<pay::Args>),
    Proof(proof::Args),
    Search(search::Args),
    Tx(tx::Args),
    Verify(verify::Args),
}

impl Command {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Balance(args) => args.run(),
            Self::Bench(args) => args.run(),
            Self::Chain(args) => args.run(),
            Self::Demo(args) => args.run(),
            Self::Fuzz(args) => args.run(),
            Self::Init(args) => args.run(),
            Self::Kernels(args) => args.run(),
            Self::Key(args) => args.run(),
            Self::Mine(args) => args.run(),
            Self::Oracle(args) => args.run(),
            Self::Pay(args) => args.run(),
            Self::Proof(args) => args.run(),
            Self::Search(args) => args.run(),
            Self::Tx(args) => args.run(),
            Self::Verify(args) => args.run(),
        }
    }
}
