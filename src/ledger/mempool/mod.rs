//! The mempool: transactions that wait for a block, judged so that any of them, best first, make one.
//! Pure steps: no clock, no socket; what arrives and what the chain does are arguments. It is policy: no
//! block is valid or invalid by it, and two nodes may hold different ones.
//!
//! # What is in it
//!
//! Only what a block after the tip may hold, whatever else of the pool stands in it: each transaction is
//! judged by the rules of the chain against the state of the tip, **less what is reserved by the others**.
//! So nothing in the pool needs another, but for two things. Nonces of a payer go up, and a later one mined
//! first makes the earlier ones stale: so the order between transactions is a rate that cannot rise along
//! a payer's sequence, and every prefix of that order is a block. And approvals may wait together with
//! their request (`behind`), so that the guardians of an emergency see all of it at once. Bodies that ask more of the state than
//! accounts ([`Effects::is_dependent`]) may stand in each other's way: those that are chosen are judged one
//! after another, the best first; what the ones before make invalid is held back from that block, and others
//! take its room.
//!
//! Coins that arrive by a pending transaction cannot be spent by another; a nonce may be at most 64 above
//! the last one *on chain*. That costs a block of waiting now and then, and makes every removal cheap:
//! nothing that stays is made invalid by what goes.
//!
//! # Attacks, and what meets them
//!
//! `tests/mempool.rs` has a test for each but the two about emergencies and debits by the state.
//!
//! | attack | met by |
//! |---|---|
//! | more than memory holds, as many, large, or full of signatures | [`Limits`] of each; the worst paying go first |
//! | a pile that nobody can pay: the same coins promised many times | reservation: all that is pending is covered at once |
//! | draining an account by a block, so that many fall out unpaid | at most [`DEBITS_MAX`] debit one account |
//! | replacing again and again, so that others relay for nothing | a replacement pays for what it replaces and for its own relaying, at a better rate |
//! | jamming a core with a sponsorship that cannot be mined | what no next block may hold is not taken in, so it holds no core |
//! | jamming a sponsor's queue by having one of its cores mined | nonces have gaps: the others stay |
//! | pinning: hanging much on what somebody wants to replace | nothing depends on another, so a replacement pays for at most what it takes the place of |
//! | holding coins or nonces against the owner | body and fee are signed by who is debited |
//! | a cheap one first, dear ones behind it, to hold room | a rate counts at most as much as the one before it |
//! | filling the pool, letting it drain, again for nothing | the least rate rises with what is evicted, and falls slowly |
//! | living off expiry: what cannot be mined in time is relayed free | others' transactions must be valid for [`LIFE_BLOCKS_MIN`] blocks more |
//! | waiting for ever | [`AGE_BLOCKS_MAX`], `valid_to`, the reach of the anchor |
//! | an account about to be pruned as receiver, so that many fall out at once | the fee of a new account is asked where it may be pruned meanwhile |
//! | many approvals behind a request that is then taken away | at most [`APPROVALS_BEHIND_MAX`]; whoever replaces the request by something else pays for them |
//! | dear approvals behind a cheap request, to hold room | their rate counts at most as much as the request's |
//! | going without a fee | the rules say who may in an emergency; at most [`FREE_MAX`] are pending, beyond them a sponsor pays |
//! | going without a fee again and again, to hold the room of others' emergencies | one request a reader, one approval of it an approver, [`FREE_OF_ISSUER_MAX`] requests an issuer, [`FREE_APPROVALS_MAX`] approvals a request |
//! | outbidding the sponsor of a core, to take it away with the next nonce | the first sponsor's is kept and taken in again |
//! | many that stand in each other's way, to keep others like them out | each is judged once, and costs its own place only |
//! | a debit that only the state shows, beside payments of the same coins | what is reserved is not available to it, alone or in the block |
//! | costing signature checks | everything else is checked first; a bad signature costs its source most |
//! | costing anything else by garbage | a score for each source; above [`SCORE_MAX`] nothing is looked at |
//! | many names, to fill the memory of scores | a bound on their number, the least guilty are forgotten |
//! | a copy with a broken signature, to have the good one refused | nothing is remembered of what is refused |
//! | a copy with other signatures of the same signers | the id leaves them out: it is known |
//! | making a reorganisation lose what it undoes | what the abandoned blocks held is taken in again |
//! | a reorganisation of many full blocks, to cost time | at most as many are taken in again as the pool may hold |

