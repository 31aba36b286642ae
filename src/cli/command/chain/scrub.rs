//! `proofward chain scrub`: looks for damage in what is stored, without judging the chain again.

use serde::Serialize;

use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, progress_bar, text_line};
use crate::cli::settings::Place;
use proofward::engine::nodes::NodeKernel;
use proofward::ledger::chain::{Chain, Finding, View};
use proofward::node::dir::ChainDir;

/// Look for damage in what is stored
///
/// Every stored value is compared with its checksum, every block with its header and its list of
/// transactions, every state entry with the state root. It runs beside a miner, and is far quicker than
/// `verify chain`, which judges all blocks again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward chain scrub
  proofward chain scrub --dir clinic --format json

Exit code 0: nothing was found; 1: something was, each on a line, with height and transaction.")]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Found {
    height: Option<u32>,
    transaction: Option<u32>,
    id: Option<String>,
    detail: String,
}

#[derive(Serialize)]
struct Summary {
    sound: bool,
    findings: u64,
    blocks: u32,
    values: u64,
    entries: u64,
    bytes: u64,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let (spec, reader) = ChainDir::new(self.place.clone().resolve()?).read()?;
        let snapshot = reader.snapshot()?;
        let view = View(&*snapshot);
        // Found at once if it is what is damaged; the rest is looked at all the same.
        let height =
            view.tip().and_then(|tip| view.expect_record(&tip)).map_or(0, |tip| tip.height);
        drop(snapshot);
        let bar = progress_bar(u64::from(height) + 1);
        let mut printed = Ok(());
        let found = |finding: Finding| {
            if printed.is_ok() {
                printed = bar.suspend(|| self.print(&finding));
            }
        };
        let done = Chain::new(spec, NodeKernel::best()).scrub(
            || reader.snapshot(),
            found,
            |done| {
                bar.set_position(done.blocks.into());
                bar.set_message(format!("{} MB read", done.bytes / 1_000_000));
            },
        )?;
        bar.finish_and_clear();
        printed?;
        let summary = Summary {
            sound: done.findings == 0,
            findings: done.findings,
            blocks: done.blocks,
            values: done.values,
            entries: done.entries,
            bytes: done.bytes,
        };
        if self.format.is_json() {
            json_line(&summary)?;
        } else {
            let verdict = match done.findings {
                0 => "sound".to_owned(),
                1 => "1 damage found".to_owned(),
                more => format!("{more} damages found"),
            };
            text_line(format!(
                "{verdict}: {} blocks, {} values of {} bytes, {} state entries",
                done.blocks, done.values, done.bytes, done.entries
            ))?;
        }
        Ok(if summary.sound { Outcome::Yes } else { Outcome::No })
    }

    fn print(&self, finding: &Finding) -> anyhow::Result<()> {
        let detail = finding.to_string();
        if !self.format.is_json() {
            return text_line(format!("damaged: {detail}"));
        }
        let (height, transaction, id) = match finding {
            Finding::Block { height, part, id, .. } => {
                (Some(*height), part.transaction(), id.map(|id| id.to_string()))
            }
            _ => (None, None, None),
        };
        json_line(&Found { height, transaction, id, detail })
    }
}
