//! `proofward open`: the reader puts the key together and reads.

use std::path::PathBuf;

use anyhow::Context as _;
use serde::Serialize;

use super::{Scene, parse_request};
use crate::cli::exit::Outcome;
use crate::cli::output::{json_line, text_line, write_file};
use crate::cli::sending::{NoMore, Proposal, SendArgs};
use proofward::ledger::signature::PubKey;
use proofward::ledger::state::HeldRecord;
use proofward::ledger::transaction::receipt::Outcome as Says;
use proofward::ledger::transaction::{Body, CoreId, Receipt};
use proofward::wallet::KeptRequest;
use proofward::wallet::attempt::Attempt;
use proofward::wallet::custody::sharing::{CombineError, RecordEpoch, combine};
use proofward::wallet::custody::{Release, Share};
use proofward::words::{self, Done, Lang};

/// Open a record whose guardians have sent their shares
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward open REQUEST --to record.json
  proofward open REQUEST --to - | less
  proofward open REQUEST --to record.json --receipt --as doctor

Every share is checked against what the chain commits to; one that is not the committed one is named and
left out, and with --receipt the chain is told. Exit code 1 if the shares do not open the record.")]
pub(crate) struct Args {
    /// The core id of the request
    #[arg(value_parser = parse_request)]
    request: CoreId,
    /// Where the record is written; - for standard output
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Leave a receipt on the chain: that it was read, or that a share was bad
    #[arg(long, requires = "reader")]
    receipt: bool,
    /// Who signs the receipt: the reader
    #[arg(long = "as", value_name = "KEY")]
    reader: Option<String>,
    #[command(flatten)]
    send: SendArgs,
}

#[derive(Serialize)]
struct Opened {
    opened: bool,
    bytes: usize,
    shares: usize,
    bad: Vec<String>,
    awaited: Vec<String>,
    why: Option<String>,
}

/// What the guardians have sent.
#[derive(Default)]
struct Arrived {
    good: Vec<Share>,
    bad: Vec<PubKey>,
    awaited: Vec<PubKey>,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.send.desk()?;
        let scene = Scene::new(&desk)?;
        let kept = KeptRequest::folder(desk.dir.path()).read(&desk.chain.genesis, self.request)?;
        let kept = kept.with_context(|| {
            format!("request {} was not made here: its one-time key is elsewhere", self.request)
        })?;
        let attempt = scene.attempt(self.request)?;
        let record = scene.record(&attempt)?;
        let of = RecordEpoch { rid: kept.rid, epoch: record.epoch };
        let set_number = attempt.request().leaf.set;
        let set = record.share_sets.get(usize::from(set_number)).context("no such share set")?;
        let arrived = arrived(&scene, &attempt, &record, &kept, of)?;
        let key = combine(&of, set, &arrived.good);
        let names = |keys: &[PubKey]| keys.iter().map(PubKey::to_string).collect::<Vec<_>>();
        let mut opened = Opened {
            opened: false,
            bytes: 0,
            shares: arrived.good.len(),
            bad: names(&arrived.bad),
            awaited: names(&arrived.awaited),
            why: None,
        };
        let mut is_stdout_free = true;
        match key {
            Ok(key) => {
                let blob = desk.blobs()?.get(&record.blob)?;
                let blob = blob.with_context(|| {
                    let hash = hex::encode(record.blob);
                    format!("the ciphertext is not here: ask a custodian for blob {hash}")
                })?;
                let content = key.open(&of, &blob)?;
                opened.opened = true;
                opened.bytes = content.len();
                is_stdout_free = write_file(&self.to, &content)?;
            }
            Err(error) => opened.why = Some(why(self.send.lang(), error)),
        }
        if is_stdout_free {
            self.print(&opened)?;
        }
        if self.receipt && (opened.opened || !arrived.bad.is_empty()) {
            let says = if arrived.bad.is_empty() { Says::Read } else { Says::BadShare };
            self.leave_receipt(&scene, &record, says)?;
        }
        Ok(if opened.opened { Outcome::Yes } else { Outcome::No })
    }

    fn print(&self, opened: &Opened) -> anyhow::Result<()> {
        if self.send.signing.format.is_json() {
            return json_line(opened);
        }
        let lang = self.send.lang();
        for key in &opened.bad {
            text_line(Done::BadShare.say(lang, &[key]))?;
        }
        for key in &opened.awaited {
            text_line(Done::Awaited.say(lang, &[key]))?;
        }
        text_line(match &opened.why {
            None => {
                let [bytes, shares] = [opened.bytes, opened.shares].map(|count| count.to_string());
                Done::Opened.say(lang, &[&bytes, &shares, &self.to.display().to_string()])
            }
            Some(why) => Done::NotOpened.say(lang, &[why]),
        })
    }

    fn leave_receipt(
        &self,
        scene: &Scene<'_>,
        record: &HeldRecord,
        outcome: Says,
    ) -> anyhow::Result<()> {
        let reader = self.reader.as_deref().context("--as: who signs the receipt")?;
        let by = scene.desk.key(reader).context("--as")?.into();
        let (request, blob) = (self.request.0, record.blob);
        let body = Body::Receipt(Receipt { request, outcome, by, blob, detail: [0; 32] });
        let outgoing = self.send.sign(scene.desk, Proposal::new(body, [reader]))?;
        let text = words::receipt(self.send.lang(), outcome);
        outgoing.send(&self.send, scene.desk, text, NoMore {}).map(|_| ())
    }
}

/// Looks for the share that each approval promises.
fn arrived(
    scene: &Scene<'_>,
    attempt: &Attempt,
    record: &HeldRecord,
    kept: &KeptRequest,
    of: RecordEpoch,
) -> anyhow::Result<Arrived> {
    let (blobs, reply) = (scene.desk.blobs()?, kept.reply());
    let set = record.share_sets.get(usize::from(attempt.request().leaf.set));
    let mut arrived = Arrived::default();
    for approver in attempt.approvers() {
        let Some(proof) = &approver.guardian else { continue };
        // A blob that is damaged is as good as none.
        let Ok(Some(sealed)) = blobs.get(&approver.release) else {
            arrived.awaited.push(approver.key);
            continue;
        };
        let share = Release { request: attempt.core.0, sealed }.open(&reply);
        let share = share.filter(|share| {
            // The guardian's own share, and no other's.
            u16::from(share.index) == proof.path.index
                && set.is_some_and(|set| share.is_committed(&of, set))
                && share.set == attempt.request().leaf.set
        });
        match share {
            Some(share) => arrived.good.push(share),
            None => arrived.bad.push(approver.key),
        }
    }
    Ok(arrived)
}

/// Why the shares give no key, without a word about guardians who have not shown themselves.
fn why(lang: Lang, error: CombineError) -> String {
    match error {
        CombineError::TooFew { have, need } => {
            Done::TooFewShares.say(lang, &[&have.to_string(), &need.to_string()])
        }
        _ => Done::ShareMissing.say(lang, &[]),
    }
}
