//! Every named rule of `Request`: the smallest one that breaks exactly it, beside its nearest valid
//! neighbour; what makes a request refused, clause by clause; the limits and the logs.

use crate::access::*;
use crate::ledger::easy_spec;
use proofward::ledger::policy::{Place, Purpose, Role, RoleRef, Window};
use proofward::ledger::rules::context::Ancestors;
use proofward::ledger::spec::Spec;
use proofward::ledger::state::{EntryKey, HeldRequest, RequestStatus};
use proofward::ledger::transaction::attest::{Claim, IssuerSet, Withdrawn};
use proofward::ledger::transaction::{Attest, Body, CoreId, Grant, Request};

const PENDING: Result<RequestStatus, &str> = Ok(RequestStatus::Pending);

const fn refused(clause: u8) -> Result<RequestStatus, &'static str> {
    Ok(RequestStatus::Refused(clause))
}

#[test]
pub(super) fn unknown_record() {
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    let mut request = world.ask(&policed);
    request.rid = world.key(501);
    assert_eq!(world.status(request), Err("UnknownRecord"));
    let request = world.ask(&policed);
    assert_eq!(world.status(request), PENDING);
}

#[test]
pub(super) fn stale_seq_and_a_revoked_or_retired_policy() {
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    let request = world.ask(&policed);
    assert_eq!(world.status(Request { seq: 1, ..request }), Err("StaleSeq"));
    // A policy that waits leaves the old one in force until it begins.
    let h = world.next();
    world.grant(policed.rid, PATIENT, 1, policed.policy.root(), h + 3).unwrap();
    let request = world.ask(&policed);
    assert_eq!(world.status(request), PENDING);
    world.wait(1);
    assert_eq!(world.next(), h + 3);
    let request = world.ask(&policed);
    assert_eq!(world.status(request.clone()), Err("StaleSeq"));
    // The request of the old policy died with it, so it is not in the way.
    let request = Request { seq: 1, ..world.ask(&policed) };
    assert_eq!(world.status(request), PENDING);
    world.grant(policed.rid, PATIENT, 2, [0; 32], 0).unwrap();
    let request = world.ask(&policed);
    assert_eq!(world.status(Request { seq: 1, ..request.clone() }), Err("StaleSeq"));
    assert_eq!(world.status(Request { seq: 2, ..request }), Err("BranchNotInPolicy"));
}

#[test]
pub(super) fn branch_not_in_policy() {
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    let changes: [fn(&mut Request); 4] = [
        |request| request.leaf.max_reads += 1,
        |request| request.leaf.salt[0] ^= 1,
        |request| request.leaf_path.siblings.push([0; 32]),
        |request| request.leaf_path.index = 1,
    ];
    for change in changes {
        let mut request = world.ask(&policed);
        change(&mut request);
        assert_eq!(world.status(request), Err("BranchNotInPolicy"));
    }
    let request = world.ask(&policed);
    assert_eq!(world.status(request), PENDING);
    // A leaf that asks for fewer guardians than its share set is in no policy that opens.
    let weak = world.treated(501, |draft| draft.terms.k = 1);
    let request = world.ask(&weak);
    assert_eq!(world.status(request), Err("BranchNotInPolicy"));
}

#[test]
pub(super) fn too_many_open_until_the_time_to_answer_is_over() {
    let mut world = World::hospital();
    let policed = world.treated(500, |draft| draft.terms.answer_within = 3);
    let h = world.next();
    let request = world.ask(&policed);
    assert_eq!(world.status(request), PENDING);
    // Heights h + 1 to h + 3: it could still be answered.
    for _ in 0..3 {
        let request = world.ask(&policed);
        assert_eq!(world.status(request), Err("TooManyOpen"));
        world.wait(1);
    }
    assert_eq!(world.next(), h + 4);
    let request = world.ask(&policed);
    assert_eq!(world.status(request), PENDING);
    // Another record is another matter.
    let other = world.treated(501, |_| {});
    let request = world.ask(&other);
    assert_eq!(world.status(request), PENDING);
}

