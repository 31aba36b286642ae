//! `proofward chain status`: where the chain stands, also beside a miner.

use serde::Serialize;

use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line};
use crate::cli::settings::Place;
use proofward::ledger::chain::View;
use proofward::node::dir::ChainDir;

/// Show height, tip, state root, work, what is settled and what is pending
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward chain status
  proofward chain status --dir clinic --format json

mempool: what other commands have left for the miner and no block holds yet.")]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Status {
    chain: String,
    height: u32,
    tip_hash: String,
    state_root: String,
    chain_work: String,
    settled_height: Option<u32>,
    /// Height at which the witnesses parted, if they did.
    alarm_height: Option<u32>,
    mempool: Pending,
}

#[derive(Serialize)]
struct Pending {
    transactions: usize,
    bytes: u64,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let dir = ChainDir::new(self.place.resolve()?);
        let (spec, reader) = dir.read()?;
        let (transactions, bytes) = dir.inbox()?.size()?;
        let snapshot = reader.snapshot()?;
        let view = View(&*snapshot);
        let tip_hash = view.tip()?;
        let tip = view.expect_record(&tip_hash)?;
        let status = Status {
            chain: spec.name,
            height: tip.height,
            tip_hash: tip_hash.to_string(),
            state_root: view.root()?.to_string(),
            chain_work: tip.work.to_string(),
            settled_height: view.settled()?.map(|point| point.height),
            alarm_height: view.alarm()?.map(|alarm| alarm.refused.height),
            mempool: Pending { transactions, bytes },
        };
        if self.format.is_json() {
            json_line(&status)?;
        } else {
            text_line(format!("chain       {}", status.chain))?;
            text_line(format!("height      {}", status.height))?;
            text_line(format!("tip         {}", status.tip_hash))?;
            text_line(format!("state root  {}", status.state_root))?;
            text_line(format!("work        {}", status.chain_work))?;
            let settled = status.settled_height.map_or("none".into(), |height| height.to_string());
            text_line(format!("settled     {settled}"))?;
            if let Some(height) = status.alarm_height {
                text_line(format!("ALARM       the witnesses settle another block at {height}"))?;
            }
            text_line(format!("mempool     {transactions} transactions, {bytes} bytes"))?;
        }
        Ok(Outcome::Yes)
    }
}
