//! `proofward proof headers`: the headers that proofs are checked with.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::cli::exit::Outcome;
use crate::cli::output::{text_line, write_file};
use crate::cli::settings::Place;
use proofward::ledger::chain::View;
use proofward::ledger::rules::context::Ancestors as _;
use proofward::node::dir::ChainDir;

/// Write the headers of the best chain, 80 bytes each, from genesis
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write them to FILE; - for standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    place: Place,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let (_, reader) = ChainDir::new(self.place.resolve()?).read()?;
        let snapshot = reader.snapshot()?;
        let view = View(&*snapshot);
        let tip = view.expect_record(&view.tip()?)?;
        let mut headers = Vec::new();
        for height in 0..=tip.height {
            let hash = view.hash_at(height)?.with_context(|| format!("no block {height}"))?;
            headers.extend_from_slice(&view.expect_record(&hash)?.header.encode());
        }
        if write_file(&self.out, &headers)? {
            text_line(format!("{} headers in {}", tip.height + 1, self.out.display()))?;
        }
        Ok(Outcome::Yes)
    }
}
