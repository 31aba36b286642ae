//! Ancestors looked up once for all transactions of a block: most of those that name an anchor name the
//! same few.

use std::cell::RefCell;

use crate::ledger::map::LongKeyMap;
use crate::ledger::rules::context::Ancestors;
use crate::ledger::store::StoreError;
use crate::primitives::BlockHash;

/// The ancestors of one block.
///
/// Invariant: `heights` holds what `base` gives, which does not change while the block is judged.
pub(super) struct KnownAncestors<'a> {
    base: &'a dyn Ancestors,
    heights: RefCell<LongKeyMap<BlockHash, Option<u32>>>,
}

impl<'a> KnownAncestors<'a> {
    pub(super) fn new(base: &'a dyn Ancestors) -> Self {
        Self { base, heights: RefCell::default() }
    }
}

impl Ancestors for KnownAncestors<'_> {
    fn hash_at(&self, height: u32) -> Result<Option<BlockHash>, StoreError> {
        self.base.hash_at(height)
    }

    fn height_of(&self, hash: &BlockHash) -> Result<Option<u32>, StoreError> {
        if let Some(height) = self.heights.borrow().get(hash) {
            return Ok(*height);
        }
        let height = self.base.height_of(hash)?;
        self.heights.borrow_mut().insert(*hash, height);
        Ok(height)
    }
}
