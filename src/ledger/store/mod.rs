//! The store: numbered tables of bytes, written in batches that are durable or not there at all.
//!
//! It knows nothing of blocks: what keys and values mean is decided by the ledger above it. Numbers in
//! keys are big-endian there, so that the order of bytes is the order of numbers.
//!
//! # One writer, many readers
//!
//! A [`DiskStore`] is the one writer of its directory; a second is refused with [`StoreError::Locked`].
//! A [`DiskReader`] reads beside it, in the same process or another, from one commit at a time. Locks
//! are the operating system's, so a process that is killed holds none. A snapshot keeps the pages that
//! it shows from being used again: the file grows while one is held. A reader that is *stopped* (not
//! killed) in the few instructions in which it registers a snapshot holds up the writer's next commit.
//!
//! # Failure
//!
//! After a write has failed, whatever the reason, the store answers [`StoreError::Poisoned`] until it is
//! opened again; a failed sync is never retried. It opens at the failed commit or the one before it.
//!
//! # Format, version 1
//!
//! ```text
//! DIR/
//!   chain.redb              the tables: a redb file, format 3
//!   chain.redb.new          the same while it is founded; renamed when it is whole
//!   inbox/<hex 32>.tx       a transaction as it was left; named by tagged("inbox", bytes)
//!   blobs/<hex 1>/<hex 32>  a blob; named by tagged("blob", bytes)
//!   **/*.part               a file that was never finished
//! ```
//!
//! A table of the ledger is a redb table of byte strings to byte strings, named by its number in decimal
//! (see [`Table`]). A value is stored as
//!
//! ```text
//! checksum [8] || value        checksum = the first 8 bytes of
//!                              tagged("store", table u8 || key length u32 LE || key || value)
//! ```
//!
//! with `tagged` as in [`hash::tagged`](crate::hash::tagged). Table "0" is the store's own; its only key
//! is `format`, whose value, stored in the same way, is the version as u32 LE. A table that is missing is
//! empty.
//!
//! | version | since | what changed |
//! |---|---|---|
//! | 1 | 0.1.0 | the first |

mod batch;
mod blobs;
mod contain;
mod disk;
mod error;
mod fault;
mod file;
mod inbox;
mod memory;
mod scrub;
mod seal;
mod table;

use std::sync::Arc;

use crate::ledger::bytes::Bytes;

pub use batch::{Batch, Overlay};
pub use blobs::{BLOB_BYTES_MAX, BlobError, Blobs};
pub use contain::silence_contained_panics;
pub use disk::{CACHE_BYTES_DEFAULT, DiskReader, DiskStore};
pub use error::StoreError;
pub use fault::{DiskCall, Fault, FaultyDisk};
pub use file::WholeFile;
pub use inbox::{
    INBOX_BYTES_MAX, INBOX_COUNT_MAX, INBOX_TRANSACTION_BYTES_MAX, Inbox, InboxError, Waiting,
};
pub use memory::MemoryStore;
/// What [`DiskStore::open_on`] asks of a disk.
pub use redb::{BackendError, StorageBackend};
pub use scrub::{Damage, ScrubCursor, ScrubStep, scrub_step};
pub use table::Table;

/// The version of the format on disk; its history is in the documentation of this module.
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

    /// [`get`](Self::get) for many: what is held in memory is shared, not copied.
    ///
    /// # Errors
    ///
    /// As [`Read::get`].
    fn value(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(self.get(table, key)?.map(Bytes::from))
    }

    /// The value under `key` whether or not it passes its checksum: only to say what is wrong with it.
    ///
    /// # Errors
    ///
    /// As [`Read::get`], but for [`StoreError::CorruptValue`].
    fn get_unchecked(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(table, key)
    }

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

    fn value(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        (**self).value(table, key)
    }

    fn get_unchecked(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).get_unchecked(table, key)
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
