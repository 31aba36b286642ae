//! `Grant`: the owners put another policy in force, or revoke all.

use borsh::{BorshDeserialize, BorshSerialize};

use super::party::Party;
use crate::ledger::signature::PubKey;

/// A new policy root for a record.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Grant {
    /// Which record.
    pub rid: PubKey,
    /// Its owners.
    pub owners: Party,
    /// One above the last that was given out for this record.
    pub seq: u32,
    /// The policy; zero revokes all at once.
    pub policy_root: [u8; 32],
    /// First height at which a policy holds; 0 where all is revoked.
    pub not_before_h: u32,
}

impl Grant {
    pub(super) fn signers(&self) -> Vec<PubKey> {
        self.owners.signers()
    }

    pub(super) fn keys(&self) -> Vec<PubKey> {
        let mut keys = vec![self.rid];
        keys.extend(self.owners.keys());
        keys
    }
}
