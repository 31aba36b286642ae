//! Every named rule of `Record` and `Grant`: the smallest body that breaks exactly it, beside its nearest
//! valid neighbour; when policies begin and records retire; their logs.

use crate::access::*;
use proofward::ledger::policy::Moment;
use proofward::ledger::signature::PubKey;
use proofward::ledger::state::{EntryKey, Event, EventKind, HeldRecord, Log, Logs, Policy};
use proofward::ledger::transaction::record::{Previous, ShareSet};
use proofward::ledger::transaction::{Body, Record};

const ROOT: [u8; 32] = [1; 32];
const DELAY: u32 = 4;

fn set(n: u8, k: u8, required: u32) -> ShareSet {
    ShareSet { n, k, shares_root: [0; 32], guardians_root: [0; 32], required }
}

fn record(world: &mut World, rid: u32, owner: u32) -> Record {
    Record { policy_root: ROOT, grant_delay: DELAY, ..world.record_of(rid, owner) }
}

fn held(world: &World, rid: PubKey) -> HeldRecord {
    world.entry(&EntryKey::Record(rid)).unwrap()
}

/// The policy that a transaction in the next block would meet.
fn policy(world: &World, rid: PubKey) -> Policy {
    held(world, rid).policy_at(world.now(), world.ledger.chain().spec.spacing_s)
}

#[test]
pub(super) fn rid_used() {
    let mut world = World::new();
    let first = record(&mut world, 500, PATIENT);
    world.act(Body::Record(first.clone())).unwrap();
    assert_eq!(world.act(Body::Record(first)), Err("RidUsed"));
    let second = record(&mut world, 501, PATIENT);
    world.act(Body::Record(second)).unwrap();
}

#[test]
pub(super) fn bad_threshold() {
    let mut world = World::new();
    let sound = set(3, 2, 0);
    for (sets, expected) in [
        (vec![set(3, 1, 0)], Err("BadThreshold")),
        (vec![set(3, 2, 0)], Ok(())),
        (vec![set(3, 4, 0)], Err("BadThreshold")),
        (vec![set(3, 3, 0)], Ok(())),
        (vec![set(33, 2, 0)], Err("BadThreshold")),
        (vec![set(32, 2, 1 << 31)], Ok(())),
        (vec![set(3, 2, 0b1000)], Err("BadThreshold")),
        (vec![set(3, 2, 0b0111)], Err("BadThreshold")),
        (vec![set(3, 2, 0b0110)], Ok(())),
        (vec![sound.clone(), set(3, 2, 1)], Err("BadThreshold")),
        (vec![sound.clone(), set(3, 2, 0)], Ok(())),
        (vec![set(0, 0, 0)], Err("BadThreshold")),
        (vec![], Err("NonCanonical")),
        (vec![sound.clone(); 3], Err("NonCanonical")),
    ] {
        let rid = 500 + world.next();
        let record = Record { share_sets: sets.clone(), ..record(&mut world, rid, PATIENT) };
        assert_eq!(world.act_decoded(Body::Record(record)).map(|_| ()), expected, "{sets:?}");
    }
}

#[test]
fn a_grant_delay_is_at_least_one_block() {
    let mut world = World::new();
    let record = record(&mut world, 500, PATIENT);
    let zero = Record { grant_delay: 0, ..record.clone() };
    assert_eq!(world.act(Body::Record(zero)), Err("NonCanonical"));
    world.act(Body::Record(Record { grant_delay: 1, ..record })).unwrap();
}

#[test]
pub(super) fn epoch_not_next_and_not_owner_of_the_record_before() {
    let mut world = World::new();
    let first = record(&mut world, 500, PATIENT);
    let odd = Record { epoch: 1, ..first.clone() };
    assert_eq!(world.act(Body::Record(odd)), Err("EpochNotNext"));
    world.act(Body::Record(first.clone())).unwrap();

    let owners = world.party(PATIENT);
    let prev = |rid, owners| Some(Previous { rid, owners });
    let next = Record {
        epoch: 1,
        prev: prev(first.rid, owners.clone()),
        ..record(&mut world, 501, PATIENT)
    };
    let unknown = world.key(999);
    let thief = world.party(600);
    for (odd, rule) in [
        (Record { epoch: 0, ..next.clone() }, "EpochNotNext"),
        (Record { epoch: 2, ..next.clone() }, "EpochNotNext"),
        (Record { prev: prev(unknown, owners.clone()), ..next.clone() }, "EpochNotNext"),
        (Record { prev: prev(first.rid, thief), ..next.clone() }, "NotOwner"),
    ] {
        assert_eq!(world.act(Body::Record(odd)), Err(rule));
    }
    world.act(Body::Record(next)).unwrap();
    // Its place is taken.
    let fork =
        Record { epoch: 1, prev: prev(first.rid, owners), ..record(&mut world, 502, PATIENT) };
    assert_eq!(world.act(Body::Record(fork)), Err("EpochNotNext"));
}

