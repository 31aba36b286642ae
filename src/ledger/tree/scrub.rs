//! Reading a whole tree and checking every page against the root: what finds a changed bit in a store.

use super::StateRoot;
use super::fold::Folding;
use super::key::{PAGE_LEVELS, PagePath};
use super::leaf::Leaf;
use super::page::Slot;
use super::pages::{Pages, PagesError, expect_page, read};
use crate::engine::nodes::NodeKernel;
use crate::primitives::Digest;

/// Walks the tree in batches: each step reads up to 64 pages, checks that they have the hashes which
/// stand above them, and gives their leaves, in no order that means anything. It ends after the first
/// error.
///
/// The caller checks that each leaf is that of an entry, and at the end that there are no more entries
/// than leaves and no more pages than [`Scrub::pages_checked`].
#[derive(Debug)]
pub struct Scrub<P> {
    pages: P,
    folding: Folding,
    /// Pages to read and the hashes they must have. Taken from the end, so it stays short.
    ahead: Vec<(PagePath, Digest)>,
    pages_checked: u64,
}

impl<P: Pages> Scrub<P> {
    /// Starts at the root.
    ///
    /// # Errors
    ///
    /// The root is that of no entries and there is a page, or the root page cannot be read.
    pub fn new(
        kernel: NodeKernel,
        pages: P,
        root: StateRoot,
    ) -> Result<Self, PagesError<P::Error>> {
        let path = PagePath::ROOT;
        let mut ahead = Vec::new();
        if root != StateRoot::EMPTY {
            ahead.push((path, root.0));
        } else if read(&pages, path)?.is_some() {
            return Err(PagesError::WrongHash { path });
        }
        Ok(Self { pages, folding: Folding::new(kernel), ahead, pages_checked: 0 })
    }

    /// How many pages were found right.
    #[must_use]
    pub fn pages_checked(&self) -> u64 {
        self.pages_checked
    }

    fn step(&mut self) -> Result<Vec<Leaf>, PagesError<P::Error>> {
        let batch = self.ahead.split_off(self.ahead.len().saturating_sub(Folding::BATCH));
        let mut leaves = Vec::new();
        for (path, _) in &batch {
            let page = expect_page(&self.pages, *path)?;
            for (slot, held) in page.slots() {
                match held {
                    Slot::Empty => {}
                    Slot::Leaf(leaf) => leaves.push(leaf),
                    Slot::Branch(hash) => {
                        let below =
                            path.child(slot).ok_or(PagesError::Misplaced { path: *path })?;
                        self.ahead.push((below, hash));
                    }
                }
            }
            self.folding.push(&page.parts());
        }
        for ((path, expected), hash) in batch.iter().zip(self.folding.run(PAGE_LEVELS)) {
            if hash != *expected {
                return Err(PagesError::WrongHash { path: *path });
            }
            self.pages_checked += 1;
        }
        Ok(leaves)
    }
}

impl<P: Pages> Iterator for Scrub<P> {
    type Item = Result<Vec<Leaf>, PagesError<P::Error>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ahead.is_empty() {
            return None;
        }
        let step = self.step();
        if step.is_err() {
            self.ahead.clear();
        }
        Some(step)
    }
}
