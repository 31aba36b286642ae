//! Proofs that an entry is in the tree, or that none has a key: made from pages, checked against a root
//! alone.
//!
//! # Bytes
//!
//! | bytes | what |
//! |---|---|
//! | 1 | how the way down ends: 1 at the entry, 2 at an empty subtree, 3 at the leaf of another entry |
//! | 2 | depth d of the end, little-endian: 0..=256 (0..=255 if it does not end at the entry) |
//! | (d + 7) / 8 | which siblings are not empty: bit 7 of the first byte for the sibling at depth 1, and so on down; unused bits are zero |
//! | 32 each | the hashes of those siblings, from the top |
//! | 64 | only if it ends at another entry: its key, and `tagged("state-value", its value)` |
//!
//! The sibling at depth d is never empty, since a leaf or an empty subtree stands as high as it can, and
//! none is written as 32 zero bytes; so a key has one proof under a root.
//!
//! # Checking
//!
//! Start with the hash of the end: `tagged("state-leaf", key || tagged("state-value", value))` of the
//! entry, or of the other one (whose key must differ and begin with the same d bits), or 32 zero bytes.
//! For i from d to 1, join it with the sibling at depth i, as `SHA-256(SHA-256(sibling || hash))` if bit
//! i - 1 of the key (0 is the most significant bit of its first byte) is one, else with the hash first.
//! What comes out must be the root.

use super::fold::Folding;
use super::key::{KEY_BITS, PagePath, StateKey};
use super::leaf::{LEAF_BYTES, Leaf, ValueHash};
use super::page::{Part, Slot, entry_at_most};
use super::pages::{Pages, PagesError, expect_page};
use super::{EMPTY, StateRoot};
use crate::engine::nodes::NodeKernel;
use crate::hash::sha256::sha256d;
use crate::primitives::Digest;
use crate::primitives::codec::{DecodeError, Reader};

/// Bytes of the longest proof.
pub const PROOF_BYTES_MAX: usize = 3 + KEY_BITS / 8 + KEY_BITS * 32 + LEAF_BYTES;

// How the way down ends, on the wire.
const ENTRY: u8 = 1;
const VACANT: u8 = 2;
const OTHER: u8 = 3;

/// A proof that the entry with a key has some value, or that there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// From the top; empty ones are zero.
    ///
    /// Invariant: at most 256 (255 without the entry), the last one not empty.
    siblings: Vec<Digest>,
    end: End,
}

/// How the way down ends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Entry,
    Empty,
    Other(Leaf),
}

/// Why a proof does not show what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// A value was to be shown.
    #[error("the proof shows that there is no entry, expected one")]
    ShowsAbsence,
    /// Absence was to be shown.
    #[error("the proof shows an entry, expected none")]
    ShowsEntry,
    /// The other entry that ends the way is not where the key would be.
    #[error("the proof ends at key {other}, which does not share {depth} bits with the key")]
    OffTheWay {
        /// The other key.
        other: StateKey,
        /// The bits that it must share.
        depth: usize,
    },
    /// The other entry that ends the way is the entry itself.
    #[error("the proof of absence ends at the key itself")]
    SameKey,
    /// It belongs to another root, key or value.
    #[error("the proof leads to root {found}, expected {expected}")]
    WrongRoot {
        /// The root that was given.
        expected: StateRoot,
        /// The root that key, value and proof lead to.
        found: StateRoot,
    },
}

/// The proof for `key` under `root`: of its entry if there is one, else of its absence.
///
/// # Errors
///
/// A page cannot be read, or is not what `root` says: a proof that is made, checks.
pub fn prove<P: Pages>(
    kernel: NodeKernel,
    pages: &P,
    root: StateRoot,
    key: &StateKey,
) -> Result<Proof, PagesError<P::Error>> {
    let mut siblings = Vec::new();
    if root == StateRoot::EMPTY {
        return Ok(Proof { siblings, end: End::Empty });
    }
    let mut folding = Folding::new(kernel);
    let (mut path, mut expected) = (PagePath::ROOT, root.0);
    'pages: loop {
        let page = expect_page(pages, path)?;
        let parts = page.parts();
        if folding.hash_of(&parts) != expected {
            return Err(PagesError::WrongHash { path });
        }
        // Down to the first subtree of at most one entry, or to the slot.
        let mut parts = &parts[..];
        let end = loop {
            match (entry_at_most(parts), parts) {
                (Some(Slot::Leaf(leaf)), _) if leaf.key() == *key => break End::Entry,
                (Some(Slot::Leaf(leaf)), _) => break End::Other(leaf),
                (Some(_), _) => break End::Empty,
                (None, [Part::Branch(hash)]) => {
                    expected = **hash;
                    let below = path.child(key.slot(path.steps()));
                    path = below.ok_or(PagesError::Misplaced { path })?;
                    continue 'pages;
                }
                (None, _) => {
                    let (zero, one) = parts.split_at(parts.len() / 2);
                    let is_one = key.bit(siblings.len()) != 0;
                    let (on, off) = if is_one { (one, zero) } else { (zero, one) };
                    siblings.push(folding.hash_of(off));
                    parts = on;
                }
            }
        };
        return Ok(Proof { siblings, end });
    }
}

