//! The header rules by name, in the order in which Bitcoin Core checks them, and how each is broken.

use std::fmt;

use crate::primitives::{BlockHash, CompactError, CompactTarget, Target};

/// A header rule. The order is that of the checks, so the first broken one is the one that Bitcoin Core
/// reports (`CheckBlockHeader`, then `AcceptBlockHeader`, then `ContextualCheckBlockHeader`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The hash meets the target that nBits encode, and that target is one: Bitcoin Core reports
    /// negative, overflowing and zero nBits and those above the limit under this name too.
    HighHash,
    /// The header names its parent. Bitcoin Core says `prev-blk-not-found` when it does not know the
    /// parent at all; a run has one parent, so here it is the wrong one.
    BadPrevblk,
    /// nBits are what the difficulty rule asks for.
    BadDiffbits,
    /// The time is above the median time past.
    TimeTooOld,
    /// The first header of an epoch is not far before its parent (BIP54, BIP94).
    TimeTimewarpAttack,
    /// The last header of an epoch is not before the first one (BIP54).
    TimeNegativeInterval,
    /// The time is not far in the future.
    TimeTooNew,
    /// The version is one that soft forks still allow.
    BadVersion,
}

impl Rule {
    /// Every rule in the order of the checks.
    pub const ALL: [Self; 8] = [
        Self::HighHash,
        Self::BadPrevblk,
        Self::BadDiffbits,
        Self::TimeTooOld,
        Self::TimeTimewarpAttack,
        Self::TimeNegativeInterval,
        Self::TimeTooNew,
        Self::BadVersion,
    ];

    /// The reject reason in Bitcoin Core's words; `bad-version` without the number that Bitcoin Core adds.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HighHash => "high-hash",
            Self::BadPrevblk => "bad-prevblk",
            Self::BadDiffbits => "bad-diffbits",
            Self::TimeTooOld => "time-too-old",
            Self::TimeTimewarpAttack => "time-timewarp-attack",
            Self::TimeNegativeInterval => "time-negative-interval",
            Self::TimeTooNew => "time-too-new",
            Self::BadVersion => "bad-version",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A set of rules.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RuleSet(u16);

impl RuleSet {
    /// No rule.
    pub const EMPTY: Self = Self(0);

    /// Adds a rule.
    pub fn insert(&mut self, rule: Rule) {
        self.0 |= 1 << rule as u16;
    }

    /// Takes a rule away.
    pub fn remove(&mut self, rule: Rule) {
        self.0 &= !(1 << rule as u16);
    }

    /// Whether a rule is in it.
    #[must_use]
    pub fn contains(self, rule: Rule) -> bool {
        self.0 & 1 << rule as u16 != 0
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The rules in the order of the checks.
    pub fn iter(self) -> impl Iterator<Item = Rule> {
        Rule::ALL.into_iter().filter(move |rule| self.contains(*rule))
    }
}

impl fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// How a header breaks a rule: the detail behind the rule's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// nBits encode no target.
    #[error(transparent)]
    Bits(#[from] CompactError),
    /// nBits encode a target above the chain's limit.
    #[error("nBits {bits} encode a target above the limit {limit}")]
    AboveLimit {
        /// The header's nBits.
        bits: CompactTarget,
        /// The easiest target that the chain allows.
        limit: Target,
    },
    /// The hash is above the target.
    #[error("the hash is above the target {target} of nBits {bits}")]
    HashAboveTarget {
        /// The header's nBits.
        bits: CompactTarget,
        /// What they encode.
        target: Target,
    },
    /// The header at height 0 is not the chain's.
    #[error("expected the genesis block {expected}")]
    NotGenesis {
        /// The hash of the chain's genesis.
        expected: BlockHash,
    },
    /// The header names another parent.
    #[error("expected the parent {expected}, got {actual}")]
    WrongParent {
        /// The hash of the header before.
        expected: BlockHash,
        /// The parent that the header names.
        actual: BlockHash,
    },
    /// nBits are not what the difficulty rule asks for.
    #[error("expected nBits {expected}, got {actual}")]
    WrongBits {
        /// What the rule asks for.
        expected: CompactTarget,
        /// The header's nBits.
        actual: CompactTarget,
    },
    /// The time is not above the median time past.
    #[error("expected a time above the median time past {median}, got {time}")]
    NotAfterMedian {
        /// Median time past of the header.
        median: u32,
        /// Its time.
        time: u32,
    },
    /// The first header of an epoch is too far before its parent.
    #[error("expected a time of at least {earliest} at the start of an epoch, got {time}")]
    Timewarp {
        /// The earliest valid time.
        earliest: i64,
        /// The header's time.
        time: u32,
    },
    /// The last header of an epoch is before the first one.
    #[error("expected a time of at least {first_time}, when the epoch began, got {time}")]
    NegativeEpoch {
        /// Time of the epoch's first header.
        first_time: u32,
        /// Time of its last.
        time: u32,
    },
    /// The time is too far in the future.
    #[error("expected a time of at most {latest}, got {time}")]
    TooFarAhead {
        /// The latest valid time.
        latest: i64,
        /// The header's time.
        time: u32,
    },
    /// The version is out of date.
    #[error("expected version {minimum} or above, got {version:#010x} ({version})")]
    OldVersion {
        /// The least valid version at this height.
        minimum: i32,
        /// The header's version.
        version: i32,
    },
}

impl Violation {
    /// The rule that is broken.
    #[must_use]
    pub fn rule(&self) -> Rule {
        match self {
            Self::Bits(_) | Self::AboveLimit { .. } | Self::HashAboveTarget { .. } => {
                Rule::HighHash
            }
            Self::NotGenesis { .. } | Self::WrongParent { .. } => Rule::BadPrevblk,
            Self::WrongBits { .. } => Rule::BadDiffbits,
            Self::NotAfterMedian { .. } => Rule::TimeTooOld,
            Self::Timewarp { .. } => Rule::TimeTimewarpAttack,
            Self::NegativeEpoch { .. } => Rule::TimeNegativeInterval,
            Self::TooFarAhead { .. } => Rule::TimeTooNew,
            Self::OldVersion { .. } => Rule::BadVersion,
        }
    }

    /// Whether the same header may become valid later: it is ahead of the clock and breaks nothing else
    /// that was judged before it.
    #[must_use]
    pub fn may_pass_later(&self) -> bool {
        matches!(self, Self::TooFarAhead { .. })
    }
}
