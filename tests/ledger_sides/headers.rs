//! Headers beside the best chain: the branch that has not grown for longest is forgotten first, and no
//! branch that comes to have the most work is kept out.

use std::collections::{BTreeMap, BTreeSet};

use proofward::hash::sha256::sha256d;
use proofward::ledger::archive::{ArchiveReader, import, write_archive};
use proofward::ledger::block::Block;
use proofward::ledger::chain::{Record, SubmitError, Submitted, Witnessed};
use proofward::ledger::rules::BlockRule;
use proofward::primitives::{BlockHash, MerkleRoot};

use super::common::*;
use super::random::choices;
use super::*;

fn hash_of<S: Store>(ledger: &Ledger<S>, block: &[u8]) -> BlockHash {
    ledger.chain().header_hash(block).unwrap()
}

fn is_known<S: Store>(ledger: &Ledger<S>, block: &[u8]) -> bool {
    ledger.view().record(&hash_of(ledger, block)).unwrap().is_some()
}

/// The tree beside the best chain as the headers have it, held against what finds a way through it and
/// says what is forgotten next. How many headers there are.
fn check_tree<S: Store>(ledger: &Ledger<S>) -> u64 {
    let (store, view) = (ledger.store(), ledger.view());
    let all = store.range(Table::Headers, &[], usize::MAX).unwrap().into_iter();
    let records: BTreeMap<_, _> = all
        .map(|(hash, bytes)| (BlockHash(hash.try_into().unwrap()), Record::decode(&bytes).unwrap()))
        .collect();
    let beside: BTreeMap<_, _> = records
        .iter()
        .filter(|(hash, record)| view.hash_at(record.height).unwrap() != Some(**hash))
        .collect();
    let mut followers: BTreeMap<BlockHash, u32> = BTreeMap::new();
    for record in beside.values() {
        assert!(records.contains_key(&record.parent()), "the parent of a known block is known");
        *followers.entry(record.parent()).or_default() += 1;
    }
    let mut ends = BTreeSet::new();
    let mut nodes = BTreeMap::new();
    let mut count = 0;
    let mut jumps: BTreeMap<u32, u32> = BTreeMap::new();
    for (key, value) in store.range(Table::Sides, &[], usize::MAX).unwrap() {
        match key.split_first() {
            Some((2, [])) => count = u64::from_le_bytes(value.try_into().unwrap()),
            Some((3, hash)) => drop(nodes.insert(BlockHash(hash.try_into().unwrap()), value)),
            Some((4, arrival)) => {
                let hash = BlockHash(value.try_into().unwrap());
                assert_eq!(arrival, records[&hash].arrival.to_be_bytes());
                ends.insert(hash);
            }
            _ => {}
        }
    }
    assert_eq!(count, beside.len() as u64);
    let without: BTreeSet<_> =
        beside.keys().filter(|hash| !followers.contains_key(**hash)).map(|hash| **hash).collect();
    assert_eq!(ends, without);
    for (hash, node) in &nodes {
        let (number, jump) = node.split_first_chunk().unwrap();
        assert_eq!(u32::from_le_bytes(*number), followers.get(hash).copied().unwrap_or(0));
        assert_eq!(!jump.is_empty(), beside.contains_key(hash));
        if jump.is_empty() {
            continue;
        }
        let jump = BlockHash(jump.try_into().unwrap());
        let mut ancestor = *hash;
        while records[&ancestor].height > records[&jump].height {
            ancestor = records[&ancestor].parent();
        }
        assert_eq!(ancestor, jump, "it jumps to an ancestor");
        let height = records[&jump].height;
        assert_eq!(*jumps.entry(records[hash].height).or_insert(height), height);
    }
    assert!(beside.keys().all(|hash| nodes.contains_key(*hash)), "each has its node");
    count
}

