//! Every named rule of `Attest`: the smallest claim that breaks exactly it, beside its nearest valid
//! neighbour.

use crate::access::*;
use crate::ledger::*;
use proofward::ledger::policy::{Cell, Role};
use proofward::ledger::rules::context::Ancestors as _;
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::Spec;
use proofward::ledger::state::{EntryKey, HeldClaim};
use proofward::ledger::transaction::attest::{Claim, IssuerSet, Point, Withdrawn};
use proofward::ledger::transaction::{Attest, Body, Group, Party};

const NURSE_ANYWHERE: Claim = Claim::Role { role: Role::Nurse, site: None };

fn held(world: &World, claim: proofward::ledger::transaction::CoreId) -> HeldClaim {
    world.entry(&EntryKey::Claim(claim)).unwrap()
}

#[test]
pub(super) fn not_allowed_to_issue_without_a_claim_that_carries_the_set() {
    let mut world = World::new();
    let (issuer, nurse) = (world.party(ISSUER), world.party(NURSE));
    assert_eq!(world.claim(ISSUER, nurse.clone(), NURSE_ANYWHERE, 1), Err("NotAllowedToIssue"));
    let doctors = IssuerSet::of(&[3], &[Role::Physician]);
    world.claim(ANCHOR, issuer.clone(), Claim::Issuer(doctors), 0).unwrap();
    assert_eq!(world.claim(ISSUER, nurse.clone(), NURSE_ANYWHERE, 1), Err("NotAllowedToIssue"));
    let nurses = IssuerSet::of(&[3], &[Role::Nurse]);
    world.claim(ANCHOR, issuer, Claim::Issuer(nurses), 0).unwrap();
    world.claim(ISSUER, nurse, NURSE_ANYWHERE, 1).unwrap();
}

#[test]
fn a_set_is_a_subset_of_the_issuers_own() {
    let mut world = World::new();
    let (issuer, other) = (world.party(ISSUER), world.party(200));
    let own = IssuerSet::of(&[2, 3], &[Role::Nurse, Role::Physician]);
    world.claim(ANCHOR, issuer, Claim::Issuer(own), 0).unwrap();
    for more in [
        IssuerSet::of(&[3], &[Role::Nurse, Role::Patient]),
        IssuerSet::of(&[3, 5], &[Role::Nurse]),
        IssuerSet::ALL,
    ] {
        let claim = Claim::Issuer(more);
        assert_eq!(world.claim(ISSUER, other.clone(), claim, 0), Err("NotAllowedToIssue"));
    }
    world.claim(ISSUER, other, Claim::Issuer(own), 0).unwrap();
}

#[test]
fn only_the_genesis_anchor_makes_anchors() {
    let mut world = World::new();
    let (a, b) = (world.party(200), world.party(201));
    world.claim(ANCHOR, a, Claim::Anchor, 0).unwrap();
    assert_eq!(world.claim(200, b.clone(), Claim::Anchor, 0), Err("NotAllowedToIssue"));
    world.claim(200, b, Claim::Issuer(IssuerSet::ALL), 0).unwrap();
}

#[test]
pub(super) fn chain_too_deep_beyond_three_claims() {
    let mut world = World::new();
    for (issuer, subject) in [(ANCHOR, 200), (200, 201), (201, 202)] {
        let subject = world.party(subject);
        world.claim(issuer, subject, Claim::Issuer(IssuerSet::ALL), 0).unwrap();
    }
    let nurse = world.party(NURSE);
    assert_eq!(world.claim(202, nurse.clone(), NURSE_ANYWHERE, 1), Err("ChainTooDeep"));
    world.claim(201, nurse, NURSE_ANYWHERE, 1).unwrap();
}

