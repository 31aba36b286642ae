//! Paths in the salted trees of a policy.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::ledger::transaction::list;

/// Levels of a tree.
pub const PATH_MAX: usize = 16;

/// From an entry to the root.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Path {
    /// Index of the entry, from 0.
    pub index: u16,
    /// The hashes beside it, lowest level first, at most [`PATH_MAX`].
    #[borsh(deserialize_with = "list::at_most::<PATH_MAX, _, _>")]
    pub siblings: Vec<[u8; 32]>,
}
