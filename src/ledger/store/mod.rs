//! The store: numbered tables of bytes, written in batches that are durable or not there at all.
//!
//! It knows nothing of blocks: what keys and values mean is decided by the ledger above it. Numbers in
//! keys are big-endian there, so that the order of bytes is the order of numbers.

mod batch;
mod disk;
mod error;
mod fault;
mod file;
mod memory;
mod seal;
mod table;

use std::sync::Arc;

pub use batch::{Batch, Overlay};
pub use disk::{CACHE_BYTES_DEFAULT, DiskReader, DiskStore};
pub use error::StoreError;
pub use fault::{DiskCall, Fault, FaultyDisk};
pub use memory::MemoryStore;
pub use table::Table;

/// The version of the format on disk.
pub const FORMAT_VERSION: u32 = 1;

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// The committed state at one moment, which later commits do not change. It owns what it needs; a
/// store keeps the space of what it still shows, so it should not be held for long.
pub type Snapshot = Box<dyn Read>;

/// Read access to committed state.
///
/// A [`Snapshot`] answers from one commit for as long as it lives; a [`Store`] answers each call from
/// the newest.
pub trait Read: Send + Sync {
    /// The value under `key`.
    ///
    /// # Errors
    ///
    /// [`StoreError::CorruptValue`] if the stored value fails its checksum; see [`StoreError`].
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The entries in ascending byte order of keys from `from` on (inclusive), at most `limit`.
    ///
    /// # Errors
    ///
    /// As [`Read::get`]: the first value in the range that fails its checksum ends the call.
    fn range(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError>;
}

impl<R: Read + ?Sized> Read for Arc<R> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).get(table, key)
    }

    fn range(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        (**self).range(table, from, limit)
    }
}

/// One writer and any number of readers over committed state.
pub trait Store: Read {
    /// Applies every write of `batch`, or none. When it returns `Ok` the writes survive a crash.
    ///
    /// # Errors
    ///
    /// [`StoreError::Full`] and [`StoreError::Io`] if the disk refuses; the store is poisoned from then
    /// on, and opens again at a committed state: this batch's, or the one before it.
    fn commit(&self, batch: &Batch) -> Result<(), StoreError>;

    /// The newest committed state.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    fn snapshot(&self) -> Result<Snapshot, StoreError>;
}
