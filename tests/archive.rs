//! Archives of blocks: out of one ledger, into another; every changed bit is named; and the same for
//! what a store holds.
#![cfg(feature = "ledger")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "common/ledger.rs"]
mod common;
#[path = "common/random.rs"]
mod random;

use common::*;
use proofward::engine::nodes::NodeKernel;
use proofward::ledger::archive::{
    ArchiveError, ArchiveReader, Import, Place, import, write_archive,
};
use proofward::ledger::block::Block;
use proofward::ledger::chain::{
    BlockPart, Finding, Ledger, ReplayError, SIDE_BODY_BYTES_LEAST, View,
};
use proofward::ledger::rules::context::Ancestors;
use proofward::ledger::rules::isolation::Ids;
use proofward::ledger::store::{Batch, MemoryStore, Read, Store, StoreError, Table};
use proofward::ledger::transaction::TransactionId;
use random::choices;

/// A chain whose blocks hold none to five payments.
fn paying_ledger(blocks: u32) -> Ledger<MemoryStore> {
    let ledger = memory_ledger(easy_spec());
    let rich = Key::new(0);
    for _ in 0..6 {
        mine(&ledger, rich.public(), vec![]);
    }
    let mut nonce = 0;
    for height in 6..blocks {
        let payments = (0..height % 6)
            .map(|i| {
                nonce += 1;
                pay(&ledger, &rich, Key::new(1 + i).public(), 1_000, nonce)
            })
            .collect();
        mine(&ledger, rich.public(), payments);
    }
    ledger
}

fn archive_of<S: Store>(ledger: &Ledger<S>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (_, tip) = ledger.tip().unwrap();
    let height = write_archive(&ledger.chain().spec, ledger.view(), &mut bytes, |_| {}).unwrap();
    assert_eq!(height, tip.height);
    bytes
}

fn import_into<S: Store>(ledger: &Ledger<S>, bytes: &[u8]) -> Result<Import, ArchiveError> {
    import(ledger, &mut ArchiveReader::open(bytes)?, NOW, |_| {})
}

/// Everything that a ledger's store holds but for the order in which blocks arrived.
fn tables<S: Store>(ledger: &Ledger<S>) -> Vec<(Table, Vec<u8>, Vec<u8>)> {
    let all = Table::ALL.iter().flat_map(|&table| {
        let entries = ledger.store().range(table, b"", usize::MAX).unwrap();
        entries.into_iter().map(move |(key, value)| (table, key, value))
    });
    all.collect()
}

/// With room for four small bodies beside the chain that is there.
#[test]
fn an_archive_of_more_work_than_there_is_room_for_is_imported_again() {
    let theirs = paying_ledger(40);
    let ours = memory_ledger(easy_spec()).with_side_bytes_max(4 * SIDE_BODY_BYTES_LEAST);
    (0..10).for_each(|_| drop(mine(&ours, Key::new(9).public(), vec![])));
    let (tip, bytes) = (ours.tip().unwrap(), archive_of(&theirs));
    let first = theirs.view().hash_at(1).unwrap();
    let done = import_into(&ours, &bytes).unwrap();
    assert_eq!((done.added.blocks, done.missing), (40, first));
    assert_eq!(ours.tip().unwrap(), tip);
    let done = import_into(&ours, &bytes).unwrap();
    assert_eq!((done.known + done.added.blocks, done.missing), (40, None));
    assert_eq!(ours.tip().unwrap().0, theirs.tip().unwrap().0);
    assert_eq!(ours.view().root().unwrap(), theirs.view().root().unwrap());
}

#[test]
fn an_archive_makes_the_same_chain() {
    let ledger = paying_ledger(40);
    let bytes = archive_of(&ledger);
    for threads in [1, 2] {
        let copy =
            Ledger::create(MemoryStore::new(), easy_spec(), NodeKernel::best(), pool(threads));
        let copy = copy.unwrap();
        let mut heights = Vec::new();
        let mut archive = ArchiveReader::open(&*bytes).unwrap();
        assert_eq!((archive.spec(), archive.tip_height()), (&easy_spec(), 40));
        let done =
            import(&copy, &mut archive, NOW, |done| heights.push(done.added.blocks)).unwrap();
        assert_eq!((done.known, done.added.blocks), (0, 40));
        assert_eq!(heights.last(), Some(&40), "the last write was told");
        assert_eq!(tables(&copy), tables(&ledger));
        assert_eq!(archive_of(&copy), bytes, "there is one archive of a chain");
    }
}

