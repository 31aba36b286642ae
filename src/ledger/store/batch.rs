//! Writes before they are durable: [`Batch`] collects them, [`Overlay`] reads through them. Nothing here
//! touches a disk.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::key::Key;
use super::{Entry, Read, StoreError, Table};

/// What is written to one table: a value to store, or nothing for a key to delete.
/// Hashed, because applying a block looks up more than anything else does; what walks through it sorts.
pub(super) type Writes = HashMap<Key, Option<Vec<u8>>>;

/// The same by key.
pub(super) type Sorted<'a> = Vec<(&'a Key, Option<&'a [u8]>)>;

/// A set of writes that is applied all or not at all. The last write to a key wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    writes: BTreeMap<Table, Writes>,
    /// Invariant: the number of keys in `writes`.
    len: usize,
    /// Invariant: the bytes of keys and values in `writes`.
    bytes: usize,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stores `value` under `key`.
    pub fn put(&mut self, table: Table, key: impl AsRef<[u8]>, value: impl Into<Vec<u8>>) {
        self.write(table, Key::new(key.as_ref()), Some(value.into()));
    }

    /// Removes `key`, if it is there.
    pub fn delete(&mut self, table: Table, key: impl AsRef<[u8]>) {
        self.write(table, Key::new(key.as_ref()), None);
    }

    /// Adds every write of `later`, which win over the ones here.
    pub fn append(&mut self, later: Self) {
        for (table, writes) in later.writes {
            for (key, value) in writes {
                self.write(table, key, value);
            }
        }
    }

    fn write(&mut self, table: Table, key: Key, value: Option<Vec<u8>>) {
        let value_bytes = |value: &Option<Vec<u8>>| value.as_ref().map_or(0, Vec::len);
        let key_bytes = key.as_bytes().len();
        self.bytes += value_bytes(&value);
        match self.writes.entry(table).or_default().insert(key, value) {
            Some(replaced) => self.bytes -= value_bytes(&replaced),
            None => {
                self.len += 1;
                self.bytes += key_bytes;
            }
        }
    }

    /// What the batch says about a key: nothing, a deletion (`Some(None)`) or a value.
    #[must_use]
    pub fn get(&self, table: Table, key: &[u8]) -> Option<Option<&[u8]>> {
        self.writes.get(&table)?.get(&Key::new(key)).map(Option::as_deref)
    }

    /// Every write, by table number, then by key; a deletion has no value.
    pub fn iter(&self) -> impl Iterator<Item = (Table, &[u8], Option<&[u8]>)> {
        self.tables().flat_map(|(table, writes)| {
            writes.into_iter().map(move |(key, value)| (table, key.as_bytes(), value))
        })
    }

    /// The writes of each table that has any, by number, then by key.
    pub(super) fn tables(&self) -> impl Iterator<Item = (Table, Sorted<'_>)> {
        self.writes.iter().map(|(table, writes)| {
            let mut sorted: Vec<_> =
                writes.iter().map(|(key, value)| (key, value.as_deref())).collect();
            sorted.sort_unstable_by_key(|(key, _)| *key);
            (*table, sorted)
        })
    }

    /// The writes of each table that has any, in no order.
    pub(super) fn unordered(&self) -> impl Iterator<Item = (Table, &Writes)> {
        self.writes.iter().map(|(table, writes)| (*table, writes))
    }

    /// The writes of one table from key `from` on, by key.
    fn range(&self, table: Table, from: &[u8]) -> Vec<(&[u8], Option<&[u8]>)> {
        let writes = self.writes.get(&table).into_iter().flatten();
        let mut range: Vec<_> = writes
            .map(|(key, value)| (key.as_bytes(), value.as_deref()))
            .filter(|(key, _)| *key >= from)
            .collect();
        range.sort_unstable();
        range
    }

    /// Whether nothing is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Keys written or deleted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes of keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// A view through uncommitted writes, so that many blocks can be applied in memory and committed once.
#[derive(Clone)]
pub struct Overlay<'a> {
    base: &'a dyn Read,
    batch: Batch,
}

impl<'a> Overlay<'a> {
    /// A view of `base` with nothing written.
    #[must_use]
    pub fn new(base: &'a dyn Read) -> Self {
        Self::with_batch(base, Batch::new())
    }

    /// A view of `base` through `batch`.
    #[must_use]
    pub fn with_batch(base: &'a dyn Read, batch: Batch) -> Self {
        Self { base, batch }
    }

    /// Stores `value` under `key` in this view.
    pub fn put(&mut self, table: Table, key: impl AsRef<[u8]>, value: impl Into<Vec<u8>>) {
        self.batch.put(table, key, value);
    }

    /// Removes `key` from this view.
    pub fn delete(&mut self, table: Table, key: impl AsRef<[u8]>) {
        self.batch.delete(table, key);
    }

    /// Adds every write of `later`, which win over the ones here.
    pub fn append(&mut self, later: Batch) {
        self.batch.append(later);
    }

    /// The writes so far.
    #[must_use]
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// The writes, to be committed to the store below or appended to the view below.
    #[must_use]
    pub fn into_batch(self) -> Batch {
        self.batch
    }
}

impl Read for Overlay<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.batch.get(table, key) {
            Some(written) => Ok(written.map(<[u8]>::to_vec)),
            None => self.base.get(table, key),
        }
    }

    fn range(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        let mut written = self.batch.range(table, from).into_iter().peekable();
        let mut merged: Vec<Entry> = Vec::new();
        let mut from = from.to_vec();
        while merged.len() < limit {
            let wanted = limit - merged.len();
            let page = self.base.range(table, &from, wanted)?;
            let is_last = page.len() < wanted;
            if let Some((key, _)) = page.last() {
                from.clone_from(key);
                from.push(0);
            }
            for (key, value) in page {
                while let Some((written_key, value)) = written.next_if(|(other, _)| **other < *key)
                {
                    merged.extend(value.map(|value| (written_key.to_vec(), value.to_vec())));
                }
                match written.next_if(|(other, _)| **other == *key) {
                    Some((_, replaced)) => {
                        merged.extend(replaced.map(|value| (key, value.to_vec())))
                    }
                    None => merged.push((key, value)),
                }
            }
            if is_last {
                let rest = written.filter_map(|(key, value)| Some((key.to_vec(), value?.to_vec())));
                merged.extend(rest.take(limit.saturating_sub(merged.len())));
                break;
            }
        }
        merged.truncate(limit);
        Ok(merged)
    }
}

impl fmt::Debug for Overlay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overlay").field("batch", &self.batch).finish_non_exhaustive()
    }
}
