//! Writes before they are durable: [`Batch`] collects them, [`Overlay`] reads through them. Nothing here
//! touches a disk.

use std::array;
use std::fmt;
use std::sync::Arc;

use super::{Entry, Read, StoreError, Table};
use crate::ledger::bytes::Bytes;
use crate::ledger::map::LongKeyMap;

/// What is written to one table: a value to store, or nothing for a key to delete.
/// Hashed, because applying a block looks up more than anything else does; what walks through it sorts.
pub(super) type Writes = LongKeyMap<Bytes, Option<Bytes>>;

/// The same by key.
pub(super) type Sorted<'a> = Vec<(&'a Bytes, Option<&'a [u8]>)>;

/// A set of writes that is applied all or not at all. The last write to a key wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// By the number of the table: every read through a view begins here.
    writes: [Writes; Table::NUMBERS],
    /// Invariant: the number of keys in `writes`.
    len: usize,
    /// Invariant: the bytes of keys and values in `writes`.
    bytes: usize,
}

impl Default for Batch {
    fn default() -> Self {
        Self { writes: array::from_fn(|_| Writes::default()), len: 0, bytes: 0 }
    }
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stores `value` under `key`.
    pub fn put(&mut self, table: Table, key: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.write(table, key.into(), Some(value.into()));
    }

    /// Removes `key`, if it is there.
    pub fn delete(&mut self, table: Table, key: impl Into<Bytes>) {
        self.write(table, key.into(), None);
    }

    /// Adds every write of `later`, which win over the ones here.
    pub fn append(&mut self, later: Self) {
        for (number, writes) in later.writes.into_iter().enumerate() {
            for (key, value) in writes {
                self.write_to(number, key, value);
            }
        }
    }

    /// Makes room for so many more writes to a table at once.
    pub fn reserve(&mut self, table: Table, additional: usize) {
        self.writes[table.index()].reserve(additional);
    }

    fn write(&mut self, table: Table, key: Bytes, value: Option<Bytes>) {
        self.write_to(table.index(), key, value);
    }

    fn write_to(&mut self, table: usize, key: Bytes, value: Option<Bytes>) {
        let value_bytes = |value: &Option<Bytes>| value.as_ref().map_or(0, |value| value.len());
        let key_bytes = key.len();
        self.bytes += value_bytes(&value);
        match self.writes[table].insert(key, value) {
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
        self.find(table, key).map(|value| value.map(|value| &**value))
    }

    fn find(&self, table: Table, key: &[u8]) -> Option<Option<&Bytes>> {
        self.writes[table.index()].get(key).map(Option::as_ref)
    }

    /// Every write, by table number, then by key; a deletion has no value.
    pub fn iter(&self) -> impl Iterator<Item = (Table, &[u8], Option<&[u8]>)> {
        self.tables().flat_map(|(table, writes)| {
            writes.into_iter().map(move |(key, value)| (table, &**key, value))
        })
    }

    /// The writes of each table that has any, by number, then by key.
    pub(super) fn tables(&self) -> impl Iterator<Item = (Table, Sorted<'_>)> {
        self.unordered().map(|(table, writes)| {
            let mut sorted: Vec<_> =
                writes.iter().map(|(key, value)| (key, value.as_deref())).collect();
            sorted.sort_unstable_by_key(|(key, _)| *key);
            (table, sorted)
        })
    }

    /// The writes of each table that has any, by number, in no order.
    pub(super) fn unordered(&self) -> impl Iterator<Item = (Table, &Writes)> {
        let tables = Table::ALL.iter().map(|table| (*table, &self.writes[table.index()]));
        tables.filter(|(_, writes)| !writes.is_empty())
    }

    /// The writes of one table from key `from` on, by key.
    fn range(&self, table: Table, from: &[u8]) -> Vec<(&[u8], Option<&[u8]>)> {
        let writes = self.writes[table.index()].iter();
        let mut range: Vec<_> = writes
            .map(|(key, value)| (&**key, value.as_deref()))
            .filter(|(key, _)| *key >= from)
            .collect();
        range.sort_unstable();
        range
    }

    /// What a table holds from key `from` on after these writes to it: `base` gives what it held before.
    fn merged(
        &self,
        table: Table,
        from: &[u8],
        limit: usize,
        base: impl Fn(&[u8], usize) -> Result<Vec<Entry>, StoreError>,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut written = self.range(table, from).into_iter().peekable();
        let mut merged: Vec<Entry> = Vec::new();
        let mut from = from.to_vec();
        while merged.len() < limit {
            let wanted = limit - merged.len();
            let page = base(&from, wanted)?;
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
    /// Writes that are on their way to the base: it shows all of them or none.
    parting: Option<Arc<Batch>>,
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
        Self { base, parting: None, batch }
    }

    /// Stores `value` under `key` in this view.
    pub fn put(&mut self, table: Table, key: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.batch.put(table, key, value);
    }

    /// Removes `key` from this view.
    pub fn delete(&mut self, table: Table, key: impl Into<Bytes>) {
        self.batch.delete(table, key);
    }

    /// [`Batch::reserve`].
    pub fn reserve(&mut self, table: Table, additional: usize) {
        self.batch.reserve(table, additional);
    }

    /// Adds every write of `later`, which win over the ones here.
    pub fn append(&mut self, later: Batch) {
        self.batch.append(later);
    }

    /// The writes so far, without those that have [parted](Self::part).
    #[must_use]
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Gives the writes to be committed to the store below while the view is read and written on: it
    /// shows them until the next ones part, so these have to be committed by then.
    pub fn part(&mut self) -> Arc<Batch> {
        let parting = Arc::new(std::mem::take(&mut self.batch));
        self.parting = Some(Arc::clone(&parting));
        parting
    }

    /// The writes that have not parted, to be committed to the store below or appended to the view
    /// below.
    #[must_use]
    pub fn into_batch(self) -> Batch {
        self.batch
    }
}

impl Read for Overlay<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.value(table, key)?.map(|value| value.to_vec()))
    }

    fn value(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let parting = || self.parting.as_ref()?.find(table, key);
        match self.batch.find(table, key).or_else(parting) {
            Some(written) => Ok(written.cloned()),
            None => self.base.value(table, key),
        }
    }

    fn range(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        let base = |from: &[u8], limit| self.base.range(table, from, limit);
        match &self.parting {
            None => self.batch.merged(table, from, limit, base),
            Some(parting) => self
                .batch
                .merged(table, from, limit, |from, limit| parting.merged(table, from, limit, base)),
        }
    }
}

impl fmt::Debug for Overlay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overlay").field("batch", &self.batch).finish_non_exhaustive()
    }
}