#[test]
fn the_rid_signs_the_owners_sign_and_with_prev_the_old_owners_too() {
    let mut world = World::new();
    let owners = world.group(2, &[600, 601, 602]);
    let first = Record { owners: owners.clone(), ..record(&mut world, 500, PATIENT) };
    let (transaction, _) = world.transaction(Body::Record(first.clone()));
    assert_eq!(transaction.sigs.len(), 1 + 1 + 2);
    world.act(Body::Record(first.clone())).unwrap();
    let next = Record {
        epoch: 1,
        prev: Some(Previous { rid: first.rid, owners }),
        ..record(&mut world, 501, PATIENT)
    };
    let (mut transaction, _) = world.transaction(Body::Record(next.clone()));
    assert_eq!(transaction.sigs.len(), 1 + 1 + 1 + 2);
    let own = transaction.sigs[1];
    transaction.sigs[4] = own;
    assert_eq!(world.mine(vec![transaction]), Err(("BadSig", 1)));
    world.act(Body::Record(next)).unwrap();
}

#[test]
pub(super) fn stale_seq_at_both_sides() {
    let mut world = World::new();
    let rid = world.founded_record(500, PATIENT, ROOT, DELAY);
    for (seq, expected) in [
        (0, Err("StaleSeq")),
        (2, Err("StaleSeq")),
        (1, Ok(())),
        (1, Err("StaleSeq")),
        (u32::MAX, Err("StaleSeq")),
        (2, Ok(())),
    ] {
        assert_eq!(world.grant(rid, PATIENT, seq, [0; 32], 0).map(|_| ()), expected, "{seq}");
    }
}

#[test]
pub(super) fn not_owner_of_the_record() {
    let mut world = World::new();
    let rid = world.founded_record(500, PATIENT, ROOT, DELAY);
    assert_eq!(world.grant(rid, DOCTOR, 1, [0; 32], 0), Err("NotOwner"));
    let unknown = world.key(999);
    assert_eq!(world.grant(unknown, PATIENT, 1, [0; 32], 0), Err("NotOwner"));
    world.grant(rid, PATIENT, 1, [0; 32], 0).unwrap();
}

#[test]
pub(super) fn record_retired_when_its_successor_begins_and_not_before() {
    let mut world = World::new();
    let rid = world.founded_record(500, PATIENT, ROOT, DELAY);
    let owners = world.party(PATIENT);
    let next = Record {
        epoch: 1,
        policy_root: [2; 32],
        grant_delay: 1,
        prev: Some(Previous { rid, owners }),
        ..record(&mut world, 501, PATIENT)
    };
    let announced = world.next();
    world.act(Body::Record(next.clone())).unwrap();
    // A short delay of its own does not shorten that of the record before.
    let h = world.next();
    world.grant(next.rid, PATIENT, 1, [3; 32], h + 1).unwrap();
    while world.next() < announced + DELAY - 1 {
        assert_eq!(policy(&world, next.rid).root, [0; 32]);
        world.wait(1);
    }
    // The last block of the wait.
    assert_eq!(policy(&world, next.rid).root, [0; 32]);
    assert_eq!(policy(&world, rid).root, ROOT);
    world.grant(rid, PATIENT, 1, [0; 32], 0).unwrap();
    assert_eq!(world.next(), announced + DELAY);
    assert_eq!(policy(&world, next.rid), Policy { seq: 1, root: [3; 32] });
    assert_eq!(world.grant(rid, PATIENT, 2, [0; 32], 0), Err("RecordRetired"));
    world.grant(next.rid, PATIENT, 2, [0; 32], 0).unwrap();
}

