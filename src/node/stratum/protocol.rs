//! The wire: a line from a client read, a message for it written. What either means is the session's to
//! know. Lines are hostile; what is read is bounded by the line.
//!
//! Replies echo the id as it came: minerd numbers every share 4, BFGMiner names its requests, and a
//! request whose id is null is never answered, since BFGMiner would take the answer for another one.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

use super::limits::{EXTRANONCE2_BYTES, NAME_CHARS_MAX};
use crate::node::accounting::Uncounted;
use crate::node::call_id::Id;
use crate::node::difficulty::{self, Difficulty};
use crate::primitives::Target;
use crate::primitives::limits::VERSION_ROLLING_MASK;

/// A line from a client.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// To be echoed; whoever sent none, or null, wants no answer.
    pub id: Id,
    /// What is asked.
    pub call: Call,
}

/// What a client asks.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Call {
    /// `mining.subscribe`, with the session that is to be resumed.
    Subscribe {
        /// The extranonce of that session.
        session: Option<u32>,
    },
    /// `mining.configure` (BIP310).
    Configure(Configure),
    /// `mining.authorize`, and whatever begins with `mining.auth` (ckpool).
    Authorize {
        /// Who mines.
        user: String,
        /// Options of the connection, such as `d=0.001`.
        password: String,
    },
    /// `mining.submit`, or why it cannot be one.
    Submit(Result<Submit, Reject>),
    /// `mining.suggest_difficulty` and `mining.suggest_target`, if a difficulty can be made of it.
    Suggest(Option<Difficulty>),
    /// `mining.extranonce.subscribe`.
    ExtranonceSubscribe,
    /// `mining.get_transactions` and `mining.get_txnhashes`: BFGMiner's, after every notification.
    Transactions,
    /// `mining.ping`.
    Ping,
    /// An answer to something, which is nothing to the server.
    Answer,
    /// Anything else.
    Unknown,
}

/// The extensions that a client names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Configure {
    /// The mask that it would roll versions under.
    pub version_rolling: Option<u32>,
    /// The difficulty below which it wants none; the inner one is what could be made of it.
    pub minimum_difficulty: Option<Option<Difficulty>>,
    /// It understands `mining.set_extranonce`, which is never sent.
    pub subscribe_extranonce: bool,
    /// Extensions that the server does not know, cut to a bounded length.
    pub unknown: Vec<String>,
}

/// A share as it is submitted, its numbers decoded: what is compared are values, never their spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submit {
    /// Who found it.
    pub worker: String,
    /// The job, if that is a number at all.
    pub job: Option<u32>,
    /// What the client put into its part of the coinbase.
    pub extranonce2: [u8; EXTRANONCE2_BYTES],
    /// The stamp.
    pub time: u32,
    /// The nonce.
    pub nonce: u32,
    /// The version bits it rolled, if it says so.
    pub version_bits: Option<u32>,
}

/// Why a line is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// A browser, or a miner that looks for getwork.
    #[error("an HTTP request on the stratum port")]
    Http,
    /// No JSON object, or its id is neither number, text nor null.
    #[error("not a stratum message: {0}")]
    NotAMessage(String),
}

/// Why a request is refused: a code and words that clients understand. cpuminer-opt takes a share for
/// stale only if the words contain "job".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reject {
    /// A field is missing or is not what it must be.
    Malformed(&'static str),
    /// The stamp is outside its range.
    TimeRange,
    /// Version bits outside the mask that was agreed on.
    VersionBits,
    /// The wearer's credit is used up.
    BudgetSpent,
    /// More shares on one tip than are remembered.
    TooManyShares,
    /// Nothing like this is served.
    UnknownMethod,
    /// Transactions are not given out.
    NoTransactions,
    /// No such job.
    JobNotFound,
    /// A job of an earlier tip, or too old.
    Stale,
    /// Seen before.
    Duplicate,
    /// The hash is above the share's target.
    LowDifficulty,
    /// The worker was not authorised.
    Unauthorised,
    /// `mining.subscribe` comes first.
    NotSubscribed,
}

