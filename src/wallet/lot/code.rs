//! The code on a package, as a GS1 Digital Link (GS1 standard 1.x, uncompressed): a web address that any
//! scanner reads, whose path names the product and its batch or serial number. Two parameters of ours
//! make it open what the chain holds: the salt of the commitment, and the lot that the package is.
//!
//! ```text
//! https://id.gs1.org/01/09506000134352/10/A-17?salt=<32 hex digits>&lot=<64 hex digits>
//! ```
//!
//! On the chain a lot's name is tagged("lot-code", salt || path || tag key): who does not see the package
//! learns neither product nor number from it. The class of goods is tagged("lot-class", GTIN), the same
//! for all lots of a product, so that lots of one product can be packed: whoever tries every product code
//! finds out which one it is.

use std::fmt;
use std::str::FromStr;

use crate::hash::tagged::Tag;
use crate::ledger::signature::PubKey;
use crate::ledger::transaction::lot::Step;
use crate::ledger::transaction::{LotId, Move};
use crate::primitives::BlockHash;
use crate::wallet::NoEntropy;
use crate::wallet::secret::fill_random;

/// Characters of a code.
pub const CODE_CHARS_MAX: usize = 512;
/// Where addresses begin: the resolver of GS1 itself. Any other host is read too.
const BASE: &str = "https://id.gs1.org";
const GTIN_DIGITS: usize = 14;
/// Characters of a batch or serial number (GS1 General Specifications, AI 10 and 21).
const NUMBER_CHARS_MAX: usize = 20;

const CODE_TAG: Tag = Tag::new("lot-code");
const CLASS_TAG: Tag = Tag::new("lot-class");
const TAG_TAG: Tag = Tag::new("lot-tag");

/// A product code: 14 digits, the last a check digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gtin([u8; GTIN_DIGITS]);

/// A batch or serial number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(String);

/// What of a product it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// All that were made together (AI 10).
    Batch(Number),
    /// A single one (AI 21).
    Serial(Number),
}

/// What stands on a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotCode {
    gtin: Gtin,
    unit: Unit,
    /// Hides product and number on the chain.
    salt: [u8; 16],
    /// The key that the package can sign with, if it can.
    pub tag: Option<PubKey>,
    /// The lot that the package is: as it was made, or one that came of it.
    pub lot: LotId,
}

/// Why a text is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// Over [`CODE_CHARS_MAX`].
    #[error("code of {0} characters, at most {CODE_CHARS_MAX}")]
    TooLong(usize),
    /// Not this kind of address.
    #[error("not a GS1 Digital Link: expected https://HOST/01/GTIN/10/BATCH or .../21/SERIAL")]
    Shape,
    /// No product code.
    #[error("product code {0:?}: expected 8, 12, 13 or 14 digits, the last a right check digit")]
    Gtin(String),
    /// No batch or serial number.
    #[error("number {0:?}: expected 1 to 20 characters of GS1's set")]
    Number(String),
    /// A parameter of ours is missing or odd.
    #[error("{0}: missing, twice, or not so many hex digits")]
    Parameter(&'static str),
}

impl FromStr for Gtin {
    type Err = CodeError;

    /// Shorter ones are the same with zeros before.
    fn from_str(text: &str) -> Result<Self, CodeError> {
        let refuse = || CodeError::Gtin(text.chars().take(20).collect());
        let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits || ![8, 12, 13, 14].contains(&text.len()) {
            return Err(refuse());
        }
        let mut digits = [b'0'; GTIN_DIGITS];
        digits[GTIN_DIGITS - text.len()..].copy_from_slice(text.as_bytes());
        // Weights 3 and 1 in turn, from the left; the check digit makes the sum a multiple of ten.
        let weighed = digits
            .iter()
            .enumerate()
            .map(|(at, digit)| u32::from(digit - b'0') * if at % 2 == 0 { 3 } else { 1 });
        if weighed.sum::<u32>() % 10 != 0 {
            return Err(refuse());
        }
        Ok(Self(digits))
    }
}

impl fmt::Display for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{}", char::from(*digit)))
    }
}