#[test]
pub(super) fn too_many_refused_meets_only_what_would_be_refused() {
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    let odd = |world: &mut World| {
        let request = world.ask(&policed);
        Request { purpose: Purpose::Research, ..request }
    };
    for _ in 0..3 {
        let request = odd(&mut world);
        assert_eq!(world.status(request), refused(4));
    }
    let request = odd(&mut world);
    assert_eq!(world.status(request), Err("TooManyRefused"));
    let request = world.ask(&policed);
    assert_eq!(world.status(request), PENDING);
    // The next window of 144 blocks begins from nothing; the open request is over by then.
    while !world.next().is_multiple_of(144) {
        world.wait(1);
    }
    let request = odd(&mut world);
    assert_eq!(world.status(request), refused(4));
}

#[test]
fn too_many_refused_by_person_over_all_records_and_by_issuer_for_one() {
    let mut world = World::hospital();
    let records: Vec<_> = (0..8).map(|i| world.treated(500 + i, |_| {})).collect();
    let odd = |world: &mut World, record: usize, reader: u32| {
        let mut request = world.request(&records[record], reader, None);
        request.purpose = Purpose::Research;
        world.status(request)
    };
    for i in 0..20 {
        assert_eq!(odd(&mut world, i / 3, DOCTOR), refused(4), "{i}");
    }
    assert_eq!(odd(&mut world, 7, DOCTOR), Err("TooManyRefused"));
    assert_eq!(odd(&mut world, 7, NURSE), refused(4), "another person");
    // Sixteen of one issuer for one record, the nurse's among them.
    let site = world.id(SITE);
    for i in 0..6 {
        let person = world.party(700 + i);
        let role = Claim::Role { role: Role::Nurse, site: Some(site) };
        world.claim(ISSUER, person, role, 50 + u8::try_from(i).unwrap()).unwrap();
    }
    for i in 0..15 {
        assert_eq!(odd(&mut world, 7, 700 + i / 3), refused(4), "{i}");
    }
    assert_eq!(odd(&mut world, 7, 705), Err("TooManyRefused"));
    assert_eq!(odd(&mut world, 0, 705), refused(4), "another record");
}

#[test]
pub(super) fn role_not_held_ever_but_a_role_that_ended_is_enough_to_be_refused() {
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    let (tip, stranger) = (world.tip(), world.party(700));
    let presence = world.presence(BEACON, 700, tip);
    let request = world.request(&policed, 700, Some(presence));
    assert_eq!(world.status(request.clone()), Err("RoleNotHeld"));
    let role = Claim::Role { role: Role::Nurse, site: None };
    let claim = world.claim(ISSUER, stranger, role, 50).unwrap();
    world.withdraw(ISSUER, claim).unwrap();
    assert_eq!(world.status(request), refused(5));
}

#[test]
fn clause_3_outside_the_window() {
    let mut world = World::hospital();
    let from = world.now().median_time + 20;
    let window = Some(Window { from, to: from + 20 });
    let records =
        [500, 501, 502, 503].map(|rid| world.treated(rid, |draft| draft.terms.window = window));
    let cases =
        [(from - 1, refused(3)), (from, PENDING), (from + 19, PENDING), (from + 20, refused(3))];
    for (policed, (time, expected)) in records.iter().zip(cases) {
        while world.now().median_time < time {
            world.wait(1);
        }
        assert_eq!(world.now().median_time, time);
        let request = world.ask(policed);
        assert_eq!(world.status(request), expected, "{time}");
    }
}

#[test]
fn clause_4_another_purpose() {
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    let request = world.ask(&policed);
    assert_eq!(world.status(Request { purpose: Purpose::Payment, ..request }), refused(4));
    let request = world.ask(&policed);
    assert_eq!(world.status(request), PENDING);
}

