//! A leaf of a policy: one way to open a record. What it means stands in [`super::allow()`]; here is what
//! it says, and which leaves make sense at all.
//!
//! Where the design leaves room, the smallest safe rule holds:
//!
//! - A leaf whose purposes break the glass has no other purposes and uses share set 1; every other leaf
//!   uses set 0. So no rule made for emergencies opens the shares of the normal set.
//! - A leaf has a window, a daily window, or both, and each lasts at least twelve spacings: a shorter
//!   one could pass between two medians.
//! - `together_within` is a field, 3 where nobody has another reason. It also bounds the age of a
//!   presence, so it is there in every mode; it reaches no further back than an anchor.

use borsh::{BorshDeserialize, BorshSerialize};

use super::purpose::{Purpose, Purposes};
use super::role::RoleRef;
use crate::hash::tagged::Tag;
use crate::ledger::transaction::approve::APPROVERS_MAX;
use crate::ledger::transaction::{ANCHOR_DEPTH_BLOCKS_MAX, list};

/// Entries of a leaf's `need`.
pub const NEED_MAX: usize = 8;
/// Least length of a window, in spacings.
pub const WINDOW_SPACINGS_MIN: u64 = 12;
/// Minutes of a day.
pub const DAY_MINUTES: u16 = 24 * 60;
/// What wallets put in `together_within`.
pub const TOGETHER_WITHIN_DEFAULT: u32 = 3;
/// Least `read_within`: shares are sent two blocks after opening.
pub const READ_WITHIN_BLOCKS_MIN: u32 = 2;
/// Most blocks to answer in and to read in: at 15 seconds, 22 days. Nobody has to keep a request for longer.
pub const WITHIN_BLOCKS_MAX: u32 = 1 << 17;
/// The share set of leaves that break the glass.
pub const EMERGENCY_SET: u8 = 1;

const LEAF_TAG: Tag = Tag::new("policy-leaf");

/// Who may read where, when, what for, and who must agree.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Leaf {
    /// Hides the leaf.
    pub salt: [u8; 16],
    /// Which of the record's share sets its guardians hold.
    pub set: u8,
    /// Root of the salted tree of [`RoleRef`]s that may read.
    pub readers: [u8; 32],
    /// Root of the salted tree of [`super::Place`]s.
    pub places: [u8; 32],
    /// From when to when, median time past.
    pub window: Option<Window>,
    /// At what time of the day.
    pub daily: Option<Daily>,
    /// What for.
    pub purposes: Purposes,
    /// Whose approval is needed, at most [`NEED_MAX`] entries, roles ascending.
    #[borsh(deserialize_with = "list::at_most::<NEED_MAX, _, _>")]
    pub need: Vec<Need>,
    /// Guardians needed, at least the share set's k.
    pub k: u8,
    /// How close together.
    pub together: Together,
    /// Blocks that 1 of `together` allows, and the oldest presence anchor.
    pub together_within: u32,
    /// Blocks after the request in which it may be approved, at most [`WITHIN_BLOCKS_MAX`].
    pub answer_within: u32,
    /// Blocks after opening in which it may be read, at most [`WITHIN_BLOCKS_MAX`].
    pub read_within: u32,
    /// Blocks after the request before it opens, in which the owners may veto.
    pub delay: u32,
    /// How often it may be used.
    pub max_reads: u16,
    /// Units that a read costs.
    pub price: u64,
    /// Commitment to what of the record is meant.
    pub scope: [u8; 32],
}

/// From one time, inclusive, to another, exclusive; seconds of median time past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Window {
    /// First second.
    pub from: u32,
    /// First second after.
    pub to: u32,
}

/// Minutes of the day, UTC; from above to goes over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Daily {
    /// First minute.
    pub from: u16,
    /// First minute after.
    pub to: u16,
}

/// So many distinct approvers of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Need {
    /// The role.
    pub role: RoleRef,
    /// How many.
    pub count: u8,
}

/// How close together reader and approvers must be. The numbers are consensus and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Together {
    /// Anyhow.
    Apart = 0,
    /// Within `together_within` blocks.
    Within = 1,
    /// In one transaction.
    OneTransaction = 2,
    /// At one beacon in one round.
    OneRound = 3,
}

/// Why a leaf makes no sense. It then counts as not in the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeafError {
    /// Neither a window nor a daily window.
    #[error("no window and no daily window")]
    NoTime,
    /// The window is empty or shorter than twelve spacings.
    #[error("window shorter than 12 spacings")]
    ShortWindow,
    /// The daily window is empty, names no minute of a day, or is shorter than twelve spacings.
    #[error("daily window out of range or shorter than 12 spacings")]
    BadDaily,
    /// No purpose.
    #[error("no purpose")]
    NoPurpose,
    /// Emergency purposes beside others.
    #[error("emergency purposes beside others")]
    MixedPurposes,
    /// The set is not the one of its purposes.
    #[error("share set {0} is not the one of its purposes")]
    WrongSet(u8),
    /// More than eight needs, a count of zero, roles not ascending, or more people than can approve.
    #[error("needs out of range or out of order")]
    BadNeed,
    /// `k` is zero or above the number of approvers.
    #[error("k of {0} out of range")]
    BadK(u8),
    /// `together_within` is zero or reaches behind every anchor.
    #[error("together within {0} blocks, expected 1 to 144")]
    BadTogether(u32),
    /// `answer_within` is zero.
    #[error("no block to answer within")]
    NoAnswer,
    /// `answer_within` is longer than a request is kept.
    #[error("answer within {0} blocks, expected at most {WITHIN_BLOCKS_MAX}")]
    LongAnswer(u32),
    /// `read_within` ends before a share is sent.
    #[error("read within {0} blocks, expected at least 2")]
    ShortRead(u32),
    /// `read_within` is longer than a request is kept.
    #[error("read within {0} blocks, expected at most {WITHIN_BLOCKS_MAX}")]
    LongRead(u32),
    /// The delay is above `answer_within`, or stands on a leaf with a price or for emergencies.
    #[error("delay of {0} blocks not allowed here")]
    BadDelay(u32),
    /// No read, or more than one in an emergency.
    #[error("{0} reads out of range")]
    BadReads(u16),
    /// A price in an emergency.
    #[error("an emergency has no price")]
    EmergencyPrice,
}

