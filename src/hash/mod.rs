//! L1, scalar hashing over the `sha2` and `blake3` crates: short and safe. It is the oracle that every
//! kernel is tested against, and the only judge of a hit.

pub mod blake3;
pub mod sha256;
pub mod sha512;
pub mod tagged;

use std::fmt;
use std::str::FromStr;

use crate::primitives::{Digest, HeaderBytes, Target};

/// A proof-of-work function over 80-byte headers. Both digests are read as little-endian integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// SHA-256 of SHA-256 (FIPS 180-4), as Bitcoin uses it.
    Sha256d,
    /// BLAKE3 with its default key and 32 bytes of output.
    Blake3,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 2] = [Self::Sha256d, Self::Blake3];

    /// The name on the command line, in JSON and in chain files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256d => "sha256d",
            Self::Blake3 => "blake3",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text names no algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("unknown algorithm {0:?}: expected sha256d or blake3")]
pub struct UnknownAlgorithm(String);

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        let found = Self::ALL.into_iter().find(|algorithm| algorithm.name() == text);
        found.ok_or_else(|| UnknownAlgorithm(text.to_owned()))
    }
}

/// The hash of a header.
#[must_use]
pub fn hash_header(algorithm: Algorithm, header: &HeaderBytes) -> Digest {
    match algorithm {
        Algorithm::Sha256d => sha256::sha256d(header),
        Algorithm::Blake3 => blake3::hash(header),
    }
}

/// The digest of a header if it meets the target: the only judge of a hit.
#[must_use]
pub fn meets_target(algorithm: Algorithm, header: &HeaderBytes, target: &Target) -> Option<Digest> {
    let digest = hash_header(algorithm, header);
    target.is_met_by(&digest).then_some(digest)
}
