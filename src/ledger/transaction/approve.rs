//! `Approve`: guardians and people whose role is needed agree to a request.

use borsh::{BorshDeserialize, BorshSerialize};

use super::list;
use crate::ledger::policy::{Path, Presence, RoleRef};
use crate::ledger::signature::PubKey;

/// Approvers in one transaction.
pub const APPROVERS_MAX: usize = 32;

/// One or several approvals of one request.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Approve {
    /// The core id of the request.
    pub request: [u8; 32],
    /// At most [`APPROVERS_MAX`], at least one.
    #[borsh(deserialize_with = "list::at_most::<APPROVERS_MAX, _, _>")]
    pub approvers: Vec<Approver>,
}

/// Who approves, and as what.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Approver {
    /// Who, and signs.
    pub key: PubKey,
    /// That the key is a guardian's; without it the approver counts for roles only.
    pub guardian: Option<GuardianProof>,
    /// The role that the approver holds.
    pub role: RoleRef,
    /// That a beacon heard the approver.
    pub presence: Option<Presence>,
    /// Hash of the ciphertext of the share, sealed to the reader; zero without a guardian path.
    pub release: [u8; 32],
}

/// A place under the record's `guardians_root`.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct GuardianProof {
    /// Salt of the entry.
    pub salt: [u8; 16],
    /// From it to the root; its index is the guardian's.
    pub path: Path,
}

impl Approve {
    pub(super) fn signers(&self) -> Vec<PubKey> {
        self.approvers.iter().map(|approver| approver.key).collect()
    }

    pub(super) fn keys(&self) -> Vec<PubKey> {
        let mut keys = self.signers();
        keys.extend(self.presences().map(|presence| presence.beacon));
        keys
    }

    pub(super) fn presences(&self) -> impl Iterator<Item = &Presence> {
        self.approvers.iter().filter_map(|approver| approver.presence.as_ref())
    }
}
