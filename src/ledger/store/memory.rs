//! A store in memory with the contract of the one on disk: for tests and simulation. It forgets
//! everything when it is dropped.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use super::{Batch, Entry, Read, Snapshot, Store, StoreError, Table};
use crate::ledger::bytes::Bytes;
use crate::ledger::map::LongKeyMap;

/// One table. Hashed, because applying a block looks up more than anything else does.
#[derive(Debug, Clone, Default)]
struct Map {
    entries: LongKeyMap<Bytes, Bytes>,
    /// Its keys in order, once somebody has asked for a range since the last write.
    sorted: OnceLock<Vec<Bytes>>,
}

impl Map {
    fn write(&mut self, key: &Bytes, value: Option<&Bytes>) {
        self.sorted.take();
        match value {
            Some(value) => drop(self.entries.insert(key.clone(), value.clone())),
            None => drop(self.entries.remove(key)),
        }
    }

    fn range(&self, from: &Bytes, limit: usize) -> Vec<Entry> {
        let sorted = self.sorted.get_or_init(|| {
            let mut keys: Vec<_> = self.entries.keys().cloned().collect();
            keys.sort_unstable();
            keys
        });
        let first = sorted.partition_point(|key| key < from);
        let keys = sorted[first..].iter().take(limit);
        keys.map(|key| (key.to_vec(), self.entries[key].to_vec())).collect()
    }
}

/// The tables at one commit: shared with snapshots, copied where a commit writes while one lives.
#[derive(Debug, Clone, Default)]
struct Tables(BTreeMap<Table, Arc<Map>>);

impl Read for Tables {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.value(table, key)?.map(|value| value.to_vec()))
    }

    fn value(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(self.0.get(&table).and_then(|map| map.entries.get(key)).cloned())
    }

    fn range(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        Ok(self.0.get(&table).map_or_else(Vec::new, |map| map.range(&from.into(), limit)))
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

    fn value(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.tables().value(table, key)
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