#[test]
pub(super) fn issuer_not_live_before_after_and_when_withdrawn_at_any_step() {
    let mut world = World::new();
    let (issuer, nurse) = (world.party(ISSUER), world.party(NURSE));
    let at = world.next();
    let mut window = world.attest(ANCHOR, issuer, Claim::Issuer(IssuerSet::ALL), 0);
    // In force in the blocks at + 2 and at + 3.
    (window.from_h, window.to_h) = (at + 2, at + 4);
    world.act(Body::Attest(window)).unwrap();
    let issue = |world: &mut World, tag| {
        let height = world.next();
        (height - at, world.claim(ISSUER, nurse.clone(), NURSE_ANYWHERE, tag).map(|_| ()))
    };
    assert_eq!(issue(&mut world, 1), (1, Err("IssuerNotLive")));
    world.wait(1);
    assert_eq!(issue(&mut world, 1), (2, Ok(())));
    assert_eq!(issue(&mut world, 1), (3, Ok(())));
    assert_eq!(issue(&mut world, 1), (4, Err("IssuerNotLive")));

    let mut world = World::new();
    let (upper, lower, nurse) = (world.party(200), world.party(201), world.party(NURSE));
    let first = world.claim(ANCHOR, upper, Claim::Issuer(IssuerSet::ALL), 0).unwrap();
    world.claim(200, lower, Claim::Issuer(IssuerSet::ALL), 0).unwrap();
    world.claim(201, nurse.clone(), NURSE_ANYWHERE, 1).unwrap();
    world.withdraw(ANCHOR, first).unwrap();
    assert_eq!(world.claim(201, nurse, NURSE_ANYWHERE, 1), Err("IssuerNotLive"));
}

#[test]
pub(super) fn duplicate_subject_for_a_tag_of_another_key_and_a_second_tag_of_a_key() {
    let mut world = World::hospital();
    let (nurse, other) = (world.party(NURSE), world.party(200));
    // The doctor's tag, in another role, for another key.
    assert_eq!(world.claim(ISSUER, other.clone(), NURSE_ANYWHERE, 1), Err("DuplicateSubject"));
    // The nurse under another tag.
    assert_eq!(world.claim(ISSUER, nurse.clone(), NURSE_ANYWHERE, 9), Err("DuplicateSubject"));
    let physician = Claim::Role { role: Role::Physician, site: None };
    world.claim(ISSUER, nurse.clone(), physician, 2).unwrap();
    world.claim(ISSUER, other, NURSE_ANYWHERE, 9).unwrap();
    // With another issuer both are free.
    let second = world.party(201);
    world.claim(ANCHOR, second, Claim::Issuer(IssuerSet::ALL), 0).unwrap();
    world.claim(201, nurse, NURSE_ANYWHERE, 1).unwrap();
}

#[test]
fn a_tag_stays_bound_after_its_claim_is_withdrawn() {
    let mut world = World::hospital();
    let (nurse, other) = (world.party(200), world.party(201));
    let claim = world.claim(ISSUER, nurse, NURSE_ANYWHERE, 9).unwrap();
    world.withdraw(ISSUER, claim).unwrap();
    assert_eq!(world.claim(ISSUER, other, NURSE_ANYWHERE, 9), Err("DuplicateSubject"));
}

#[test]
pub(super) fn window_empty() {
    let mut world = World::hospital();
    let nurse = world.party(NURSE);
    for (from, to, expected) in [
        (50, 50, Err("WindowEmpty")),
        (50, 49, Err("WindowEmpty")),
        // Over in the block that would include it.
        (0, world.next(), Err("WindowEmpty")),
        (50, 51, Ok(())),
    ] {
        let mut attest = world.attest(ISSUER, nurse.clone(), NURSE_ANYWHERE, 2);
        (attest.from_h, attest.to_h) = (from, to);
        assert_eq!(world.act(Body::Attest(attest)).map(|_| ()), expected, "{from} to {to}");
    }
    let mut attest = world.attest(ISSUER, nurse, NURSE_ANYWHERE, 2);
    (attest.from_h, attest.to_h) = (0, world.next() + 1);
    world.act(Body::Attest(attest)).unwrap();
}

