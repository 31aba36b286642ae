//! How much a claim about goods is worth: who stands behind it, and what speaks against it. A grade says
//! who signed, never that something is so.

use crate::ledger::policy::Cell;
use crate::ledger::signature::PubKey;
use crate::ledger::transaction::lot::Step;
use crate::ledger::transaction::{CoreId, LotId, Move, PartyId};

/// Kilometres an hour that goods are believed to travel.
pub const TRAVEL_KMH_MAX: u64 = 1000;
/// Seconds by which two moves may be further apart than their blocks say: stamps bend by minutes, and a
/// signature waits for its block.
pub const TRAVEL_SLACK_S: u64 = 3600;

/// Who stands behind a move; more is better. Whatever speaks against it makes it the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Who acted says so.
    SelfClaimed,
    /// Giver and receiver say so.
    CounterSigned,
    /// Persons who are not concerned say so too.
    Witnessed,
    /// And a beacon of the site heard who acted.
    BeaconAndWitnessed,
}

/// What speaks against a move. Anybody can find it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Label {
    /// The maker signed another Make of the same name.
    DoubleMake(CoreId),
    /// The holder signed another move of the lot, which it no longer held.
    DoubleHold(CoreId),
    /// Another move of the lot is too far away for the time between.
    ImpossibleTravel {
        /// That move.
        other: CoreId,
        /// Kilometres, at least.
        kilometres: u32,
        /// Seconds, by the median times of the blocks.
        seconds: u32,
    },
    /// A device that signed is of a model that was withdrawn.
    Tainted {
        /// The device.
        device: PubKey,
        /// Height of the withdrawal.
        height: u32,
    },
}

impl Grade {
    /// Every grade, lowest first.
    pub const ALL: [Self; 4] =
        [Self::SelfClaimed, Self::CounterSigned, Self::Witnessed, Self::BeaconAndWitnessed];

    /// Of a move by itself. `is_handed_over` says that giver and receiver have both signed.
    #[must_use]
    pub fn of(body: &Move, is_handed_over: bool) -> Self {
        match (body.witnesses.is_empty(), &body.presence) {
            (false, Some(_)) => Self::BeaconAndWitnessed,
            (false, None) => Self::Witnessed,
            (true, _) if is_handed_over => Self::CounterSigned,
            (true, _) => Self::SelfClaimed,
        }
    }

    /// The name in JSON and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SelfClaimed => "self-claimed",
            Self::CounterSigned => "counter-signed",
            Self::Witnessed => "witnessed",
            Self::BeaconAndWitnessed => "beacon-and-witnessed",
        }
    }
}

impl Label {
    /// The name in JSON and logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::DoubleMake(_) => "double-make",
            Self::DoubleHold(_) => "double-hold",
            Self::ImpossibleTravel { .. } => "impossible-travel",
            Self::Tainted { .. } => "tainted",
        }
    }
}

/// A move that somebody has signed, on the chain or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedMove {
    /// Its core id. Who acts has signed it, which whoever makes this value has verified.
    pub core: CoreId,
    /// Last height at which a block could have included it.
    pub valid_to: u32,
    /// What it does.
    pub body: Move,
}

impl SignedMove {
    /// The lot that both would have made, differently.
    pub(super) fn makes_again(&self, other: &Move) -> Option<LotId> {
        let name = |body: &Move| match &body.step {
            Step::Make { id, .. } => Some(LotId::made(body.by.id(), id)),
            _ => None,
        };
        let is_another = self.body.step != other.step || self.body.event != other.event;
        name(&self.body).filter(|lot| is_another && name(other) == Some(*lot))
    }

    /// Whether both are what a holder of this lot does, the same one, and not the same thing twice.
    pub(super) fn disposes_again(&self, other: &Move, lot: &LotId) -> bool {
        let disposes = |body: &Move| {
            body.step.lots().contains(lot) && !matches!(body.step, Step::Receive { .. })
        };
        let is_same_holder = self.body.by.id() == other.by.id();
        is_same_holder && disposes(&self.body) && disposes(other) && self.body.step != other.step
    }
}

/// A place that a move names: the site and its cells.
pub(super) type Cells = (PartyId, Vec<Cell>);

/// Kilometres between two places, at least, if that is further than goods travel in that time.
pub(super) fn too_far(
    distance: &dyn Fn(Cell, Cell) -> Option<u32>,
    a: &Cells,
    b: &Cells,
    seconds: u32,
) -> Option<u32> {
    if a.0 == b.0 {
        return None;
    }
    let pairs = a.1.iter().flat_map(|a| b.1.iter().map(|b| distance(*a, *b)));
    let kilometres = pairs.collect::<Option<Vec<u32>>>()?.into_iter().min()?;
    let possible = TRAVEL_KMH_MAX * (u64::from(seconds) + TRAVEL_SLACK_S) / 3600;
    (u64::from(kilometres) > possible).then_some(kilometres)
}