mod accounts;
mod admit;
mod assembly;
mod behind;
mod effects;
mod entries;
mod free;
mod next;
mod order;
mod refused;
mod source;
mod tip;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use accounts::Accounts;
use assembly::{Assembly, Dependents, Pool};
use behind::approved_by;
use effects::Hold;
use entries::{Entries, Entry};
use next::{Next, NextState};
use order::Key;
use source::Sources;

pub use admit::Admitted;
pub use effects::Effects;
pub use order::FeeRate;
pub use refused::{Dropped, Refused, Why};
pub use source::{SCORE_DECAY_PER_BLOCK, SCORE_MAX, Source};

use crate::ledger::block::Included;
use crate::ledger::chain::{Chain, View};
use crate::ledger::map::LongKeyMap;
use crate::ledger::rules::isolation::Ids;
use crate::ledger::signature::PubKey;
use crate::ledger::spec::IDLE_BLOCKS;
use crate::ledger::store::StoreError;
use crate::ledger::template::Template;
use crate::ledger::transaction::{CoreId, TransactionId};

/// Pending transactions that debit one account, as its payer or by their body.
pub const DEBITS_MAX: usize = 64;
/// Pending transactions that go without the ordinary fee: what ten blocks may hold.
pub const FREE_MAX: usize = 500;
/// Of them, requests under roles of one issuer: as many as a block may hold.
pub const FREE_OF_ISSUER_MAX: usize = 10;
/// Of them, approvals of one request.
pub const FREE_APPROVALS_MAX: usize = 8;
/// Pending approvals that wait with one pending request.
pub const APPROVALS_BEHIND_MAX: usize = 16;
/// Blocks after which a transaction that nobody mined is dropped.
pub const AGE_BLOCKS_MAX: u32 = 720;
/// Blocks that a transaction of others must still be valid for.
pub const LIFE_BLOCKS_MIN: u32 = 6;

// An account that owns something when a payment to it is taken in is not pruned while that is pending.
const _: () = assert!(AGE_BLOCKS_MAX < IDLE_BLOCKS);

/// How much may be pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Transactions. Each costs about a kilobyte besides its bytes.
    pub count: usize,
    /// Bytes, as they are relayed; memory holds them twice, once decoded, and so the core of each under one
    /// sponsor more who was outbid.
    pub bytes: usize,
    /// Signatures: what verifying all of it costs, after a reorganisation for instance.
    pub signatures: usize,
}

impl Default for Limits {
    /// Some eight full blocks.
    fn default() -> Self {
        Self { count: 65_536, bytes: 32 << 20, signatures: 131_072 }
    }
}

/// What is pending, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Transactions.
    pub count: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Their signatures.
    pub signatures: usize,
}

impl Totals {
    fn add(&mut self, entry: &Entry) {
        self.count += 1;
        self.bytes += entry.bytes();
        self.signatures += entry.signatures();
    }

    fn take(&mut self, entry: &Entry) {
        self.count -= 1;
        self.bytes -= entry.bytes();
        self.signatures -= entry.signatures();
    }

    fn is_within(&self, limits: &Limits) -> bool {
        self.count <= limits.count
            && self.bytes <= limits.bytes
            && self.signatures <= limits.signatures
    }
}

