//! The contract of a store, checked on every store alike: what is read back, in what order, through
//! snapshots and overlays. Crashes and failing disks are in `store_crash.rs`.

#![cfg(feature = "ledger")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use proofward::ledger::store::{
    Batch, CACHE_BYTES_DEFAULT, DiskReader, DiskStore, MemoryStore, Overlay, Read, Store,
    StoreError, Table,
};
use proptest::prelude::*;
use tempfile::TempDir;

/// Runs `check` on an empty store of each kind.
fn on_every_store(check: impl Fn(&str, &dyn Store)) {
    check("memory", &MemoryStore::new());
    let dir = TempDir::new().unwrap();
    check("disk", &create(&dir));
}

fn create(dir: &TempDir) -> DiskStore {
    DiskStore::create(dir.path(), CACHE_BYTES_DEFAULT).unwrap()
}

fn open(dir: &TempDir) -> DiskStore {
    DiskStore::open(dir.path(), CACHE_BYTES_DEFAULT).unwrap()
}

fn entry(key: &[u8], value: &[u8]) -> (Vec<u8>, Vec<u8>) {
    (key.to_vec(), value.to_vec())
}

#[test]
fn reads_back_what_was_committed() {
    on_every_store(|name, store| {
        assert_eq!(store.get(Table::Meta, b"a"), Ok(None), "{name}");
        let mut batch = Batch::new();
        batch.put(Table::Meta, *b"a", *b"1");
        batch.put(Table::Meta, *b"", *b"");
        batch.put(Table::State, *b"a", vec![7; 100_000]);
        batch.delete(Table::State, *b"absent");
        store.commit(&batch).unwrap();
        assert_eq!(store.get(Table::Meta, b"a"), Ok(Some(b"1".to_vec())), "{name}");
        assert_eq!(store.get(Table::Meta, b""), Ok(Some(Vec::new())), "{name}: empty is a value");
        assert_eq!(store.get(Table::State, b"a"), Ok(Some(vec![7; 100_000])), "{name}");
        assert_eq!(store.get(Table::Heights, b"a"), Ok(None), "{name}: tables are apart");
        let mut batch = Batch::new();
        batch.delete(Table::Meta, *b"a");
        store.commit(&batch).unwrap();
        assert_eq!(store.get(Table::Meta, b"a"), Ok(None), "{name}");
        store.commit(&Batch::new()).unwrap();
    });
}

#[test]
fn ranges_are_in_the_order_of_bytes() {
    on_every_store(|name, store| {
        let keys: [&[u8]; 6] = [b"", b"\x00", b"\x00\x00", b"a", b"a\xff", b"\xff"];
        let mut batch = Batch::new();
        for key in keys.iter().rev() {
            batch.put(Table::Headers, *key, *key);
        }
        store.commit(&batch).unwrap();
        let all: Vec<_> = keys.iter().map(|key| entry(key, key)).collect();
        for (from, first) in [(&b""[..], 0_usize), (b"\x00\x00", 2), (b"\x01", 3), (b"a\x00", 4)] {
            for limit in [0, 1, 2, 6, usize::MAX] {
                let expected: &[_] = &all[first..all.len().min(first.saturating_add(limit))];
                let found = store.range(Table::Headers, from, limit).unwrap();
                assert_eq!(found, expected, "{name}: from {from:?}, {limit}");
            }
        }
        assert_eq!(store.range(Table::Headers, b"\xff\x00", 9), Ok(vec![]), "{name}");
        assert_eq!(store.range(Table::Bodies, b"", 9), Ok(vec![]), "{name}");
    });
}

#[test]
fn a_snapshot_does_not_move() {
    on_every_store(|name, store| {
        let write = |value: u8| {
            let mut batch = Batch::new();
            batch.put(Table::Meta, *b"k", [value]);
            batch.put(Table::State, [value], [value]);
            store.commit(&batch).unwrap();
        };
        write(1);
        let old = store.snapshot().unwrap();
        write(2);
        assert_eq!(old.get(Table::Meta, b"k"), Ok(Some(vec![1])), "{name}");
        assert_eq!(old.range(Table::State, b"", 9).unwrap().len(), 1, "{name}");
        assert_eq!(store.get(Table::Meta, b"k"), Ok(Some(vec![2])), "{name}");
        assert_eq!(store.snapshot().unwrap().range(Table::State, b"", 9).unwrap().len(), 2);
    });
}

#[test]
fn a_batch_keeps_the_last_write_and_counts() {
    let mut batch = Batch::new();
    assert!(batch.is_empty());
    batch.put(Table::State, *b"key", *b"value");
    batch.put(Table::Meta, *b"m", *b"");
    assert_eq!((batch.len(), batch.bytes()), (2, 9));
    batch.delete(Table::State, *b"key");
    assert_eq!((batch.len(), batch.bytes()), (2, 4));
    assert_eq!(batch.get(Table::State, b"key"), Some(None));
    assert_eq!(batch.get(Table::State, b"other"), None);
    let mut later = Batch::new();
    later.put(Table::State, *b"key", *b"v");
    later.put(Table::State, *b"a", *b"");
    batch.append(later);
    assert_eq!((batch.len(), batch.bytes()), (3, 6));
    let writes: Vec<_> = batch.iter().map(|(table, key, _)| (table, key)).collect();
    assert_eq!(writes, [(Table::Meta, &b"m"[..]), (Table::State, b"a"), (Table::State, b"key")]);
}

fn one(key: &[u8], value: &[u8]) -> Batch {
    let mut batch = Batch::new();
    batch.put(Table::State, key, value);
    batch
}

