//! The directory of a chain: what stands where, and how it is founded and opened.
//!
//! | name | what |
//! |---|---|
//! | `chain.toml` | the specification |
//! | `store` | blocks, state, indexes: held by one writer, read by any number beside it |
//! | `keys` | key files |
//! | `inbox` | transactions that other processes drop for the writer |
//! | `blobs` | ciphertexts by hash |

use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use crate::engine::nodes::NodeKernel;
use crate::engine::pool::{Pool, PoolError};
use crate::ledger::chain::Ledger;
use crate::ledger::signature::PubKey;
use crate::ledger::spec::{FILE_BYTES_MAX, FileError, Spec};
use crate::ledger::store::{DiskReader, DiskStore, Inbox, StoreError};
use crate::ledger::transaction::Transaction;

const SPEC_FILE: &str = "chain.toml";
const STORE_DIR: &str = "store";
/// Transactions of the inbox that are looked at together.
pub const INBOX_READ: usize = 4096;
/// Bytes of the store that are kept in memory.
const CACHE_BYTES: usize = 256 << 20;

/// A directory that holds, or may hold, a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainDir(PathBuf);

/// Why a directory is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirError {
    /// There is no chain in it.
    #[error("{0} holds no chain: found one with `proofward init`")]
    NoChain(PathBuf),
    /// There is one already.
    #[error("{0} holds a chain already")]
    Exists(PathBuf),
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The specification is none.
    #[error("{path}: {error}")]
    Spec {
        /// Its file.
        path: PathBuf,
        /// Why.
        error: FileError,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No threads.
    #[error(transparent)]
    Pool(#[from] PoolError),
}

impl ChainDir {
    /// A directory, which need not exist yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether a chain has been founded in it.
    #[must_use]
    pub fn holds_chain(&self) -> bool {
        self.spec_path().exists()
    }

    /// Founds a chain: the store first, then the specification, so that a directory with a
    /// specification always has a store.
    ///
    /// # Errors
    ///
    /// If there is a chain already, or the disk refuses.
    pub fn found(&self, spec: Spec, threads: NonZeroUsize) -> Result<Ledger<DiskStore>, DirError> {
        if self.holds_chain() {
            return Err(DirError::Exists(self.0.clone()));
        }
        fs::create_dir_all(&self.0).map_err(|error| self.io(&self.0, error))?;
        let store_dir = self.0.join(STORE_DIR);
        let store = match DiskStore::create(&store_dir, CACHE_BYTES) {
            // Founding was cut short before the specification was written: nothing is in it.
            Err(StoreError::Exists { .. }) => {
                fs::remove_dir_all(&store_dir).map_err(|error| self.io(&store_dir, error))?;
                DiskStore::create(&store_dir, CACHE_BYTES)?
            }
            created => created?,
        };
        let text = spec.to_toml();
        let ledger = Ledger::create(store, spec, NodeKernel::best(), Pool::new(threads)?)?;
        let (path, new) = (self.spec_path(), self.0.join("chain.toml.new"));
        fs::write(&new, text).map_err(|error| self.io(&new, error))?;
        fs::rename(&new, &path).map_err(|error| self.io(&path, error))?;
        Ok(ledger)
    }

    /// The specification.
    ///
    /// # Errors
    ///
    /// If there is none or it cannot be read.
    pub fn spec(&self) -> Result<Spec, DirError> {
        let path = self.spec_path();
        if !path.exists() {
            return Err(DirError::NoChain(self.0.clone()));
        }
        Self::spec_file(&path)
    }

    /// The specification in a chain file.
    ///
    /// # Errors
    ///
    /// If it cannot be read or is none.
    pub fn spec_file(path: &Path) -> Result<Spec, DirError> {
        let failed = |error| DirError::Io { path: path.into(), error };
        let bytes = fs::metadata(path).map_err(failed)?.len();
        let spec = |error| DirError::Spec { path: path.into(), error };
        match usize::try_from(bytes) {
            Ok(bytes) if bytes <= FILE_BYTES_MAX => {}
            _ => {
                return Err(spec(FileError::TooLarge(
                    usize::try_from(bytes).unwrap_or(usize::MAX),
                )));
            }
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        Spec::from_toml(&text).map_err(spec)
    }

    /// Opens the chain as its one writer.
    ///
    /// # Errors
    ///
    /// If there is no chain, another process holds it, or the disk refuses.
    pub fn open(&self, threads: NonZeroUsize) -> Result<Ledger<DiskStore>, DirError> {
        let spec = self.spec()?;
        let store = DiskStore::open(&self.0.join(STORE_DIR), CACHE_BYTES)?;
        Ok(Ledger::open(store, spec, NodeKernel::best(), Pool::new(threads)?)?)
    }

    /// Opens the store for reading, also beside a writer.
    ///
    /// # Errors
    ///
    /// If there is no chain or it cannot be read.
    pub fn read(&self) -> Result<(Spec, DiskReader), DirError> {
        let spec = self.spec()?;
        Ok((spec, DiskReader::open(&self.0.join(STORE_DIR), CACHE_BYTES)?))
    }

    /// Where other processes leave transactions for the writer.
    ///
    /// # Errors
    ///
    /// If it cannot be created.
    pub fn inbox(&self) -> Result<Inbox, DirError> {
        Ok(Inbox::open(&self.0)?)
    }

    /// How many transactions of a payer wait in the inbox: the next one takes a nonce above theirs.
    ///
    /// # Errors
    ///
    /// If the inbox cannot be read.
    pub fn waiting_of(&self, payer: &PubKey) -> Result<u64, DirError> {
        let waiting = self.inbox()?.waiting(INBOX_READ)?;
        let transactions =
            waiting.iter().filter_map(|waiting| Transaction::decode(&waiting.bytes).ok());
        Ok(transactions.filter(|transaction| transaction.payer == *payer).count() as u64)
    }

    fn spec_path(&self) -> PathBuf {
        self.0.join(SPEC_FILE)
    }

    #[expect(clippy::unused_self, reason = "reads like the calls around it")]
    fn io(&self, path: &Path, error: io::Error) -> DirError {
        DirError::Io { path: path.into(), error }
    }
}
