//! Who has a lot: each of a move's lots is held by who acts, or on its way to who acts.

use super::{MoveError, load, refuse};
use crate::ledger::rules::context::{Context, Refusal};
use crate::ledger::rules::error::TransactionError;
use crate::ledger::spec::TAKE_BACK_BLOCKS;
use crate::ledger::state::{HeldLot, LotStatus, Session, Transit};
use crate::ledger::transaction::lot::Step;
use crate::ledger::transaction::{LotId, Move, PartyId};

/// The lots that a move moves or consumes, in its order.
pub(super) fn check(
    context: &Context<'_>,
    session: &mut Session<'_>,
    body: &Move,
) -> Result<Vec<(LotId, HeldLot)>, Refusal<TransactionError>> {
    let by = body.by.id();
    let is_receipt = matches!(body.step, Step::Receive { .. });
    let mut lots = Vec::with_capacity(body.step.lots().len());
    for lot in body.step.lots() {
        let held = load(session, lot)?.filter(|held| held.status != LotStatus::Consumed);
        match held {
            Some(held) if is_receipt || held.holder == by => lots.push((*lot, held)),
            _ => return refuse(MoveError::NotHolder(*lot)),
        }
    }
    for (lot, held) in &lots {
        match held.status {
            LotStatus::InTransit(_) if !is_receipt => return refuse(MoveError::InTransit(*lot)),
            _ => {}
        }
    }
    for (lot, held) in &lots {
        if is_receipt && !may_receive(context, held, by) {
            return refuse(MoveError::NotAddressee(*lot));
        }
    }
    Ok(lots)
}

fn may_receive(context: &Context<'_>, held: &HeldLot, by: PartyId) -> bool {
    match held.status {
        LotStatus::InTransit(Transit { to, since }) => {
            let spacing_s = context.spec.spacing_s;
            let takes_back = || context.now().has_waited(since, TAKE_BACK_BLOCKS, spacing_s);
            to == by || (held.holder == by && takes_back())
        }
        _ => false,
    }
}
