//! What pending transactions take from each account: its sequence as a payer, and what it must own so
//! that all of them together can be paid.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::effects::spends;
use super::entries::Entry;
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
pub(super) struct Accounts(HashMap<PubKey, Account>);

impl Accounts {
    pub(super) fn get(&self, key: &PubKey) -> Option<&Account> {
        self.0.get(key)
    }

    /// What is reserved of an account, `freed` left out.
    pub(super) fn reserved<'a>(&self, key: &PubKey, freed: impl Iterator<Item = &'a Entry>) -> u64 {
        let reserved = self.0.get(key).map_or(0, |account| account.reserved);
        freed.fold(reserved, |reserved, entry| reserved - spent_by(entry, key))
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
        if let Some(payer) = self.0.get_mut(&transaction.payer) {
            payer.sequence.remove(&transaction.nonce);
        }
        for (key, units) in spends(transaction, &entry.effects) {
            let Some(account) = self.0.get_mut(&key) else { continue };
            account.reserved -= units;
            account.debited_by.remove(&slot);
            // The payer may come again as the account that the body debits.
            if account.debited_by.is_empty() && account.reserved == 0 {
                self.0.remove(&key);
            }
        }
    }

    /// What is reserved of every account: for comparison with a plain sum.
    pub(super) fn all_reserved(&self) -> BTreeMap<PubKey, u64> {
        self.0.iter().map(|(key, account)| (*key, account.reserved)).collect()
    }
}

/// What an entry takes from an account, in whatever role.
pub(super) fn spent_by(entry: &Entry, key: &PubKey) -> u64 {
    let spends = spends(&entry.included.transaction, &entry.effects);
    spends.filter(|(account, _)| account == key).map(|(_, units)| units).sum()
}
