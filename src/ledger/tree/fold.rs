//! From the subtrees at the lower edge of a page to the one at its upper edge, many pages side by side,
//! so that a kernel always has a batch of nodes to hash.

use super::EMPTY;
use super::key::PAGE_SLOTS;
use super::leaf;
use super::page::Part;
use crate::engine::nodes::{NodeKernel, Pair};
use crate::primitives::Digest;

/// A subtree with entries, on its way up.
#[derive(Debug, Clone, Copy)]
struct Held {
    /// Where it stands on its level, over all pages: the places of two siblings differ in the last bit.
    place: u32,
    /// Which hash is its own.
    hash: u32,
    /// Whether it has more than one entry: a single leaf goes up as it is.
    is_branch: bool,
}

/// Pages, or parts of pages, to be folded together, and the buffers for it.
#[derive(Debug)]
pub(super) struct Folding {
    kernel: NodeKernel,
    /// The subtrees on the level that was reached, in order.
    held: Vec<Held>,
    hashes: Vec<Digest>,
    /// Leaves to be hashed, and which hashes are theirs.
    leaves: Vec<Pair>,
    of_leaves: Vec<u32>,
    pairs: Vec<Pair>,
    digests: Vec<Digest>,
    /// Pages pushed.
    pages: u32,
}

impl Folding {
    /// Pages that fill the lanes and still stay in a core's cache.
    pub(super) const BATCH: usize = 64;

    pub(super) fn new(kernel: NodeKernel) -> Self {
        Self {
            kernel,
            held: Vec::new(),
            hashes: Vec::new(),
            leaves: Vec::new(),
            of_leaves: Vec::new(),
            pairs: Vec::new(),
            digests: Vec::new(),
            pages: 0,
        }
    }

    /// Adds a page, or a part of one of 1, 2, 4 or 8 slots; all of them have as many.
    pub(super) fn push(&mut self, parts: &[Part<'_>]) {
        let first = self.pages * u32::from(PAGE_SLOTS);
        self.pages += 1;
        for (place, part) in (first..).zip(parts) {
            let is_branch = match part {
                Part::Empty => continue,
                Part::Leaf(leaf) => {
                    self.leaves.push(**leaf);
                    self.of_leaves.push(index(self.hashes.len()));
                    self.hashes.push(EMPTY);
                    false
                }
                Part::Branch(hash) => {
                    self.hashes.push(**hash);
                    true
                }
            };
            self.held.push(Held { place, hash: index(self.hashes.len() - 1), is_branch });
        }
    }

    /// The hashes of what was pushed, in order, each of so many levels; nothing is left.
    pub(super) fn run(&mut self, levels: usize) -> Vec<Digest> {
        self.run_leaves();
        for _ in 0..levels {
            self.run_level();
        }
        let mut hashes = vec![EMPTY; self.pages as usize];
        for held in &self.held {
            let page = held.place >> (PAGE_SLOTS.ilog2() as usize - levels);
            hashes[page as usize] = self.hashes[held.hash as usize];
        }
        self.pages = 0;
        self.held.clear();
        self.hashes.clear();
        hashes
    }

    /// The hash of a page, or of a part of one.
    pub(super) fn hash_of(&mut self, parts: &[Part<'_>]) -> Digest {
        self.push(parts);
        self.run(parts.len().ilog2() as usize)[0]
    }

    fn run_leaves(&mut self) {
        self.digests.resize(self.leaves.len(), EMPTY);
        self.kernel.hash_tagged_pairs(leaf::LEAF, &self.leaves, &mut self.digests);
        for (hash, digest) in self.of_leaves.iter().zip(&self.digests) {
            self.hashes[*hash as usize] = *digest;
        }
        self.leaves.clear();
        self.of_leaves.clear();
    }

    /// One level up.
    fn run_level(&mut self) {
        self.pairs.clear();
        let first = index(self.hashes.len());
        let (mut from, mut to) = (0, 0);
        while let Some(&one) = self.held.get(from) {
            from += 1;
            let sibling = self.held.get(from).filter(|other| other.place == one.place ^ 1);
            let mut above = Held { place: one.place >> 1, ..one };
            if one.is_branch || sibling.is_some() {
                let mut pair = [0; 64];
                let (left, right) = pair.split_at_mut(32);
                let hash = &self.hashes[one.hash as usize];
                if one.place & 1 == 0 { left } else { &mut *right }.copy_from_slice(hash);
                if let Some(other) = sibling {
                    // They are in order, so the first is the left one.
                    right.copy_from_slice(&self.hashes[other.hash as usize]);
                    from += 1;
                }
                above.hash = first + index(self.pairs.len());
                above.is_branch = true;
                self.pairs.push(pair);
            }
            self.held[to] = above;
            to += 1;
        }
        self.held.truncate(to);
        self.hashes.resize(self.hashes.len() + self.pairs.len(), EMPTY);
        self.kernel.hash(&self.pairs, &mut self.hashes[first as usize..]);
    }
}

fn index(of: usize) -> u32 {
    u32::try_from(of).expect("a batch is small")
}
