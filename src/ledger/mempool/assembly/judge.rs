//! Of the chosen transactions whose validity depends on others, those that are valid one after another.
//! Each is applied once, the best first, so whoever would make others invalid has to pay more than they do,
//! and takes no more from a block than what is refused because of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Assembly, Pool};
use crate::ledger::mempool::entries::Entry;
use crate::ledger::mempool::next::{Available, NextState};
use crate::ledger::rules::context::{Context, Refusal, Signatures, apply_transaction};
use crate::ledger::state::Session;
use crate::ledger::store::StoreError;
use crate::ledger::transaction::CoreId;

/// How often the room of what was held back is filled with what comes next, and judged again.
const REFILLS_MAX: usize = 3;

/// What the pool knows of those whose validity depends on others.
#[derive(Clone, Copy)]
pub(in crate::ledger::mempool) struct Dependents<'a> {
    /// All of them.
    pub(in crate::ledger::mempool) slots: &'a BTreeSet<u32>,
    /// The pending requests among them.
    pub(in crate::ledger::mempool) requests: &'a BTreeMap<CoreId, u32>,
}

impl Assembly {
    /// Holds back for now what those before it in the block make invalid, with what its payer has after
    /// it, and puts the others in the order in which they were accepted.
    pub(in crate::ledger::mempool) fn judge<'a>(
        &mut self,
        pool: Pool<'a>,
        dependents: Dependents<'a>,
        context: &Context<'_>,
        state: impl Fn() -> NextState<'a>,
    ) -> Result<(), StoreError> {
        if self.is_judged {
            return Ok(());
        }
        for round in 0..=REFILLS_MAX {
            let accepted = self.accepted(pool, dependents, context, state())?;
            let is_all = !self.hold_back_all_but(&accepted, pool, dependents);
            self.arrange(&accepted, pool);
            if is_all || round == REFILLS_MAX || !self.refill(pool, dependents) {
                break;
            }
        }
        self.is_judged = true;
        Ok(())
    }

    /// The chosen dependents that are valid one after another, in that order.
    fn accepted<'a>(
        &self,
        pool: Pool<'a>,
        dependents: Dependents<'a>,
        context: &Context<'_>,
        state: NextState<'a>,
    ) -> Result<Vec<u32>, StoreError> {
        let order = self.dependents_in_order(pool, dependents);
        let spending = order.iter().map(|slot| &pool.entries[*slot]);
        let available = Available::new(state, pool.accounts, spending);
        let mut session = Session::new(&available, context.height);
        let mut accepted = Vec::with_capacity(order.len());
        let mut is_accepted = BTreeSet::new();
        for slot in order {
            let entry = &pool.entries[slot];
            // Where the one before it is left out, so is this one: it would make that stale.
            let before = self.dependent_before(entry, pool, dependents);
            if before.is_some_and(|before| !is_accepted.contains(&before)) {
                continue;
            }
            let transaction = &entry.included.transaction;
            let verified = Signatures::Verified;
            match apply_transaction(context, &mut session, transaction, &entry.ids, verified) {
                Ok(_) => {
                    accepted.push(slot);
                    is_accepted.insert(slot);
                }
                Err(Refusal::Rule(_)) => {}
                Err(Refusal::Store(error)) => return Err(error),
            }
        }
        Ok(accepted)
    }

    /// The chosen dependents, the best first, but each after those of its payer with lower nonces and
    /// after the request that it waits with. Where two want to stand before each other, one does not, and
    /// is refused.
    fn dependents_in_order(&self, pool: Pool<'_>, dependents: Dependents<'_>) -> Vec<u32> {
        let chosen = dependents.slots.iter().filter(|slot| self.place(**slot).is_some());
        let mut best_first: Vec<_> = chosen.map(|slot| pool.entries[*slot].key).collect();
        best_first.sort_unstable();
        let mut order = Vec::with_capacity(best_first.len());
        let mut met = BTreeSet::new();
        for key in best_first {
            let mut path = vec![(key.slot, false)];
            while let Some((slot, is_next)) = path.pop() {
                if is_next {
                    order.push(slot);
                } else if met.insert(slot) {
                    path.push((slot, true));
                    let entry = &pool.entries[slot];
                    let waits_with = entry.behind.map(|behind| behind.request);
                    let request = waits_with.and_then(|core| dependents.requests.get(&core));
                    let request = request.filter(|slot| self.place(**slot).is_some());
                    path.extend(request.map(|slot| (*slot, false)));
                    let before = self.dependent_before(entry, pool, dependents);
                    path.extend(before.map(|slot| (slot, false)));
                }
            }
        }
        order
    }

    /// The chosen dependent that goes before one in the sequence of its payer.
    fn dependent_before(
        &self,
        entry: &Entry,
        pool: Pool<'_>,
        dependents: Dependents<'_>,
    ) -> Option<u32> {
        let payer = pool.accounts.get(&entry.payer())?;
        let mut earlier = payer.sequence.range(..entry.nonce()).rev().map(|(_, slot)| *slot);
        earlier.find(|slot| dependents.slots.contains(slot) && self.place(*slot).is_some())
    }

    /// Takes the other dependents out of the block for now; whether there were any.
    fn hold_back_all_but(
        &mut self,
        accepted: &[u32],
        pool: Pool<'_>,
        dependents: Dependents<'_>,
    ) -> bool {
        let accepted: BTreeSet<u32> = accepted.iter().copied().collect();
        let chosen = dependents.slots.iter().filter(|slot| self.place(**slot).is_some());
        let refused: Vec<u32> = chosen.filter(|slot| !accepted.contains(slot)).copied().collect();
        for slot in &refused {
            let entry = &pool.entries[*slot];
            let payer = pool.accounts.get(&entry.payer()).expect("it is pending");
            for (_, slot) in payer.sequence.range(entry.nonce()..).rev() {
                if self.place(*slot).is_some() {
                    self.unchoose(*slot, pool);
                    self.held.push(*slot);
                }
            }
        }
        !refused.is_empty()
    }

    /// Fills the room of what is held back with what comes next; whether that has to be judged.
    fn refill(&mut self, pool: Pool<'_>, dependents: Dependents<'_>) -> bool {
        let Some(edge) = self.edge else { return false };
        let before = self.block.len();
        self.fill_up(edge, pool);
        self.block[before..].iter().any(|slot| dependents.slots.contains(slot))
    }

    /// Puts the dependents in this order, each after what its payer has before it.
    fn arrange(&mut self, accepted: &[u32], pool: Pool<'_>) {
        if accepted.is_sorted_by_key(|slot| self.place(*slot)) {
            return;
        }
        let mut order = Vec::with_capacity(self.block.len());
        let mut is_there = vec![false; self.places.len()];
        let mut put = |slot: u32| {
            if !std::mem::replace(&mut is_there[super::at(slot)], true) {
                order.push(slot);
            }
        };
        for slot in accepted {
            let entry = &pool.entries[*slot];
            let payer = pool.accounts.get(&entry.payer()).expect("it is pending");
            let up_to = payer.sequence.range(..=entry.nonce()).map(|(_, slot)| *slot);
            up_to.filter(|slot| self.place(*slot).is_some()).for_each(&mut put);
        }
        self.block.iter().copied().for_each(put);
        for (place, slot) in order.into_iter().enumerate() {
            if self.block[place] != slot {
                self.block[place] = slot;
                self.set_place(slot, place);
                self.tree.set(place + 1, pool.entries[slot].leaf);
            }
        }
    }
}
