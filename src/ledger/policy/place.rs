//! Places: a site, a cell of the H3 grid, an emergency service, anywhere.

use borsh::{BorshDeserialize, BorshSerialize};

use super::cell::Cell;
use super::tree::Entry;
use crate::hash::tagged::Tag;
use crate::ledger::transaction::PartyId;

/// Where a record may be read. The numbers are consensus and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Place {
    /// At a site, by its key.
    Site(PartyId) = 1,
    /// At a site of this issuer whose cells all lie in this one.
    Cell(Cell, PartyId) = 2,
    /// At a site with an emergency claim by another issuer than the reader's.
    AnyEmergency = 3,
    /// No matter where.
    Anywhere = 4,
}

impl Entry for Place {
    const TAG: Tag = Tag::new("place");
}
