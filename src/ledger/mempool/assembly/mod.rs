//! The transactions of the next block, kept as pending ones come and go: the best ones in order as far
//! as they fit, then what still finds room.
//!
//! Everything before `edge` in the order is chosen; of what comes after it only the `fill`. A change is
//! made at its place at once, and [`Assembly::settle`] moves the edge when the block is asked for. The
//! place of a transaction in the block does not matter, but for later nonces of a payer, which stand
//! after earlier ones, and for those whose validity depends on others (`judge`).

mod judge;

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use super::accounts::Accounts;
use super::entries::{Entries, Entry, at};
use super::order::Key;
use crate::engine::merkle::BranchTree;
use crate::engine::nodes::NodeKernel;
use crate::ledger::block::{BLOCK_BYTES_MAX, BLOCK_SIGNATURES_MAX, Included};
use crate::ledger::coinbase::COINBASE_BYTES_MAX;
use crate::ledger::map::LongKeySet;
use crate::ledger::signature::PubKey;
use crate::primitives::Digest;
use crate::primitives::limits::HEADER_BYTES;

pub(super) use judge::Dependents;

/// What transactions of a block may take: header, count and the largest coinbase left out.
const ROOM_BYTES: usize = BLOCK_BYTES_MAX - HEADER_BYTES - 9 - COINBASE_BYTES_MAX;
/// After the edge so many are passed over before the search for something small enough ends.
const MISSES_MAX: usize = 32;
/// Not chosen.
const NOWHERE: u32 = u32::MAX;

#[derive(Debug, Clone)]
pub(super) struct Assembly {
    /// The chosen slots in block order: leaf i + 1.
    block: Vec<u32>,
    /// Where each slot stands in `block`.
    places: Vec<u32>,
    /// The first in the order that is not chosen; none if all are.
    edge: Option<Key>,
    fill: Vec<Key>,
    bytes: usize,
    signatures: usize,
    fees: u64,
    tree: BranchTree,
    is_settled: bool,
    /// Whether the dependents of the block are valid one after another.
    is_judged: bool,
    /// Chosen, but left out because they are not: part of no number above, and chosen again before anything
    /// changes.
    held: Vec<u32>,
}

/// What the pool shows the assembly of itself.
#[derive(Clone, Copy)]
pub(super) struct Pool<'a> {
    pub(super) entries: &'a Entries,
    pub(super) accounts: &'a Accounts,
    pub(super) order: &'a BTreeSet<Key>,
}

impl Assembly {
    pub(super) fn new(kernel: NodeKernel) -> Self {
        Self {
            block: Vec::new(),
            places: Vec::new(),
            edge: None,
            fill: Vec::new(),
            bytes: 0,
            signatures: 0,
            fees: 0,
            tree: BranchTree::new(kernel),
            is_settled: true,
            is_judged: false,
            held: Vec::new(),
        }
    }

    /// Chooses nothing, until it is settled: cheaper than taking most of a block out one by one.
    pub(super) fn reset(&mut self) {
        for slot in self.block.drain(..) {
            self.places[at(slot)] = NOWHERE;
        }
        self.fill.clear();
        self.held.clear();
        (self.bytes, self.signatures, self.fees) = (0, 0, 0);
        self.tree.clear();
        self.edge = Some(Key::FIRST);
        self.is_settled = false;
        self.is_judged = false;
    }

    /// A transaction has found its place in the order.
    pub(super) fn offer(&mut self, slot: u32, pool: Pool<'_>) {
        self.unsettle(pool);
        let entry = &pool.entries[slot];
        if self.edge.is_none_or(|edge| entry.key < edge) {
            self.choose(slot, entry);
        }
    }

    /// A transaction leaves its place in the order.
    pub(super) fn withdraw(&mut self, slot: u32, pool: Pool<'_>) {
        self.unsettle(pool);
        if self.place(slot).is_none() {
            return;
        }
        let key = pool.entries[slot].key;
        self.fill.retain(|filled| *filled != key);
        self.unchoose(slot, pool);
    }

    /// Chooses again what was held back: what changes may let it in.
    fn unsettle(&mut self, pool: Pool<'_>) {
        self.is_settled = false;
        self.is_judged = false;
        let mut held = std::mem::take(&mut self.held);
        held.sort_unstable_by_key(|slot| pool.entries[*slot].nonce());
        for slot in held {
            self.choose(slot, &pool.entries[slot]);
        }
    }