impl Leaf {
    /// What stands in the policy's tree: tagged("policy-leaf", encoding), the salt first.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        LEAF_TAG.hash(&borsh::to_vec(self).expect("writing to memory cannot fail"))
    }

    /// Whether it breaks the glass.
    #[must_use]
    pub fn is_emergency(&self) -> bool {
        self.purposes.is_emergency()
    }

    /// Judges what can be judged without the record: on a chain with this spacing.
    ///
    /// # Errors
    ///
    /// The first rule broken.
    pub fn check(&self, spacing_s: u32) -> Result<(), LeafError> {
        self.check_time(spacing_s)?;
        if self.purposes.bits() == 0 {
            return Err(LeafError::NoPurpose);
        }
        let emergency = self.is_emergency();
        if emergency && !self.purposes.iter().all(Purpose::is_emergency) {
            return Err(LeafError::MixedPurposes);
        }
        if self.set != if emergency { EMERGENCY_SET } else { 0 } {
            return Err(LeafError::WrongSet(self.set));
        }
        let people: usize = self.need.iter().map(|need| usize::from(need.count)).sum();
        if self.need.len() > NEED_MAX
            || people > APPROVERS_MAX
            || self.need.iter().any(|need| need.count == 0)
            || !self.need.is_sorted_by(|a, b| a.role < b.role)
        {
            return Err(LeafError::BadNeed);
        }
        if self.k == 0 || usize::from(self.k) > APPROVERS_MAX {
            return Err(LeafError::BadK(self.k));
        }
        if self.together_within == 0 || self.together_within > ANCHOR_DEPTH_BLOCKS_MAX {
            return Err(LeafError::BadTogether(self.together_within));
        }
        if self.answer_within == 0 {
            return Err(LeafError::NoAnswer);
        }
        if self.answer_within > WITHIN_BLOCKS_MAX {
            return Err(LeafError::LongAnswer(self.answer_within));
        }
        if self.read_within < READ_WITHIN_BLOCKS_MIN {
            return Err(LeafError::ShortRead(self.read_within));
        }
        if self.read_within > WITHIN_BLOCKS_MAX {
            return Err(LeafError::LongRead(self.read_within));
        }
        let at_once = emergency || self.price > 0;
        if self.delay > self.answer_within || (at_once && self.delay > 0) {
            return Err(LeafError::BadDelay(self.delay));
        }
        if self.max_reads == 0 || (emergency && self.max_reads > 1) {
            return Err(LeafError::BadReads(self.max_reads));
        }
        if emergency && self.price > 0 {
            return Err(LeafError::EmergencyPrice);
        }
        Ok(())
    }

    /// Whether a median time past lies in the window and in the daily window.
    #[must_use]
    pub fn is_within(&self, median_time: u32) -> bool {
        self.window.is_none_or(|window| (window.from..window.to).contains(&median_time))
            && self.daily.is_none_or(|daily| daily.contains(median_time))
    }

    fn check_time(&self, spacing_s: u32) -> Result<(), LeafError> {
        let least_s = WINDOW_SPACINGS_MIN * u64::from(spacing_s);
        if self.window.is_none() && self.daily.is_none() {
            return Err(LeafError::NoTime);
        }
        if let Some(Window { from, to }) = self.window {
            let length = to.checked_sub(from).ok_or(LeafError::ShortWindow)?;
            if u64::from(length) < least_s {
                return Err(LeafError::ShortWindow);
            }
        }
        if let Some(daily) = self.daily {
            let is_minute = daily.from < DAY_MINUTES && daily.to < DAY_MINUTES;
            if !is_minute || daily.minutes() == 0 || u64::from(daily.minutes()) * 60 < least_s {
                return Err(LeafError::BadDaily);
            }
        }
        Ok(())
    }
}

impl Daily {
    /// Whether a time lies in it, on whatever day.
    #[must_use]
    pub fn contains(self, time: u32) -> bool {
        let minute = u16::try_from(time / 60 % u32::from(DAY_MINUTES)).expect("minutes of a day");
        if self.from <= self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }

    /// How long it is; 0 if it is empty. Both ends must be minutes of a day.
    fn minutes(self) -> u16 {
        if self.from <= self.to { self.to - self.from } else { DAY_MINUTES - self.from + self.to }
    }
}
