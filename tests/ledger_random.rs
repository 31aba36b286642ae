//! Random histories from printed seeds: whatever is applied can be undone exactly, the root is that of
//! all entries, and every way of judging blocks gives the same verdict.
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "common/ledger.rs"]
mod common;

use common::*;
use proofward::engine::nodes::NodeKernel;
use proofward::fuzzing::forge::SplitMix64;
use proofward::fuzzing::naive::state_root;
use proofward::ledger::archive::{ArchiveReader, import, write_archive};
use proofward::ledger::chain::{Ledger, SubmitError, Submitted};
use proofward::ledger::signature::PubKey;
use proofward::ledger::state::{Account, EntryKey, StateRead};
use proofward::ledger::store::{CACHE_BYTES_DEFAULT, DiskStore, MemoryStore, Read, Table};
use proofward::ledger::transaction::Transaction;
use proofward::ledger::tree::StateRoot;

const KEYS: u32 = 6;

fn account(ledger: &Ledger<MemoryStore>, key: PubKey) -> Account {
    let entry = ledger.view().entry(&EntryKey::Account(key)).unwrap();
    entry.map_or(Account::default(), |bytes| borsh::from_slice(&bytes).unwrap())
}

/// Payments that the state of the tip can take: each key pays at most once, so all hold together.
fn payments(ledger: &Ledger<MemoryStore>, random: &mut SplitMix64) -> Vec<Transaction> {
    let mut payments = Vec::new();
    for number in 0..KEYS {
        let from = Key::new(number);
        let owned = account(ledger, from.public());
        if random.below(3) == 0 || owned.balance < 100_000 {
            continue;
        }
        let to = Key::new((number + 1 + random.number(7)) % 8);
        if to.public() == from.public() {
            continue;
        }
        // Now and then everything goes, so that accounts fall empty.
        let spendable = owned.balance - 20_000;
        let amount = if random.below(8) == 0 { spendable } else { 1 + random.below(spendable) };
        let nonce = owned.nonce + 1 + random.below(3);
        payments.push(pay(ledger, &from, to.public(), amount, nonce));
    }
    payments
}

fn grow(ledger: &Ledger<MemoryStore>, random: &mut SplitMix64) -> Vec<u8> {
    let payee = Key::new(random.number(KEYS));
    let payments = payments(ledger, random);
    mine(ledger, payee.public(), payments).encode()
}

/// The root computed from nothing but the entries.
fn naive_root(ledger: &Ledger<MemoryStore>) -> [u8; 32] {
    let entries = ledger.store().range(Table::State, &[], usize::MAX).unwrap();
    let entries = entries
        .into_iter()
        .map(|(key, value)| (EntryKey::decode(&key).unwrap().state_key().0, value))
        .collect();
    state_root(&entries)
}

#[test]
fn the_root_is_that_of_all_entries_through_deep_reorganisations() {
    let seed = 7;
    println!("seed {seed}");
    let mut random = SplitMix64::new(seed);
    let ours = memory_ledger(easy_spec());
    let theirs = memory_ledger(easy_spec());
    for depth in [1u64, 2, 5, 20, 100] {
        // A common stretch, then two branches, theirs one block longer.
        for _ in 0..10 {
            let block = grow(&ours, &mut random);
            theirs.submit(&block, NOW).unwrap();
        }
        assert_eq!(ours.view().root().unwrap(), theirs.view().root().unwrap());
        for _ in 0..depth {
            grow(&ours, &mut random);
        }
        let branch: Vec<_> = (0..=depth).map(|_| grow(&theirs, &mut random)).collect();
        let mut last = None;
        for block in &branch {
            last = Some(ours.submit(block, NOW).unwrap());
        }
        let Some(Submitted::Tip { disconnected, connected }) = last else {
            panic!("the longer branch has more work");
        };
        assert_eq!((disconnected.len() as u64, connected.len() as u64), (depth, depth + 1));
        for ledger in [&ours, &theirs] {
            assert_eq!(naive_root(ledger), ledger.view().root().unwrap().0);
        }
        assert_eq!(ours.view().root().unwrap(), theirs.view().root().unwrap());
        for table in [Table::State, Table::Pages, Table::Cores, Table::Heights, Table::Transactions]
        {
            let all = |ledger: &Ledger<MemoryStore>| {
                ledger.store().range(table, &[], usize::MAX).unwrap()
            };
            assert_eq!(all(&ours), all(&theirs), "{table} after {depth} blocks were replaced");
        }
    }
}

