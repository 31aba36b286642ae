//! The store on disk: opening it after its process was killed, whatever its size; a commit of one block and
//! look-ups beside it.
//!
//! `cargo bench --bench store` builds stores of 100,000 and of 1,000,000 transactions (a gigabyte of
//! temporary files, a minute or two) and prints medians beside the goals; `PROOFWARD_STORE_TRANSACTIONS`
//! (such as `1000,50000`) sets the sizes. Without `--bench` (under `cargo test`) small ones are built and
//! opened once.
#![expect(clippy::float_arithmetic, reason = "ratios for people")]

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use proofward::hash::sha256::sha256;
use proofward::ledger::store::{
    BackendError, Batch, CACHE_BYTES_DEFAULT, DiskReader, DiskStore, Read as _, StorageBackend,
    Store as _, Table,
};

const BLOCK_TRANSACTIONS: u32 = 100;
const TRANSACTION_BYTES: usize = 300;
/// Blocks in one write, as when blocks are imported.
const WRITE_BLOCKS: u32 = 100;
/// Entries of the state.
const ENTRIES: u32 = 50_000;
/// Look-ups behind one figure.
const GETS: u32 = 10_000;

/// What opening a store of the first size may take, and one of the second size in proportion to it.
const OPEN_MAX: Duration = Duration::from_millis(100);
const GROWTH_MAX: f64 = 1.2;

fn main() {
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let (sizes, rounds) = if is_measured { ("100000,1000000", 5) } else { ("1000,10000", 1) };
    let sizes = std::env::var("PROOFWARD_STORE_TRANSACTIONS").unwrap_or_else(|_| sizes.to_owned());
    let sizes = sizes.split(',').map(|size| size.parse().expect("numbers with commas between"));
    let mut stores: Vec<Built> = sizes.map(Built::new).collect();

    let mut opened = vec![Vec::new(); stores.len()];
    for _ in 0..rounds {
        for (store, opened) in stores.iter().zip(&mut opened) {
            opened.push(store.open());
        }
    }
    let opened: Vec<[Duration; 5]> = opened.into_iter().map(medians).collect();
    for (store, [killed, own, syncs, closed, reading]) in stores.iter_mut().zip(&opened) {
        let [commit, get] = medians((0..rounds).map(|_| store.use_once()).collect());
        println!("{} transactions, {} bytes:", store.transactions, store.bytes);
        println!(
            "  opened after a kill in {killed:.2?}, beside the disk's syncs in {own:.2?} (these took \
             {syncs:.2?}), after a close in {closed:.2?}, for reading in {reading:.2?}"
        );
        println!(
            "  a block of {BLOCK_TRANSACTIONS} committed in {commit:.2?}, an entry of the state read in {get:.2?}"
        );
    }
    if let [[first, own_first, syncs_first, ..], .., [_, own_last, syncs_last, ..]] = &opened[..] {
        // Every opening syncs the header twice, whatever the size; what a disk takes for that differs more
        // from time to time than an opening takes beside it. So both sizes pay the same for it.
        let syncs = (*syncs_first + *syncs_last).as_secs_f64() / 2.0;
        let growth = (own_last.as_secs_f64() + syncs) / (own_first.as_secs_f64() + syncs);
        let is_met = !is_measured || (*first < OPEN_MAX && growth <= GROWTH_MAX);
        println!(
            "the last opens in {growth:.2} x the time of the first, {:.2} x beside the syncs (goals: \
             {GROWTH_MAX}, and the first under {OPEN_MAX:?}): {}",
            own_last.as_secs_f64() / own_first.as_secs_f64(),
            match (is_measured, is_met) {
                (false, _) => "not measured",
                (true, true) => "met",
                (true, false) => "NOT MET",
            }
        );
    }
}

/// What a block of transactions leaves in the store.
fn put_block(batch: &mut Batch, height: u32) {
    let key = height.to_be_bytes();
    batch.put(Table::Headers, sha256(&key), [0; 120]);
    batch.put(Table::Heights, key, sha256(&key));
    batch.put(
        Table::Bodies,
        sha256(&key),
        vec![7; TRANSACTION_BYTES * BLOCK_TRANSACTIONS as usize],
    );
    batch.put(Table::Undo, sha256(&key), vec![7; 60 * BLOCK_TRANSACTIONS as usize]);
    batch.put(Table::Leaves, sha256(&key), vec![7; 32 * BLOCK_TRANSACTIONS as usize]);
    for i in 0..BLOCK_TRANSACTIONS {
        let number = height * BLOCK_TRANSACTIONS + i;
        let id = sha256(&number.to_le_bytes());
        batch.put(Table::Transactions, id, [0; 8]);
        batch.put(Table::Cores, sha256(&id), [0; 4]);
        batch.put(Table::State, entry(number), [0; 48]);
    }
    batch.put(Table::Meta, *b"tip", sha256(&key));
}

