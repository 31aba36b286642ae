//! What a stranger may send: floods without work, blocks that lie about their contents, deep and equal
//! branches. Each leaves the ledger as it was, or as it has to be, and says why.
#![cfg(feature = "ledger")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "common/ledger.rs"]
mod common;

use common::*;
use proofward::engine::nodes::NodeKernel;
use proofward::hash::meets_target;
use proofward::hash::sha256::sha256d;
use proofward::ledger::block::BLOCK_BYTES_MAX;
use proofward::ledger::chain::{Ledger, SubmitError, Submitted};
use proofward::ledger::rules::BlockRule;
use proofward::ledger::store::{Entry, MemoryStore, Read, Table};
use proofward::primitives::codec::write_compact_size;
use proofward::primitives::{BlockHash, CompactTarget, MerkleRoot};

/// Everything that the ledger keeps.
fn everything(ledger: &Ledger<MemoryStore>) -> Vec<Vec<Entry>> {
    let all = |table: &Table| ledger.store().range(*table, &[], usize::MAX).unwrap();
    Table::ALL.iter().map(all).collect()
}

/// Five blocks and a spendable reward.
fn young() -> (Ledger<MemoryStore>, Key) {
    let ledger = memory_ledger(easy_spec());
    let miner = Key::new(1);
    for _ in 0..5 {
        mine(&ledger, miner.public(), vec![]);
    }
    (ledger, miner)
}

/// Judged one at a time and in a run: the same rule, and nothing kept.
#[track_caller]
fn refused_without_trace(ledger: &Ledger<MemoryStore>, block: &[u8]) -> BlockRule {
    let before = everything(ledger);
    let alone = verdict(ledger.submit(block, NOW).unwrap_err());
    let run = ledger.extend::<SubmitError>([Ok(block.to_vec())].into_iter(), NOW, |_| {});
    let in_run = verdict(run.unwrap_err());
    assert_eq!(alone, in_run);
    assert!(everything(ledger) == before, "{alone} left a trace");
    alone.rule
}

#[test]
fn a26_orphans_are_not_kept() {
    let (ledger, miner) = young();
    let before = everything(&ledger);
    let mut block = next_block(&ledger, miner.public(), vec![]);
    for number in 0..2000_u32 {
        let mut parent = [9; 32];
        parent[..4].copy_from_slice(&number.to_le_bytes());
        block.header.prev_block = BlockHash(parent);
        let refused = ledger.submit(&block.encode(), NOW);
        let expected = BlockHash(parent);
        assert!(
            matches!(refused, Err(SubmitError::Orphan { parent, .. }) if parent == expected),
            "{refused:?}"
        );
    }
    assert!(everything(&ledger) == before);
}

#[test]
fn a22_what_has_no_work_is_refused_before_its_body_is_read() {
    let (ledger, miner) = young();
    let block = next_block(&ledger, miner.public(), vec![]);
    // A body that would be refused in many ways, if it were read.
    let garbage = vec![0xff; BLOCK_BYTES_MAX];
    let algorithm = ledger.chain().spec.algorithm;
    let target = block.header.bits.to_target().unwrap();
    let mut header = block.header;
    for _ in 0..50 {
        header.nonce = header.nonce.wrapping_add(1);
        while meets_target(algorithm, &header.encode(), &target).is_some() {
            header.nonce = header.nonce.wrapping_add(1);
        }
        let rule = refused_without_trace(&ledger, &[&header.encode()[..], &garbage].concat());
        assert_eq!(rule, BlockRule::HighHash(header.bits));
    }
    // An easier target than the rule asks for does not help.
    header.bits = CompactTarget(0x2100_ffff);
    let rule = refused_without_trace(&ledger, &[&header.encode()[..], &garbage].concat());
    assert_eq!(rule.name(), "bad-diffbits");
    // Nor does work for another merkle root.
    let mut block = block;
    block.header.merkle_root = MerkleRoot([7; 32]);
    let block = solve(algorithm, block);
    assert_eq!(refused_without_trace(&ledger, &block.encode()), BlockRule::BadMerkleRoot);
}

