//! The store on disk, in one file of redb. The only file that knows redb; it knows nothing of blocks.
//!
//! What it asks of redb, and why:
//! - `ConcurrencyMode::SingleWriter`: one process writes, others read beside it at a consistent commit.
//! - `set_quick_repair` on every commit: the file opens after a crash without being walked.
//! - Immediate durability, which commits in two phases: pages are on disk before the header names them.
//! - No savepoints: what undoes a block is a record of the ledger.
//!
//! redb verifies its page checksums only when it repairs, so every value carries one of ours.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, Durability, ReadOnlyDatabase, ReadOnlyTable,
    ReadTransaction, ReadableDatabase as _, StorageBackend, TableDefinition, TableError,
};

use super::contain::contain;
use super::file::{FILE, FILE_NEW, failed, sync_directory};
use super::seal::{CHECKSUM_BYTES, seal, unseal, unseal_entry, unseal_unchecked};
use crate::ledger::bytes::Bytes;

use super::{Batch, Entry, FORMAT_VERSION, Read, Snapshot, Store, StoreError, Table};

/// Bytes of the file that are kept in memory, at most, unless the caller says otherwise. Half of them hold
/// what a commit has changed, and should hold all of a commit of an import: pages without room are written
/// at once and read again to be summed up.
pub const CACHE_BYTES_DEFAULT: usize = 192 << 20;

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;
type OpenTable = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// The store's own table: number 0, which no table of the ledger has.
const OWN_TABLE: u8 = 0;
const OWN: Definition = TableDefinition::new("0");
const FORMAT_KEY: &[u8] = b"format";

fn definition(table: Table) -> Definition {
    TableDefinition::new(table.file_name())
}

fn builder(cache_bytes: usize) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(cache_bytes).set_concurrency_mode(ConcurrencyMode::SingleWriter);
    builder
}

/// What redb says, in our words.
fn refused(error: impl Into<redb::Error>) -> StoreError {
    use redb::Error;
    match error.into() {
        Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => StoreError::Locked,
        Error::Io(error) => StoreError::io("reading or writing the store", &error),
        Error::TransactionInProgress => StoreError::InUse,
        Error::PreviousIo | Error::LockPoisoned(_) | Error::TransactionPoisoned => {
            StoreError::Poisoned
        }
        Error::DatabaseClosed => StoreError::Closed,
        Error::ValueTooLarge(bytes) => StoreError::TooLarge { bytes },
        Error::Corrupted(what) => StoreError::Corrupt { what },
        other => StoreError::Corrupt { what: other.to_string() },
    }
}

/// As [`refused`], when a file is opened: redb says "invalid data" for what is not a file of its own.
fn not_opened(path: &Path, error: DatabaseError) -> StoreError {
    match refused(error) {
        StoreError::Io { kind: io::ErrorKind::InvalidData | io::ErrorKind::NotFound, .. } => {
            StoreError::NotAStore { what: path.display().to_string() }
        }
        other => other,
    }
}

/// Every table at one commit.
#[derive(Default)]
struct View {
    /// By number; nothing for a table that this file does not have yet.
    tables: Vec<Option<OpenTable>>,
}

impl View {
    fn new(transaction: &ReadTransaction) -> Result<Self, StoreError> {
        let last = Table::ALL.last().map_or(0, |table| usize::from(table.number()));
        let mut tables: Vec<_> = (0..=last).map(|_| None).collect();
        for &table in Table::ALL {
            tables[usize::from(table.number())] = open(transaction, definition(table))?;
        }
        Ok(Self { tables })
    }

    /// The newest commit.
    fn of(database: &Database) -> Result<Self, StoreError> {
        Self::new(&database.begin_read().map_err(refused)?)
    }

    fn table(&self, table: Table) -> Option<&OpenTable> {
        self.tables.get(usize::from(table.number()))?.as_ref()
    }

    /// What `give` makes of the value under a key.
    fn found<T>(
        &self,
        table: Table,
        key: &[u8],
        give: impl FnOnce(&[u8]) -> T,
    ) -> Result<Option<T>, StoreError> {
        contain(|| {
            let Some(open) = self.table(table) else { return Ok(None) };
            let found = open.get(key).map_err(refused)?;
            found.map(|sealed| unseal_entry(table, key, sealed.value()).map(give)).transpose()
        })
    }
}

