//! The branch whose bodies are collected: it has more work than the tip, or the witnesses stand behind it,
//! and some of its bodies have been let go.
//!
//! Bodies come one at a time, in any order, and a branch may be long. What has been found of it is
//! therefore written down with every step, in the write that keeps the block: up to which height it is
//! whole, and below which key in the queue of bodies there are none but its own. While the same branch is
//! wanted neither is looked for twice, so that to collect n bodies takes n log n reads in all, whatever
//! interrupts it (444 for each of 4,000 small blocks; walking the branch for each took 42,098). If another
//! branch comes to have more work and is wanted instead, both are looked for anew.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::ledger::chain::branch::{Branch, ancestor_at, fork_height, holds_settled};
use crate::ledger::chain::record::{Record, Status};
use crate::ledger::chain::side::{BODY, WANTED};
use crate::ledger::chain::view::{View, corrupt};
use crate::ledger::rules::context::Ancestors;
use crate::ledger::store::{Overlay, StoreError, Table};
use crate::primitives::{BlockHash, Digest};

/// What is written down.
#[derive(Debug, Clone, BorshSerialize, BorshDeserialize)]
struct Progress {
    last: Digest,
    is_witnessed: bool,
    whole_below: u32,
    kept_below: Vec<u8>,
}

/// A branch whose bodies are collected, or may have to be.
pub(super) struct Wanted {
    /// Its last block.
    pub(super) last: BlockHash,
    /// The record of that.
    pub(super) record: Record,
    is_witnessed: bool,
    /// Every block of it below this height has its body.
    whole_below: u32,
    /// Every body that is queued under a key below this one is of it.
    kept_below: Vec<u8>,
}

impl Wanted {
    /// The one that is wanted, while that makes sense.
    pub(super) fn read(view: View<'_>) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = view.0.get(Table::Sides, WANTED)? else { return Ok(None) };
        let Progress { last, is_witnessed, whole_below, kept_below } =
            borsh::from_slice(&bytes).map_err(|_| corrupt("the wanted branch does not decode"))?;
        let last = BlockHash(last);
        // A header that nobody wanted any more may have been forgotten.
        let Some(record) = view.record(&last)? else { return Ok(None) };
        let is_better = is_witnessed || record.work > view.expect_record(&view.tip()?)?.work;
        let makes_sense = is_better
            && record.status != Status::Invalid
            && view.hash_at(record.height)? != Some(last)
            && holds_settled(view, &record, &last)?;
        Ok(makes_sense.then_some(Self { last, record, is_witnessed, whole_below, kept_below }))
    }

    /// The one that is wanted, if this block is on it.
    pub(super) fn read_with(
        view: View<'_>,
        record: &Record,
        hash: &BlockHash,
    ) -> Result<Option<Self>, StoreError> {
        let Some(wanted) = Self::read(view)? else { return Ok(None) };
        Ok(wanted.holds(view, record, hash)?.then_some(wanted))
    }

    /// The one that is wanted, before something is let go or counted: what makes no sense any more must not
    /// come back with progress that is no longer true.
    pub(super) fn read_or_clear(overlay: &mut Overlay<'_>) -> Result<Option<Self>, StoreError> {
        let wanted = Self::read(View(&*overlay))?;
        if wanted.is_none() {
            overlay.delete(Table::Sides, WANTED);
        }
        Ok(wanted)
    }

    /// The branch that ends in a block, with what is known of it.
    pub(super) fn to(
        view: View<'_>,
        record: &Record,
        hash: &BlockHash,
    ) -> Result<Self, StoreError> {
        let kept_below = vec![BODY];
        let branch =
            Self { last: *hash, record: *record, is_witnessed: false, whole_below: 0, kept_below };
        if let Some(wanted) = Self::read(view)? {
            if branch.holds(view, &wanted.record, &wanted.last)? {
                let Self { whole_below, kept_below, .. } = wanted;
                return Ok(Self { whole_below, kept_below, ..branch });
            }
            if wanted.holds(view, record, hash)? {
                return Ok(Self { whole_below: wanted.whole_below, ..branch });
            }
        }
        // Bodies are let go from below, so that one look mostly tells.
        let lowest = fork_height(view, record, hash)?.saturating_add(1);
        let first = ancestor_at(view, record, hash, lowest)?;
        let whole_below = match view.expect_record(&first)?.status {
            Status::Bare => lowest,
            _ => {
                let missing = Branch::to(view, record, hash)?.missing();
                missing.unwrap_or(record.height.saturating_add(1))
            }
        };
        Ok(Self { whole_below, ..branch })
    }

    /// Whether a block is on it, below the fork included.
    pub(super) fn holds(
        &self,
        view: View<'_>,
        record: &Record,
        hash: &BlockHash,
    ) -> Result<bool, StoreError> {
        Ok(record.height <= self.record.height
            && ancestor_at(view, &self.record, &self.last, record.height)? == *hash)
    }

    /// The lowest block of it whose body is not there.
    pub(super) fn missing(&mut self, view: View<'_>) -> Result<Option<BlockHash>, StoreError> {
        while self.whole_below <= self.record.height {
            let hash = ancestor_at(view, &self.record, &self.last, self.whole_below)?;
            if view.expect_record(&hash)?.status == Status::Bare {
                return Ok(Some(hash));
            }
            self.whole_below = self.whole_below.saturating_add(1);
        }
        Ok(None)
    }

    /// Has its bodies collected; of two branches that have more work than the tip those of the one with more.
    pub(super) fn want(self, overlay: &mut Overlay<'_>) -> Result<(), StoreError> {
        let other = Self::read(View(&*overlay))?;
        if other.is_none_or(|other| other.record.work < self.record.work) {
            self.write(overlay);
        }
        Ok(())
    }

    /// Has its bodies collected whatever its work, because the witnesses stand behind it.
    pub(super) fn want_witnessed(self, overlay: &mut Overlay<'_>) {
        Self { is_witnessed: true, ..self }.write(overlay);
    }

    /// The key in the queue of bodies from which on there may be some that are not of it.
    pub(super) fn kept_below(&self) -> &[u8] {
        &self.kept_below
    }

    /// With another one.
    pub(super) fn with_kept_below(self, kept_below: Vec<u8>) -> Self {
        Self { kept_below, ..self }
    }

    /// Keeps its progress.
    pub(super) fn write(self, overlay: &mut Overlay<'_>) {
        let Self { last, record: _, is_witnessed, whole_below, kept_below } = self;
        let progress = Progress { last: last.0, is_witnessed, whole_below, kept_below };
        let bytes = borsh::to_vec(&progress).expect("writing to memory cannot fail");
        overlay.put(Table::Sides, WANTED, bytes);
    }
}
