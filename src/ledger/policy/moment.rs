//! When something happened: height and median time past together, because every wait in blocks also
//! asks for half its nominal time, so that a burst of blocks cannot make it vanish.

use borsh::{BorshDeserialize, BorshSerialize};

/// A block as a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Moment {
    /// Its height.
    pub height: u32,
    /// Median time past: of the eleven blocks before it.
    pub median_time: u32,
}

impl Moment {
    /// Whether `blocks` blocks have passed since `start`, and half the time that they should take.
    #[must_use]
    pub fn has_waited(self, start: Self, blocks: u32, spacing_s: u32) -> bool {
        let passed = u64::from(self.median_time.saturating_sub(start.median_time));
        self.height.checked_sub(start.height).is_some_and(|waited| waited >= blocks)
            && 2 * passed >= u64::from(blocks) * u64::from(spacing_s)
    }
}
