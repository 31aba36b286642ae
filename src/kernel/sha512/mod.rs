//! SHA-512 of many short messages: rows beside those of [`super::Kernel`], under the same rules. A message
//! is one block with its padding, as the challenge of an Ed25519 signature mostly is.

mod lanes;

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86_avx2;
#[cfg(target_arch = "x86_64")]
mod x86_avx512;

pub mod conformance;

use std::fmt;
use std::sync::OnceLock;

use super::{Choice, KernelError, SelfTestError, choose};
use crate::hash::sha512::{Block, Digest512};

/// What errors call it.
const ALGORITHM: &str = "sha512";

/// A way to hash on this CPU. Only `available`, `best` and `by_name` make one, after they looked, so holding
/// one proves that the CPU has what it needs.
#[derive(Clone, Copy)]
pub struct Sha512Kernel(&'static Row);

/// One instruction set. Contract of `hash_blocks`: `detect` returned true.
struct Row {
    isa: &'static str,
    /// Messages hashed side by side.
    lanes: u32,
    detect: fn() -> bool,
    hash_blocks: unsafe fn(&[Block], &mut [Digest512]),
}

impl Choice for Row {
    fn isa(&self) -> &'static str {
        self.isa
    }

    fn runs_here(&self) -> bool {
        (self.detect)()
    }
}

/// Every kernel, expected best first; the last runs everywhere.
static KERNELS: &[&Row] = &[
    #[cfg(target_arch = "x86_64")]
    &x86_avx512::ROW,
    #[cfg(target_arch = "x86_64")]
    &x86_avx2::ROW,
    &portable::ROW,
];

impl Sha512Kernel {
    /// The kernels that this CPU can run, expected best first; never empty.
    pub fn available() -> impl Iterator<Item = Self> {
        KERNELS.iter().filter(|row| row.runs_here()).map(|row| Self(row))
    }

    /// The first of them that passes its self-test.
    ///
    /// # Panics
    ///
    /// Never: the portable row is the oracle.
    #[must_use]
    pub fn best() -> Self {
        static BEST: OnceLock<Sha512Kernel> = OnceLock::new();
        let is_sound = |kernel: &Self| kernel.self_test().is_ok();
        let best = || Self::available().find(is_sound).expect("the portable row is the oracle");
        *BEST.get_or_init(best)
    }

    /// The kernel of this instruction set.
    ///
    /// # Errors
    ///
    /// `Unknown` if no row has the name, `NotOnThisCpu` if this CPU cannot run it.
    pub fn by_name(name: &str) -> Result<Self, KernelError> {
        choose(ALGORITHM, KERNELS.iter().copied(), name).map(Self)
    }

    /// Compares it with the scalar oracle, in every lane; takes microseconds.
    ///
    /// # Errors
    ///
    /// The first disagreement.
    pub fn self_test(self) -> Result<(), SelfTestError> {
        let fail =
            |disagreement| SelfTestError { algorithm: ALGORITHM, isa: self.isa(), disagreement };
        conformance::quick(&self).map_err(fail)
    }

    /// Its instruction set.
    #[must_use]
    pub fn isa(self) -> &'static str {
        self.0.isa
    }

    /// Messages hashed side by side.
    #[must_use]
    pub fn lanes(self) -> u32 {
        self.0.lanes
    }

    /// Hashes messages with their padding (FIPS 180-4, section 5.1.2), one block each, in order, into
    /// `digests`. What a block holds is not looked at.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn hash_blocks(self, blocks: &[Block], digests: &mut [Digest512]) {
        assert_eq!(blocks.len(), digests.len(), "one digest a block");
        // SAFETY: whoever made `self` saw `detect` return true, and CPU features do not go away while
        // the process runs.
        unsafe { (self.0.hash_blocks)(blocks, digests) }
    }
}

impl fmt::Debug for Sha512Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha512Kernel({})", self.0.isa)
    }
}

impl PartialEq for Sha512Kernel {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Sha512Kernel {}
