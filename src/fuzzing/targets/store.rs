//! The file of a store, changed by somebody else.

use std::sync::OnceLock;

use crate::hash::sha256::sha256;
use crate::ledger::store::{
    Batch, DiskStore, FaultyDisk, Read, ScrubCursor, Store, StoreError, Table, scrub_step,
    silence_contained_panics,
};
use crate::primitives::codec::Reader;

const CACHE_BYTES: usize = 1 << 16;
/// A changed file may ask for more space than any machine has.
const DISK_BYTES_MAX: u64 = 16 << 20;
const ENTRIES: u32 = 300;

/// The file of a small store after two commits, closed and as a crash leaves it.
fn images() -> &'static [Vec<u8>; 2] {
    static IMAGES: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    IMAGES.get_or_init(|| {
        let disk = FaultyDisk::new();
        let store = DiskStore::create_on(disk.clone(), CACHE_BYTES).expect("a working disk");
        for first in [0, ENTRIES / 2] {
            let mut batch = Batch::new();
            for number in first..first + ENTRIES / 2 {
                let key = number.to_be_bytes();
                batch.put(Table::State, key, value_of(&key));
                batch.put(Table::Bodies, sha256(&key), value_of(&sha256(&key)));
            }
            store.commit(&batch).expect("a working disk");
        }
        let crashed = disk.image();
        store.close().expect("a working disk");
        [disk.image(), crashed]
    })
}

fn value_of(key: &[u8]) -> Vec<u8> {
    sha256(key).repeat(usize::from(sha256(key)[0]) % 9)
}

/// The first byte chooses the file and whether it is cut; then follow the length that is left (32 bits)
/// and changes of it: an offset (32 bits) and what is added to the byte there. The store must open or
/// refuse, read and scrub without falling over, and what it reads is what was stored. Nothing is written:
/// that a commit to a damaged file may end the process is a known limit of the store. The other is memory:
/// run it with `-rss_limit_mb=8192`, since redb asks for up to 4 GiB where a changed page pointer says so.
///
/// # Panics
///
/// If a value is another, or an error is not one of damage.
pub fn store_open(data: &[u8]) {
    silence_contained_panics();
    let mut reader = Reader::new(data);
    let Ok(choice) = reader.u8() else { return };
    let mut image = images()[usize::from(choice & 1)].clone();
    let at = |number: u32, len: usize| usize::try_from(number).map_or(0, |n| n % len.max(1));
    if choice & 2 != 0 {
        let Ok(len) = reader.u32() else { return };
        image.truncate(at(len, image.len()));
    }
    while let (Ok(offset), Ok(change)) = (reader.u32(), reader.u8()) {
        let at = at(offset, image.len());
        if let Some(byte) = image.get_mut(at) {
            *byte = byte.wrapping_add(change);
        }
    }
    let disk = FaultyDisk::with_image(image);
    disk.set_capacity(Some(DISK_BYTES_MAX));
    let used = DiskStore::open_on(disk.clone(), CACHE_BYTES).and_then(|store| {
        let used = read_all(&store);
        // Closing commits. What stays behind is small without its disk.
        std::mem::forget(store);
        used
    });
    disk.unplug();
    if let Err(error) = used {
        let is_of_damage = matches!(
            error,
            StoreError::Corrupt { .. }
                | StoreError::CorruptValue { .. }
                | StoreError::NotAStore { .. }
                | StoreError::WrongVersion { .. }
                | StoreError::Io { .. }
                | StoreError::Full
                | StoreError::Poisoned
        );
        assert!(is_of_damage, "{error}");
    }
}

fn read_all(store: &DiskStore) -> Result<(), StoreError> {
    for number in 0..ENTRIES {
        let key = number.to_be_bytes();
        if let Ok(Some(value)) = store.get(Table::State, &key) {
            assert_eq!(value, value_of(&key), "another value");
        }
    }
    for &table in Table::ALL {
        for (key, value) in store.range(table, b"", 2 * ENTRIES as usize).unwrap_or_default() {
            assert_eq!(value, value_of(&key), "another value");
        }
    }
    let mut cursor = Some(ScrubCursor::default());
    while let Some(from) = cursor {
        cursor = scrub_step(&*store.snapshot()?, from, 1 << 14)?.next;
    }
    Ok(())
}
