//! Every named rule of `Receipt`: the smallest one that breaks exactly it, beside its nearest valid
//! neighbour; veto, refusal by a guardian, and the review of an emergency.

use crate::access::*;
use crate::opening::*;
use proofward::ledger::policy::Reason;
use proofward::ledger::state::{EntryKey, RequestStatus};
use proofward::ledger::transaction::CoreId;
use proofward::ledger::transaction::attest::Claim;
use proofward::ledger::transaction::receipt::Outcome;

const NONE: [u8; 32] = [0; 32];

#[test]
pub(super) fn unknown_request() {
    let mut opening = Opening::new();
    let read = opening.receipt(CoreId([1; 32]), Outcome::Read, DOCTOR, BLOB);
    assert_eq!(read, Err("UnknownRequest"));
    let request = opening.answered();
    assert!(opening.receipt(request, Outcome::Read, DOCTOR, BLOB).is_ok());
}

#[test]
pub(super) fn not_party_for_every_outcome() {
    let mut opening = Opening::new();
    let custodian = opening.world.party(140);
    opening.world.claim(ISSUER, custodian, Claim::Custodian, 0).unwrap();
    let request = opening.answered();
    let wrong = [
        (Outcome::Read, NURSE, BLOB),
        (Outcome::Served, DOCTOR, BLOB),
        (Outcome::BadShare, PATIENT, BLOB),
        (Outcome::Denied, ESCROW, NONE),
        (Outcome::Reviewed, NURSE, NONE),
    ];
    for (outcome, by, blob) in wrong {
        assert_eq!(opening.receipt(request, outcome, by, blob), Err("NotParty"), "{outcome:?}");
    }
    let right = [(Outcome::Read, DOCTOR), (Outcome::Served, 140), (Outcome::BadShare, DOCTOR)];
    let count = opening.world.logs(opening.policed.rid).access.count;
    for (outcome, by) in right {
        opening.receipt(request, outcome, by, BLOB).unwrap();
    }
    assert_eq!(opening.world.logs(opening.policed.rid).access.count, count + 3);
    assert_eq!(opening.failed(request), 0, "notes change nothing");
    let mut opening = Opening::new();
    let request = opening.asked();
    assert_eq!(opening.receipt(request, Outcome::Veto, NURSE, NONE), Err("NotParty"));
    assert!(opening.receipt(request, Outcome::Veto, PATIENT, NONE).is_ok());
}

#[test]
pub(super) fn not_open_before_and_blob_mismatch() {
    let mut opening = Opening::new();
    let request = opening.asked();
    for outcome in [Outcome::Read, Outcome::BadShare] {
        assert_eq!(opening.receipt(request, outcome, DOCTOR, BLOB), Err("NotOpen"));
    }
    opening.approve(request, &[NURSE, PATIENT]).unwrap();
    assert_eq!(opening.receipt(request, Outcome::Read, DOCTOR, NONE), Err("BlobMismatch"));
    assert_eq!(opening.receipt(request, Outcome::Denied, NURSE, BLOB), Err("BlobMismatch"));
    assert!(opening.receipt(request, Outcome::Read, DOCTOR, BLOB).is_ok());
}

#[test]
pub(super) fn too_late_to_veto_at_the_height_at_which_it_opens() {
    // Asked at h with a delay of 4: it opens at h + 4.
    for (at, verdict) in [(4, Err("TooLateToVeto")), (3, Ok(()))] {
        let mut opening = Opening::with(|draft| draft.terms.delay = 4);
        let h = opening.world.next();
        let request = opening.asked();
        opening.approve(request, &[NURSE, PATIENT]).unwrap();
        while opening.world.next() < h + at {
            // A share asked for before the veto window ends is not sent.
            let reason = opening.answer(request).verdict.reason();
            assert_eq!(reason, Some(Reason::Delay { until: h + 4 }));
            assert_eq!(opening.receipt(request, Outcome::Read, DOCTOR, BLOB), Err("NotOpen"));
            opening.world.wait(1);
        }
        let veto = opening.receipt(request, Outcome::Veto, PATIENT, NONE);
        assert_eq!(veto.map(|_| ()), verdict);
        opening.world.wait(2);
        let (status, failed) = match verdict {
            Ok(()) => (RequestStatus::Vetoed, 9),
            Err(_) => (RequestStatus::Answered, 0),
        };
        assert_eq!((opening.held(request).status, opening.failed(request)), (status, failed));
        if verdict.is_ok() {
            assert_eq!(opening.receipt(request, Outcome::Veto, PATIENT, NONE), Err("NotOpen"));
        }
    }
}

/// A burst of blocks cannot make the owners' time vanish: the delay also takes half its nominal time.
#[test]
fn a_burst_of_blocks_does_not_end_the_time_to_veto() {
    let mut opening = Opening::with(|draft| {
        (draft.terms.delay, draft.terms.answer_within) = (40, 60);
        draft.terms.read_within = 100;
    });
    let request = opening.asked();
    opening.approve(request, &[NURSE, PATIENT]).unwrap();
    let asked = opening.held(request).asked.at;
    let spacing_s = opening.world.ledger.chain().spec.spacing_s;
    opening.world.burst(41);
    let now = opening.world.now();
    assert!(now.height > asked.height + 40, "the blocks have passed");
    assert!(2 * (now.median_time - asked.median_time) < 40 * spacing_s, "the time has not");
    assert_eq!(opening.failed(request), 9);
    assert_eq!(opening.receipt(request, Outcome::Read, DOCTOR, BLOB), Err("NotOpen"));
    opening.world.wait(40);
    assert_eq!(opening.failed(request), 0);
    assert_eq!(opening.receipt(request, Outcome::Veto, PATIENT, NONE), Err("TooLateToVeto"));
}

