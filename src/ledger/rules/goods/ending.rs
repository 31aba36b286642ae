//! What can no longer be done with a lot: recalls reach it through its origins, of which it keeps few
//! enough that looking costs the same whatever came before.

use super::{MoveError, Verdict, load, refuse};
use crate::ledger::spec::ORIGINS_MAX;
use crate::ledger::state::{HeldLot, Made, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::lot::Step;
use crate::ledger::transaction::{LotId, Move, PartyId};

/// The Makes behind the lots of a move.
pub(super) struct Sources(Vec<(LotId, Made)>);

impl Sources {
    pub(super) fn makers(&self) -> impl Iterator<Item = PartyId> {
        self.0.iter().map(|(_, made)| made.by)
    }

    /// Of one lot.
    fn of<'a>(&'a self, held: &'a HeldLot) -> impl Iterator<Item = Made> {
        self.0.iter().filter(|(id, _)| held.origins.contains(id)).map(|(_, made)| *made)
    }
}

pub(super) fn sources(
    session: &mut Session<'_>,
    lots: &[(LotId, HeldLot)],
) -> Result<Sources, StoreError> {
    let mut sources = Vec::new();
    for origin in origins(lots.iter().map(|(_, held)| held)) {
        let made = load(session, &origin)?.and_then(|held| held.made);
        sources.extend(made.map(|made| (origin, made)));
    }
    Ok(Sources(sources))
}

pub(super) fn check(body: &Move, lots: &[(LotId, HeldLot)], sources: &Sources) -> Verdict {
    for (lot, held) in lots {
        let is_recalled = sources.of(held).any(|made| made.recalled.is_some());
        let is_maker = |party| sources.of(held).any(|made| made.by == party);
        let by = body.by.id();
        let may_go = match &body.step {
            Step::Ship { to, .. } => is_maker(*to),
            // Back to where it came from, from where it goes to a maker.
            Step::Receive { .. } => held.holder == by || is_maker(by),
            Step::Destroy { .. } => true,
            _ => false,
        };
        if is_recalled && !may_go {
            return refuse(MoveError::Recalled(*lot));
        }
    }
    if let Some((lot, _)) = lots.iter().find(|(_, held)| held.has_ended()) {
        return refuse(MoveError::Destroyed(*lot));
    }
    let kept = origins(lots.iter().map(|(_, held)| held)).len();
    let kept = kept + usize::from(matches!(body.step, Step::Make { .. }));
    if kept > ORIGINS_MAX {
        return refuse(MoveError::TooManyOrigins(kept));
    }
    Ok(())
}

/// All origins of some lots, ascending, each once.
pub(super) fn origins<'a>(lots: impl IntoIterator<Item = &'a HeldLot>) -> Vec<LotId> {
    let mut origins: Vec<LotId> =
        lots.into_iter().flat_map(|held| held.origins.iter().copied()).collect();
    origins.sort_unstable();
    origins.dedup();
    origins
}

/// With one more.
pub(super) fn with(mut origins: Vec<LotId>, made: LotId) -> Vec<LotId> {
    let at = origins.partition_point(|origin| *origin < made);
    origins.insert(at, made);
    origins
}
