//! What a policy says: leaves under one salted root, of which only the one that is used is ever revealed,
//! and the roles, purposes, places and presences that they speak of. Values and pure functions; the
//! rules of the bodies stand in [`crate::ledger::rules::access`].

mod leaf;
mod moment;
mod place;
mod presence;
mod purpose;
mod role;
mod tree;

pub use leaf::{Daily, Leaf, NEED_MAX, Need, Together, Window};
pub use moment::Moment;
pub use place::{Cell, Place};
pub use presence::Presence;
pub use purpose::{Purpose, Purposes};
pub use role::{Role, RoleRef};
pub use tree::{PATH_MAX, Path};
