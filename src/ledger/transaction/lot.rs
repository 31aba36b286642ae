//! `Move`: what happens to a lot of goods, from its making to its end, claimed by those who sign.
//!
//! A lot is named by its maker (a Make: tagged("lot-made", maker || id)) or by the move that it came out
//! of (tagged("lot", core id || index)). The ledger keeps the claims consistent with one another; whether
//! a thing is what they say is where lies enter, and nothing here can tell.

use borsh::{BorshDeserialize, BorshSerialize};

use super::party::{Party, PartyId};
use super::{CoreId, LotId, list};
use crate::hash::tagged::Tag;
use crate::ledger::policy::{Presence, RoleRef};
use crate::ledger::signature::PubKey;

/// Lots that a move may consume.
pub const INPUTS_MAX: usize = 16;
/// Lots that may come out of a move.
pub const OUTPUTS_MAX: usize = 16;
/// Witnesses of a move.
pub const WITNESSES_MAX: usize = 16;

const MADE_TAG: Tag = Tag::new("lot-made");
const OUTPUT_TAG: Tag = Tag::new("lot");

/// A step in the life of lots.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Move {
    /// Who acts, and signs: the maker of a Make, the giver of a Ship, the receiver of a Receive, the maker
    /// or an ancestor of its claim for a Recall, the holder for everything else.
    pub by: Party,
    /// What is done.
    pub step: Step,
    /// Hash of the event as it was reported elsewhere: the 32 bytes of EPCIS's `ni:///sha-256;` hash.
    pub event: [u8; 32],
    /// The site at which it is said to happen.
    pub site: Option<PartyId>,
    /// That a beacon of the site heard who acts.
    pub presence: Option<Presence>,
    /// Who else says so, and signs; at most [`WITNESSES_MAX`].
    #[borsh(deserialize_with = "list::at_most::<WITNESSES_MAX, _, _>")]
    pub witnesses: Vec<Witness>,
}

/// What is done to which lots. The numbers are consensus and never reused.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Step {
    /// Goods are made, out of nothing that is on record or out of lots that the maker holds.
    Make {
        /// Names the lot among its maker's: a salted hash of the code on the package.
        id: [u8; 32],
        /// What kind of goods: a commitment to the product's code.
        class: [u8; 32],
        /// How many, above zero.
        quantity: u64,
        /// Lots of any class that go into it, ascending.
        #[borsh(deserialize_with = "list::at_most::<INPUTS_MAX, _, _>")]
        inputs: Vec<LotId>,
        /// Witnesses that every move of the lot needs, this one included.
        min_witness: u8,
    } = 1,
    /// The giver sends a lot to somebody.
    Ship {
        /// The lot.
        lot: LotId,
        /// Who may receive it.
        to: PartyId,
    } = 2,
    /// The addressee takes a lot over; or the giver takes it back after a while.
    Receive {
        /// The lot.
        lot: LotId,
    } = 3,
    /// Lots of one class become one.
    Pack {
        /// Ascending.
        #[borsh(deserialize_with = "list::at_most::<INPUTS_MAX, _, _>")]
        inputs: Vec<LotId>,
        /// Of the one that comes out: as much as went in.
        quantity: u64,
    } = 4,
    /// A lot becomes several.
    Unpack {
        /// The lot.
        lot: LotId,
        /// Quantities of those that come out, together as much as went in.
        #[borsh(deserialize_with = "list::at_most::<OUTPUTS_MAX, _, _>")]
        outputs: Vec<u64>,
    } = 5,
    /// Lots of one class are divided anew.
    Split {
        /// Ascending.
        #[borsh(deserialize_with = "list::at_most::<INPUTS_MAX, _, _>")]
        inputs: Vec<LotId>,
        /// Quantities of those that come out, together as much as went in.
        #[borsh(deserialize_with = "list::at_most::<OUTPUTS_MAX, _, _>")]
        outputs: Vec<u64>,
    } = 6,
    /// A lot is handed to whom it was made for, who is not named.
    Dispense {
        /// The lot.
        lot: LotId,
    } = 7,
    /// A lot is destroyed.
    Destroy {
        /// The lot.
        lot: LotId,
    } = 8,
    /// Everything that came of a Make is called back.
    Recall {
        /// The lot as it was made.
        made: LotId,
    } = 9,
}

/// Somebody else who signs a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Witness {
    /// Who.
    pub key: PubKey,
    /// The role that makes the key a person.
    pub role: RoleRef,
}

impl LotId {
    /// The lot that a maker has named so.
    #[must_use]
    pub fn made(maker: PartyId, id: &[u8; 32]) -> Self {
        Self(MADE_TAG.start().update(&maker.0).update(id).finish())
    }

    /// A lot that came out of a move, by its place among the outputs.
    #[must_use]
    pub fn output(core: &CoreId, index: u32) -> Self {
        Self(OUTPUT_TAG.start().update(&core.0).update(&index.to_le_bytes()).finish())
    }
}

impl Step {
    /// The name in tables, JSON and logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Make { .. } => "make",
            Self::Ship { .. } => "ship",
            Self::Receive { .. } => "receive",
            Self::Pack { .. } => "pack",
            Self::Unpack { .. } => "unpack",
            Self::Split { .. } => "split",
            Self::Dispense { .. } => "dispense",
            Self::Destroy { .. } => "destroy",
            Self::Recall { .. } => "recall",
        }
    }

    /// The lots that it moves or consumes: those whose holder, or addressee, acts. None of a Recall.
    #[must_use]
    pub fn lots(&self) -> &[LotId] {
        match self {
            Self::Make { inputs, .. } | Self::Pack { inputs, .. } | Self::Split { inputs, .. } => {
                inputs
            }
            Self::Ship { lot, .. }
            | Self::Receive { lot }
            | Self::Unpack { lot, .. }
            | Self::Dispense { lot }
            | Self::Destroy { lot } => std::slice::from_ref(lot),
            Self::Recall { .. } => &[],
        }
    }

    /// The quantities that come out, where lots are divided or joined.
    #[must_use]
    pub fn outputs(&self) -> &[u64] {
        match self {
            Self::Pack { quantity, .. } => std::slice::from_ref(quantity),
            Self::Unpack { outputs, .. } | Self::Split { outputs, .. } => outputs,
            _ => &[],
        }
    }
}

impl Move {
    /// The lots that it brings into being, in order: by its core id, or for a Make by its maker.
    #[must_use]
    pub fn created(&self, core: &CoreId) -> Vec<LotId> {
        match &self.step {
            Step::Make { id, .. } => vec![LotId::made(self.by.id(), id)],
            step => (0..).zip(step.outputs()).map(|(at, _)| LotId::output(core, at)).collect(),
        }
    }

    pub(super) fn signers(&self) -> Vec<PubKey> {
        let mut signers = self.by.signers();
        signers.extend(self.witnesses.iter().map(|witness| witness.key));
        signers
    }

    pub(super) fn keys(&self) -> Vec<PubKey> {
        let mut keys = self.by.keys();
        keys.extend(self.presence.iter().map(|presence| presence.beacon));
        keys.extend(self.witnesses.iter().map(|witness| witness.key));
        keys
    }
}