#[test]
fn an_import_goes_on_where_it_ended() {
    let ledger = paying_ledger(30);
    let bytes = archive_of(&ledger);
    let mut random = choices("cut archives");
    let copy = memory_ledger(easy_spec());
    let mut height = 0;
    for _ in 0..6 {
        let cut = random.index(bytes.len());
        let result = import_into(&copy, &bytes[..cut]);
        assert!(matches!(result, Err(ArchiveError::Truncated(_))), "{result:?} at {cut}");
        let (_, tip) = copy.tip().unwrap();
        assert!(tip.height >= height, "what was there stays");
        height = tip.height;
    }
    let done = import_into(&copy, &bytes).unwrap();
    assert_eq!((done.known, done.added.blocks), (u64::from(height), u64::from(30 - height)));
    assert_eq!(tables(&copy), tables(&ledger));
    let again = import_into(&copy, &bytes).unwrap();
    assert_eq!((again.known, again.added.blocks), (30, 0));
}

#[test]
fn an_archive_of_another_branch_wins_by_work_alone() {
    let (longer, shorter) = (paying_ledger(20), paying_ledger(8));
    // Both leave the common chain at the same block.
    mine(&shorter, Key::new(77).public(), vec![]);
    let ours = archive_of(&shorter);
    import_into(&shorter, &archive_of(&longer)).unwrap();
    assert_eq!(shorter.view().tip().unwrap(), longer.view().tip().unwrap());
    assert_eq!(shorter.view().root().unwrap(), longer.view().root().unwrap());
    import_into(&longer, &ours).unwrap();
    assert_eq!(longer.tip().unwrap().1.height, 20, "less work changes nothing");
}

#[test]
fn another_chain_is_refused() {
    let bytes = archive_of(&paying_ledger(3));
    let other = memory_ledger(with_witnesses(1, &[Key::new(5)]));
    let before = tables(&other);
    assert!(matches!(import_into(&other, &bytes), Err(ArchiveError::OtherChain { .. })));
    assert_eq!(tables(&other), before);
    let error = ArchiveReader::open(
        &b"something else, and long enough for a head of an archive, which \
        has eighty-four bytes"[..],
    );
    assert!(matches!(error, Err(ArchiveError::NotAnArchive(_))));
}

/// What a changed bit at `at` must be reported as.
#[derive(Debug)]
enum Expected {
    Frame(Place),
    Part(u32, BlockPart, Option<TransactionId>),
    NotAnArchive,
}

/// Where everything stands in an archive, by the documented format alone.
fn layout(bytes: &[u8], genesis: &proofward::primitives::BlockHash) -> Vec<(usize, Expected)> {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let usize_at = |at: usize| usize::try_from(number(at)).unwrap();
    let mut parts = vec![(8, Expected::NotAnArchive)];
    let spec_bytes = usize_at(80);
    parts.push((84 + 8, Expected::Frame(Place::Head)));
    let mut at = 92 + spec_bytes + 8;
    parts.push((at, Expected::Frame(Place::Spec)));
    for height in 1..=number(12) {
        assert_eq!(number(at), height);
        let (block_bytes, transactions) = (usize_at(at + 4), usize_at(at + 8));
        at += 44 + 8;
        parts.push((at, Expected::Frame(Place::Frame(height))));
        at += transactions * 64 + 8;
        parts.push((at, Expected::Frame(Place::List(height))));
        let block = Block::decode(&bytes[at..at + block_bytes]).unwrap();
        let ids = Ids::of_block(&block, genesis);
        let mut part = |len: usize, part, id| {
            at += len;
            parts.push((at, Expected::Part(height, part, id)));
        };
        part(80, BlockPart::Header, None);
        part(1, BlockPart::Count, None);
        let leaf = block.leaves()[0];
        part(block.coinbase_bytes.len(), BlockPart::Transaction(0), Some(TransactionId(leaf)));
        for (index, (included, ids)) in (1..).zip(block.transactions.iter().zip(ids)) {
            part(included.bytes.len(), BlockPart::Transaction(index), Some(ids.transaction));
        }
        at += 8;
        parts.push((at, Expected::Frame(Place::Block(height))));
    }
    parts.push((at + 8, Expected::Frame(Place::End)));
    assert_eq!(parts.last().unwrap().0, bytes.len());
    parts
}

