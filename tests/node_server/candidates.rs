//! When the block that everybody mines is replaced, by a stepped clock.

use proofward::ledger::spec::Spec;
use proofward::primitives::CompactTarget;

use crate::common::easy_spec;
use crate::miner::Work;
use crate::world::{Wish, World, calm_spec};

#[test]
fn a_candidate_is_renewed_within_thirty_seconds() {
    let world = World::with(Wish { spec: calm_spec(), ..Wish::default() });
    let first = world.handle.current();
    world.pass(29);
    assert_eq!(world.handle.current().serial, first.serial);
    world.pass(1);
    let second = world.handle.current();
    assert_eq!((second.serial, second.tip_serial), (first.serial + 1, first.tip_serial));
    assert_eq!(second.time, first.time + 30);
    assert_eq!(second.tip(), first.tip());
}

#[test]
fn a_new_tip_is_seen_by_who_brought_it() {
    let world = World::new();
    let before = world.handle.current();
    assert_eq!(world.rpc.submit(&Work::of(&world.rpc.template()).block(), None), None);
    let after = world.handle.current();
    assert_eq!(after.tip().to_string(), world.tip());
    assert_eq!((after.tip_serial, after.height()), (before.tip_serial + 1, before.height() + 1));
}

/// A chain of long spacings waits some seconds, so that not every transaction makes new work.
#[test]
fn what_arrives_is_shown_after_a_pause() {
    let world = World::with(Wish { spec: calm_spec(), ..Wish::default() });
    let first = world.handle.current();
    let payment = hex::encode(world.payments[0].encode());
    world.rpc.call("sendrawtransaction", serde_json::json!([payment]));
    assert_eq!(world.handle.totals().count, 1);
    assert_eq!(world.handle.current().serial, first.serial);
    world.pass(2);
    assert_eq!(world.handle.current().serial, first.serial);
    world.pass(1);
    let second = world.handle.current();
    assert_eq!((second.template.transactions.len(), second.tip_serial), (1, first.tip_serial));
    world.pass(3);
    assert_eq!(world.handle.current().serial, second.serial, "nothing has changed since");
}

/// After a silence of 20 spacings the target doubles with each.
#[test]
fn relief_makes_new_work_at_each_step() {
    let start = CompactTarget(0x1f7f_ffff);
    let spec = Spec { limit: CompactTarget(0x207f_ffff), start, ..easy_spec() };
    let spec = Spec { spacing_s: 10, half_life_s: 600, future_limit_s: 20, ..spec };
    let world = World::with(Wish { spec: spec.check().unwrap(), ..Wish::default() });
    let first = world.handle.current();
    assert_eq!(first.bits_at(first.until), first.bits);
    assert_ne!(first.bits_at(first.until + 1), first.bits);
    world.pass(u64::from(first.until) - world.now());
    let last = world.handle.current();
    assert_eq!(last.bits, first.bits);
    let mut before = last;
    for _ in 0..3 {
        world.pass(u64::from(before.until) + 1 - world.now());
        let eased = world.handle.current();
        assert!(eased.target > before.target, "{eased:?} after {before:?}");
        assert!(eased.difficulty < before.difficulty);
        assert_eq!(eased.tip_serial, first.tip_serial);
        before = eased;
    }
    let template = world.rpc.template();
    assert_eq!(template["bits"].as_str().unwrap(), before.bits.to_string());
    assert_eq!(world.rpc.submit(&Work::of(&template).block(), None), None);
}