/// Whoever can make blocks at the easiest difficulty fills no disk with them.
#[test]
fn a26_headers_beside_the_best_chain_have_a_bound() {
    const HEADERS: u64 = 50;
    let [ours, _] = apart(20, [20, 20]);
    let ours = ours.with_side_headers_max(HEADERS);
    let mut cheap = siblings(&beginning_of(&ours, 5));
    let blocks: Vec<_> = (0..300).map(&mut cheap).collect();
    for (block, number) in blocks.iter().zip(1..) {
        assert_eq!(ours.submit(block, NOW), Ok(Submitted::Side));
        assert_eq!(check_tree(&ours), HEADERS.min(number));
    }
    // The last fifty are there, with their bodies; nothing at all of the others.
    let (forgotten, kept) = blocks.split_at(250);
    assert!(kept.iter().all(|block| ours.submit(block, NOW) == Ok(Submitted::Known)));
    assert!(!forgotten.iter().any(|block| is_known(&ours, block)));
    assert_eq!((headers(&ours), bodies(&ours)), (21 + 50, 21 + 50));
    // What was forgotten is unknown, no more.
    assert_eq!(ours.submit(&forgotten[0], NOW), Ok(Submitted::Side));
    assert!(!is_known(&ours, &kept[0]) && is_known(&ours, &kept[1]));
    assert!(ours.chain().replay(&pool(1), ours.view(), |_| {}).is_ok());
}

#[test]
fn the_branch_that_has_not_grown_for_longest_is_cut_from_its_end() {
    let [best, left] = apart(3, [20, 8]);
    let right = beginning_of(&best, 3);
    (0..5).for_each(|_| drop(mine(&right, Key::new(3).public(), vec![])));
    let [left, right] = [left, right].map(|ledger| blocks_of(&ledger).split_off(3));
    for (bound, is_cut) in [(7, true), (8, false)] {
        let ours = beginning_of(&best, 20).with_side_headers_max(bound);
        for block in left[..4].iter().chain(&right[..3]) {
            assert_eq!(ours.submit(block, NOW), Ok(Submitted::Side));
        }
        let ours = reopened(ours, easy_spec(), 1_000, bound);
        // An eighth: that on the left has grown last.
        assert_eq!(ours.submit(&left[4], NOW), Ok(Submitted::Side));
        assert_eq!(check_tree(&ours), bound);
        assert!(left.iter().chain(&right[..2]).all(|block| is_known(&ours, block)));
        assert_eq!(is_known(&ours, &right[2]), !is_cut);
        // Whoever goes on on the right hears of it.
        let next = ours.submit(&right[3], NOW);
        assert_eq!(matches!(next, Err(SubmitError::Orphan { .. })), is_cut, "{next:?}");
        assert_eq!(next == Ok(Submitted::Side), !is_cut, "{next:?}");
        for block in &right[2..] {
            ours.submit(block, NOW).unwrap();
        }
        assert!(right.iter().all(|block| is_known(&ours, block)), "it has grown last now");
        assert_eq!(check_tree(&ours), bound);
    }
}

/// Bounds that it exceeds many times over, a table full of cheap blocks, and a restart half way.
#[test]
fn a_branch_longer_than_the_bound_gets_in_in_order() {
    let [best, theirs] = apart(3, [20, 70]);
    let mut cheap = siblings(&beginning_of(&best, 15));
    for bound in [0, 4] {
        let mut ours = narrow(beginning_of(&best, 20), 8).with_side_headers_max(bound);
        for number in 0..10 {
            ours.submit(&cheap(number), NOW).unwrap();
        }
        let rivals = blocks_of(&theirs).split_off(3);
        let mut said = Ok(Submitted::Side);
        for (rival, number) in rivals.iter().chain(&rivals).zip(0..) {
            if number == 30 {
                ours = reopened(ours, easy_spec(), 8, bound);
            }
            said = ours.submit(rival, NOW);
            if matches!(said, Ok(Submitted::Tip { .. })) {
                break;
            }
        }
        assert!(matches!(said, Ok(Submitted::Tip { .. })), "{said:?}");
        assert_eq!(ours.view().root().unwrap(), theirs.view().root().unwrap());
        // The one that has lost is cut when the next block arrives beside the best chain.
        assert_eq!(check_tree(&ours), 17);
        let mut cheap = siblings(&beginning_of(&best, 3));
        ours.submit(&cheap(0), NOW).unwrap();
        assert_eq!(check_tree(&ours), bound.max(1), "what has just arrived is never forgotten");
    }
}

