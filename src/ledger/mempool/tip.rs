//! Following the chain: a block on top of the tip takes out what it holds and what it makes stale; after
//! anything else all that is pending is judged again, and what abandoned blocks held with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::accounts::Accounts;
use super::effects::{Effects, Hold, spends};
use super::entries::Entries;
use super::next::Next;
use super::order::{FeeRate, weight};
use super::refused::{Dropped, Refused, Why};
use super::{Mempool, Totals};
use crate::ledger::block::{Block, Included};
use crate::ledger::chain::View;
use crate::ledger::rules::TransactionError;
use crate::ledger::rules::context::{Ancestors as _, Refusal};
use crate::ledger::rules::isolation::Ids;
use crate::ledger::signature::PubKey;
use crate::ledger::state::{Delta, EntryKey, StateRead as _};
use crate::ledger::store::{StoreError, Table};
use crate::ledger::transaction::Body;
use crate::primitives::BlockHash;

/// What the floor loses with each block: an eighth, or half while the pool is at most half full.
const DECAY_WHEN_FULL: u64 = 8;
const DECAY_WITH_ROOM: u64 = 2;

impl Mempool {
    /// Follows to the tip of `view`; `block` is the tip if the caller has it at hand. Says what went.
    ///
    /// # Errors
    ///
    /// If the store cannot be read: the pool is of no use then until it has followed to a tip.
    pub fn follow(
        &mut self,
        view: &View<'_>,
        block: Option<&Block>,
    ) -> Result<Vec<Dropped>, StoreError> {
        let tip = view.tip()?;
        if tip == self.next.tip {
            return Ok(Vec::new());
        }
        let next = Next::of(&self.chain, view)?;
        let parent = view.expect_record(&tip)?.parent();
        self.version += 1;
        self.sources.decay();
        let is_roomy = self.totals.bytes <= self.limits.bytes / 2
            && self.totals.count <= self.limits.count / 2
            && self.totals.signatures <= self.limits.signatures / 2;
        self.floor = self.floor.less(if is_roomy { DECAY_WITH_ROOM } else { DECAY_WHEN_FULL });
        if parent != self.next.tip {
            return self.judge_all_again(view, next);
        }
        self.next = next;
        match block {
            Some(block) => self.connected(view, &block.transactions),
            None => {
                let transactions = transactions_of(view, &tip)?
                    .ok_or_else(|| corrupt(&format!("block {tip} has no body")))?;
                self.connected(view, &transactions)
            }
        }
    }

    /// After one more block.
    fn connected(
        &mut self,
        view: &View<'_>,
        transactions: &[Included],
    ) -> Result<Vec<Dropped>, StoreError> {
        self.assembly.reset();
        let mut gone = Vec::with_capacity(transactions.len());
        let (mut mined, mut touched) = (Vec::new(), BTreeSet::new());
        let mut is_plain = true;
        for included in transactions {
            let transaction = &included.transaction;
            is_plain &= matches!(transaction.core.body, Body::Pay(_));
            let same = self.accounts.at(&transaction.payer, transaction.nonce);
            let same = same.filter(|slot| self.entries[*slot].included.bytes == included.bytes);
            if let Some(slot) = same {
                // What it took was reserved, so its accounts cover the rest as before.
                gone.push(slot);
                mined.push((transaction.payer, transaction.nonce));
                continue;
            }
            // Only what is not pending needs hashing.
            let core = transaction.core.id(&self.chain.genesis);
            gone.extend(self.holds.get(&Hold::Core(core)));
            let effects = Effects::of(&transaction.core.body);
            touched.extend(spends(transaction, &effects).map(|(account, _)| account));
        }
        // As they lie in memory: taking them out in the order of their keys was slower by an eighth.
        gone.sort_unstable();
        gone.dedup();
        let mut dropped = self.remove_all(&gone, &Why::Included);
        self.reseat_behind(dropped.iter().map(|dropped| dropped.ids.core));
        for (payer, nonce) in mined {
            let Some(account) = self.accounts.get(&payer) else { continue };
            if account.sequence.first_key_value().is_some_and(|(first, _)| *first < nonce) {
                touched.insert(payer);
            }
        }
        if !is_plain {
            // Only the state shows whom other bodies debit.
            touched.extend(changed_accounts(view, &self.next.tip)?);
        }
        for account in touched {
            dropped.extend(self.refresh(view, account)?);
        }
        let expired = self.entries.expired(self.next.height);
        dropped.extend(self.remove_all(&expired, &Why::Expired));
        dropped.extend(self.adopt_orphans(view)?);
        dropped.extend(self.drop_behind(&dropped));
        for slot in self.dependents.clone() {
            if !self.dependents.contains(&slot) {
                continue;
            }
            match self.judge(view, self.entries[slot].clone(), &[slot]) {
                Ok(_) => {}
                Err(Refusal::Store(error)) => return Err(error),
                Err(Refusal::Rule(refused)) => {
                    let why = match refused {
                        Refused::Rule(error) => Why::Stale(error),
                        _ => Why::Evicted,
                    };
                    dropped.extend(self.drop_all(&[slot], &why));
                }
            }
        }
        dropped.extend(self.adopt_orphans(view)?);
        Ok(dropped)
    }

