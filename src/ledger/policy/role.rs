//! Who somebody is to a policy: a coarse role under the authority that vouches for it. Speciality and
//! ward never stand in clear; they live in salted sub-trees.

use std::fmt;
use std::io;

use borsh::{BorshDeserialize, BorshSerialize};

use super::commitment::Committed;
use crate::hash::tagged::Tag;
use crate::ledger::signature::PubKey;

/// A role. The numbers are consensus and never reused; an unknown one does not decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
#[non_exhaustive]
pub enum Role {
    /// Physician.
    Physician = 1,
    /// Nurse.
    Nurse = 2,
    /// Pharmacist.
    Pharmacist = 3,
    /// Clinician of an emergency service.
    EmergencyClinician = 4,
    /// The patient.
    Patient = 5,
    /// A relative of the patient.
    Relative = 6,
    /// An unattended service that holds shares.
    Escrow = 7,
    /// Laboratory.
    Laboratory = 8,
    /// Researcher.
    Researcher = 9,
}

/// A role and who vouches for it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct RoleRef {
    /// The role.
    pub role: Role,
    /// The issuer of the role's claim, or the site that the claim names.
    pub authority: PubKey,
}

impl Committed for RoleRef {
    const TAG: Tag = Tag::new("reader");
}

impl Role {
    /// Every role, in the order of the codes.
    pub const ALL: [Self; 9] = [
        Self::Physician,
        Self::Nurse,
        Self::Pharmacist,
        Self::EmergencyClinician,
        Self::Patient,
        Self::Relative,
        Self::Escrow,
        Self::Laboratory,
        Self::Researcher,
    ];

    /// The code.
    #[must_use]
    pub const fn code(self) -> u16 {
        // The discriminant, which is what is written.
        self as u16
    }

    /// The name in files, on the command line and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Physician => "physician",
            Self::Nurse => "nurse",
            Self::Pharmacist => "pharmacist",
            Self::EmergencyClinician => "emergency-clinician",
            Self::Patient => "patient",
            Self::Relative => "relative",
            Self::Escrow => "escrow",
            Self::Laboratory => "laboratory",
            Self::Researcher => "researcher",
        }
    }

    /// The role of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl BorshSerialize for Role {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.code().serialize(writer)
    }
}

impl BorshDeserialize for Role {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let code = u16::deserialize_reader(reader)?;
        let known = Self::ALL.into_iter().find(|role| role.code() == code);
        let unknown = || format!("unknown role {code}");
        known.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, unknown()))
    }
}
