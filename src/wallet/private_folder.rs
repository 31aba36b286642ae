//! A folder of one person's files of one kind, each about one request and named by its core id: mode
//! 0700, files 0600, in the text form of [`super::handout`].

use std::fs;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::handout::{self, HANDOUT_BYTES_MAX, Handout, HandoutError};
use super::private_file::{self, Over, Refused};
use crate::ledger::transaction::CoreId;
use crate::primitives::BlockHash;

const EXTENSION: &str = "json";

/// Files of one kind.
#[derive(Debug, Clone)]
pub struct PrivateFolder<T> {
    dir: PathBuf,
    kind: PhantomData<T>,
}

/// Why a file is not kept or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// Others may read it.
    #[error("{} is private and has mode {mode:o}: chmod 600 it", path.display())]
    Exposed {
        /// Its path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is none of this kind.
    #[error("{}: {error}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// Why.
        error: HandoutError,
    },
    /// It is of another chain.
    #[error("{} is for the chain with genesis {genesis}", path.display())]
    OtherChain {
        /// Its path.
        path: PathBuf,
        /// Which chain.
        genesis: BlockHash,
    },
    /// The system refused.
    #[error("{}: {error}", path.display())]
    System {
        /// Where.
        path: PathBuf,
        /// What it said.
        error: String,
    },
}

impl<T: Handout> PrivateFolder<T> {
    /// The files in a folder, which need not be there yet.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), kind: PhantomData }
    }

    /// Where the file about a request stands, or would.
    #[must_use]
    pub fn path(&self, request: CoreId) -> PathBuf {
        self.dir.join(file_name(request))
    }

    /// Keeps a value; an older one about the same request goes.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn keep(
        &self,
        genesis: &BlockHash,
        request: CoreId,
        value: &T,
    ) -> Result<PathBuf, FolderError> {
        let text = Zeroizing::new(handout::to_text(genesis, value));
        let name = file_name(request);
        Ok(private_file::write(&self.dir, &name, text.as_bytes(), Over::Old)?)
    }

    /// What is kept about a request.
    ///
    /// # Errors
    ///
    /// A file that others may read, or that is none of this kind and chain.
    pub fn read(&self, genesis: &BlockHash, request: CoreId) -> Result<Option<T>, FolderError> {
        let path = self.path(request);
        let found = match private_file::read(&path, HANDOUT_BYTES_MAX) {
            Ok(found) => found,
            Err(refused) if refused.kind == io::ErrorKind::NotFound => return Ok(None),
            Err(refused) => return Err(refused.into()),
        };
        if let Some(mode) = found.exposed_mode() {
            return Err(FolderError::Exposed { path, mode });
        }
        match handout::parse(&found.bytes) {
            Ok((found, value)) if found == *genesis => Ok(Some(value)),
            Ok((genesis, _)) => Err(FolderError::OtherChain { path, genesis }),
            Err(error) => Err(FolderError::File { path, error }),
        }
    }

    /// The requests about which something is kept.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn list(&self) -> Result<Vec<CoreId>, FolderError> {
        let stems = private_file::stems(&self.dir, EXTENSION)?.into_iter();
        Ok(stems.filter_map(|stem| stem.parse().ok()).collect())
    }

    /// Removes what is kept about a request.
    ///
    /// # Errors
    ///
    /// What the system says; it is no error if it is gone.
    pub fn remove(&self, request: CoreId) -> Result<(), FolderError> {
        let path = self.path(request);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(FolderError::System { path, error: error.to_string() })
            }
            _ => Ok(()),
        }
    }
}

impl From<Refused> for FolderError {
    fn from(Refused { path, error, .. }: Refused) -> Self {
        Self::System { path, error }
    }
}

fn file_name(request: CoreId) -> String {
    format!("{request}.{EXTENSION}")
}