#[test]
fn a_claim_waits_the_delay_of_the_chain_in_blocks_and_in_time() {
    let mut world = World::with(Spec { claim_delay_blocks: 3, ..easy_spec() });
    let (issuer, nurse) = (world.party(ISSUER), world.party(NURSE));
    world.claim(ANCHOR, issuer, Claim::Issuer(IssuerSet::ALL), 0).unwrap();
    world.wait(1);
    assert_eq!(world.claim(ISSUER, nurse.clone(), NURSE_ANYWHERE, 1), Err("IssuerNotLive"));
    // Refused twice, so this is the third block after the claim's.
    world.wait(1);
    world.claim(ISSUER, nurse, NURSE_ANYWHERE, 1).unwrap();
}

#[test]
fn what_names_a_site_is_claimed_by_its_issuer_or_its_key() {
    let mut world = World::hospital();
    let other = world.party(200);
    world.claim(ANCHOR, other, Claim::Issuer(IssuerSet::ALL), 0).unwrap();
    let (site, subject, person) = (world.id(SITE), world.party(201), world.party(202));
    let here = |role| Claim::Role { role, site: Some(site) };
    let beacon = Claim::Beacon { site };
    let (site_key, emergency) = (world.party(SITE), Claim::Emergency { site });

    // Another issuer, with every right but over this site.
    let refused = Err("NotAllowedToIssue");
    assert_eq!(world.claim(200, subject.clone(), beacon.clone(), 0), refused);
    assert_eq!(world.claim(200, site_key.clone(), emergency.clone(), 0), refused);
    assert_eq!(world.claim(200, site_key.clone(), Claim::Site(vec![CELL]), 0), refused);
    assert_eq!(world.claim(200, person.clone(), here(Role::Nurse), 9), refused);
    // The site itself makes beacons, no roles, and no cells.
    assert_eq!(world.claim(SITE, person.clone(), here(Role::Nurse), 9), refused);
    assert_eq!(world.claim(SITE, site_key.clone(), Claim::Site(vec![CELL]), 0), refused);
    world.claim(SITE, subject.clone(), beacon.clone(), 0).unwrap();
    world.claim(SITE, site_key.clone(), emergency.clone(), 0).unwrap();
    world.claim(ISSUER, subject, beacon, 0).unwrap();
    world.claim(ISSUER, site_key.clone(), emergency, 0).unwrap();
    world.claim(ISSUER, site_key, Claim::Site(vec![CELL]), 0).unwrap();
    world.claim(ISSUER, person, here(Role::Nurse), 9).unwrap();
}

#[test]
fn nothing_is_claimed_for_a_site_that_does_not_hold() {
    let mut world = World::hospital();
    let (unknown, subject) = (world.id(300), world.party(201));
    let beacon = Claim::Beacon { site: unknown };
    assert_eq!(world.claim(ISSUER, subject.clone(), beacon.clone(), 0), Err("IssuerNotLive"));
    let site = world.party(300);
    world.claim(ISSUER, site, Claim::Site(vec![CELL]), 0).unwrap();
    world.claim(ISSUER, subject, beacon, 0).unwrap();
}

#[test]
fn a_withdrawal_comes_from_the_issuer_or_above_acts_at_once_and_keeps_its_height() {
    let mut world = World::new();
    let (upper, lower, nurse) = (world.party(200), world.party(201), world.party(NURSE));
    world.claim(ANCHOR, upper, Claim::Issuer(IssuerSet::ALL), 0).unwrap();
    world.claim(200, lower, Claim::Issuer(IssuerSet::ALL), 0).unwrap();
    let beside = world.party(202);
    world.claim(200, beside, Claim::Issuer(IssuerSet::ALL), 0).unwrap();
    let roles = [Role::Nurse, Role::Physician, Role::Patient];
    let claims = roles
        .map(|role| world.claim(201, nurse.clone(), Claim::Role { role, site: None }, 1).unwrap());
    for stranger in [202, NURSE, 999] {
        assert_eq!(world.withdraw(stranger, claims[0]), Err("NotAllowedToIssue"), "{stranger}");
    }
    for (by, claim) in [201, 200, ANCHOR].into_iter().zip(claims) {
        let height = world.next();
        world.withdraw(by, claim).unwrap();
        assert_eq!(held(&world, claim).withdrawn, Some(height));
        assert_eq!(world.withdraw(by, claim), Err("NotAllowedToIssue"), "only once");
    }
}

