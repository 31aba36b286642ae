//! Signatures a second on one thread: the raw batch of `ed25519-zebra` beside ours, for few signers and
//! for as many keys as signatures, in the order given and gathered by key.

use std::convert::Infallible;
use std::num::NonZeroUsize;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ed25519_zebra::{Signature, SigningKey, VerificationKeyBytes, batch};
use proofward::engine::pool::Pool;
use proofward::hash::blake3::Stream;
use proofward::hash::sha256::sha256d;
use proofward::ledger::signature::{
    KeyCache, PubKey, Sig, Signed, backend, verify_all, verify_batch,
};

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

        group.bench_function(BenchmarkId::new("raw batches of 256", signers), |b| {
            b.iter(|| raw.chunks(256).for_each(raw_batch));
        });
        group.bench_function(BenchmarkId::new("in order", signers), |b| {
            b.iter(|| verify_batch(&signed).expect("good signatures"));
        });
        group.bench_function(BenchmarkId::new("by key", signers), |b| {
            b.iter(|| verify_all(&one, &signed).expect("good signatures"));
        });
        let cache = KeyCache::new();
        group.bench_function(BenchmarkId::new("by key, keys known", signers), |b| {
            b.iter(|| cache.verify_all(&one, &signed).expect("good signatures"));
        });
    }
    let keys: Vec<_> = (0..SIGNATURES as u64)
        .map(|i| SigningKey::from(sha256d(&i.to_le_bytes())))
        .map(|secret| PubKey(VerificationKeyBytes::from(&secret).into()))
        .collect();
    group.bench_function("check of a key", |b| {
        b.iter(|| assert!(keys.iter().all(|key| key.check().is_ok())));
    });
}

fn raw_batch(signed: &[(VerificationKeyBytes, Signature, [u8; 32])]) {
    let mut batch = batch::Verifier::new();
    for (key, sig, message) in signed {
        batch.queue((*key, *sig, message));
    }
    batch.verify(Random(Stream::new("bench", &[]))).expect("good signatures");
}

/// A generator that costs next to nothing.
struct Random(Stream);

impl rand_core::TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|wide| u32::try_from(wide >> 32).expect("half of it"))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Random {}

criterion_group!(benches, signatures);
criterion_main!(benches);
