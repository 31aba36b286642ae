//! The lines of Stratum V1 as a client reads and writes them. Foreign lines are taken as tolerantly as
//! they can be understood in one way only; ours are as strict as the strictest server wants them.

use serde::Serialize;
use serde_json::{Value, json};

use crate::node::call_id::Id;
use crate::node::difficulty::Difficulty;
use crate::primitives::limits::{DIGEST_BYTES, VERSION_ROLLING_MASK};
use crate::primitives::{BlockHash, CompactTarget, Digest};

/// Levels of a merkle tree that a job may have: more transactions than any block.
const BRANCH_MAX: usize = 32;
/// Widths of an extranonce2 that can be served.
pub const EXTRANONCE2_BYTES: std::ops::RangeInclusive<usize> = 1..=16;
/// Bytes of an extranonce1 that can be served.
const EXTRANONCE1_BYTES_MAX: usize = 32;
/// Characters of a job's name; they are sent back with every share.
const JOB_NAME_CHARS_MAX: usize = 256;
/// Characters of a server's words that are repeated to people.
const WORDS_CHARS_MAX: usize = 200;

/// A line of a server.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// An answer to a request of ours, by its number.
    Answer {
        /// The number, if it is one.
        id: Option<u64>,
        /// What was asked for, or the reason why not.
        result: Result<Value, Refusal>,
    },
    /// `mining.notify`.
    Notify(Box<Notify>),
    /// `mining.set_difficulty`.
    SetDifficulty(f64),
    /// `mining.set_extranonce`.
    SetExtranonce(Extranonce),
    /// `mining.set_version_mask`.
    SetVersionMask(u32),
    /// `client.reconnect`, with host, port and seconds to wait where it names them.
    Reconnect {
        /// Host and port.
        address: Option<(String, u16)>,
        /// Seconds.
        wait: u64,
    },
    /// `client.show_message`.
    ShowMessage(String),
    /// A question: its id, to be repeated, and its method.
    Question {
        /// Not null.
        id: Id,
        /// The method.
        method: String,
    },
    /// A notification that means nothing to a miner.
    Unknown(String),
}

/// Why a server refuses something: `[code, words, ...]`, an object of both, or words alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code, if there is one.
    pub code: Option<i64>,
    /// Its words, cut to a length that can be shown.
    pub words: String,
}

/// A job as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// The server's name for it: any text.
    pub job: String,
    /// The parent.
    pub prev_block: BlockHash,
    /// The coinbase before the extranonces.
    pub prefix: Vec<u8>,
    /// The coinbase after them.
    pub suffix: Vec<u8>,
    /// The siblings on the way to the root.
    pub branch: Vec<Digest>,
    /// Version of the header.
    pub version: u32,
    /// nBits of the header.
    pub bits: CompactTarget,
    /// Time of the header.
    pub time: u32,
    /// Whether jobs before it are worthless.
    pub is_clean: bool,
}

/// Which part of the coinbase is the server's, and how wide ours is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extranonce {
    /// The server's part.
    pub first: Vec<u8>,
    /// Bytes of ours.
    pub second_bytes: usize,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("{method}: {what}")]
pub struct LineError {
    /// The method, or "line".
    pub method: String,
    /// What is wrong.
    pub what: &'static str,
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// If it is no JSON object, or a message whose parameters a miner must understand and cannot.
    pub fn parse(text: &str) -> Result<Self, LineError> {
        let wrong = |what| LineError { method: "line".into(), what };
        let value: Value = serde_json::from_str(text).map_err(|_| wrong("not JSON"))?;
        let line = value.as_object().ok_or_else(|| wrong("not a JSON object"))?;
        let id = line.get("id").unwrap_or(&Value::Null);
        let Some(method) = line.get("method").filter(|method| !method.is_null()) else {
            return Ok(answer(id, line.get("result"), line.get("error")));
        };
        let method = method.as_str().ok_or_else(|| wrong("the method is no text"))?;
        let params = line.get("params").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let read = match method {
            "mining.notify" => Notify::read(params).map(|notify| Self::Notify(Box::new(notify))),
            "mining.set_difficulty" => number(params.first())
                .map(Self::SetDifficulty)
                .ok_or("expected a difficulty above zero"),
            "mining.set_extranonce" => {
                Extranonce::read(params.first(), params.get(1)).map(Self::SetExtranonce)
            }
            "mining.set_version_mask" => {
                mask(params.first()).map(Self::SetVersionMask).ok_or("expected a mask in hex")
            }
            "client.reconnect" => Ok(reconnect(params)),
            "client.show_message" => {
                Ok(Self::ShowMessage(words(params.first().unwrap_or(&Value::Null))))
            }
            _ if id.is_null() => Ok(Self::Unknown(shorten(method))),
            _ => Id::of_call(text)
                .map(|id| Self::Question { id, method: method.to_owned() })
                .ok_or("expected a number or a text as id"),
        };
        read.map_err(|what| LineError { method: shorten(method), what })
    }
}