#[test]
fn who_can_no_longer_issue_can_no_longer_withdraw() {
    let mut world = World::new();
    let (issuer, nurse) = (world.party(ISSUER), world.party(NURSE));
    let right = world.claim(ANCHOR, issuer, Claim::Issuer(IssuerSet::ALL), 0).unwrap();
    let claim = world.claim(ISSUER, nurse, NURSE_ANYWHERE, 1).unwrap();
    world.withdraw(ANCHOR, right).unwrap();
    assert_eq!(world.withdraw(ISSUER, claim), Err("IssuerNotLive"));
    world.withdraw(ANCHOR, claim).unwrap();
}

#[test]
fn a_device_model_is_withdrawn_by_who_named_its_devices() {
    let mut world = World::hospital();
    let (issuer, device) = (world.id(ISSUER), world.party(200));
    let model = [7; 32];
    let claim = Claim::Device { model, firmware: [8; 32] };
    world.claim(ISSUER, device, claim, 0).unwrap();
    let withdrawn = Withdrawn::Model { issuer, model };
    let by = |world: &mut World, number| {
        let by = world.party(number);
        world.act(Body::Attest(Attest::withdrawal(by, withdrawn, [0; 32])))
    };
    assert_eq!(by(&mut world, DOCTOR), Err("NotAllowedToIssue"));
    let height = world.next();
    by(&mut world, ISSUER).unwrap();
    assert_eq!(world.entry(&EntryKey::Model(issuer, model)), Some(height));
    assert_eq!(by(&mut world, ANCHOR), Err("NotAllowedToIssue"), "only once");
}

#[test]
fn prev_names_a_claim_of_the_same_kind_about_the_same_subject() {
    let mut world = World::hospital();
    let (nurse, other) = (world.party(NURSE), world.party(200));
    let mine = world.claim(ISSUER, nurse.clone(), NURSE_ANYWHERE, 2).unwrap();
    let theirs = world.claim(ISSUER, other, NURSE_ANYWHERE, 9).unwrap();
    let mut renewed = world.attest(ISSUER, nurse, NURSE_ANYWHERE, 2);
    renewed.prev = Some(theirs.0);
    assert_eq!(world.act(Body::Attest(renewed.clone())), Err("NotAllowedToIssue"));
    renewed.prev = Some(mine.0);
    world.act(Body::Attest(renewed)).unwrap();
}

#[test]
fn the_subject_signs_and_a_group_signs_with_exactly_k() {
    let mut world = World::hospital();
    let group = world.group(2, &[300, 301, 302]);
    let set = Claim::Issuer(IssuerSet::ALL);
    let attest = world.attest(ANCHOR, group.clone(), set.clone(), 0);
    let (mut transaction, _) = world.transaction(Body::Attest(attest));
    // Sponsor, anchor, two members.
    assert_eq!(transaction.sigs.len(), 4);
    transaction.sigs.pop();
    assert_eq!(world.mine(vec![transaction]), Err(("WrongSigners", 1)));

    let Party::Group(members) = &group else { panic!("a group") };
    let with = |change: &dyn Fn(&mut Group)| {
        let mut changed = members.clone();
        change(&mut changed);
        Party::Group(changed)
    };
    for (odd, why) in [
        (with(&|group| group.signed_by = 0b111), "a bit too many"),
        (with(&|group| group.signed_by = 0b001), "a bit too few"),
        (with(&|group| group.signed_by = 0b1001), "a bit beyond the members"),
        (with(&|group| group.keys.swap(0, 1)), "not ascending"),
        (with(&|group| group.keys[1] = group.keys[0]), "a member twice"),
        (with(&|group| group.keys.truncate(1)), "one member"),
        (with(&|group| (group.k, group.signed_by) = (0, 0)), "nobody needed"),
    ] {
        assert_eq!(world.claim(ANCHOR, odd, set.clone(), 0), Err("NonCanonical"), "{why}");
    }
    world.claim(ANCHOR, with(&|group| group.signed_by = 0b110), set, 0).unwrap();
    // The group acts under its own id.
    let nurse = world.party(200);
    let mut attest = world.attest(ANCHOR, nurse, NURSE_ANYWHERE, 9);
    attest.issuer = group;
    world.act(Body::Attest(attest)).unwrap();
}

