//! Every named rule of `Approve`: the smallest one that breaks exactly it, beside its nearest valid
//! neighbour; and how a request opens, stays open and closes.

use crate::access::*;
use crate::ledger::{NOW, in_parallel, serially};
use crate::opening::*;
use proofward::ledger::chain::Submitted;
use proofward::ledger::policy::{Place, Reason, Role, RoleRef, Together};
use proofward::ledger::state::{EntryKey, RequestStatus};
use proofward::ledger::transaction::attest::{Claim, Withdrawn};
use proofward::ledger::transaction::{Attest, Body, CoreId, Grant};

#[test]
fn a_nurse_and_the_patient_open_it_together_and_one_alone_does_not() {
    let mut opening = Opening::new();
    let request = opening.asked();
    assert_eq!(opening.failed(request), 7);
    opening.approve(request, &[NURSE]).unwrap();
    let reason = opening.answer(request).verdict.reason();
    assert_eq!(reason, Some(Reason::RequiredMissing { missing: 1 }));
    opening.approve(request, &[PATIENT]).unwrap();
    assert_eq!(opening.failed(request), 0);
    assert_eq!(opening.held(request).status, RequestStatus::Answered);
    // It took the one read of the leaf.
    let next = opening.asked_again();
    opening.approve(next, &[NURSE, PATIENT]).unwrap();
    assert_eq!(opening.answer(next).verdict.reason(), Some(Reason::NoReads { most: 1 }));
    assert_eq!(opening.held(next).status, RequestStatus::Pending);
}

#[test]
pub(super) fn not_pending_unknown_refused_answered_or_dead() {
    let mut opening = Opening::new();
    assert_eq!(opening.approve(CoreId([1; 32]), &[NURSE]), Err("NotPending"));
    let request = opening.answered();
    assert_eq!(opening.approve(request, &[ESCROW]), Err("NotPending"));

    // Neither is one that was refused.
    let mut opening = Opening::new();
    let mut wrong = opening.world.ask(&opening.policed);
    wrong.purpose = proofward::ledger::policy::Purpose::Research;
    let refused = opening.world.act(Body::Request(Box::new(wrong))).unwrap();
    assert_eq!(opening.held(refused).status, RequestStatus::Refused(4));
    assert_eq!(opening.approve(refused, &[NURSE]), Err("NotPending"));
    let request = opening.asked();
    assert!(opening.approve(request, &[NURSE]).is_ok());
}

#[test]
fn a_revocation_in_the_same_block_before_or_after() {
    for before in [true, false] {
        let mut opening = Opening::new();
        let request = opening.asked();
        let owners = opening.world.party(PATIENT);
        let rid = opening.policed.rid;
        let grant = Grant { rid, owners, seq: 1, policy_root: [0; 32], not_before_h: 0 };
        let (approve, revoke) = if before {
            let revoke = opening.world.transaction(Body::Grant(grant)).0;
            (opening.approval(request, &[NURSE, PATIENT]), revoke)
        } else {
            let approve = opening.approval(request, &[NURSE, PATIENT]);
            (approve, opening.world.transaction(Body::Grant(grant)).0)
        };
        if before {
            let refused = opening.world.mine(vec![revoke, approve]);
            assert_eq!(refused, Err(("NotPending", 2)));
        } else {
            opening.world.mine(vec![approve, revoke]).unwrap();
            assert_eq!(opening.held(request).status, RequestStatus::Answered);
            assert_eq!(opening.failed(request), 1, "revoked in the block that completed it");
        }
    }
}

#[test]
pub(super) fn late_one_block_after_the_time_to_answer() {
    for (late, verdict) in [(1, false), (0, true)] {
        let mut opening = Opening::with(|draft| draft.terms.answer_within = 3);
        let request = opening.asked();
        opening.world.wait(2 + late);
        let approved = opening.approve(request, &[NURSE, PATIENT]);
        assert_eq!(approved.map(|_| ()), if verdict { Ok(()) } else { Err("Late") });
    }
}