/// The pending transactions of a chain, after one tip.
#[derive(Debug, Clone)]
pub struct Mempool {
    chain: Chain,
    limits: Limits,
    next: Next,
    entries: Entries,
    totals: Totals,
    holds: LongKeyMap<Hold, u32>,
    accounts: Accounts,
    /// Those of [`Effects::is_dependent`].
    dependents: BTreeSet<u32>,
    /// Approvals by the request that they name.
    approvals: BTreeMap<CoreId, BTreeSet<u32>>,
    order: BTreeSet<Key>,
    assembly: Assembly,
    /// Cores that have lost a sponsor who had outbid another: that one's.
    orphans: Vec<Arc<Included>>,
    floor: FeeRate,
    sources: Sources,
    arrivals: u64,
    version: u64,
}

impl Mempool {
    /// An empty pool after the tip of `view`.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn new(chain: &Chain, view: &View<'_>, limits: Limits) -> Result<Self, StoreError> {
        Ok(Self {
            next: Next::of(chain, view)?,
            chain: chain.clone(),
            limits,
            entries: Entries::default(),
            totals: Totals::default(),
            holds: LongKeyMap::default(),
            accounts: Accounts::default(),
            dependents: BTreeSet::new(),
            approvals: BTreeMap::new(),
            order: BTreeSet::new(),
            assembly: Assembly::new(chain.kernel),
            orphans: Vec::new(),
            floor: FeeRate::ZERO,
            sources: Sources::default(),
            arrivals: 0,
            version: 0,
        })
    }

    /// The block to mine on the tip of `view`: the best of what is pending, or nothing but its coinbase
    /// while the pool has not followed to that tip.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn template(&mut self, view: &View<'_>) -> Result<Template, StoreError> {
        let template = Template::empty(&self.chain, view)?;
        if template.parent_hash != self.next.tip {
            return Ok(template);
        }
        let (entries, accounts, order) = (&self.entries, &self.accounts, &self.order);
        let pool = Pool { entries, accounts, order };
        self.assembly.settle(pool);
        if !self.dependents.is_empty() {
            let context = self.next.context(&self.chain, view);
            let state = || NextState { next: &self.next, view };
            let requests = self.requests_waited_with();
            let dependents = Dependents { slots: &self.dependents, requests: &requests };
            self.assembly.judge(pool, dependents, &context, state)?;
        }
        let transactions = self.assembly.transactions(entries);
        let branch = self.assembly.branch();
        Ok(template.holding(transactions, self.assembly.fees(), branch))
    }

    /// Forgets the block that is kept, so that the next template is put together from nothing: for
    /// comparison, and to measure what that costs.
    pub fn assemble_anew(&mut self) {
        self.assembly.reset();
    }

    /// What is pending.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// A number that is another after each change of what is pending.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The rate that a new transaction must have at least; zero while there is room.
    #[must_use]
    pub fn floor(&self) -> FeeRate {
        self.floor
    }

    /// The transaction that is pending for a core.
    #[must_use]
    pub fn sponsor_of(&self, core: &CoreId) -> Option<TransactionId> {
        self.slot_of(core).map(|slot| self.entries[slot].ids.transaction)
    }

    fn slot_of(&self, core: &CoreId) -> Option<u32> {
        self.holds.get(&Hold::Core(*core)).copied()
    }

    /// Every pending transaction, best first, as its bytes.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.order.iter().map(|key| &*self.entries[key.slot].included.bytes)
    }

    /// The ids of every pending transaction, best first.
    pub fn ids(&self) -> impl Iterator<Item = &Ids> {
        self.order.iter().map(|key| &self.entries[key.slot].ids)
    }

    /// What is reserved of each account.
    #[must_use]
    pub fn reserved(&self) -> BTreeMap<PubKey, u64> {
        self.accounts.all_reserved()
    }

    /// The score of a source.
    #[must_use]
    pub fn score(&self, source: Source) -> u32 {
        self.sources.score(source)
    }

    /// Enters a transaction that has been judged, and gives it and those after it their places.
    fn enter(&mut self, entry: Entry) {
        self.version += 1;
        self.totals.add(&entry);
        let (payer, nonce) = (entry.payer(), entry.nonce());
        let slot = self.entries.insert(entry);
        let entry = &self.entries[slot];
        for hold in Hold::all(entry) {
            self.holds.insert(hold, slot);
        }
        self.accounts.enter(slot, entry);
        if entry.effects.is_dependent {
            self.dependents.insert(slot);
        }
        if let Some(request) = approved_by(entry) {
            self.approvals.entry(request).or_default().insert(slot);
        }
        self.sequence(payer, nonce..=nonce);
    }

    /// Takes a transaction out; [`Mempool::sequence`] is owed to its payer.
    fn detach(&mut self, slot: u32) -> Entry {
        self.version += 1;
        self.assembly.withdraw(
            slot,
            Pool { entries: &self.entries, accounts: &self.accounts, order: &self.order },
        );
        let entry = self.entries.remove(slot);
        self.order.remove(&entry.key);
        self.dependents.remove(&slot);
        if let Some(request) = approved_by(&entry)
            && let Some(approvals) = self.approvals.get_mut(&request)
        {
            approvals.remove(&slot);
            if approvals.is_empty() {
                self.approvals.remove(&request);
            }
        }
        self.totals.take(&entry);
        self.accounts.leave(slot, &entry);
        for hold in Hold::all(&entry) {
            self.holds.remove(&hold);
        }
        entry
    }

    /// Takes transactions out, for one reason, with what waited behind them.
    fn drop_all(&mut self, slots: &[u32], why: &Why) -> Vec<Dropped> {
        let mut dropped = self.remove_all(slots, why);
        dropped.extend(self.drop_behind(&dropped));
        dropped
    }

    /// Takes transactions out, for one reason, and puts what stays of their payers in order.
    fn remove_all(&mut self, slots: &[u32], why: &Why) -> Vec<Dropped> {
        let mut payers = Vec::with_capacity(slots.len());
        let mut dropped = Vec::with_capacity(slots.len());
        for slot in slots {
            let entry = self.detach(*slot);
            if *why != Why::Included && *why != Why::Expired {
                self.orphans.extend(entry.outbid.clone());
            }
            payers.push((entry.payer(), entry.nonce()));
            dropped.push(Dropped { ids: entry.ids, why: why.clone() });
        }
        payers.sort_unstable();
        for nonces in payers.chunk_by(|(a, _), (b, _)| a == b) {
            let ((payer, first), (_, last)) = (nonces[0], nonces[nonces.len() - 1]);
            self.sequence(payer, first..=last);
        }
        dropped
    }

    /// Gives the transactions of a payer their places in the order after those with some nonces have
    /// come or gone.
    fn sequence(&mut self, payer: PubKey, changed: RangeInclusive<u64>) {
        let Some(account) = self.accounts.get(&payer) else { return };
        let before = account.sequence.range(..changed.start()).next_back();
        let mut before = before.map(|(_, slot)| self.entries[*slot].key);
        let mut keys = Vec::new();
        let mut is_changed = false;
        for (nonce, slot) in account.sequence.range(changed.start()..) {
            let entry = &self.entries[*slot];
            let key = Key::after(before.as_ref(), entry.rank(), entry.arrival, *nonce, *slot);
            is_changed |= key != entry.key;
            if !is_changed && nonce > changed.end() {
                // What comes after one that stays stays as well.
                return;
            }
            keys.push(key);
            before = Some(key);
        }
        if !is_changed {
            return;
        }
        // The last first, so that none is in the block without those before it. All of them, so that
        // those that stay come after those that find a new place.
        for key in keys.iter().rev() {
            self.assembly.withdraw(
                key.slot,
                Pool { entries: &self.entries, accounts: &self.accounts, order: &self.order },
            );
        }
        for key in keys {
            let old = self.entries[key.slot].key;
            if old != key {
                self.order.remove(&old);
                self.entries.set_key(key.slot, key);
            }
            self.order.insert(key);
            let (entries, accounts, order) = (&self.entries, &self.accounts, &self.order);
            self.assembly.offer(key.slot, Pool { entries, accounts, order });
        }
    }
}
