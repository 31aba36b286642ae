//! Many signatures at once: one equation for a batch, the same verdict as one by one.
//!
//! A batch adds up the equations of its signatures, each times a random 128-bit factor. Under ZIP-215
//! the sum holds whenever every signature is valid, so a batch never refuses a good one. A batch with a
//! bad signature passes for one in 2^128 choices of the factors. They are drawn from a hash of the whole
//! batch, so there is no entropy source that could fail or be foreseen: to find a batch that passes
//! wrongly takes 2^128 attempts, which is what forging a signature costs. A batch that does not hold is
//! split until its first bad signature is known, and that one is judged alone.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use ed25519_zebra::batch::{Item, Verifier};
use ed25519_zebra::{Signature, VerificationKeyBytes};

use crate::engine::pool::Pool;
use crate::hash::blake3::Stream;
use crate::ledger::signature::{PubKey, Sig};

/// Most signatures under one equation. Measured with AVX-512, 4,096 signatures, microseconds each for
/// batches of 256, 512, 1,024: 20 signers 8.2, 7.8, 7.7; every key its own 15.7, 15.0, 14.5. Larger ones
/// gain little and leave cores without work.
pub const BATCH_MAX: usize = 512;
/// Fewest worth an equation of their own when cores are idle.
const BATCH_MIN: usize = 64;
/// Few enough to judge one by one when a batch does not hold.
const SINGLES_MAX: usize = 4;

/// A signature with its key and what was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed<'a> {
    /// Whose.
    pub key: PubKey,
    /// The signature.
    pub sig: Sig,
    /// What was signed: mostly the 32 bytes of an id.
    pub message: &'a [u8],
}

/// The first signature, in the order given, that is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signature {index} is not valid")]
pub struct BadSignature {
    /// Its index.
    pub index: usize,
}

impl Signed<'_> {
    /// Whether the signature is valid by ZIP-215: the key and R decode (encodings need not be
    /// canonical), S is below the group order, and `[8][S]B = [8]R + [8][k]A`. Whether the key may
    /// stand in a key field is not asked here.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.item().verify_single().is_ok()
    }

    fn item(&self) -> Item {
        let key = VerificationKeyBytes::from(self.key.0);
        Item::from((key, Signature::from_bytes(&self.sig.0), self.message))
    }
}

/// Verifies signatures on this thread in batches of at most [`BATCH_MAX`].
///
/// # Errors
///
/// The first bad one, exactly as `is_valid` one by one would find it.
pub fn verify_batch(signed: &[Signed<'_>]) -> Result<(), BadSignature> {
    for (batch, first) in signed.chunks(BATCH_MAX).zip((0..).step_by(BATCH_MAX)) {
        let order: Vec<usize> = (0..batch.len()).collect();
        if let Some(index) = first_bad(batch, &order) {
            return Err(BadSignature { index: first + index });
        }
    }
    Ok(())
}

/// Verifies signatures on every core of the pool. Those under one key meet in one batch, where their
/// terms are added before the key is multiplied: a run of blocks by few signers costs about half.
///
/// # Errors
///
/// The first bad one, whatever the number of threads.
pub fn verify_all(pool: &Pool, signed: &[Signed<'_>]) -> Result<(), BadSignature> {
    let order = by_key(signed);
    let batches = batches_of(&order, pool.threads().get());
    let lowest = AtomicUsize::new(usize::MAX);
    pool.for_each(batches.len(), |i| {
        let mut batch = batches[i].to_vec();
        batch.sort_unstable();
        // Nothing in a batch that starts after a bad signature can be the first.
        if batch.first().is_some_and(|first| *first < lowest.load(Ordering::Relaxed))
            && let Some(index) = first_bad(signed, &batch)
        {
            lowest.fetch_min(index, Ordering::Relaxed);
        }
    });
    match lowest.into_inner() {
        usize::MAX => Ok(()),
        index => Err(BadSignature { index }),
    }
}

/// Indices sorted by the first bytes of the key. Keys that share them by design are batched together,
/// which changes the speed only.
fn by_key(signed: &[Signed<'_>]) -> Vec<usize> {
    let prefix = |signed: &Signed<'_>| signed.key.0.first_chunk().copied().map(u64::from_le_bytes);
    let mut keyed: Vec<_> = signed.iter().map(prefix).zip(0..).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, index)| index).collect()
}

/// Equal parts of at most `BATCH_MAX`, at least one for each thread unless that makes them small.
fn batches_of(order: &[usize], threads: usize) -> Vec<&[usize]> {
    let wanted = threads.min(order.len() / BATCH_MIN);
    let count = order.len().div_ceil(BATCH_MAX).max(wanted).max(1);
    order.chunks(order.len().div_ceil(count).max(1)).collect()
}

/// The lowest index of a signature that is not valid among `order`, which is ascending.
fn first_bad(signed: &[Signed<'_>], order: &[usize]) -> Option<usize> {
    let items: Vec<(usize, Item)> = order.iter().map(|&i| (i, signed[i].item())).collect();
    if hold(signed, &items) {
        return None;
    }
    let is_bad = |(_, item): &&(usize, Item)| item.clone().verify_single().is_err();
    let mut suspects = items.as_slice();
    while suspects.len() > SINGLES_MAX {
        let (low, high) = suspects.split_at(suspects.len() / 2);
        suspects = if hold(signed, low) { high } else { low };
    }
    // A half that passed wrongly, once in 2^128, would leave no bad one among the last suspects.
    let found = suspects.iter().find(is_bad).or_else(|| items.iter().find(is_bad));
    found.map(|(index, _)| *index)
}

/// Whether the sum of the equations holds.
fn hold(signed: &[Signed<'_>], items: &[(usize, Item)]) -> bool {
    let mut verifier = Verifier::new();
    let mut transcript = Vec::with_capacity(items.len() * 136);
    for (index, item) in items {
        let Signed { key, sig, message } = signed[*index];
        transcript.extend_from_slice(&key.0);
        transcript.extend_from_slice(&sig.0);
        transcript.extend_from_slice(&(message.len() as u64).to_le_bytes());
        transcript.extend_from_slice(message);
        verifier.queue(item.clone());
    }
    verifier.verify(Factors(Stream::new("proofward signature batch", &transcript))).is_ok()
}

/// The factors of a batch, in the shape in which the verifier asks for randomness.
struct Factors(Stream);

impl rand_core::TryRng for Factors {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Factors {}
