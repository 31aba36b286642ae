//! The rules of blocks and transactions, level by level. A transaction rule is a named error; the order
//! of the names is the order of the checks, so that every verifier names the same one.
//!
//! | level | file | question |
//! |---|---|---|
//! | structure | [`structure`] | is it well formed, whatever the chain? |
//! | isolation | [`isolation`] | is it valid on its own: work, merkle root, ids, signatures? |
//! | context | [`context`] | is it valid after this parent: difficulty, time, state? |

pub mod context;
mod error;
pub mod isolation;
pub mod structure;

pub use error::{AttestError, BlockRule, PayError, TransactionError, Verdict};
