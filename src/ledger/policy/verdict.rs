//! What the predicate answers: yes, or the first clause that fails and why. A reason says nothing that
//! the request and the leaf it reveals do not say.

use std::fmt;

use super::leaf::LeafError;
use super::{Purpose, RoleRef};

/// The clauses of a policy leaf, in the order in which they are judged. The numbers stand in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Clause {
    /// The record is active and the request names the policy in force.
    Record = 1,
    /// The leaf is in the policy.
    Leaf = 2,
    /// The time is right, and there is still time.
    Time = 3,
    /// The purpose is permitted.
    Purpose = 4,
    /// The reader holds a role that may read.
    Reader = 5,
    /// The reader is at a place named.
    Place = 6,
    /// Enough people of every role, enough guardians, and those without whom it does not go.
    Approvers = 7,
    /// They are together as the leaf says.
    Together = 8,
    /// The delay is over, nobody objects, a read is left.
    Open = 9,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every clause holds.
    Allow,
    /// The first that does not.
    Deny(Reason),
}

/// Why a clause fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// There is no such record.
    NoRecord,
    /// Another record has taken its place.
    Retired,
    /// The owners have revoked everything.
    Revoked,
    /// Another policy is in force.
    OtherPolicy {
        /// Its number.
        current: u32,
        /// The one that is asked under.
        asked: u32,
    },
    /// No path from the leaf to the policy's root.
    NotInPolicy,
    /// A leaf that makes no sense opens nothing.
    BadLeaf(LeafError),
    /// The record has no such share set, or one that the leaf asks too little of, or an emergency set
    /// with a member without whom it does not go.
    BadSet,
    /// The median time lies outside the windows.
    OutsideWindow {
        /// The median time.
        median_time: u32,
    },
    /// The time to answer is over.
    AnswerOver {
        /// Its last height.
        to: u32,
    },
    /// The time to read is over.
    ReadOver {
        /// Its last height.
        to: u32,
    },
    /// Another purpose.
    PurposeNotPermitted(Purpose),
    /// The reader shows no role of the leaf.
    RoleNotShown,
    /// The reader never held the role.
    RoleNotHeld(RoleRef),
    /// The role's claim, or one it rests on, does not hold now.
    RoleNotLive(RoleRef),
    /// In an emergency only claims of some age count.
    RoleTooYoung(RoleRef),
    /// The reader owes the review of an earlier emergency.
    ReviewOwed,
    /// The reader shows no place of the leaf.
    PlaceNotShown,
    /// No beacon spoke for the reader.
    NotPresent,
    /// A beacon spoke, but did not hear this key.
    NotHeard,
    /// What the beacon said names no block of the last 144.
    UnknownAnchor,
    /// What the beacon said is too old.
    StalePresence {
        /// Height of its anchor.
        anchor: u32,
        /// Least height.
        least: u32,
    },
    /// The beacon, or its site, has no live claim.
    BeaconNotLive,
    /// The beacon stands elsewhere.
    ElsePlace,
    /// Too few people of a role.
    TooFew {
        /// The role.
        role: RoleRef,
        /// How many have approved and hold it.
        have: u8,
        /// How many it takes.
        need: u8,
    },
    /// Somebody without whom it does not go is missing.
    RequiredMissing {
        /// How many such are missing.
        missing: u8,
    },
    /// Too few guardians.
    TooFewGuardians {
        /// How many have approved.
        have: u8,
        /// How many it takes.
        need: u8,
    },
    /// The reader signed too early, or was not heard, to be together with anybody.
    ReaderApart,
    /// Enough have approved, but not close enough together.
    Apart,
    /// The owners may still veto.
    Delay {
        /// The height at which it ends, if time keeps up.
        until: u32,
    },
    /// The owners said no.
    Vetoed,
    /// The leaf has been used as often as it may.
    NoReads {
        /// How often it may.
        most: u16,
    },
}

impl Clause {
    /// Every clause in order.
    pub const ALL: [Self; 9] = [
        Self::Record,
        Self::Leaf,
        Self::Time,
        Self::Purpose,
        Self::Reader,
        Self::Place,
        Self::Approvers,
        Self::Together,
        Self::Open,
    ];

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        // The discriminant, which is what is written.
        self as u8
    }

    /// Of a number.
    #[must_use]
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|clause| clause.number() == number)
    }
}

impl Reason {
    /// The clause that fails.
    #[must_use]
    pub const fn clause(&self) -> Clause {
        match self {
            Self::NoRecord | Self::Retired | Self::Revoked | Self::OtherPolicy { .. } => {
                Clause::Record
            }
            Self::NotInPolicy | Self::BadLeaf(_) | Self::BadSet => Clause::Leaf,
            Self::OutsideWindow { .. } | Self::AnswerOver { .. } | Self::ReadOver { .. } => {
                Clause::Time
            }
            Self::PurposeNotPermitted(_) => Clause::Purpose,
            Self::RoleNotShown
            | Self::RoleNotHeld(_)
            | Self::RoleNotLive(_)
            | Self::RoleTooYoung(_)
            | Self::ReviewOwed => Clause::Reader,
            Self::PlaceNotShown
            | Self::NotPresent
            | Self::NotHeard
            | Self::UnknownAnchor
            | Self::StalePresence { .. }
            | Self::BeaconNotLive
            | Self::ElsePlace => Clause::Place,
            Self::TooFew { .. } | Self::RequiredMissing { .. } | Self::TooFewGuardians { .. } => {
                Clause::Approvers
            }
            Self::ReaderApart | Self::Apart => Clause::Together,
            Self::Delay { .. } | Self::Vetoed | Self::NoReads { .. } => Clause::Open,
        }
    }
}

impl Verdict {
    /// Whether it is yes.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow)
    }

    /// Why not.
    #[must_use]
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Allow => None,
            Self::Deny(reason) => Some(*reason),
        }
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}
