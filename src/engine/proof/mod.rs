//! Proof that hashes were done: the lowest hashes found over headers that a seed dictates. Nobody finds
//! so many hashes so low without trying about as many as they stand for; [`bound`] says how surely.
//!
//! It proves work, and no more: not that one machine did it, not how long it took, and not when, unless
//! the [`Terms`] carry a challenge that nobody could know before.

pub mod bound;
mod format;

pub use format::{PROOF_FILE_BYTES_MAX, ProofError, read_proofs};

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::hash::{Algorithm, hash_header, sha256};
use crate::primitives::{BlockHash, CompactTarget, Header, HeaderBytes, MerkleRoot, Target};

/// How many solutions a proof may have. Few sizes, so that nobody can pick the size that flatters
/// them: [`bound::proven_hashes`] divides its error among these.
pub const SOLUTION_COUNTS: [usize; 4] = [64, 256, 1024, 4096];

const SOLUTIONS_MAX: usize = SOLUTION_COUNTS[SOLUTION_COUNTS.len() - 1];

/// What a proof is bound to: change a letter and every header is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What was computed.
    pub algorithm: Algorithm,
    /// Fresh for each run, so that work cannot be used twice.
    pub seed: [u8; 32],
    /// A text of the verifier's choice, or empty: work on it cannot be older than the text.
    pub challenge: String,
    /// What the prover says of the machine.
    pub machine: String,
    /// What the prover says of the kernels that ran.
    pub kernels: String,
    /// What the prover says of the thread counts that ran.
    pub threads: String,
}

impl Terms {
    /// SHA-256 of the head of the proof as it stands in the file.
    fn commitment(&self) -> [u8; 32] {
        sha256::sha256(format::head(self).as_bytes())
    }
}

/// The header of an index: the commitment stands in for the parent, and the merkle root is SHA-256 of
/// the commitment and the index (8 bytes, little-endian), as an extranonce would make it.
fn derive_header(commitment: &[u8; 32], index: u64, nonce: u32) -> HeaderBytes {
    let mut extranonce = [0; 40];
    extranonce[..32].copy_from_slice(commitment);
    extranonce[32..].copy_from_slice(&index.to_le_bytes());
    Header {
        version: 0x2000_0000,
        prev_block: BlockHash(*commitment),
        merkle_root: MerkleRoot(sha256::sha256(&extranonce)),
        time: 0,
        bits: CompactTarget(0),
        nonce,
    }
    .encode()
}

/// Where a low hash is found. The order is that of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Solution {
    /// Index of the header.
    pub index: u64,
    /// Its nonce.
    pub nonce: u32,
}

/// A header to search, unlike every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Derived {
    /// Its index.
    pub index: u64,
    /// The header with nonce zero.
    pub bytes: HeaderBytes,
}

/// Hands out headers, counts hashes and keeps the lowest ones: shared by all threads of a run.
#[derive(Debug)]
pub struct Collector {
    terms: Terms,
    commitment: [u8; 32],
    next_index: AtomicU64,
    hashes: AtomicU64,
    best: Mutex<Best>,
}

#[derive(Debug)]
struct Best {
    /// Every hash up to here that was offered is kept. It only falls.
    limit: Target,
    /// At most twice as many as a proof holds.
    kept: Vec<(Target, Solution)>,
}

impl Best {
    fn keep_lowest(&mut self, count: usize) {
        self.kept.sort_unstable();
        self.kept.truncate(count);
        if let Some((highest, _)) = self.kept.last() {
            self.limit = *highest;
        }
    }
}

impl Collector {
    /// One hash in 256 is offered at first: enough for a proof of a few thousand hashes, and soon
    /// replaced by a stricter limit.
    const FIRST_LIMIT_TOP_BYTE: u8 = 0;

