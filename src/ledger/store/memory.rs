//! A store in memory with the contract of the one on disk: for tests and simulation. It forgets
//! everything when it is dropped.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use super::{Batch, Entry, Read, Snapshot, Store, StoreError, Table};

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// The tables at one commit: shared with snapshots, copied where a commit writes while one lives.
#[derive(Debug, Clone, Default)]
struct Tables(BTreeMap<Table, Arc<Map>>);

impl Read for Tables {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(&table).and_then(|map| map.get(key)).cloned())
    }

    fn range(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        let Some(map) = self.0.get(&table) else { return Ok(Vec::new()) };
        let bounds = (Bound::Included(from), Bound::Unbounded);
        let entries = map.range::<[u8], _>(bounds).take(limit);
        Ok(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
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

    /// A copy of the handles, not of the data.
    fn tables(&self) -> Tables {
        // A commit cannot panic half way, so a poisoned lock still guards whole tables.
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
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
        for (table, key, value) in batch.iter() {
            let map = Arc::make_mut(tables.0.entry(table).or_default());
            match value {
                Some(value) => drop(map.insert(key.to_vec(), value.to_vec())),
                None => drop(map.remove(key)),
            }
        }
        Ok(())
    }

    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(Box::new(self.tables()))
    }
}
