//! L2, hashing as fast as this CPU allows: one row in a table for each algorithm and instruction set.
//!
//! A kernel proposes nonces whose hash may meet a target; [`crate::hash::meets_target`] judges them, so
//! a kernel that is wrong can lose a hit and never invent one. Rows are chosen at run time; holding a
//! [`Kernel`] proves that this CPU can run it. This is the only folder with `unsafe`.
//!
//! # How to add a kernel
//!
//! *A CPU whose vectors hold one message a lane*: one file that implements `Lanes` (a dozen operations,
//! `lanes.rs`) for its vector and calls `lane_kernels!`, a `mod` line, and a line in `KERNELS`. Every
//! algorithm and operation comes with it. Start from `x86_avx2.rs`.
//!
//! *A CPU with instructions for one algorithm*: one file with a `Row` written by hand over the loops of
//! `batch.rs`, as `x86_sha.rs`.
//!
//! *An algorithm over 80-byte headers*: its scalar twin in [`crate::hash`] with a variant of
//! [`Algorithm`], one file that implements `HeaderHash` for any `Lanes`, and its lines in
//! `lane_kernels!`.
//!
//! *SHA-512 of short messages*: a table of its own, [`sha512`], for it has words of 64 bits and no nonces.
//! One file that implements its `Lanes64` and a line in its `KERNELS`.
//!
//! Then `cargo test --test kernels` judges the new rows by name against the scalar oracle, and
//! `cargo bench --bench kernels` measures them; neither needs a change.
//!
//! *Points of Ed25519's curve* have a table of their own, [`curve`]: a CPU whose vectors multiply words is
//! one file that implements `Limbs` (`curve/limbs.rs`) and calls `curve_row!`; start from `curve/avx512.rs`.
//!
//! # Rules of these files
//!
//! `#[target_feature]` stands on the entries only; all below is generic, `inline(always)` and safe, and
//! so takes the entry's features. A closure is a function of its own and would not take them. The proof
//! that the CPU has a feature is a value that only code compiled for that feature can make. Kernels
//! allocate nothing, share nothing and read no clock.

mod job;

mod batch;
mod lanes;
mod two;

mod blake3;
mod sha256d;

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;
#[cfg(target_arch = "x86_64")]
mod x86_avx2;
#[cfg(target_arch = "x86_64")]
mod x86_avx512;
#[cfg(target_arch = "x86_64")]
mod x86_sha;
#[cfg(target_arch = "x86_64")]
mod x86_sse41;

pub mod conformance;
#[cfg(feature = "ledger")]
pub mod curve;
pub mod sha512;

pub use conformance::Disagreement;
pub use job::{Hits, Job, NonceRange};
pub use sha512::Sha512Kernel;

use std::fmt;

use crate::hash::Algorithm;
use crate::primitives::{Digest, HeaderBytes};

/// A message of 64 bytes: two child hashes of a merkle node.
pub type Pair = [u8; 64];

/// One step of SHA-256: a state of 32 bytes, as digests are written, and the block that follows.
pub type Step = [u8; 96];

/// A way to hash headers on this CPU. Only `available` and `by_name` make one, after they looked,
/// so holding one proves that the CPU has what it needs.
#[derive(Clone, Copy)]
pub struct Kernel(&'static Row);

/// One algorithm on one instruction set. Contract of the functions: `detect` returned true.
struct Row {
    algorithm: Algorithm,
    /// What `--kernel`, logs and tests say.
    isa: &'static str,
    /// Nonces searched side by side.
    lanes: u32,
    detect: fn() -> bool,
    /// Visits the range in ascending order; `Some(nonce)` is where to resume when `Hits` is full.
    search: unsafe fn(&Job, NonceRange, &mut Hits) -> Option<u32>,
    hash_headers: HashMany<HeaderBytes>,
    /// SHA-256d only.
    hash_pairs: Option<HashMany<Pair>>,
    /// The same.
    compress: Option<HashMany<Step>>,
}

type HashMany<Message> = unsafe fn(&[Message], &mut [Digest]);

/// Every kernel, expected best first. Adding one is adding a row.
static KERNELS: &[&[Row]] = &[
    #[cfg(target_arch = "x86_64")]
    x86_avx512::ROWS,
    #[cfg(target_arch = "x86_64")]
    x86_sha::ROWS,
    #[cfg(target_arch = "x86_64")]
    x86_avx2::ROWS,
    #[cfg(target_arch = "x86_64")]
    x86_sse41::ROWS,
    portable::ROWS,
];

/// A row of the table as people see it: also for kernels that this CPU cannot run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// What it computes.
    pub algorithm: Algorithm,
    /// Its instruction set: the name for `--kernel`.
    pub isa: &'static str,
    /// Nonces searched side by side.
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

fn rows() -> impl Iterator<Item = &'static Row> + Clone {
    KERNELS.iter().copied().flatten()
}