#[test]
fn clause_5_no_role_shown_another_role_or_one_that_ended() {
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    let request = world.ask(&policed);
    assert_eq!(world.status(Request { role: None, ..request }), refused(5));
    let mut request = world.ask(&policed);
    if let Some(proof) = &mut request.role {
        proof.salt[0] ^= 1;
    }
    assert_eq!(world.status(request), refused(5));
    // The nurse shows the doctors' entry.
    let tip = world.tip();
    let presence = world.presence(BEACON, NURSE, tip);
    let request = world.request(&policed, NURSE, Some(presence));
    assert_eq!(world.status(request), refused(5));
    let request = world.ask(&policed);
    assert_eq!(world.status(request), PENDING);

    let other = world.treated(501, |_| {});
    let site = world.id(SITE);
    let licence = world.claim_of(DOCTOR, |claim| {
        *claim == Claim::Role { role: Role::Physician, site: Some(site) }
    });
    world.withdraw(ISSUER, licence).unwrap();
    let request = world.ask(&other);
    assert_eq!(world.status(request), refused(5));
}

#[test]
fn clause_6_elsewhere_not_heard_or_heard_too_long_ago() {
    let mut world = World::hospital();
    let elsewhere = world.party(800);
    let site = world.id(800);
    world.claim(ISSUER, elsewhere, Claim::Site(vec![CELL]), 0).unwrap();
    let beacon = world.party(801);
    world.claim(ISSUER, beacon, Claim::Beacon { site }, 0).unwrap();
    let policed = world.treated(500, |_| {});
    let tip = world.tip();
    let by_other = world.presence(801, DOCTOR, tip);
    let unclaimed = world.presence(802, DOCTOR, tip);
    let of_other = world.presence(BEACON, NURSE, tip);
    let mut asked = Vec::new();
    for presence in [None, Some(by_other), Some(unclaimed), Some(of_other)] {
        let request = world.request(&policed, DOCTOR, presence);
        let (transaction, core) = world.transaction(Body::Request(Box::new(request)));
        asked.push((transaction, core));
    }
    // One block, so that the anchor is the same for all; the fourth is over the limit of three.
    let (fourth, _) = asked.pop().unwrap();
    let (transactions, cores): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
    world.mine(transactions).unwrap();
    for core in cores {
        let held: HeldRequest = world.entry(&EntryKey::Request(core)).unwrap();
        assert_eq!(held.status, RequestStatus::Refused(6));
    }
    assert_eq!(world.mine(vec![fourth]), Err(("TooManyRefused", 1)));

    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    let mut place = world.ask(&policed);
    place.place = None;
    assert_eq!(world.status(place), refused(6));
    let ago = |world: &mut World, blocks: u32| {
        let anchor = world.ledger.view().hash_at(world.next() - blocks).unwrap().unwrap();
        let presence = world.presence(BEACON, DOCTOR, anchor);
        let request = world.request(&policed, DOCTOR, Some(presence));
        world.status(request)
    };
    assert_eq!(ago(&mut world, 4), refused(6));
    assert_eq!(ago(&mut world, 3), PENDING);
}

#[test]
fn clause_6_a_cell_that_holds_the_site_or_anywhere() {
    let mut world = World::hospital();
    let issuer = world.id(ISSUER);
    let other = world.id(DOCTOR);
    for (place, expected) in [
        (Place::Cell(CELL, issuer), PENDING),
        (Place::Cell(CELL, other), refused(6)),
        (Place::AnyEmergency, refused(6)),
    ] {
        let rid = 500 + world.next();
        let policed = world.treated(rid, |draft| draft.places = vec![place]);
        let request = world.ask(&policed);
        assert_eq!(world.status(request), expected, "{place:?}");
    }
    let policed = world.treated(900, |draft| draft.places = vec![Place::Anywhere]);
    let request = world.request(&policed, DOCTOR, None);
    assert_eq!(world.status(request), PENDING);
}

