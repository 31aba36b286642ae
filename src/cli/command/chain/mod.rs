//! `proofward chain`: the chain of a directory, looked at from outside and carried elsewhere.

mod export;
mod import;
mod scrub;
mod show;
mod status;

use anyhow::Context as _;
use serde::Serialize;

use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line};
use proofward::ledger::archive::ArchiveError;
use proofward::ledger::chain::SubmitError;

/// Look at the chain of a directory, check it, and carry its blocks elsewhere
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Status(status::Args),
    Show(show::Args),
    Scrub(scrub::Args),
    Export(export::Args),
    Import(import::Args),
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.what {
            What::Status(args) => args.run(),
            What::Show(args) => args.run(),
            What::Scrub(args) => args.run(),
            What::Export(args) => args.run(),
            What::Import(args) => args.run(),
        }
    }
}

#[derive(Serialize)]
struct Damaged {
    valid: bool,
    height: Option<u32>,
    transaction: Option<u32>,
    id: Option<String>,
    rule: &'static str,
    detail: String,
}

/// A damaged file or a broken rule is an answer; whatever else went wrong is an error.
fn report_damage(error: ArchiveError, format: Format, file: &str) -> anyhow::Result<Outcome> {
    let (height, transaction, id, rule) = match &error {
        ArchiveError::Damaged { height, part, id, .. } => {
            (Some(*height), part.transaction(), id.map(|id| id.to_string()), "damaged")
        }
        ArchiveError::Frame(place) | ArchiveError::Truncated(place) => {
            (place.height(), None, None, "damaged")
        }
        ArchiveError::TrailingBytes => (None, None, None, "damaged"),
        ArchiveError::Refused(SubmitError::Rule(verdict)) => {
            (Some(verdict.height), verdict.transaction, None, verdict.rule.name())
        }
        ArchiveError::Refused(SubmitError::Orphan { .. }) => (None, None, None, "bad-prevblk"),
        _ => return Err(error).with_context(|| file.to_owned()),
    };
    let detail = error.to_string();
    if format.is_json() {
        json_line(&Damaged { valid: false, height, transaction, id, rule, detail })?;
    } else {
        text_line(format!("invalid: {detail}"))?;
    }
    Ok(Outcome::No)
}
