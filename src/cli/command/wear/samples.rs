//! `proofward wear samples`: what was sealed to a wearer.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use super::import::SAMPLES_INFO;
use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::write_file;
use crate::cli::signing::SigningArgs;
use proofward::wallet::custody::{SealSecret, Use};

/// Open samples that were sealed to a wearer; `record add` makes a record of them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The blob that `wear import` named, 64 hex digits
    blob: String,
    /// Whose they are: a key of the directory
    #[arg(long, value_name = "KEY")]
    wearer: String,
    /// Write them to FILE; - for standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    #[command(flatten)]
    signing: SigningArgs,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let desk = Desk::open(&self.signing.place)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(&self.blob, &mut hash).context("a blob has 64 hex digits")?;
        let blob = desk.blobs()?.get(&hash)?.with_context(|| format!("no blob {}", self.blob))?;
        let (root, sealed) = blob.split_first_chunk::<32>().context("no sealed samples")?;
        let secret = self.signing.secret(&self.wearer, desk.dir.path())?;
        let used = Use { info: SAMPLES_INFO, of: root };
        let opened = SealSecret::of_person(&secret).open(used, sealed);
        ensure!(opened.is_some(), "blob {}: not sealed to {}", self.blob, self.wearer);
        let text = opened.expect("looked at above");
        write_file(&self.out, &text)?;
        Ok(Outcome::Yes)
    }
}
