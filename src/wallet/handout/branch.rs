//! One branch of a record's policy: a leaf with the paths that show it, its readers and its places. It is
//! what an owner gives a reader to ask with, and says nothing of the policy's other leaves.

use borsh::{BorshDeserialize, BorshSerialize};

use super::Handout;
use crate::ledger::policy::{Branch, Place, RoleRef};
use crate::ledger::signature::PubKey;
use crate::primitives::BlockHash;

/// A branch of a record's policy. The policy's number is not in it: the chain says which policy in force
/// has [`Branch::root`].
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PolicyBranch {
    /// The record.
    pub rid: PubKey,
    /// The branch. Invariant of one that was read: it is sound.
    pub branch: Branch,
}

impl PolicyBranch {
    /// The branch with the readers and places that `readers` and `places` pick, for somebody who has to
    /// know of no others. It says no more than a request under it will.
    #[must_use]
    pub fn only(
        mut self,
        readers: impl Fn(&RoleRef) -> bool,
        places: impl Fn(&Place) -> bool,
    ) -> Self {
        self.branch.readers.retain(|shown| readers(&shown.value));
        self.branch.places.retain(|shown| places(&shown.value));
        self
    }
}

impl Handout for PolicyBranch {
    const FORMAT: &'static str = "proofward-branch";
    const NAME: &'static str = "policy branch";

    fn fault(&self, _genesis: &BlockHash) -> Option<String> {
        if let Err(error) = self.rid.check() {
            return Some(format!("record {}: {error}", self.rid));
        }
        (!self.branch.is_sound()).then(|| "a path does not lead where it should".to_owned())
    }
}
