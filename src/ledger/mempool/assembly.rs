//! The transactions of the next block, kept as pending ones come and go: the best ones in order as far
//! as they fit, then what still finds room.
//!
//! Everything before `edge` in the order is chosen; of what comes after it only the `fill`. A change is
//! made at its place at once, and [`Assembly::settle`] moves the edge when the block is asked for. The
//! place of a transaction in the block does not matter, but for later nonces of a payer, which stand
//! after earlier ones.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use super::accounts::Accounts;
use super::entries::{Entries, Entry, at};
use super::next::{Available, NextState};
use super::order::Key;
use crate::engine::merkle::BranchTree;
use crate::engine::nodes::NodeKernel;
use crate::ledger::block::{BLOCK_BYTES_MAX, BLOCK_SIGNATURES_MAX, Included};
use crate::ledger::coinbase::COINBASE_BYTES_MAX;
use crate::ledger::map::LongKeySet;
use crate::ledger::rules::context::{Context, Refusal, Signatures, apply_transaction};
use crate::ledger::state::Session;
use crate::ledger::store::StoreError;
use crate::primitives::Digest;
use crate::primitives::limits::HEADER_BYTES;

/// What transactions of a block may take: header, count and the largest coinbase left out.
const ROOM_BYTES: usize = BLOCK_BYTES_MAX - HEADER_BYTES - 9 - COINBASE_BYTES_MAX;
/// After the edge so many are passed over before the search for something small enough ends.
const MISSES_MAX: usize = 32;
/// How often a block is judged anew without what was not valid in it.
const PASSES_MAX: usize = 3;
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
    /// Of which pool the dependent ones that are chosen are valid one after another, and how many.
    checked: (u64, usize),
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
            checked: (0, 0),
        }
    }

    /// Chooses nothing, until it is settled: cheaper than taking most of a block out one by one.
    pub(super) fn reset(&mut self) {
        for slot in self.block.drain(..) {
            self.places[at(slot)] = NOWHERE;
        }
        self.fill.clear();
        self.checked = (0, 0);
        (self.bytes, self.signatures, self.fees) = (0, 0, 0);
        self.tree.clear();
        self.edge = Some(Key::FIRST);
        self.is_settled = false;
    }

    /// A transaction has found its place in the order.
    pub(super) fn offer(&mut self, slot: u32, entry: &Entry) {
        self.is_settled = false;
        if self.edge.is_none_or(|edge| entry.key < edge) {
            self.choose(slot, entry);
        }
    }

    /// A transaction leaves its place in the order.
    pub(super) fn withdraw(&mut self, slot: u32, pool: Pool<'_>) {
        self.is_settled = false;
        if self.place(slot).is_none() {
            return;
        }
        let key = pool.entries[slot].key;
        self.fill.retain(|filled| *filled != key);
        self.unchoose(slot, pool);
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
        let mut passed = LongKeySet::default();
        let mut misses = 0;
        for key in pool.order.range(edge..) {
            let entry = &pool.entries[key.slot];
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

    /// Puts approvals behind the requests that they wait with, each with what its payer has after it.
    pub(super) fn put_behind(&mut self, pool: Pool<'_>, pairs: &[(u32, u32)]) {
        for _ in 0..PASSES_MAX {
            let is_before = |(approval, request): &(u32, u32)| {
                self.place(*approval).zip(self.place(*request)).is_some_and(|(at, of)| at < of)
            };
            if !pairs.iter().any(is_before) {
                return;
            }
            // All of them: taking one out may bring another one before its request.
            let mut moving = Vec::new();
            for (approval, _) in pairs {
                let entry = &pool.entries[*approval];
                let payer = pool.accounts.get(&entry.payer()).expect("it is pending");
                let later = payer.sequence.range(entry.nonce()..).map(|(_, slot)| *slot);
                let later: Vec<u32> = later.filter(|slot| self.place(*slot).is_some()).collect();
                later.iter().rev().for_each(|slot| self.unchoose(*slot, pool));
                moving.extend(later);
            }
            // A payer's nonces ascend: of two approvals of one payer the first may have taken the second
            // along, and it may be the later one.
            moving.sort_unstable_by_key(|slot| pool.entries[*slot].nonce());
            moving.iter().for_each(|slot| self.choose(*slot, &pool.entries[*slot]));
        }
    }

    /// Takes out for now what those before it in the block make invalid, among those whose validity
    /// depends on others, and what its payer has after it.
    pub(super) fn hold_back<'a>(
        &mut self,
        pool: Pool<'a>,
        dependents: &BTreeSet<u32>,
        version: u64,
        context: &Context<'_>,
        state: impl Fn() -> NextState<'a>,
    ) -> Result<(), StoreError> {
        for _ in 0..PASSES_MAX {
            let block = self.chosen_of(dependents);
            if self.checked == (version, block.len()) {
                return Ok(());
            }
            let spending = block.iter().map(|slot| &pool.entries[*slot]);
            let available = Available::new(state(), pool.accounts, spending);
            let mut session = Session::new(&available, context.height);
            let mut held = Vec::new();
            for slot in &block {
                let entry = &pool.entries[*slot];
                let transaction = &entry.included.transaction;
                let verified = Signatures::Verified;
                match apply_transaction(context, &mut session, transaction, &entry.ids, verified) {
                    Ok(_) => {}
                    Err(Refusal::Store(error)) => return Err(error),
                    Err(Refusal::Rule(_)) => held.push(*slot),
                }
            }
            if held.is_empty() {
                self.checked = (version, block.len());
                return Ok(());
            }
            self.unchoose_sequences(&held, pool);
        }
        // Somebody has made many that stand in each other's way: this block goes without.
        let block = self.chosen_of(dependents);
        self.unchoose_sequences(&block, pool);
        self.checked = (version, 0);
        Ok(())
    }

    /// The chosen ones among `slots`, in block order.
    fn chosen_of(&self, slots: &BTreeSet<u32>) -> Vec<u32> {
        let mut places: Vec<(usize, u32)> =
            slots.iter().filter_map(|slot| Some((self.place(*slot)?, *slot))).collect();
        places.sort_unstable();
        places.into_iter().map(|(_, slot)| slot).collect()
    }

    /// Takes out of the block what has been chosen, each with what its payer has after it.
    fn unchoose_sequences(&mut self, slots: &[u32], pool: Pool<'_>) {
        for slot in slots {
            let entry = &pool.entries[*slot];
            let payer = pool.accounts.get(&entry.payer()).expect("it is pending");
            for (_, slot) in payer.sequence.range(entry.nonce()..).rev() {
                let key = pool.entries[*slot].key;
                self.fill.retain(|filled| *filled != key);
                self.unchoose(*slot, pool);
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
