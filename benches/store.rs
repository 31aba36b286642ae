//! The store on disk: opening it after its process was killed, whatever its size, a commit of one block
//! and look-ups. `PROOFWARD_STORE_TRANSACTIONS` (such as `100000,1000000`) sets the sizes.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use proofward::hash::sha256::sha256;
use proofward::ledger::store::{
    Batch, CACHE_BYTES_DEFAULT, DiskReader, DiskStore, Read as _, Store as _, Table,
};

const BLOCK_TRANSACTIONS: u32 = 100;
const TRANSACTION_BYTES: usize = 300;
/// Blocks in one write, as when blocks are imported.
const WRITE_BLOCKS: u32 = 50;

fn sizes() -> Vec<u32> {
    let sizes = std::env::var("PROOFWARD_STORE_TRANSACTIONS").unwrap_or("1000,10000".to_owned());
    sizes.split(',').map(|size| size.parse().expect("numbers with commas between")).collect()
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
        batch.put(Table::State, sha256(&(number % 50_000).to_be_bytes()), [0; 48]);
    }
    batch.put(Table::Meta, *b"tip", sha256(&key));
}

fn build(dir: &Path, transactions: u32) -> DiskStore {
    let store = DiskStore::create(dir, CACHE_BYTES_DEFAULT).expect("an empty directory");
    let blocks = transactions / BLOCK_TRANSACTIONS;
    for first in (0..blocks).step_by(WRITE_BLOCKS as usize) {
        let mut batch = Batch::new();
        (first..blocks.min(first + WRITE_BLOCKS)).for_each(|height| put_block(&mut batch, height));
        store.commit(&batch).expect("a working disk");
    }
    store
}

/// The directory as a kill leaves it: the file of a store that is still open.
fn killed(dir: &Path, to: &Path) -> PathBuf {
    fs::create_dir_all(to).expect("a directory");
    fs::copy(dir.join("chain.redb"), to.join("chain.redb")).expect("a copy");
    to.to_owned()
}

fn open(dir: &Path) -> DiskStore {
    DiskStore::open(dir, CACHE_BYTES_DEFAULT).expect("a store")
}

fn disk(c: &mut Criterion) {
    let mut group = c.benchmark_group("store");
    group.sample_size(20);
    for transactions in sizes() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = build(&dir.path().join("live"), transactions);
        let live = dir.path().join("live");
        let bytes = fs::metadata(live.join("chain.redb")).expect("a file").len();
        println!("{transactions} transactions: {bytes} bytes");
        let original = killed(&live, &dir.path().join("original"));

        group.bench_function(BenchmarkId::new("open after a kill", transactions), |b| {
            // Closing would make the next opening an easy one, so each has a copy; and a copy that
            // was read once is in memory, as the file of a process that was just killed is.
            b.iter_batched(
                || killed(&original, &dir.path().join("copy")),
                |copy| open(&copy),
                BatchSize::PerIteration,
            );
        });
        group.bench_function(BenchmarkId::new("open after a close", transactions), |b| {
            b.iter_batched(|| (), |()| open(&original), BatchSize::PerIteration);
        });
        group.bench_function(BenchmarkId::new("open for reading", transactions), |b| {
            let reader = |()| DiskReader::open(&live, CACHE_BYTES_DEFAULT).expect("a store");
            b.iter_batched(|| (), reader, BatchSize::PerIteration);
        });
        let mut height = transactions / BLOCK_TRANSACTIONS;
        group.bench_function(BenchmarkId::new("commit a block", transactions), |b| {
            b.iter(|| {
                let mut batch = Batch::new();
                put_block(&mut batch, height);
                height += 1;
                store.commit(&batch).expect("a working disk");
            });
        });
        let mut number = 0_u32;
        group.bench_function(BenchmarkId::new("get a state entry", transactions), |b| {
            b.iter(|| {
                number = number.wrapping_add(7_919);
                let key = sha256(&(number % 50_000).to_be_bytes());
                black_box(store.get(Table::State, &key)).expect("a working disk")
            });
        });
    }
}

criterion_group!(benches, disk);
criterion_main!(benches);
