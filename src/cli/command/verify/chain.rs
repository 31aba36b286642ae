//! `proofward verify chain`: the stored chain judged again from genesis.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::Serialize;

use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, rate, seconds, text_line};
use crate::cli::settings::Place;
use proofward::engine::meter::{Stopwatch, per_second};
use proofward::engine::nodes::NodeKernel;
use proofward::engine::pool::Pool;
use proofward::ledger::chain::{Chain, ReplayError, View};
use proofward::node::dir::ChainDir;

/// Judge the chain of a directory again, from genesis to its tip
///
/// Every block goes through all rules, every state root is compared, and the stored state and indexes
/// are compared with what the blocks lead to.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward verify chain
  proofward verify chain clinic --threads 2 --format json")]
pub(crate) struct Args {
    /// The directory [default: that of --dir]
    #[arg(value_name = "DIR", conflicts_with = "dir")]
    directory: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// How many threads judge [default: one for each CPU]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Valid {
    valid: bool,
    blocks: u64,
    transactions: u64,
    signatures: u64,
    height: u32,
    tip_hash: String,
    state_root: String,
    seconds: f64,
    blocks_per_second: f64,
}

#[derive(Serialize)]
struct Invalid {
    valid: bool,
    height: Option<u32>,
    transaction: Option<u32>,
    id: Option<String>,
    rule: String,
    detail: String,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let dir = match self.directory.clone() {
            Some(directory) => directory,
            None => self.place.clone().resolve()?,
        };
        let (spec, reader) = ChainDir::new(dir).read()?;
        let snapshot = reader.snapshot()?;
        let view = View(&*snapshot);
        let threads = self.threads.or_else(|| std::thread::available_parallelism().ok());
        let pool = Pool::new(threads.unwrap_or(NonZeroUsize::MIN))?;
        let chain = Chain::new(spec, NodeKernel::best());
        let stopwatch = Stopwatch::start();
        match chain.replay(&pool, view, |_| {}) {
            Ok(run) => {
                let elapsed = stopwatch.elapsed();
                let tip_hash = view.tip()?;
                let valid = Valid {
                    valid: true,
                    blocks: run.blocks,
                    transactions: run.transactions,
                    signatures: run.signatures,
                    height: view.expect_record(&tip_hash)?.height,
                    tip_hash: tip_hash.to_string(),
                    state_root: view.root()?.to_string(),
                    seconds: elapsed.as_secs_f64(),
                    blocks_per_second: per_second(run.blocks, elapsed),
                };
                self.print_valid(&valid, elapsed)?;
                Ok(Outcome::Yes)
            }
            Err(error) => {
                self.print_invalid(&error)?;
                Ok(Outcome::No)
            }
        }
    }

    fn print_valid(&self, valid: &Valid, elapsed: std::time::Duration) -> anyhow::Result<()> {
        if self.format.is_json() {
            return json_line(valid);
        }
        text_line(format!(
            "valid: {} blocks, {} transactions, {} signatures in {} ({})",
            valid.blocks,
            valid.transactions,
            valid.signatures,
            seconds(elapsed),
            rate(valid.blocks_per_second, "blocks/s")
        ))?;
        text_line(format!("tip {} at height {}", valid.tip_hash, valid.height))?;
        text_line(format!("state root {}", valid.state_root))
    }

    fn print_invalid(&self, error: &ReplayError) -> anyhow::Result<()> {
        let (height, transaction, id, rule) = match error {
            ReplayError::Rule(verdict) => {
                (Some(verdict.height), verdict.transaction, None, verdict.rule.name())
            }
            ReplayError::Damaged { height, transaction, id, .. } => {
                (Some(*height), *transaction, id.map(|id| id.to_string()), "damaged")
            }
            ReplayError::Differs(_) => (None, None, None, "differs"),
            _ => (None, None, None, "store"),
        };
        let detail = error.to_string();
        if self.format.is_json() {
            return json_line(&Invalid {
                valid: false,
                height,
                transaction,
                id,
                rule: rule.into(),
                detail,
            });
        }
        text_line(format!("invalid: {detail}"))
    }
}
