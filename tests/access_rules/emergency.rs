//! Emergencies: what a guardian may have acted on is always logged, who goes without a fee, how far, and
//! what happens when nobody reviews.

use crate::access::*;
use proofward::ledger::mempool::{Limits, Mempool, Source};
use proofward::ledger::policy::{Draft, Leaf, Place, Purpose, Purposes, Role, RoleRef};
use proofward::ledger::rules::context::Refusal;
use proofward::ledger::state::RequestStatus;
use proofward::ledger::transaction::attest::{Claim, IssuerSet};
use proofward::ledger::transaction::receipt::Outcome;
use proofward::ledger::transaction::{Body, Grant, Receipt, Request, Transaction};
use proofward::primitives::BlockHash;

const PENDING: Result<RequestStatus, &str> = Ok(RequestStatus::Pending);

const fn refused(clause: u8) -> Result<RequestStatus, &'static str> {
    Ok(RequestStatus::Refused(clause))
}

fn world() -> World {
    let mut world = World::hospital();
    world.found_emergency();
    world
}

#[test]
fn a_pending_emergency_needs_no_fee_and_a_refused_one_does() {
    let mut world = world();
    let policed = world.emergency(500);
    let request = world.break_glass(&policed, CLINICIAN);
    let other_purpose = Request { purpose: Purpose::EmergencyTreat, ..request.clone() };
    assert_eq!(world.status_free(other_purpose.clone()), Err("FeeTooLow"));
    assert_eq!(world.status(other_purpose), refused(4));
    let request = world.break_glass(&policed, CLINICIAN);
    assert_eq!(world.status_free(request), PENDING);
    // An ordinary request never goes without.
    let ordinary = world.treated(501, |_| {});
    let request = world.ask(&ordinary);
    assert_eq!(world.status_free(request), Err("FeeTooLow"));
}

#[test]
fn what_is_a_broken_rule_elsewhere_is_a_refusal_in_an_emergency() {
    let mut world = world();
    let policed = world.emergency(500);
    // RoleNotHeld.
    let request = world.break_glass(&policed, 999);
    assert_eq!(world.status(request), refused(5));
    // UnknownAnchor.
    let presence = world.presence(SIREN, CLINICIAN, BlockHash([9; 32]));
    let mut request = world.request(&policed, CLINICIAN, Some(presence));
    request.purpose = Purpose::BreakGlass;
    assert_eq!(world.status(request), refused(6));
    // TooManyRefused: any number of them is logged.
    for _ in 0..4 {
        let request = world.break_glass(&policed, CLINICIAN);
        let request = Request { purpose: Purpose::Treat, ..request };
        assert_eq!(world.status(request), refused(4));
    }
    // TooManyOpen, for the same record and for another: one is open per reader.
    let other = world.emergency(501);
    let request = world.break_glass(&policed, CLINICIAN);
    assert_eq!(world.status(request), PENDING);
    for policed in [&policed, &other] {
        let request = world.break_glass(policed, CLINICIAN);
        assert_eq!(world.status(request), refused(0));
    }
    // StaleSeq: revoked, once and again; and a policy that never was.
    world.grant(policed.rid, PATIENT, 1, [0; 32], 0).unwrap();
    let request = world.break_glass(&policed, CLINICIAN);
    assert_eq!(world.status(request.clone()), refused(1));
    world.grant(policed.rid, PATIENT, 2, [0; 32], 0).unwrap();
    let request = Request { seq: 7, ..world.break_glass(&policed, CLINICIAN) };
    assert_eq!(world.status(request.clone()), refused(1));
    let mut unknown = request;
    unknown.leaf.salt[0] ^= 1;
    assert_eq!(world.status(unknown), Err("BranchNotInPolicy"));
    let logs = world.logs(policed.rid);
    assert_eq!(logs.access.count, 1 + 1 + 2, "record, request, two revocations");
    assert_eq!(logs.refusals.count, 1 + 1 + 4 + 1 + 2);
}

#[test]
fn a_clinician_whose_claim_is_young_or_at_the_issuers_own_service_is_refused() {
    let mut world = world();
    let policed = world.emergency(500);
    let young = world.party(600);
    let role = Claim::Role { role: Role::EmergencyClinician, site: None };
    world.claim(ISSUER, young, role, 60).unwrap();
    let request = world.break_glass(&policed, 600);
    assert_eq!(world.status(request), refused(5));
    // The hospital's own site, declared an emergency service by its own issuer.
    let (site, id) = (world.party(SITE), world.id(SITE));
    world.claim(ISSUER, site, Claim::Emergency { site: id }, 0).unwrap();
    let tip = world.tip();
    let presence = world.presence(BEACON, CLINICIAN, tip);
    let request = world.break_glass(&policed, CLINICIAN);
    assert_eq!(world.status(Request { presence: Some(presence), ..request }), refused(6));
    let request = world.break_glass(&policed, CLINICIAN);
    assert_eq!(world.status(request), PENDING);
}

