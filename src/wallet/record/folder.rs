//! The folder of records: `<dir>/records/<name>.json`, folder mode 0700, files 0600.

use std::io;
use std::path::{Path, PathBuf};

use super::KeptRecord;
use super::wire::{RECORD_FILE_BYTES_MAX, RecordFileError, parse, to_text};
use crate::wallet::KeyName;
use crate::wallet::private_file::{self, Over, Refused};

const EXTENSION: &str = "json";

/// What a record is called on this machine: as keys are.
pub type RecordName = KeyName;

/// Why a record cannot be read or kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A record of this name exists; nothing was written.
    #[error("{} exists: give the record another name", path.display())]
    Exists {
        /// Its file.
        path: PathBuf,
    },
    /// No record of this name.
    #[error("no record {name} in {}: `proofward record list`", dir.display())]
    Missing {
        /// The name.
        name: RecordName,
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// Others on this machine can read the file, which holds a key.
    #[error("{} holds a key and has mode {mode:o}: chmod 600 it", path.display())]
    Exposed {
        /// Its file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a record file.
    #[error("{}: {error}", path.display())]
    File {
        /// Its file.
        path: PathBuf,
        /// Why.
        error: RecordFileError,
    },
    /// The system refused.
    #[error("{}: {error}", path.display())]
    System {
        /// What it was asked for.
        path: PathBuf,
        /// What it said.
        error: String,
    },
}

/// The records below one directory.
#[derive(Debug, Clone)]
pub struct RecordFolder {
    dir: PathBuf,
}

impl RecordFolder {
    /// The records in `<dir>/records`. Nothing is read or created yet.
    #[must_use]
    pub fn in_dir(dir: &Path) -> Self {
        Self { dir: dir.join("records") }
    }

    /// Where a record of this name is kept.
    #[must_use]
    pub fn path(&self, name: &RecordName) -> PathBuf {
        self.dir.join(file_name(name))
    }

    /// Keeps a new record.
    ///
    /// # Errors
    ///
    /// `Exists`, or what the system said; then nothing of this name was created.
    pub fn create(&self, name: &RecordName, record: &KeptRecord) -> Result<PathBuf, RecordError> {
        self.write(name, record, Over::Nothing)
    }

    /// Keeps a record in the place of what was kept under its name.
    ///
    /// # Errors
    ///
    /// What the system said; then the old file stands.
    pub fn replace(&self, name: &RecordName, record: &KeptRecord) -> Result<PathBuf, RecordError> {
        self.write(name, record, Over::Old)
    }

    /// Reads the record of this name.
    ///
    /// # Errors
    ///
    /// `Missing`, `Exposed`, `File`, `System`.
    pub fn read(&self, name: &RecordName) -> Result<KeptRecord, RecordError> {
        let path = self.path(name);
        let found = private_file::read(&path, RECORD_FILE_BYTES_MAX);
        let found = found.map_err(|refused| match refused.kind {
            io::ErrorKind::NotFound => {
                RecordError::Missing { name: name.clone(), dir: self.dir.clone() }
            }
            _ => refused.into(),
        })?;
        if let Some(mode) = found.exposed_mode() {
            return Err(RecordError::Exposed { path, mode });
        }
        parse(&found.bytes).map_err(|error| RecordError::File { path, error })
    }

    /// The names of all records, in order; other files are passed over.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read; a missing one is empty.
    pub fn list(&self) -> Result<Vec<RecordName>, RecordError> {
        let stems = private_file::stems(&self.dir, EXTENSION)?.into_iter();
        Ok(stems.filter_map(|stem| stem.parse().ok()).collect())
    }

    fn write(
        &self,
        name: &RecordName,
        record: &KeptRecord,
        over: Over,
    ) -> Result<PathBuf, RecordError> {
        let text = to_text(record);
        let written = private_file::write(&self.dir, &file_name(name), text.as_bytes(), over);
        written.map_err(|refused| match refused.kind {
            io::ErrorKind::AlreadyExists => RecordError::Exists { path: refused.path },
            _ => refused.into(),
        })
    }
}

impl From<Refused> for RecordError {
    fn from(Refused { path, error, .. }: Refused) -> Self {
        Self::System { path, error }
    }
}

fn file_name(name: &RecordName) -> String {
    format!("{name}.{EXTENSION}")
}
