//! The mempool and the bodies about access, whose validity only the state shows: what stands in each
//! other's way never makes a template invalid, and emergencies go without a fee but not without bound.
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "common/access.rs"]
mod access;
#[path = "common/ledger.rs"]
mod ledger;

use access::*;
use ledger::{Key, NOW, solve};
use proofward::ledger::chain::Submitted;
use proofward::ledger::mempool::{Dropped, Limits, Mempool, Source, Why};
use proofward::ledger::rules::context::Refusal;
use proofward::ledger::transaction::{Body, Grant, Transaction};

fn pool(world: &World, limits: Limits) -> Mempool {
    Mempool::new(world.ledger.chain(), &world.ledger.view(), limits).unwrap()
}

fn admit(pool: &mut Mempool, world: &World, transaction: &Transaction) -> Option<&'static str> {
    match pool.admit(&world.ledger.view(), &transaction.encode(), Source::Own) {
        Ok(_) => None,
        Err(Refusal::Rule(refused)) => Some(refused.name()),
        Err(Refusal::Store(error)) => panic!("{error}"),
    }
}

/// Mines the pool's block, which the ledger must take; how many it holds, and what the pool dropped.
fn mine_template(pool: &mut Mempool, world: &World) -> (usize, Vec<Dropped>) {
    let template = pool.template(&world.ledger.view()).unwrap();
    let time = world.ledger.tip().unwrap().1.header.time + 1;
    let block = template.block(template.coinbase(Key::new(9).public(), &[]), time);
    let block = solve(world.ledger.chain().spec.algorithm, block);
    let submitted = world.ledger.submit(&block.encode(), NOW).unwrap();
    assert!(matches!(submitted, Submitted::Tip { .. }), "{submitted:?}");
    let dropped = pool.follow(&world.ledger.view(), Some(&block)).unwrap();
    (block.transactions.len(), dropped)
}

/// The patient revokes all: the first of several, each with the same number.
fn revoke(world: &mut World, policed: &Policed) -> Transaction {
    let owners = world.party(PATIENT);
    let (rid, policy_root) = (policed.rid, [0; 32]);
    world.transaction(Body::Grant(Grant { rid, owners, seq: 1, policy_root, not_before_h: 0 })).0
}

#[test]
fn of_those_that_stand_in_each_others_way_one_is_mined() {
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    let all: Vec<_> = (0..4).map(|_| revoke(&mut world, &policed)).collect();
    let mut pool = pool(&world, Limits::default());
    for transaction in &all {
        assert_eq!(admit(&mut pool, &world, transaction), None, "each is valid alone");
    }
    // Whoever asks twice is told the same.
    for _ in 0..2 {
        let template = pool.template(&world.ledger.view()).unwrap();
        assert_eq!(template.transactions.len(), 1);
    }
    let (mined, dropped) = mine_template(&mut pool, &world);
    assert_eq!(mined, 1);
    let stale = dropped.iter().filter(|dropped| matches!(dropped.why, Why::Stale(_))).count();
    assert_eq!((dropped.len(), stale, pool.totals().count), (4, 3, 0));
}

#[test]
fn free_emergencies_come_first_and_no_more_than_the_rules_allow() {
    let mut world = World::hospital();
    world.found_emergency();
    world.crowd(4, 1);
    let policed = world.emergency(500);
    let paying: Vec<_> = (0..4).map(|_| revoke(&mut world, &policed)).collect();
    let free: Vec<_> = (0..4).map(|i| world.free_at(&policed, i, 0)).collect();
    let mut pool = pool(&world, Limits { count: 4, ..Limits::default() });
    // A pool that is full of what pays makes room for lives.
    for transaction in paying.iter().chain(&free) {
        assert_eq!(admit(&mut pool, &world, transaction), None);
    }
    assert!(pool.iter().eq(free.iter().map(Transaction::encode)));
    // Each is valid alone, but a site has two open without a fee.
    let (mined, dropped) = mine_template(&mut pool, &world);
    assert_eq!(mined, 2);
    let stale = dropped.iter().filter(|dropped| matches!(dropped.why, Why::Stale(_))).count();
    assert_eq!((dropped.len(), stale, pool.totals().count), (4, 2, 0));
    // What is no emergency does not go without.
    let mut cheap = paying[0].clone();
    cheap.fee = 0;
    assert_eq!(admit(&mut pool, &world, &world.signed(cheap)), Some("FeeTooLow"));
}