#[test]
fn two_open_a_site_ten_a_block_and_twenty_unreviewed_go_without_a_fee() {
    let mut world = world();
    world.crowd(11, 6);
    let policed = world.emergency(500);

    // Two at the first site; a third in a later block pays.
    for i in 0..2 {
        let free = world.free_at(&policed, i, 0);
        assert_eq!(world.mine(vec![free]), Ok(()));
    }
    let third = world.free_at(&policed, 2, 0);
    assert_eq!(world.mine(vec![third]), Err(("FeeTooLow", 1)));
    let elsewhere = world.free_at(&policed, 2, 1);
    assert_eq!(world.mine(vec![elsewhere]), Ok(()));
    let tip = world.tip();
    let presence = world.presence(4000, 2003, tip);
    let paid = Request { presence: Some(presence), ..world.break_glass(&policed, 2003) };
    assert_eq!(world.status(paid), PENDING, "at the ordinary fee");

    // When they are over the sites are free again. Eleven in a block are one too many.
    world.wait(21);
    let eleven: Vec<_> = (0..11).map(|i| world.free_at(&policed, i, i / 2)).collect();
    assert_eq!(world.mine(eleven.clone()), Err(("FeeTooLow", 11)));
    assert_eq!(world.mine(eleven[..10].to_vec()), Ok(()));

    // Four and ten await their review; six more make twenty.
    world.wait(21);
    for i in 0..6 {
        let free = world.free_at(&policed, i, i / 2);
        assert_eq!(world.mine(vec![free]), Ok(()), "{i}");
    }
    let one_more = world.free_at(&policed, 6, 3);
    assert_eq!(world.mine(vec![one_more]), Err(("FeeTooLow", 1)));
    let request = world.break_glass(&policed, 2006);
    assert_eq!(world.status(request), PENDING, "at the ordinary fee");
}

#[test]
fn nobody_who_owes_a_review_for_2016_blocks_breaks_the_glass_again() {
    let mut world = world();
    world.crowd(2, 0);
    let policed = world.emergency(500);
    let h = world.next();
    let both = [2000, 2001].map(|key| {
        let request = world.break_glass(&policed, key);
        world.transaction(Body::Request(Box::new(request))).0
    });
    world.mine(both.to_vec()).unwrap();
    world.wait(h + 2016 - world.next());
    let request = world.break_glass(&policed, 2000);
    assert_eq!(world.status(request), PENDING);
    let request = world.break_glass(&policed, 2001);
    assert_eq!(world.status(request), refused(5));
}

#[test]
fn the_mempool_puts_emergencies_without_a_fee_before_everything_that_pays() {
    let mut world = world();
    world.crowd(3, 1);
    let policed = world.emergency(500);
    let mut pool =
        Mempool::new(world.ledger.chain(), &world.ledger.view(), Limits::default()).unwrap();
    let mut admit = |world: &World, transaction: &Transaction| {
        let admitted = pool.admit(&world.ledger.view(), &transaction.encode(), Source::Own);
        let names = admitted.map(|_| ()).map_err(|refusal| match refusal {
            Refusal::Rule(refused) => refused.name(),
            Refusal::Store(error) => panic!("{error}"),
        });
        let template = pool.template(&world.ledger.view()).unwrap();
        let chosen = template.transactions.iter().map(|included| included.transaction.clone());
        (names, chosen.collect::<Vec<_>>())
    };
    let owners = world.party(PATIENT);
    let (rid, seq, policy_root) = (policed.rid, 1, [7; 32]);
    let not_before_h = world.next() + 1;
    let grant = Grant { rid, owners, seq, policy_root, not_before_h };
    let (paid, _) = world.transaction(Body::Grant(grant.clone()));
    let free: Vec<_> = (0..3).map(|i| world.free_at(&policed, i, 0)).collect();
    let ordinary = world.free(Body::Grant(Grant { seq: 2, ..grant.clone() }));
    assert_eq!(admit(&world, &paid), (Ok(()), vec![paid.clone()]));
    let (first, second) = (free[0].clone(), free[1].clone());
    let (taken, chosen) = admit(&world, &first);
    assert_eq!((taken, chosen.len()), (Ok(()), 2));
    let (taken, chosen) = admit(&world, &second);
    assert_eq!((taken, chosen.len()), (Ok(()), 3));
    // The third at this site is pending and waits for another block.
    let (taken, chosen) = admit(&world, &free[2]);
    assert_eq!((taken, chosen.len()), (Ok(()), 3));
    assert_eq!(admit(&world, &ordinary).0, Err("FeeTooLow"));
    // The same core at the ordinary fee takes the place of the one without.
    let bumped = world.sponsor(free[2].core.clone());
    let (taken, chosen) = admit(&world, &bumped);
    assert_eq!((taken, chosen.len()), (Ok(()), 4));
    // Where there is room for one alone, it is not the one that pays.
    let limits = Limits { count: 1, ..Limits::default() };
    let mut pool = Mempool::new(world.ledger.chain(), &world.ledger.view(), limits).unwrap();
    let mut admit = |transaction: &Transaction| {
        pool.admit(&world.ledger.view(), &transaction.encode(), Source::Own).is_ok()
    };
    assert!(admit(&paid));
    assert!(admit(&first));
    assert!(!admit(&paid));
    assert_eq!(world.mine(chosen), Ok(()));
}

