//! What a policy says: leaves under one salted root, of which only the one that is used is ever revealed,
//! and the roles, purposes, places and presences that they speak of; and the one predicate that judges
//! them. Values and pure functions; the rules of the bodies stand in [`crate::ledger::rules::access`].
//!
//! | file | what |
//! |---|---|
//! | `role`, `purpose`, `place`, `cell` | codes and places as integers |
//! | `leaf`, `moment` | one way to open a record; heights with their time |
//! | `tree`, `guardian`, `presence` | salted trees and what stands in them |
//! | `asked`, `allow`, `verdict` | the predicate: what it is asked, its nine clauses, what it answers |
//! | `world`, `who` | who can open a record at all |
//! | `build` | policies for wallets |

mod allow;
mod asked;
mod build;
mod cell;
mod guardian;
mod leaf;
mod moment;
mod place;
mod presence;
mod purpose;
mod role;
mod standing;
mod tree;
mod verdict;
mod who;
mod world;

pub use allow::{
    APPROVALS_MAX, Counted, EMERGENCY_CLAIM_BLOCKS, allow, completion, completion_after, failing,
    findings, refusal, role_fault, unfit,
};
pub use asked::{AccessRead, Approval, Asked, Heard, Holding, Led, Site, Standing, Threshold};
pub use build::{Branch, Draft, PolicyError, PolicyTree, Shown};
pub use cell::Cell;
pub use guardian::Guardian;
pub(in crate::ledger) use guardian::LedGuardian;
pub use leaf::{
    DAY_MINUTES, Daily, EMERGENCY_SET, Leaf, LeafError, NEED_MAX, Need, READ_WITHIN_BLOCKS_MIN,
    TOGETHER_WITHIN_DEFAULT, Together, WINDOW_SPACINGS_MIN, WITHIN_BLOCKS_MAX, Window,
};
pub use moment::Moment;
pub use place::Place;
pub use presence::{Presence, PresentKey, Roll};
pub use purpose::{Purpose, Purposes};
pub use role::{Role, RoleRef};
pub use standing::{Authority, CHAIN_CLAIMS_MAX, Judge, LiveSite, ReadClaims, is_role, site_of};
pub use tree::{Entry, LEAVES_MAX, PATH_MAX, Path, Salt, Tree};
pub use verdict::{Clause, Reason, Verdict};
pub use who::{Openers, Risk, SETS_MAX, TooMany, Way, who_can_open};
pub use world::{BeaconClaim, KnownBranch, RoleClaim, World};
