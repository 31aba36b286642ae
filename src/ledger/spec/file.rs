//! A specification as a TOML file: the same fields under readable names. What the file says is checked
//! like any other specification; an unknown key is an error.

use serde::{Deserialize, Serialize};

use super::{KeySet, Spec, SpecError};
use crate::ledger::signature::PubKey;
use crate::primitives::CompactTarget;

/// Bytes of a chain file: names, numbers and two sets of at most 32 keys.
pub const FILE_BYTES_MAX: usize = 64 * 1024;

/// Why a text is no chain file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Over [`FILE_BYTES_MAX`].
    #[error("chain file of {0} bytes, at most {FILE_BYTES_MAX}")]
    TooLarge(usize),
    /// No TOML, or not these fields.
    #[error("chain file: {0}")]
    Toml(String),
    /// A value of the right type that means nothing.
    #[error("chain file: {field}: {got:?} is not {expected}")]
    Value {
        /// Which field.
        field: &'static str,
        /// What it says.
        got: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The fields make no chain.
    #[error("chain file: {0}")]
    Spec(#[from] SpecError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    algorithm: String,
    address_prefix: String,
    spacing_seconds: u32,
    half_life_seconds: u32,
    future_limit_seconds: u32,
    maturity_blocks: u32,
    subsidy_units: u64,
    halving_blocks: u32,
    /// Eight hex digits.
    limit_bits: String,
    start_bits: String,
    genesis_time: u32,
    claim_delay_blocks: u32,
    issuer_k_least: u8,
    anchors: Set,
    #[serde(default)]
    witnesses: Set,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    k: u8,
    /// 64 hex digits each.
    keys: Vec<String>,
}

impl Spec {
    /// Reads a chain file.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it.
    pub fn from_toml(text: &str) -> Result<Self, FileError> {
        if text.len() > FILE_BYTES_MAX {
            return Err(FileError::TooLarge(text.len()));
        }
        let file: File =
            toml::from_str(text).map_err(|error| FileError::Toml(error.message().into()))?;
        let algorithm = file.algorithm.parse().map_err(|_| FileError::Value {
            field: "algorithm",
            got: file.algorithm.clone(),
            expected: "sha256d or blake3",
        })?;
        let spec = Self {
            name: file.name,
            algorithm,
            address_prefix: file.address_prefix,
            spacing_s: file.spacing_seconds,
            half_life_s: file.half_life_seconds,
            future_limit_s: file.future_limit_seconds,
            maturity_blocks: file.maturity_blocks,
            subsidy_units: file.subsidy_units,
            halving_blocks: file.halving_blocks,
            limit: bits("limit_bits", &file.limit_bits)?,
            start: bits("start_bits", &file.start_bits)?,
            genesis_time: file.genesis_time,
            claim_delay_blocks: file.claim_delay_blocks,
            issuer_k_least: file.issuer_k_least,
            anchors: set("anchors", &file.anchors)?,
            witnesses: set("witnesses", &file.witnesses)?,
        };
        Ok(spec.check()?)
    }

    /// The chain file of this specification.
    ///
    /// # Panics
    ///
    /// Never: every field has a TOML form.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let set = |set: &KeySet| Set {
            k: set.k,
            keys: set.keys.iter().map(|key| hex::encode(key.0)).collect(),
        };
        let file = File {
            name: self.name.clone(),
            algorithm: self.algorithm.name().into(),
            address_prefix: self.address_prefix.clone(),
            spacing_seconds: self.spacing_s,
            half_life_seconds: self.half_life_s,
            future_limit_seconds: self.future_limit_s,
            maturity_blocks: self.maturity_blocks,
            subsidy_units: self.subsidy_units,
            halving_blocks: self.halving_blocks,
            limit_bits: self.limit.to_string(),
            start_bits: self.start.to_string(),
            genesis_time: self.genesis_time,
            claim_delay_blocks: self.claim_delay_blocks,
            issuer_k_least: self.issuer_k_least,
            anchors: set(&self.anchors),
            witnesses: set(&self.witnesses),
        };
        toml::to_string(&file).expect("every field has a TOML form")
    }
}

fn bits(field: &'static str, text: &str) -> Result<CompactTarget, FileError> {
    let refuse = || FileError::Value { field, got: text.into(), expected: "eight hex digits" };
    let is_hex = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let value = u32::from_str_radix(text, 16).ok().filter(|_| is_hex);
    value.map(CompactTarget).ok_or_else(refuse)
}

fn set(field: &'static str, set: &Set) -> Result<KeySet, FileError> {
    let keys = set.keys.iter().map(|text| {
        let mut key = [0; 32];
        hex::decode_to_slice(text, &mut key).map_err(|_| FileError::Value {
            field,
            got: text.chars().take(80).collect(),
            expected: "a key of 64 hex digits",
        })?;
        Ok(PubKey(key))
    });
    Ok(KeySet { k: set.k, keys: keys.collect::<Result<_, FileError>>()? })
}
