//! Roles, coarse on purpose, and who vouches for them.

use std::io;

use borsh::io::{Read, Write};
use borsh::{BorshDeserialize, BorshSerialize};

use super::tree::Entry;
use crate::hash::tagged::Tag;
use crate::ledger::transaction::PartyId;

/// What a person is. The codes are consensus and never reused; an unknown one is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Role {
    /// A physician.
    Physician = 1,
    /// A nurse.
    Nurse = 2,
    /// A pharmacist.
    Pharmacist = 3,
    /// A clinician of an emergency service.
    EmergencyClinician = 4,
    /// A patient.
    Patient = 5,
    /// A relative.
    Relative = 6,
    /// An escrow service.
    Escrow = 7,
    /// A laboratory.
    Laboratory = 8,
    /// A researcher.
    Researcher = 9,
}

impl Role {
    /// Every role, by code.
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

    /// Its number on the wire.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// Of a number on the wire.
    #[must_use]
    pub fn of_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    /// The name in tables, JSON and logs.
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
}

impl BorshSerialize for Role {
    fn serialize<W: Write>(&self, writer: &mut W) -> io::Result<()> {
        self.code().serialize(writer)
    }
}

impl BorshDeserialize for Role {
    fn deserialize_reader<R: Read>(reader: &mut R) -> io::Result<Self> {
        let code = u16::deserialize_reader(reader)?;
        Self::of_code(code).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, format!("unknown role {code}"))
        })
    }
}

/// A role by the word of somebody: a claim fits if its issuer, or the site that it names, is `issuer`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct RoleRef {
    /// The role.
    pub role: Role,
    /// The issuer's key or group, or a site's key.
    pub issuer: PartyId,
}

impl Entry for RoleRef {
    const TAG: Tag = Tag::new("reader");
}
