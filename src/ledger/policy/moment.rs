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

    /// The moment of a height that is not below, if every block until then is on time.
    #[must_use]
    pub fn at(self, height: u32, spacing_s: u32) -> Self {
        let ahead = u64::from(height.saturating_sub(self.height)) * u64::from(spacing_s);
        let time = u64::from(self.median_time) + ahead;
        Self { height, median_time: u32::try_from(time).unwrap_or(u32::MAX) }
    }

    /// The first height at which half the time of a wait has passed, if every block is on time.
    #[must_use]
    pub fn first_after_wait(self, start: Self, blocks: u32, spacing_s: u32) -> u32 {
        let half = (u64::from(blocks) * u64::from(spacing_s)).div_ceil(2);
        let end = u64::from(start.median_time) + half;
        let missing = end.saturating_sub(u64::from(self.median_time));
        let blocks = missing.div_ceil(u64::from(spacing_s.max(1)));
        self.height.saturating_add(u32::try_from(blocks).unwrap_or(u32::MAX))
    }
}
