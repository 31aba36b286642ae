//! From the sixteen subtrees at the lower edge of a page to the one at its upper edge, many pages side
//! by side, so that a kernel always has a batch of nodes to hash.

use super::key::{PAGE_LEVELS, PAGE_SLOTS};
use super::leaf;
use super::page::{Part, Parts};
use crate::engine::nodes::{NodeKernel, Pair};
use crate::primitives::Digest;

const FIRST_SLOT: usize = PAGE_SLOTS as usize - 1;
const NODES: usize = FIRST_SLOT + PAGE_SLOTS as usize;

/// What the subtree under a node holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    Nothing,
    OneLeaf,
    Branch,
}

/// Every node of a page, as in a heap: node 0 is the top, the children of node i are 2i + 1 and
/// 2i + 2, slot s is node 15 + s. The nodes above the slots are computed by
/// [`Folding::run`].
#[derive(Debug, Clone)]
pub(super) struct Fold<'a> {
    leaves: u32,
    branches: u32,
    /// Zero where nothing is held.
    hashes: [Digest; NODES],
    parts: Parts<'a>,
}

impl<'a> Fold<'a> {
    /// Over what the slots of a page hold.
    pub(super) fn new(parts: &Parts<'a>) -> Self {
        let mut fold = Self { leaves: 0, branches: 0, hashes: [[0; 32]; NODES], parts: *parts };
        for (node, part) in (FIRST_SLOT..).zip(parts) {
            match part {
                Part::Empty => {}
                Part::Leaf(_) => fold.leaves |= 1 << node,
                Part::Branch(hash) => {
                    fold.branches |= 1 << node;
                    fold.hashes[node] = **hash;
                }
            }
        }
        fold
    }

    /// What node `node` holds.
    pub(super) fn held(&self, node: usize) -> Held {
        if self.branches >> node & 1 != 0 {
            Held::Branch
        } else if self.leaves >> node & 1 != 0 {
            Held::OneLeaf
        } else {
            Held::Nothing
        }
    }

    /// The hash of the subtree under node `node`.
    pub(super) fn hash(&self, node: usize) -> &Digest {
        &self.hashes[node]
    }

    /// Settles a node that needs no hashing, or gives the two child hashes of one that does.
    fn settle(&mut self, node: usize) -> Option<Pair> {
        let left = 2 * node + 1;
        let branches = self.branches >> left & 0b11;
        let held = self.leaves >> left & 0b11 | branches;
        match (held, branches) {
            (0, _) => return None,
            (0b01, 0) => self.hashes[node] = self.hashes[left],
            (0b10, 0) => self.hashes[node] = self.hashes[left + 1],
            _ => {
                self.branches |= 1 << node;
                let pair = self.hashes[left..left + 2].as_flattened();
                return Some(pair.try_into().expect("two hashes are 64 bytes"));
            }
        }
        self.leaves |= 1 << node;
        None
    }
}

/// Buffers for folding, kept from batch to batch.
#[derive(Debug)]
pub(super) struct Folding {
    kernel: NodeKernel,
    pairs: Vec<Pair>,
    digests: Vec<Digest>,
    /// Which node of which fold each pair belongs to.
    owners: Vec<(usize, usize)>,
}

impl Folding {
    /// Folds that fill the lanes and still stay in a core's cache.
    pub(super) const BATCH: usize = 64;

    pub(super) fn new(kernel: NodeKernel) -> Self {
        Self { kernel, pairs: Vec::new(), digests: Vec::new(), owners: Vec::new() }
    }

    /// Computes the leaves, then the nodes above the slots, level by level.
    pub(super) fn run(&mut self, folds: &mut [Fold<'_>]) {
        self.run_leaves(folds);
        for level in (0..PAGE_LEVELS).rev() {
            self.pairs.clear();
            self.owners.clear();
            for (index, fold) in folds.iter_mut().enumerate() {
                for node in (1 << level) - 1..(2 << level) - 1 {
                    if let Some(pair) = fold.settle(node) {
                        self.pairs.push(pair);
                        self.owners.push((index, node));
                    }
                }
            }
            self.digests.resize(self.pairs.len(), [0; 32]);
            self.kernel.hash(&self.pairs, &mut self.digests);
            for (&(fold, node), digest) in self.owners.iter().zip(&self.digests) {
                folds[fold].hashes[node] = *digest;
            }
        }
    }

    fn run_leaves(&mut self, folds: &mut [Fold<'_>]) {
        let mut leaves: Vec<&[u8]> = Vec::with_capacity(folds.len() * PAGE_SLOTS as usize);
        self.owners.clear();
        for (index, fold) in folds.iter().enumerate() {
            for (node, part) in (FIRST_SLOT..).zip(&fold.parts) {
                if let Part::Leaf(leaf) = part {
                    leaves.push(*leaf);
                    self.owners.push((index, node));
                }
            }
        }
        self.digests.resize(leaves.len(), [0; 32]);
        self.kernel.hash_tagged(leaf::LEAF, &leaves, &mut self.digests);
        for (&(fold, node), digest) in self.owners.iter().zip(&self.digests) {
            folds[fold].hashes[node] = *digest;
        }
    }
}
