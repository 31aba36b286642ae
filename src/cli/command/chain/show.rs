//! `proofward chain show`: one block, with what its verdict depends on.

use anyhow::bail;
use serde::Serialize;

use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line};
use crate::cli::settings::{Place, tokens};
use proofward::ledger::block::Block;
use proofward::ledger::chain::{Record, Status, View};
use proofward::ledger::rules::context::Ancestors as _;
use proofward::ledger::rules::isolation::Ids;
use proofward::ledger::spec::Spec;
use proofward::node::dir::ChainDir;
use proofward::primitives::BlockHash;

/// Show a block: its header, its coinbase and its transactions
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward chain show                    the tip
  proofward chain show 12
  proofward chain show 00000a1b... --format json")]
pub(crate) struct Args {
    /// Height, or hash as it is displayed [default: the tip]
    #[arg(value_name = "HEIGHT|HASH")]
    block: Option<String>,
    #[command(flatten)]
    place: Place,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Shown {
    height: u32,
    hash: String,
    status: &'static str,
    best_chain: bool,
    settled: bool,
    version: String,
    parent: String,
    merkle_root: String,
    time: u32,
    median_time_past: Option<u32>,
    bits: String,
    nonce: u32,
    chain_work: String,
    bytes: usize,
    signatures: usize,
    state_commitment: String,
    payouts: Vec<Paid>,
    transactions: Vec<Listed>,
}

#[derive(Serialize)]
struct Paid {
    key: String,
    units: u64,
}

#[derive(Serialize)]
struct Listed {
    index: usize,
    id: String,
    core: String,
    body: &'static str,
    payer: String,
    nonce: u64,
    fee_units: u64,
    valid_from: u32,
    valid_to: u32,
    signatures: usize,
    bytes: usize,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let (spec, reader) = ChainDir::new(self.place.resolve()?).read()?;
        let snapshot = reader.snapshot()?;
        let view = View(&*snapshot);
        let Some(hash) = find(view, self.block.as_deref())? else {
            let block = self.block.unwrap_or_default();
            eprintln!("proofward: no block {block}: see `proofward chain status`");
            return Ok(Outcome::No);
        };
        let record = view.expect_record(&hash)?;
        let Some(block) = view.block(&hash)? else {
            bail!("block {hash} was found invalid and is not kept");
        };
        let shown = shown(&spec, view, &hash, &record, &block)?;
        match self.format {
            Format::Json => json_line(&shown)?,
            Format::Text => print(&shown)?,
        }
        Ok(Outcome::Yes)
    }
}

fn find(view: View<'_>, block: Option<&str>) -> anyhow::Result<Option<BlockHash>> {
    let Some(text) = block else { return Ok(Some(view.tip()?)) };
    if let Ok(height) = text.parse::<u32>() {
        return Ok(view.hash_at(height)?);
    }
    match text.parse::<BlockHash>() {
        Ok(hash) => Ok(view.record(&hash)?.map(|_| hash)),
        Err(_) => bail!("{text:?} is no height and no hash of 64 hex digits"),
    }
}

fn shown(
    spec: &Spec,
    view: View<'_>,
    hash: &BlockHash,
    record: &Record,
    block: &Block,
) -> anyhow::Result<Shown> {
    let best_chain = view.hash_at(record.height)? == Some(*hash);
    let settled = view.settled()?.is_some_and(|point| best_chain && point.height >= record.height);
    let median_time_past = match record.height {
        0 => None,
        _ => Some(view.median_time_after(&view.expect_record(&record.parent())?)?),
    };
    let ids = Ids::of_block(block, &spec.genesis_hash());
    let listed = block.transactions.iter().zip(&ids).enumerate().map(|(at, (included, ids))| {
        let transaction = &included.transaction;
        Listed {
            index: at + 1,
            id: ids.transaction.to_string(),
            core: ids.core.to_string(),
            body: transaction.core.body.name(),
            payer: transaction.payer.to_string(),
            nonce: transaction.nonce,
            fee_units: transaction.fee,
            valid_from: transaction.core.valid_from,
            valid_to: transaction.core.valid_to,
            signatures: transaction.sigs.len(),
            bytes: included.bytes.len(),
        }
    });
    let header = &block.header;
    Ok(Shown {
        height: record.height,
        hash: hash.to_string(),
        status: match record.status {
            Status::Bare => "header",
            Status::Stored => "stored",
            Status::Valid => "valid",
            Status::Invalid => "invalid",
        },
        best_chain,
        settled,
        version: format!("{:08x}", header.version),
        parent: header.prev_block.to_string(),
        merkle_root: header.merkle_root.to_string(),
        time: header.time,
        median_time_past,
        bits: format!("{:08x}", header.bits.0),
        nonce: header.nonce,
        chain_work: record.work.to_string(),
        bytes: block.encode().len(),
        signatures: block.transactions.iter().map(|tx| tx.transaction.sigs.len()).sum(),
        state_commitment: hex::encode(block.coinbase.commitment),
        payouts: block
            .coinbase
            .payouts
            .iter()
            .map(|payout| Paid { key: payout.key.to_string(), units: payout.value })
            .collect(),
        transactions: listed.collect(),
    })
}

fn print(shown: &Shown) -> anyhow::Result<()> {
    let place = match (shown.best_chain, shown.settled) {
        (true, true) => "on the best chain, settled",
        (true, false) => "on the best chain",
        (false, _) => "beside the best chain",
    };
    text_line(format!("block        {} ({}, {place})", shown.height, shown.status))?;
    text_line(format!("hash         {}", shown.hash))?;
    text_line(format!("parent       {}", shown.parent))?;
    text_line(format!("merkle root  {}", shown.merkle_root))?;
    let median = shown.median_time_past.map_or("none".to_owned(), |time| time.to_string());
    text_line(format!("time         {} (median of those before: {median})", shown.time))?;
    text_line(format!(
        "work         bits {}, nonce {}, version {}, chain work {}",
        shown.bits, shown.nonce, shown.version, shown.chain_work
    ))?;
    text_line(format!("state root   {} (after the parent)", shown.state_commitment))?;
    for Paid { key, units } in &shown.payouts {
        text_line(format!("pays         {} tokens to {key}", tokens(*units)))?;
    }
    text_line(format!(
        "holds        {} transactions, {} signatures, {} bytes",
        shown.transactions.len(),
        shown.signatures,
        shown.bytes
    ))?;
    for listed in &shown.transactions {
        text_line(format!(
            "{:11}  {} {}, fee {} by {}",
            listed.index,
            listed.id,
            listed.body,
            tokens(listed.fee_units),
            listed.payer
        ))?;
    }
    Ok(())
}
