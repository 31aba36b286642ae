//! Requests and answers of getblocktemplate and submitblock as JSON. Bitcoin Core is the model; fields
//! that no miner needs are not read.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::hash::sha256::sha256d;
use crate::node::client::stratum::shorten;
use crate::node::client::trouble::Trouble;
use crate::primitives::{BlockHash, CompactTarget, Digest, Target, TxId};

/// `RPC_CLIENT_NOT_CONNECTED` of Bitcoin Core.
const NOT_CONNECTED: i64 = -9;
/// `RPC_CLIENT_IN_INITIAL_DOWNLOAD`.
const IN_INITIAL_DOWNLOAD: i64 = -10;
/// `RPC_IN_WARMUP`.
const IN_WARMUP: i64 = -28;
/// `RPC_METHOD_NOT_FOUND`.
const METHOD_NOT_FOUND: i64 = -32_601;
/// `RPC_INVALID_PARAMETER`, which signet answers to those who do not know it.
pub(super) const INVALID_PARAMETER: i64 = -8;

/// Rules that change nothing for whoever takes the transactions as they are given (BIP9 names of
/// deployments).
const KNOWN_RULES: &[&str] = &["csv", "segwit", "taproot", "testdummy", "signet"];

/// A template as we use it.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockTemplate {
    /// Height of the block.
    pub height: u32,
    /// Version of its header.
    pub version: u32,
    /// The parent.
    pub prev_block: BlockHash,
    /// Time of its header.
    pub time: u32,
    /// nBits of its header.
    pub bits: CompactTarget,
    /// What its hash must not exceed.
    pub target: Target,
    /// The transactions, coinbase left out.
    pub transactions: Vec<Transaction>,
    /// A coinbase of the server, as it is to be hashed.
    pub coinbase: Option<Transaction>,
    /// What a coinbase of ours may pay.
    pub coinbase_value: Option<u64>,
    /// What the server wants in the coinbase's script.
    pub coinbase_flags: Vec<u8>,
    /// The script of an output of value 0 that the coinbase has to have.
    pub commitment: Option<Vec<u8>>,
    /// What to name when waiting for the next template.
    pub long_poll: Option<String>,
    /// What to name when submitting.
    pub work_id: Option<String>,
    /// Whether the server takes the block without its transactions.
    pub takes_coinbase_alone: bool,
    /// Whether the time may be moved on.
    pub is_time_mutable: bool,
}

/// A transaction: its bytes and the leaf that it is in the merkle tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// As it stands in the block.
    pub bytes: Vec<u8>,
    /// Its leaf.
    pub leaf: Digest,
}

#[derive(Deserialize)]
struct Envelope<T> {
    result: Option<T>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct RawTemplate {
    height: u32,
    version: i64,
    previousblockhash: String,
    curtime: u32,
    bits: String,
    target: Option<String>,
    #[serde(default)]
    transactions: Vec<RawTransaction>,
    coinbasetxn: Option<RawTransaction>,
    coinbasevalue: Option<u64>,
    coinbaseaux: Option<RawAux>,
    default_witness_commitment: Option<String>,
    longpollid: Option<String>,
    workid: Option<String>,
    #[serde(default)]
    mutable: Vec<String>,
    #[serde(default)]
    rules: Vec<String>,
    signet_challenge: Option<String>,
}

#[derive(Deserialize)]
struct RawTransaction {
    data: String,
    txid: Option<String>,
}

#[derive(Deserialize)]
struct RawAux {
    flags: Option<String>,
}

/// The result of an answer, whatever its HTTP status: Bitcoin Core answers errors with status 500 and a
/// JSON body.
pub(super) fn result<'a, T: Deserialize<'a>>(
    status: u16,
    body: &'a [u8],
) -> Result<Option<T>, Trouble> {
    let envelope: Envelope<T> = match serde_json::from_slice(body) {
        Ok(envelope) => envelope,
        Err(_) if status != 200 => return Err(Trouble::Http { status }),
        Err(error) => return Err(Trouble::Protocol(shorten(&error.to_string()))),
    };
    let Some(error) = envelope.error.filter(|error| !error.is_null()) else {
        return match status {
            200 => Ok(envelope.result),
            status => Err(Trouble::Http { status }),
        };
    };
    let code = error.get("code").and_then(Value::as_i64).unwrap_or(0);
    let message = error
        .get("message")
        .and_then(Value::as_str)
        .map_or_else(|| shorten(&error.to_string()), shorten);
    Err(match code {
        NOT_CONNECTED => Trouble::NotReady(format!("the node has no peers ({message})")),
        IN_INITIAL_DOWNLOAD => {
            Trouble::NotReady(format!("the node is still downloading the chain ({message})"))
        }
        IN_WARMUP => Trouble::NotReady(format!("the node is starting ({message})")),
        METHOD_NOT_FOUND => Trouble::Unsuitable(format!("no getblocktemplate here ({message})")),
        code => Trouble::Rpc { code, message },
    })
}

impl BlockTemplate {
    /// Reads the answer to getblocktemplate.
    ///
    /// # Errors
    ///
    /// The server's error, or why the template cannot be mined.
    pub fn parse(status: u16, body: &[u8]) -> Result<Self, Trouble> {
        let raw: RawTemplate = result(status, body)?
            .ok_or_else(|| Trouble::Protocol("getblocktemplate without a result".into()))?;
        let unknown = |rule: &&String| {
            rule.strip_prefix('!').is_some_and(|rule| !KNOWN_RULES.contains(&rule))
        };
        if let Some(rule) = raw.rules.iter().find(unknown) {
            return Err(Trouble::Unsuitable(format!("unknown rule {:?}", shorten(rule))));
        }
        // OP_TRUE asks for no signature.
        if raw.signet_challenge.as_deref().is_some_and(|challenge| challenge != "51") {
            return Err(Trouble::Unsuitable("blocks of this signet have to be signed".into()));
        }
        raw.read().map_err(|what| Trouble::Protocol(format!("getblocktemplate: {what}")))
    }
}

impl RawTemplate {
    fn read(self) -> Result<BlockTemplate, &'static str> {
        let bits = u32::from_str_radix(&self.bits, 16).ok().filter(|_| self.bits.len() == 8);
        let bits = CompactTarget(bits.ok_or("expected 8 hex digits of bits")?);
        let target = match self.target {
            Some(target) => target.parse().map_err(|_| "expected 64 hex digits of target")?,
            None => bits.to_target().map_err(|_| "bits without a target")?,
        };
        // Some nodes write the version as a signed number.
        let version = u32::try_from(self.version).ok();
        let signed = || i32::try_from(self.version).ok().map(i32::cast_unsigned);
        let bytes = |hex: &str| hex::decode(hex).map_err(|_| "expected hex");
        let transactions: Result<_, _> =
            self.transactions.into_iter().map(RawTransaction::read).collect();
        let has = |words: &[&str]| self.mutable.iter().any(|word| words.contains(&&**word));
        Ok(BlockTemplate {
            height: self.height,
            version: version.or_else(signed).ok_or("expected a version of 32 bits")?,
            prev_block: self.previousblockhash.parse().map_err(|_| "previousblockhash")?,
            time: self.curtime,
            bits,
            target,
            transactions: transactions?,
            coinbase: self.coinbasetxn.map(RawTransaction::read).transpose()?,
            coinbase_value: self.coinbasevalue,
            coinbase_flags: match self.coinbaseaux.and_then(|aux| aux.flags) {
                Some(flags) => bytes(&flags)?,
                None => Vec::new(),
            },
            commitment: self.default_witness_commitment.as_deref().map(bytes).transpose()?,
            long_poll: self.longpollid,
            work_id: self.workid,
            takes_coinbase_alone: has(&["submit/coinbase"]),
            is_time_mutable: has(&["time", "time/increment"]),
        })
    }
}