#[test]
fn a_store_on_disk_is_founded_once_and_opened_again() {
    let dir = TempDir::new().unwrap();
    let open_error = || DiskStore::open(dir.path(), CACHE_BYTES_DEFAULT).unwrap_err();
    assert!(matches!(open_error(), StoreError::NotAStore { .. }));
    let store = create(&dir);
    store.commit(&one(b"a", b"1")).unwrap();
    let again = || DiskStore::create(dir.path(), CACHE_BYTES_DEFAULT).unwrap_err();
    assert!(matches!(again(), StoreError::Exists { .. }));
    store.close().unwrap();
    assert!(matches!(again(), StoreError::Exists { .. }));
    let store = open(&dir);
    assert_eq!(store.get(Table::State, b"a"), Ok(Some(b"1".to_vec())));
    drop(store);
    assert_eq!(open(&dir).get(Table::State, b"a"), Ok(Some(b"1".to_vec())));
    std::fs::write(dir.path().join("chain.redb"), b"a letter to a friend").unwrap();
    assert!(matches!(open_error(), StoreError::NotAStore { .. }));
    std::fs::write(dir.path().join("chain.redb"), b"").unwrap();
    assert!(matches!(open_error(), StoreError::NotAStore { .. }));
}

#[test]
fn one_writes_and_others_read_beside_it() {
    let dir = TempDir::new().unwrap();
    let read = || DiskReader::open(dir.path(), CACHE_BYTES_DEFAULT);
    assert!(matches!(read().unwrap_err(), StoreError::NotAStore { .. }));
    let store = create(&dir);
    store.commit(&one(b"a", b"1")).unwrap();
    let second = DiskStore::open(dir.path(), CACHE_BYTES_DEFAULT);
    assert_eq!(second.unwrap_err(), StoreError::Locked);
    let reader = read().unwrap();
    let old = reader.snapshot().unwrap();
    store.commit(&one(b"a", b"2")).unwrap();
    assert_eq!(old.get(Table::State, b"a"), Ok(Some(b"1".to_vec())));
    assert_eq!(reader.get(Table::State, b"a"), Ok(Some(b"2".to_vec())));
    store.close().unwrap();
    // Without a writer, and with the next one, the same reader goes on.
    assert_eq!(reader.get(Table::State, b"a"), Ok(Some(b"2".to_vec())));
    let store = open(&dir);
    store.commit(&one(b"a", b"3")).unwrap();
    assert_eq!(reader.get(Table::State, b"a"), Ok(Some(b"3".to_vec())));
    assert_eq!(old.get(Table::State, b"a"), Ok(Some(b"1".to_vec())));
    drop(store);
    drop((old, reader));
    assert_eq!(read().unwrap().get(Table::State, b"a"), Ok(Some(b"3".to_vec())));
}

#[test]
fn a_closed_store_fails_its_snapshots() {
    let dir = TempDir::new().unwrap();
    let mut batch = Batch::new();
    for key in 0..5_000_u32 {
        batch.put(Table::State, key.to_be_bytes(), *b"v");
    }
    let store = create(&dir);
    store.commit(&batch).unwrap();
    store.close().unwrap();
    let store = open(&dir);
    let snapshot = store.snapshot().unwrap();
    store.close().unwrap();
    // Pages that were in memory may still answer, and answer rightly.
    let answers = (0..5_000_u32).map(|key| snapshot.get(Table::State, &key.to_be_bytes()));
    let failed = answers.filter(|answer| *answer != Ok(Some(b"v".to_vec())));
    assert_eq!(failed.take(1).collect::<Vec<_>>(), [Err(StoreError::Closed)]);
}

type Writes = Vec<(u8, Option<u8>)>;

proptest! {
    /// An overlay, and an overlay over it, show what a map with the same writes shows; and so does
    /// the store once the batches are committed.
    #[test]
    fn an_overlay_shows_what_would_be_committed(
        base: Writes,
        first: Writes,
        second: Writes,
        from: u8,
        limit in 0_usize..20,
    ) {
        let store = MemoryStore::new();
        let mut naive = BTreeMap::new();
        let mut apply = |writes: &Writes, overlay: &mut Overlay| {
            for (key, value) in writes {
                // Few keys, so that writes meet.
                let key = key % 24;
                match value {
                    Some(value) => {
                        overlay.put(Table::State, [key], [*value]);
                        naive.insert(vec![key], vec![*value]);
                    }
                    None => {
                        overlay.delete(Table::State, [key]);
                        naive.remove([key].as_slice());
                    }
                }
            }
        };
        let mut overlay = Overlay::new(&store);
        apply(&base, &mut overlay);
        let batch = overlay.into_batch();
        store.commit(&batch).unwrap();
        let mut lower = Overlay::new(&store);
        apply(&first, &mut lower);
        let mut upper = Overlay::new(&lower);
        apply(&second, &mut upper);
        let from = [from % 24];
        let expected: Vec<_> = naive
            .range(from.to_vec()..)
            .take(limit)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        prop_assert_eq!(&upper.range(Table::State, &from, limit).unwrap(), &expected);
        prop_assert_eq!(upper.get(Table::State, &from).unwrap(), naive.get(from.as_slice()).cloned());
        let batch = upper.into_batch();
        lower.append(batch);
        let batch = lower.into_batch();
        store.commit(&batch).unwrap();
        prop_assert_eq!(&store.range(Table::State, &from, limit).unwrap(), &expected);
    }
}