/// An issuer may make issuers. Those could vouch for a service of their own, and an auditor of their own
/// could look away, so that one stolen key would break every glass that names its clinicians.
#[test]
fn an_issuer_is_not_its_own_other_one_through_issuers_that_it_makes() {
    const CREATURE: u32 = 150;
    let mut world = world();
    let (creature, site, beacon) = (world.party(CREATURE), world.party(151), world.party(152));
    let (site_id, auditor) = (world.id(151), world.party(153));
    world.claim(ISSUER, creature.clone(), Claim::Issuer(IssuerSet::ALL), 0).unwrap();
    world.claim(CREATURE, site.clone(), Claim::Site(vec![CELL]), 0).unwrap();
    world.claim(CREATURE, site, Claim::Emergency { site: site_id }, 0).unwrap();
    world.claim(CREATURE, beacon, Claim::Beacon { site: site_id }, 0).unwrap();
    world.claim(CREATURE, auditor.clone(), Claim::Auditor, 60).unwrap();
    let policed = world.emergency(500);
    let at = |world: &mut World, beacon| {
        let tip = world.tip();
        let presence = world.presence(beacon, CLINICIAN, tip);
        Request { presence: Some(presence), ..world.break_glass(&policed, CLINICIAN) }
    };
    let elsewhere = at(&mut world, 152);
    assert_eq!(world.status(elsewhere), refused(6));
    let request = at(&mut world, SIREN);
    let request = world.act(Body::Request(Box::new(request))).unwrap();
    let review = Receipt {
        request: request.0,
        outcome: Outcome::Reviewed,
        by: auditor,
        blob: [0; 32],
        detail: [0; 32],
    };
    assert_eq!(world.act(Body::Receipt(review.clone())), Err("NotParty"));
    // By somebody's word besides, the same party is another one, whoever else has said so.
    world.claim(ANCHOR, creature, Claim::Issuer(IssuerSet::ALL), 0).unwrap();
    world.act(Body::Receipt(review)).unwrap();
    world.wait(30);
    let beside = at(&mut world, 152);
    assert_eq!(world.status(beside), PENDING);
}

/// A policy for emergencies that a patient made for itself, at any place.
fn own_emergency(world: &mut World, rid: u32) -> Policed {
    let issuer = world.id(ISSUER);
    let draft = Draft {
        terms: Leaf {
            set: 1,
            purposes: Purposes::of(&[Purpose::BreakGlass]),
            max_reads: 1,
            ..terms()
        },
        readers: vec![RoleRef { role: Role::Patient, issuer }],
        places: vec![Place::Anywhere],
    };
    world.policed(rid, draft)
}

#[test]
fn nobody_but_a_clinician_at_an_emergency_service_takes_the_room_of_those_without_a_fee() {
    let mut world = world();
    // Somebody else's presence, seen on the chain.
    let tip = world.tip();
    let seen = world.presence(SIREN, CLINICIAN, tip);
    let own = own_emergency(&mut world, 660);
    let request =
        Request { purpose: Purpose::BreakGlass, ..world.request(&own, PATIENT, Some(seen)) };
    assert_eq!(world.status_free(request.clone()), Err("FeeTooLow"));
    let core = world.act(Body::Request(Box::new(request))).unwrap();
    // And nobody reviews what they asked for themselves, the owner neither.
    let by = world.party(PATIENT);
    let outcome = Outcome::Reviewed;
    let review = Receipt { request: core.0, outcome, by, blob: [0; 32], detail: [0; 32] };
    assert_eq!(world.act(Body::Receipt(review)), Err("NotParty"));
}
