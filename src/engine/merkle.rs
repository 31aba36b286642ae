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

/// The way of the first leaf up a tree whose other leaves come and go: what a miner folds its coinbase
/// into. The first leaf itself is unknown, and with it every node above it.
///
/// Changes are noted and hashed together when the branch is asked for: one changed leaf costs a node a
/// level, all of them cost what the whole tree does.
#[derive(Debug, Clone)]
pub struct BranchTree {
    kernel: NodeKernel,
    /// `levels[0]` are the leaves. Node 0 of each level is the one above the first leaf: never computed.
    levels: Vec<Vec<Digest>>,
    /// Leaves that changed since the branch was asked for.
    changed: Vec<usize>,
}

impl BranchTree {
    /// Of the first leaf alone.
    #[must_use]
    pub fn new(kernel: NodeKernel) -> Self {
        Self { kernel, levels: vec![vec![[0; 32]]], changed: Vec::new() }
    }

    /// How many leaves there are, the first one counted.
    #[must_use]
    pub fn leaves(&self) -> usize {
        self.levels[0].len()
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Digest) {
        self.changed.push(self.leaves());
        self.levels[0].push(leaf);
    }

    /// Replaces a leaf that is there and is not the first.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn set(&mut self, index: usize, leaf: Digest) {
        assert!(index > 0, "the first leaf is unknown");
        self.levels[0][index] = leaf;
        self.changed.push(index);
    }

    /// Removes the last leaf; the first one stays.
    pub fn pop(&mut self) {
        if self.leaves() > 1 {
            self.levels[0].pop();
        }
    }

    /// Removes all leaves but the first.
    pub fn clear(&mut self) {
        self.levels[0].truncate(1);
        self.changed.clear();
    }

    /// The sibling hashes from the first leaf to the root.
    pub fn branch(&mut self) -> Vec<Digest> {
        let mut changed = std::mem::take(&mut self.changed);
        let (mut pairs, mut parents) = (Vec::new(), Vec::new());
        let mut level = 0;
        while self.levels[level].len() > 1 {
            let width = self.levels[level].len().div_ceil(2);
            if self.levels.len() == level + 1 {
                self.levels.push(Vec::new());
            }
            // Where leaves went away, the last node has lost its right child or gained a twin.
            changed.push(2 * (width - 1));
            let old_width = self.levels[level + 1].len();
            changed.extend((old_width..width).map(|parent| 2 * parent));
            for index in &mut changed {
                *index /= 2;
            }
            changed.sort_unstable();
            changed.dedup();
            changed.retain(|parent| (1..width).contains(parent));
            let (below, above) = self.levels.split_at_mut(level + 1);
            let (nodes, row) = (&below[level], &mut above[0]);
            row.resize(width, [0; 32]);
            pairs.clear();
            pairs.extend(changed.iter().map(|parent| {
                let left = &nodes[2 * parent];
                let right = nodes.get(2 * parent + 1).unwrap_or(left);
                let mut pair = [0; 64];
                pair[..32].copy_from_slice(left);
                pair[32..].copy_from_slice(right);
                pair
            }));
            parents.resize(pairs.len(), [0; 32]);
            self.kernel.hash(&pairs, &mut parents);
            for (parent, digest) in changed.iter().zip(&parents) {
                row[*parent] = *digest;
            }
            level += 1;
        }
        self.levels.truncate(level + 1);
        self.levels[..level].iter().map(|nodes| nodes[1]).collect()
    }
}
