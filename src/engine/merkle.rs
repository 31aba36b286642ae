//! Merkle roots on the kernels: level by level, many nodes at once. Agrees with
//! [`consensus::merkle::root`](crate::consensus::merkle::root), the mutation included.

use super::nodes::NodeKernel;
use crate::consensus::merkle::Merkle;
use crate::primitives::{Digest, MerkleRoot};

/// A kernel, and room for two levels of a tree that is kept from tree to tree.
#[derive(Debug, Clone)]
pub struct MerkleHasher {
    kernel: NodeKernel,
    level: Vec<Digest>,
    parents: Vec<Digest>,
}

impl MerkleHasher {
    /// No room yet: it grows to what the largest tree needs.
    #[must_use]
    pub fn new(kernel: NodeKernel) -> Self {
        Self { kernel, level: Vec::new(), parents: Vec::new() }
    }

    /// The root of the leaves and whether they may be mutated (CVE-2012-2459).
    pub fn root(&mut self, leaves: &[Digest]) -> Merkle {
        let mut mutated = false;
        self.level.clear();
        self.level.extend_from_slice(leaves);
        while let [_, .., last] = *self.level {
            mutated |= self.level.as_chunks::<2>().0.iter().any(|[left, right]| left == right);
            if !self.level.len().is_multiple_of(2) {
                self.level.push(last);
            }
            let (pairs, _) = self.level.as_flattened().as_chunks::<64>();
            self.parents.resize(pairs.len(), [0; 32]);
            self.kernel.hash(pairs, &mut self.parents);
            std::mem::swap(&mut self.level, &mut self.parents);
        }
        Merkle { root: MerkleRoot(self.level.first().copied().unwrap_or_default()), mutated }
    }
}
