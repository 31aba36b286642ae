//! `Attest`: an issuer claims something about a subject, for a window of heights.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::ledger::signature::PubKey;
use crate::primitives::BlockHash;

/// A claim. For [`Claim::Checkpoint`] the fields that it does not use have one canonical value: the
/// subject is the issuer, the window is the height that it names, tag and evidence are zero and there
/// is no previous claim.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Attest {
    /// Who claims.
    pub issuer: PubKey,
    /// About whom.
    pub subject: PubKey,
    /// What.
    pub claim: Claim,
    /// First height at which the claim holds.
    pub from_h: u32,
    /// First height at which it no longer holds.
    pub to_h: u32,
    /// Pseudonym of the subject with this issuer.
    pub subject_tag: [u8; 16],
    /// Commitment to evidence kept elsewhere.
    pub evidence: [u8; 32],
    /// The core id of the claim that this one renews.
    pub prev: Option<[u8; 32]>,
}

/// What is claimed. The numbers are consensus and never reused.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
#[non_exhaustive]
pub enum Claim {
    /// A witness has seen this block on its chain.
    Checkpoint(Checkpoint) = 11,
}

/// What a witness attests: the first step of finality.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Checkpoint {
    /// The block attested.
    pub at: Point,
    /// The witness's previous checkpoint, an ancestor of this one; none for its first.
    pub previous: Option<Point>,
}

/// A block by height and hash.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct Point {
    /// Its height.
    pub height: u32,
    /// Its hash, internal byte order.
    pub hash: [u8; 32],
}

impl Point {
    /// The hash with its name.
    #[must_use]
    pub fn block(&self) -> BlockHash {
        BlockHash(self.hash)
    }
}

impl Attest {
    /// A witness's checkpoint with every unused field at its canonical value.
    #[must_use]
    pub fn checkpoint(witness: PubKey, at: Point, previous: Option<Point>) -> Self {
        Self {
            issuer: witness,
            subject: witness,
            claim: Claim::Checkpoint(Checkpoint { at, previous }),
            from_h: at.height,
            to_h: at.height.saturating_add(1),
            subject_tag: [0; 16],
            evidence: [0; 32],
            prev: None,
        }
    }

    pub(super) fn signers(&self) -> Vec<PubKey> {
        match self.claim {
            Claim::Checkpoint(_) => vec![self.issuer],
        }
    }

    pub(super) fn keys(&self) -> Vec<PubKey> {
        vec![self.issuer, self.subject]
    }
}
