//! A state without a chain: blocks are applied to a map of entries and undone by their undo records, and
//! only heights matter.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use std::collections::BTreeMap;

use proofward::ledger::rules::context::Ancestors;
use proofward::ledger::state::{Change, Delta, EntryKey, StateRead};
use proofward::ledger::store::StoreError;
use proofward::ledger::transaction::CoreId;
use proofward::primitives::BlockHash;

/// A chain of which only the heights matter: its blocks are named by their heights.
pub(crate) struct Heights(pub(crate) u32);

pub(crate) fn hash_of(height: u32) -> BlockHash {
    let mut hash = [1; 32];
    hash[..4].copy_from_slice(&height.to_le_bytes());
    BlockHash(hash)
}

impl Ancestors for Heights {
    fn hash_at(&self, height: u32) -> Result<Option<BlockHash>, StoreError> {
        Ok((height < self.0).then(|| hash_of(height)))
    }

    fn height_of(&self, hash: &BlockHash) -> Result<Option<u32>, StoreError> {
        let height = u32::from_le_bytes(*hash.0.first_chunk().unwrap());
        Ok((height < self.0 && hash_of(height) == *hash).then_some(height))
    }
}

/// Every entry, and the core ids that are remembered.
#[derive(Default, Clone)]
pub(crate) struct Base {
    pub(crate) entries: BTreeMap<EntryKey, Vec<u8>>,
    pub(crate) cores: BTreeMap<CoreId, u32>,
}

impl StateRead for Base {
    fn entry(&self, key: &EntryKey) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.entries.get(key).cloned())
    }

    fn accepted_at(&self, core: &CoreId) -> Result<Option<u32>, StoreError> {
        Ok(self.cores.get(core).copied())
    }
}

impl Base {
    pub(crate) fn apply(&mut self, delta: &Delta) {
        for Change { key, old, new } in delta.changes() {
            assert_eq!(self.entries.get(key), old.as_ref());
            match new {
                Some(value) => self.entries.insert(key.clone(), value.clone()),
                None => self.entries.remove(key),
            };
        }
        let (added, removed) = delta.accepted();
        for core in removed {
            self.cores.remove(&core);
        }
        self.cores.extend(added);
    }

    /// Undoes the block that left this record.
    pub(crate) fn undo(&mut self, record: &[u8]) {
        let back = Delta::from_undo(record, |key| self.entry(key)).unwrap();
        self.apply(&back.expect("a record of ours"));
    }
}
