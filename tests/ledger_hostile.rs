//! What a stranger may send: floods without work, blocks that lie about their contents, deep and equal
//! branches. Each leaves the ledger as it was, or as it has to be, and says why.
#![cfg(feature = "ledger")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "common/ledger.rs"]
mod common;
#[path = "common/random.rs"]
mod random;

use common::*;
use proofward::engine::nodes::NodeKernel;
use proofward::hash::meets_target;
use proofward::hash::sha256::sha256d;
use proofward::ledger::block::BLOCK_BYTES_MAX;
use proofward::ledger::chain::{Ledger, SIDE_BODY_BYTES_LEAST, SubmitError, Submitted};
use proofward::ledger::rules::BlockRule;
use proofward::ledger::rules::context::Ancestors;
use proofward::ledger::store::{Entry, MemoryStore, Read, Table};
use proofward::ledger::template::Template;
use proofward::primitives::codec::write_compact_size;
use proofward::primitives::{BlockHash, CompactTarget, MerkleRoot};
use random::choices;

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

/// With room for so many small bodies beside the best chain.
fn narrow(ledger: Ledger<MemoryStore>, bodies: usize) -> Ledger<MemoryStore> {
    ledger.with_side_bytes_max(bodies as u64 * SIDE_BODY_BYTES_LEAST)
}

fn bodies(ledger: &Ledger<MemoryStore>) -> usize {
    ledger.store().range(Table::Bodies, &[], usize::MAX).unwrap().len()
}

/// The blocks of a chain above its genesis.
fn blocks_of(ledger: &Ledger<MemoryStore>) -> Vec<Vec<u8>> {
    let view = ledger.view();
    let heights = 1..=ledger.tip().unwrap().1.height;
    let block = |height| view.block_bytes(&view.hash_at(height).unwrap().unwrap()).unwrap();
    heights.map(|height| block(height).unwrap()).collect()
}

/// Chains of these lengths that share so many blocks.
fn apart(shared: usize, lengths: [usize; 2]) -> [Ledger<MemoryStore>; 2] {
    let both = [1, 2].map(|key| (memory_ledger(easy_spec()), Key::new(key).public()));
    for _ in 0..shared {
        let block = mine(&both[0].0, both[0].1, vec![]);
        both[1].0.submit(&block.encode(), NOW).unwrap();
    }
    for ((ledger, key), length) in both.iter().zip(lengths) {
        (shared..length).for_each(|_| drop(mine(ledger, *key, vec![])));
    }
    both.map(|(ledger, _)| ledger)
}

/// Old blocks of low difficulty cost little, and megabytes may hang on each.
#[test]
fn a26_cheap_blocks_beside_the_best_chain_have_a_bound() {
    const ROOM: usize = 32;
    let [ours, theirs] = apart(15, [20, 21]);
    let ours = narrow(ours, ROOM);
    let (early, miner) = young();
    for block in &blocks_of(&early)[..5] {
        ours.submit(block, NOW).unwrap();
    }
    let template = Template::on_tip(early.chain(), &early.view(), vec![], 0).unwrap();
    let time = early.tip().unwrap().1.header.time + early.chain().spec.spacing_s;
    for number in 0..10_000_u32 {
        let coinbase = template.coinbase(miner.public(), &number.to_le_bytes());
        let block = solve(early.chain().spec.algorithm, template.block(coinbase, time));
        assert_eq!(ours.submit(&block.encode(), NOW), Ok(Submitted::Side));
        if number % 1_000 == 0 {
            assert!(bodies(&ours) <= 21 + ROOM, "{}", bodies(&ours));
        }
    }
    assert_eq!(bodies(&ours), 21 + ROOM);
    // A branch with more work than these pushes them out, and wins when it has the most.
    let rivals = &blocks_of(&theirs)[15..];
    for rival in &rivals[..5] {
        assert_eq!(ours.submit(rival, NOW), Ok(Submitted::Side));
    }
    assert!(matches!(ours.submit(&rivals[5], NOW), Ok(Submitted::Tip { .. })));
    assert_eq!(ours.view().root().unwrap(), theirs.view().root().unwrap());
    assert_eq!(bodies(&ours), 22 + ROOM);
}

