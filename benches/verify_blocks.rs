//! Full blocks verified end to end, state included, beside the raw rate of `ed25519-zebra` batches of 256
//! over the same signatures on the same threads: with 20 signers, and with a key to each signature. Then
//! the same blocks into a store on disk, durable at the end.
//!
//! `cargo bench --bench verify_blocks` measures interleaved pairs and prints medians; a word after `--`
//! chooses the cases whose names hold it. Without `--bench` (under `cargo test`) small blocks run once,
//! and only what does not depend on time is asserted.

#![expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "ratios for people")]

#[path = "common/history.rs"]
mod history;
#[path = "common/raw.rs"]
mod raw;

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::thread;
use std::time::Instant;

use ed25519_zebra::{Signature, VerificationKeyBytes};
use history::ledger::{NOW, easy_spec};
use history::{Full, History};
use proofward::engine::nodes::NodeKernel;
use proofward::engine::pool::Pool;
use proofward::ledger::chain::{Ledger, Run, SubmitError};
use proofward::ledger::signature::{Curve, PubKey, backend};
use proofward::ledger::store::{CACHE_BYTES_DEFAULT, DiskStore, MemoryStore, Overlay, Store};
use raw::{RAW_BATCH, Raw, raw_batch};

struct Effort {
    pairs: usize,
    blocks: usize,
    transactions_max: usize,
}

impl Effort {
    const FULL: Self = Self { pairs: 3, blocks: 8, transactions_max: usize::MAX };
    const ONCE: Self = Self { pairs: 1, blocks: 2, transactions_max: 20 };
}

fn main() {
    let full = std::env::args().any(|arg| arg == "--bench");
    let effort = if full { Effort::FULL } else { Effort::ONCE };
    let cores = thread::available_parallelism().expect("a number of CPUs");
    let (curve, nodes) = (Curve::best(), NodeKernel::best().isa());
    println!("{cores} threads, batches on {curve}, raw ones on {}, nodes on {nodes}", backend());
    let word = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    for (name, signers) in [("20 signers", Some(20)), ("every key its own", None)] {
        if name.contains(&word) {
            measure(name, signers, cores, &effort);
        }
    }
}

fn measure(name: &str, signers: Option<usize>, threads: NonZeroUsize, effort: &Effort) {
    let history = History::new(signers, effort.blocks, effort.transactions_max);
    let raw = raw_of(&history.blocks);
    println!(
        "{name}: {} blocks, the first with {} bytes and {} transactions; {} signatures by {} keys",
        effort.blocks,
        history.blocks[0].bytes.len(),
        history.blocks[0].transactions,
        raw.len(),
        raw.iter().map(|(key, _, _)| key).collect::<HashSet<_>>().len(),
    );
    let pool = Pool::new(threads).expect("threads");
    let each = |seconds: f64| 1e6 * seconds / raw.len() as f64;
    let (mut wholes, mut bares, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let (mut befores, mut afters, mut states) = (Vec::new(), Vec::new(), Vec::new());
    let (mut disks, mut disk_ratios) = (Vec::new(), Vec::new());
    for _ in 0..effort.pairs {
        let whole = end_to_end(&history, MemoryStore::new(), threads);
        let bare = seconds(|| raw_batches(&pool, &raw));
        let dir = tempfile::tempdir().expect("a directory");
        let disk = DiskStore::create(dir.path(), CACHE_BYTES_DEFAULT).expect("a working disk");
        let disk = end_to_end(&history, disk, threads);
        let [before, state, after] = by_stage(&history);
        disks.push(each(disk));
        disk_ratios.push(bare / disk);
        wholes.push(each(whole));
        bares.push(each(bare));
        ratios.push(bare / whole);
        befores.push(each(before));
        states.push(each(state));
        afters.push(each(after));
    }
    println!(
        "  end to end {:.2} us, raw batches {:.2} us a signature",
        median(wholes),
        median(bares)
    );
    println!("  ratio {:.3} (goal 0.8)", median(ratios));
    println!(
        "  import to disk {:.2} us a signature, ratio {:.3} (goal 0.5)",
        median(disks),
        median(disk_ratios)
    );
    let [before, state, after] = [befores, states, afters].map(median);
    println!(
        "  on one thread {before:.2} us before the state, {state:.2} us in it, {after:.2} us to \
         keep it: the serial stages are {:.1} %",
        100.0 * (state + after) / (before + state + after)
    );
}

/// A chain that stands where the measured blocks begin.
fn founded<S: Store>(history: &History, store: S, threads: NonZeroUsize) -> Ledger<S> {
    let pool = Pool::new(threads).expect("threads");
    let ledger =
        Ledger::create(store, easy_spec(), NodeKernel::best(), pool).expect("an empty store");
    let blocks = history.founding.iter().cloned().map(Ok);
    ledger.extend::<SubmitError>(blocks, NOW, |_| {}).expect("the blocks are valid");
    ledger
}

fn end_to_end(history: &History, store: impl Store, threads: NonZeroUsize) -> f64 {
    let ledger = founded(history, store, threads);
    let blocks: Vec<_> = history.blocks.iter().map(|block| Ok(block.bytes.clone())).collect();
    let mut run = Run::default();
    let time = seconds(|| {
        let extended = ledger.extend::<SubmitError>(blocks.into_iter(), NOW, |_| {});
        run = extended.expect("the blocks are valid");
    });
    let transactions = history.blocks.iter().map(|block| block.transactions as u64).sum();
    let signatures = history.blocks.iter().map(|block| block.signatures.len() as u64).sum();
    assert_eq!(run, Run { blocks: history.blocks.len() as u64, transactions, signatures });
    time
}

/// Seconds before the state, in it, and to keep it, on one thread.
fn by_stage(history: &History) -> [f64; 3] {
    let one = Pool::new(NonZeroUsize::MIN).expect("a thread");
    let ledger = founded(history, MemoryStore::new(), NonZeroUsize::MIN);
    let chain = ledger.chain();
    let (mut times, mut run) = ([0.0; 3], Run::default());
    let mut overlay = Overlay::new(ledger.store());
    let first = u32::try_from(history.founding.len() + 1).expect("few blocks");
    for (height, block) in (first..).zip(&history.blocks) {
        let block = vec![block.bytes.clone()];
        let mut group = None;
        times[0] += seconds(|| group = Some(chain.prepare(&one, height, block)));
        let group = group.expect("just made");
        times[1] += seconds(|| {
            let applied = chain.apply(&one, &mut overlay, &group, Some(NOW), &mut run);
            applied.expect("the blocks are valid");
        });
        let batch = std::mem::replace(&mut overlay, Overlay::new(ledger.store())).into_batch();
        times[2] += seconds(|| ledger.store().commit(&batch).expect("memory"));
    }
    times
}

fn raw_of(stretch: &[Full]) -> Vec<Raw> {
    let signatures = stretch.iter().flat_map(|block| &block.signatures);
    let raw = |(key, sig, message): &(PubKey, [u8; 64], [u8; 32])| {
        (VerificationKeyBytes::from(key.0), Signature::from_bytes(sig), *message)
    };
    signatures.map(raw).collect()
}

fn raw_batches(pool: &Pool, raw: &[Raw]) {
    let batches: Vec<_> = raw.chunks(RAW_BATCH).collect();
    pool.for_each(batches.len(), |i| raw_batch(batches[i]));
}

fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
