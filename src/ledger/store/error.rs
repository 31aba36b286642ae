//! Why a store refuses. An error is a value to compare and to print; it never holds what it failed on.

use std::io;

use super::Table;

/// Why a store could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk or the quota is full. The store is poisoned; what was committed stands.
    #[error("the disk is full: free some space, then open the store again")]
    Full,
    /// The disk failed. The store is poisoned; what was committed stands.
    #[error("{text}")]
    Io {
        /// The kind of failure.
        kind: io::ErrorKind,
        /// What the system said.
        text: String,
    },
    /// A value is not the one that was stored under its key.
    #[error("the value under key {} of table {table} fails its checksum", hex::encode(key))]
    CorruptValue {
        /// The table.
        table: Table,
        /// The key in that table.
        key: Vec<u8>,
    },
    /// The file of the store is damaged beyond one value.
    #[error("the store is damaged: {what}")]
    Corrupt {
        /// What was found.
        what: String,
    },
    /// The store was written in another format.
    #[error("the store has format version {found}, this program reads version {expected}")]
    WrongVersion {
        /// The version in the store.
        found: u32,
        /// The version of this program.
        expected: u32,
    },
    /// Another process, or another handle of this one, holds the store.
    #[error("another process holds the store: stop it, or only read")]
    Locked,
    /// There is no store, or something else stands in its place.
    #[error("{what} is not a store")]
    NotAStore {
        /// The path that was tried.
        what: String,
    },
    /// A store is there already.
    #[error("{what} already holds a store")]
    Exists {
        /// The path that was tried.
        what: String,
    },
    /// A snapshot is still held where none may be.
    #[error("a snapshot of the store is still held")]
    InUse,
    /// A key and its value are longer than the store can hold.
    #[error("a key and its value have {bytes} bytes, more than the store can hold")]
    TooLarge {
        /// Their length.
        bytes: usize,
    },
    /// An earlier write failed, so what is in memory may not be what is on disk.
    #[error("an earlier write failed: open the store again")]
    Poisoned,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// The error for an input or output that failed while the store did `what`.
    pub(super) fn io(what: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            kind => Self::Io { kind, text: format!("{what}: {error}") },
        }
    }
}