#[test]
fn an_archive_longer_than_the_bound_is_imported() {
    let [ours, theirs] = apart(3, [20, 70]);
    let ours = ours.with_side_headers_max(2);
    let mut bytes = Vec::new();
    write_archive(&theirs.chain().spec, theirs.view(), &mut bytes, |_| {}).unwrap();
    let done = import(&ours, &mut ArchiveReader::open(&*bytes).unwrap(), NOW, |_| {}).unwrap();
    assert_eq!((done.known, done.added.blocks, done.missing), (3, 67, None));
    assert_eq!(ours.tip().unwrap().0, theirs.tip().unwrap().0);
    check_tree(&ours);
}

/// Strangers' blocks in between cut it only if the bound is smaller than both together.
#[test]
fn a_branch_gets_in_between_the_blocks_of_strangers() {
    let [best, theirs] = apart(3, [20, 40]);
    let rivals = blocks_of(&theirs).split_off(3);
    let mut cheap = siblings(&beginning_of(&best, 15));
    for (bound, is_cut) in [(36, false), (10, true)] {
        let ours = beginning_of(&best, 20).with_side_headers_max(bound);
        let mut bring = |rival: &Vec<u8>, number| {
            let said = ours.submit(rival, NOW);
            ours.submit(&cheap(number), NOW).unwrap();
            said
        };
        let said: Vec<_> = rivals.iter().zip(0..).map(|(rival, n)| bring(rival, n)).collect();
        let is_orphan = |said: &_| matches!(said, Err(SubmitError::Orphan { .. }));
        assert_eq!(said.iter().any(is_orphan), is_cut);
        if is_cut {
            // From the fork again, and nobody in between this time.
            rivals.iter().for_each(|rival| drop(ours.submit(rival, NOW).unwrap()));
        }
        assert_eq!(ours.tip().unwrap().0, theirs.tip().unwrap().0);
        check_tree(&ours);
    }
}

#[test]
fn what_the_best_chain_may_need_is_never_forgotten() {
    let [best, theirs] = apart(3, [20, 40]);
    let rivals = blocks_of(&theirs).split_off(3);
    let mut cheap = siblings(&beginning_of(&best, 15));
    let mut ours = narrow(beginning_of(&best, 20), 2).with_side_headers_max(5);
    let said = rivals.iter().map(|rival| ours.submit(rival, NOW)).last();
    assert!(matches!(said, Some(Ok(Submitted::Incomplete { .. }))), "{said:?}");
    for number in 0..50 {
        ours.submit(&cheap(number), NOW).unwrap();
    }
    ours = reopened(ours, easy_spec(), 2, 5);
    assert!(rivals.iter().all(|rival| is_known(&ours, rival)));
    assert_eq!(check_tree(&ours), rivals.len() as u64 + 1, "all but the newest make room for it");
    for (rival, number) in rivals.iter().zip(50..) {
        ours.submit(rival, NOW).unwrap();
        ours.submit(&cheap(number), NOW).unwrap();
    }
    assert_eq!(ours.tip().unwrap().0, theirs.tip().unwrap().0);
    // The newest of the strangers' blocks stands on the branch that has lost.
    assert_eq!(check_tree(&ours), 15 - 3 + 1);
    assert!(ours.chain().replay(&pool(1), ours.view(), |_| {}).is_ok());
}

