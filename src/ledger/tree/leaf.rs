//! An entry as the tree knows it: its key and the hash of its value.

use std::fmt;

use super::key::StateKey;
use crate::engine::nodes::NodeKernel;
use crate::hash::tagged::Tag;
use crate::primitives::Digest;

pub(super) const LEAF: Tag = Tag::new("state-leaf");
const VALUE: Tag = Tag::new("state-value");

/// Bytes of a leaf: a key and the hash of a value.
pub(super) const LEAF_BYTES: usize = 64;

/// `tagged("state-value", value)`: what stands for a value in the tree, so that a leaf has a fixed size
/// and a proof that shows a neighbouring entry does not show its value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ValueHash(pub Digest);

impl ValueHash {
    /// The hashes of values, in order.
    #[must_use]
    pub fn of_each(kernel: NodeKernel, values: &[&[u8]]) -> Vec<Self> {
        let mut digests = vec![[0; 32]; values.len()];
        kernel.hash_tagged(VALUE, values, &mut digests);
        digests.into_iter().map(Self).collect()
    }

    /// The hash of a value.
    #[must_use]
    pub fn of(value: &[u8]) -> Self {
        Self(VALUE.hash(value))
    }
}

impl fmt::Debug for ValueHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValueHash({})", hex::encode(self.0))
    }
}

/// A subtree of one entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// The key, then the hash of the value: the message that is hashed, and the bytes in a page.
    bytes: [u8; LEAF_BYTES],
}

impl Leaf {
    /// The leaf of an entry.
    #[must_use]
    pub fn new(key: &StateKey, value: &ValueHash) -> Self {
        let mut bytes = [0; LEAF_BYTES];
        bytes[..32].copy_from_slice(&key.0);
        bytes[32..].copy_from_slice(&value.0);
        Self { bytes }
    }

    pub(super) const fn from_bytes(bytes: [u8; LEAF_BYTES]) -> Self {
        Self { bytes }
    }

    pub(super) const fn as_bytes(&self) -> &[u8; LEAF_BYTES] {
        &self.bytes
    }

    /// The entry's key.
    #[must_use]
    pub fn key(&self) -> StateKey {
        StateKey(*self.bytes.first_chunk().expect("it has 64 bytes"))
    }

    /// The hash of the entry's value.
    #[must_use]
    pub fn value(&self) -> ValueHash {
        ValueHash(*self.bytes.last_chunk().expect("it has 64 bytes"))
    }

    /// `tagged("state-leaf", key || value hash)`: the hash of the subtree.
    #[must_use]
    pub fn hash(&self) -> Digest {
        LEAF.hash(&self.bytes)
    }
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Leaf({}: {})", self.key(), hex::encode(self.value().0))
    }
}