impl Reject {
    /// The code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Malformed(_)
            | Self::TimeRange
            | Self::VersionBits
            | Self::BudgetSpent
            | Self::TooManyShares
            | Self::UnknownMethod
            | Self::NoTransactions => 20,
            Self::JobNotFound | Self::Stale => 21,
            Self::Duplicate => 22,
            Self::LowDifficulty => 23,
            Self::Unauthorised => 24,
            Self::NotSubscribed => 25,
        }
    }

    /// The words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Malformed(why) => why,
            Self::TimeRange => "ntime out of range",
            Self::VersionBits => "version bits outside the mask",
            Self::BudgetSpent => "hash budget spent",
            Self::TooManyShares => "too many shares since the last block",
            Self::UnknownMethod => "Unknown method",
            Self::NoTransactions => "transactions are not given out",
            Self::JobNotFound => "Job not found",
            Self::Stale => "Job not found (stale)",
            Self::Duplicate => "Duplicate share",
            Self::LowDifficulty => "Low difficulty share",
            Self::Unauthorised => "Unauthorized worker",
            Self::NotSubscribed => "Not subscribed",
        }
    }

    /// How a share that is answered so is counted.
    #[must_use]
    pub fn counted(self) -> Uncounted {
        match self {
            Self::Stale => Uncounted::Stale,
            reject => Uncounted::Rejected(reject.reason()),
        }
    }

    /// What shares are counted under.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::TimeRange => "ntime",
            Self::VersionBits => "version",
            Self::BudgetSpent => "budget",
            Self::TooManyShares => "too-many",
            Self::UnknownMethod | Self::NoTransactions => "other",
            Self::JobNotFound => "unknown-job",
            Self::Stale => "stale",
            Self::Duplicate => "duplicate",
            Self::LowDifficulty => "low-difficulty",
            Self::Unauthorised => "unauthorised",
            Self::NotSubscribed => "not-subscribed",
        }
    }
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(default)]
    id: Id,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(default)]
    params: Value,
}

/// Reads a line, its end left out.
///
/// # Errors
///
/// If it is no message.
pub fn parse(line: &[u8]) -> Result<Request, LineError> {
    if is_http(line) {
        return Err(LineError::Http);
    }
    let not_a_message = |why: &str| LineError::NotAMessage(why.into());
    // A user or a password of a client written in C may be anything, also no UTF-8.
    let line = String::from_utf8_lossy(line);
    if !line.trim_start().starts_with('{') {
        return Err(not_a_message("not an object"));
    }
    let wire: Wire<'_> =
        serde_json::from_str(&line).map_err(|error| not_a_message(&error.to_string()))?;
    if let Id::Bool(_) = wire.id {
        return Err(not_a_message("an id that is neither number nor text"));
    }
    let params = match wire.params {
        Value::Array(params) => params,
        _ => Vec::new(),
    };
    let call = wire.method.map_or(Call::Answer, |method| call(&method, &params));
    Ok(Request { id: wire.id, call })
}

fn is_http(line: &[u8]) -> bool {
    let is_of = |method: &&[u8]| line.starts_with(method);
    let methods: [&[u8]; 6] = [b"GET ", b"POST ", b"HEAD ", b"PUT ", b"OPTIONS ", b"CONNECT "];
    methods.iter().any(is_of) && line.windows(6).any(|part| part == b" HTTP/")
}