#[test]
fn where_the_chain_asks_for_groups_no_single_key_becomes_an_issuer() {
    let anchors: Vec<PubKey> = [400, 401, 402].map(|n| Key::new(n).public()).to_vec();
    let spec = Spec {
        anchors: proofward::ledger::spec::KeySet { k: 2, keys: anchors },
        issuer_k_least: 2,
        ..easy_spec()
    };
    let mut world = World::with(spec.check().unwrap());
    let anchor = world.group(2, &[400, 401, 402]);
    let set = Claim::Issuer(IssuerSet::ALL);
    let by_anchor = |world: &mut World, subject: Party| {
        let mut attest = world.attest(400, subject, set.clone(), 0);
        attest.issuer = anchor.clone();
        world.act(Body::Attest(attest)).map(|_| ())
    };
    let single = world.party(300);
    assert_eq!(by_anchor(&mut world, single), Err("NotAllowedToIssue"));
    let one_of_two = world.group(1, &[300, 301]);
    assert_eq!(by_anchor(&mut world, one_of_two), Err("NotAllowedToIssue"));
    let two_of_two = world.group(2, &[300, 301]);
    assert_eq!(by_anchor(&mut world, two_of_two), Ok(()));
}

#[test]
fn claims_have_one_form() {
    let mut world = World::hospital();
    let (subject, site) = (world.party(200), world.party(SITE));
    let unsorted = Claim::Site(vec![CELL, CELL]);
    let elsewhere = Claim::Emergency { site: world.id(201) };
    let group = world.group(1, &[300, 301]);
    for (subject, claim, tag) in [
        (subject.clone(), Claim::Issuer(IssuerSet { claims: 0, roles: 0 }), 0),
        (subject.clone(), Claim::Issuer(IssuerSet { claims: 1 << 3, roles: 0 }), 0),
        (subject.clone(), Claim::Issuer(IssuerSet { claims: 1 << 5, roles: 2 }), 0),
        (subject.clone(), Claim::Issuer(IssuerSet { claims: 1 << 1, roles: 0 }), 0),
        (subject.clone(), Claim::Site(vec![]), 0),
        (subject.clone(), Claim::Site(vec![Cell(CELL.0 & !7)]), 0),
        (subject.clone(), unsorted, 0),
        (subject, NURSE_ANYWHERE, 0),
        (group, NURSE_ANYWHERE, 9),
        (site, elsewhere, 0),
    ] {
        let text = format!("{claim:?}");
        assert_eq!(world.claim(ISSUER, subject, claim, tag), Err("NonCanonical"), "{text}");
    }
}

#[test]
fn the_list_of_a_partys_claims_is_bounded_and_shifts_do_not_fill_it() {
    let mut world = World::hospital();
    let nurse = world.party(NURSE);
    let shift = |world: &mut World| {
        let mut attest = world.attest(ISSUER, nurse.clone(), NURSE_ANYWHERE, 2);
        attest.to_h = world.next() + 1;
        world.act(Body::Attest(attest)).map(|_| ())
    };
    for _ in 0..40 {
        assert_eq!(shift(&mut world), Ok(()));
    }
    let holdings = |world: &World, key: PubKey| {
        let list: Option<Vec<proofward::ledger::transaction::CoreId>> =
            world.entry(&EntryKey::Holdings(key.into()));
        list.unwrap_or_default().len()
    };
    let key = world.key(NURSE);
    assert_eq!(holdings(&world, key), 2, "the role at the site, and the last shift");
    for _ in 2..32 {
        world.claim(ISSUER, nurse.clone(), NURSE_ANYWHERE, 2).unwrap();
    }
    // The shift that is over has made room for the first of them.
    world.claim(ISSUER, nurse.clone(), NURSE_ANYWHERE, 2).unwrap();
    assert_eq!(holdings(&world, key), 32);
    assert_eq!(world.claim(ISSUER, nurse, NURSE_ANYWHERE, 2), Err("TooLarge"));
}

