//! The pending transactions themselves, under small numbers that are used again.

use std::ops::Index;
use std::sync::Arc;

use super::effects::Effects;
use super::order::{FeeRate, Key};
use crate::ledger::block::Included;
use crate::ledger::rules::isolation::Ids;
use crate::ledger::signature::PubKey;
use crate::ledger::transaction::CoreId;
use crate::primitives::Digest;

/// A pending transaction with what is known of it once and for all, and its place.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) included: Arc<Included>,
    pub(super) ids: Ids,
    pub(super) leaf: Digest,
    pub(super) effects: Effects,
    pub(super) rate: FeeRate,
    pub(super) arrival: u64,
    /// The last block that may hold it.
    pub(super) last_height: u32,
    pub(super) key: Key,
    /// The pending request that it waits with.
    pub(super) behind: Option<Behind>,
    /// The same core under the sponsor whom this one has outbid, the first of them.
    pub(super) outbid: Option<Arc<Included>>,
}

/// That a request is pending too, which has to be mined first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Behind {
    pub(super) request: CoreId,
    /// The rate of the request when this one came.
    pub(super) rate: FeeRate,
}

impl Entry {
    pub(super) fn payer(&self) -> PubKey {
        self.included.transaction.payer
    }

    pub(super) fn nonce(&self) -> u64 {
        self.included.transaction.nonce
    }

    pub(super) fn fee(&self) -> u64 {
        self.included.transaction.fee
    }

    /// What places it in the order: a life comes before any fee, and nothing before what it waits with.
    pub(super) fn rank(&self) -> FeeRate {
        let own = if self.is_free() { FeeRate::MAX } else { self.rate };
        self.behind.map_or(own, |behind| own.min(behind.rate))
    }

    pub(super) fn bytes(&self) -> usize {
        self.included.bytes.len()
    }

    pub(super) fn signatures(&self) -> usize {
        self.included.transaction.signature_count()
    }
}

/// Entries by slot.
#[derive(Debug, Clone, Default)]
pub(super) struct Entries {
    slots: Vec<Option<Entry>>,
    /// Invariant: `last_height` of the entry in each slot, [`NEVER`] of an empty one. Side by side, because
    /// every block asks all of them.
    last_heights: Vec<u32>,
    free: Vec<u32>,
}

/// Above every height that is followed to.
const NEVER: u32 = u32::MAX;

impl Entries {
    /// The slot that the next [`Entries::insert`] fills.
    pub(super) fn next_slot(&self) -> u32 {
        let end = || u32::try_from(self.slots.len()).expect("the pool is bounded");
        self.free.last().copied().unwrap_or_else(end)
    }

    pub(super) fn insert(&mut self, entry: Entry) -> u32 {
        let slot = self.next_slot();
        if self.free.pop().is_none() {
            self.slots.push(None);
            self.last_heights.push(NEVER);
        }
        self.last_heights[at(slot)] = entry.last_height;
        self.slots[at(slot)] = Some(entry);
        slot
    }

    pub(super) fn remove(&mut self, slot: u32) -> Entry {
        self.free.push(slot);
        self.last_heights[at(slot)] = NEVER;
        self.slots[at(slot)].take().expect("slots in use only")
    }

    pub(super) fn set_key(&mut self, slot: u32, key: Key) {
        self.slots[at(slot)].as_mut().expect("slots in use only").key = key;
    }

    pub(super) fn set_behind(&mut self, slot: u32, behind: Option<Behind>) {
        self.slots[at(slot)].as_mut().expect("slots in use only").behind = behind;
    }

    /// Slots whose last block is below `height`, ascending.
    pub(super) fn expired(&self, height: u32) -> Vec<u32> {
        let last_heights = (0..).zip(&self.last_heights);
        last_heights.filter(|(_, last)| **last < height).map(|(slot, _)| slot).collect()
    }
}

impl Index<u32> for Entries {
    type Output = Entry;

    fn index(&self, slot: u32) -> &Entry {
        self.slots[at(slot)].as_ref().expect("slots in use only")
    }
}

pub(super) fn at(slot: u32) -> usize {
    usize::try_from(slot).expect("a slot of a vector")
}
