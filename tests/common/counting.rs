//! A store in memory that counts what is read from it: what a step costs, without a clock.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use std::collections::BTreeMap;
use std::sync::RwLock;
use std::sync::atomic::{AtomicU64, Ordering};

use proofward::ledger::store::{Batch, Entry, Read, Snapshot, Store, StoreError, Table};

type Tables = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

#[derive(Debug, Default)]
pub(crate) struct CountingStore {
    tables: RwLock<Tables>,
    reads: AtomicU64,
}

impl CountingStore {
    /// Values asked for, found or not, and entries gone through.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    fn count(&self, reads: usize) {
        self.reads.fetch_add(reads as u64, Ordering::Relaxed);
    }
}

impl Read for CountingStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.count(1);
        Ok(self.tables.read().unwrap().get(&(table, key.to_vec())).cloned())
    }

    fn range(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        let tables = self.tables.read().unwrap();
        let entries =
            tables.range((table, from.to_vec())..).take_while(|((of, _), _)| *of == table);
        let page: Vec<_> =
            entries.take(limit).map(|((_, key), value)| (key.clone(), value.clone())).collect();
        self.count(1 + page.len());
        Ok(page)
    }
}

impl Store for CountingStore {
    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut tables = self.tables.write().unwrap();
        for (table, key, value) in batch.iter() {
            match value {
                Some(value) => drop(tables.insert((table, key.to_vec()), value.to_vec())),
                None => drop(tables.remove(&(table, key.to_vec()))),
            }
        }
        Ok(())
    }

    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let tables = RwLock::new(self.tables.read().unwrap().clone());
        Ok(Box::new(Self { tables, reads: AtomicU64::default() }))
    }
}
