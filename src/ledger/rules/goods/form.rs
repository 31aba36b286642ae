//! Whether the fields of a move hold the one form that they can have, whatever the state.

use crate::ledger::transaction::lot::{Step, WITNESSES_MAX};
use crate::ledger::transaction::{LotId, Move};

/// What is not canonical, if anything.
pub(in crate::ledger::rules) fn fault(body: &Move) -> Option<&'static str> {
    let presence =
        (body.presence.is_some() && body.site.is_none()).then_some("a presence is at a site");
    body.by.fault().or_else(|| step_fault(body)).or(presence)
}

fn step_fault(body: &Move) -> Option<&'static str> {
    match &body.step {
        Step::Make { quantity, inputs, min_witness, .. } => inputs_fault(inputs).or_else(|| {
            if *quantity == 0 {
                Some("a lot holds something")
            } else {
                (usize::from(*min_witness) > WITNESSES_MAX)
                    .then_some("more witnesses than a move can have")
            }
        }),
        Step::Ship { to, .. } => (*to == body.by.id()).then_some("a lot is shipped to another"),
        Step::Pack { inputs, .. } | Step::Split { inputs, .. } => {
            let nothing = inputs.is_empty().then_some("nothing goes in");
            nothing.or_else(|| inputs_fault(inputs)).or_else(|| outputs_fault(&body.step))
        }
        Step::Unpack { .. } => outputs_fault(&body.step),
        Step::Receive { .. }
        | Step::Dispense { .. }
        | Step::Destroy { .. }
        | Step::Recall { .. } => None,
    }
}

/// In one order, and so none twice.
fn inputs_fault(inputs: &[LotId]) -> Option<&'static str> {
    (!inputs.is_sorted_by(|a, b| a < b)).then_some("the lots that go in ascend")
}

fn outputs_fault(step: &Step) -> Option<&'static str> {
    let outputs = step.outputs();
    (outputs.is_empty() || outputs.contains(&0)).then_some("what comes out holds something")
}