    /// Drops what an account that a block has debited can no longer pay or number.
    fn refresh(&mut self, view: &View<'_>, key: PubKey) -> Result<Vec<Dropped>, StoreError> {
        let on_chain = self.next.account(view, key)?.unwrap_or_default();
        let mut dropped = Vec::new();
        let Some(account) = self.accounts.get(&key) else { return Ok(dropped) };
        let stale: Vec<(u64, u32)> = account
            .sequence
            .range(..=on_chain.nonce)
            .map(|(nonce, slot)| (*nonce, *slot))
            .collect();
        for (got, slot) in stale {
            let error = TransactionError::NonceGap { last: on_chain.nonce, got };
            dropped.extend(self.remove_all(&[slot], &Why::Stale(error)));
        }
        // The worst paying first, until the rest is covered.
        while let Some(account) = self.accounts.get(&key)
            && account.reserved > on_chain.balance
        {
            let worst = account.debited_by.iter().max_by_key(|slot| self.entries[**slot].key);
            let slot = *worst.expect("something reserves it");
            let fee = self.entries[slot].fee();
            let error = TransactionError::PayerCannotPay { balance: on_chain.balance, fee };
            dropped.extend(self.remove_all(&[slot], &Why::Stale(error)));
        }
        Ok(dropped)
    }

    /// After a reorganisation, or several blocks at once.
    fn judge_all_again(&mut self, view: &View<'_>, next: Next) -> Result<Vec<Dropped>, StoreError> {
        let mut returning: Vec<(FeeRate, Arc<Included>, Option<Ids>)> = Vec::new();
        for key in &self.order {
            let entry = &self.entries[key.slot];
            returning.push((entry.rate, Arc::clone(&entry.included), Some(entry.ids.clone())));
            // If its sponsor cannot pay any more, the one whom that has outbid may.
            returning.extend(entry.outbid.clone().map(|outbid| (FeeRate::ZERO, outbid, None)));
        }
        let mut abandoned = Vec::new();
        let mut hash = self.next.tip;
        // What has been let go beside the best chain since brings nothing back.
        while let Some(record) = view.record(&hash)? {
            if view.hash_at(record.height)? == Some(hash) {
                break;
            }
            abandoned.push(hash);
            hash = record.parent();
        }
        // The lowest blocks first: their nonces are the first to be used.
        let mut room = self.limits.count;
        for hash in abandoned.iter().rev() {
            let transactions = transactions_of(view, hash)?.unwrap_or_default();
            for included in transactions.into_iter().take(room) {
                room -= 1;
                let transaction = &included.transaction;
                let weight = weight(included.bytes.len(), transaction.signature_count());
                let rate = FeeRate::of(transaction.fee, weight);
                returning.push((rate, Arc::new(included), None));
            }
        }
        self.entries = Entries::default();
        self.totals = Totals::default();
        self.holds.clear();
        self.accounts = Accounts::default();
        self.dependents.clear();
        self.approvals.clear();
        self.order.clear();
        self.assembly = super::Assembly::new(self.chain.kernel);
        self.orphans.clear();
        self.next = next;

        // The best first: where two cannot both stay, the better one does. Approvals after what they may
        // wait with.
        returning.sort_by_key(|(rate, included, _)| {
            let is_approval = matches!(included.transaction.core.body, Body::Approve(_));
            (is_approval, std::cmp::Reverse(*rate))
        });
        let mut dropped = Vec::new();
        for (_, included, ids) in returning {
            match self.return_in(view, included, ids.clone()) {
                Ok(admitted) => dropped.extend(admitted.dropped),
                Err(Refusal::Store(error)) => return Err(error),
                Err(Refusal::Rule(refused)) => {
                    let Some(ids) = ids else { continue };
                    let is_included = view.accepted_at(&ids.core)?.is_some();
                    let why = match refused {
                        _ if is_included => Why::Included,
                        Refused::Rule(TransactionError::Expired { .. }) => Why::Expired,
                        Refused::Rule(error) => Why::Stale(error),
                        _ => Why::Evicted,
                    };
                    dropped.push(Dropped { ids, why });
                }
            }
        }
        Ok(dropped)
    }
}

/// The transactions of a block, if its body is there.
fn transactions_of(view: &View<'_>, hash: &BlockHash) -> Result<Option<Vec<Included>>, StoreError> {
    let Some(bytes) = view.block_bytes(hash)? else { return Ok(None) };
    let block = Block::decode(&bytes);
    let block = block.map_err(|_| corrupt(&format!("block {hash} does not decode")))?;
    Ok(Some(block.transactions))
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt { what: what.into() }
}

/// The accounts that the tip has changed.
fn changed_accounts(view: &View<'_>, tip: &BlockHash) -> Result<Vec<PubKey>, StoreError> {
    let missing = || corrupt(&format!("block {tip} has no undo record"));
    let record = view.0.get(Table::Undo, &tip.0)?.ok_or_else(missing)?;
    let delta = Delta::from_undo(&record, |_| Ok::<_, StoreError>(None))?.ok_or_else(missing)?;
    let accounts = delta.changes().iter().filter_map(|change| match change.key() {
        EntryKey::Account(key) => Some(key),
        _ => None,
    });
    Ok(accounts.collect())
}
