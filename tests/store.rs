//! The contract of a store, checked on every store alike: what is read back, in what order, through
//! snapshots and overlays. Crashes and failing disks are in `store_crash.rs`.

#![cfg(feature = "ledger")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use proofward::hash::sha256::sha256;
use proofward::ledger::store::{
    Batch, BlobError, Blobs, CACHE_BYTES_DEFAULT, DiskReader, DiskStore, INBOX_COUNT_MAX,
    INBOX_TRANSACTION_BYTES_MAX, Inbox, InboxError, MemoryStore, Overlay, Read, Store, StoreError,
    Table,
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

/// The format is what files on disk hold, so it is checked from outside: raw redb, and the checksum by
/// the rule alone.
#[test]
fn the_format_is_the_one_that_is_documented() {
    use redb::{ReadableDatabase as _, TableDefinition};

    let tagged = |table: u8, key: &[u8], value: &[u8]| {
        let tag = sha256(b"proofward/store");
        let key_bytes = u32::try_from(key.len()).unwrap().to_le_bytes();
        sha256(&[&tag[..], &tag, &[table], &key_bytes, key, value].concat())[..8].to_vec()
    };
    let dir = TempDir::new().unwrap();
    let store = create(&dir);
    store.commit(&one(b"key", b"value")).unwrap();
    store.close().unwrap();
    let database = redb::Database::open(dir.path().join("chain.redb")).unwrap();
    let transaction = database.begin_read().unwrap();
    let raw = |name: &str, key: &[u8]| {
        let definition = TableDefinition::<&[u8], &[u8]>::new(name);
        let table = transaction.open_table(definition).unwrap();
        table.get(key).unwrap().unwrap().value().to_vec()
    };
    let value = [&tagged(5, b"key", b"value")[..], b"value"].concat();
    assert_eq!(raw("5", b"key"), value);
    assert_eq!(hex::encode(&value), "78fbc5ba68bdf3b176616c7565");
    let version = [&tagged(0, b"format", &[1, 0, 0, 0])[..], &[1, 0, 0, 0]].concat();
    assert_eq!(raw("0", b"format"), version);
}

#[test]
fn another_format_is_refused() {
    use redb::TableDefinition;

    let dir = TempDir::new().unwrap();
    create(&dir).close().unwrap();
    let set_format = |record: &[u8]| {
        let database = redb::Database::open(dir.path().join("chain.redb")).unwrap();
        let transaction = database.begin_write().unwrap();
        let own = TableDefinition::<&[u8], &[u8]>::new("0");
        transaction.open_table(own).unwrap().insert(&b"format"[..], record).unwrap();
        transaction.commit().unwrap();
        drop(database);
        DiskStore::open(dir.path(), CACHE_BYTES_DEFAULT).unwrap_err()
    };
    let tag = sha256(b"proofward/store");
    let hashed = [&tag[..], &tag, &[0, 6, 0, 0, 0], b"format", &[2, 0, 0, 0]].concat();
    let record = [&sha256(&hashed)[..8], &[2, 0, 0, 0]].concat();
    assert_eq!(set_format(&record), StoreError::WrongVersion { found: 2, expected: 1 });
    assert!(matches!(set_format(&[0; 12]), StoreError::Corrupt { .. }));
}

#[test]
fn the_inbox_keeps_transactions_until_they_are_taken() {
    let dir = TempDir::new().unwrap();
    let inbox = Inbox::open(dir.path()).unwrap();
    assert_eq!(inbox.waiting(9), Ok(vec![]));
    let transactions = [b"one".to_vec(), b"two".to_vec(), vec![3; INBOX_TRANSACTION_BYTES_MAX]];
    for transaction in &transactions {
        inbox.leave(transaction).unwrap();
    }
    inbox.leave(b"one").unwrap();
    let sorted = |mut found: Vec<Vec<u8>>| {
        found.sort();
        found
    };
    let waiting = inbox.waiting(9).unwrap();
    let found = waiting.iter().map(|waiting| waiting.bytes.clone()).collect();
    assert_eq!(sorted(found), sorted(transactions.to_vec()), "the same bytes wait once");
    assert_eq!(inbox.waiting(2).unwrap(), waiting[..2]);
    inbox.take(&waiting[0]).unwrap();
    inbox.take(&waiting[0]).unwrap();
    assert_eq!(inbox.waiting(9).unwrap(), waiting[1..]);
    for len in [0, INBOX_TRANSACTION_BYTES_MAX + 1] {
        assert_eq!(inbox.leave(&vec![0; len]), Err(InboxError::Length(len)));
    }
}

#[test]
fn the_inbox_is_bounded_and_stands_hostile_files() {
    let dir = TempDir::new().unwrap();
    let inbox = Inbox::open(dir.path()).unwrap();
    inbox.leave(b"honest").unwrap();
    let at = |name: &str| dir.path().join("inbox").join(name);
    let zeros = format!("{}.tx", "00".repeat(32));
    std::fs::write(at("readme.txt"), b"hello").unwrap();
    std::fs::write(at(&zeros), b"not what the name says").unwrap();
    std::fs::write(at("huge.tx"), vec![0; INBOX_TRANSACTION_BYTES_MAX + 1]).unwrap();
    std::fs::create_dir(at("folder.tx")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        std::os::unix::fs::symlink("/dev/zero", at("endless.tx")).unwrap();
        let name = std::ffi::OsStr::from_bytes(b"\xff\xfe");
        std::fs::write(dir.path().join("inbox").join(name), b"no UTF-8").unwrap();
    }
    std::fs::write(at("dead.1.0.part"), b"half").unwrap();
    let honest = || {
        let waiting = inbox.waiting(9).unwrap();
        assert_eq!(waiting.len(), 1);
        assert_eq!(waiting[0].bytes, b"honest");
    };
    honest();
    let names = || std::fs::read_dir(dir.path().join("inbox")).unwrap().count();
    assert_eq!(names(), 2, "what is no transaction is gone, but for the part");
    inbox.remove_parts().unwrap();
    assert_eq!(names(), 1);
    for i in 1..INBOX_COUNT_MAX {
        std::fs::write(at(&format!("{i}.part")), b"").unwrap();
    }
    let full = InboxError::Full { count: INBOX_COUNT_MAX, bytes: 6 };
    assert_eq!(inbox.leave(b"one more"), Err(full));
    honest();
    inbox.remove_parts().unwrap();
    inbox.leave(b"one more").unwrap();
    assert_eq!(inbox.waiting(9).unwrap().len(), 2);
}

#[test]
fn blobs_are_found_by_their_hash_and_verified() {
    let dir = TempDir::new().unwrap();
    let blobs = Blobs::open(dir.path()).unwrap();
    let all: Vec<Vec<u8>> = (0..40_u8).map(|i| vec![i; usize::from(i) * 1_000]).collect();
    let mut hashes: Vec<_> = all.iter().map(|blob| blobs.put(blob).unwrap()).collect();
    for (blob, hash) in all.iter().zip(&hashes) {
        assert_eq!(*hash, Blobs::hash(blob));
        assert_eq!(blobs.get(hash), Ok(Some(blob.clone())));
    }
    let changed = hashes[7];
    hashes.sort_unstable();
    assert_eq!(blobs.list(None, usize::MAX).unwrap(), hashes);
    assert_eq!(blobs.list(Some(&hashes[4]), 10).unwrap(), hashes[5..15]);
    assert_eq!(blobs.list(Some(&[0xff; 32]), 10), Ok(vec![]));
    assert_eq!(blobs.get(&[0; 32]), Ok(None));

    let name = hex::encode(changed);
    let path = dir.path().join("blobs").join(&name[..2]).join(&name);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[3] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(blobs.get(&changed), Err(BlobError::Damaged(changed)));
    assert_eq!(blobs.put(&all[7]), Ok(changed), "a good copy replaces a damaged one");
    assert_eq!(blobs.get(&changed), Ok(Some(all[7].clone())));
    blobs.remove(&changed).unwrap();
    blobs.remove(&changed).unwrap();
    assert_eq!(blobs.get(&changed), Ok(None));
    assert_eq!(blobs.list(None, usize::MAX).unwrap().len(), 39);
}

type Writes = Vec<(u8, Option<u8>)>;

proptest! {
    /// An overlay, and an overlay over it, show what a map with the same writes shows, also of writes
    /// that have parted; and so does the store once the batches are committed.
    #[test]
    fn an_overlay_shows_what_would_be_committed(
        base: Writes,
        parting: Writes,
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
        apply(&parting, &mut lower);
        let parted = lower.part();
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
        store.commit(&parted).unwrap();
        prop_assert_eq!(&upper.range(Table::State, &from, limit).unwrap(), &expected);
        let batch = upper.into_batch();
        lower.append(batch);
        let batch = lower.into_batch();
        store.commit(&batch).unwrap();
        prop_assert_eq!(&store.range(Table::State, &from, limit).unwrap(), &expected);
    }
}
