//! `proofward tx`: transactions as files, so that several people sign on several machines.

mod combine;
mod deed;
mod show;
mod sign;
mod submit;

pub(super) use show::print;

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::cli::exit::Outcome;
use crate::cli::settings::read_input;
use proofward::ledger::spec::Spec;
use proofward::node::dir::ChainDir;
use proofward::wallet::{TRANSACTION_FILE_BYTES_MAX, TransactionFile};

/// Pass a transaction around as a file until everybody has signed
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward pay clinic 12.5 --from alice --payer sponsor --out visit.tx     alice signs
  proofward tx show visit.tx                                                who has to sign
  proofward tx sign visit.tx --key sponsor --out visit-2.tx                 on another machine
  proofward tx combine visit.tx visit-2.tx --out visit-all.tx               copies become one
  proofward tx submit visit-all.tx")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Show(show::Args),
    Sign(Box<sign::Args>),
    Combine(combine::Args),
    Submit(submit::Args),
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.what {
            What::Show(args) => args.run(),
            What::Sign(args) => args.run(),
            What::Combine(args) => args.run(),
            What::Submit(args) => args.run(),
        }
    }
}

/// Reads a transaction file; `-` is standard input.
pub(super) fn read(path: &Path) -> anyhow::Result<TransactionFile> {
    let text = read_input(path, TRANSACTION_FILE_BYTES_MAX)?;
    TransactionFile::parse(&text).with_context(|| path.display().to_string())
}

/// Refuses a transaction of another chain than that of the directory.
pub(super) fn check_chain(
    file: &TransactionFile,
    spec: &Spec,
    dir: &ChainDir,
) -> anyhow::Result<()> {
    let (ours, theirs) = (spec.genesis_hash(), file.genesis());
    if ours != theirs {
        bail!(
            "the transaction is for the chain with genesis {theirs}, {} holds one with genesis {ours}: \
             name another --dir",
            dir.path().display()
        );
    }
    Ok(())
}
