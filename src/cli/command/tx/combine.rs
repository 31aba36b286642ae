//! `proofward tx combine`: copies that were signed apart become one.

use std::path::PathBuf;

use anyhow::Context as _;

use super::{read, show};
use crate::cli::exit::Outcome;
use crate::cli::output::{Format, write_file};

/// Gather the signatures of several copies of a transaction
///
/// Of a copy with another payer, nonce or fee the signatures over the core are taken too: the payer's
/// own is for that copy alone.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The copies: the first one says who pays
    #[arg(required = true, num_args = 2..)]
    files: Vec<PathBuf>,
    /// Write the transaction to FILE; - for standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let mut copies = self.files.iter();
        let first = copies.next().expect("clap asks for two");
        let mut file = read(first)?;
        for copy in copies {
            let context = || format!("{} and {}", first.display(), copy.display());
            file.combine(&read(copy)?).with_context(context)?;
        }
        if write_file(&self.out, file.to_text().as_bytes())? {
            show::print(&file, self.format)?;
        }
        Ok(Outcome::Yes)
    }
}
