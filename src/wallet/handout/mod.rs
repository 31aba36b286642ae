//! What one person hands to another, as text that survives mail: a branch of a policy, what a beacon
//! said. Nothing in it is secret from whoever receives it, and nothing is believed: reading checks every
//! path and every signature, so that a changed file is refused where it is met.
//!
//! ```json
//! {
//!   "format": "proofward-branch", "version": 1,
//!   "genesis": "<genesis hash of the chain, as it is displayed>",
//!   "content": ["<64 hex digits>", "<the last ones>"]
//! }
//! ```
//!
//! `content` holds the borsh bytes of the value, cut into lines.

mod branch;
mod part;
mod presence;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

pub use branch::PolicyBranch;
pub use part::ApprovalPart;
pub use presence::{HeardKeys, RollError};

use super::hex_lines;
use crate::primitives::BlockHash;

/// Bytes of a handout that anybody reads.
pub const HANDOUT_BYTES_MAX: usize = 1 << 20;

const VERSION: u32 = 1;

/// A value that is handed over.
pub trait Handout: BorshSerialize + BorshDeserialize {
    /// Names the kind of file.
    const FORMAT: &'static str;
    /// What it is called in errors.
    const NAME: &'static str;

    /// What is wrong with it on the chain of this genesis, if anything.
    fn fault(&self, genesis: &BlockHash) -> Option<String>;
}

/// Why a text is no handout of a kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandoutError {
    /// Over [`HANDOUT_BYTES_MAX`].
    #[error("{name} of {bytes} bytes, at most {HANDOUT_BYTES_MAX}")]
    TooLarge {
        /// Of which kind.
        name: &'static str,
        /// How long it is.
        bytes: usize,
    },
    /// No JSON, or not these fields.
    #[error("not a {name}: {why}")]
    Malformed {
        /// Of which kind.
        name: &'static str,
        /// What the parser met.
        why: String,
    },
    /// Another version.
    #[error("{name} of version {version}, this program reads version {VERSION}")]
    Version {
        /// Of which kind.
        name: &'static str,
        /// Its version.
        version: u32,
    },
    /// It does not hold what it says.
    #[error("{name}: {why}")]
    Fault {
        /// Of which kind.
        name: &'static str,
        /// What is wrong.
        why: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    format: String,
    version: u32,
    genesis: String,
    content: Vec<String>,
}

/// The text of a value for the chain of this genesis.
///
/// # Panics
///
/// Never: memory takes every write, and texts and numbers serialise.
#[must_use]
pub fn to_text<T: Handout>(genesis: &BlockHash, value: &T) -> String {
    let bytes = borsh::to_vec(value).expect("writing to memory cannot fail");
    let wire = Wire {
        format: T::FORMAT.into(),
        version: VERSION,
        genesis: genesis.to_string(),
        content: hex_lines(&bytes),
    };
    let mut text = serde_json::to_string_pretty(&wire).expect("texts and numbers serialise");
    text.push('\n');
    text
}

/// Reads a value and the genesis of its chain, without trusting it.
///
/// # Errors
///
/// The first thing that is wrong.
pub fn parse<T: Handout>(text: &[u8]) -> Result<(BlockHash, T), HandoutError> {
    let name = T::NAME;
    if text.len() > HANDOUT_BYTES_MAX {
        return Err(HandoutError::TooLarge { name, bytes: text.len() });
    }
    let malformed = |why: String| HandoutError::Malformed { name, why };
    let wire: Wire = serde_json::from_slice(text).map_err(|error| malformed(error.to_string()))?;
    if wire.format != T::FORMAT {
        let format: String = wire.format.chars().take(40).collect();
        return Err(malformed(format!("format {format:?}, expected {:?}", T::FORMAT)));
    }
    if wire.version != VERSION {
        return Err(HandoutError::Version { name, version: wire.version });
    }
    let genesis = wire.genesis.parse();
    let genesis = genesis.map_err(|_| malformed("genesis: expected 64 hex digits".into()))?;
    let content = hex::decode(wire.content.concat());
    let content = content.map_err(|_| malformed("content: expected hex digits".into()))?;
    let value = borsh::from_slice::<T>(&content);
    let value = value.map_err(|error| malformed(format!("content: {error}")))?;
    match value.fault(&genesis) {
        None => Ok((genesis, value)),
        Some(why) => Err(HandoutError::Fault { name, why }),
    }
}
