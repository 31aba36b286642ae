//! Many signatures at once: one equation for a batch, the same verdict as one by one.
//!
//! A batch adds up the equations of its signatures, each times a random 128-bit factor z:
//!
//! ```text
//! [8] (sum of z R  +  sum over keys of (sum of z k) A  -  (sum of z S) B) = 0,   k = SHA-512(R || A || M)
//! ```
//!
//! Under ZIP-215 the sum holds whenever every signature is valid, so a batch never refuses a good one. A
//! batch with a bad signature passes for one in 2^128 choices of the factors. They are drawn from a hash
//! of the whole batch, so there is no entropy source that could fail or be foreseen: to find a batch that
//! passes wrongly takes 2^128 attempts, which is what forging a signature costs. A batch that does not
//! hold is split until its first bad signature is known, and that one is judged alone, by other code.

use std::sync::atomic::{AtomicUsize, Ordering};

use curve25519_dalek::scalar::Scalar;
use ed25519_zebra::{Signature, VerificationKey};

use crate::engine::pool::Pool;
use crate::engine::sha512::{Sha512Kernel, sha512_many};
use crate::hash::blake3::Stream;
use crate::ledger::signature::cache::Cache;
use crate::ledger::signature::curve::Arithmetic;
use crate::ledger::signature::{KeyCache, PubKey, Sig};

/// Most signatures under one equation. Measured on one thread with AVX-512 lanes, microseconds to add up one with a
/// key of its own, in batches of 512, 1,024, 2,048: 2.7, 2.1, 2.1; with the library, decoding included, 14.9, 14.2,
/// 13.8. Larger ones leave cores without work at the end of a group.
pub const BATCH_MAX: usize = 1024;
/// Fewest worth an equation of their own when cores are idle.
const BATCH_MIN: usize = 64;
/// So few cost less one by one.
const ALONE_MAX: usize = 2;
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
        VerificationKey::try_from(self.key.0)
            .and_then(|key| key.verify(&Signature::from_bytes(&self.sig.0), self.message))
            .is_ok()
    }
}