fn open(transaction: &ReadTransaction, table: Definition) -> Result<Option<OpenTable>, StoreError> {
    match transaction.open_table(table) {
        Ok(open) => Ok(Some(open)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(refused(error)),
    }
}

impl Read for View {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.found(table, key, <[u8]>::to_vec)
    }

    fn value(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.found(table, key, |value| value.into())
    }

    fn get_unchecked(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        contain(|| {
            let Some(open) = self.table(table) else { return Ok(None) };
            let found = open.get(key).map_err(refused)?;
            Ok(found.map(|sealed| unseal_unchecked(sealed.value()).to_vec()))
        })
    }

    fn range(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        contain(|| {
            let Some(open) = self.table(table) else { return Ok(Vec::new()) };
            let entries = open.range::<&[u8]>(from..).map_err(refused)?;
            let entry = |found: Result<_, redb::StorageError>| {
                let (key, sealed): (redb::AccessGuard<&[u8]>, redb::AccessGuard<&[u8]>) =
                    found.map_err(refused)?;
                let value = unseal_entry(table, key.value(), sealed.value())?;
                Ok((key.value().to_vec(), value.to_vec()))
            };
            entries.take(limit).map(entry).collect()
        })
    }
}

/// Refuses a file that is not a store of this format.
fn check_format(transaction: &ReadTransaction, what: &Path) -> Result<(), StoreError> {
    let not_a_store = || StoreError::NotAStore { what: what.display().to_string() };
    let own = open(transaction, OWN)?.ok_or_else(not_a_store)?;
    let record = own.get(FORMAT_KEY).map_err(refused)?.ok_or_else(not_a_store)?;
    let version = unseal(OWN_TABLE, FORMAT_KEY, record.value());
    let version = version.and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    match version.map(u32::from_le_bytes) {
        Some(FORMAT_VERSION) => Ok(()),
        Some(found) => Err(StoreError::WrongVersion { found, expected: FORMAT_VERSION }),
        None => Err(StoreError::Corrupt { what: "the format record fails its checksum".into() }),
    }
}

/// Whether a file was founded, whatever its format.
fn has_format(database: &Database) -> Result<bool, StoreError> {
    let transaction = database.begin_read().map_err(refused)?;
    let own = open(&transaction, OWN)?;
    Ok(own.is_some_and(|own| matches!(own.get(FORMAT_KEY), Ok(Some(_)))))
}

/// The first commit: every table, and the format.
fn found(database: &Database) -> Result<(), StoreError> {
    let transaction = begin_write(database)?;
    let mut record = [0; CHECKSUM_BYTES + size_of::<u32>()];
    seal(OWN_TABLE, FORMAT_KEY, &FORMAT_VERSION.to_le_bytes(), &mut record);
    let mut own = transaction.open_table(OWN).map_err(refused)?;
    own.insert(FORMAT_KEY, record.as_slice()).map_err(refused)?;
    drop(own);
    for &table in Table::ALL {
        transaction.open_table(definition(table)).map_err(refused)?;
    }
    transaction.commit().map_err(refused)
}

fn begin_write(database: &Database) -> Result<redb::WriteTransaction, StoreError> {
    let mut transaction = database.begin_write().map_err(refused)?;
    transaction.set_durability(Durability::Immediate).map_err(refused)?;
    transaction.set_quick_repair(true);
    Ok(transaction)
}

/// The one writer of a store on disk. It holds the directory until it is closed or dropped.
pub struct DiskStore {
    /// What a call reads that asks for no snapshot; replaced by every commit.
    newest: RwLock<Arc<View>>,
    /// Whether a write has failed.
    poisoned: AtomicBool,
    database: Database,
}

