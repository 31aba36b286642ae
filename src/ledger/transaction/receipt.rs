//! `Receipt`: what came of a request, said by whom it concerns.

use borsh::{BorshDeserialize, BorshSerialize};

use super::party::Party;
use crate::ledger::signature::PubKey;

/// A note or an act on a request.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Receipt {
    /// The core id of the request.
    pub request: [u8; 32],
    /// What.
    pub outcome: Outcome,
    /// Who says so: the owners of the record, or one key.
    pub by: Party,
    /// Hash of the ciphertext that it is about.
    pub blob: [u8; 32],
    /// Commitment to details kept elsewhere.
    pub detail: [u8; 32],
}

/// What a receipt says. The numbers are consensus and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Outcome {
    /// The reader has read.
    Read = 1,
    /// A custodian has handed out the ciphertext.
    Served = 2,
    /// The reader got a share that is not the committed one.
    BadShare = 3,
    /// A guardian refuses.
    Denied = 4,
    /// The owners refuse.
    Veto = 5,
    /// An emergency was looked into afterwards.
    Reviewed = 6,
}

impl Outcome {
    /// Every one, by its number.
    pub const ALL: [Self; 6] =
        [Self::Read, Self::Served, Self::BadShare, Self::Denied, Self::Veto, Self::Reviewed];

    /// The one with a number, as the log of a record notes it.
    #[must_use]
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| *outcome as u8 == number)
    }
}

impl Receipt {
    pub(super) fn signers(&self) -> Vec<PubKey> {
        self.by.signers()
    }

    pub(super) fn keys(&self) -> Vec<PubKey> {
        self.by.keys()
    }
}
