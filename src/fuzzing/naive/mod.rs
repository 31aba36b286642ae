//! A second opinion: Bitcoin's arithmetic and header rules, the ledger's state root and
//! its access rules, written again,
//! apart from [`crate::primitives`], [`crate::consensus`] and the ledger, slow and plain, so that the two can be compared. It
//! takes a chain's figures from its specification and nothing else from there. For tests, not for use.

#[cfg(feature = "ledger")]
pub mod access;
mod headers;
mod number;
mod state_tree;

pub use headers::{expected_bits, first_broken};
pub use number::{compact, expand, is_at_most, work};
pub use state_tree::{Entries, state_root};
