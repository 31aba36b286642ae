//! Work and blocks: `getblocktemplate` (BIP22, BIP23, BIP145), `submitblock`, and what miners ask beside
//! them. The fields were chosen by what minerd, cpuminer-opt, cgminer and pool software read.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::hash::sha256::sha256d;
use crate::ledger::block::{BLOCK_BYTES_MAX, BLOCK_SIGNATURES_MAX};
use crate::ledger::chain::{ProposalError, Status, SubmitError, Submitted};
use crate::ledger::coinbase::Coinbase;
use crate::ledger::spec::BLOCK_VERSION;
use crate::node::candidate::Candidate;
use crate::node::handle::HandleError;
use crate::node::stop::stopped;
use crate::primitives::{Header, TxId};

use super::context::Context;
use super::envelope::{Answer, Code, RpcError};
use super::params::Params;
use super::templates::{Completed, Submission};

/// What follows the unique bytes in the coinbases that are handed out: another tag than those of other
/// doors, so that no two search the same.
const TAG: &[u8] = b"/proofward gbt/";
/// Seconds that a miner may work on a template.
const EXPIRES_SECONDS: u64 = 120;

/// `getblocktemplate`.
pub(super) async fn template(context: Arc<Context>, params: Params, ip: IpAddr) -> Answer {
    let asked = params.object_or_none(0)?;
    let text = |name: &str| asked?.get(name)?.as_str();
    match text("mode") {
        None | Some("template") => {}
        Some("proposal") => {
            let message = "a proposal is the hex of a block in data";
            let data = text("data").ok_or_else(|| RpcError::new(Code::Type, message))?;
            return propose(context, decoded(data)?, text("workid")).await;
        }
        Some(_) => {
            let message = "only the modes template and proposal are known";
            return Err(RpcError::new(Code::InvalidParameter, message));
        }
    }
    if let Some(longpollid) = text("longpollid") {
        wait_for_news(&context, longpollid, ip).await;
    }
    let context = Arc::clone(&context);
    // A full block is megabytes of hex.
    blocking(move || Ok(describe(&context, &context.handle.current()))).await
}

/// `getblocktemplate` with a block in it: null, or why it would be refused in a word (BIP23), whatever its
/// hash. It is judged beside the ledger, so nothing waits for it but the next one.
async fn propose(context: Arc<Context>, sent: Vec<u8>, workid: Option<&str>) -> Answer {
    let now = context.handle.clock().now();
    let bytes = match context.templates.complete(sent, workid, now) {
        Completed::Block(bytes) => bytes,
        Completed::Unknown => return Ok(json!("unknown-work")),
    };
    let place = Arc::clone(&context.proposals).acquire_owned().await;
    blocking(move || {
        // Whoever asked may have gone away; the next one starts when this has ended all the same.
        let _place = place;
        let chain = context.handle.chain();
        let judged = context.handle.with_view(|view| Ok(chain.judge_proposal(*view, &bytes, now)));
        let failed = |error: &dyn Error| RpcError::new(Code::Internal, error.to_string());
        Ok(json!(match judged.map_err(|error| failed(&error))? {
            Ok(()) => None,
            Err(ProposalError::Known(Status::Valid)) => Some("duplicate"),
            Err(ProposalError::Known(Status::Invalid)) => Some("duplicate-invalid"),
            Err(ProposalError::Known(Status::Stored | Status::Bare)) =>
                Some("duplicate-inconclusive"),
            Err(ProposalError::NotOnTip { .. }) => Some("inconclusive-not-best-prevblk"),
            Err(ProposalError::Rule(verdict)) => Some(verdict.rule.name()),
            Err(ProposalError::Store(error)) => return Err(failed(&error)),
        }))
    })
    .await
}

/// The bytes of a block in hex.
fn decoded(hex: &str) -> Result<Vec<u8>, RpcError> {
    hex::decode(hex).map_err(|_| RpcError::new(Code::Deserialization, "Block decode failed"))
}

/// On a thread for work that takes its time.
pub(super) async fn blocking(work: impl FnOnce() -> Answer + Send + 'static) -> Answer {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(_) => Err(RpcError::new(Code::Internal, "the call failed: the log says why")),
    }
}

fn longpollid(candidate: &Candidate) -> String {
    format!("{}{:x}-{}", candidate.tip(), candidate.serial, candidate.bits)
}

/// Waits while the work that has this id is good: until another tip, other nBits, the end of the time
/// that a long poll may take, or the end of the node.
async fn wait_for_news(context: &Arc<Context>, id: &str, ip: IpAddr) {
    let mut changes = context.handle.changes();
    // Subscribed before the first look, so that no change falls in between.
    let is_good = |candidate: &Candidate| {
        let (tip, bits) = (candidate.tip().to_string(), candidate.bits.to_string());
        id.starts_with(&tip) && id.ends_with(&bits)
    };
    if !is_good(&context.handle.current()) {
        return;
    }
    let Some(_place) = context.wait(ip) else { return };
    let mut stopping = context.stop.subscribe();
    let news = async {
        while changes.changed().await.is_ok() {
            if !is_good(&changes.borrow_and_update()) {
                return;
            }
        }
    };
    tokio::select! {
        () = news => {}
        () = tokio::time::sleep(context.settings.longpoll) => {}
        () = stopped(&mut stopping) => {}
    }
}

