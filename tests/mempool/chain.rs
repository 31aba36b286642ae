//! The pool and the chain: what a block takes out, what a reorganisation brings back, and that the block
//! is kept up to date as if it were made anew.

use super::*;
use proofward::ledger::block::{BLOCK_BYTES_MAX, Included};
use proofward::ledger::mempool::Why;

#[test]
fn a_block_takes_out_what_it_holds_and_what_it_makes_stale() {
    let mut world = World::new(2, Limits::default());
    let all: Vec<_> = (1..=4).map(|nonce| world.own(1, nonce, FEE)).collect();
    for transaction in &all {
        world.admit(transaction).unwrap();
    }
    // Somebody mines the third alone: the two before it have lost their nonces.
    mine(&world.ledger, Key::new(99).public(), vec![all[2].clone()]);
    let dropped = world.pool.follow(&world.ledger.view(), None).unwrap();
    let why: Vec<_> = dropped.iter().map(|dropped| &dropped.why).collect();
    assert!(matches!(why[..], [Why::Included, Why::Stale(_), Why::Stale(_)]), "{why:?}");
    assert_eq!(world.pool.totals().count, 1);
    assert!(world.is_pending(&all[3]));
    assert_eq!(world.mine_template(Key::new(1).public()), 1);
    assert_eq!(world.pool.totals().count, 0);
    assert!(world.pool.reserved().is_empty());
}

#[test]
fn a_reorganisation_returns_what_the_abandoned_branch_held() {
    let mut world = World::new(3, Limits::default());
    let rival = World::new(3, Limits::default());
    let pending = world.own(1, 1, FEE);
    let mined = world.own(2, 1, FEE);
    let in_both = world.own(3, 1, FEE);
    for transaction in [&mined, &in_both] {
        world.admit(transaction).unwrap();
    }
    assert_eq!(world.mine_template(Key::new(9).public()), 2);
    world.admit(&pending).unwrap();

    let first = mine(&rival.ledger, Key::new(8).public(), vec![in_both.clone()]);
    let second = mine(&rival.ledger, Key::new(8).public(), vec![]);
    world.ledger.submit(&first.encode(), NOW).unwrap();
    let moved = world.ledger.submit(&second.encode(), NOW).unwrap();
    assert!(matches!(moved, Submitted::Tip { .. }), "{moved:?}");
    world.pool.follow(&world.ledger.view(), None).unwrap();

    assert!(world.is_pending(&pending) && world.is_pending(&mined));
    assert!(!world.is_pending(&in_both), "the other branch holds it");
    assert_eq!(world.mine_template(Key::new(9).public()), 2);
}

#[test]
fn a_pool_that_has_not_followed_proposes_the_coinbase_alone() {
    let mut world = World::new(1, Limits::default());
    let transaction = world.own(1, 1, FEE);
    world.admit(&transaction).unwrap();
    mine(&world.ledger, Key::new(99).public(), vec![]);
    let template = world.pool.template(&world.ledger.view()).unwrap();
    assert!(template.transactions.is_empty());
    world.pool.follow(&world.ledger.view(), None).unwrap();
    assert_eq!(world.pool.template(&world.ledger.view()).unwrap().transactions.len(), 1);
}

/// Larger than a block, with many payers: what is kept up to date pays what a pool that starts anew pays.
#[test]
fn a_full_block_is_kept_as_good_as_made_anew() {
    let payers = 180;
    let mut world = World::new(1, Limits::default());
    // One block funds all of them.
    let rich = Key::new(1);
    let funding: Vec<_> = (1..=payers)
        .map(|number| {
            let to = Key::new(1000 + number).public();
            pay(&world.ledger, &rich, to, 20_000_000, number.into())
        })
        .collect();
    for part in funding.chunks(64) {
        world.mine(part.to_vec());
    }
    // Known receivers, so that the fee may be low and the block fills up by bytes.
    let mut random = SplitMix64::new(5);
    let mut all = Vec::new();
    for nonce in 1..=55 {
        for number in 1..=payers {
            let fee = 400 + random.below(3_000);
            all.push((number, nonce, fee));
        }
    }
    let mut taken = 0;
    for (number, nonce, fee) in all {
        let from = Key::new(1000 + number);
        let to = Key::new(1001 + number % payers).public();
        let mark = u32::try_from(nonce).unwrap();
        let body = Paying { from: &from, to, amount: 1, mark };
        let transaction = world.sponsored(&from, nonce, fee, &body);
        world.admit(&transaction).unwrap();
        taken += 1;
        // Look at the block now and then, so that it is changed and not only made.
        if taken % 2_000 == 0 {
            compare(&mut world);
        }
    }
    let full = compare(&mut world);
    assert!(full < taken, "{full} of {taken} fill the block");
    // Better ones push out the worst.
    for number in 1..=payers {
        let from = Key::new(1000 + number);
        let to = Key::new(1001 + number % payers).public();
        let body = Paying { from: &from, to, amount: 1, mark: 77 };
        let transaction = world.sponsored(&from, 1, 50_000, &body);
        world.admit(&transaction).unwrap();
        if number % 60 == 0 {
            compare(&mut world);
        }
    }
    let count = compare(&mut world);
    assert_eq!(world.mine_template(Key::new(9).public()), count);
    compare(&mut world);
}

/// The block that is kept and the one of a pool that is filled anew: the same fees, and its branch is
/// that of its transactions.
fn compare(world: &mut World) -> usize {
    let kept = world.pool.template(&world.ledger.view()).unwrap();
    let mut anew = world.pool.clone();
    anew.assemble_anew();
    let made = anew.template(&world.ledger.view()).unwrap();
    assert_eq!(kept.reward, made.reward);
    assert_eq!(kept.transactions.len(), made.transactions.len());
    let included: Vec<Included> = kept.transactions.iter().map(|one| (**one).clone()).collect();
    let bytes: usize = included.iter().map(|included| included.bytes.len()).sum();
    assert!(bytes < BLOCK_BYTES_MAX);
    let count = included.len();
    let plain = proofward::ledger::template::Template::on_tip(
        world.ledger.chain(),
        &world.ledger.view(),
        included,
        0,
    )
    .unwrap();
    assert_eq!(kept.merkle_branch(), plain.merkle_branch());
    count
}
