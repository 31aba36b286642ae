//! Bitcoin's merkle tree, naively: the root with the CVE-2012-2459 mutation, branches, and proofs of
//! inclusion. The engine computes roots on kernels and must agree with this one.
//!
//! Leaves and inner nodes are hashed alike, so a proof alone cannot tell one from the other
//! (CVE-2017-12842): [`Inclusion::verify`] wants the number of leaves from somebody it trusts and
//! refuses every other depth.

use crate::hash::sha256::sha256d;
use crate::primitives::{Digest, MerkleRoot};

/// A root, and whether the list of leaves may be a mutated one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merkle {
    /// The root; all zero without leaves.
    pub root: MerkleRoot,
    /// Two equal hashes were paired, so a shorter list of leaves has the same root (CVE-2012-2459).
    pub mutated: bool,
}

/// The parent of two nodes.
#[must_use]
pub fn node(left: &Digest, right: &Digest) -> Digest {
    let mut pair = [0; 64];
    pair[..32].copy_from_slice(left);
    pair[32..].copy_from_slice(right);
    sha256d(&pair)
}

/// The root of the leaves (`ComputeMerkleRoot`): the last node of an odd level is paired with itself.
#[must_use]
pub fn root(leaves: &[Digest]) -> Merkle {
    let mut mutated = false;
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        mutated |= level.as_chunks::<2>().0.iter().any(|[left, right]| left == right);
        level = parents(&level);
    }
    Merkle { root: MerkleRoot(level.first().copied().unwrap_or_default()), mutated }
}

fn parents(level: &[Digest]) -> Vec<Digest> {
    level.chunks(2).map(|pair| node(&pair[0], pair.last().expect("never empty"))).collect()
}

/// Proof that a leaf is in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inclusion {
    /// Position of the leaf.
    pub index: u32,
    /// The other child at each level, the leaf's first.
    pub siblings: Vec<Digest>,
}

/// Why a proof of inclusion proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InclusionError {
    /// There is no such leaf.
    #[error("leaf {index} of a tree of {leaves}")]
    NoSuchLeaf {
        /// Position that the proof claims.
        index: u32,
        /// Leaves of the tree.
        leaves: u32,
    },
    /// The path is longer or shorter than the tree is deep: its end may be an inner node.
    #[error("expected {expected} siblings, got {actual}")]
    WrongDepth {
        /// Depth of the tree.
        expected: usize,
        /// Length of the path.
        actual: usize,
    },
    /// A node is paired with itself where the tree has two, or with another where it has one.
    #[error("the sibling at level {level} cannot stand there")]
    Mutated {
        /// Levels above the leaves.
        level: usize,
    },
    /// The path ends at another root.
    #[error("expected the root {expected}, got {actual}")]
    WrongRoot {
        /// The tree's root.
        expected: MerkleRoot,
        /// The root that the path leads to.
        actual: MerkleRoot,
    },
}

/// Levels above the leaves of a tree of `leaves`: the binary logarithm, rounded up.
#[must_use]
pub fn depth(leaves: u32) -> usize {
    let levels = u32::BITS - leaves.saturating_sub(1).leading_zeros();
    usize::try_from(levels).expect("at most 32")
}

impl Inclusion {
    /// The proof for a leaf, or `None` if there is none at `index`.
    #[must_use]
    pub fn new(leaves: &[Digest], index: u32) -> Option<Self> {
        let mut at = usize::try_from(index).ok().filter(|at| *at < leaves.len())?;
        let mut siblings = Vec::new();
        let mut level = leaves.to_vec();
        while level.len() > 1 {
            siblings.push(level[(at ^ 1).min(level.len() - 1)]);
            level = parents(&level);
            at /= 2;
        }
        Some(Self { index, siblings })
    }

    /// Checks that `leaf` stands at the proof's index in the tree of `leaves` leaves under `root`. The
    /// number of leaves must not come from whoever made the proof.
    ///
    /// # Errors
    ///
    /// The first reason why it proves nothing.
    pub fn verify(
        &self,
        leaf: &Digest,
        leaves: u32,
        root: &MerkleRoot,
    ) -> Result<(), InclusionError> {
        if self.index >= leaves {
            return Err(InclusionError::NoSuchLeaf { index: self.index, leaves });
        }
        let expected = depth(leaves);
        if self.siblings.len() != expected {
            return Err(InclusionError::WrongDepth { expected, actual: self.siblings.len() });
        }
        let (mut at, mut width, mut hash) = (self.index, leaves, *leaf);
        for (level, sibling) in self.siblings.iter().enumerate() {
            let is_alone = at == width - 1 && at.is_multiple_of(2);
            if is_alone != (*sibling == hash) {
                return Err(InclusionError::Mutated { level });
            }
            hash = if at.is_multiple_of(2) { node(&hash, sibling) } else { node(sibling, &hash) };
            at /= 2;
            width = width.div_ceil(2);
        }
        let actual = MerkleRoot(hash);
        if actual != *root {
            return Err(InclusionError::WrongRoot { expected: *root, actual });
        }
        Ok(())
    }
}
