//! 32-byte hashes with a name, and the two orders in which people write them: the order on the wire
//! (internal) and the reversed order in which they are displayed.

use std::fmt;
use std::str::FromStr;

use super::limits::DIGEST_BYTES;

/// A digest as the hash function wrote it: internal byte order.
pub type Digest = [u8; DIGEST_BYTES];

/// Why a text is not a hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("expected 64 hex digits, got {text:?}")]
pub struct ParseHashError {
    text: String,
}

macro_rules! hash_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Holds the bytes in internal order; `Display` and `FromStr` use the reversed order in
        /// which block explorers and Bitcoin Core print hashes.
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Digest);

        impl $name {
            /// All zero: the parent of a genesis block.
            pub const ZERO: Self = Self([0; DIGEST_BYTES]);
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut display = self.0;
                display.reverse();
                f.write_str(&hex::encode(display))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = ParseHashError;

            fn from_str(text: &str) -> Result<Self, ParseHashError> {
                let mut bytes = [0; DIGEST_BYTES];
                hex::decode_to_slice(text, &mut bytes)
                    .map_err(|_| ParseHashError { text: text.chars().take(80).collect() })?;
                bytes.reverse();
                Ok(Self(bytes))
            }
        }
    };
}

hash_newtype!(
    /// The hash of a header: the name of a block.
    BlockHash
);
hash_newtype!(
    /// The root of a block's merkle tree.
    MerkleRoot
);
hash_newtype!(
    /// The hash of a transaction.
    TxId
);
