//! Who has which role and where beacons stand, by the claims in a session: walked once for all transactions
//! of a block that ask, since most are about the same people and places.
//!
//! What is one entry is not kept here: [`Session::shared`](super::Session::shared) keeps it decoded.

use std::rc::Rc;

use crate::ledger::map::LongKeyMap;
use crate::ledger::policy::{Holding, Judge, RoleRef, Site};
use crate::ledger::signature::PubKey;

/// What walks have found.
///
/// Invariant: each is what a walk by `judge` would find now. The session drops all of them when an entry
/// is written that a walk reads.
#[derive(Debug, Default)]
pub(in crate::ledger) struct Walked {
    judge: Option<Judge>,
    /// By key and role.
    pub(in crate::ledger) holdings: LongKeyMap<(PubKey, RoleRef), Option<Holding>>,
    /// By beacon.
    pub(in crate::ledger) sites: LongKeyMap<PubKey, Rc<[Site]>>,
}

impl Walked {
    /// What this judge has found: at another moment it might find something else.
    pub(super) fn by(&mut self, judge: Judge) -> &mut Self {
        if self.judge != Some(judge) {
            *self = Self { judge: Some(judge), ..Self::default() };
        }
        self
    }
}
