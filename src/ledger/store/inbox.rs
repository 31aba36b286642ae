//! The inbox: a directory beside the store in which other processes leave transactions for the one that
//! writes it. The files of others are hostile: whatever stands there, reading it costs a bounded amount
//! and changes nothing else. Whether a transaction is valid is not decided here.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::StoreError;
use super::file::{create_inside, failed, is_part, read_bounded, remove_parts, write_whole};
use crate::hash::tagged::Tag;

/// Transactions that may wait.
pub const INBOX_COUNT_MAX: usize = 4_096;
/// Bytes of one transaction.
pub const INBOX_TRANSACTION_BYTES_MAX: usize = 32 << 10;
/// Bytes that may wait.
pub const INBOX_BYTES_MAX: u64 = 32 << 20;

const DIRECTORY: &str = "inbox";
const ENDING: &str = ".tx";
const NAME: Tag = Tag::new("inbox");

/// Why a transaction was not left in the inbox.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InboxError {
    /// As many wait as may.
    #[error(
        "the inbox is full: {count} transactions of {bytes} bytes wait for the process that mines"
    )]
    Full {
        /// Transactions that wait.
        count: usize,
        /// Their bytes.
        bytes: u64,
    },
    /// The transaction is empty or too long.
    #[error("a transaction has 1 to {INBOX_TRANSACTION_BYTES_MAX} bytes, this one has {0}")]
    Length(usize),
    /// The disk refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The inbox of a store's directory.
#[derive(Debug, Clone)]
pub struct Inbox {
    dir: PathBuf,
}

/// A transaction that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its bytes, as they were left.
    pub bytes: Vec<u8>,
    file: PathBuf,
}

impl Waiting {
    /// The name of its file, which follows from its bytes.
    #[must_use]
    pub fn name(&self) -> String {
        name_of(&self.bytes)
    }
}

impl Inbox {
    /// The inbox in the store's directory `dir`, which is created if it is missing.
    ///
    /// # Errors
    ///
    /// What the disk says.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Ok(Self { dir: create_inside(dir, DIRECTORY)? })
    }

    /// Leaves a transaction. It is durable when this returns; the same bytes wait only once.
    ///
    /// # Errors
    ///
    /// [`InboxError::Full`], [`InboxError::Length`], or what the disk says.
    pub fn leave(&self, transaction: &[u8]) -> Result<(), InboxError> {
        if !(1..=INBOX_TRANSACTION_BYTES_MAX).contains(&transaction.len()) {
            return Err(InboxError::Length(transaction.len()));
        }
        let name = name_of(transaction);
        // Two processes may each see room for one: the bound is for whoever drains, who has its own.
        let (mut count, mut bytes, mut is_there) = (0, transaction.len() as u64, false);
        for entry in self.entries()? {
            let entry = entry.map_err(|error| failed("reading", &self.dir, &error))?;
            is_there |= entry.file_name().to_str() == Some(&name);
            count += 1;
            bytes += entry.metadata().map_or(0, |metadata| metadata.len());
            if count >= INBOX_COUNT_MAX || bytes > INBOX_BYTES_MAX {
                return Err(InboxError::Full { count, bytes: bytes - transaction.len() as u64 });
            }
        }
        if !is_there {
            write_whole(&self.dir, &name, transaction)?;
        }
        Ok(())
    }

    /// The transactions that wait, in the order of their names, at most `limit`. Whatever else stands in
    /// the inbox is removed if it can be: it would take the room of others for ever.
    ///
    /// A transaction waits until it is taken by [`take`](Self::take), so that none is lost between here
    /// and where it goes.
    ///
    /// # Errors
    ///
    /// What the disk says of the directory; a file that cannot be read is passed over.
    pub fn waiting(&self, limit: usize) -> Result<Vec<Waiting>, StoreError> {
        self.waiting_besides(limit, |_| false)
    }

    /// As [`waiting`](Self::waiting), but files that are `known` by their names are not read again.
    ///
    /// # Errors
    ///
    /// As [`waiting`](Self::waiting).
    pub fn waiting_besides(
        &self,
        limit: usize,
        known: impl Fn(&str) -> bool,
    ) -> Result<Vec<Waiting>, StoreError> {
        let mut files = Vec::new();
        // Who floods the directory itself is met with a bounded look at it.
        for entry in self.entries()?.take(2 * INBOX_COUNT_MAX) {
            let entry = entry.map_err(|error| failed("reading", &self.dir, &error))?;
            let name = entry.file_name();
            match name.to_str() {
                Some(name) if known(name) => {}
                Some(name) if name.ends_with(ENDING) => files.push(entry.path()),
                // Somebody may be writing it.
                Some(name) if is_part(name) => {}
                _ => remove(&entry.path()),
            }
        }
        files.sort();
        let mut waiting = Vec::new();
        for file in files {
            if waiting.len() >= limit {
                break;
            }
            match read_bounded(&file, INBOX_TRANSACTION_BYTES_MAX) {
                Ok(Some(bytes)) if file.ends_with(name_of(&bytes)) => {
                    waiting.push(Waiting { bytes, file });
                }
                Ok(_) => remove(&file),
                Err(_) => {}
            }
        }
        Ok(waiting)
    }

    /// How many transactions wait, and their bytes, without reading them.
    ///
    /// # Errors
    ///
    /// What the disk says of the directory.
    pub fn size(&self) -> Result<(usize, u64), StoreError> {
        let (mut count, mut bytes) = (0, 0_u64);
        for entry in self.entries()?.take(2 * INBOX_COUNT_MAX) {
            let entry = entry.map_err(|error| failed("reading", &self.dir, &error))?;
            if entry.file_name().to_str().is_some_and(|name| name.ends_with(ENDING)) {
                count += 1;
                bytes = bytes.saturating_add(entry.metadata().map_or(0, |metadata| metadata.len()));
            }
        }
        Ok((count, bytes))
    }

    /// Removes a transaction that has been accepted or refused.
    ///
    /// # Errors
    ///
    /// What the disk says; it is no error if it is gone.
    pub fn take(&self, waiting: &Waiting) -> Result<(), StoreError> {
        match fs::remove_file(&waiting.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("removing", &waiting.file, &error))
            }
            _ => Ok(()),
        }
    }

    /// Removes what processes left that died while they wrote: for whoever drains the inbox, once, when
    /// it starts.
    ///
    /// # Errors
    ///
    /// What the disk says.
    pub fn remove_parts(&self) -> Result<(), StoreError> {
        remove_parts(&self.dir)
    }

    fn entries(&self) -> Result<fs::ReadDir, StoreError> {
        fs::read_dir(&self.dir).map_err(|error| failed("reading", &self.dir, &error))
    }
}

/// The name says what the file holds, so that the same transaction waits once and a changed one is
/// known.
fn name_of(transaction: &[u8]) -> String {
    format!("{}{ENDING}", hex::encode(NAME.hash(transaction)))
}

/// Removes what should not be there; what cannot be removed stays, and is passed over.
fn remove(path: &Path) {
    let _ = fs::remove_file(path).or_else(|_| fs::remove_dir(path));
}
