//! No release without a trace: whatever a guardian may have acted on in an emergency is recorded, also when
//! it comes too late to count.

use crate::access::*;
use crate::opening::*;
use proofward::ledger::chain::Release as Decision;
use proofward::ledger::state::{Emergency, EntryKey, LogKind, RequestStatus};
use proofward::ledger::transaction::receipt::Outcome;
use proofward::ledger::transaction::{Body, CoreId, Transaction};

/// What nobody paid for yet: the clinician's request, and its approval by an escrow service and another.
fn unmined(opening: &mut Opening) -> (Transaction, Transaction) {
    let body = opening.world.break_glass(&opening.policed, CLINICIAN);
    let request = opening.world.free(Body::Request(Box::new(body)));
    let core = request.core.id(&opening.world.ledger.chain().genesis);
    let approvers = opening.approvers(&[ESCROW, CLINICIAN_2]);
    let approval = opening.world.free(Opening::body(core, approvers));
    (request, approval)
}

fn released(opening: &Opening, (request, approval): &(Transaction, Transaction)) -> Decision {
    let (chain, view) = (opening.world.ledger.chain(), opening.world.ledger.view());
    chain.may_release_emergency(view, &[], request, &[approval], None).unwrap()
}

/// Mines a transaction's core at the ordinary fee.
fn sponsored(opening: &mut Opening, transaction: &Transaction) -> Result<(), &'static str> {
    let sponsored = opening.world.sponsor(transaction.core.clone());
    opening.world.mine(vec![sponsored]).map_err(|(name, _)| name)
}

fn owed(opening: &Opening, request: CoreId) -> usize {
    let person = opening.held(request).asked.person.unwrap();
    opening
        .world
        .entry::<Vec<Emergency>>(&EntryKey::Emergencies(person))
        .map_or(0, |owed| owed.len())
}

fn events(opening: &Opening) -> u64 {
    opening.world.logs(opening.policed.rid).of(LogKind::Access).count
}

#[test]
fn an_emergency_that_was_acted_on_and_mined_too_late_is_recorded_and_reviewed() {
    let mut opening = Opening::emergency();
    let pair = unmined(&mut opening);
    assert_eq!(released(&opening, &pair), Decision::Now);
    // Miners who have not seen it: the presence is too old by now.
    opening.world.wait(4);
    let core = pair.0.core.id(&opening.world.ledger.chain().genesis);
    sponsored(&mut opening, &pair.0).unwrap();
    assert_eq!(opening.held(core).status, RequestStatus::Refused(6));
    assert_eq!((owed(&opening, core), events(&opening)), (0, 1));
    sponsored(&mut opening, &pair.1).unwrap();
    assert_eq!(opening.held(core).status, RequestStatus::Refused(6), "recorded, not answered");
    assert_eq!((owed(&opening, core), events(&opening)), (1, 2));
    // Another guardian's approval is recorded too, and asks for no other review; nobody's twice.
    opening.approve(core, &[PATIENT]).unwrap();
    assert_eq!((owed(&opening, core), events(&opening)), (1, 3));
    assert_eq!(opening.approve(core, &[ESCROW]), Err("DuplicateApprover"));
    opening.receipt(core, Outcome::Reviewed, PATIENT, [0; 32]).unwrap();
    assert_eq!(owed(&opening, core), 0);
    opening.approve(core, &[NURSE]).unwrap();
    assert_eq!(owed(&opening, core), 0, "it was reviewed");
}

#[test]
fn an_approval_after_the_one_that_completes_an_emergency_changes_the_log_alone() {
    let mut opening = Opening::emergency();
    let core = opening.broken_glass();
    opening.approve(core, &[ESCROW, CLINICIAN_2]).unwrap();
    let before = opening.held(core);
    assert_eq!(before.status, RequestStatus::Answered);
    let count = events(&opening);
    opening.approve(core, &[PATIENT]).unwrap();
    assert_eq!((opening.held(core), events(&opening)), (before, count + 1));
    // Only a guardian can have released anything, and only who ever held the role is one of its people.
    assert_eq!(opening.approve(core, &[DOCTOR_2]), Err("NotGuardian"));
    assert_eq!(opening.approve(core, &[CLINICIAN]), Err("NotPending"));
}

#[test]
fn an_ordinary_request_takes_no_approval_after_the_one_that_completes_it() {
    let mut opening = Opening::new();
    let core = opening.asked();
    opening.approve(core, &[NURSE, PATIENT]).unwrap();
    assert_eq!(opening.approve(core, &[DOCTOR_2]), Err("NotPending"));
}
