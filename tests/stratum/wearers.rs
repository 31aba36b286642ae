//! A garment that mines, from the reading in a block to the last hash that it has earned.

use std::sync::Arc;

use proofward::ledger::mempool::Source;
use proofward::ledger::state::{EntryKey, HeldWearable};
use proofward::ledger::transaction::attest::Claim;
use proofward::ledger::transaction::reading::Assurance;
use proofward::ledger::transaction::{Body, Reading};
use proofward::node::difficulty::Difficulty;
use proofward::node::stratum::server::Crowd;
use proofward::node::wearers::Wearers;

use crate::access::{ISSUER, World};
use crate::common::GENESIS_TIME;
use crate::rig::Rig;
use crate::tcp::{Port, fair_spec, payees};
use crate::world::Time;

const WATCH: u32 = 60;
const WEARER: u32 = 62;
/// What a minute of it is worth: some shares, each of which counts whole.
const EARNED: u64 = (60 * 500 + 2 * 10_000) * 2 / 4;
const SHARE: u64 = 4296;
const SHARES: u64 = EARNED / SHARE;

/// A minute that has just ended, two seconds of it in motion.
fn reading(world: &mut World) -> Reading {
    let (device, wearer) = (world.key(WATCH), world.key(WEARER));
    let held: Option<HeldWearable> = world.entry(&EntryKey::Wearable(device));
    let t1 = world.now().median_time;
    let seq = held.map_or(0, |held| held.seq + 1);
    Reading {
        device,
        wearer,
        seq,
        prev: held.map_or([0; 32], |held| held.last.0),
        t0: t1 - 60,
        t1,
        wear_s: 60,
        active_s: 2,
        steps: 0,
        samples: [u8::try_from(seq).unwrap(); 32],
        assurance: Assurance::App,
        co_witness: None,
    }
}

#[test]
fn what_a_reading_has_earned_is_mined_and_no_more() {
    assert!((4295.0..4296.0).contains(&Difficulty::LEAST.hashes()));
    let mut world = World::with(fair_spec());
    world.found_hospital();
    let watch = world.party(WATCH);
    let device = Claim::Device { model: [8; 32], firmware: [1; 32] };
    world.claim(ISSUER, watch, device, 0).unwrap();
    let first = reading(&mut world);
    world.act(Body::Reading(first)).unwrap();
    world.wait(1);
    let wearer = world.key(WEARER);
    assert_eq!(world.ledger.view().hashes_earned(wearer), Ok(EARNED));
    // The next minute stands ready.
    let second = reading(&mut world);
    let (second, _) = world.transaction(Body::Reading(second));

    let room = tempfile::tempdir().unwrap();
    let time = Time::default();
    let tip_time = world.ledger.tip().unwrap().1.header.time;
    time.pass(u64::from(tip_time - GENESIS_TIME) * 1000);
    let budget = |handle: &_| {
        let wearers: Arc<Wearers> = Arc::new(Wearers::of(handle, room.path()).unwrap());
        Some(wearers as _)
    };
    let mut port = Port::of(world.ledger, time, Crowd::of(100), budget);
    let mut garment = Rig::new(&port, WEARER);
    let accepted = (None, String::new());
    let spent = (Some(20), "hash budget spent".to_owned());
    for _ in 0..SHARES {
        assert_eq!(garment.find(false), accepted);
    }
    assert_eq!(garment.find(false), spent);
    // One who wears nothing goes on, and so does the clock.
    let mut rig = Rig::new(&port, 5);
    for _ in 0..=SHARES {
        assert_eq!(rig.find(false), accepted);
    }
    garment.pass(30_000);
    assert_eq!(garment.find(false), spent);

    // A block is a block, and is the wearer's; what earned the next hashes stands in it.
    port.time.pass(5000);
    let service = port.service.as_ref().unwrap();
    let bytes = second.encode();
    port.runtime.block_on(service.handle.submit_transaction(bytes, Source::Own)).unwrap();
    port.runtime.block_on(service.handle.look()).unwrap();
    garment.pass(30_000);
    // A job that was made meanwhile may be without it.
    while !garment.has_transactions() {
        garment.pass(30_000);
    }
    let height = port.height();
    assert_eq!(garment.find(true), spent);
    assert_eq!(port.height(), height + 1);
    for _ in SHARES..2 * EARNED / SHARE {
        assert_eq!(garment.find(false), accepted);
    }
    assert_eq!(garment.find(false), spent);
    drop((garment, rig));
    let ledger = port.stop();
    assert_eq!(payees(&ledger).last().unwrap().key, wearer);
    assert_eq!(ledger.view().hashes_earned(wearer), Ok(2 * EARNED));
}
