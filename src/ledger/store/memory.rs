//! A store in memory with the contract of the one on disk: for tests and simulation. It forgets
//! everything when it is dropped.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use super::key::Key;
use super::{Batch, Entry, Read, Snapshot, Store, StoreError, Table};

/// One table. Hashed, because applying a block looks up more than anything else does.
#[derive(Debug, Clone, Default)]
struct Map {
    entries: HashMap<Key, Vec<u8>>,
    /// Its keys in order, once somebody has asked for a range since the last write.
    sorted: OnceLock<Vec<Key>>,
}

impl Map {
    fn write(&mut self, key: &Key, value: Option<&Vec<u8>>) {
        self.sorted.take();
        match value {
            Some(value) => drop(self.entries.insert(key.clone(), value.clone())),
            None => drop(self.entries.remove(key)),
        }
    }

    fn range(&self, from: &Key, limit: usize) -> Vec<Entry> {
        let sorted = self.sorted.get_or_init(|| {
            let mut keys: Vec<_> = self.entries.keys().cloned().collect();
            keys.sort_unstable();
            keys
        });
        let first = sorted.partition_point(|key| key < from);
        let keys = sorted[first..].iter().take(limit);
        keys.map(|key| (key.as_bytes().to_vec(), self.entries[key].clone())).collect()
    }
}

/// The tables at one commit: shared with snapshots, copied where a commit writes while one lives.
#[derive(Debug, Clone, Default)]
struct Tables(BTreeMap<Table, Arc<Map>>);

impl Read for Tables {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(&table).and_then(|map| map.entries.get(&Key::new(key))).cloned())
    }

    fn range(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        Ok(self.0.get(&table).map_or_else(Vec::new, |map| map.range(&Key::new(from), limit)))
    }
}

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore(RwLock<Tables>);

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> RwLockReadGuard<'_, Tables> {
        // A commit cannot panic half way, so a poisoned lock still guards whole tables.
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for MemoryStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.tables().get(table, key)
    }

    fn range(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.tables().range(table, from, limit)
    }
}

impl Store for MemoryStore {
    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut tables = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (table, writes) in batch.unordered() {
            let map = Arc::make_mut(tables.0.entry(table).or_default());
            for (key, value) in writes {
                map.write(key, value.as_ref());
            }
        }
        Ok(())
    }

    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        // A copy of the handles, not of the data.
        Ok(Box::new(self.tables().clone()))
    }
}