#[test]
fn an_unknown_presence_anchor_and_a_false_beacon_signature_are_invalid() {
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    let unknown = world.presence(BEACON, DOCTOR, proofward::primitives::BlockHash([9; 32]));
    let request = world.request(&policed, DOCTOR, Some(unknown));
    assert_eq!(world.status(request), Err("UnknownAnchor"));
    let mut request = world.ask(&policed);
    if let Some(presence) = &mut request.presence {
        presence.round += 1;
    }
    assert_eq!(world.status(request), Err("BadSig"));
    let mut small_order = world.ask(&policed);
    if let Some(presence) = &mut small_order.presence {
        presence.beacon.0 = [0; 32];
    }
    assert_eq!(world.status(small_order), Err("BadKey"));
    let request = world.ask(&policed);
    assert_eq!(world.status(request), PENDING);
}

#[test]
fn a_beacons_signature_counts_in_the_fee() {
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    let request = world.ask(&policed);
    let (mut transaction, _) = world.transaction(Body::Request(Box::new(request)));
    assert_eq!(transaction.sigs.len(), 2);
    assert_eq!(transaction.signature_count(), 3);
    let bytes = transaction.encode().len() as u64;
    let least = bytes + 3 * 100 + 10_000;
    transaction.fee = least - 1;
    let low = world.signed(transaction.clone());
    assert_eq!(world.mine(vec![low]), Err(("FeeTooLow", 1)));
    transaction.fee = least;
    let enough = world.signed(transaction);
    assert_eq!(world.mine(vec![enough]), Ok(()));
}

#[test]
fn refusals_have_a_log_of_their_own() {
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    let before = world.logs(policed.rid);
    let request = world.ask(&policed);
    world.status(Request { purpose: Purpose::Payment, ..request }).unwrap();
    let after = world.logs(policed.rid);
    assert_eq!(after.access, before.access);
    assert_eq!(after.refusals.count, 1);
    let request = world.ask(&policed);
    world.status(request).unwrap();
    let last = world.logs(policed.rid);
    assert_eq!(last.refusals, after.refusals);
    assert_eq!(last.access.count, before.access.count + 1);
}

#[test]
fn a_role_by_the_word_of_the_issuer_of_the_site_serves_too() {
    let mut world = World::hospital();
    let issuer = world.id(ISSUER);
    let by_issuer = RoleRef { role: Role::Physician, issuer };
    let policed = world.treated(500, |draft| draft.readers = vec![by_issuer]);
    let request = world.ask(&policed);
    assert_eq!(world.status(request), PENDING);
}

#[test]
fn a_closed_request_is_forgotten_and_an_open_one_is_not() {
    let mut world = World::hospital();
    let brief = world.treated(500, |draft| draft.terms.answer_within = 5);
    let long = world.treated(501, |draft| draft.terms.answer_within = 1500);
    let mine = |world: &mut World, policed: &Policed| -> CoreId {
        let request = world.ask(policed);
        world.act(Body::Request(Box::new(request))).unwrap()
    };
    let (brief_core, long_core) = (mine(&mut world, &brief), mine(&mut world, &long));
    let h = world.next();
    let is_held = |world: &World, core: CoreId| {
        world.entry::<HeldRequest>(&EntryKey::Request(core)).is_some()
    };
    world.wait(1005);
    assert!(is_held(&world, brief_core), "over for less than 1,000 blocks when it was looked at");
    assert!(is_held(&world, long_core));
    world.wait(h + 2000 - world.next());
    assert!(!is_held(&world, brief_core));
    assert!(is_held(&world, long_core));
}