/// An answer is a refusal if it says why, or if there is nothing in it.
fn answer(id: &Value, result: Option<&Value>, error: Option<&Value>) -> Line {
    let id = id.as_u64().or_else(|| id.as_str()?.parse().ok());
    let result = match (error.filter(|error| !error.is_null()), result) {
        (Some(error), _) => Err(Refusal::read(error)),
        (None, Some(result)) => Ok(result.clone()),
        (None, None) => Err(Refusal { code: None, words: "an answer without a result".into() }),
    };
    Line::Answer { id, result }
}

impl Refusal {
    fn read(error: &Value) -> Self {
        let (code, message) = match error {
            Value::Array(list) => (list.first(), list.get(1)),
            Value::Object(object) => (object.get("code"), object.get("message")),
            other => (None, Some(other)),
        };
        let code = code.and_then(Value::as_i64);
        let words = message.map_or_else(|| words(error), words);
        Self { code, words }
    }

    /// Whether the share came too late rather than wrong (codes of the first server, stratum-mining: 21
    /// is "job not found").
    #[must_use]
    pub fn is_stale(&self) -> bool {
        let words = self.words.to_ascii_lowercase();
        self.code == Some(21) || words.contains("stale") || words.contains("job not found")
    }

    /// The reason for people: the server's words, and what its code means if they do not say it.
    #[must_use]
    pub fn explained(&self) -> String {
        let meaning = match self.code {
            Some(21) => "the job is gone",
            Some(22) => "the share was submitted before",
            Some(23) => "the hash is above the share target",
            Some(24) => "the user is not authorized",
            Some(25) => "not subscribed",
            _ => "",
        };
        match (meaning, self.words.is_empty()) {
            ("", true) => "refused without a reason".to_owned(),
            ("", false) => self.words.clone(),
            (meaning, true) => meaning.to_owned(),
            (meaning, false) => format!("{} ({meaning})", self.words),
        }
    }
}

impl Notify {
    fn read(params: &[Value]) -> Result<Self, &'static str> {
        // ESP-Miner and others take the last parameter as the flag; nobody sends more than nine.
        let [job, prev, prefix, suffix, branch, version, bits, time, ..] = params else {
            return Err("expected nine parameters");
        };
        let job = match job {
            Value::String(job) if job.chars().count() <= JOB_NAME_CHARS_MAX => job.clone(),
            _ => return Err("expected a short text as the name of the job"),
        };
        let mut prev_block: Digest = digest(prev).ok_or("expected 64 hex digits of the parent")?;
        prev_block.chunks_exact_mut(4).for_each(<[u8]>::reverse);
        let branch = branch.as_array().ok_or("expected a list as merkle branch")?;
        if branch.len() > BRANCH_MAX {
            return Err("the merkle branch is too long");
        }
        let branch: Option<Vec<Digest>> = branch.iter().map(digest).collect();
        Ok(Self {
            job,
            prev_block: BlockHash(prev_block),
            prefix: bytes(prefix).ok_or("expected hex before the extranonce")?,
            suffix: bytes(suffix).ok_or("expected hex after the extranonce")?,
            branch: branch.ok_or("expected 64 hex digits a sibling")?,
            version: word(version).ok_or("expected a version in hex")?,
            bits: CompactTarget(word(bits).ok_or("expected nBits in hex")?),
            time: word(time).ok_or("expected a time in hex")?,
            is_clean: params.get(8).and_then(Value::as_bool).unwrap_or(true),
        })
    }
}

impl Extranonce {
    /// From the result of `mining.subscribe`: `[subscriptions, extranonce1, bytes of extranonce2]`, and the
    /// name of the session if the subscriptions have one.
    pub(super) fn subscribed(result: &Value) -> Result<(Self, Option<String>), &'static str> {
        let list = result.as_array().ok_or("expected a list")?;
        let extranonce = Self::read(list.get(1), list.get(2))?;
        // [["mining.notify", session], ...], or ["mining.notify", session] alone.
        let subscriptions = list.first().and_then(Value::as_array);
        let pairs = subscriptions.into_iter().flatten().filter_map(Value::as_array);
        let mut pairs = pairs.chain(subscriptions);
        let is_notify =
            |pair: &&Vec<Value>| pair.first().is_some_and(|name| name == "mining.notify");
        let session = pairs.find(is_notify).and_then(|pair| pair.get(1)?.as_str());
        Ok((extranonce, session.map(str::to_owned)))
    }

    fn read(first: Option<&Value>, second: Option<&Value>) -> Result<Self, &'static str> {
        let first = first.and_then(bytes).filter(|first| first.len() <= EXTRANONCE1_BYTES_MAX);
        let second = second.and_then(Value::as_u64).and_then(|bytes| usize::try_from(bytes).ok());
        Ok(Self {
            first: first.ok_or("expected an extranonce1 of at most 32 bytes in hex")?,
            second_bytes: second
                .filter(|bytes| EXTRANONCE2_BYTES.contains(bytes))
                .ok_or("expected an extranonce2 of 1 to 16 bytes")?,
        })
    }
}