#[test]
fn no_kernel_thread_count_or_way_of_applying_changes_the_root() {
    let seed = 11;
    println!("seed {seed}");
    let mut random = SplitMix64::new(seed);
    let ledger = memory_ledger(easy_spec());
    let blocks: Vec<_> = (0..300).map(|_| grow(&ledger, &mut random)).collect();
    let expected = ledger.view().root().unwrap();
    for kernel in NodeKernel::available() {
        for threads in [1, 2] {
            let other =
                Ledger::create(MemoryStore::new(), easy_spec(), kernel, pool(threads)).unwrap();
            let run = other.extend::<SubmitError>(blocks.iter().cloned().map(Ok), NOW, |_| {});
            assert_eq!(run.unwrap().blocks, 300);
            let name = format!("{} on {threads} threads", kernel.isa());
            assert_eq!(other.view().root().unwrap(), expected, "{name}");
        }
    }
}

#[test]
fn parallel_and_serial_verification_name_the_same_rule() {
    let seed = 13;
    println!("seed {seed}");
    let mut random = SplitMix64::new(seed);
    let ledger = memory_ledger(easy_spec());
    let blocks: Vec<_> = (0..24).map(|_| grow(&ledger, &mut random)).collect();
    assert!(serially(&blocks).is_ok());
    assert_eq!(serially(&blocks), in_parallel(&blocks));
    let mut refused = 0;
    for _ in 0..1000 {
        let mut mixed = blocks.clone();
        for _ in 0..=random.below(2) {
            let at = random.index(mixed.len());
            let block = &mut mixed[at];
            let byte = random.index(block.len());
            block[byte] ^= 1 << random.below(8);
        }
        let serial = serially(&mixed);
        refused += usize::from(serial.is_err());
        assert_eq!(serial, in_parallel(&mixed));
    }
    assert!(refused > 900, "{refused} of 1,000 changes were refused");
}

/// Puts a chain on disk piece by piece: runs of blocks and single ones, the store closed or dropped
/// between them.
fn restarting(blocks: &[Vec<u8>], random: &mut SplitMix64) -> StateRoot {
    let dir = tempfile::tempdir().unwrap();
    let kernel = NodeKernel::best();
    let store = DiskStore::create(dir.path(), CACHE_BYTES_DEFAULT).unwrap();
    let mut ledger = Ledger::create(store, easy_spec(), kernel, pool(1)).unwrap();
    let (mut at, mut restarts) = (0, 0);
    while at < blocks.len() {
        let count = usize::try_from(1 + random.below(60)).unwrap().min(blocks.len() - at);
        let next = &blocks[at..at + count];
        if count < 4 {
            next.iter().for_each(|block| drop(ledger.submit(block, NOW).unwrap()));
        } else {
            ledger.extend::<SubmitError>(next.iter().cloned().map(Ok), NOW, |_| {}).unwrap();
        }
        at += count;
        let store = ledger.into_store();
        match random.below(2) {
            0 => store.close().unwrap(),
            _ => drop(store),
        }
        let store = DiskStore::open(dir.path(), CACHE_BYTES_DEFAULT).unwrap();
        ledger = Ledger::open(store, easy_spec(), kernel, pool(1)).unwrap();
        restarts += 1;
    }
    println!("{restarts} restarts");
    ledger.view().root().unwrap()
}

#[test]
fn a_thousand_blocks_give_one_root_through_an_archive_and_through_restarts() {
    let seed = 17;
    println!("seed {seed}");
    let mut random = SplitMix64::new(seed);
    let ledger = memory_ledger(easy_spec());
    let blocks: Vec<_> = (0..1000).map(|_| grow(&ledger, &mut random)).collect();
    let expected = ledger.view().root().unwrap();
    assert_eq!(naive_root(&ledger), expected.0);

    let mut archive = Vec::new();
    write_archive(&ledger.chain().spec, ledger.view(), &mut archive, |_| {}).unwrap();
    let copy = memory_ledger(easy_spec());
    let mut reader = ArchiveReader::open(&*archive).unwrap();
    let done = import(&copy, &mut reader, NOW, |_| {}).unwrap();
    assert_eq!(done.added.blocks, 1000);
    assert_eq!(copy.view().root().unwrap(), expected, "through an archive");
    assert_eq!(restarting(&blocks, &mut random), expected, "through restarts");
}