impl RawTransaction {
    /// The leaf is the id that the server names; else the hash of the bytes, as before BIP145.
    fn read(self) -> Result<Transaction, &'static str> {
        let bytes =
            hex::decode(&self.data).map_err(|_| "expected the data of a transaction in hex")?;
        let leaf = match self.txid {
            Some(id) => id.parse::<TxId>().map_err(|_| "expected 64 hex digits of txid")?.0,
            None => sha256d(&bytes),
        };
        Ok(Transaction { bytes, leaf })
    }
}

/// The body of a request for a template.
pub(super) fn ask_template(number: u64, rules: &[&str], long_poll: Option<&str>) -> String {
    let mut ask = json!({
        "capabilities": ["coinbasetxn", "coinbasevalue", "longpoll", "workid"],
        "rules": rules,
    });
    if let Some(id) = long_poll {
        ask["longpollid"] = json!(id);
    }
    json!({ "id": number, "method": "getblocktemplate", "params": [ask] }).to_string()
}

/// The body of a submission.
pub(super) fn ask_submit(number: u64, block: &[u8], work_id: Option<&str>) -> String {
    let block = json!(hex::encode(block));
    let params = match work_id {
        Some(id) => json!([block, { "workid": id }]),
        None => json!([block]),
    };
    json!({ "id": number, "method": "submitblock", "params": params }).to_string()
}

/// What the word of submitblock means (BIP22, and Bitcoin Core's reject reasons).
pub(super) fn meaning(word: &str) -> &'static str {
    match word {
        "duplicate" => "the node has this block already",
        "duplicate-invalid" => "the node has refused this block before",
        "duplicate-inconclusive" => "the node has this block and has not judged it yet",
        "inconclusive" => "the node took it, but another block is its tip",
        "inconclusive-not-best-prevblk" | "stale-prevblk" | "stale-work" => {
            "another block was found first"
        }
        "bad-prevblk" | "prev-blk-not-found" => "the node does not know its parent",
        "high-hash" => "the hash is above the target; is --algorithm right?",
        "bad-txnmrklroot" => "the merkle root does not match the transactions",
        "bad-txns-duplicate" => "a transaction stands in it twice",
        "bad-cb-amount" => "the coinbase pays too much",
        "bad-cb-height" => "the coinbase names another height",
        "bad-cb-length" => "the coinbase's script is too short or too long",
        "bad-diffbits" => "nBits are not what the chain asks for; is the clock right?",
        "bad-witness-merkle-match" | "bad-witness-nonce-size" => {
            "the witness commitment does not match"
        }
        "time-too-old" => "its time is before the chain's",
        "time-too-new" => "its time is ahead of the node's clock",
        "unknown-work" => "the node no longer knows the template",
        "rejected" => "without a reason",
        _ => "",
    }
}

/// Whether the word says that the block came too late rather than wrong.
pub(super) fn is_late(word: &str) -> bool {
    word.starts_with("stale-") || word.starts_with("inconclusive") || word == "unknown-work"
}