impl Proof {
    /// Whether it shows an entry; otherwise it shows that there is none.
    #[must_use]
    pub fn shows_entry(&self) -> bool {
        self.end == End::Entry
    }

    /// Checks that under `root` the entry with `key` has `value`, or with `None` that there is no such
    /// entry.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn check(
        &self,
        root: &StateRoot,
        key: &StateKey,
        value: Option<&[u8]>,
    ) -> Result<(), ProofError> {
        let depth = self.siblings.len();
        let end = match (&self.end, value) {
            (End::Entry, Some(value)) => Leaf::new(key, &ValueHash::of(value)).hash(),
            (End::Entry, None) => return Err(ProofError::ShowsEntry),
            (_, Some(_)) => return Err(ProofError::ShowsAbsence),
            (End::Empty, None) => EMPTY,
            (End::Other(leaf), None) => {
                let other = leaf.key();
                if other == *key {
                    return Err(ProofError::SameKey);
                }
                if !other.shares(key, depth) {
                    return Err(ProofError::OffTheWay { other, depth });
                }
                leaf.hash()
            }
        };
        let up = self.siblings.iter().enumerate().rev();
        let found = StateRoot(up.fold(end, |hash, (at, sibling)| {
            let pair = if key.bit(at) == 0 { [hash, *sibling] } else { [*sibling, hash] };
            sha256d(pair.as_flattened())
        }));
        if found == *root { Ok(()) } else { Err(ProofError::WrongRoot { expected: *root, found }) }
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![match self.end {
            End::Entry => ENTRY,
            End::Empty => VACANT,
            End::Other(_) => OTHER,
        }];
        let depth = u16::try_from(self.siblings.len()).expect("at most 256");
        bytes.extend_from_slice(&depth.to_le_bytes());
        for eight in self.siblings.chunks(8) {
            let bits = eight.iter().zip((0..8).rev());
            bytes.push(bits.fold(0, |byte, (hash, bit)| byte | u8::from(*hash != EMPTY) << bit));
        }
        for sibling in self.siblings.iter().filter(|hash| **hash != EMPTY) {
            bytes.extend_from_slice(sibling);
        }
        if let End::Other(leaf) = &self.end {
            bytes.extend_from_slice(leaf.as_bytes());
        }
        bytes
    }

    /// Reads what `encode` gave, without trusting it.
    ///
    /// # Errors
    ///
    /// Whatever is not the one encoding of a proof.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let malformed = |at, what| Err(DecodeError::Malformed { at, what });
        let mut reader = Reader::new(bytes);
        let kind = reader.u8()?;
        if ![ENTRY, VACANT, OTHER].contains(&kind) {
            return malformed(0, "an unknown end of a proof");
        }
        let depth = usize::from(reader.u16()?);
        if depth > if kind == ENTRY { KEY_BITS } else { KEY_BITS - 1 } {
            return malformed(1, "a proof deeper than the tree");
        }
        let bitmap_at = reader.position();
        let bitmap = reader.take(depth.div_ceil(8) as u64)?;
        let is_held = |at: usize| bitmap[at / 8] >> (7 - at % 8) & 1 != 0;
        if depth > 0 && !is_held(depth - 1) {
            return malformed(bitmap_at, "an end that could stand higher");
        }
        if (depth..bitmap.len() * 8).any(is_held) {
            return malformed(bitmap_at, "a sibling below the end");
        }
        let mut siblings = Vec::with_capacity(depth);
        for at in 0..depth {
            let position = reader.position();
            let sibling = if is_held(at) { reader.array()? } else { EMPTY };
            if is_held(at) && sibling == EMPTY {
                return malformed(position, "an empty sibling written out");
            }
            siblings.push(sibling);
        }
        let end = match kind {
            ENTRY => End::Entry,
            VACANT => End::Empty,
            _ => End::Other(Leaf::from_bytes(reader.array()?)),
        };
        reader.finish()?;
        Ok(Self { siblings, end })
    }
}
