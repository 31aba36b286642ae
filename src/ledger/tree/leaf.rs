//! The hash of an entry.

use std::fmt;

use super::key::StateKey;
use crate::hash::tagged::Tag;
use crate::primitives::Digest;

const LEAF: Tag = Tag::new("state-leaf");
const VALUE: Tag = Tag::new("state-value");

/// `tagged("state-leaf", key || tagged("state-value", value))`.
///
/// The value is hashed on its own, so that a proof that shows a neighbouring entry has a fixed size
/// and does not show the neighbour's value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LeafHash(pub(super) Digest);

impl LeafHash {
    /// The hash of the entry with this key and value.
    #[must_use]
    pub fn of(key: &StateKey, value: &[u8]) -> Self {
        Self::with_value_hash(key, &value_hash(value))
    }

    pub(super) fn with_value_hash(key: &StateKey, value_hash: &Digest) -> Self {
        let mut message = [0; 64];
        message[..32].copy_from_slice(&key.0);
        message[32..].copy_from_slice(value_hash);
        Self(LEAF.hash(&message))
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &Digest {
        &self.0
    }
}

impl fmt::Debug for LeafHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LeafHash({})", hex::encode(self.0))
    }
}

/// The hash of a value: what stands for it in a leaf.
pub(super) fn value_hash(value: &[u8]) -> Digest {
    VALUE.hash(value)
}
