//! A leaf of a policy: one way to open a record.

use borsh::{BorshDeserialize, BorshSerialize};

use super::{Purposes, RoleRef};
use crate::ledger::transaction::list;

/// Entries of a leaf's `need`.
pub const NEED_MAX: usize = 8;

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
    /// Whose approval is needed, at most [`NEED_MAX`] entries.
    #[borsh(deserialize_with = "list::at_most::<NEED_MAX, _, _>")]
    pub need: Vec<Need>,
    /// Guardians needed, at least the share set's k.
    pub k: u8,
    /// How close together.
    pub together: Together,
    /// Blocks that 1 of `together` allows, and the oldest presence anchor.
    pub together_within: u32,
    /// Blocks after the request in which it may be approved.
    pub answer_within: u32,
    /// Blocks after opening in which it may be read.
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