fn call(method: &str, params: &[Value]) -> Call {
    match method {
        "mining.subscribe" => Call::Subscribe {
            session: params
                .get(1)
                .and_then(Value::as_str)
                .filter(|text| text.len() == 8)
                .and_then(hex32),
        },
        "mining.configure" => Call::Configure(configure(params)),
        "mining.submit" => Call::Submit(submit(params)),
        "mining.suggest_difficulty" => Call::Suggest(params.first().and_then(asked)),
        "mining.suggest_target" => Call::Suggest(params.first().and_then(target)),
        "mining.extranonce.subscribe" => Call::ExtranonceSubscribe,
        "mining.get_transactions" | "mining.get_txnhashes" => Call::Transactions,
        "mining.ping" => Call::Ping,
        "pong" => Call::Answer,
        _ if method.starts_with("mining.auth") => {
            Call::Authorize { user: text(params.first()), password: text(params.get(1)) }
        }
        // The method form, `mining.suggest_difficulty(0.1)`.
        _ => match method.strip_prefix("mining.suggest_difficulty(") {
            Some(rest) => Call::Suggest(rest.strip_suffix(')').and_then(parse_difficulty)),
            None => Call::Unknown,
        },
    }
}

fn text(param: Option<&Value>) -> String {
    param.and_then(Value::as_str).unwrap_or_default().chars().take(NAME_CHARS_MAX).collect()
}

/// A number, or a text that is one (cpuminer-opt).
fn asked(param: &Value) -> Option<Difficulty> {
    match param {
        Value::Number(number) => Difficulty::at_least(number.as_f64()?),
        Value::String(text) => parse_difficulty(text),
        _ => None,
    }
}

fn parse_difficulty(text: &str) -> Option<Difficulty> {
    Difficulty::at_least(text.trim().parse().ok()?)
}

/// A target, most significant digit first (BFGMiner).
fn target(param: &Value) -> Option<Difficulty> {
    let target: Target = param.as_str()?.parse().ok()?;
    Difficulty::at_least(difficulty::of_target(&target))
}

/// The difficulty that a password asks for: `d=` or `diff=` at its start or after a comma.
#[must_use]
pub fn difficulty_of_password(password: &str) -> Option<Difficulty> {
    let value = |part: &str| {
        let part = part.trim();
        part.strip_prefix("d=").or_else(|| part.strip_prefix("diff=")).and_then(parse_difficulty)
    };
    password.split([',', ';']).find_map(value)
}

/// Up to eight hex digits in either case. NerdMiner leaves leading zeros out.
fn hex32(text: &str) -> Option<u32> {
    let is_hex = (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { u32::from_str_radix(text, 16).ok() } else { None }
}

fn submit(params: &[Value]) -> Result<Submit, Reject> {
    let field = |index: usize, missing| params.get(index).and_then(Value::as_str).ok_or(missing);
    let number = |index, bad| hex32(field(index, bad)?).ok_or(bad);
    let extranonce2 = field(2, Reject::Malformed("extranonce2 is missing"))?;
    let mut bytes = [0; EXTRANONCE2_BYTES];
    hex::decode_to_slice(extranonce2, &mut bytes)
        .map_err(|_| Reject::Malformed("extranonce2 is not 8 hex digits"))?;
    let version_bits = match params.get(5) {
        None | Some(Value::Null) => None,
        Some(_) => Some(number(5, Reject::Malformed("version bits are not hex"))?),
    };
    Ok(Submit {
        worker: text(params.first()),
        job: hex32(field(1, Reject::Malformed("the job id is missing"))?),
        extranonce2: bytes,
        time: number(3, Reject::Malformed("ntime is not hex"))?,
        nonce: number(4, Reject::Malformed("nonce is not hex"))?,
        version_bits,
    })
}

/// Extensions that are named back to a client at most.
const EXTENSIONS_MAX: usize = 16;

fn configure(params: &[Value]) -> Configure {
    let mut configure = Configure::default();
    let names = params.first().and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let option = |name: &str| params.get(1).and_then(|options| options.get(name));
    for name in names.iter().filter_map(Value::as_str).take(EXTENSIONS_MAX) {
        match name {
            "version-rolling" => {
                let mask = option("version-rolling.mask").and_then(Value::as_str);
                let mask = mask.map(|mask| mask.strip_prefix("0x").unwrap_or(mask));
                configure.version_rolling = Some(mask.and_then(hex32).unwrap_or(u32::MAX));
            }
            "minimum-difficulty" => {
                let value = option("minimum-difficulty.value").and_then(asked);
                configure.minimum_difficulty = Some(value);
            }
            "subscribe-extranonce" => configure.subscribe_extranonce = true,
            _ => configure.unknown.push(name.chars().take(64).collect()),
        }
    }
    configure
}

/// Writes messages behind one another, each a line.
#[derive(Debug)]
pub struct Writer<'a>(pub &'a mut Vec<u8>);