#[test]
fn few_claims_of_one_kind_hold_at_a_time_so_that_every_walk_is_short() {
    let mut world = World::new();
    let issuer = world.party(ISSUER);
    let set = Claim::Issuer(IssuerSet::ALL);
    let claims: Vec<_> =
        (0..4).map(|_| world.claim(ANCHOR, issuer.clone(), set.clone(), 0).unwrap()).collect();
    assert_eq!(world.claim(ANCHOR, issuer.clone(), set.clone(), 0), Err("TooLarge"));
    world.withdraw(ANCHOR, claims[0]).unwrap();
    world.claim(ANCHOR, issuer.clone(), set, 0).unwrap();
    world.claim(ANCHOR, issuer, Claim::Auditor, 0).unwrap();
}

#[test]
fn a_specification_whose_anchor_is_below_what_it_asks_of_issuers_is_none() {
    assert!(Spec { issuer_k_least: 2, ..easy_spec() }.check().is_err());
    assert!(Spec { issuer_k_least: 0, ..easy_spec() }.check().is_err());
    assert!(Spec { claim_delay_blocks: 1001, ..easy_spec() }.check().is_err());
    let spec = Spec { claim_delay_blocks: 1000, ..easy_spec() }.check().unwrap();
    assert_ne!(spec.commitment(), easy_spec().commitment());
    assert_eq!(Spec::from_toml(&spec.to_toml()).unwrap(), spec);
    let (main, test) = (Spec::main(), Spec::test());
    assert_eq!((main.claim_delay_blocks, main.issuer_k_least), (12, 2));
    assert_eq!((test.claim_delay_blocks, test.issuer_k_least), (0, 1));
}

#[test]
pub(super) fn checkpoints() {
    let mut world = World::with(with_witnesses(1, &[Key::new(50)]));
    let (witness, stranger) = (world.key(50), world.key(51));
    world.wait(22 - 8);
    let at = |world: &World, height| Point {
        height,
        hash: world.ledger.view().hash_at(height).unwrap().unwrap().0,
    };
    let says = |by, at, previous| Body::Attest(Attest::checkpoint(by, at, previous));
    let elsewhere = |height| Point { height, hash: [3; 32] };

    // The next block has height 23.
    let [at_8, at_15, at_16] = [8, 15, 16].map(|height| at(&world, height));
    let wrong_previous = says(witness, at_16, Some(elsewhere(8)));
    for (checkpoint, rule) in [
        (says(stranger, at_16, None), "NotAllowedToIssue"),
        (says(witness, at_15, None), "CheckpointOffGrid"),
        (says(witness, elsewhere(16), None), "CheckpointNotAncestor"),
        (wrong_previous, "CheckpointPrevious"),
    ] {
        assert_eq!(world.act(checkpoint), Err(rule));
    }
    let mut odd = Attest::checkpoint(witness, at_16, None);
    odd.evidence[0] = 1;
    assert_eq!(world.act(Body::Attest(odd)), Err("NonCanonical"));
    world.act(says(witness, at_8, None)).unwrap();

    // From now on the one before has to be named.
    assert_eq!(world.act(says(witness, at_16, None)), Err("CheckpointPrevious"));
    world.act(says(witness, at_16, Some(at_8))).unwrap();

    // Height 24 is six deep in block 30 and not before.
    world.wait(4);
    let deep = says(witness, at(&world, 24), Some(at_16));
    assert_eq!(world.act(deep.clone()), Err("CheckpointTooShallow"));
    world.wait(1);
    world.act(deep).unwrap();
}