#[test]
pub(super) fn not_guardian_by_salt_path_index_set_refusal_or_a_role_that_nobody_asked_for() {
    let mut opening = Opening::new();
    let request = opening.asked();
    let good = opening.approvers(&[PATIENT]);
    let mut salt = good.clone();
    salt[0].guardian.as_mut().unwrap().salt[0] ^= 1;
    let mut index = good.clone();
    index[0].guardian.as_mut().unwrap().path.index = 0;
    let mut step = good.clone();
    step[0].guardian.as_mut().unwrap().path.siblings.pop();
    let mut set = good.clone();
    set[0].guardian = opening.approver(1, PATIENT).guardian;
    let mut none = good.clone();
    none[0].guardian = None;
    for bad in [salt, index, step, set, none] {
        assert_eq!(opening.approve_as(request, bad), Err("NotGuardian"));
    }
    opening.approve_as(request, good).unwrap();
    // A nurse without a path counts for her role.
    opening.approve(request, &[NURSE_2]).unwrap();
    let reason = opening.answer(request).verdict.reason();
    assert_eq!(reason, Some(Reason::TooFewGuardians { have: 1, need: 2 }));
}

#[test]
fn guardians_of_a_request_in_the_same_block_or_the_same_run_of_blocks() {
    for mut opening in [Opening::new(), Opening::rekeyed()] {
        let request = opening.world.ask(&opening.policed);
        let (request, core) = opening.world.transaction(Body::Request(Box::new(request)));
        let mut bad = opening.approvers(&[NURSE, PATIENT]);
        bad[1].guardian.as_mut().unwrap().salt[0] ^= 1;
        let bad = opening.world.transaction(Opening::body(core, bad)).0;
        assert_eq!(opening.world.mine(vec![request.clone(), bad]), Err(("NotGuardian", 2)));
        let good = opening.approval(core, &[NURSE, PATIENT]);
        opening.world.mine(vec![request, good]).unwrap();
        assert_eq!(opening.held(core).status, RequestStatus::Answered);

        let pending = opening.asked_again();
        opening.approve(pending, &[NURSE, PATIENT]).unwrap();
        let blocks = &opening.world.blocks;
        assert_eq!(in_parallel(blocks), Ok(opening.world.tip()));
        assert_eq!(serially(blocks), Ok(opening.world.tip()));
    }
}