impl DiskStore {
    /// Founds a store in `dir`, which is created if it is missing. A crash before this returns leaves
    /// no store.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] if there is one, [`StoreError::Locked`] if another process founds it,
    /// or what the disk says.
    pub fn create(dir: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        let (path, new) = (dir.join(FILE), dir.join(FILE_NEW));
        let failed = |error| failed("creating", dir, &error);
        let exists = || StoreError::Exists { what: dir.display().to_string() };
        fs::create_dir_all(dir).map_err(failed)?;
        if path.exists() {
            return Err(exists());
        }
        // Founded under another name, so that what bears the store's name is always whole.
        let database = match contain(|| builder(cache_bytes).create(&new).map_err(refused)) {
            Err(StoreError::Locked) => return Err(StoreError::Locked),
            Ok(database) => database,
            // What a crash left of an earlier founding.
            Err(_) => {
                fs::remove_file(&new).map_err(failed)?;
                builder(cache_bytes).create(&new).map_err(refused)?
            }
        };
        if !contain(|| has_format(&database))? {
            found(&database)?;
        }
        // Whoever founded it in the meantime held the lock that this process holds now.
        if path.exists() {
            return Err(exists());
        }
        fs::rename(&new, &path).map_err(failed)?;
        sync_directory(dir)?;
        Self::over(database, &path)
    }

    /// Opens the store in `dir` for writing, also after a crash, in a time that does not grow with it.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotAStore`], [`StoreError::Locked`], [`StoreError::WrongVersion`],
    /// [`StoreError::Corrupt`], or what the disk says.
    pub fn open(dir: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        let opened = || builder(cache_bytes).open(&path).map_err(|error| not_opened(&path, error));
        Self::over(contain(opened)?, &path)
    }

    /// Founds a store on a disk of the caller's, such as a [`FaultyDisk`](super::FaultyDisk); opens it
    /// if it is there. The disk has to grant byte-range locks.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn create_on(disk: impl StorageBackend, cache_bytes: usize) -> Result<Self, StoreError> {
        let path = Path::new("the disk");
        let database = Self::database_on(disk, cache_bytes)?;
        if !contain(|| has_format(&database))? {
            contain(|| found(&database))?;
        }
        Self::over(database, path)
    }

    /// Opens the store on a disk of the caller's.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_on(disk: impl StorageBackend, cache_bytes: usize) -> Result<Self, StoreError> {
        Self::over(Self::database_on(disk, cache_bytes)?, Path::new("the disk"))
    }

    fn database_on(disk: impl StorageBackend, cache_bytes: usize) -> Result<Database, StoreError> {
        contain(|| {
            let opened = builder(cache_bytes).create_with_backend(disk);
            opened.map_err(|error| not_opened(Path::new("the disk"), error))
        })
    }

    fn over(database: Database, what: &Path) -> Result<Self, StoreError> {
        let newest = contain(|| {
            let transaction = database.begin_read().map_err(refused)?;
            check_format(&transaction, what)?;
            View::new(&transaction)
        });
        match newest {
            Ok(newest) => {
                let newest = RwLock::new(Arc::new(newest));
                Ok(Self { newest, poisoned: AtomicBool::new(false), database })
            }
            Err(error) => {
                if !matches!(error, StoreError::WrongVersion { .. }) {
                    // Closing commits, and a commit to a damaged file may end the process: see `contain`.
                    // So the handle and its lock stay until the process ends by itself.
                    std::mem::forget(database);
                }
                Err(error)
            }
        }
    }

    /// Releases the directory. Dropping the store does the same and ignores the error.
    ///
    /// # Errors
    ///
    /// What the disk says; every commit is durable all the same. Snapshots that are still held fail
    /// with [`StoreError::Closed`].
    pub fn close(self) -> Result<(), StoreError> {
        drop(self.newest);
        contain(|| self.database.close().map_err(refused))
    }

    /// Verifies redb's checksum of every page: the only way to find a page that was replaced by an older
    /// one of the same file. It reads the whole file.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if a page is not the one that was written; the store is poisoned then.
    /// [`StoreError::InUse`] while a snapshot is held.
    pub fn verify_pages(&mut self) -> Result<(), StoreError> {
        self.newest()?;
        // The check wants the file for itself.
        self.show(View::default());
        let sound = contain(|| self.database.check_integrity().map_err(refused));
        let shown = contain(|| View::of(&self.database)).map(|view| self.show(view));
        let verified = match sound {
            Ok(true) => shown,
            Ok(false) => Err(StoreError::Corrupt { what: "a page fails its checksum".into() }),
            Err(StoreError::InUse) => return shown.and(Err(StoreError::InUse)),
            Err(error) => Err(error),
        };
        if verified.is_err() {
            self.poisoned.store(true, Ordering::Release);
        }
        verified
    }

    fn show(&self, view: View) {
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
    }

    fn newest(&self) -> Result<Arc<View>, StoreError> {
        if self.poisoned.load(Ordering::Acquire) {
            return Err(StoreError::Poisoned);
        }
        Ok(Arc::clone(&self.newest.read().unwrap_or_else(PoisonError::into_inner)))
    }

    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let transaction = begin_write(&self.database)?;
        for (table, writes) in batch.tables() {
            let mut open = transaction.open_table(definition(table)).map_err(refused)?;
            for (key, value) in writes {
                let key: &[u8] = key;
                if let Some(value) = value {
                    let sealed_bytes = CHECKSUM_BYTES + value.len();
                    let mut place = open.insert_reserve(key, sealed_bytes).map_err(refused)?;
                    seal(table.number(), key, value, place.as_mut());
                } else {
                    open.remove(key).map_err(refused)?;
                }
            }
        }
        transaction.commit().map_err(refused)?;
        self.show(View::of(&self.database)?);
        Ok(())
    }
}

