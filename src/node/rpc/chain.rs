//! Reads of the chain, in the words of Bitcoin Core. They may read disk: each runs on a thread for that.

use serde_json::{Value, json};

use crate::ledger::address::Address;
use crate::ledger::block::Block;
use crate::ledger::chain::{Record, View};
use crate::ledger::coinbase::witness_script;
use crate::ledger::rules::context::Ancestors as _;
use crate::ledger::rules::isolation::Ids;
use crate::ledger::store::StoreError;
use crate::node::difficulty;
use crate::node::handle::HandleError;
use crate::primitives::{BlockHash, CompactTarget, TxId, Work};

use super::context::Context;
use super::envelope::{Answer, Code, RpcError};
use super::params::Params;

/// Blocks over which the hash rate of all miners is estimated.
const RATE_BLOCKS: u32 = 120;

impl From<HandleError<StoreError>> for RpcError {
    fn from(error: HandleError<StoreError>) -> Self {
        Self::new(Code::Internal, error.to_string())
    }
}

fn read<R>(
    context: &Context,
    ask: impl FnOnce(&View<'_>) -> Result<R, StoreError>,
) -> Result<R, RpcError> {
    Ok(context.handle.with_view(ask)?)
}

fn not_found() -> RpcError {
    RpcError::new(Code::NotFound, "Block not found")
}

pub(super) fn block_count(context: &Context, _: &Params) -> Answer {
    read(context, |view| Ok(json!(view.expect_record(&view.tip()?)?.height)))
}

pub(super) fn best_block_hash(context: &Context, _: &Params) -> Answer {
    read(context, |view| Ok(json!(view.tip()?.to_string())))
}

pub(super) fn block_hash(context: &Context, params: &Params) -> Answer {
    let height = params.number(0)?;
    let hash = read(context, |view| view.hash_at(height))?;
    let out = || RpcError::new(Code::InvalidParameter, "Block height out of range");
    Ok(json!(hash.ok_or_else(out)?.to_string()))
}

/// The difficulty of the block to mine, which is what miners ask for.
pub(super) fn difficulty(context: &Context, _: &Params) -> Answer {
    Ok(json!(context.handle.current().difficulty))
}

pub(super) fn chain_info(context: &Context, _: &Params) -> Answer {
    let spec = &context.handle.chain().spec;
    read(context, |view| {
        let hash = view.tip()?;
        let tip = view.expect_record(&hash)?;
        Ok(json!({
            "chain": spec.name,
            "blocks": tip.height,
            "headers": tip.height,
            "bestblockhash": hash.to_string(),
            "bits": tip.header.bits.to_string(),
            "target": target_text(tip.header.bits),
            "difficulty": difficulty_of(tip.header.bits),
            "time": tip.header.time,
            "mediantime": view.median_time_after(&tip)?,
            "verificationprogress": 1,
            "initialblockdownload": false,
            "chainwork": work_text(tip.work),
            "pruned": false,
            "settled_height": view.settled()?.map(|settled| settled.height),
            "algorithm": spec.algorithm.to_string(),
            "address_prefix": spec.address_prefix,
            "genesis_hash": context.handle.chain().genesis.to_string(),
            "warnings": warnings(view)?,
        }))
    })
}

fn warnings(view: &View<'_>) -> Result<Vec<&'static str>, StoreError> {
    let alarm =
        view.alarm()?.map(|_| "witnesses contradict each other: see `proofward chain status`");
    Ok(alarm.into_iter().collect())
}

pub(super) fn mining_info(context: &Context, _: &Params) -> Answer {
    let candidate = context.handle.current();
    let network = read(context, network_rate)?;
    let transactions = &candidate.template.transactions;
    let bytes: usize = transactions.iter().map(|included| included.bytes.len()).sum();
    let next = json!({
        "height": candidate.height(),
        "bits": candidate.bits.to_string(),
        "difficulty": candidate.difficulty,
        "target": candidate.target.to_string(),
    });
    Ok(json!({
        "blocks": candidate.height() - 1,
        "currentblocktx": transactions.len(),
        "currentblockweight": 4 * bytes,
        "bits": candidate.bits.to_string(),
        "difficulty": candidate.difficulty,
        "target": candidate.target.to_string(),
        "networkhashps": network,
        "pooledtx": context.handle.totals().count,
        "chain": context.handle.chain().spec.name,
        "next": next,
        "warnings": [],
    }))
}

pub(super) fn network_hash_rate(context: &Context, _: &Params) -> Answer {
    Ok(json!(read(context, network_rate)?))
}

/// Hashes a second of all miners: the work of the last blocks over the time that they took.
#[expect(clippy::float_arithmetic, reason = "an estimate for people")]
fn network_rate(view: &View<'_>) -> Result<f64, StoreError> {
    let tip = view.expect_record(&view.tip()?)?;
    let first = tip.height.saturating_sub(RATE_BLOCKS);
    let Some(hash) = view.hash_at(first)? else { return Ok(0.0) };
    let before = view.expect_record(&hash)?;
    let seconds = tip.latest_time.saturating_sub(before.latest_time).max(1);
    Ok((work_number(tip.work) - work_number(before.work)) / f64::from(seconds))
}

#[expect(clippy::float_arithmetic, reason = "an estimate for people")]
fn work_number(work: Work) -> f64 {
    work.to_le_bytes().iter().rev().fold(0.0, |sum, byte| sum * 256.0 + f64::from(*byte))
}

fn work_text(work: Work) -> String {
    let mut bytes = work.to_le_bytes();
    bytes.reverse();
    hex::encode(bytes)
}

fn target_text(bits: CompactTarget) -> Option<String> {
    Some(bits.to_target().ok()?.to_string())
}

fn difficulty_of(bits: CompactTarget) -> Option<f64> {
    Some(difficulty::of_target(&bits.to_target().ok()?))
}

pub(super) fn network_info(context: &Context, _: &Params) -> Answer {
    let version = env!("CARGO_PKG_VERSION");
    let numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    Ok(json!({
        // Bitcoin Core's: two digits for each of major, minor and patch.
        "version": numbers.fold(0, |sum, part| sum * 100 + part),
        "subversion": format!("/proofward:{version}/"),
        "protocolversion": 1,
        "localservices": "0000000000000000",
        "localservicesnames": [],
        "localrelay": false,
        "timeoffset": 0,
        "networkactive": true,
        "connections": 0,
        "networks": [],
        "relayfee": 0,
        "incrementalfee": 0,
        "localaddresses": [],
        "chain": context.handle.chain().spec.name,
        "warnings": [],
    }))
}

pub(super) fn peer_info(_: &Context, _: &Params) -> Answer {
    Ok(json!([]))
}

pub(super) fn connection_count(_: &Context, _: &Params) -> Answer {
    Ok(json!(0))
}

pub(super) fn header(context: &Context, params: &Params) -> Answer {
    let hash = hash_of(params.string(0)?)?;
    let is_verbose = params.number_or(1, 1)? != 0;
    let found = read(context, |view| {
        let Some(record) = view.record(&hash)? else { return Ok(None) };
        Ok(Some(match is_verbose {
            true => Value::Object(header_fields(view, &hash, &record)?),
            false => json!(hex::encode(record.header.encode())),
        }))
    })?;
    found.ok_or_else(not_found)
}

/// Verbosity 0: the bytes; 1: ids of the transactions; 2: what is in them, as far as the chain tells.
pub(super) fn block(context: &Context, params: &Params) -> Answer {
    let hash = hash_of(params.string(0)?)?;
    let verbosity = params.number_or(1, 1)?;
    let genesis = context.handle.chain().genesis;
    let found = read(context, |view| {
        let Some(record) = view.record(&hash)? else { return Ok(None) };
        let Some(bytes) = view.block_bytes(&hash)? else { return Ok(None) };
        if verbosity == 0 {
            return Ok(Some(json!(hex::encode(bytes))));
        }
        let corrupt = |_| StoreError::Corrupt { what: format!("block {hash} does not decode") };
        let block = Block::decode(&bytes).map_err(corrupt)?;
        let mut fields = header_fields(view, &hash, &record)?;
        let mut transactions = vec![coinbase(&block, verbosity)];
        for included in &block.transactions {
            let ids = Ids::of(included, &genesis);
            transactions.push(match verbosity {
                1 => json!(ids.transaction.to_string()),
                _ => json!({
                    "txid": ids.transaction.to_string(),
                    "core": ids.core.to_string(),
                    "leaf": TxId(included.leaf()).to_string(),
                    "fee": included.transaction.fee,
                    "size": included.bytes.len(),
                    "hex": hex::encode(&included.bytes),
                }),
            });
        }
        fields.insert("size".into(), json!(bytes.len()));
        fields.insert("weight".into(), json!(4 * bytes.len()));
        fields.insert("nTx".into(), json!(transactions.len()));
        fields.insert("tx".into(), json!(transactions));
        Ok(Some(Value::Object(fields)))
    })?;
    found.ok_or_else(not_found)
}

fn coinbase(block: &Block, verbosity: u32) -> Value {
    let id = TxId(crate::hash::sha256::sha256d(&block.coinbase_bytes)).to_string();
    if verbosity == 1 {
        return json!(id);
    }
    let payouts: Vec<Value> = block
        .coinbase
        .payouts
        .iter()
        .map(|payout| json!({"key": payout.key.to_string(), "value": payout.value}))
        .collect();
    let bytes = &block.coinbase_bytes;
    json!({"txid": id, "size": bytes.len(), "hex": hex::encode(bytes), "payouts": payouts})
}

fn header_fields(
    view: &View<'_>,
    hash: &BlockHash,
    record: &Record,
) -> Result<serde_json::Map<String, Value>, StoreError> {
    let header = &record.header;
    let tip = view.expect_record(&view.tip()?)?;
    let is_on_chain = view.hash_at(record.height)? == Some(*hash);
    let next = match is_on_chain {
        true => view.hash_at(record.height.saturating_add(1))?,
        false => None,
    };
    // Bitcoin Core's -1 for a block beside the best chain.
    let confirmations =
        if is_on_chain { i64::from(tip.height) - i64::from(record.height) + 1 } else { -1 };
    let mut fields = serde_json::Map::new();
    let mut set = |name: &str, value: Value| fields.insert(name.into(), value);
    set("hash", json!(hash.to_string()));
    set("confirmations", json!(confirmations));
    set("height", json!(record.height));
    set("version", json!(header.version));
    set("versionHex", json!(format!("{:08x}", header.version)));
    set("merkleroot", json!(header.merkle_root.to_string()));
    set("time", json!(header.time));
    set("mediantime", json!(view.median_time_after(record)?));
    set("nonce", json!(header.nonce));
    set("bits", json!(header.bits.to_string()));
    set("target", json!(target_text(header.bits)));
    set("difficulty", json!(difficulty_of(header.bits)));
    set("chainwork", json!(work_text(record.work)));
    if record.height > 0 {
        set("previousblockhash", json!(header.prev_block.to_string()));
    }
    if let Some(next) = next {
        set("nextblockhash", json!(next.to_string()));
    }
    Ok(fields)
}

fn hash_of(text: &str) -> Result<BlockHash, RpcError> {
    text.parse().map_err(|error| RpcError::new(Code::InvalidParameter, format!("{error}")))
}

/// `isvalid`, and the script that a coinbase pays it with.
pub(super) fn validate_address(context: &Context, params: &Params) -> Answer {
    let text = params.string(0)?;
    let prefix = context.handle.chain().spec.address_prefix.parse();
    let prefix = prefix.map_err(|_| RpcError::new(Code::Internal, "the chain has no prefix"))?;
    Ok(match Address::parse_for(prefix, text) {
        Ok(key) => json!({
            "isvalid": true,
            "address": Address { prefix, key }.to_string(),
            "scriptPubKey": hex::encode(witness_script(&key)),
            "isscript": false,
            "iswitness": true,
            "witness_version": 0,
            "witness_program": hex::encode(key.0),
        }),
        Err(error) => json!({"isvalid": false, "error": error.to_string()}),
    })
}
