//! `Record`: commits to an encrypted record, who owns it, who guards its key, and under which policy it
//! opens; with `prev` it takes the place of an earlier one under a new key.

use borsh::{BorshDeserialize, BorshSerialize};

use super::list;
use super::party::Party;
use crate::ledger::signature::PubKey;

/// Share sets of a record: the normal one and one for emergencies.
pub const SHARE_SETS_MAX: usize = 2;
/// Guardians of a share set.
pub const GUARDIANS_MAX: u8 = 32;

/// A record as the chain knows it: commitments only.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Record {
    /// A fresh key that names the record, and signs.
    pub rid: PubKey,
    /// Who owns it.
    pub owners: Party,
    /// Hash of the ciphertext.
    pub blob: [u8; 32],
    /// Commitment to where the ciphertext is kept.
    pub pointer: [u8; 32],
    /// 0, or one above that of `prev`.
    pub epoch: u32,
    /// One or two: a leaf of the policy names one by its index.
    #[borsh(deserialize_with = "list::at_most::<SHARE_SETS_MAX, _, _>")]
    pub share_sets: Vec<ShareSet>,
    /// Who is paid where a leaf has a price.
    pub payout: PubKey,
    /// Root of the policy's leaves, or zero for none yet.
    pub policy_root: [u8; 32],
    /// Blocks that a new policy waits, at least 1.
    pub grant_delay: u32,
    /// The record whose place this one takes.
    pub prev: Option<Previous>,
}

/// The record that a new one replaces.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Previous {
    /// Its name.
    pub rid: PubKey,
    /// Its owners, who sign as well.
    pub owners: Party,
}

/// How the content key is shared: k of n guardians.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ShareSet {
    /// Guardians, at most [`GUARDIANS_MAX`].
    pub n: u8,
    /// How many shares give the key, at least 2.
    pub k: u8,
    /// Commitment to the shares.
    pub shares_root: [u8; 32],
    /// Commitment to the guardians' keys, salted.
    pub guardians_root: [u8; 32],
    /// Bit i, from the least significant: without guardian i no share combination gives the key. By
    /// index, because their keys are hidden.
    pub required: u32,
}

impl Record {
    pub(super) fn signers(&self) -> Vec<PubKey> {
        let mut signers = vec![self.rid];
        signers.extend(self.owners.signers());
        signers.extend(self.prev.iter().flat_map(|prev| prev.owners.signers()));
        signers
    }

    pub(super) fn keys(&self) -> Vec<PubKey> {
        let mut keys = vec![self.rid];
        keys.extend(self.owners.keys());
        keys.push(self.payout);
        if let Some(prev) = &self.prev {
            keys.push(prev.rid);
            keys.extend(prev.owners.keys());
        }
        keys
    }
}
