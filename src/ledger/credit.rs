//! What activity is worth: hashes that a wearer may have computed, by an integer formula with a cap for
//! each device and day. The constants are part of the chain; what is spent is not the chain's business.

use crate::ledger::spec::{
    CREDIT_DAY_MAX, CREDIT_PER_ACTIVE_SECOND, CREDIT_PER_STEP, CREDIT_PER_WEAR_SECOND,
    STEPS_PER_ACTIVE_SECOND_MAX,
};
use crate::ledger::transaction::reading::Assurance;

/// Seconds of a UTC day.
pub const DAY_S: u32 = 86_400;

/// Totals of a stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Activity {
    /// Seconds worn.
    pub wear_s: u32,
    /// Seconds in motion.
    pub active_s: u32,
    /// Steps.
    pub steps: u32,
}

impl Activity {
    /// Hashes that it is worth before any cap. Steps above what the time in motion allows are worth
    /// nothing; a weaker assurance is worth a quarter, two or three.
    #[must_use]
    pub fn hashes(&self, assurance: Assurance) -> u64 {
        let steps =
            u64::from(self.steps).min(STEPS_PER_ACTIVE_SECOND_MAX * u64::from(self.active_s));
        // 32-bit totals by constants below 2^16: no product comes near 64 bits.
        let full = CREDIT_PER_ACTIVE_SECOND * u64::from(self.active_s)
            + CREDIT_PER_WEAR_SECOND * u64::from(self.wear_s)
            + CREDIT_PER_STEP * steps;
        let quarters = match assurance {
            Assurance::File => 1,
            Assurance::App => 2,
            Assurance::SecureElement => 3,
            Assurance::CoWitnessed => 4,
        };
        full * quarters / 4
    }
}

/// What a device has earned on one day: the cap of section "activity" holds for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Day {
    /// Days since 1970, UTC.
    pub number: u32,
    /// Hashes earned on it.
    pub hashes: u64,
}

impl Day {
    /// Credits a stretch of time that ends before `t1` and does not begin before the last one's end: how
    /// many hashes it earns under the day's cap. It counts for the day of its last second.
    pub fn credit(&mut self, t1: u32, hashes: u64) -> u64 {
        let number = t1.saturating_sub(1) / DAY_S;
        if number != self.number {
            *self = Self { number, hashes: 0 };
        }
        let earned = hashes.min(CREDIT_DAY_MAX.saturating_sub(self.hashes));
        self.hashes += earned;
        earned
    }
}

/// What may be spent: credits flow in, and overflow at [`BUCKET_HASHES_MAX`], so that nobody saves up a
/// year of walks for one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Hashes in it.
    pub hashes: u64,
}

/// Hashes that a bucket holds: what a device can earn on five days. Spending is not the chain's business,
/// so no rule looks at it.
pub const BUCKET_HASHES_MAX: u64 = 5 * CREDIT_DAY_MAX;

impl Bucket {
    /// Pours hashes in; how many found room.
    pub fn fill(&mut self, hashes: u64) -> u64 {
        let room = BUCKET_HASHES_MAX.saturating_sub(self.hashes);
        let filled = hashes.min(room);
        self.hashes += filled;
        filled
    }

    /// Takes hashes out, all or none.
    pub fn drain(&mut self, hashes: u64) -> bool {
        match self.hashes.checked_sub(hashes) {
            Some(left) => {
                self.hashes = left;
                true
            }
            None => false,
        }
    }
}
