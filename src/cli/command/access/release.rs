//! `proofward release`: a guardian sends its share, if the chain says so.

use serde::Serialize;

use super::{Scene, parse_request};
use crate::cli::exit::Outcome;
use crate::cli::output::{json_line, text_line};
use crate::cli::settings::LookArgs;
use anyhow::Context as _;
use proofward::ledger::chain::Release;
use proofward::ledger::transaction::CoreId;
use proofward::wallet::guardian::{Acted, Step};
use proofward::words::{self, Done};

/// Send a guardian's share to the reader, if the request is open and has been for long enough
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward release REQUEST --as nurse

The share was sealed to the reader when the guardian approved. It is put among the blobs, where the reader
finds it by the hash that the approval carries. A share that was sent cannot be called back. If a
reorganisation has dropped the request or the approval, they are left for the miner again. Exit code 1 if
the share has to wait, with the reason.")]
pub(crate) struct Args {
    /// The core id of the request
    #[arg(value_parser = parse_request)]
    request: CoreId,
    /// Which guardian: a key of the directory, an address or 64 hex digits
    #[arg(long = "as", value_name = "KEY")]
    guardian: String,
    #[command(flatten)]
    look: LookArgs,
}

#[derive(Serialize)]
struct Released {
    request: String,
    sent: bool,
    submitted_again: usize,
    blob: Option<String>,
    words: String,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.look.desk()?;
        let scene = Scene::new(&desk)?;
        let guardian = desk.key(&self.guardian).context("--as")?;
        let folder = Acted::folder(desk.dir.path(), &guardian);
        let genesis = &desk.chain.genesis;
        let acted = folder.read(genesis, self.request)?;
        let mut acted = acted.with_context(|| {
            format!("{} has not approved request {} from here", self.guardian, self.request)
        })?;
        let steps = scene.look().steps(&acted)?;
        let mut released = Released {
            request: self.request.to_string(),
            sent: acted.is_sent,
            submitted_again: 0,
            blob: None,
            words: String::new(),
        };
        for step in &steps {
            match step {
                Step::Submit { bytes, .. } => {
                    desk.dir.inbox()?.leave(bytes)?;
                    released.submitted_again += 1;
                }
                Step::Send { sealed, .. } => {
                    let hash = desk.blobs()?.put(sealed)?;
                    released.blob = Some(hex::encode(hash));
                    acted.is_sent = true;
                    folder.keep(genesis, self.request, &acted)?;
                    released.sent = true;
                }
                _ => {}
            }
        }
        let decision = match scene.look().attempt(self.request)? {
            _ if released.sent => Release::Now,
            Some(attempt) => scene.look().may_release(&attempt, None)?,
            None => Release::Unknown,
        };
        // Open without the guardian's own word: it has to be on the way first.
        let decision = match decision {
            Release::Now if !released.sent => Release::NotOpen(None),
            decision => decision,
        };
        released.words = words::release(self.look.lang(), &decision);
        if self.look.format.is_json() {
            json_line(&released)?;
        } else {
            text_line(&released.words)?;
            if let Some(blob) = &released.blob {
                text_line(Done::ShareSent.say(self.look.lang(), &[blob]))?;
            }
        }
        Ok(if released.sent { Outcome::Yes } else { Outcome::No })
    }
}