#[test]
fn a19_a_count_costs_what_is_there_not_what_it_claims() {
    let (ledger, miner) = young();
    let payment = pay(&ledger, &miner, Key::new(2).public(), 5, 1);
    let block = next_block(&ledger, miner.public(), vec![payment]);
    let header = block.header.encode();
    let body = |count: u64, rest: &[&[u8]]| {
        let mut bytes = header.to_vec();
        write_compact_size(&mut bytes, count);
        bytes.extend(rest.concat());
        bytes
    };
    let (coinbase, payment) = (&block.coinbase_bytes[..], &block.transactions[0].bytes[..]);
    for count in [3, 0xffff, u64::from(u32::MAX), u64::MAX] {
        let rule = refused_without_trace(&ledger, &body(count, &[coinbase, payment]));
        assert_eq!(rule.name(), "NonCanonical", "{count} claimed");
    }
    assert_eq!(refused_without_trace(&ledger, &body(0, &[])).name(), "bad-cb-missing");
    assert_eq!(refused_without_trace(&ledger, &body(2, &[])).name(), "malformed");
    assert_eq!(refused_without_trace(&ledger, &body(1, &[coinbase, payment])).name(), "malformed");
    let long = vec![0; BLOCK_BYTES_MAX + 1];
    let rule = refused_without_trace(&ledger, &body(2, &[coinbase, payment, &long]));
    assert_eq!(rule.name(), "bad-blk-length");
    // The same bytes as they should be.
    let whole = body(2, &[coinbase, payment]);
    assert!(matches!(ledger.submit(&whole, NOW), Ok(Submitted::Tip { .. })));
}

#[test]
fn a20_a_block_cut_anywhere_is_refused_and_then_accepted_whole() {
    let (ledger, miner) = young();
    let payment = pay(&ledger, &miner, Key::new(2).public(), 5, 1);
    let block = next_block(&ledger, miner.public(), vec![payment]).encode();
    let before = everything(&ledger);
    for end in 0..block.len() {
        assert!(matches!(ledger.submit(&block[..end], NOW), Err(SubmitError::Rule(_))), "{end}");
    }
    assert!(everything(&ledger) == before);
    assert!(matches!(ledger.submit(&block, NOW), Ok(Submitted::Tip { .. })));
}

#[test]
fn every_byte_of_a_coinbase_is_free_or_judged() {
    let (ledger, miner) = young();
    let block = next_block(&ledger, miner.public(), vec![]);
    let algorithm = ledger.chain().spec.algorithm;
    let mut accepted = 0;
    for at in 0..block.coinbase_bytes.len() {
        let (ledger, _) = young();
        let mut changed = block.clone();
        changed.coinbase_bytes[at] ^= 0x41;
        // As a miner would send it: its hash is the merkle root of a block without transactions.
        changed.header.merkle_root = MerkleRoot(sha256d(&changed.coinbase_bytes));
        let changed = solve(algorithm, changed);
        let before = (ledger.tip().unwrap(), ledger.view().root().unwrap());
        match ledger.submit(&changed.encode(), NOW) {
            // Version, sequence, lock time, the end of the script; another key, a lower value.
            Ok(_) => accepted += 1,
            Err(error) => {
                let refused = verdict(error);
                assert_eq!(refused.transaction, Some(0), "byte {at}: {refused}");
                assert_eq!((ledger.tip().unwrap(), ledger.view().root().unwrap()), before);
            }
        }
    }
    assert!((10..60).contains(&accepted), "{accepted} changes are accepted");
}

#[test]
fn a3_a_payment_twice_in_one_block_moves_nothing() {
    let (ledger, miner) = young();
    let payment = pay(&ledger, &miner, Key::new(2).public(), 5, 1);
    let other = pay(&ledger, &miner, Key::new(3).public(), 5, 2);
    let block = next_block(&ledger, miner.public(), vec![payment.clone(), other, payment]);
    let state = ledger.view().root().unwrap();
    let refused = verdict(ledger.submit(&block.encode(), NOW).unwrap_err());
    assert_eq!((refused.rule.name(), refused.transaction), ("NonceGap", Some(3)));
    assert_eq!(ledger.view().root().unwrap(), state);
    assert_eq!(ledger.tip().unwrap().1.height, 5);
}

