//! Addresses: how people, miners and pools write a key. BIP173 bech32 of witness version 0 with the 32
//! bytes of the key, as the coinbase pays it (`0020 || key`), under a prefix for each chain; so software
//! made for Bitcoin's addresses handles ours.

use std::fmt;
use std::str::FromStr;

use bech32::primitives::decode::{
    CharError, CheckedHrpstring, CheckedHrpstringError, UncheckedHrpstringError,
};
use bech32::{Bech32, Hrp, segwit};

use crate::ledger::signature::{KeyError, PubKey};

/// Characters of an address (BIP173).
pub const ADDRESS_CHARS_MAX: usize = 90;
/// Characters of a prefix.
pub const PREFIX_CHARS_MAX: usize = 10;

/// The part of an address before its last `1`: which chain it is of. 1 to 10 characters of a-z and 0-9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prefix {
    chars: [u8; PREFIX_CHARS_MAX],
    len: usize,
}

/// A key on one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address {
    /// The chain.
    pub prefix: Prefix,
    /// The key.
    pub key: PubKey,
}

/// A text is not a prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("address prefix {text:?}: expected 1 to {PREFIX_CHARS_MAX} of a-z and 0-9")]
pub struct PrefixError {
    text: String,
}

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Longer than BIP173 allows.
    #[error("address of {0} bytes, at most {ADDRESS_CHARS_MAX}")]
    TooLong(usize),
    /// No `1` between prefix and key.
    #[error("address without the separator 1")]
    NoSeparator,
    /// A character that bech32 does not use: `1`, `b`, `i`, `o` after the prefix, or anything but
    /// letters and digits.
    #[error("address with the character {0:?}, which no address has there")]
    Character(char),
    /// Upper and lower case in one text.
    #[error("address in mixed case")]
    MixedCase,
    /// Something was mistyped.
    #[error("address checksum does not match: one or more characters are wrong")]
    Checksum,
    /// A well-formed address that is not witness version 0 with 32 bytes.
    #[error("address names no Ed25519 key: expected witness version 0 with 32 bytes")]
    NotAKey,
    /// The prefix is none of ours.
    #[error(transparent)]
    Prefix(#[from] PrefixError),
    /// The key may not stand in a key field.
    #[error("address: {0}")]
    Key(#[from] KeyError),
    /// An address of another chain.
    #[error("address of chain {found}, expected {expected}")]
    OtherChain {
        /// Its prefix.
        found: Prefix,
        /// The prefix of the chain.
        expected: Prefix,
    },
}

impl Address {
    /// Reads an address of the chain with this prefix.
    ///
    /// # Errors
    ///
    /// As parsing, and `OtherChain`.
    pub fn parse_for(prefix: Prefix, text: &str) -> Result<PubKey, AddressError> {
        let address: Self = text.parse()?;
        if address.prefix != prefix {
            return Err(AddressError::OtherChain { found: address.prefix, expected: prefix });
        }
        Ok(address.key)
    }
}

impl Prefix {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.chars[..self.len]).expect("only a-z and 0-9 were accepted")
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let is_ours = (1..=PREFIX_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !is_ours {
            return Err(PrefixError { text: text.chars().take(ADDRESS_CHARS_MAX).collect() });
        }
        let mut chars = [0; PREFIX_CHARS_MAX];
        chars[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { chars, len: text.len() })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = Hrp::parse(self.prefix.as_str()).expect("letters and digits");
        let text = segwit::encode_v0(prefix, &self.key.0)
            .expect("a prefix of 10 characters and 32 bytes fit 90 characters");
        f.pad(&text)
    }
}

/// Accepts upper case as a whole, as BIP173 does, for codes that are scanned.
impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.len() > ADDRESS_CHARS_MAX {
            return Err(AddressError::TooLong(text.len()));
        }
        // The checksum first: a mistyped address is called that, whatever else it became.
        let checked = CheckedHrpstring::new::<Bech32>(text).map_err(|error| match error {
            CheckedHrpstringError::Checksum(_) => AddressError::Checksum,
            CheckedHrpstringError::Parse(UncheckedHrpstringError::Char(error)) => match error {
                CharError::InvalidChar(character) => AddressError::Character(character),
                CharError::MixedCase => AddressError::MixedCase,
                _ => AddressError::NoSeparator,
            },
            _ => AddressError::Prefix(PrefixError { text: text.to_owned() }),
        })?;
        let program = checked.validate_segwit().map_err(|_| AddressError::NotAKey)?;
        if program.witness_version() != segwit::VERSION_0 {
            return Err(AddressError::NotAKey);
        }
        let key: Vec<u8> = program.byte_iter().collect();
        let key = PubKey(key.try_into().map_err(|_| AddressError::NotAKey)?);
        key.check()?;
        Ok(Self { prefix: program.hrp().to_lowercase().parse()?, key })
    }
}