/// Every block out of an archive, judged by nothing but its frame.
fn read_through(bytes: &[u8]) -> Result<(), ArchiveError> {
    let mut archive = ArchiveReader::open(bytes)?;
    while archive.next_block()?.is_some() {}
    Ok(())
}

#[test]
fn every_changed_bit_is_reported_where_it_is() {
    const FLIPS: usize = 1_000;
    let ledger = paying_ledger(24);
    let bytes = archive_of(&ledger);
    let layout = layout(&bytes, &ledger.chain().genesis);
    let mut random = choices("flipped archives");
    let (mut named, mut framed) = (0, 0);
    for flip in 0..FLIPS {
        let (at, bit) = (random.index(bytes.len()), random.index(8));
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << bit;
        let error = read_through(&flipped).expect_err("a changed bit was accepted");
        let expected = &layout[layout.partition_point(|(end, _)| *end <= at)].1;
        match (expected, &error) {
            (Expected::NotAnArchive, ArchiveError::NotAnArchive(_)) => framed += 1,
            (Expected::Frame(place), ArchiveError::Frame(found)) if place == found => framed += 1,
            (
                Expected::Part(height, part, id),
                ArchiveError::Damaged { height: found, part: found_part, id: found_id, .. },
            ) if (height, part) == (found, found_part) && id == found_id => named += 1,
            _ => panic!("bit {bit} of byte {at}: expected {expected:?}, got {error}"),
        }
        if flip % 20 == 0 {
            let copy = memory_ledger(easy_spec());
            assert_eq!(import_into(&copy, &flipped), Err(error));
            // What stands before the damage was taken, and holds.
            let (hash, tip) = copy.tip().unwrap();
            assert_eq!(Some(hash), ledger.view().hash_at(tip.height).unwrap());
        }
    }
    println!("{named} in blocks, {framed} in the frame");
    assert!(named > 300 && framed > 100);
}

#[test]
fn bytes_before_and_after_are_named() {
    let bytes = archive_of(&paying_ledger(3));
    let fresh = || memory_ledger(easy_spec());
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(import_into(&fresh(), &longer), Err(ArchiveError::TrailingBytes));
    for cut in [0, 7, 83, 91, bytes.len() - 1] {
        let result = import_into(&fresh(), &bytes[..cut]);
        assert!(matches!(result, Err(ArchiveError::Truncated(_))), "{cut}: {result:?}");
    }
}

/// A store whose disk has changed the value under one key.
struct Damaged<'a> {
    store: &'a MemoryStore,
    table: Table,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl Read for Damaged<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if table == self.table && key == self.key {
            return Err(StoreError::CorruptValue { table, key: key.to_vec() });
        }
        self.store.get(table, key)
    }

    fn get_unchecked(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if table == self.table && key == self.key {
            return Ok(Some(self.value.clone()));
        }
        self.store.get_unchecked(table, key)
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let entries = self.store.range(table, from, limit)?;
        match entries.iter().find(|(key, _)| table == self.table && *key == self.key) {
            Some((key, _)) => Err(StoreError::CorruptValue { table, key: key.clone() }),
            None => Ok(entries),
        }
    }
}