/// There and back again, with room for fewer bodies than either branch has.
#[test]
fn a_branch_whose_beginning_was_let_go_is_sent_again() {
    const ROOM: usize = 8;
    let [ours, theirs] = apart(3, [20, 70]);
    let mut ours = narrow(ours, ROOM);
    let (first, rivals) = (blocks_of(&ours), blocks_of(&theirs));
    let tip = ours.tip().unwrap();
    let mut said = Vec::new();
    for rival in &rivals[3..] {
        said.push(ours.submit(rival, NOW).unwrap());
    }
    assert_eq!(ours.tip().unwrap(), tip, "it cannot be applied");
    let missing = ours.chain().header_hash(&rivals[3]).unwrap();
    assert_eq!(said[..17], vec![Submitted::Side; 17], "no more work than the best chain");
    assert_eq!(said[17..], vec![Submitted::Incomplete { missing }; said.len() - 17]);
    // Also after a restart.
    let store = ours.into_store();
    ours = narrow(Ledger::open(store, easy_spec(), NodeKernel::best(), pool(1)).unwrap(), ROOM);
    assert_eq!(ours.submit(rivals.last().unwrap(), NOW), Ok(said[said.len() - 1].clone()));
    let mut again = rivals[3..].iter();
    loop {
        match ours.submit(again.next().expect("all is sent before that"), NOW).unwrap() {
            Submitted::Incomplete { missing } => {
                let next = again.as_slice().first().expect("something is missing");
                assert_eq!(ours.chain().header_hash(next), Some(missing), "the next one");
            }
            Submitted::Tip { disconnected, connected } => {
                assert_eq!((disconnected.len(), connected.len()), (17, rivals.len() - 3));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ours.view().root().unwrap(), theirs.view().root().unwrap());
    assert_eq!(bodies(&ours), 1 + rivals.len() + ROOM, "the old branch is beside it now");

    // The branch that lost comes back with more work.
    let other = memory_ledger(easy_spec());
    for block in &first {
        other.submit(block, NOW).unwrap();
    }
    while other.tip().unwrap().1.work <= ours.tip().unwrap().1.work {
        mine(&other, Key::new(1).public(), vec![]);
    }
    for block in blocks_of(&other).iter().chain(&blocks_of(&other)) {
        ours.submit(block, NOW).unwrap();
    }
    assert_eq!(ours.tip().unwrap().0, other.tip().unwrap().0);
    assert_eq!(ours.view().root().unwrap(), other.view().root().unwrap());
    assert!(ours.chain().replay(&pool(1), ours.view(), |_| {}).is_ok());
}

/// Branches of branches, in any order, again and again, with next to no room: the most work is found as if there
/// were room for everything, and what is kept stays small.
#[test]
fn the_best_chain_is_found_in_any_order_with_hardly_any_room() {
    const ROOM: usize = 3;
    let mut draws = choices("any order");
    let mut chains: Vec<Vec<Vec<u8>>> = vec![Vec::new()];
    for key in 1..=8 {
        let parent = &chains[draws.index(chains.len())];
        let fork = draws.index(parent.len() + 1);
        let ledger = memory_ledger(easy_spec());
        parent[..fork].iter().for_each(|block| drop(ledger.submit(block, NOW).unwrap()));
        for _ in 0..=draws.index(12) {
            mine(&ledger, Key::new(key).public(), vec![]);
        }
        chains.push(blocks_of(&ledger));
    }
    let longest = chains.iter().map(Vec::len).max().unwrap();
    let mut blocks = chains.concat();
    blocks.sort();
    blocks.dedup();
    for _ in 0..20 {
        let ours = narrow(memory_ledger(easy_spec()), ROOM);
        let mut rounds = 0;
        while (ours.tip().unwrap().1.height as usize) < longest {
            rounds += 1;
            // Once for each header to find its parent, once for the bodies.
            assert!(rounds <= longest + 2, "{longest} blocks after {rounds} rounds");
            for last in (1..blocks.len()).rev() {
                blocks.swap(last, draws.index(last + 1));
            }
            for block in &blocks {
                match ours.submit(block, NOW) {
                    Ok(_) | Err(SubmitError::Orphan { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
                // The best chain with its genesis, the room, and a branch that is collected.
                assert!(bodies(&ours) <= 2 * longest + 1 + ROOM, "{}", bodies(&ours));
            }
        }
        assert!(ours.chain().replay(&pool(1), ours.view(), |_| {}).is_ok());
    }
}