#[test]
fn a41_a_longer_branch_with_a_bad_block_changes_nothing() {
    const DEPTH: u32 = 60;
    let (ours, theirs) = (memory_ledger(easy_spec()), memory_ledger(easy_spec()));
    let (a, b) = (Key::new(1), Key::new(2));
    for _ in 0..5 {
        let block = mine(&ours, a.public(), vec![]);
        theirs.submit(&block.encode(), NOW).unwrap();
    }
    for nonce in 1..=DEPTH {
        let payment = pay(&ours, &a, b.public(), 5, nonce.into());
        mine(&ours, a.public(), vec![payment]);
    }
    let mut branch: Vec<_> = (0..DEPTH).map(|_| mine(&theirs, b.public(), vec![])).collect();
    // Their last block pays too much, and nothing shows that before it is applied.
    let mut greedy = next_block(&theirs, b.public(), vec![]);
    let value = greedy.coinbase_bytes.len() - 4 - 47 - 43;
    greedy.coinbase_bytes[value] ^= 1;
    greedy.header.merkle_root = MerkleRoot(sha256d(&greedy.coinbase_bytes));
    let greedy = solve(ours.chain().spec.algorithm, greedy);
    branch.push(greedy.clone());

    let (tip, root) = (ours.tip().unwrap(), ours.view().root().unwrap());
    let state = ours.store().range(Table::State, &[], usize::MAX).unwrap();
    for block in &branch[..branch.len() - 1] {
        assert_eq!(ours.submit(&block.encode(), NOW), Ok(Submitted::Side));
    }
    let refused = verdict(ours.submit(&greedy.encode(), NOW).unwrap_err());
    assert_eq!((refused.rule.name(), refused.height), ("bad-cb-amount", 5 + DEPTH + 1));
    assert_eq!((ours.tip().unwrap(), ours.view().root().unwrap()), (tip, root));
    assert_eq!(ours.store().range(Table::State, &[], usize::MAX).unwrap(), state);
    // It is not judged again, and the honest block in its place is taken.
    let again = verdict(ours.submit(&greedy.encode(), NOW).unwrap_err());
    assert_eq!(again.rule, BlockRule::KnownInvalid);
    let honest = next_block(&theirs, b.public(), vec![]);
    let moved = ours.submit(&honest.encode(), NOW).unwrap();
    let Submitted::Tip { disconnected, connected } = moved else { panic!("{moved:?}") };
    assert_eq!((disconnected.len(), connected.len()), (DEPTH as usize, DEPTH as usize + 1));
}

#[test]
fn a42_of_equal_branches_the_first_seen_stays_after_a_restart_too() {
    let (ours, theirs) = (memory_ledger(easy_spec()), memory_ledger(easy_spec()));
    for _ in 0..5 {
        let block = mine(&ours, Key::new(1).public(), vec![]);
        theirs.submit(&block.encode(), NOW).unwrap();
    }
    let first = next_block(&ours, Key::new(1).public(), vec![]).encode();
    let second = next_block(&ours, Key::new(2).public(), vec![]).encode();
    assert!(matches!(ours.submit(&first, NOW), Ok(Submitted::Tip { .. })));
    assert_eq!(ours.submit(&second, NOW), Ok(Submitted::Side));
    assert!(matches!(theirs.submit(&second, NOW), Ok(Submitted::Tip { .. })));
    assert_eq!(theirs.submit(&first, NOW), Ok(Submitted::Side));

    let tips = [&ours, &theirs].map(|ledger| ledger.tip().unwrap().0);
    assert_ne!(tips[0], tips[1]);
    let reopened = |ledger: Ledger<MemoryStore>| {
        Ledger::open(ledger.into_store(), easy_spec(), NodeKernel::best(), pool(1)).unwrap()
    };
    let (ours, theirs) = (reopened(ours), reopened(theirs));
    for (ledger, tip) in [&ours, &theirs].into_iter().zip(tips) {
        for block in [&first, &second] {
            assert_eq!(ledger.submit(block, NOW), Ok(Submitted::Known));
        }
        assert_eq!(ledger.tip().unwrap().0, tip);
    }
    // The next block resolves it, once.
    let next = mine(&theirs, Key::new(3).public(), vec![]).encode();
    let moved = ours.submit(&next, NOW).unwrap();
    let Submitted::Tip { disconnected, connected } = moved else { panic!("{moved:?}") };
    assert_eq!((disconnected.len(), connected.len()), (1, 2));
    assert_eq!(ours.tip().unwrap().0, theirs.tip().unwrap().0);
}
