//! What pending transactions take from each account: its sequence as a payer, and what it must own so
//! that all of them together can be paid.

use std::collections::{BTreeMap, BTreeSet};

use super::effects::spends;
use super::entries::Entry;
use crate::ledger::map::LongKeyMap;
use crate::ledger::signature::PubKey;

/// What is pending on one account.
#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    /// Fees and debits of everything pending.
    pub(super) reserved: u64,
    /// What it pays for, by nonce.
    pub(super) sequence: BTreeMap<u64, u32>,
    /// Everything that debits it, as payer or by its body.
    pub(super) debited_by: BTreeSet<u32>,
}

/// Accounts that something pending debits.
#[derive(Debug, Clone, Default)]
pub(super) struct Accounts(LongKeyMap<PubKey, Account>);

impl Accounts {
    pub(super) fn get(&self, key: &PubKey) -> Option<&Account> {
        self.0.get(key)
    }

    /// The transaction that a payer has pending under a nonce.
    pub(super) fn at(&self, payer: &PubKey, nonce: u64) -> Option<u32> {
        self.0.get(payer)?.sequence.get(&nonce).copied()
    }

    /// Reserves what an entry spends. The caller has made sure that it is there.
    pub(super) fn enter(&mut self, slot: u32, entry: &Entry) {
        let transaction = &entry.included.transaction;
        for (key, units) in spends(transaction, &entry.effects) {
            let account = self.0.entry(key).or_default();
            account.reserved =
                account.reserved.checked_add(units).expect("no more is reserved than is owned");
            account.debited_by.insert(slot);
        }
        let payer = self.0.entry(transaction.payer).or_default();
        payer.sequence.insert(transaction.nonce, slot);
    }

    /// Gives back what an entry has reserved.
    pub(super) fn leave(&mut self, slot: u32, entry: &Entry) {
        let transaction = &entry.included.transaction;
        let payer = transaction.payer;
        let mut paid = 0;
        for (key, units) in spends(transaction, &entry.effects) {
            if key == payer {
                // Mostly the body debits the payer too: it is looked up once.
                paid += units;
            } else {
                self.give_back(slot, &key, units, None);
            }
        }
        self.give_back(slot, &payer, paid, Some(transaction.nonce));
    }

    fn give_back(&mut self, slot: u32, key: &PubKey, units: u64, nonce: Option<u64>) {
        let Some(account) = self.0.get_mut(key) else { return };
        if let Some(nonce) = nonce {
            account.sequence.remove(&nonce);
        }
        account.reserved -= units;
        account.debited_by.remove(&slot);
        // An account that the body debits twice comes again.
        if account.debited_by.is_empty() && account.reserved == 0 {
            self.0.remove(key);
        }
    }

    /// What is reserved of every account: for comparison with a plain sum.
    pub(super) fn all_reserved(&self) -> BTreeMap<PubKey, u64> {
        self.0.iter().map(|(key, account)| (*key, account.reserved)).collect()
    }
}
