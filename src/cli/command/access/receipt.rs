//! `proofward veto`, `review`, `withdraw`: what owners, auditors and approvers say about a request.

use anyhow::Context as _;

use super::{Scene, parse_request};
use crate::cli::desk::party_names;
use crate::cli::exit::Outcome;
use crate::cli::sending::{NoMore, Proposal, SendArgs};
use proofward::ledger::store::Blobs;
use proofward::ledger::transaction::receipt::Outcome as Says;
use proofward::ledger::transaction::{Body, CoreId, Receipt};
use proofward::words::Done;

/// Object to a request before it opens, as the owners of the record
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward veto REQUEST --as patient
  proofward veto REQUEST --as 2:patient,daughter,son --out veto.tx

The request ends. An emergency cannot be objected to, only reviewed.")]
pub(crate) struct VetoArgs {
    #[command(flatten)]
    note: NoteArgs,
}

/// Say that an emergency was looked into, as an auditor of another institution or the owners
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward review REQUEST --as auditor --detail report.pdf")]
pub(crate) struct ReviewArgs {
    #[command(flatten)]
    note: NoteArgs,
}

/// Take one's approval of a request back
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward withdraw REQUEST --as nurse

A guardian who takes its approval back does not count for this request again. A share that was sent cannot
be called back.")]
pub(crate) struct WithdrawArgs {
    #[command(flatten)]
    note: NoteArgs,
}

/// What every word about a request takes.
#[derive(Debug, clap::Args)]
struct NoteArgs {
    /// The core id of the request
    #[arg(value_parser = parse_request)]
    request: CoreId,
    /// Who says so: a key, or K:KEY,KEY,... for a group
    #[arg(long = "as", value_name = "PARTY")]
    by: String,
    /// A file with the details; only a commitment to it goes on chain
    #[arg(long, value_name = "FILE")]
    detail: Option<std::path::PathBuf>,
    #[command(flatten)]
    send: SendArgs,
}

impl VetoArgs {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        self.note.run(Says::Veto, Done::Objects)
    }
}

impl ReviewArgs {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        self.note.run(Says::Reviewed, Done::HasReviewed)
    }
}

impl WithdrawArgs {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        self.note.run(Says::Denied, Done::TakesBack)
    }
}

impl NoteArgs {
    fn run(self, outcome: Says, done: Done) -> anyhow::Result<Outcome> {
        let desk = self.send.desk()?;
        // A word about a request that is not there would be refused by the chain, after it was paid for.
        Scene::new(&desk)?.attempt(self.request)?;
        let by = desk.party(&self.by).context("--as")?;
        let detail = match &self.detail {
            None => [0; 32],
            Some(path) => {
                let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
                Blobs::hash(&bytes)
            }
        };
        let (request, blob) = (self.request.0, [0; 32]);
        let body = Body::Receipt(Receipt { request, outcome, by, blob, detail });
        let outgoing = self.send.sign(&desk, Proposal::new(body, party_names(&self.by)))?;
        let text = done.say(self.send.lang(), &[&self.by, &self.request.to_string()]);
        outgoing.send(&self.send, &desk, &text, NoMore {})
    }
}
