//! `proofward audit`: every access to a record and every attempt, complete, with proof.

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use serde::Serialize;

use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::{json_line, text_line, write_file};
use crate::cli::settings::LookArgs;
use proofward::ledger::audit::Audit;
use proofward::ledger::signature::PubKey;
use proofward::ledger::state::{EntryKey, Event, HeldRecord};
use proofward::wallet::audit_file;
use proofward::wallet::record::RecordName;
use proofward::words::{self, Done, Lang};

/// List every access to a record and every refused attempt, complete up to the tip's parent
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward audit tumour
  proofward audit tumour --epoch 0        before it was amended or got a new key
  proofward audit RECORD --proof tumour.audit
  proofward proof headers --out headers.bin && python3 tests/audit_verifier.py headers.bin tumour.audit

A record that was amended or re-keyed is another one on the chain. Under the name by which it is kept here all of
them are listed, the first one first; under a key, that one and those that took its place.

The list is checked against the state that the last block commits to: with one event dropped, changed or
added the proof fails, here and for whoever has headers and the file alone.")]
pub(crate) struct Args {
    /// The record: the name under which it is kept here, or its key
    record: String,
    /// Only this epoch: 0, and one more after each new content or key [default: all]
    #[arg(long, value_name = "N")]
    epoch: Option<u32>,
    /// Write the audit of the last epoch that is listed with its proof to FILE; - for standard output
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    #[command(flatten)]
    look: LookArgs,
}

#[derive(Serialize)]
struct Listed {
    record: String,
    epoch: u32,
    state_height: u32,
    header: String,
    access: Vec<EventLine>,
    refusals: Vec<EventLine>,
}

#[derive(Serialize)]
struct EventLine {
    height: u32,
    core: String,
    kind: String,
    note: u8,
    words: String,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.look.desk()?;
        let mut epochs = epochs_of(&desk, &self.record)?;
        if let Some(wanted) = self.epoch {
            let last = epochs.last().map_or(0, |(epoch, _)| *epoch);
            epochs.retain(|(epoch, _)| *epoch == wanted);
            ensure!(!epochs.is_empty(), "no epoch {wanted} of the record: its last one is {last}");
        }
        let (mut audits, mut waiting) = (Vec::new(), Vec::new());
        for (epoch, rid) in epochs {
            match Audit::read(&desk.chain, desk.view().0, rid)? {
                Some(audit) => audits.push((epoch, audit)),
                None => waiting.push(rid),
            }
        }
        let why = |rid| {
            format!(
                "no record {rid} in the state after the tip's parent: after one more block, perhaps"
            )
        };
        let Some((_, last)) = audits.last() else {
            let first = waiting.first().context("a record has an epoch")?;
            bail!(why(first));
        };
        let shown = audits.iter().map(|(epoch, audit)| self.listed(&desk, *epoch, audit));
        let listed: Vec<Listed> = shown.collect::<anyhow::Result<_>>()?;
        for rid in &waiting {
            eprintln!("proofward: {}", why(rid));
        }
        if let Some(path) = &self.proof
            && !write_file(path, audit_file::to_json(last).as_bytes())?
        {
            return Ok(Outcome::Yes);
        }
        for one in &listed {
            if self.look.format.is_json() {
                json_line(one)?;
            } else {
                one.print(self.look.lang(), listed.len() > 1)?;
            }
        }
        Ok(Outcome::Yes)
    }

    /// What an audit says, once it holds.
    fn listed(&self, desk: &Desk, epoch: u32, audit: &Audit) -> anyhow::Result<Listed> {
        let shown = audit.check(&desk.chain)?;
        ensure!(shown.block == desk.tip()?, "the audit leads to another header than the tip's");
        let lang = self.look.lang();
        let lines = |events: &[Event]| -> Vec<EventLine> {
            let line = |event: &Event| EventLine {
                height: event.height,
                core: event.core.to_string(),
                kind: format!("{:?}", event.kind).to_lowercase(),
                note: event.note,
                words: words::event(lang, event),
            };
            events.iter().map(line).collect()
        };
        Ok(Listed {
            record: audit.rid.to_string(),
            epoch,
            state_height: shown.state_height,
            header: shown.block.to_string(),
            access: lines(&audit.access),
            refusals: lines(&audit.refusals),
        })
    }
}

impl Listed {
    fn print(&self, lang: Lang, is_one_of_many: bool) -> anyhow::Result<()> {
        if is_one_of_many {
            text_line(Done::OfEpoch.say(lang, &[&self.epoch.to_string(), &self.record]))?;
        }
        for event in self.access.iter().chain(&self.refusals) {
            text_line(format!("{:>8}  {}  {}", event.height, event.core, event.words))?;
        }
        let counts = [self.access.len(), self.refusals.len()].map(|count| count.to_string());
        let heights = [self.state_height, self.state_height.saturating_add(1)];
        let [upto, proven_by] = heights.map(|height| height.to_string());
        text_line(Done::Complete.say(lang, &[&counts[0], &counts[1], &upto, &proven_by]))
    }
}

/// The epochs of a record in order: all by the name under which it is kept in the directory; by its key those
/// that the chain leads on to.
fn epochs_of(desk: &Desk, text: &str) -> anyhow::Result<Vec<(u32, PubKey)>> {
    let folder = desk.records();
    let kept = text.parse::<RecordName>().ok().filter(|name| folder.path(name).exists());
    if let Some(name) = kept {
        let kept = folder.read(&name)?;
        return Ok(kept.epochs.iter().map(|epoch| (epoch.epoch, epoch.of().rid)).collect());
    }
    let mut rid =
        desk.key(text).with_context(|| format!("{text:?}: no record of that name is kept here"))?;
    let mut epochs = Vec::new();
    // Each is younger than the one before, so this ends.
    loop {
        let held: Option<HeldRecord> = desk.entry(&EntryKey::Record(rid))?;
        epochs.push((held.as_ref().map_or(0, |held| held.epoch), rid));
        match held.and_then(|held| held.successor) {
            Some(successor) => rid = successor.rid,
            None => return Ok(epochs),
        }
    }
}