/// Why there is no such kernel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// No row has this name.
    #[error("unknown {algorithm} kernel {name:?}: expected one of {known}")]
    Unknown {
        /// The algorithm asked for.
        algorithm: &'static str,
        /// The name asked for.
        name: String,
        /// The names there are, best first, separated by commas.
        known: String,
    },
    /// The row exists, but this CPU lacks an instruction that it needs.
    #[error("this CPU cannot run the {algorithm} kernel {name}: it can run {available}")]
    NotOnThisCpu {
        /// The algorithm asked for.
        algorithm: &'static str,
        /// The name asked for.
        name: &'static str,
        /// What this CPU can run, best first, separated by commas.
        available: String,
    },
}

/// What a row of any kind says of itself.
trait Choice {
    fn isa(&self) -> &'static str;
    /// Whether this CPU can run it.
    fn runs_here(&self) -> bool;
}

impl Choice for Row {
    fn isa(&self) -> &'static str {
        self.isa
    }

    fn runs_here(&self) -> bool {
        (self.detect)()
    }
}

/// The row with this name, if this CPU can run it.
fn choose<R: Choice>(
    algorithm: &'static str,
    rows: impl Iterator<Item = &'static R> + Clone,
    name: &str,
) -> Result<&'static R, KernelError> {
    let Some(row) = rows.clone().find(|row| row.isa() == name) else {
        let known = join(rows.map(R::isa));
        return Err(KernelError::Unknown { algorithm, name: name.to_owned(), known });
    };
    if !row.runs_here() {
        let available = join(rows.filter(|row| row.runs_here()).map(R::isa));
        return Err(KernelError::NotOnThisCpu { algorithm, name: row.isa(), available });
    }
    Ok(row)
}

fn join(names: impl Iterator<Item = &'static str>) -> String {
    names.fold(String::new(), |list, name| if list.is_empty() { list } else { list + ", " } + name)
}

/// A kernel computes something else than the scalar oracle on this machine: it must not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("self-test of the {algorithm} kernel {isa} failed: {disagreement}")]
pub struct SelfTestError {
    algorithm: &'static str,
    isa: &'static str,
    disagreement: Disagreement,
}

impl Kernel {
    /// The kernels of an algorithm that this CPU can run, expected best first; never empty.
    pub fn available(algorithm: Algorithm) -> impl Iterator<Item = Self> {
        rows().filter(move |row| row.algorithm == algorithm && (row.detect)()).map(Self)
    }

    /// The kernel with this name, as `--kernel` takes it.
    ///
    /// # Errors
    ///
    /// `Unknown` if no row has the name, `NotOnThisCpu` if this CPU cannot run it.
    pub fn by_name(algorithm: Algorithm, name: &str) -> Result<Self, KernelError> {
        let of_algorithm = rows().filter(move |row| row.algorithm == algorithm);
        choose(algorithm.name(), of_algorithm, name).map(Self)
    }

    /// Compares it with the scalar oracle on known answers, in every lane; takes microseconds.
    ///
    /// # Errors
    ///
    /// The first disagreement.
    pub fn self_test(self) -> Result<(), SelfTestError> {
        conformance::quick(&self).map_err(|disagreement| SelfTestError {
            algorithm: self.algorithm().name(),
            isa: self.isa(),
            disagreement,
        })
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

    /// Nonces searched side by side; batches of messages may go in smaller groups.
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
        // SAFETY: whoever made `self` saw `detect` return true, and CPU features do not go away while
        // the process runs.
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

    /// The states after one more block each (the compression function of SHA-256), in order, into `states`;
    /// `None` and nothing done if this row has no such function (BLAKE3).
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[must_use]
    pub fn compress(self, steps: &[Step], states: &mut [Digest]) -> Option<()> {
        assert_eq!(steps.len(), states.len(), "one state a step");
        let compress = self.0.compress?;
        // SAFETY: as in `search`.
        unsafe { compress(steps, states) };
        Some(())
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
