//! The chain end to end on the in-memory store: mining, paying, forks, refusals.

#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "common/ledger.rs"]
mod common;

use common::*;
use proofward::ledger::chain::{SubmitError, Submitted};
use proofward::ledger::state::{Account, EntryKey, StateRead};

fn balance<S: proofward::ledger::store::Store>(
    ledger: &proofward::ledger::chain::Ledger<S>,
    key: &Key,
) -> u64 {
    let entry = ledger.view().entry(&EntryKey::Account(key.public())).unwrap();
    entry.map_or(0, |bytes| borsh::from_slice::<Account>(&bytes).unwrap().balance)
}

#[test]
fn rewards_mature_and_can_be_paid_on() {
    let ledger = memory_ledger(easy_spec());
    let (miner, friend) = (Key::new(1), Key::new(2));
    for _ in 0..4 {
        mine(&ledger, miner.public(), vec![]);
    }
    assert_eq!(balance(&ledger, &miner), 0, "the reward of block 1 matures in block 5");
    mine(&ledger, miner.public(), vec![]);
    let reward = 50 * proofward::ledger::spec::UNITS_PER_TOKEN;
    assert_eq!(balance(&ledger, &miner), reward);

    let payment = pay(&ledger, &miner, friend.public(), 1_000_000, 1);
    let fee = payment.fee;
    mine(&ledger, Key::new(3).public(), vec![payment]);
    assert_eq!(balance(&ledger, &friend), 1_000_000);
    assert_eq!(balance(&ledger, &miner), 2 * reward - 1_000_000 - fee);
}

#[test]
fn a_heavier_branch_replaces_a_lighter_one_and_undoes_it_exactly() {
    let (ours, theirs) = (memory_ledger(easy_spec()), memory_ledger(easy_spec()));
    let (a, b) = (Key::new(1), Key::new(2));
    for _ in 0..6 {
        let block = mine(&ours, a.public(), vec![]);
        theirs.submit(&block.encode(), NOW).unwrap();
    }
    let fork_root = ours.view().root().unwrap();
    for nonce in 1..=3 {
        let payment = pay(&ours, &a, b.public(), 5, nonce);
        mine(&ours, a.public(), vec![payment]);
    }
    let rivals: Vec<_> = (0..4).map(|_| mine(&theirs, b.public(), vec![]).encode()).collect();
    for rival in &rivals[..3] {
        assert_eq!(ours.submit(rival, NOW).unwrap(), Submitted::Side);
    }
    let Submitted::Tip { disconnected, connected } = ours.submit(&rivals[3], NOW).unwrap() else {
        panic!("the fourth block has more work");
    };
    assert_eq!((disconnected.len(), connected.len()), (3, 4));
    assert_eq!(ours.view().tip().unwrap(), theirs.view().tip().unwrap());
    assert_eq!(ours.view().root().unwrap(), theirs.view().root().unwrap());
    assert_ne!(ours.view().root().unwrap(), fork_root);
}

#[test]
fn a_run_of_blocks_gives_the_state_that_single_blocks_give() {
    let ours = memory_ledger(easy_spec());
    let (a, b) = (Key::new(1), Key::new(2));
    let mut blocks: Vec<Vec<u8>> =
        (0..8).map(|_| mine(&ours, a.public(), vec![]).encode()).collect();
    for nonce in 1..=20 {
        let payment = pay(&ours, &a, b.public(), nonce, nonce);
        blocks.push(mine(&ours, a.public(), vec![payment]).encode());
    }
    let theirs = memory_ledger(easy_spec());
    let run = theirs
        .extend::<SubmitError>(blocks.clone().into_iter().map(Ok), NOW, |_| {})
        .expect("the blocks are valid");
    assert_eq!((run.blocks, run.transactions, run.signatures), (28, 20, 20));
    assert_eq!(theirs.view().root().unwrap(), ours.view().root().unwrap());

    // One bit of the last signature: the block below stays, the verdict names the transaction.
    let mut spoilt = blocks.clone();
    let last = spoilt[20].len() - 1;
    spoilt[20][last] ^= 1;
    let third = memory_ledger(easy_spec());
    let error = third
        .extend::<SubmitError>(spoilt.into_iter().map(Ok), NOW, |_| {})
        .expect_err("a changed byte changes the merkle root");
    let verdict = verdict(error);
    assert_eq!((verdict.height, verdict.rule.name()), (21, "bad-txnmrklroot"));
    assert_eq!(third.tip().unwrap().1.height, 20);
}

#[test]
fn a_stored_chain_replays_and_one_changed_bit_is_named() {
    use proofward::ledger::chain::ReplayError;
    use proofward::ledger::store::{Batch, Read, Store, Table};

    let ledger = memory_ledger(easy_spec());
    let (a, b) = (Key::new(1), Key::new(2));
    for _ in 0..8 {
        mine(&ledger, a.public(), vec![]);
    }
    let payments = (1..=3).map(|nonce| pay(&ledger, &a, b.public(), 7, nonce)).collect();
    let block = mine(&ledger, a.public(), payments);
    mine(&ledger, a.public(), vec![]);
    let (chain, threads) = (ledger.chain(), pool(2));
    let run = chain.replay(&threads, ledger.view(), |_| {}).expect("the chain holds");
    assert_eq!((run.blocks, run.transactions), (10, 3));

    // The last byte of the second payment is part of its signature.
    let hash = chain.spec.hash_header(&block.header);
    let body = ledger.store().get(Table::Bodies, &hash.0).unwrap().unwrap();
    let mut spoilt = body.clone();
    let last = spoilt.len() - 1 - block.transactions[2].bytes.len();
    spoilt[last] ^= 1;
    let mut batch = Batch::new();
    batch.put(Table::Bodies, hash.0, spoilt);
    ledger.store().commit(&batch).unwrap();
    let error = chain.replay(&threads, ledger.view(), |_| {}).expect_err("a bit changed");
    assert!(
        matches!(error, ReplayError::Damaged { height: 9, transaction: Some(2), .. }),
        "{error:?}"
    );
}
