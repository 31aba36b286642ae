//! `Pay`: moves tokens from one key to another.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::ledger::signature::PubKey;

/// Moves `amount` units.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Pay {
    /// Who pays, and signs.
    pub from: PubKey,
    /// Who is paid.
    pub to: PubKey,
    /// Units, above zero.
    pub amount: u64,
    /// On what terms.
    pub kind: PayKind,
}

/// The terms of a payment. The numbers are consensus and never reused.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
#[non_exhaustive]
pub enum PayKind {
    /// A plain transfer.
    Plain = 0,
}

impl Pay {
    pub(super) fn signers(&self) -> Vec<PubKey> {
        match self.kind {
            PayKind::Plain => vec![self.from],
        }
    }

    pub(super) fn keys(&self) -> Vec<PubKey> {
        vec![self.from, self.to]
    }
}
