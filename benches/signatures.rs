//! Signatures a second on one thread: the raw batch of `ed25519-zebra` beside ours, for few signers and
//! for as many keys as signatures, in the order given and gathered by key, on everything that adds up
//! batches.

#[path = "common/raw.rs"]
mod raw;

use std::num::NonZeroUsize;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ed25519_zebra::{SigningKey, VerificationKeyBytes};
use proofward::engine::pool::Pool;
use proofward::hash::sha256::sha256d;
use proofward::ledger::signature::{
    Curve, KeyCache, PubKey, Sig, Signed, backend, verify_all, verify_batch,
};
use raw::{RAW_BATCH, raw_batch};

const SIGNATURES: usize = 4096;

fn signatures(c: &mut Criterion) {
    let one = Pool::new(NonZeroUsize::MIN).expect("a thread");
    let mut group = c.benchmark_group(format!("signatures {}", backend()));
    group.sample_size(10).throughput(Throughput::Elements(SIGNATURES as u64));
    for signers in [20, 1024, SIGNATURES] {
        let sign = |i: usize| {
            let secret = SigningKey::from(sha256d(&((i % signers) as u64).to_le_bytes()));
            let message = sha256d(&[i as u64, 1].map(u64::to_le_bytes).concat());
            (VerificationKeyBytes::from(&secret), secret.sign(&message), message)
        };
        let raw: Vec<_> = (0..SIGNATURES).map(sign).collect();
        let ours = raw.iter().map(|(key, sig, message)| Signed {
            key: PubKey((*key).into()),
            sig: Sig(sig.to_bytes()),
            message,
        });
        let signed: Vec<_> = ours.collect();

        group.bench_function(BenchmarkId::new("raw batches", signers), |b| {
            b.iter(|| raw.chunks(RAW_BATCH).for_each(raw_batch));
        });
        group.bench_function(BenchmarkId::new("in order", signers), |b| {
            b.iter(|| verify_batch(&signed).expect("good signatures"));
        });
        group.bench_function(BenchmarkId::new("by key", signers), |b| {
            b.iter(|| verify_all(&one, &signed).expect("good signatures"));
        });
        for curve in Curve::available() {
            let cache = KeyCache::with_generations_of(SIGNATURES, curve);
            let name = format!("by key, keys known, {curve}");
            group.bench_function(BenchmarkId::new(name, signers), |b| {
                b.iter(|| cache.verify_all(&one, &signed).expect("good signatures"));
            });
        }
    }
    let keys: Vec<_> = (0..SIGNATURES as u64)
        .map(|i| SigningKey::from(sha256d(&i.to_le_bytes())))
        .map(|secret| PubKey(VerificationKeyBytes::from(&secret).into()))
        .collect();
    group.bench_function("check of a key", |b| {
        b.iter(|| assert!(keys.iter().all(|key| key.check().is_ok())));
    });
}

criterion_group!(benches, signatures);
criterion_main!(benches);