/// The part of a block's body that byte `at` belongs to.
fn part_at(block: &Block, ids: &[Ids], at: usize) -> (BlockPart, Option<TransactionId>) {
    let mut end = 1 + block.coinbase_bytes.len();
    if at == 0 {
        return (BlockPart::Count, None);
    }
    if at < end {
        return (BlockPart::Transaction(0), None);
    }
    for (index, (included, ids)) in (1..).zip(block.transactions.iter().zip(ids)) {
        end += included.bytes.len();
        if at < end {
            return (BlockPart::Transaction(index), Some(ids.transaction));
        }
    }
    unreachable!("a body ends with its last transaction")
}

#[test]
fn a_changed_bit_in_a_stored_block_is_named_by_verify_and_by_scrub() {
    let ledger = paying_ledger(20);
    let chain = ledger.chain();
    let mut random = choices("flipped blocks");
    let pool = pool(1);
    for _ in 0..60 {
        let height = u32::try_from(1 + random.index(20)).unwrap();
        let hash = ledger.view().hash_at(height).unwrap().unwrap();
        let block = ledger.view().block(&hash).unwrap().unwrap();
        let ids = Ids::of_block(&block, &chain.genesis);
        let mut value = ledger.store().get(Table::Bodies, &hash.0).unwrap().unwrap();
        let (at, bit) = (random.index(value.len()), random.index(8));
        value[at] ^= 1 << bit;
        let (part, id) = part_at(&block, &ids, at);
        let stored =
            Damaged { store: ledger.store(), table: Table::Bodies, key: hash.0.to_vec(), value };

        let verdict = chain.replay(&pool, View(&stored), |_| {});
        let Err(ReplayError::Damaged { height: found, transaction, id: named, .. }) = verdict
        else {
            panic!("bit {bit} of byte {at} of block {height}: {verdict:?}")
        };
        assert_eq!((found, transaction, named), (height, part.transaction(), id));

        // The same bit under a checksum that was written over it.
        let mut batch = Batch::new();
        tables(&ledger).into_iter().for_each(|(table, key, value)| batch.put(table, key, value));
        batch.put(Table::Bodies, hash.0, stored.value.clone());
        let resealed = MemoryStore::new();
        resealed.commit(&batch).unwrap();
        let verdict = chain.replay(&pool, View(&resealed), |_| {});
        let Err(ReplayError::Damaged { height: found, transaction, id: named, .. }) = verdict
        else {
            panic!("bit {bit} of byte {at} of block {height}, resealed: {verdict:?}")
        };
        assert_eq!((found, transaction, named), (height, part.transaction(), id));

        let mut found = Vec::new();
        let snapshot = || resealed.snapshot();
        let scrubbed = chain.scrub(snapshot, |finding| found.push(finding), |_| {}).unwrap();
        let expected = Finding::Block { height, hash, part, id };
        assert_eq!((scrubbed.findings, found), (1, vec![expected]));
    }
    let clean = chain.scrub(|| ledger.store().snapshot(), |finding| panic!("{finding}"), |_| {});
    let clean = clean.unwrap();
    assert_eq!((clean.findings, clean.blocks), (0, 21));
    assert_eq!(
        clean.entries,
        ledger.store().range(Table::State, b"", usize::MAX).unwrap().len() as u64
    );
}

#[test]
fn every_other_table_is_held_against_the_blocks() {
    let ledger = paying_ledger(16);
    let pool = pool(1);
    let mut random = choices("flipped values");
    for table in
        [Table::Leaves, Table::Transactions, Table::Undo, Table::State, Table::Pages, Table::Cores]
    {
        let entries = ledger.store().range(table, b"", usize::MAX).unwrap();
        let (key, mut value) = entries[1 + random.index(entries.len() - 1)].clone();
        let at = random.index(value.len());
        value[at] ^= 1 << random.index(8);
        let mut batch = Batch::new();
        tables(&ledger).into_iter().for_each(|(table, key, value)| batch.put(table, key, value));
        batch.put(table, key, value);
        let changed = MemoryStore::new();
        changed.commit(&batch).unwrap();
        let verdict = ledger.chain().replay(&pool, View(&changed), |_| {});
        assert!(matches!(verdict, Err(ReplayError::Differs(_))), "{table}: {verdict:?}");
    }
}
