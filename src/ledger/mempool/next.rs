//! The state that the transactions of the next block will find: that of the tip, after what a block does
//! before them.

use std::collections::BTreeMap;

use super::accounts::Accounts;
use super::effects::spends;
use super::entries::Entry;
use crate::ledger::bytes::Bytes;
use crate::ledger::chain::{Chain, View};
use crate::ledger::rules::context::{Context, begin_block};
use crate::ledger::signature::PubKey;
use crate::ledger::state::{Account, EntryKey, Session, StateRead};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::CoreId;
use crate::primitives::BlockHash;

/// What the tip means for the block after it.
#[derive(Debug, Clone)]
pub(super) struct Next {
    pub(super) tip: BlockHash,
    pub(super) height: u32,
    median_time: u32,
    /// What begins with the block: rewards that become spendable, and whatever is over.
    begun: BTreeMap<EntryKey, Option<Bytes>>,
}

impl Next {
    pub(super) fn of(chain: &Chain, view: &View<'_>) -> Result<Self, StoreError> {
        let tip = view.tip()?;
        let parent = view.expect_record(&tip)?;
        let (height, median_time) = (parent.height + 1, view.median_time_after(&parent)?);
        let mut next = Self { tip, height, median_time, begun: BTreeMap::new() };
        let mut session = Session::new(view, height);
        begin_block(&next.context(chain, view), &mut session)?;
        let delta = session.finish();
        let changes = delta.changes().iter();
        next.begun = changes.map(|change| (change.key(), change.new.clone())).collect();
        Ok(next)
    }

    pub(super) fn context<'a>(&self, chain: &'a Chain, view: &'a View<'a>) -> Context<'a> {
        Context {
            spec: &chain.spec,
            chain_id: chain.chain_id,
            genesis: chain.genesis,
            height: self.height,
            median_time: self.median_time,
            ancestors: view,
        }
    }

    pub(super) fn account(
        &self,
        view: &View<'_>,
        key: PubKey,
    ) -> Result<Option<Account>, StoreError> {
        let bytes = NextState { next: self, view }.entry(&EntryKey::Account(key))?;
        bytes.map(|bytes| decode_account(&bytes)).transpose()
    }
}

/// The same as something to judge against.
pub(super) struct NextState<'a> {
    pub(super) next: &'a Next,
    pub(super) view: &'a View<'a>,
}

impl StateRead for NextState<'_> {
    fn entry(&self, key: &EntryKey) -> Result<Option<Bytes>, StoreError> {
        match self.next.begun.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.view.entry(key),
        }
    }

    fn accepted_at(&self, core: &CoreId) -> Result<Option<u32>, StoreError> {
        self.view.accepted_at(core)
    }
}

/// The same, every account less what pending transactions reserve of it; so whoever is debited, by
/// whatever rule, what is reserved stays covered.
pub(super) struct Available<'a> {
    state: NextState<'a>,
    accounts: &'a Accounts,
    /// Reserved, but to be spent by what is judged, or gone if it is sound.
    freed: BTreeMap<PubKey, u64>,
}

impl<'a> Available<'a> {
    pub(super) fn new(
        state: NextState<'a>,
        accounts: &'a Accounts,
        freed: impl Iterator<Item = &'a Entry>,
    ) -> Self {
        let mut by_account: BTreeMap<PubKey, u64> = BTreeMap::new();
        for entry in freed {
            for (key, units) in spends(&entry.included.transaction, &entry.effects) {
                // Part of what is reserved, which 64 bits hold.
                *by_account.entry(key).or_default() += units;
            }
        }
        Self { state, accounts, freed: by_account }
    }
}

impl StateRead for Available<'_> {
    fn entry(&self, key: &EntryKey) -> Result<Option<Bytes>, StoreError> {
        let value = self.state.entry(key)?;
        let (EntryKey::Account(account), Some(bytes)) = (key, &value) else { return Ok(value) };
        let freed = self.freed.get(account).copied().unwrap_or(0);
        let reserved = self.accounts.get(account).map_or(0, |account| account.reserved) - freed;
        if reserved == 0 {
            return Ok(value);
        }
        let account = decode_account(bytes)?;
        let available = Account { balance: account.balance.saturating_sub(reserved), ..account };
        Ok(Some(borsh::to_vec(&available).expect("writing to memory cannot fail").into()))
    }

    fn accepted_at(&self, core: &CoreId) -> Result<Option<u32>, StoreError> {
        self.state.accepted_at(core)
    }
}

fn decode_account(bytes: &[u8]) -> Result<Account, StoreError> {
    let corrupt = |_| StoreError::Corrupt { what: "an account does not decode".into() };
    borsh::from_slice(bytes).map_err(corrupt)
}