#[test]
pub(super) fn too_soon_and_a_policy_begins_at_its_height() {
    let mut world = World::new();
    let rid = world.founded_record(500, PATIENT, ROOT, DELAY);
    let h = world.next();
    assert_eq!(world.grant(rid, PATIENT, 1, [2; 32], h + DELAY - 1), Err("TooSoon"));
    assert_eq!(world.grant(rid, PATIENT, 1, [2; 32], 0), Err("TooSoon"));
    let h = world.next();
    world.grant(rid, PATIENT, 1, [2; 32], h + DELAY).unwrap();
    while world.next() < h + DELAY {
        assert_eq!(policy(&world, rid), Policy { seq: 0, root: ROOT });
        world.wait(1);
    }
    assert_eq!(policy(&world, rid), Policy { seq: 1, root: [2; 32] });
}

#[test]
fn a_burst_of_blocks_does_not_shorten_the_wait() {
    let mut world = World::new();
    let rid = world.founded_record(500, PATIENT, ROOT, 100);
    let h = world.next();
    world.grant(rid, PATIENT, 1, [2; 32], h + 100).unwrap();
    // Blocks as fast as median time past permits: it rises by one second every sixth block.
    world.burst(150);
    assert!(world.next() > h + 100);
    assert_eq!(policy(&world, rid).seq, 0, "the blocks are there, the time is not");
    while policy(&world, rid).seq == 0 {
        world.wait(1);
    }
    let Some(pending) = held(&world, rid).pending else { panic!("it has not been settled") };
    let passed = world.now().median_time - pending.wait.start.median_time;
    assert_eq!(passed, 50, "half of 100 spacings of a second");
}

#[test]
fn a_new_policy_replaces_one_that_waits_and_a_revocation_drops_it() {
    let mut world = World::new();
    let rid = world.founded_record(500, PATIENT, ROOT, DELAY);
    let h = world.next();
    world.grant(rid, PATIENT, 1, [2; 32], h + DELAY).unwrap();
    let h = world.next();
    world.grant(rid, PATIENT, 2, [3; 32], h + DELAY).unwrap();
    world.wait(DELAY - 1);
    assert_eq!(policy(&world, rid), Policy { seq: 2, root: [3; 32] });
    let h = world.next();
    world.grant(rid, PATIENT, 3, [4; 32], h + DELAY).unwrap();
    world.grant(rid, PATIENT, 4, [0; 32], 0).unwrap();
    assert_eq!(policy(&world, rid), Policy { seq: 4, root: [0; 32] });
    world.wait(2 * DELAY);
    assert_eq!(policy(&world, rid), Policy { seq: 4, root: [0; 32] });
    assert_eq!(held(&world, rid).former, Some(Policy { seq: 2, root: [3; 32] }));
    // A revocation that says when is not canonical.
    assert_eq!(world.grant(rid, PATIENT, 5, [0; 32], 1), Err("NonCanonical"));
}

#[test]
fn the_log_holds_every_event_in_order() {
    let mut world = World::new();
    let first = record(&mut world, 500, PATIENT);
    let rid = first.rid;
    let mut log = Log::default();
    let mut note = |height, core, kind| log.push(&Event { height, core, kind, note: 0 });
    let h = world.next();
    note(h, world.act(Body::Record(first)).unwrap(), EventKind::Record);
    let h = world.next();
    note(h, world.grant(rid, PATIENT, 1, [2; 32], h + DELAY).unwrap(), EventKind::Grant);
    let owners = world.party(PATIENT);
    let prev = Some(Previous { rid, owners });
    let next = Record { epoch: 1, prev, ..record(&mut world, 501, PATIENT) };
    let h = world.next();
    let rekeyed = world.act(Body::Record(next.clone())).unwrap();
    note(h, rekeyed, EventKind::Rekey);
    let logs: Logs = world.entry(&EntryKey::Logs(rid)).unwrap();
    assert_eq!(logs, Logs { access: log, refusals: Log::default() });
    assert_eq!(logs.access.count, 3);
    let mut log = Log::default();
    log.push(&Event { height: h, core: rekeyed, kind: EventKind::Record, note: 0 });
    let logs: Logs = world.entry(&EntryKey::Logs(next.rid)).unwrap();
    assert_eq!(logs.access, log);
}

#[test]
fn a_wait_is_judged_at_its_boundaries() {
    let at = |height, median_time| Moment { height, median_time };
    let start = at(100, 1000);
    for (now, waited) in [
        (at(109, 2000), false),
        (at(110, 1049), false),
        (at(110, 1050), true),
        (at(99, 2000), false),
        (at(u32::MAX, u32::MAX), true),
    ] {
        assert_eq!(now.has_waited(start, 10, 10), waited, "{now:?}");
    }
    assert!(!at(u32::MAX, u32::MAX).has_waited(at(0, 0), u32::MAX, 3600), "no wrap");
}
