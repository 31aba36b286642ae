//! `proofward audit`: every access to a record and every attempt, complete, with proof.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use serde::Serialize;

use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::{json_line, text_line, write_file};
use crate::cli::settings::LookArgs;
use proofward::ledger::audit::Audit;
use proofward::ledger::signature::PubKey;
use proofward::ledger::state::Event;
use proofward::wallet::audit_file;
use proofward::wallet::record::RecordName;
use proofward::words::{self, Done};

/// List every access to a record and every refused attempt, complete up to the tip's parent
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward audit tumour
  proofward audit RECORD --proof tumour.audit
  proofward proof headers --out headers.bin && python3 tests/audit_verifier.py headers.bin tumour.audit

The list is checked against the state that the last block commits to: with one event dropped, changed or
added the proof fails, here and for whoever has headers and the file alone.")]
pub(crate) struct Args {
    /// The record: the name under which it is kept here, or its key
    record: String,
    /// Write the audit with its proof to FILE; - for standard output
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    #[command(flatten)]
    look: LookArgs,
}

#[derive(Serialize)]
struct Listed {
    record: String,
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
        let rid = record_named(&desk, &self.record)?;
        let audit = Audit::read(&desk.chain, desk.view().0, rid)?;
        let audit = audit.with_context(|| {
            format!(
                "no record {rid} in the state after the tip's parent: after one more block, perhaps"
            )
        })?;
        let shown = audit.check(&desk.chain)?;
        ensure!(shown.block == desk.tip()?, "the audit leads to another header than the tip's");
        if let Some(path) = &self.proof
            && !write_file(path, audit_file::to_json(&audit).as_bytes())?
        {
            return Ok(Outcome::Yes);
        }
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
        let listed = Listed {
            record: rid.to_string(),
            state_height: shown.state_height,
            header: shown.block.to_string(),
            access: lines(&audit.access),
            refusals: lines(&audit.refusals),
        };
        if self.look.format.is_json() {
            json_line(&listed)?;
            return Ok(Outcome::Yes);
        }
        for event in listed.access.iter().chain(&listed.refusals) {
            text_line(format!("{:>8}  {}  {}", event.height, event.core, event.words))?;
        }
        let counts = [listed.access.len(), listed.refusals.len()].map(|count| count.to_string());
        let heights = [listed.state_height, listed.state_height.saturating_add(1)];
        let [upto, proven_by] = heights.map(|height| height.to_string());
        text_line(Done::Complete.say(lang, &[&counts[0], &counts[1], &upto, &proven_by]))?;
        Ok(Outcome::Yes)
    }
}

/// A record by the name under which it is kept in the directory, or by its key.
fn record_named(desk: &Desk, text: &str) -> anyhow::Result<PubKey> {
    let folder = desk.records();
    let kept = text.parse::<RecordName>().ok().filter(|name| folder.path(name).exists());
    match kept {
        Some(name) => Ok(folder.read(&name)?.latest().of().rid),
        None => {
            desk.key(text).with_context(|| format!("{text:?}: no record of that name is kept here"))
        }
    }
}