/// An approval in the block of its request is judged without asking what was asked of that again, unless
/// something was written in between.
#[test]
fn what_changes_between_a_request_and_its_approval_in_one_block_counts() {
    fn withdrawal(opening: &mut Opening, of: u32, wanted: fn(&Claim) -> bool) -> Body {
        let claim = opening.world.claim_of(of, wanted);
        let issuer = opening.world.party(ISSUER);
        Body::Attest(Attest::withdrawal(issuer, Withdrawn::Claim(claim.0), [0; 32]))
    }
    let is_role: fn(&Claim) -> bool = |claim| matches!(claim, Claim::Role { .. });
    let revocation = |opening: &mut Opening| {
        let (rid, owners) = (opening.policed.rid, opening.world.party(PATIENT));
        Body::Grant(Grant { rid, owners, seq: 1, policy_root: [0; 32], not_before_h: 0 })
    };
    let licence = |opening: &mut Opening| withdrawal(opening, DOCTOR, is_role);
    let beacon = |opening: &mut Opening| {
        withdrawal(opening, BEACON, |claim| matches!(claim, Claim::Beacon { .. }))
    };
    let of_another = |opening: &mut Opening| withdrawal(opening, NURSE_2, is_role);
    let not_pending = Err(("NotPending", 3));
    type Change<'a> = &'a dyn Fn(&mut Opening) -> Body;
    let changes: [(&str, Change<'_>, Result<(), _>); 4] = [
        ("the policy", &revocation, not_pending),
        ("the reader's licence", &licence, not_pending),
        ("the beacon", &beacon, not_pending),
        ("the licence of somebody else", &of_another, Ok(())),
    ];
    for (name, change, expected) in changes {
        let mut opening = Opening::new();
        let request = opening.world.ask(&opening.policed);
        let (request, core) = opening.world.transaction(Body::Request(Box::new(request)));
        let change = change(&mut opening);
        let change = opening.world.transaction(change).0;
        let approval = opening.approval(core, &[NURSE, PATIENT]);
        assert_eq!(opening.world.mine(vec![request, change, approval]), expected, "{name}");
    }
}

#[test]
pub(super) fn duplicate_approver_in_one_transaction_and_in_two() {
    let mut opening = Opening::new();
    let request = opening.asked();
    assert_eq!(opening.approve(request, &[NURSE, NURSE]), Err("DuplicateApprover"));
    opening.approve(request, &[NURSE]).unwrap();
    assert_eq!(opening.approve(request, &[PATIENT, NURSE]), Err("DuplicateApprover"));
    opening.approve(request, &[PATIENT]).unwrap();
    assert_eq!(opening.failed(request), 0);
}

/// The doctor is a nurse as well, by the same issuer and tag: one person.
#[test]
pub(super) fn same_person_in_two_roles_counts_for_neither_when_it_reads() {
    let mut opening = Opening::new();
    let site = opening.world.id(SITE);
    let doctor = opening.world.party(DOCTOR);
    let claim = Claim::Role { role: Role::Nurse, site: Some(site) };
    opening.world.claim(ISSUER, doctor.clone(), claim.clone(), 1).unwrap();
    // One issuer gives a person no second tag, and a tag no second key.
    assert_eq!(opening.world.claim(ISSUER, doctor, claim.clone(), 30), Err("DuplicateSubject"));
    let other = opening.world.party(130);
    assert_eq!(opening.world.claim(ISSUER, other, claim, 1), Err("DuplicateSubject"));
    let request = opening.asked();
    let mut approvers = opening.approvers(&[DOCTOR, PATIENT]);
    approvers[0].role = RoleRef { role: Role::Nurse, issuer: site };
    assert_eq!(opening.approve_as(request, approvers), Err("SamePerson"));
    assert!(opening.approve(request, &[NURSE_2, PATIENT]).is_ok());
}

#[test]
pub(super) fn role_revoked_between_request_and_approval() {
    let mut opening = Opening::new();
    let request = opening.asked();
    opening.withdraw_role(NURSE);
    assert_eq!(opening.approve(request, &[NURSE, PATIENT]), Err("RoleRevoked"));
    let mut lies = opening.approvers(&[NURSE_2, PATIENT]);
    lies[1].role.role = Role::Escrow;
    assert_eq!(opening.approve_as(request, lies), Err("RoleRevoked"));
    opening.approve(request, &[NURSE_2, PATIENT, ESCROW]).unwrap();
    assert_eq!(opening.failed(request), 0);
}

#[test]
fn the_readers_licence_withdrawn_between_request_approval_and_reading() {
    let mut opening = Opening::new();
    let request = opening.asked();
    opening.withdraw_role(DOCTOR);
    assert_eq!(opening.approve(request, &[NURSE, PATIENT]), Err("NotPending"));
    assert_eq!(opening.failed(request), 5);

    let mut opening = Opening::new();
    let request = opening.answered();
    assert_eq!(opening.failed(request), 0);
    opening.withdraw_role(DOCTOR);
    assert_eq!(opening.failed(request), 5);
    // An approver's, too: who is left is too few.
    let mut opening = Opening::new();
    let request = opening.answered();
    opening.withdraw_role(NURSE);
    assert_eq!(opening.failed(request), 7);
}

#[test]
fn a_beacon_withdrawn_while_the_record_is_open() {
    let mut opening = Opening::new();
    let request = opening.answered();
    assert_eq!(opening.failed(request), 0);
    opening.withdraw_beacon(AT);
    assert_eq!(opening.failed(request), 6);
}

#[test]
pub(super) fn no_presence_where_the_leaf_asks_for_one_round() {
    let mut opening = Opening::with(|draft| draft.terms.together = Together::OneRound);
    // The doctor and the others in one round.
    let keys = [DOCTOR, NURSE, PATIENT];
    let heard = opening.round(1, &keys);
    let request = opening.world.request(&opening.policed, DOCTOR, Some(heard[0].clone()));
    let request = opening.send(request);
    assert_eq!(opening.approve(request, &[NURSE, PATIENT]), Err("NoPresence"));
    let with = |opening: &mut Opening, presences: [&_; 2]| {
        let mut approvers = opening.approvers(&[NURSE, PATIENT]);
        for (approver, presence) in approvers.iter_mut().zip(presences) {
            approver.presence = Some(Clone::clone(presence));
        }
        opening.approve_as(request, approvers)
    };
    let other = opening.round(2, &keys);
    assert_eq!(with(&mut opening, [&heard[1], &other[2]]), Err("NoPresence"), "another round");
    assert_eq!(with(&mut opening, [&heard[1], &heard[1]]), Err("NoPresence"), "another key");
    with(&mut opening, [&heard[1], &heard[2]]).unwrap();
    assert_eq!(opening.failed(request), 0);
}

#[test]
fn no_presence_older_than_the_leaf_lets_it_be() {
    for (blocks, verdict) in [(2, Ok(())), (3, Err("NoPresence"))] {
        let mut opening = Opening::new();
        let request = opening.asked();
        let presence = opening.heard(AT, NURSE);
        opening.world.wait(blocks);
        let mut approvers = opening.approvers(&[NURSE]);
        approvers[0].presence = Some(presence);
        assert_eq!(opening.approve_as(request, approvers).map(|_| ()), verdict);
    }
}

#[test]
fn together_within_the_window_and_one_block_late() {
    // The request is signed after the tip at h - 1 and mined at h; the window is 3 blocks.
    for (blocks, failed) in [(1, 0), (2, 8)] {
        let mut opening = Opening::with(|draft| draft.terms.together = Together::Within);
        let request = opening.asked();
        opening.world.wait(blocks);
        let approvers = opening.approvers(&[NURSE, PATIENT]);
        let tip = opening.world.tip();
        let body = Opening::body(request, approvers);
        let mut core = opening.world.core(body);
        core.anchor = tip.0;
        let transaction = opening.world.sponsor(core);
        opening.world.mine(vec![transaction]).unwrap();
        assert_eq!(opening.failed(request), failed, "after {blocks} blocks");
    }
}

/// A request that clause 8 can hold for no more is not in the way of the next one, and completes no more.
#[test]
fn a_request_too_late_to_be_together_is_open_no_longer() {
    for (together, waits) in
        [(Together::Within, 3), (Together::OneTransaction, 3), (Together::Apart, 21)]
    {
        let mut opening = Opening::with(|draft| draft.terms.together = together);
        let anchored = |opening: &mut Opening, request| {
            let approvers = opening.approvers(&[NURSE, PATIENT]);
            let tip = opening.world.tip();
            let mut core = opening.world.core(Opening::body(request, approvers));
            core.anchor = tip.0;
            opening.world.sponsor(core)
        };
        let h = opening.world.next();
        let first = opening.asked();
        opening.world.wait(h + waits - 1 - opening.world.next());
        let again = opening.world.ask(&opening.policed);
        assert_eq!(opening.world.status(again), Err("TooManyOpen"), "{together:?}");
        // The block that was refused had the height at which this one completes.
        let completing = anchored(&mut opening, first);
        opening.world.mine(vec![completing]).unwrap();
        assert_eq!(opening.held(first).status, RequestStatus::Answered, "{together:?}");

        let mut opening = Opening::with(|draft| draft.terms.together = together);
        let h = opening.world.next();
        let first = opening.asked();
        opening.world.wait(h + waits - opening.world.next());
        let second = opening.asked();
        let late = anchored(&mut opening, first);
        let taken = opening.world.mine(vec![late]);
        if together == Together::Apart {
            assert_eq!(taken, Err(("Late", 1)));
        } else {
            taken.unwrap();
        }
        assert_eq!(opening.held(first).status, RequestStatus::Pending, "{together:?}");
        assert_eq!(opening.held(second).status, RequestStatus::Pending);
    }
}

#[test]
fn together_in_one_transaction() {
    let anchored = |opening: &mut Opening, request, numbers: &[u32]| {
        let approvers = opening.approvers(numbers);
        let tip = opening.world.tip();
        let mut core = opening.world.core(Opening::body(request, approvers));
        core.anchor = tip.0;
        opening.world.sponsor(core)
    };
    for (split, failed) in [(false, 0), (true, 8)] {
        let mut opening = Opening::with(|draft| draft.terms.together = Together::OneTransaction);
        let request = opening.asked();
        let transactions = if split {
            let first = anchored(&mut opening, request, &[NURSE]);
            vec![first, anchored(&mut opening, request, &[PATIENT])]
        } else {
            vec![anchored(&mut opening, request, &[NURSE, PATIENT])]
        };
        opening.world.mine(transactions).unwrap();
        assert_eq!(opening.failed(request), failed);
    }
}

#[test]
pub(super) fn insufficient_price_or_limit_and_the_price_is_paid_once() {
    let mut opening = Opening::with(|draft| draft.terms.price = 7_000);
    let mut request = opening.world.ask(&opening.policed);
    request.max_price = 6_999;
    let cheap = opening.send(request.clone());
    opening.approve(cheap, &[NURSE]).unwrap();
    assert_eq!(opening.approve(cheap, &[PATIENT]), Err("Insufficient"), "over the limit");

    let mut opening = Opening::with(|draft| draft.terms.price = 7_000);
    let mut request = opening.world.ask(&opening.policed);
    request.max_price = 7_000;
    let request = opening.send(request);
    opening.approve(request, &[NURSE]).unwrap();
    assert_eq!(opening.approve(request, &[PATIENT]), Err("Insufficient"), "no money");
    let (doctor, patient) = (opening.key(DOCTOR), opening.key(PATIENT));
    opening.give(doctor, 6_999);
    assert_eq!(opening.approve(request, &[PATIENT]), Err("Insufficient"), "one unit short");
    opening.give(doctor, 1);
    opening.approve(request, &[PATIENT]).unwrap();
    assert_eq!(opening.failed(request), 0);
    assert_eq!(opening.balance(doctor), 0);
    assert_eq!(opening.balance(patient), 7_000);
}

#[test]
fn the_order_of_approvals_in_a_block_changes_nothing_but_the_log() {
    let orders = [[NURSE, PATIENT], [PATIENT, NURSE]];
    let held = orders.map(|order| {
        let mut opening = Opening::new();
        let request = opening.asked();
        let mut mined: Vec<_> =
            [NURSE, PATIENT].map(|number| (number, opening.approval(request, &[number]))).into();
        mined.sort_by_key(|(number, _)| order.iter().position(|at| at == number));
        let mut nonce = mined.iter().map(|(_, transaction)| transaction.nonce).min().unwrap();
        let mined = mined.into_iter().map(|(_, mut transaction)| {
            transaction.nonce = nonce;
            nonce += 1;
            opening.world.signed(transaction)
        });
        let mined = mined.collect();
        opening.world.mine(mined).unwrap();
        (opening.held(request), opening.answer(request))
    });
    assert_eq!(held[0], held[1]);
    assert!(held[0].1.is_open);
}

#[test]
fn a_reorganisation_makes_an_open_request_pending_again() {
    // Two worlds with the same history; the second one goes on without the approval, and longer.
    let mut opening = Opening::new();
    let mut other = Opening::new();
    let request = opening.asked();
    assert_eq!(other.asked(), request);
    opening.approve(request, &[NURSE, PATIENT]).unwrap();
    assert_eq!(opening.failed(request), 0);
    for block in other.mine_apart(3) {
        let submitted = opening.world.ledger.submit(&block, NOW).unwrap();
        assert_ne!(submitted, Submitted::Known);
    }
    assert_eq!(opening.world.tip(), other.world.tip());
    assert_eq!(opening.held(request).status, RequestStatus::Pending);
    assert_eq!(opening.failed(request), 7);
    // The same people may approve again.
    opening.approve(request, &[NURSE, PATIENT]).unwrap();
    assert_eq!(opening.failed(request), 0);
}

#[test]
fn it_closes_when_the_time_to_read_is_over_and_leaves_the_state_later() {
    let mut opening = Opening::with(|draft| draft.terms.read_within = 5);
    let request = opening.asked();
    let h = opening.world.next();
    opening.approve(request, &[NURSE, PATIENT]).unwrap();
    while opening.world.next() <= h + 5 {
        assert_eq!(opening.failed(request), 0);
        assert_eq!(opening.answer(request).open_from, Some(h));
        opening.world.wait(1);
    }
    assert_eq!(opening.failed(request), 3);
    opening.world.wait(2100);
    assert!(
        opening
            .world
            .entry::<proofward::ledger::state::HeldRequest>(&EntryKey::Request(request))
            .is_none()
    );
}

#[test]
fn anywhere_needs_no_beacon() {
    let mut opening = Opening::with(|draft| draft.places = vec![Place::Anywhere]);
    let request = opening.world.request(&opening.policed, DOCTOR, None);
    let request = opening.send(request);
    opening.approve(request, &[NURSE, PATIENT]).unwrap();
    assert_eq!(opening.failed(request), 0);
}