#[test]
fn a38_the_order_in_a_block_decides_between_revoking_and_using() {
    let requested = |world: &mut World, policed: &Policed| {
        let request = world.ask(policed);
        world.transaction(Body::Request(Box::new(request)))
    };
    let revoked = |world: &mut World, policed: &Policed| {
        let owners = world.party(PATIENT);
        let (rid, seq, policy_root) = (policed.rid, 1, [0; 32]);
        world.transaction(Body::Grant(Grant { rid, owners, seq, policy_root, not_before_h: 0 })).0
    };
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    // The sponsor's nonces follow the order of the block.
    let grant = revoked(&mut world, &policed);
    let (request, _) = requested(&mut world, &policed);
    assert_eq!(world.mine(vec![grant, request]), Err(("StaleSeq", 2)));
    let (request, _) = requested(&mut world, &policed);
    let grant = revoked(&mut world, &policed);
    assert_eq!(world.mine(vec![request, grant]), Ok(()));

    // A licence withdrawn before or after in the same block: refused or pending.
    let withdrawn = |world: &mut World| {
        let site = world.id(SITE);
        let licence = world.claim_of(DOCTOR, |claim| {
            *claim == Claim::Role { role: Role::Physician, site: Some(site) }
        });
        let by = world.party(ISSUER);
        let withdrawal = Attest::withdrawal(by, Withdrawn::Claim(licence.0), [0; 32]);
        world.transaction(Body::Attest(withdrawal)).0
    };
    for withdraws_first in [true, false] {
        let mut world = World::hospital();
        let policed = world.treated(500, |_| {});
        let (block, core) = if withdraws_first {
            let withdrawal = withdrawn(&mut world);
            let (request, core) = requested(&mut world, &policed);
            (vec![withdrawal, request], core)
        } else {
            let (request, core) = requested(&mut world, &policed);
            (vec![request, withdrawn(&mut world)], core)
        };
        world.mine(block).unwrap();
        let held: HeldRequest = world.entry(&EntryKey::Request(core)).unwrap();
        let expected = if withdraws_first { refused(5) } else { PENDING };
        assert_eq!(Ok(held.status), expected);
    }
}

/// Judging a block keeps what it has found out about people and places: a claim that comes or goes between
/// two requests counts for the second.
#[test]
fn what_was_found_of_claims_is_found_anew_after_they_change() {
    let site = World::hospital().id(SITE);
    let cases = [
        (ISSUER, DOCTOR, Claim::Role { role: Role::Physician, site: Some(site) }, 1, 5),
        (ISSUER, BEACON, Claim::Beacon { site }, 0, 6),
        // By these the doctor's role holds.
        (ISSUER, SITE, Claim::Site(vec![CELL]), 0, 5),
        (ANCHOR, ISSUER, Claim::Issuer(IssuerSet::ALL), 0, 5),
    ];
    let ask = |world: &mut World, policed: &Policed| {
        let request = world.ask(policed);
        world.transaction(Body::Request(Box::new(request)))
    };
    for (by, subject, claim, tag, clause) in cases {
        let mut world = World::hospital();
        let [one, two, three] = [500, 501, 502].map(|rid| world.treated(rid, |_| {}));
        let held = world.claim_of(subject, |held| *held == claim);
        let (first, before) = ask(&mut world, &one);
        let withdrawer = world.party(by);
        let withdrawal = Attest::withdrawal(withdrawer, Withdrawn::Claim(held.0), [0; 32]);
        let (withdrawal, _) = world.transaction(Body::Attest(withdrawal));
        let (second, without) = ask(&mut world, &two);
        let party = world.party(subject);
        let renewal = world.attest(by, party, claim, tag);
        let (renewal, _) = world.transaction(Body::Attest(renewal));
        let (third, after) = ask(&mut world, &three);
        world.mine(vec![first, withdrawal, second, renewal, third]).unwrap();
        let statuses = [before, without, after].map(|core| {
            let held: HeldRequest = world.entry(&EntryKey::Request(core)).unwrap();
            Ok(held.status)
        });
        assert_eq!(statuses, [PENDING, refused(clause), PENDING]);
    }
}

#[test]
fn a36_a_core_of_one_chain_says_nothing_on_another() {
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    let request = world.ask(&policed);
    let (transaction, _) = world.transaction(Body::Request(Box::new(request)));
    // The same people on a chain with another delay: another specification, another genesis.
    let mut other = World::with(Spec { claim_delay_blocks: 1, ..easy_spec() });
    assert_eq!(other.mine(vec![transaction.clone()]), Err(("WrongChain", 1)));
    // Said to be for that chain, its signatures are still for the first one.
    let mut moved = transaction;
    moved.core.chain = other.ledger.chain().chain_id;
    moved.core.valid_from = 0;
    moved.core.valid_to = other.next();
    moved.nonce = 1;
    assert_eq!(other.mine(vec![moved]), Err(("BadSig", 1)));
}