impl Writer<'_> {
    /// `result` is JSON.
    pub fn result(&mut self, id: &Id, result: &str) {
        self.reply(id, result, "null");
    }

    /// A refusal.
    pub fn reject(&mut self, id: &Id, reject: Reject) {
        self.error(id, reject.code(), reject.words());
    }

    /// A refusal in other words.
    pub fn error(&mut self, id: &Id, code: u8, words: &str) {
        self.reply(id, "null", &format!("[{code},{},null]", quoted(words)));
    }

    /// The answer to `mining.subscribe`; the session's id is its extranonce.
    pub fn subscribed(&mut self, id: &Id, extranonce1: [u8; 4]) {
        let en1 = hex::encode(extranonce1);
        self.result(
            id,
            &format!(
                "[[[\"mining.set_difficulty\",\"{en1}\"],[\"mining.notify\",\"{en1}\"]],\
                 \"{en1}\",{EXTRANONCE2_BYTES}]"
            ),
        );
    }

    /// The answer to `mining.configure`; `mask` is what was agreed on.
    pub fn configured(&mut self, id: &Id, asked: &Configure, mask: u32) {
        let mut parts = Vec::new();
        if asked.version_rolling.is_some() {
            parts.push("\"version-rolling\":true".into());
            parts.push(format!("\"version-rolling.mask\":\"{mask:08x}\""));
        }
        if let Some(minimum) = asked.minimum_difficulty {
            parts.push(format!("\"minimum-difficulty\":{}", minimum.is_some()));
        }
        if asked.subscribe_extranonce {
            parts.push("\"subscribe-extranonce\":true".into());
        }
        parts.extend(asked.unknown.iter().map(|name| format!("{}:false", quoted(name))));
        self.result(id, &format!("{{{}}}", parts.join(",")));
    }

    /// `mining.set_difficulty`.
    pub fn set_difficulty(&mut self, difficulty: Difficulty) {
        self.push(&format!(
            "{{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[{difficulty}]}}\n"
        ));
    }

    /// `client.show_message`: for the client's log.
    pub fn show_message(&mut self, words: &str) {
        let words = quoted(words);
        self.push(&format!(
            "{{\"id\":null,\"method\":\"client.show_message\",\"params\":[{words}]}}\n"
        ));
    }

    /// `client.reconnect` to where the client is: cgminer would refuse another host.
    pub fn reconnect(&mut self) {
        self.push("{\"id\":null,\"method\":\"client.reconnect\",\"params\":[]}\n");
    }

    /// What a browser is told.
    pub fn http(&mut self) {
        const TEXT: &str = "This port speaks stratum, the language of miners.\n";
        self.push(&format!(
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{TEXT}",
            TEXT.len()
        ));
    }

    fn reply(&mut self, id: &Id, result: &str, error: &str) {
        if *id == Id::Null {
            return;
        }
        let id = serde_json::to_string(id).expect("an id is JSON");
        self.push(&format!("{{\"id\":{id},\"result\":{result},\"error\":{error}}}\n"));
    }

    fn push(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }
}

/// The bits that a client may roll: BIP320's, of those that it asked for.
#[must_use]
pub fn agreed_mask(asked: u32) -> u32 {
    asked & VERSION_ROLLING_MASK
}

/// As a JSON text.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Eight hex digits.
pub(super) fn push_hex32(out: &mut String, number: u32) {
    write!(out, "{number:08x}").expect("a string takes everything");
}
