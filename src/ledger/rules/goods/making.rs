//! Who may make a lot under which name, and who may recall what was made.

use super::{MoveError, Verdict, load, refuse};
use crate::ledger::policy::{Authority, ReadClaims};
use crate::ledger::rules::context::Context;
use crate::ledger::state::{HeldLot, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::attest::Claim;
use crate::ledger::transaction::lot::Step;
use crate::ledger::transaction::{LotId, Move, PartyId};

pub(super) fn check(context: &Context<'_>, session: &mut Session<'_>, body: &Move) -> Verdict {
    let by = body.by.id();
    match &body.step {
        Step::Make { id, .. } => {
            let is_claim = |held: &_| matches!(held, Claim::Maker);
            let judge = context.judge();
            if judge.live_claim(session, by, &|held| is_claim(&held.claim))?.is_none() {
                return refuse(MoveError::NotMaker);
            }
            let lot = LotId::made(by, id);
            match load(session, &lot)? {
                Some(_) => refuse(MoveError::LotExists(lot)),
                None => Ok(()),
            }
        }
        Step::Recall { made } => {
            let held: Option<HeldLot> = load(session, made)?;
            match held.and_then(|held| held.made) {
                Some(origin) if may_recall(context, session, by, origin.by)? => {
                    match origin.recalled {
                        Some(_) => refuse(MoveError::Recalled(*made)),
                        None => Ok(()),
                    }
                }
                _ => refuse(MoveError::NotMaker),
            }
        }
        _ => Ok(()),
    }
}

/// The maker, whose claim may have ended since; or whoever stands above a maker's claim of it, held or
/// ended, and may still issue.
fn may_recall(
    context: &Context<'_>,
    session: &mut Session<'_>,
    by: PartyId,
    maker: PartyId,
) -> Result<bool, StoreError> {
    if by == maker {
        return Ok(true);
    }
    for core in session.holdings(maker)?.iter() {
        let Some(held) = session.claim(core)? else { continue };
        if matches!(held.claim, Claim::Maker)
            && context.judge().ancestry(session, by, held.issuer, &held.claim)? == Authority::Live
        {
            return Ok(true);
        }
    }
    Ok(false)
}
