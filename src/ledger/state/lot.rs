//! What the state holds about lots of goods.

use borsh::{BorshDeserialize, BorshSerialize};

use super::EntryValue;
use crate::ledger::policy::Moment;
use crate::ledger::transaction::{LotId, PartyId};

/// A lot. One that was made stays for ever, since its name is taken and a recall names it; one that came
/// out of a move is forgotten when another consumes it, or a while after it has ended.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HeldLot {
    /// What kind of goods.
    pub class: [u8; 32],
    /// How many.
    pub quantity: u64,
    /// Who has it, or had it last; who gives it while it is in transit.
    pub holder: PartyId,
    /// How it stands.
    pub status: LotStatus,
    /// The Makes that it comes from, ascending; its own among them if it was made.
    pub origins: Vec<LotId>,
    /// Witnesses that each of its moves needs.
    pub min_witness: u8,
    /// Of a lot that was made.
    pub made: Option<Made>,
}

/// How a lot stands. The numbers are consensus and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum LotStatus {
    /// The holder has it.
    Held = 0,
    /// It is on its way.
    InTransit(Transit) = 1,
    /// Other lots came out of it.
    Consumed = 2,
    /// It was handed to whom it was made for.
    Dispensed = 3,
    /// It was destroyed.
    Destroyed = 4,
}

/// Where a lot is on its way to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Transit {
    /// Who may receive it.
    pub to: PartyId,
    /// Since when.
    pub since: Moment,
}

/// Of a lot that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Made {
    /// By whom.
    pub by: PartyId,
    /// Height of the block that called it back, with everything that came of it.
    pub recalled: Option<u32>,
}

impl EntryValue for HeldLot {}

impl HeldLot {
    /// Whether it has come to its end: nothing can be done with it any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.status, LotStatus::Dispensed | LotStatus::Destroyed)
    }
}
