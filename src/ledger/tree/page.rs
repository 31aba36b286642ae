//! A page: four levels of the tree as a store keeps them, that is the sixteen subtrees at their lower
//! edge. It is held as its canonical bytes; what lies between is computed when it is needed.
//!
//! # Bytes
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 2 | slots that hold a leaf: little-endian, bit i is slot i |
//! | 2 | 2 | slots that hold a branch, that is a subtree of two entries or more |
//! | 4 | | for each slot that holds something, in order: of a leaf its key (32) and hash (32), of a branch its hash (32) |
//!
//! No slot holds both, a leaf's key begins with the page's path and its slot, the pages of the last
//! level hold no branch, no page is empty, and only the root page may hold a single leaf and nothing
//! else (elsewhere such a leaf stands in the page above). So a page has at most 1,028 bytes, and a set
//! of entries has one set of pages.

use std::fmt;
use std::sync::Arc;

use super::key::{PAGE_SLOTS, PagePath, StateKey};
use super::leaf::LeafHash;
use crate::primitives::Digest;
use crate::primitives::codec::{DecodeError, Reader};

const HEAD_BYTES: usize = 4;
const HASH_BYTES: usize = 32;
const LEAF_BYTES: usize = 64;
/// Bytes of the longest page.
pub const PAGE_BYTES_MAX: usize = HEAD_BYTES + PAGE_SLOTS as usize * LEAF_BYTES;

/// A subtree of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// The entry's key.
    pub key: StateKey,
    /// The hash of its key and value.
    pub hash: LeafHash,
}

impl Leaf {
    /// Whether it is the leaf of the entry with its key and this value.
    #[must_use]
    pub fn has_value(&self, value: &[u8]) -> bool {
        self.hash == LeafHash::of(&self.key, value)
    }
}

/// A subtree at the lower edge of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Without entries.
    Empty,
    /// With one entry.
    Leaf(Leaf),
    /// With more, in the page below; this is its hash.
    Branch(Digest),
}

impl Slot {
    /// The leaf, if it holds one.
    #[must_use]
    pub fn leaf(self) -> Option<Leaf> {
        match self {
            Self::Leaf(leaf) => Some(leaf),
            Self::Empty | Self::Branch(_) => None,
        }
    }
}

/// Four levels of the tree. Cloning shares the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Page {
    /// Invariant: canonical for the path that the page was made for.
    bytes: Arc<[u8]>,
}

impl Page {
    /// Reads the page at `path`.
    ///
    /// # Errors
    ///
    /// Whatever is not the one encoding of a page that can stand there.
    pub fn decode(path: &PagePath, bytes: &[u8]) -> Result<Self, DecodeError> {
        let malformed = |at, what| Err(DecodeError::Malformed { at, what });
        let mut reader = Reader::new(bytes);
        let leaves = reader.u16()?;
        let branches = reader.u16()?;
        if leaves & branches != 0 {
            return malformed(0, "a slot with a leaf and a branch");
        }
        if leaves | branches == 0 {
            return malformed(0, "an empty page");
        }
        if *path != PagePath::ROOT && branches == 0 && leaves.is_power_of_two() {
            return malformed(0, "a page with a single leaf that is not the root page");
        }
        if branches != 0 && path.child(0).is_none() {
            return malformed(2, "a branch at the last level");
        }
        for slot in 0..PAGE_SLOTS {
            let at = reader.position();
            if leaves >> slot & 1 != 0 {
                let key = StateKey(reader.array()?);
                reader.take(HASH_BYTES as u64)?;
                if !path.is_prefix_of(&key) || key.slot(path.steps()) != slot {
                    return malformed(at, "a leaf that belongs elsewhere");
                }
            } else if branches >> slot & 1 != 0 {
                reader.take(HASH_BYTES as u64)?;
            }
        }
        reader.finish()?;
        Ok(Self { bytes: bytes.into() })
    }

    /// Its bytes, for a store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What a slot holds.
    ///
    /// # Panics
    ///
    /// If there is no such slot.
    #[must_use]
    pub fn slot(&self, slot: u8) -> Slot {
        assert!(slot < PAGE_SLOTS, "slots are 0..16");
        let (leaves, branches) = self.occupied();
        let before = (1 << slot) - 1;
        let count =
            |slots: u16| usize::try_from((slots & before).count_ones()).expect("16 at most");
        let at = HEAD_BYTES + count(leaves) * LEAF_BYTES + count(branches) * HASH_BYTES;
        if leaves >> slot & 1 != 0 {
            let hash = LeafHash(self.hash_at(at + HASH_BYTES));
            Slot::Leaf(Leaf { key: StateKey(self.hash_at(at)), hash })
        } else if branches >> slot & 1 != 0 {
            Slot::Branch(self.hash_at(at))
        } else {
            Slot::Empty
        }
    }

    /// What all slots hold, in order.
    pub fn slots(&self) -> impl Iterator<Item = (u8, Slot)> {
        (0..PAGE_SLOTS).map(|slot| (slot, self.slot(slot)))
    }

    /// The first slot that holds something.
    pub(super) fn only_slot(&self) -> Slot {
        let mut held = self.slots().map(|(_, held)| held).filter(|held| *held != Slot::Empty);
        held.next().expect("a page is not empty")
    }

    fn occupied(&self) -> (u16, u16) {
        let [a, b, c, d] = [0, 1, 2, 3].map(|at| self.bytes[at]);
        (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))
    }

    fn hash_at(&self, at: usize) -> Digest {
        *self.bytes[at..].first_chunk().expect("as long as its slots say")
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let occupied = self.slots().filter(|(_, slot)| *slot != Slot::Empty);
        f.debug_map().entries(occupied).finish()
    }
}

/// Builds a page from its slots in order.
#[derive(Debug)]
pub(super) struct PageBuilder {
    leaves: u16,
    branches: u16,
    bytes: Vec<u8>,
}

impl PageBuilder {
    pub(super) fn new() -> Self {
        Self { leaves: 0, branches: 0, bytes: Vec::with_capacity(PAGE_BYTES_MAX) }
    }

    /// Starts the next page.
    pub(super) fn clear(&mut self) {
        (self.leaves, self.branches) = (0, 0);
        self.bytes.clear();
        self.bytes.extend_from_slice(&[0; HEAD_BYTES]);
    }

    /// Appends what a slot holds; slots come in ascending order.
    pub(super) fn push(&mut self, slot: u8, held: &Slot) {
        match held {
            Slot::Empty => {}
            Slot::Leaf(leaf) => {
                self.leaves |= 1 << slot;
                self.bytes.extend_from_slice(&leaf.key.0);
                self.bytes.extend_from_slice(&leaf.hash.0);
            }
            Slot::Branch(hash) => {
                self.branches |= 1 << slot;
                self.bytes.extend_from_slice(hash);
            }
        }
    }

    /// The page. The caller has seen to it that it is canonical.
    pub(super) fn build(&mut self) -> Page {
        self.bytes[..2].copy_from_slice(&self.leaves.to_le_bytes());
        self.bytes[2..4].copy_from_slice(&self.branches.to_le_bytes());
        Page { bytes: self.bytes.as_slice().into() }
    }
}
