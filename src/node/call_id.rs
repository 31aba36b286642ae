//! The id of a call in JSON-RPC, as stratum and HTTP have it: what a caller sends is echoed. A number is kept as
//! it was written, since one that 64 bits do not hold (a 128-bit identifier, a long fraction) would come back as
//! another number than the caller waits for.

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

/// The id of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Id {
    /// None, or null.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A number in the caller's spelling.
    Number(Box<str>),
    /// A text.
    Text(String),
}

impl Id {
    /// The id of the call in an object of JSON, whatever else it holds; none if that cannot be an id, or stands there twice.
    #[must_use]
    pub fn of_call(object: &str) -> Option<Self> {
        #[derive(serde::Deserialize)]
        struct Call {
            #[serde(default)]
            id: Id,
        }
        serde_json::from_str(object).ok().map(|Call { id }| id)
    }
}

impl<'de> Deserialize<'de> for Id {
    /// From the text of JSON only.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        match text.as_bytes().first() {
            Some(b'n') => Ok(Self::Null),
            Some(b't' | b'f') => Ok(Self::Bool(text == "true")),
            Some(b'"') => serde_json::from_str(text).map(Self::Text).map_err(D::Error::custom),
            // Its reader has checked the spelling. What no float reaches most parsers would refuse to read back.
            Some(b'-' | b'0'..=b'9') if text.parse().is_ok_and(f64::is_finite) => {
                Ok(Self::Number(text.into()))
            }
            Some(b'-' | b'0'..=b'9') => Err(D::Error::custom("an id out of the range of numbers")),
            _ => Err(D::Error::custom("an id that is neither number nor text")),
        }
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(text) => serde_json::from_str::<&RawValue>(text)
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
        }
    }
}