/// A candidate as a template, with a coinbase that no other answer has.
fn describe(context: &Context, candidate: &Arc<Candidate>) -> Value {
    let template = &candidate.template;
    let now = context.handle.clock();
    let time = now.stamp().max(candidate.time);
    let bits = candidate.bits_at(time);
    let target = context.shares.target(candidate.target_at(time));
    let transactions: Vec<Value> = template
        .transactions
        .iter()
        .map(|included| {
            // The leaf is the hash of all bytes, with and without the rules of BIP141.
            let id = TxId(included.leaf()).to_string();
            json!({
                "data": hex::encode(&included.bytes),
                "txid": id,
                "hash": id,
                "depends": [],
                "fee": included.transaction.fee,
                "sigops": included.transaction.signature_count(),
                "weight": 4 * included.bytes.len(),
            })
        })
        .collect();
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| fields.insert(name.into(), value);
    set("capabilities", json!(["proposal"]));
    set("version", json!(BLOCK_VERSION));
    set("rules", json!(["segwit"]));
    set("vbavailable", json!({}));
    set("vbrequired", json!(0));
    set("previousblockhash", json!(candidate.tip().to_string()));
    set("transactions", json!(transactions));
    set("coinbaseaux", json!({}));
    set("coinbasevalue", json!(template.reward));
    if let Some(payout) = context.settings.payout {
        let coinbase = template.coinbase(payout, &[&context.unique()[..], TAG].concat());
        let id = TxId(sha256d(&coinbase)).to_string();
        // Minus what the transactions pay, as BIP22 has it: part of the supply, so it fits.
        let fees = template.transactions.iter().map(|included| included.transaction.fee);
        let fee = fees.fold(0, |sum: i64, fee| sum.saturating_sub_unsigned(fee));
        set(
            "coinbasetxn",
            json!({
                "data": hex::encode(&coinbase),
                "txid": id,
                "hash": id,
                "depends": [],
                "fee": fee,
                "sigops": 0,
                "required": true,
            }),
        );
    }
    let commitment = Coinbase::commitment_script(&template.root.0);
    set("default_witness_commitment", json!(hex::encode(commitment)));
    set("workid", json!(context.templates.keep(candidate, now.now())));
    set("longpollid", json!(longpollid(candidate)));
    set("longpolluri", json!("/"));
    set("submitold", json!(false));
    set("target", json!(target.to_string()));
    set("mintime", json!(template.time_least));
    let mut mutable = vec!["coinbase/append", "submit/coinbase", "time", "prevblock"];
    // A share is of transactions that were handed out.
    if !context.shares.are_wanted() {
        mutable.push("transactions");
    }
    set("mutable", json!(mutable));
    set("noncerange", json!("00000000ffffffff"));
    set("sigoplimit", json!(BLOCK_SIGNATURES_MAX));
    set("sizelimit", json!(BLOCK_BYTES_MAX));
    set("weightlimit", json!(4 * BLOCK_BYTES_MAX));
    set("curtime", json!(time));
    set("expires", json!(EXPIRES_SECONDS));
    set("bits", json!(bits.to_string()));
    set("height", json!(template.height));
    Value::Object(fields)
}

/// `submitblock`: null, or why not in a word (BIP22). What is no block by its own nBits is judged as a
/// share where shares are asked for; everything else is the ledger's, whatever it is worth as a share.
pub(super) async fn submit(context: Arc<Context>, params: Params, ip: IpAddr) -> Answer {
    let sent = decoded(params.string(0)?)?;
    let workid = match params.object_or_none(1)? {
        Some(fields) => fields.get("workid").and_then(Value::as_str),
        // Some send the bare id.
        None => None,
    };
    let (shares, now) = (&context.shares, context.moments.now());
    // Before the block changes it.
    let network = context.handle.current().target;
    let is_share = shares.are_wanted() && is_less_than_block(&context, &sent);
    let word = match is_share {
        true => match Submission::read(&sent) {
            Some(submission) => shares.judge(&context, &submission, now).err(),
            None => Some("malformed"),
        },
        false => match context.templates.complete(sent, workid, now.unix_s) {
            Completed::Block(bytes) => bring(&context, bytes, ip).await?,
            Completed::Unknown => Some("unknown-work"),
        },
    };
    shares.count(ip, &network, word, !is_share && word.is_none(), now);
    Ok(json!(word))
}

/// Whether there is a header, and its hash is above the target of its own nBits.
fn is_less_than_block(context: &Context, sent: &[u8]) -> bool {
    let Some(header) = sent.first_chunk().map(Header::decode) else { return false };
    let digest = context.handle.chain().spec.hash_header(&header).0;
    header.bits.to_target().is_ok_and(|target| !target.is_met_by(&digest))
}

/// Brings a block to the ledger; the word that it is answered with, if it did not become the tip.
async fn bring(
    context: &Context,
    bytes: Vec<u8>,
    ip: IpAddr,
) -> Result<Option<&'static str>, RpcError> {
    let finder = format!("rpc {ip}").into();
    let submitted = context.handle.submit_block(bytes, &finder).await;
    Ok(Some(match submitted {
        Ok(Submitted::Tip { .. }) => return Ok(None),
        Ok(Submitted::Known) => "duplicate",
        // It has the most work, and blocks before it have to be sent again.
        Ok(Submitted::Incomplete { .. }) => "inconclusive",
        // Sound, but somebody was faster: it is kept beside the best chain.
        Ok(_) => "stale-prevblk",
        Err(HandleError::Refused(SubmitError::Orphan { .. })) => "bad-prevblk",
        Err(HandleError::Refused(SubmitError::Rule(verdict))) => verdict.rule.name(),
        Err(HandleError::Refused(SubmitError::Store(error))) => {
            return Err(RpcError::new(Code::Internal, error.to_string()));
        }
        Err(error) => return Err(RpcError::new(Code::Internal, error.to_string())),
    }))
}