fn entry(number: u32) -> [u8; 32] {
    sha256(&(number % ENTRIES).to_be_bytes())
}

/// A store of a size, open.
struct Built {
    transactions: u32,
    bytes: u64,
    store: DiskStore,
    /// How many blocks it has, and how many look-ups were made.
    blocks: u32,
    gets: u32,
    dir: tempfile::TempDir,
}

impl Built {
    fn new(transactions: u32) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let live = dir.path().join("live");
        let store = DiskStore::create(&live, CACHE_BYTES_DEFAULT).expect("an empty directory");
        let blocks = transactions / BLOCK_TRANSACTIONS;
        for first in (0..blocks).step_by(WRITE_BLOCKS as usize) {
            let mut batch = Batch::new();
            let heights = first..blocks.min(first + WRITE_BLOCKS);
            heights.for_each(|height| put_block(&mut batch, height));
            store.commit(&batch).expect("a working disk");
        }
        let bytes = fs::metadata(live.join("chain.redb")).expect("a file").len();
        Self { transactions, bytes, store, blocks, gets: 0, dir }
    }

    /// How long it takes to open after a kill, beside the syncs of that and in them, after a close, and for
    /// reading beside the writer.
    fn open(&self) -> [Duration; 5] {
        let (live, copy) = (self.dir.path().join("live"), self.dir.path().join("copy"));
        // The directory as a kill leaves it: the file of a store that is still open. Closing makes the
        // next opening an easy one, so each has a copy: one that is on the disk, as whatever the process
        // had committed is, and in memory, as what it just wrote is.
        killed(&live, &copy);
        let writer = || DiskStore::open(&copy, CACHE_BYTES_DEFAULT).expect("a store");
        let after_kill = timed(writer);
        let after_close = timed(writer);
        killed(&live, &copy);
        let disk = Disk::open(&copy.join("chain.redb"));
        let syncs = Arc::clone(&disk.syncs);
        let start = Instant::now();
        let store = DiskStore::open_on(disk, CACHE_BYTES_DEFAULT).expect("a store");
        let whole = start.elapsed();
        let syncs = *syncs.lock().expect("not poisoned");
        drop(store);
        fs::remove_dir_all(&copy).expect("our own");
        let reader = || DiskReader::open(&live, CACHE_BYTES_DEFAULT).expect("a store");
        [after_kill, whole - syncs, syncs, after_close, timed(reader)]
    }

    /// How long a commit of one more block takes, and one look-up on average.
    fn use_once(&mut self) -> [Duration; 2] {
        let mut batch = Batch::new();
        put_block(&mut batch, self.blocks);
        self.blocks += 1;
        let commit = timed(|| self.store.commit(&batch).expect("a working disk"));
        let first = self.gets;
        self.gets += GETS;
        let get = timed(|| {
            for number in first..first + GETS {
                let key = entry(number.wrapping_mul(7_919));
                black_box(self.store.get(Table::State, &key)).expect("a working disk");
            }
        });
        [commit, get / GETS]
    }
}

/// A file as a disk that adds up how long its syncs take. It grants every lock.
#[derive(Debug)]
struct Disk {
    file: Mutex<File>,
    syncs: Arc<Mutex<Duration>>,
}

impl Disk {
    fn open(path: &Path) -> Self {
        let file = File::options().read(true).write(true).open(path).expect("a file");
        Self { file: Mutex::new(file), syncs: Arc::default() }
    }

    fn at<T>(&self, offset: u64, call: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
        let mut file = self.file.lock().expect("not poisoned");
        file.seek(SeekFrom::Start(offset))?;
        call(&mut file)
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.at(0, |file| file.metadata()).map(|metadata| metadata.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.at(offset, |file| file.read_exact(out))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.at(0, |file| file.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        let start = Instant::now();
        let synced = self.at(0, |file| file.sync_data());
        *self.syncs.lock().expect("not poisoned") += start.elapsed();
        synced
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.at(offset, |file| file.write_all(data))
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}

fn killed(live: &Path, copy: &Path) {
    fs::create_dir_all(copy).expect("a directory");
    let file = copy.join("chain.redb");
    fs::copy(live.join("chain.redb"), &file).expect("a copy");
    File::open(file).and_then(|file| file.sync_all()).expect("a working disk");
}

/// How long `work` takes; what it gives is dropped after that.
fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    let made = work();
    let time = start.elapsed();
    drop(made);
    time
}

/// The median of each column.
fn medians<const N: usize>(rows: Vec<[Duration; N]>) -> [Duration; N] {
    std::array::from_fn(|column| {
        let mut values: Vec<_> = rows.iter().map(|row| row[column]).collect();
        values.sort_unstable();
        values[values.len() / 2]
    })
}
