//! A page: four levels of the tree as a store keeps them, that is the sixteen subtrees at their lower
//! edge. It is held as its canonical bytes; what lies between is computed when it is needed.
//!
//! # Bytes
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 2 | slots that hold a leaf: little-endian, bit i is slot i |
//! | 2 | 2 | slots that hold a branch, that is a subtree of two entries or more |
//! | 4 | | for each slot that holds something, in order: of a leaf its key (32) and the hash of its value (32), of a branch its hash (32) |
//!
//! No slot holds both, a leaf's key begins with the page's path and its slot, the pages of the last
//! level hold no branch, no page is empty, and only the root page may hold a single leaf and nothing
//! else (elsewhere such a leaf stands in the page above). So a page has at most 1,028 bytes, and a set
//! of entries has one set of pages.

use std::fmt;

use super::key::{PAGE_SLOTS, PagePath, StateKey};
use super::leaf::{LEAF_BYTES, Leaf};
use crate::ledger::bytes::Bytes;
use crate::primitives::Digest;
use crate::primitives::codec::{DecodeError, Reader};

const HEAD_BYTES: usize = 4;
const HASH_BYTES: usize = 32;
/// Bytes of the longest page.
pub const PAGE_BYTES_MAX: usize = HEAD_BYTES + PAGE_SLOTS as usize * LEAF_BYTES;

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
    bytes: Bytes,
}

impl Page {
    /// Reads the page at `path`.
    ///
    /// # Errors
    ///
    /// Whatever is not the one encoding of a page that can stand there.
    pub fn decode(path: &PagePath, bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_shared(path, bytes.into())
    }

    /// [`Page::decode`] of bytes that the page keeps.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn decode_shared(path: &PagePath, bytes: Bytes) -> Result<Self, DecodeError> {
        let malformed = |at, what| Err(DecodeError::Malformed { at, what });
        let mut reader = Reader::new(&bytes);
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
        Ok(Self { bytes })
    }

    /// Its bytes, for a store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its bytes, shared with it.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// What a slot holds.
    ///
    /// # Panics
    ///
    /// If there is no such slot.
    #[must_use]
    pub fn slot(&self, slot: u8) -> Slot {
        self.parts()[usize::from(slot)].to_slot()
    }

    /// What all slots hold, in order.
    pub fn slots(&self) -> impl Iterator<Item = (u8, Slot)> {
        (0..PAGE_SLOTS).zip(self.parts().map(Part::to_slot))
    }

    /// What all slots hold, where it lies.
    pub(super) fn parts(&self) -> Parts<'_> {
        let (leaves, branches) = self.occupied();
        let mut rest = &self.bytes[HEAD_BYTES..];
        std::array::from_fn(|slot| {
            if leaves >> slot & 1 != 0 {
                Part::Leaf(take(&mut rest))
            } else if branches >> slot & 1 != 0 {
                Part::Branch(take(&mut rest))
            } else {
                Part::Empty
            }
        })
    }

    fn occupied(&self) -> (u16, u16) {
        let [a, b, c, d] = [0, 1, 2, 3].map(|at| self.bytes[at]);
        (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))
    }
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> &'a [u8; N] {
    let (taken, after) = rest.split_first_chunk().expect("as long as its slots say");
    *rest = after;
    taken
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let occupied = self.slots().filter(|(_, slot)| *slot != Slot::Empty);
        f.debug_map().entries(occupied).finish()
    }
}

/// What a slot holds, borrowed from where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Empty,
    Leaf(&'a [u8; LEAF_BYTES]),
    Branch(&'a Digest),
}

/// All slots of a page.
pub(super) type Parts<'a> = [Part<'a>; PAGE_SLOTS as usize];

impl Part<'_> {
    pub(super) fn to_slot(self) -> Slot {
        match self {
            Part::Empty => Slot::Empty,
            Part::Leaf(bytes) => Slot::Leaf(Leaf::from_bytes(*bytes)),
            Part::Branch(hash) => Slot::Branch(*hash),
        }
    }
}

impl Slot {
    pub(super) fn as_part(&self) -> Part<'_> {
        match self {
            Self::Empty => Part::Empty,
            Self::Leaf(leaf) => Part::Leaf(leaf.as_bytes()),
            Self::Branch(hash) => Part::Branch(hash),
        }
    }
}

/// The one entry under these slots, or none; `None` if there are more.
pub(super) fn entry_at_most(parts: &[Part<'_>]) -> Option<Slot> {
    let mut held = parts.iter().filter(|part| !matches!(part, Part::Empty));
    match (held.next(), held.next()) {
        (None, _) => Some(Slot::Empty),
        (Some(leaf @ Part::Leaf(_)), None) => Some(leaf.to_slot()),
        _ => None,
    }
}

/// Writes pages, with a buffer kept from page to page.
#[derive(Debug)]
pub(super) struct PageWriter {
    bytes: Vec<u8>,
}

impl PageWriter {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::with_capacity(PAGE_BYTES_MAX) }
    }

    /// The page with these slots. The caller sees to it that such a page may stand where it belongs.
    pub(super) fn write(&mut self, parts: &Parts<'_>) -> Page {
        let (mut leaves, mut branches) = (0_u16, 0_u16);
        self.bytes.clear();
        self.bytes.extend_from_slice(&[0; HEAD_BYTES]);
        for (slot, part) in parts.iter().enumerate() {
            match part {
                Part::Empty => {}
                Part::Leaf(leaf) => {
                    leaves |= 1 << slot;
                    self.bytes.extend_from_slice(*leaf);
                }
                Part::Branch(hash) => {
                    branches |= 1 << slot;
                    self.bytes.extend_from_slice(*hash);
                }
            }
        }
        self.bytes[..2].copy_from_slice(&leaves.to_le_bytes());
        self.bytes[2..HEAD_BYTES].copy_from_slice(&branches.to_le_bytes());
        Page { bytes: self.bytes.as_slice().into() }
    }
}
