//! The envelope of calls and answers: JSON-RPC as Bitcoin's miners and pools speak it. Most say `"1.0"` or
//! nothing for the version and read `result`, `error` and `id` of every answer; who says `"2.0"` gets what
//! that asks for. What a method means stands elsewhere.

use std::cell::LazyCell;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::node::call_id::Id;

use super::json;

/// Calls in a batch.
pub const BATCH_MAX: usize = 1000;
/// Bytes of a call's id, which is sent back.
const ID_BYTES_MAX: usize = 256;
/// Bytes of a method's name.
const NAME_BYTES_MAX: usize = 64;

/// The codes of Bitcoin Core's `rpc/protocol.h` that are used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The body is no JSON.
    Parse = -32_700,
    /// No call.
    InvalidRequest = -32_600,
    /// No such method.
    MethodNotFound = -32_601,
    /// The node failed, or stops.
    Internal = -32_603,
    /// Anything else; the answer to a call without its parameters, which pools probe for.
    Misc = -1,
    /// A parameter of another type.
    Type = -3,
    /// No such block.
    NotFound = -5,
    /// A parameter that means nothing.
    InvalidParameter = -8,
    /// Bytes that do not decode.
    Deserialization = -22,
    /// Refused by a rule.
    Rejected = -26,
    /// Mined already.
    InChain = -27,
}

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RpcError {
    /// For programs.
    pub code: Code,
    /// For people.
    pub message: String,
}

impl RpcError {
    /// With a message of one sentence, no full stop.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn to_json(&self) -> Value {
        json!({"code": self.code as i32, "message": self.message})
    }
}

/// What a method answers.
pub type Answer = Result<Value, RpcError>;

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The method's name.
    pub method: String,
    /// An array, or an object by name; empty if there were none.
    pub params: Value,
    /// How to answer.
    pub return_to: ReturnTo,
}

/// Where an answer goes.
#[derive(Debug, Clone, PartialEq)]
pub struct ReturnTo {
    id: Id,
    is_version_2: bool,
    /// Nobody waits for it.
    pub is_notification: bool,
}

impl ReturnTo {
    /// For what is too broken to have an id.
    fn nobody() -> Self {
        Self { id: Id::Null, is_version_2: false, is_notification: false }
    }

    /// The answer as it is sent.
    #[must_use]
    pub fn wrap(self, answer: Answer) -> Wrapped {
        // minerd takes any `error` but null for a failure, and reads `result` in any case.
        let (result, error) = match answer {
            Ok(result) => (result, Value::Null),
            Err(error) => (Value::Null, error.to_json()),
        };
        let is_failure = !error.is_null();
        Wrapped {
            error: (!self.is_version_2 || is_failure).then_some(error),
            id: self.id,
            jsonrpc: self.is_version_2.then_some("2.0"),
            result: (!self.is_version_2 || !is_failure).then_some(result),
        }
    }
}

/// An answer in its envelope.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Wrapped {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    jsonrpc: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
}

/// A call, or the answer to what is none.
pub type Read = Result<Call, (ReturnTo, RpcError)>;

/// What a body holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// One call.
    One(Read),
    /// An array of them, answered by an array in the same order.
    Batch(Vec<Read>),
}

/// Reads a body.
#[must_use]
pub fn read(body: &[u8]) -> Body {
    let refuse =
        |code, message: String| Body::One(Err((ReturnTo::nobody(), RpcError::new(code, message))));
    match json::parse(body) {
        Err(error) => refuse(Code::Parse, format!("no JSON: {error}")),
        Ok(Value::Array(calls)) if calls.len() > BATCH_MAX => {
            let message = format!("a batch of {}, at most {BATCH_MAX} calls", calls.len());
            refuse(Code::InvalidRequest, message)
        }
        Ok(Value::Array(calls)) if calls.is_empty() => {
            refuse(Code::InvalidRequest, "a batch without a call".into())
        }
        Ok(Value::Array(calls)) => {
            let texts = LazyCell::new(|| {
                serde_json::from_slice::<Vec<&RawValue>>(body).expect("an array that was just read")
            });
            let calls = calls.into_iter().enumerate();
            Body::Batch(calls.map(|(at, value)| call(value, || texts[at].get())).collect())
        }
        Ok(value) => {
            let text = || str::from_utf8(body).expect("JSON that was just read");
            Body::One(call(value, text))
        }
    }
}

/// Reads a call; `text` is what it was read from.
fn call<'a>(value: Value, text: impl FnOnce() -> &'a str) -> Read {
    let invalid = |return_to: &ReturnTo, message: &str| {
        let return_to = ReturnTo { is_notification: false, ..return_to.clone() };
        Err((return_to, RpcError::new(Code::InvalidRequest, message)))
    };
    let mut return_to = ReturnTo::nobody();
    let Value::Object(mut fields) = value else {
        return invalid(&return_to, "a call is an object");
    };
    return_to.is_version_2 = fields.get("jsonrpc").is_some_and(|version| version == "2.0");
    let id = fields.remove("id");
    return_to.is_notification = return_to.is_version_2 && id.is_none();
    let id = match id.unwrap_or(Value::Null) {
        Value::Null => Id::Null,
        Value::String(id) => Id::Text(id),
        // Its digits are in the text alone, which is read once more for such a rare one.
        Value::Number(number) if number.is_f64() => Id::of_call(text()).unwrap_or_default(),
        Value::Number(number) => Id::Number(number.to_string().into()),
        // Some number their calls with what they like; it costs nothing to send a small one back.
        Value::Bool(id) => Id::Bool(id),
        Value::Array(_) | Value::Object(_) => {
            return invalid(&return_to, "an id is a number, a string or null");
        }
    };
    match &id {
        Id::Text(text) if text.len() > ID_BYTES_MAX => {
            return invalid(&return_to, "an id of more than 256 bytes");
        }
        Id::Number(digits) if digits.len() > ID_BYTES_MAX => {
            return invalid(&return_to, "an id of more than 256 digits");
        }
        _ => return_to.id = id,
    }
    let method = match fields.remove("method") {
        Some(Value::String(method)) if method.len() <= NAME_BYTES_MAX => method,
        Some(Value::String(_)) => {
            return invalid(&return_to, "a method's name of more than 64 bytes");
        }
        Some(_) => return invalid(&return_to, "a method is a string"),
        None => return invalid(&return_to, "a call names a method"),
    };
    let params = match fields.remove("params") {
        None | Some(Value::Null) => Value::Array(Vec::new()),
        Some(params @ (Value::Array(_) | Value::Object(_))) => params,
        Some(_) => return invalid(&return_to, "params are an array or an object"),
    };
    Ok(Call { method, params, return_to })
}
