//! `proofward record add`: a file becomes a record.

use std::path::PathBuf;

use super::guardians::read_content;
use super::new::{NewRecord, Terms};
use crate::cli::exit::Outcome;
use crate::cli::sending::SendArgs;
use proofward::wallet::record::RecordName;

/// Encrypt a file, share its key among guardians, and announce it
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file, whatever is in it; - for standard input
    file: PathBuf,
    /// What to call the record; the name stays on this machine
    #[arg(long)]
    name: RecordName,
    /// Who owns it and signs: a key, or K:KEY,KEY,... of whom the first K sign
    #[arg(long, value_name = "PARTY")]
    owner: String,
    /// Who guards the key: K:KEY,KEY!,... of whom K together give it, and none without those marked !
    #[arg(long, value_name = "K:KEY,...")]
    guardians: String,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    send: SendArgs,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let Self { name, owner, guardians, terms, .. } = &self;
        let desk = self.send.desk()?;
        let record = NewRecord { name, owner, guardians, terms };
        record.ensure_new(&desk)?;
        record.announce(&desk, &self.send, &read_content(&self.file)?)
    }
}
