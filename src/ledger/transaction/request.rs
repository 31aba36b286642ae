//! `Request`: a reader asks for a record under one leaf of its policy.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::ledger::policy::{Leaf, Path, Place, Presence, Purpose, RoleRef};
use crate::ledger::signature::PubKey;

/// One attempt to read.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Request {
    /// Which record.
    pub rid: PubKey,
    /// The policy that is meant.
    pub seq: u32,
    /// The leaf that is used: the only one that is ever revealed.
    pub leaf: Leaf,
    /// From the leaf to the policy root.
    pub leaf_path: Path,
    /// What for.
    pub purpose: Purpose,
    /// Who asks, and signs.
    pub reader: PubKey,
    /// Hash of the one-time key to which guardians seal their shares.
    pub reply_commit: [u8; 32],
    /// The role under which the reader may read.
    pub role: Option<RoleProof>,
    /// The place where the reader is.
    pub place: Option<PlaceProof>,
    /// That a beacon heard the reader there.
    pub presence: Option<Presence>,
    /// The most that the reader pays.
    pub max_price: u64,
    /// Commitment to the reason, kept elsewhere.
    pub reason: [u8; 32],
}

/// An entry of the readers' tree.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RoleProof {
    /// The entry.
    pub role: RoleRef,
    /// Its salt.
    pub salt: [u8; 16],
    /// From it to the leaf's `readers`.
    pub path: Path,
}

/// An entry of the places' tree.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PlaceProof {
    /// The entry.
    pub place: Place,
    /// Its salt.
    pub salt: [u8; 16],
    /// From it to the leaf's `places`.
    pub path: Path,
}

impl Request {
    pub(super) fn signers(&self) -> Vec<PubKey> {
        vec![self.reader]
    }

    pub(super) fn keys(&self) -> Vec<PubKey> {
        let mut keys = vec![self.rid, self.reader];
        keys.extend(self.presence.iter().map(|presence| presence.beacon));
        keys
    }
}