#[test]
fn denied_takes_the_approval_back_and_closes_only_when_too_few_are_left() {
    let mut opening = Opening::new();
    let request = opening.asked();
    opening.approve(request, &[NURSE, ESCROW]).unwrap();
    opening.receipt(request, Outcome::Denied, ESCROW, NONE).unwrap();
    assert_eq!(opening.held(request).status, RequestStatus::Pending);
    // Who has refused is no guardian of this request any more, and no party.
    assert_eq!(opening.approve(request, &[ESCROW]), Err("NotGuardian"));
    assert_eq!(opening.receipt(request, Outcome::Denied, ESCROW, NONE), Err("NotParty"));
    opening.approve(request, &[PATIENT]).unwrap();
    assert_eq!(opening.failed(request), 0);
    // Of an open one as well: the nurse leaves, and there is none.
    opening.receipt(request, Outcome::Denied, NURSE, NONE).unwrap();
    assert_eq!(opening.failed(request), 7);
    assert_eq!(opening.held(request).status, RequestStatus::Answered);
    // The patient is required: without them it is closed.
    opening.receipt(request, Outcome::Denied, PATIENT, NONE).unwrap();
    assert_eq!(opening.held(request).status, RequestStatus::Denied);
    assert_eq!(opening.receipt(request, Outcome::Veto, PATIENT, NONE), Err("TooLateToVeto"));

    // Four guardians and k of 2: three refusals leave one.
    let mut opening = Opening::emergency();
    let request = opening.broken_glass();
    opening.approve(request, &[ESCROW]).unwrap();
    for guardian in [PATIENT, NURSE] {
        opening.approve(request, &[guardian]).unwrap();
        assert_eq!(opening.held(request).status, RequestStatus::Pending);
        opening.receipt(request, Outcome::Denied, guardian, NONE).unwrap();
    }
    assert_eq!(opening.held(request).status, RequestStatus::Pending);
    opening.receipt(request, Outcome::Denied, ESCROW, NONE).unwrap();
    assert_eq!(opening.held(request).status, RequestStatus::Denied);
    // One who acted on it before is recorded, and opens nothing.
    opening.approve(request, &[CLINICIAN_2]).unwrap();
    assert_eq!(opening.held(request).status, RequestStatus::Denied);
}

#[test]
fn an_emergency_opens_at_once_and_cannot_be_vetoed() {
    let mut opening = Opening::emergency();
    let request = opening.broken_glass();
    assert_eq!(opening.receipt(request, Outcome::Veto, PATIENT, NONE), Err("TooLateToVeto"));
    // The reader does not count as a clinician; a second one and the escrow do.
    let mut own = opening.approvers(&[CLINICIAN]);
    own[0].guardian = None;
    assert_eq!(opening.approve_as(request, own), Err("SamePerson"));
    opening.approve(request, &[ESCROW]).unwrap();
    assert_eq!(opening.failed(request), 7);
    opening.approve(request, &[CLINICIAN_2]).unwrap();
    assert_eq!(opening.failed(request), 0);
}

#[test]
fn an_emergency_is_reviewed_once_by_an_auditor_of_another_issuer_or_the_owners() {
    let mut opening = Opening::emergency();
    for (issuer, auditor) in [(ISSUER, 141), (REGION, 142), (REGION, CLINICIAN_2)] {
        let subject = opening.world.party(auditor);
        opening.world.claim(issuer, subject, Claim::Auditor, 0).unwrap();
    }
    let request = opening.broken_glass();
    opening.approve(request, &[ESCROW, CLINICIAN_2]).unwrap();
    let issuer = opening.world.id(ISSUER);
    let unreviewed =
        |opening: &Opening| opening.world.entry::<u32>(&EntryKey::Unreviewed(issuer)).unwrap_or(0);
    assert_eq!(unreviewed(&opening), 1);
    for by in [141, CLINICIAN_2, CLINICIAN, NURSE] {
        assert_eq!(opening.receipt(request, Outcome::Reviewed, by, NONE), Err("NotParty"), "{by}");
    }
    opening.receipt(request, Outcome::Reviewed, 142, NONE).unwrap();
    assert_eq!(unreviewed(&opening), 0);
    assert_eq!(opening.receipt(request, Outcome::Reviewed, 142, NONE), Err("NotOpen"));
    assert_eq!(opening.receipt(request, Outcome::Reviewed, PATIENT, NONE), Err("NotOpen"));
    assert_eq!(opening.failed(request), 0, "a review closes nothing");
    // An ordinary request has nothing to review.
    let mut opening = Opening::new();
    let request = opening.answered();
    assert_eq!(opening.receipt(request, Outcome::Reviewed, PATIENT, NONE), Err("NotOpen"));
}

#[test]
fn without_a_review_the_clinician_is_refused_after_2016_blocks_until_it_is_done() {
    let mut opening = Opening::emergency();
    let h = opening.world.next();
    let request = opening.broken_glass();
    opening.approve(request, &[ESCROW, CLINICIAN_2]).unwrap();
    opening.world.wait(h + 2016 - opening.world.next());
    assert_eq!(opening.world.next(), h + 2016);
    let ask = |opening: &mut Opening| {
        let request = opening.world.break_glass(&opening.policed, CLINICIAN);
        opening.world.status(request)
    };
    let in_time = ask(&mut opening);
    assert_eq!(in_time, Ok(RequestStatus::Pending));
    opening.world.wait(30);
    assert_eq!(ask(&mut opening), Ok(RequestStatus::Refused(5)));
    opening.receipt(request, Outcome::Reviewed, PATIENT, NONE).unwrap();
    assert_eq!(ask(&mut opening), Ok(RequestStatus::Pending));
}
