//! L2, hashing as fast as this CPU allows: one row in a table for each algorithm and instruction set.
//!
//! A kernel proposes nonces whose hash may meet a target; [`crate::hash::meets_target`] judges them.
//! Rows are chosen at run time; holding a [`Kernel`] proves that this CPU can run it. This is the only
//! folder with `unsafe`.

mod job;
mod portable;

pub use job::{Hits, Job, NonceRange};

use std::fmt;

use crate::hash::Algorithm;
use crate::primitives::{Digest, HeaderBytes};

/// A message of 64 bytes: two child hashes of a merkle node.
pub type Pair = [u8; 64];

/// A way to hash headers on this CPU. `available` is the only constructor, so holding one proves that
/// the CPU has what it needs.
#[derive(Clone, Copy)]
pub struct Kernel(&'static Row);

/// One algorithm on one instruction set. Contract of the functions: `detect` returned true.
struct Row {
    algorithm: Algorithm,
    /// What `--kernel`, logs and tests say.
    isa: &'static str,
    /// Messages hashed side by side.
    lanes: u32,
    detect: fn() -> bool,
    /// Visits the range in ascending order; `Some(nonce)` is where to resume when `Hits` is full.
    search: unsafe fn(&Job, NonceRange, &mut Hits) -> Option<u32>,
    hash_headers: unsafe fn(&[HeaderBytes], &mut [Digest]),
    /// SHA-256d only.
    hash_pairs: Option<unsafe fn(&[Pair], &mut [Digest])>,
}

/// Every kernel, expected best first. Adding one is adding a row.
static KERNELS: &[&[Row]] = &[portable::ROWS];

/// A row of the table as people see it: also for kernels that this CPU cannot run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// What it computes.
    pub algorithm: Algorithm,
    /// Its instruction set: the name for `--kernel`.
    pub isa: &'static str,
    /// Messages hashed side by side.
    pub lanes: u32,
    /// Whether this CPU can run it.
    pub available: bool,
}

/// Every row compiled in, best first.
pub fn table() -> impl Iterator<Item = Listed> {
    rows().map(|row| Listed {
        algorithm: row.algorithm,
        isa: row.isa,
        lanes: row.lanes,
        available: (row.detect)(),
    })
}

fn rows() -> impl Iterator<Item = &'static Row> {
    KERNELS.iter().copied().flatten()
}

impl Kernel {
    /// The kernels of an algorithm that this CPU can run, expected best first; never empty.
    pub fn available(algorithm: Algorithm) -> impl Iterator<Item = Self> {
        rows().filter(move |row| row.algorithm == algorithm && (row.detect)()).map(Self)
    }

    /// What it computes.
    #[must_use]
    pub fn algorithm(self) -> Algorithm {
        self.0.algorithm
    }

    /// Its instruction set: the name for `--kernel`.
    #[must_use]
    pub fn isa(self) -> &'static str {
        self.0.isa
    }

    /// Messages hashed side by side.
    #[must_use]
    pub fn lanes(self) -> u32 {
        self.0.lanes
    }

    /// Visits every nonce of `range` in ascending order and appends those whose top hash word is at
    /// most the job's. When `hits` is full it returns the nonce to resume from, else `None`.
    ///
    /// # Panics
    ///
    /// If the job is of another algorithm.
    pub fn search(self, job: &Job, range: NonceRange, hits: &mut Hits) -> Option<u32> {
        assert_eq!(job.algorithm(), self.0.algorithm, "a job for another algorithm");
        // SAFETY: `self` came from `available`, which saw `detect` return true, and CPU features do
        // not go away while the process runs.
        unsafe { (self.0.search)(job, range, hits) }
    }

    /// Hashes headers, in order, into `digests`.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn hash_headers(self, headers: &[HeaderBytes], digests: &mut [Digest]) {
        assert_eq!(headers.len(), digests.len(), "one digest a header");
        // SAFETY: as in `search`.
        unsafe { (self.0.hash_headers)(headers, digests) }
    }

    /// Hashes merkle nodes (SHA-256d of 64 bytes each), in order, into `digests`; `None` and nothing
    /// done if this row has no such function (BLAKE3).
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[must_use]
    pub fn hash_pairs(self, pairs: &[Pair], digests: &mut [Digest]) -> Option<()> {
        assert_eq!(pairs.len(), digests.len(), "one digest a pair");
        let hash_pairs = self.0.hash_pairs?;
        // SAFETY: as in `search`.
        unsafe { hash_pairs(pairs, digests) };
        Some(())
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kernel({} {})", self.0.algorithm, self.0.isa)
    }
}

impl PartialEq for Kernel {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Kernel {}
