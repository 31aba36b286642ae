//! The rules of blocks and transactions, level by level. A transaction rule is a named error; the order
//! of the names is the order of the checks, so that every verifier names the same one.
//!
//! | level | file | question |
//! |---|---|---|
//! | structure | [`structure`] | is it well formed, whatever the chain? |
//! | isolation | [`isolation`] | is it valid on its own: work, merkle root, ids, signatures? |
//! | context | [`context`] | is it valid after this parent: difficulty, time, state? |
//!
//! What each body asks of the state and changes in it stands in a file of its own: those about access in
//! [`access`], moves of goods in [`goods`].

pub mod access;
pub mod context;
mod error;
pub(in crate::ledger) mod foresight;
pub mod goods;
pub mod isolation;
mod names;
mod pay;
mod reading;
pub mod structure;

pub use access::AttestError;
pub use error::{BlockRule, TransactionError, Verdict};
pub use goods::MoveError;
pub use pay::PayError;
pub use reading::ReadingError;