/// Nothing below the settled block is ever applied, and yet its headers are kept, to tell what witnesses lie about.
#[test]
fn headers_below_the_settled_block_count_too() {
    let witness = Key::new(100);
    let spec = with_witnesses(1, std::slice::from_ref(&witness));
    let [ours, theirs] = apart_on(&spec, 7, [15, 37]);
    let ours = ours.with_side_headers_max(6);
    let settled = point(&ours, 8);
    let settling = checkpoint(&ours, &witness, settled, None);
    assert_eq!(ours.witness(&settling).unwrap(), Ok(Witnessed::Settled(settled)));
    let tip = ours.tip().unwrap();
    for rival in &blocks_of(&theirs)[7..] {
        assert_eq!(ours.submit(rival, NOW), Ok(Submitted::Side));
    }
    assert_eq!(check_tree(&ours), 30, "one branch, in order");
    let mut cheap = siblings(&beginning_of(&ours, 5));
    for number in 0..3 {
        assert_eq!(ours.submit(&cheap(number), NOW), Ok(Submitted::Side));
        assert_eq!(check_tree(&ours), 6);
    }
    assert_eq!((ours.tip().unwrap(), bodies(&ours)), (tip, 16));
}

/// Not even those that have cost the work of a block of the best chain.
#[test]
fn headers_of_invalid_blocks_count_too() {
    let [ours, _] = apart(5, [5, 5]);
    let ours = ours.with_side_headers_max(3);
    let tip = ours.tip().unwrap();
    let greedy: Vec<_> = (10..20).map(|key| greedy(&ours, key)).collect();
    for (block, number) in greedy.iter().zip(1..) {
        let refused = verdict(ours.submit(block, NOW).unwrap_err());
        assert_eq!(refused.rule.name(), "bad-cb-amount");
        assert_eq!(check_tree(&ours), number.min(3));
    }
    let again = verdict(ours.submit(&greedy[9], NOW).unwrap_err());
    assert_eq!(again.rule, BlockRule::KnownInvalid);
    // A forgotten one is judged again, to the same end.
    let again = verdict(ours.submit(&greedy[0], NOW).unwrap_err());
    assert_eq!(again.rule.name(), "bad-cb-amount");
    assert_eq!((ours.tip().unwrap(), check_tree(&ours)), (tip, 3));
    mine(&ours, Key::new(1).public(), vec![]);
}

/// A block on the tip whose coinbase pays too much.
fn greedy(ledger: &Ledger<MemoryStore>, key: u32) -> Vec<u8> {
    let mut block: Block = next_block(ledger, Key::new(key).public(), vec![]);
    let value = block.coinbase_bytes.len() - 4 - 47 - 43;
    block.coinbase_bytes[value] ^= 1;
    block.header.merkle_root = MerkleRoot(sha256d(&block.coinbase_bytes));
    solve(ledger.chain().spec.algorithm, block).encode()
}

/// Branches of branches, each in order, again and again, with hardly any room for headers or bodies and a restart
/// now and then: no block is ever an orphan, and the most work is found.
#[test]
fn the_best_chain_is_found_branch_by_branch_with_hardly_any_room() {
    let mut draws = choices("branch by branch");
    for _ in 0..6 {
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
        let (room, bound) = (draws.index(4), draws.index(6) as u64);
        let mut ours = narrow(memory_ledger(easy_spec()), room).with_side_headers_max(bound);
        let mut rounds = 0;
        while (ours.tip().unwrap().1.height as usize) < longest {
            rounds += 1;
            assert!(rounds <= 3, "{longest} blocks after {rounds} rounds");
            for last in (1..chains.len()).rev() {
                chains.swap(last, draws.index(last + 1));
            }
            for block in chains.concat() {
                ours.submit(&block, NOW).unwrap();
                // The branch that arrives, the one that is wanted, and one that has just lost.
                let count = check_tree(&ours);
                assert!(count <= bound + 3 * longest as u64, "{count}");
                if draws.index(10) == 0 {
                    ours = reopened(ours, easy_spec(), room, bound);
                }
            }
        }
        assert!(ours.chain().replay(&pool(1), ours.view(), |_| {}).is_ok());
    }
}