/// The mask that `mining.configure` granted, in an answer that may be `{}`, `false` or anything else.
pub(super) fn granted_mask(result: &Value) -> Option<u32> {
    let is_granted = result.get("version-rolling").is_some_and(|granted| granted == true);
    let granted = mask(result.get("version-rolling.mask"))?;
    // Bits beyond what we asked for were never ours to roll.
    let granted = granted & VERSION_ROLLING_MASK;
    (is_granted && granted != 0).then_some(granted)
}

fn reconnect(params: &[Value]) -> Line {
    let port = |value: &Value| match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64().and_then(|port| u16::try_from(port).ok()),
    };
    let host = params.first().and_then(Value::as_str).filter(|host| !host.is_empty());
    let port = params.get(1).and_then(port).filter(|port| *port != 0);
    let wait = params.get(2).and_then(|wait| wait.as_u64().or_else(|| wait.as_str()?.parse().ok()));
    Line::Reconnect { address: host.map(str::to_owned).zip(port), wait: wait.unwrap_or(0) }
}

/// A number above zero, also as text.
fn number(value: Option<&Value>) -> Option<f64> {
    let value = value?;
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    (number > 0.0 && number.is_finite()).then_some(number)
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    hex::decode(value.as_str()?).ok()
}

fn digest(value: &Value) -> Option<Digest> {
    let mut digest = [0; DIGEST_BYTES];
    hex::decode_to_slice(value.as_str()?, &mut digest).ok().map(|()| digest)
}

/// 1 to 8 hex digits: some servers do not pad.
fn word(value: &Value) -> Option<u32> {
    let text = value.as_str()?;
    let is_hex = (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

/// A word that may begin with `0x`.
fn mask(value: Option<&Value>) -> Option<u32> {
    let text = value?.as_str()?;
    word(&Value::from(text.trim_start_matches("0x")))
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => shorten(text),
        other => shorten(&other.to_string()),
    }
}

/// Cut, and without characters that move the cursor.
pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(WORDS_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What we say.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ask<'a> {
    Configure { mask: u32 },
    Subscribe { agent: &'a str, session: Option<&'a str> },
    Authorize { user: &'a str, pass: &'a str },
    SuggestDifficulty(Difficulty),
    Submit { user: &'a str, share: &'a Submission },
}

/// A share as it is submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Submission {
    pub(super) job: String,
    pub(super) extranonce2: Vec<u8>,
    pub(super) time: u32,
    pub(super) nonce: u32,
    /// Where version rolling was granted, rolled or not.
    pub(super) version_bits: Option<u32>,
}

impl Ask<'_> {
    /// The line, without its line feed.
    pub(super) fn line(self, id: u64) -> String {
        let (method, params) = match self {
            Self::Configure { mask } => (
                "mining.configure",
                json!([["version-rolling"], {
                    "version-rolling.mask": format!("{mask:08x}"),
                    "version-rolling.min-bit-count": 2,
                }]),
            ),
            Self::Subscribe { agent, session: None } => ("mining.subscribe", json!([agent])),
            Self::Subscribe { agent, session } => ("mining.subscribe", json!([agent, session])),
            Self::Authorize { user, pass } => ("mining.authorize", json!([user, pass])),
            Self::SuggestDifficulty(difficulty) => {
                ("mining.suggest_difficulty", json!([difficulty.value()]))
            }
            Self::Submit { user, share } => {
                let mut params = vec![
                    json!(user),
                    json!(share.job),
                    json!(hex::encode(&share.extranonce2)),
                    json!(format!("{:08x}", share.time)),
                    json!(format!("{:08x}", share.nonce)),
                ];
                params.extend(share.version_bits.map(|bits| json!(format!("{bits:08x}"))));
                ("mining.submit", Value::Array(params))
            }
        };
        json!({ "id": id, "method": method, "params": params }).to_string()
    }
}

/// An answer to a question of the server.
pub(super) fn reply(id: &Id, result: Result<&str, &str>) -> String {
    #[derive(Serialize)]
    struct Reply<'a> {
        id: &'a Id,
        result: Option<&'a str>,
        error: Option<(u8, &'a str, ())>,
    }
    let error = result.err().map(|words| (20, words, ()));
    let reply = Reply { id, result: result.ok(), error };
    serde_json::to_string(&reply).expect("texts and an id are JSON")
}
