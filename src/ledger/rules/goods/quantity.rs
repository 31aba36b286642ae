//! Quantity is neither created nor lost where lots are joined and divided. Sums have 128 bits, so that
//! sixteen quantities of 64 bits cannot wrap.

use super::{MoveError, Verdict, refuse};
use crate::ledger::state::HeldLot;
use crate::ledger::transaction::lot::Step;
use crate::ledger::transaction::{LotId, Move};

pub(super) fn check(body: &Move, lots: &[(LotId, HeldLot)]) -> Verdict {
    if !matches!(body.step, Step::Pack { .. } | Step::Unpack { .. } | Step::Split { .. }) {
        return Ok(());
    }
    let inputs: u128 = lots.iter().map(|(_, held)| u128::from(held.quantity)).sum();
    let outputs: u128 = body.step.outputs().iter().map(|quantity| u128::from(*quantity)).sum();
    if inputs != outputs {
        return refuse(MoveError::QuantityCreated { inputs, outputs });
    }
    let mut classes = lots.iter().map(|(_, held)| held.class);
    let first = classes.next();
    if classes.any(|class| Some(class) != first) {
        return refuse(MoveError::ClassMixed);
    }
    Ok(())
}
