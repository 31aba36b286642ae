//! The ledger's costs a block: what changes of the state cost in the tree that authenticates it.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use proofward::engine::nodes::NodeKernel;
use proofward::hash::sha256::sha256;
use proofward::ledger::tree::{Change, MemoryPages, StateKey, ValueHash, prove, update};

const ENTRIES: u32 = 100_000;
/// What a full block of small transactions changes.
const CHANGES: u32 = 14_000;

fn key(number: u32) -> StateKey {
    StateKey(sha256(&number.to_le_bytes()))
}

/// An entry about as long as an account.
fn leaf(number: u32, version: u8) -> Change {
    let key = key(number);
    (key, Some(ValueHash::of(&[version; 48])))
}

fn sorted(changes: impl Iterator<Item = Change>) -> Vec<Change> {
    let mut changes: Vec<_> = changes.collect();
    changes.sort_unstable_by_key(|(key, _)| *key);
    changes
}

fn state_tree(c: &mut Criterion) {
    let best = NodeKernel::best();
    let built = update(best, &MemoryPages::default(), &sorted((0..ENTRIES).map(|n| leaf(n, 0))))
        .expect("memory does not fail");
    let root = built.root;
    let mut pages = MemoryPages::default();
    pages.apply(built.pages);

    // Half of them change entries, a quarter each adds and removes some.
    let changed = (0..CHANGES / 2).map(|n| leaf(n, 1));
    let added = (ENTRIES..ENTRIES + CHANGES / 4).map(|n| leaf(n, 1));
    let removed = (CHANGES / 2..CHANGES - CHANGES / 4).map(|n| (key(n), None));
    let block = sorted(changed.chain(added).chain(removed));
    let one = [leaf(0, 1)];

    let mut group = c.benchmark_group("state_tree");
    for (name, changes) in [("update_14000_of_100000", &block[..]), ("update_1_of_100000", &one)] {
        group.throughput(Throughput::Elements(changes.len() as u64));
        for kernel in NodeKernel::available() {
            group.bench_function(BenchmarkId::new(name, kernel.isa()), |b| {
                b.iter(|| update(kernel, &pages, black_box(changes)));
            });
        }
    }
    group.throughput(Throughput::Elements(1));
    group.bench_function("value_hash_of_48_bytes", |b| b.iter(|| leaf(black_box(7), 1)));
    group.bench_function("prove_in_100000", |b| {
        b.iter(|| prove(best, &pages, root, black_box(&key(9))));
    });
    let proof = prove(best, &pages, root, &key(9)).expect("an entry");
    group.bench_function("check_proof_in_100000", |b| {
        b.iter(|| proof.check(&root, &key(9), black_box(Some(&[0; 48]))));
    });
    group.finish();
}

criterion_group!(benches, state_tree);
criterion_main!(benches);
