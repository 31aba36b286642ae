//! Policies: who may open a record, where, when and together with whom; and the one predicate that
//! judges it.
//!
//! | file | what |
//! |---|---|
//! | [`role`], [`purpose`] | the codes |
//! | [`commitment`] | salted trees: one root on chain, one branch revealed |
//! | [`cell`] | places as integers |

pub mod cell;
pub mod commitment;
pub mod purpose;
pub mod role;

pub use cell::Cell;
pub use commitment::{CommitmentTree, Committed, Path, Salt, Shown};
pub use purpose::{Purpose, Purposes};
pub use role::{Role, RoleRef};
