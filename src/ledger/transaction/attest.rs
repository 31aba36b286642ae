//! `Attest`: an issuer claims something about a subject, for a window of heights; or withdraws a claim.

use borsh::{BorshDeserialize, BorshSerialize};

use super::list;
use super::party::{Party, PartyId};
use crate::ledger::policy::{Cell, Role};
use crate::ledger::signature::PubKey;
use crate::primitives::BlockHash;

/// Cells of a site.
pub const SITE_CELLS_MAX: usize = 256;

/// A claim. For [`Claim::Checkpoint`] and [`Claim::Withdrawal`] the fields that they do not use have one
/// canonical value, which [`Attest::checkpoint`] and [`Attest::withdrawal`] write.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Attest {
    /// Who claims.
    pub issuer: Party,
    /// About whom. The subject signs as well, except for a withdrawal.
    pub subject: Party,
    /// What.
    pub claim: Claim,
    /// First height at which the claim holds.
    pub from_h: u32,
    /// First height at which it no longer holds.
    pub to_h: u32,
    /// Pseudonym of the subject with this issuer; zero for a subject that is no person.
    pub subject_tag: [u8; 16],
    /// Commitment to evidence kept elsewhere.
    pub evidence: [u8; 32],
    /// The core id of the claim that this one renews.
    pub prev: Option<[u8; 32]>,
}

/// What is claimed. The numbers are consensus and never reused; bit n of [`IssuerSet::claims`] stands for
/// number n.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
#[non_exhaustive]
pub enum Claim {
    /// May issue everything except anchors; only a genesis anchor makes one.
    Anchor = 1,
    /// May issue the claims of this set.
    Issuer(IssuerSet) = 2,
    /// Has a role, at a site or anywhere.
    Role {
        /// The role.
        role: Role,
        /// The site's key.
        site: Option<PartyId>,
    } = 3,
    /// Is a site with these cells, ascending.
    Site(#[borsh(deserialize_with = "list::at_most::<SITE_CELLS_MAX, _, _>")] Vec<Cell>) = 4,
    /// Is a beacon of a site.
    Beacon {
        /// The site's key.
        site: PartyId,
    } = 5,
    /// The site, which is the subject, is an emergency service.
    Emergency {
        /// The site's key.
        site: PartyId,
    } = 6,
    /// Keeps ciphertexts.
    Custodian = 7,
    /// Is a device.
    Device {
        /// Commitment to its model.
        model: [u8; 32],
        /// Hash of its firmware.
        firmware: [u8; 32],
    } = 8,
    /// Makes goods.
    Maker = 9,
    /// Reviews emergencies.
    Auditor = 10,
    /// A witness has seen this block on its chain.
    Checkpoint(Checkpoint) = 11,
    /// An earlier claim holds no more, from this block on.
    Withdrawal(Withdrawn) = 12,
}

/// What a withdrawal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Withdrawn {
    /// One claim, by its core id.
    Claim([u8; 32]) = 0,
    /// Every device of a model that an issuer has named, and what they signed is tainted.
    Model {
        /// The issuer of the device claims.
        issuer: PartyId,
        /// The model.
        model: [u8; 32],
    } = 1,
}

/// The claims that an issuer may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct IssuerSet {
    /// Bit n: claims of number n. Only 2 to 10 can be given; at least one is.
    pub claims: u16,
    /// Bit n: roles of code n. Some if, and only if, roles are among the claims.
    pub roles: u16,
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

impl Claim {
    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u8 {
        match self {
            Self::Anchor => 1,
            Self::Issuer(_) => 2,
            Self::Role { .. } => 3,
            Self::Site(_) => 4,
            Self::Beacon { .. } => 5,
            Self::Emergency { .. } => 6,
            Self::Custodian => 7,
            Self::Device { .. } => 8,
            Self::Maker => 9,
            Self::Auditor => 10,
            Self::Checkpoint(_) => 11,
            Self::Withdrawal(_) => 12,
        }
    }
}

impl IssuerSet {
    /// Every claim that can be given, every role.
    pub const ALL: Self = Self { claims: 0b0111_1111_1100, roles: 0b0011_1111_1110 };

    /// Claims by number, roles by code.
    #[must_use]
    pub fn of(claims: &[u8], roles: &[Role]) -> Self {
        let claims = claims.iter().fold(0, |bits, number| bits | 1u16 << (number & 15));
        let roles = roles.iter().fold(0, |bits, role| bits | 1u16 << (role.code() & 15));
        Self { claims, roles }
    }

    /// Whether every bit is known, and none says nothing.
    #[must_use]
    pub const fn is_canonical(self) -> bool {
        let gives_roles = self.claims & 1 << 3 != 0;
        self.claims != 0 && self.is_within(Self::ALL) && gives_roles == (self.roles != 0)
    }

    /// Whether it holds nothing that `other` does not.
    #[must_use]
    pub const fn is_within(self, other: Self) -> bool {
        self.claims & !other.claims == 0 && self.roles & !other.roles == 0
    }

    /// Whether a claim may be made by whoever has this set.
    #[must_use]
    pub fn covers(self, claim: &Claim) -> bool {
        let has_number = self.claims >> claim.number() & 1 == 1;
        has_number
            && match claim {
                Claim::Issuer(set) => set.is_within(self),
                Claim::Role { role, .. } => self.roles >> role.code() & 1 == 1,
                _ => true,
            }
    }
}

impl Attest {
    /// A witness's checkpoint with every unused field at its canonical value.
    #[must_use]
    pub fn checkpoint(witness: PubKey, at: Point, previous: Option<Point>) -> Self {
        Self {
            issuer: witness.into(),
            subject: witness.into(),
            claim: Claim::Checkpoint(Checkpoint { at, previous }),
            from_h: at.height,
            to_h: at.height.saturating_add(1),
            subject_tag: [0; 16],
            evidence: [0; 32],
            prev: None,
        }
    }

    /// A withdrawal with every unused field at its canonical value.
    #[must_use]
    pub fn withdrawal(by: Party, withdrawn: Withdrawn, evidence: [u8; 32]) -> Self {
        Self {
            subject: by.clone(),
            issuer: by,
            claim: Claim::Withdrawal(withdrawn),
            from_h: 0,
            to_h: 0,
            subject_tag: [0; 16],
            evidence,
            prev: None,
        }
    }

    /// The witness of a checkpoint: witnesses are single keys.
    #[must_use]
    pub fn witness(&self) -> Option<PubKey> {
        match (&self.issuer, &self.claim) {
            (Party::Key(key), Claim::Checkpoint(_)) => Some(*key),
            _ => None,
        }
    }

    pub(super) fn signers(&self) -> Vec<PubKey> {
        let mut signers = self.issuer.signers();
        if !matches!(self.claim, Claim::Checkpoint(_) | Claim::Withdrawal(_)) {
            signers.extend(self.subject.signers());
        }
        signers
    }

    pub(super) fn keys(&self) -> Vec<PubKey> {
        let mut keys = self.issuer.keys();
        keys.extend(self.subject.keys());
        keys
    }
}
