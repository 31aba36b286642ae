//! `proofward lot trace`: where a lot came from, who claims what of it, and what speaks against it.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::lot_named;
use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::{json_line, text_line};
use crate::cli::settings::{LookArgs, read_input};
use proofward::interop::travel;
use proofward::ledger::goods::{Label, SignedMove, Trace};
use proofward::ledger::state::LotStatus;
use proofward::wallet::lot::{LotCode, signed_move};
use proofward::wallet::{TRANSACTION_FILE_BYTES_MAX, TransactionFile};
use proofward::words;

/// Trace a lot: origin, maker, every claim with who stands behind it, and what speaks against it
///
/// Exit code 1 if no move names the lot, or the code does not open where it came from.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward lot trace 'https://id.gs1.org/01/09506000134352/10/A-17?salt=...&lot=...'
  proofward lot trace LOT --evidence
  proofward lot trace LOT --evidence other.tx    a move that somebody signed and that is not on the chain")]
pub(super) struct Args {
    /// The code on the package, or the 64 hex digits of the lot
    lot: String,
    /// Name the moves that contradict each other in full, to be looked at again; FILE: signed transactions
    /// that were seen elsewhere
    #[arg(long, value_name = "FILE", num_args = 0..)]
    evidence: Option<Vec<PathBuf>>,
    #[command(flatten)]
    look: LookArgs,
}

#[derive(Serialize)]
struct Traced {
    lot: String,
    found: bool,
    /// Whether the code on the package opens an origin; nothing without a code.
    code_opens: Option<bool>,
    status: &'static str,
    quantity: Option<u64>,
    holder: Option<String>,
    grade: Option<&'static str>,
    signers: usize,
    recalled: bool,
    origins: Vec<OriginLine>,
    steps: Vec<StepLine>,
}

#[derive(Serialize)]
struct OriginLine {
    lot: String,
    maker: String,
    recalled: Option<u32>,
}

#[derive(Serialize)]
struct StepLine {
    core: String,
    height: u32,
    step: &'static str,
    by: String,
    grade: &'static str,
    witnesses: usize,
    labels: Vec<LabelLine>,
}

#[derive(Serialize)]
struct LabelLine {
    label: &'static str,
    other: Option<String>,
    text: String,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let code: Option<LotCode> = self.lot.parse().ok();
        let lot = lot_named(&self.lot)?;
        let desk = self.look.desk()?;
        let mut others = Vec::new();
        for path in self.evidence.iter().flatten() {
            others.push(signed(&desk, path).with_context(|| path.display().to_string())?);
        }
        let trace = desk.view().trace(&lot, &others, &travel::kilometres)?;
        let opens = code.as_ref().map(|code| opens(code, &trace));
        if self.look.format.is_json() {
            json_line(&Traced::of(&trace, opens))?;
        } else {
            self.tell(&trace, opens)?;
        }
        let is_known = !trace.steps.is_empty() && opens != Some(false);
        Ok(if is_known { Outcome::Yes } else { Outcome::No })
    }

    fn tell(&self, trace: &Trace, opens: Option<bool>) -> anyhow::Result<()> {
        let lang = self.look.lang();
        if trace.steps.is_empty() {
            return text_line(words::unknown_lot(lang));
        }
        if let Some(opens) = opens {
            text_line(words::code_opens(lang, opens))?;
        }
        words::trace(lang, trace).iter().try_for_each(text_line)?;
        if self.evidence.is_some() {
            for step in &trace.steps {
                for label in &step.labels {
                    let other = other(label).map_or(String::new(), |other| format!(" {other}"));
                    text_line(format!("{}: {}{other}", label.name(), step.core))?;
                }
            }
        }
        Ok(())
    }
}

/// Whether the code on a package opens one of the Makes behind the lot.
pub(super) fn opens(code: &LotCode, trace: &Trace) -> bool {
    trace.steps.iter().any(|step| code.opens(step.moved.body()))
}

/// A move that somebody signed, as evidence.
fn signed(desk: &Desk, path: &std::path::Path) -> anyhow::Result<SignedMove> {
    let file = TransactionFile::parse(&read_input(path, TRANSACTION_FILE_BYTES_MAX)?)?;
    if file.genesis() != desk.chain.genesis {
        bail!("a transaction of another chain: genesis {}", file.genesis());
    }
    signed_move(&file).context("no move, or not signed by who acts in it: it shows nothing")
}

fn other(label: &Label) -> Option<String> {
    match label {
        Label::DoubleMake(other)
        | Label::DoubleHold(other)
        | Label::ImpossibleTravel { other, .. } => Some(other.to_string()),
        Label::Tainted { device, .. } => Some(device.to_string()),
        _ => None,
    }
}

impl Traced {
    fn of(trace: &Trace, code_opens: Option<bool>) -> Self {
        let status = match trace.held.as_ref().map(|held| held.status) {
            Some(LotStatus::Held) => "held",
            Some(LotStatus::InTransit(_)) => "in-transit",
            Some(LotStatus::Dispensed) => "dispensed",
            Some(LotStatus::Destroyed) => "destroyed",
            Some(LotStatus::Consumed) => "consumed",
            None if trace.steps.is_empty() => "unknown",
            None => "over",
        };
        let steps = trace.steps.iter().map(|step| StepLine {
            core: step.core.to_string(),
            height: step.moved.at.height,
            step: step.moved.body().step.name(),
            by: step.moved.body().by.id().to_string(),
            grade: step.grade.name(),
            witnesses: step.moved.body().witnesses.len(),
            labels: step
                .labels
                .iter()
                .map(|label| LabelLine {
                    label: label.name(),
                    other: other(label),
                    text: words::label(words::Lang::En, label),
                })
                .collect(),
        });
        let origins = trace.origins.iter().map(|origin| OriginLine {
            lot: origin.made.to_string(),
            maker: origin.maker.to_string(),
            recalled: origin.recalled,
        });
        Self {
            lot: trace.lot.to_string(),
            found: !trace.steps.is_empty(),
            code_opens,
            status,
            quantity: trace.held.as_ref().map(|held| held.quantity),
            holder: trace.held.as_ref().map(|held| held.holder.to_string()),
            grade: trace.grade().map(|grade| grade.name()),
            signers: trace.signers,
            recalled: trace.origins.iter().any(|origin| origin.recalled.is_some()),
            origins: origins.collect(),
            steps: steps.collect(),
        }
    }
}