/// [`KeyCache::verify_batch`] for once.
///
/// # Errors
///
/// The first bad one.
pub fn verify_batch(signed: &[Signed<'_>]) -> Result<(), BadSignature> {
    KeyCache::new().verify_batch(signed)
}

/// [`KeyCache::verify_all`] for once.
///
/// # Errors
///
/// The first bad one.
pub fn verify_all(pool: &Pool, signed: &[Signed<'_>]) -> Result<(), BadSignature> {
    KeyCache::new().verify_all(pool, signed)
}

impl KeyCache {
    /// Verifies signatures on this thread in batches of at most [`BATCH_MAX`].
    ///
    /// # Errors
    ///
    /// The first bad one, exactly as `is_valid` one by one would find it.
    pub fn verify_batch(&self, signed: &[Signed<'_>]) -> Result<(), BadSignature> {
        let order: Vec<usize> = (0..signed.len()).collect();
        match order.chunks(BATCH_MAX).find_map(|batch| self.first_bad(signed, batch)) {
            None => Ok(()),
            Some(index) => Err(BadSignature { index }),
        }
    }

    /// Verifies signatures on every core of the pool. Those under one key meet in one batch, where their
    /// terms are added before the key is multiplied: a run of blocks by few signers costs about half.
    ///
    /// # Errors
    ///
    /// The first bad one, whatever the number of threads.
    pub fn verify_all(&self, pool: &Pool, signed: &[Signed<'_>]) -> Result<(), BadSignature> {
        let order = by_key(signed);
        let batches = batches_of(&order, pool.threads().get());
        let lowest = AtomicUsize::new(usize::MAX);
        pool.for_each(batches.len(), |i| {
            let first = batches[i].iter().min();
            // Nothing in a batch that starts after a bad signature can be the first.
            if first.is_some_and(|first| *first < lowest.load(Ordering::Relaxed))
                && let Some(index) = self.first_bad(signed, batches[i])
            {
                lowest.fetch_min(index, Ordering::Relaxed);
            }
        });
        match lowest.into_inner() {
            usize::MAX => Ok(()),
            index => Err(BadSignature { index }),
        }
    }

    /// The lowest of these indices whose signature is not valid.
    fn first_bad(&self, signed: &[Signed<'_>], batch: &[usize]) -> Option<usize> {
        if batch.len() > ALONE_MAX && self.hold(signed, batch) {
            return None;
        }
        let mut ascending = batch.to_vec();
        ascending.sort_unstable();
        let is_bad = |index: &&usize| !signed[**index].is_valid();
        let mut suspects = ascending.as_slice();
        while suspects.len() > SINGLES_MAX {
            let (low, high) = suspects.split_at(suspects.len() / 2);
            suspects = if self.hold(signed, low) { high } else { low };
        }
        // A half that passed wrongly, once in 2^128, would leave no bad one among the last suspects.
        suspects.iter().find(is_bad).or_else(|| ascending.iter().find(is_bad)).copied()
    }
}

impl<A: Arithmetic> Cache<A> {
    /// Whether the sum of the equations holds.
    pub(super) fn hold(&self, signed: &[Signed<'_>], batch: &[usize]) -> bool {
        let mut batch = batch.to_vec();
        batch.sort_unstable_by_key(|index| signed[*index].key);
        let ordered = || batch.iter().map(|index| &signed[*index]);
        // They bind R, the key and the message.
        let mut hashes = Vec::with_capacity(batch.len());
        let parts = ordered().map(|it| [it.sig.halves().0.as_slice(), &it.key.0, it.message]);
        sha512_many(Sha512Kernel::best(), parts, &mut hashes);
        let mut transcript = Vec::with_capacity(batch.len() * (64 + 32));
        for (hash, signed) in hashes.iter().zip(ordered()) {
            transcript.extend_from_slice(hash);
            // Else who knows the factors could shift two of them against each other.
            transcript.extend_from_slice(signed.sig.halves().1);
        }
        let mut factors = Stream::new("proofward signature batch", &transcript);
        let rs: Vec<[u8; 32]> = ordered().map(|signed| *signed.sig.halves().0).collect();
        let (rs, are_points) = self.arithmetic.decode(&rs);
        if are_points.contains(&false) {
            return false;
        }
        let groups = || batch.chunk_by(|a, b| signed[*a].key == signed[*b].key);
        let keys: Vec<PubKey> = groups().map(|group| signed[group[0]].key).collect();
        let keys = self.points_of(&keys);
        let mut zs = Vec::with_capacity(batch.len());
        let mut sums = Vec::with_capacity(keys.len() + 1);
        let mut base = Scalar::ZERO;
        let mut hashes = hashes.iter();
        for (group, key) in groups().zip(keys) {
            let Some(key) = key else { return false };
            let mut of_key = Scalar::ZERO;
            for (index, hash) in group.iter().zip(&mut hashes) {
                let (_, s) = signed[*index].sig.halves();
                let Some(s) = Scalar::from_canonical_bytes(*s).into_option() else { return false };
                let mut z = [0; 16];
                factors.fill(&mut z);
                zs.push(u128::from_le_bytes(z));
                let z = Scalar::from(u128::from_le_bytes(z));
                of_key += z * Scalar::from_bytes_mod_order_wide(hash);
                base -= z * s;
            }
            sums.push((of_key, key));
        }
        sums.push((base, self.arithmetic.base()));
        self.arithmetic.are_of_small_order((zs, rs), &sums)
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

/// Equal parts of at most `BATCH_MAX`, at least one for each thread unless that makes them small. Parts that
/// shrink towards the end, each handed out alone so that threads end together, gained nothing: the smaller
/// equations cost what less waiting saved (0.810 against 0.816 of raw batches on two threads).
fn batches_of(order: &[usize], threads: usize) -> Vec<&[usize]> {
    let wanted = threads.min(order.len() / BATCH_MIN);
    let count = order.len().div_ceil(BATCH_MAX).max(wanted).max(1);
    order.chunks(order.len().div_ceil(count).max(1)).collect()
}