    /// Starts a run under these terms.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        let mut limit = [0xff; 32];
        limit[31] = Self::FIRST_LIMIT_TOP_BYTE;
        Self {
            commitment: terms.commitment(),
            terms,
            next_index: AtomicU64::new(0),
            hashes: AtomicU64::new(0),
            best: Mutex::new(Best { limit: Target::from_le_bytes(limit), kept: Vec::new() }),
        }
    }

    /// What its hashes are.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.terms.algorithm
    }

    /// A header that nobody else got.
    #[must_use]
    pub fn next_header(&self) -> Derived {
        let index = self.next_index.fetch_add(1, Ordering::Relaxed);
        Derived { index, bytes: derive_header(&self.commitment, index, 0) }
    }

    /// The target to search with now: hashes above it cannot matter any more.
    #[must_use]
    pub fn limit(&self) -> Target {
        self.best().limit
    }

    /// Adds hashes that were done.
    pub fn count(&self, hashes: u64) {
        self.hashes.fetch_add(hashes, Ordering::Relaxed);
    }

    /// Judges a nonce that a kernel proposes and keeps it if it is low enough.
    pub fn offer(&self, index: u64, nonce: u32, header: &HeaderBytes) {
        let digest = Target::from_le_bytes(hash_header(self.terms.algorithm, header));
        let mut best = self.best();
        if digest <= best.limit {
            best.kept.push((digest, Solution { index, nonce }));
            if best.kept.len() >= 2 * SOLUTIONS_MAX {
                best.keep_lowest(SOLUTIONS_MAX);
            }
        }
    }

    /// Ends the run. `milliseconds` is what the prover says it took; `None` if fewer solutions were
    /// found than the smallest proof has.
    #[must_use]
    pub fn finish(&self, milliseconds: u64) -> Option<Proof> {
        let mut best = self.best();
        let count = SOLUTION_COUNTS.into_iter().rfind(|count| *count <= best.kept.len())?;
        best.keep_lowest(count);
        let mut solutions: Vec<Solution> =
            best.kept.iter().map(|(_, solution)| *solution).collect();
        solutions.sort_unstable();
        Some(Proof {
            terms: self.terms.clone(),
            hashes: self.hashes.load(Ordering::Relaxed),
            milliseconds,
            limit: best.limit,
            solutions,
        })
    }

    fn best(&self) -> std::sync::MutexGuard<'_, Best> {
        // What is kept is whole after every push, so a panic elsewhere does not spoil it.
        self.best.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A proof as it stands in a file: claims and what supports them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What it is bound to.
    pub terms: Terms,
    /// Hashes that the prover claims.
    pub hashes: u64,
    /// Time that the prover claims. Nothing supports it.
    pub milliseconds: u64,
    /// The highest of the solutions' hashes.
    pub limit: Target,
    /// Where the hashes are, in ascending order.
    pub solutions: Vec<Solution>,
}

/// What a proof proves.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Verified {
    /// At least so many hashes were done, unless the prover had luck of probability
    /// `1 - confidence`.
    pub proven_hashes: u64,
    /// The most likely number.
    pub estimated_hashes: u64,
    /// As asked for.
    pub confidence: f64,
}

/// Why a proof is refused, although it is well formed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// No proof has so many solutions.
    #[error("{0} solutions: expected 64, 256, 1024 or 4096")]
    Count(usize),
    /// A solution is given twice, or they are not in order.
    #[error("solution {0} does not come after the one before it")]
    Order(usize),
    /// A solution hashes above the limit: the nonce, the seed or another term was changed.
    #[error("solution {0} hashes above the limit")]
    AboveLimit(usize),
    /// No solution has the hash that is given as the limit.
    #[error("no solution reaches the limit")]
    LimitNotReached,
    /// The claim cannot be true: so many hashes would have found lower ones.
    #[error("claims {claimed} hashes, but the solutions stand for about {estimated}")]
    Inflated {
        /// What the proof says.
        claimed: u64,
        /// What its solutions say.
        estimated: u64,
    },
}

impl Proof {
    /// Hashes every solution with the scalar code and computes what they prove with the given
    /// confidence, above 0 and below 1.
    ///
    /// # Errors
    ///
    /// The first reason to refuse it.
    pub fn verify(&self, confidence: f64) -> Result<Verified, VerifyError> {
        if !SOLUTION_COUNTS.contains(&self.solutions.len()) {
            return Err(VerifyError::Count(self.solutions.len()));
        }
        let commitment = self.terms.commitment();
        let mut before = None;
        let mut highest = Target::from_le_bytes([0; 32]);
        for (at, solution) in self.solutions.iter().enumerate() {
            if before.is_some_and(|before| before >= *solution) {
                return Err(VerifyError::Order(at));
            }
            before = Some(*solution);
            let header = derive_header(&commitment, solution.index, solution.nonce);
            let digest = Target::from_le_bytes(hash_header(self.terms.algorithm, &header));
            if digest > self.limit {
                return Err(VerifyError::AboveLimit(at));
            }
            highest = highest.max(digest);
        }
        if highest != self.limit {
            return Err(VerifyError::LimitNotReached);
        }
        let count = self.solutions.len();
        let estimated = bound::estimated_hashes(&self.limit, count);
        if bound::is_inflated(&self.limit, count, self.hashes) {
            return Err(VerifyError::Inflated { claimed: self.hashes, estimated });
        }
        Ok(Verified {
            proven_hashes: bound::proven_hashes(&self.limit, count, confidence),
            estimated_hashes: estimated,
            confidence,
        })
    }
}