impl Read for DiskStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.newest()?.get(table, key)
    }

    fn value(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.newest()?.value(table, key)
    }

    fn get_unchecked(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.newest()?.get_unchecked(table, key)
    }

    fn range(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.newest()?.range(table, from, limit)
    }
}

impl Store for DiskStore {
    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        if self.poisoned.load(Ordering::Acquire) {
            return Err(StoreError::Poisoned);
        }
        if batch.is_empty() {
            return Ok(());
        }
        let committed = contain(|| self.write(batch));
        if committed.is_err() {
            self.poisoned.store(true, Ordering::Release);
        }
        committed
    }

    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(Box::new(self.newest()?))
    }
}

impl std::fmt::Debug for DiskStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DiskStore").field("poisoned", &self.poisoned).finish_non_exhaustive()
    }
}

/// A reader beside the writer of a store, in this process or another.
pub struct DiskReader {
    database: ReadOnlyDatabase,
}

impl DiskReader {
    /// Opens the store in `dir` for reading, whether or not somebody writes it.
    ///
    /// After a crash, and if nobody writes it since, the store is opened for writing and closed first,
    /// which makes it whole.
    ///
    /// # Errors
    ///
    /// As [`DiskStore::open`]; `Locked` only while somebody recovers it.
    pub fn open(dir: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        let open = || contain(|| Ok(builder(cache_bytes).open_read_only(&path)));
        let database = match open()? {
            Err(DatabaseError::RepairAborted) => {
                match DiskStore::open(dir, cache_bytes).and_then(DiskStore::close) {
                    // Somebody else is about to make it whole, or has.
                    Ok(()) | Err(StoreError::Locked) => open()?,
                    Err(error) => return Err(error),
                }
            }
            opened => opened,
        };
        let database = match database {
            Err(DatabaseError::RepairAborted) => return Err(StoreError::Locked),
            opened => opened.map_err(|error| not_opened(&path, error))?,
        };
        contain(|| check_format(&database.begin_read().map_err(refused)?, &path))?;
        Ok(Self { database })
    }

    /// The newest committed state.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        contain(|| {
            let transaction = self.database.begin_read().map_err(refused)?;
            Ok(Box::new(View::new(&transaction)?) as Snapshot)
        })
    }
}

impl Read for DiskReader {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.snapshot()?.get(table, key)
    }

    fn value(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.snapshot()?.value(table, key)
    }

    fn get_unchecked(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.snapshot()?.get_unchecked(table, key)
    }

    fn range(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.snapshot()?.range(table, from, limit)
    }
}

impl std::fmt::Debug for DiskReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DiskReader").finish_non_exhaustive()
    }
}
