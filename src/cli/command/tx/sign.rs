//! `proofward tx sign`: one more signature.

use std::path::PathBuf;

use super::{check_chain, read, show};
use crate::cli::exit::Outcome;
use crate::cli::output::write_file;
use crate::cli::settings::address_prefix;
use crate::cli::signing::SigningArgs;
use proofward::node::dir::ChainDir;

/// Sign a transaction with a key of the directory, or by another program
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward tx sign visit.tx --key alice --dir home
  proofward tx sign visit.tx --key lpw1... --signer card-sign --out visit-2.tx

The directory needs no chain: keys are enough. If it holds one, a transaction for another is refused.")]
pub(crate) struct Args {
    /// The file; - for standard input
    file: PathBuf,
    /// Which key of the directory signs; with --signer also an address or 64 hex digits
    #[arg(long, value_name = "KEY")]
    key: String,
    /// Write the signed transaction to FILE; - for standard output [default: back to the file read]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    signing: SigningArgs,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let mut file = read(&self.file)?;
        let dir = ChainDir::new(self.signing.place.clone().resolve()?);
        if dir.holds_chain() {
            check_chain(&file, &dir.spec()?, &dir)?;
        }
        let prefix = address_prefix(dir.path())?;
        let signer = self.signing.signer_of(&self.key, dir.path(), prefix)?;
        file.sign(&*signer)?;
        let out = self.out.as_ref().unwrap_or(&self.file);
        if write_file(out, file.to_text().as_bytes())? {
            show::print(&file, self.signing.format)?;
        }
        Ok(Outcome::Yes)
    }
}