impl FromStr for Number {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        // GS1's set of 82 characters that may stand in a number.
        let is_character =
            |c: char| c.is_ascii_alphanumeric() || "!\"%&'()*+,-./_:;<=>?".contains(c);
        if !(1..=NUMBER_CHARS_MAX).contains(&text.len()) || !text.chars().all(is_character) {
            return Err(CodeError::Number(text.chars().take(NUMBER_CHARS_MAX).collect()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Unit {
    /// Its application identifier and its number.
    fn parts(&self) -> (&'static str, &Number) {
        match self {
            Self::Batch(number) => ("10", number),
            Self::Serial(number) => ("21", number),
        }
    }
}

impl LotCode {
    /// Of goods about to be made, under a fresh salt: the name of the lot on the chain follows from it.
    /// The lot itself is not known before its maker is: see [`LotCode::of_lot`].
    ///
    /// # Errors
    ///
    /// If the product code is none, or the system gives no random bytes.
    pub fn new(gtin: &str, unit: Unit, tag: Option<PubKey>) -> Result<Self, NewCodeError> {
        let mut salt = [0; 16];
        fill_random(&mut salt)?;
        Ok(Self { gtin: gtin.parse()?, unit, salt, tag, lot: LotId([0; 32]) })
    }

    /// The same on a package that is this lot.
    #[must_use]
    pub fn of_lot(&self, lot: LotId) -> Self {
        Self { lot, ..self.clone() }
    }

    /// The product code, 14 digits.
    #[must_use]
    pub fn gtin(&self) -> String {
        self.gtin.to_string()
    }

    /// Batch or serial number.
    #[must_use]
    pub fn unit(&self) -> &Unit {
        &self.unit
    }

    /// The name under which a maker makes the lot.
    #[must_use]
    pub fn id(&self) -> [u8; 32] {
        let path = self.path();
        let mut hash = CODE_TAG.start();
        // The salt has a fixed length, and the key is there or not by the length of what follows the path.
        hash.update(&self.salt);
        hash.update(&[u8::try_from(path.len()).expect("a short path"), self.tag.is_some().into()]);
        hash.update(path.as_bytes());
        if let Some(tag) = &self.tag {
            hash.update(&tag.0);
        }
        hash.finish()
    }

    /// The class of goods on the chain.
    #[must_use]
    pub fn class(&self) -> [u8; 32] {
        CLASS_TAG.hash(&self.gtin.0)
    }

    /// Whether a move made what this code names.
    #[must_use]
    pub fn opens(&self, body: &Move) -> bool {
        matches!(&body.step, Step::Make { id, class, .. }
            if *id == self.id() && *class == self.class())
    }

    fn path(&self) -> String {
        let (identifier, number) = self.unit.parts();
        format!("/01/{}/{identifier}/{}", self.gtin, escaped(&number.0))
    }
}

/// Why there is no new code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NewCodeError {
    /// A number is none.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// The system gives no random bytes.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

impl fmt::Display for LotCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{BASE}{}?salt={}&lot={}", self.path(), hex::encode(self.salt), self.lot)?;
        self.tag.iter().try_for_each(|tag| write!(f, "&tag={tag}"))
    }
}

impl FromStr for LotCode {
    type Err = CodeError;

    /// Reads the address of any host; other parameters are not ours.
    fn from_str(text: &str) -> Result<Self, CodeError> {
        if text.len() > CODE_CHARS_MAX {
            return Err(CodeError::TooLong(text.len()));
        }
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest = rest.ok_or(CodeError::Shape)?;
        let (address, query) = rest.split_once('?').ok_or(CodeError::Parameter("salt"))?;
        let parts: Vec<&str> = address.split('/').collect();
        let [host, "01", gtin, identifier, number] = parts[..] else {
            return Err(CodeError::Shape);
        };
        if host.is_empty() {
            return Err(CodeError::Shape);
        }
        let number: Number = unescaped(number).ok_or(CodeError::Shape)?.parse()?;
        let unit = match identifier {
            "10" => Unit::Batch(number),
            "21" => Unit::Serial(number),
            _ => return Err(CodeError::Shape),
        };
        let query = query.split('#').next().unwrap_or(query);
        let mut code =
            Self { gtin: gtin.parse()?, unit, salt: [0; 16], tag: None, lot: LotId([0; 32]) };
        parameter(query, "salt", &mut code.salt)?;
        parameter(query, "lot", &mut code.lot.0)?;
        if query.split('&').any(|pair| pair.starts_with("tag=")) {
            let mut tag = [0; 32];
            parameter(query, "tag", &mut tag)?;
            code.tag = Some(PubKey(tag));
        }
        Ok(code)
    }
}

/// A parameter that must be there once, as hex digits.
fn parameter(query: &str, name: &'static str, into: &mut [u8]) -> Result<(), CodeError> {
    let mut found = query.split('&').filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then_some(value)
    });
    match (found.next(), found.next()) {
        (Some(value), None) => {
            hex::decode_to_slice(value, into).map_err(|_| CodeError::Parameter(name))
        }
        _ => Err(CodeError::Parameter(name)),
    }
}

/// Per cent and two digits for everything that is not unreserved (RFC 3986).
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let (digits, after) = rest.split_first_chunk::<2>()?;
            let mut byte = [0];
            hex::decode_to_slice(digits, &mut byte).ok()?;
            bytes.push(byte[0]);
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

/// What a package's key signs to show that it is there now: tagged("lot-tag", genesis hash || block hash
/// || lot), so that no answer serves for another block, lot or chain.
#[must_use]
pub fn tag_message(genesis: &BlockHash, tip: &BlockHash, lot: &LotId) -> [u8; 32] {
    TAG_TAG.start().update(&genesis.0).update(&tip.0).update(&lot.0).finish()
}
