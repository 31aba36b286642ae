//! Nodes of hash trees by the batch: SHA-256d of 64-byte messages on a kernel that has them. It knows
//! pairs of digests, not what trees mean.

use crate::hash::Algorithm;
use crate::kernel::Kernel;
pub use crate::kernel::Pair;
use crate::primitives::Digest;

/// A kernel that hashes nodes: every one gives the same digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeKernel(Kernel);

impl NodeKernel {
    /// The kernel as one for nodes, or `None` if it hashes none.
    #[must_use]
    pub fn new(kernel: Kernel) -> Option<Self> {
        kernel.hash_pairs(&[], &mut []).map(|()| Self(kernel))
    }

    /// Those that this CPU can run, expected best first; never empty.
    pub fn available() -> impl Iterator<Item = Self> {
        Kernel::available(Algorithm::Sha256d).filter_map(Self::new)
    }

    /// The one that is expected to be best.
    ///
    /// # Panics
    ///
    /// Never: the portable row hashes nodes.
    #[must_use]
    pub fn best() -> Self {
        Self::available().next().expect("the portable row hashes nodes")
    }

    /// Its instruction set: the name for `--kernel`.
    #[must_use]
    pub fn isa(self) -> &'static str {
        self.0.isa()
    }

    /// Hashes nodes, in order, into `digests`.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn hash(self, pairs: &[Pair], digests: &mut [Digest]) {
        self.0.hash_pairs(pairs, digests).expect("checked when it was made");
    }
}