    /// Moves the edge to where the block is full, and fills what room is left.
    pub(super) fn settle(&mut self, pool: Pool<'_>) {
        if self.is_settled {
            return;
        }
        while let Some(key) = self.fill.pop() {
            self.unchoose(key.slot, pool);
        }
        while self.bytes > ROOM_BYTES || self.signatures > BLOCK_SIGNATURES_MAX {
            let before = self.edge.map_or(Bound::Unbounded, Bound::Excluded);
            let worst = pool.order.range((Bound::Unbounded, before)).next_back();
            let worst = *worst.expect("what is chosen stands before the edge");
            self.unchoose(worst.slot, pool);
            self.edge = Some(worst);
        }
        if let Some(edge) = self.edge {
            self.edge = None;
            for key in pool.order.range(edge..) {
                if !self.has_room_for(&pool.entries[key.slot]) {
                    self.edge = Some(*key);
                    break;
                }
                self.choose(key.slot, &pool.entries[key.slot]);
            }
        }
        if let Some(edge) = self.edge {
            self.fill_up(edge, pool);
        }
        self.is_settled = true;
    }

    fn fill_up(&mut self, edge: Key, pool: Pool<'_>) {
        // Who has been passed over has no later ones in this block.
        let held = self.held.iter().map(|slot| pool.entries[*slot].payer());
        let held: LongKeySet<PubKey> = held.collect();
        let mut passed = LongKeySet::default();
        let mut misses = 0;
        for key in pool.order.range(edge..) {
            let entry = &pool.entries[key.slot];
            if self.place(key.slot).is_some() || held.contains(&entry.payer()) {
                continue;
            }
            if passed.contains(&entry.payer()) || !self.has_room_for(entry) {
                passed.insert(entry.payer());
                misses += 1;
                if misses > MISSES_MAX {
                    break;
                }
            } else {
                self.choose(key.slot, entry);
                self.fill.push(*key);
            }
        }
    }

    /// The transactions in block order.
    pub(super) fn transactions(&self, entries: &Entries) -> Vec<Arc<Included>> {
        self.block.iter().map(|slot| Arc::clone(&entries[*slot].included)).collect()
    }

    pub(super) fn fees(&self) -> u64 {
        self.fees
    }

    pub(super) fn branch(&mut self) -> Vec<Digest> {
        self.tree.branch()
    }

    fn has_room_for(&self, entry: &Entry) -> bool {
        self.bytes + entry.bytes() <= ROOM_BYTES
            && self.signatures + entry.signatures() <= BLOCK_SIGNATURES_MAX
    }

    fn place(&self, slot: u32) -> Option<usize> {
        let place = self.places.get(at(slot)).copied().filter(|place| *place != NOWHERE);
        place.map(at)
    }

    fn set_place(&mut self, slot: u32, place: usize) {
        if self.places.len() <= at(slot) {
            self.places.resize(at(slot) + 1, NOWHERE);
        }
        self.places[at(slot)] = u32::try_from(place).expect("a block is bounded");
    }

    fn choose(&mut self, slot: u32, entry: &Entry) {
        self.set_place(slot, self.block.len());
        self.block.push(slot);
        self.tree.push(entry.leaf);
        self.bytes += entry.bytes();
        self.signatures += entry.signatures();
        // Each fee is reserved of what its payer owns, so together they are part of the supply.
        self.fees = self.fees.saturating_add(entry.fee());
    }

    /// Takes one out. The last of the block moves into the hole; if that would bring it before earlier
    /// ones of its payer, these move up instead, each to the place of the one before.
    fn unchoose(&mut self, slot: u32, pool: Pool<'_>) {
        let Some(mut hole) = self.place(slot) else { return };
        let entry = &pool.entries[slot];
        self.places[at(slot)] = NOWHERE;
        self.bytes -= entry.bytes();
        self.signatures -= entry.signatures();
        self.fees = self.fees.saturating_sub(entry.fee());
        let last = self.block[self.block.len() - 1];
        if last != slot {
            let mover = &pool.entries[last];
            let mut moving = vec![last];
            let account = pool.accounts.get(&mover.payer()).expect("it is pending");
            for (_, earlier) in account.sequence.range(..mover.nonce()).rev() {
                match self.place(*earlier) {
                    Some(place) if place < hole => break,
                    Some(_) => moving.push(*earlier),
                    None => {}
                }
            }
            for slot in moving.into_iter().rev() {
                let next_hole = self.place(slot).expect("it is chosen");
                self.block[hole] = slot;
                self.set_place(slot, hole);
                self.tree.set(hole + 1, pool.entries[slot].leaf);
                hole = next_hole;
            }
        }
        self.block.pop();
        self.tree.pop();
    }
}
