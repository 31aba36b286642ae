//! Where things are in the tree: the key of an entry, and the path of a page, which is the beginning
//! that the keys below it share.

use std::cmp::Ordering;
use std::fmt;

use crate::primitives::Digest;
use crate::primitives::codec::{DecodeError, Reader};

/// Bits of a key, so the greatest depth of a leaf.
pub const KEY_BITS: usize = 256;
/// Levels of the tree in one page; a path is made of steps of so many bits.
pub(super) const PAGE_LEVELS: usize = 4;
/// Places for subtrees at the lower edge of a page.
pub const PAGE_SLOTS: u8 = 1 << PAGE_LEVELS;
/// Steps in the longest path: below that page lie single keys.
const STEPS_MAX: u8 = 63;

const _: () = assert!((STEPS_MAX as usize + 1) * PAGE_LEVELS == KEY_BITS);

/// The key of an entry: a tagged hash, so keys lie evenly and nobody can choose long common
/// beginnings. Should they lie otherwise, the tree is deeper and still right.
///
/// Bit 0 is the most significant bit of the first byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StateKey(pub Digest);

impl Ord for StateKey {
    fn cmp(&self, other: &Self) -> Ordering {
        // Where the first eight bytes differ they decide, and in one comparison.
        let head = |key: &Self| u64::from_be_bytes(*key.0.first_chunk().expect("it has 32"));
        head(self).cmp(&head(other)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for StateKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl StateKey {
    /// Bit `at` of 0..256: which child the key lies below.
    pub(super) fn bit(&self, at: usize) -> usize {
        usize::from(self.0[at / 8] >> (7 - at % 8) & 1)
    }

    /// Four bits from bit `4 * step` on: the slot of the key in the page at its path of `step` steps.
    pub(super) fn slot(&self, step: u8) -> u8 {
        slot_of(&self.0, step)
    }

    /// Whether the first `bits` bits are those of `other`.
    pub(super) fn shares(&self, other: &Self, bits: usize) -> bool {
        let (bytes, rest) = (bits / 8, bits % 8);
        self.0[..bytes] == other.0[..bytes]
            && (rest == 0 || (self.0[bytes] ^ other.0[bytes]) >> (8 - rest) == 0)
    }
}

fn slot_of(bytes: &[u8], step: u8) -> u8 {
    let byte = bytes[usize::from(step / 2)];
    if step.is_multiple_of(2) { byte >> 4 } else { byte & 0x0f }
}

impl fmt::Display for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateKey({self})")
    }
}

/// The place of a page: 0 to 63 steps of four bits, the beginning of every key below it. The root
/// page's has none.
///
/// Paths are ordered by length, then by their bits, as their bytes are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PagePath {
    /// Invariant: the number of steps, the steps packed high half first, zeros.
    bytes: [u8; 33],
}

impl PagePath {
    /// The path of the root page.
    pub const ROOT: Self = Self { bytes: [0; 33] };

    /// How many steps it has.
    #[must_use]
    pub fn steps(&self) -> u8 {
        self.bytes[0]
    }

    /// The path of the page below a slot, or `None` if single keys lie there.
    ///
    /// # Panics
    ///
    /// If there is no such slot.
    #[must_use]
    pub fn child(&self, slot: u8) -> Option<Self> {
        assert!(slot < PAGE_SLOTS, "slots are 0..16");
        let steps = self.steps();
        if steps == STEPS_MAX {
            return None;
        }
        let mut child = *self;
        child.bytes[0] = steps + 1;
        child.bytes[1 + usize::from(steps / 2)] |=
            if steps.is_multiple_of(2) { slot << 4 } else { slot };
        Some(child)
    }

    /// Whether the key lies below it.
    #[must_use]
    pub fn is_prefix_of(&self, key: &StateKey) -> bool {
        let steps = self.steps();
        let whole = usize::from(steps / 2);
        self.bytes[1..=whole] == key.0[..whole]
            && (steps.is_multiple_of(2)
                || slot_of(&self.bytes[1..], steps - 1) == key.slot(steps - 1))
    }

    /// Its bytes, as a store names the page: the number of steps, then the steps packed two a byte,
    /// high half first; a last half byte is zero. 1 to 33 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..=usize::from(self.steps().div_ceil(2))]
    }

    /// Reads what `as_bytes` gave.
    ///
    /// # Errors
    ///
    /// More than 63 steps, bytes missing or left over, or a last half byte that is not zero.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let steps = reader.u8()?;
        if steps > STEPS_MAX {
            return Err(DecodeError::Malformed { at: 0, what: "a path of more than 63 steps" });
        }
        let packed = reader.take(u64::from(steps.div_ceil(2)))?;
        if steps % 2 == 1 && packed.last().is_some_and(|last| last & 0x0f != 0) {
            let at = packed.len();
            return Err(DecodeError::Malformed { at, what: "a half step after the last" });
        }
        reader.finish()?;
        let mut path = Self::ROOT;
        path.bytes[0] = steps;
        path.bytes[1..=packed.len()].copy_from_slice(packed);
        Ok(path)
    }
}

/// The steps as hex digits after a slash.
impl fmt::Display for PagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("/")?;
        (0..self.steps()).try_for_each(|step| write!(f, "{:x}", slot_of(&self.bytes[1..], step)))
    }
}

impl fmt::Debug for PagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PagePath({self})")
    }
}
