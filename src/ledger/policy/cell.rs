//! Cells of the H3 grid as 64-bit integers: which are well formed, and which contain which. Nothing
//! here knows coordinates: places become cells outside consensus.
//!
//! The index of a cell (H3 "cell mode"), from the highest bit: 1 bit zero, 4 bits mode 1, 3 bits zero,
//! 4 bits resolution 0 to 15, 7 bits base cell 0 to 121, then fifteen digits of 3 bits: 0 to 6 down to
//! the resolution, 7 below it. A cell's parent has the lower resolution and the digits below it at 7, so
//! containment is an integer test. Twelve base cells are pentagons, which miss the sub-cells on one axis:
//! their first digit that is not 0 is never 1.

use borsh::{BorshDeserialize, BorshSerialize};

/// The finest resolution, about a square metre.
const RESOLUTION_MAX: u32 = 15;
const BASE_CELLS: u64 = 122;
/// Bits of a digit, and a digit below the resolution.
const DIGIT_BITS: u32 = 3;
const UNUSED: u64 = 7;
/// The base cells that are pentagons (H3's `baseCellData`).
const PENTAGONS: [u64; 12] = [4, 14, 24, 38, 49, 58, 63, 72, 83, 97, 107, 117];

/// A cell as it stands in a field: any 64 bits until [`Cell::is_valid`] has seen them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct Cell(pub u64);

impl Cell {
    /// Whether the bits are the one index of a cell.
    #[must_use]
    pub fn is_valid(self) -> bool {
        let mode_and_reserved = self.0 >> 56;
        if mode_and_reserved != 0b0000_1000 || self.base() >= BASE_CELLS {
            return false;
        }
        let resolution = self.resolution();
        let mut is_centre = PENTAGONS.contains(&self.base());
        for level in 1..=RESOLUTION_MAX {
            let digit = self.digit(level);
            if (digit == UNUSED) != (level > resolution) {
                return false;
            }
            // On a pentagon the deleted sub-cell does not exist, nor do its children.
            if is_centre && digit == 1 {
                return false;
            }
            is_centre = is_centre && digit == 0;
        }
        true
    }

    /// How many times the base cell is divided.
    #[must_use]
    pub fn resolution(self) -> u32 {
        u32::try_from(self.0 >> 52 & 0xf).expect("four bits")
    }

    /// Whether this cell is `other` or one of its ancestors. Both must be valid.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        let resolution = self.resolution();
        other.resolution() >= resolution && other.parent_at(resolution) == self
    }

    /// The ancestor at a resolution that is not finer than the cell's own.
    fn parent_at(self, resolution: u32) -> Self {
        let below = (1_u64 << (DIGIT_BITS * (RESOLUTION_MAX - resolution))) - 1;
        let without = self.0 & !(0xf_u64 << 52);
        Self(without | u64::from(resolution) << 52 | below)
    }

    fn base(self) -> u64 {
        self.0 >> 45 & 0x7f
    }

    /// Digit of a level from 1 to 15.
    fn digit(self, level: u32) -> u64 {
        self.0 >> (DIGIT_BITS * (RESOLUTION_MAX - level)) & UNUSED
    }
}
