//! The state that the next block will find: that of the tip, with the rewards that become spendable.

use std::collections::BTreeMap;

use crate::ledger::chain::{Chain, View};
use crate::ledger::coinbase::Payout;
use crate::ledger::rules::context::Context;
use crate::ledger::signature::PubKey;
use crate::ledger::state::{Account, EntryKey, StateRead};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::CoreId;
use crate::primitives::BlockHash;

/// What the tip means for the block after it.
#[derive(Debug, Clone)]
pub(super) struct Next {
    pub(super) tip: BlockHash,
    pub(super) height: u32,
    median_time: u32,
    /// Rewards that its first step makes spendable.
    matured: BTreeMap<PubKey, u64>,
}

impl Next {
    pub(super) fn of(chain: &Chain, view: &View<'_>) -> Result<Self, StoreError> {
        let tip = view.tip()?;
        let parent = view.expect_record(&tip)?;
        let (height, median_time) = (parent.height + 1, view.median_time_after(&parent)?);
        let mut matured = BTreeMap::new();
        if let Some(mined) = height.checked_sub(chain.spec.maturity_blocks)
            && let Some(bytes) = view.entry(&EntryKey::Maturing(mined))?
        {
            for Payout { key, value } in decode::<Vec<Payout>>(&bytes)? {
                let units: &mut u64 = matured.entry(key).or_default();
                *units = units.saturating_add(value);
            }
        }
        Ok(Self { tip, height, median_time, matured })
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
        let stored = view.entry(&EntryKey::Account(key))?;
        let stored = stored.map(|bytes| decode::<Account>(&bytes)).transpose()?;
        let Some(units) = self.matured.get(&key) else { return Ok(stored) };
        let account = stored.unwrap_or_default();
        let balance = account.balance.saturating_add(*units);
        Ok(Some(Account { balance, touched: self.height, ..account }))
    }
}

/// The same as something to judge against.
pub(super) struct NextState<'a> {
    pub(super) next: &'a Next,
    pub(super) view: &'a View<'a>,
}

impl StateRead for NextState<'_> {
    fn entry(&self, key: &EntryKey) -> Result<Option<Vec<u8>>, StoreError> {
        match key {
            EntryKey::Account(account) if self.next.matured.contains_key(account) => {
                let account = self.next.account(self.view, *account)?;
                Ok(account
                    .map(|account| borsh::to_vec(&account).expect("writing to memory cannot fail")))
            }
            _ => self.view.entry(key),
        }
    }

    fn accepted_at(&self, core: &CoreId) -> Result<Option<u32>, StoreError> {
        self.view.accepted_at(core)
    }
}

fn decode<T: borsh::BorshDeserialize>(bytes: &[u8]) -> Result<T, StoreError> {
    let corrupt = |_| StoreError::Corrupt { what: "a state entry does not decode".into() };
    borsh::from_slice(bytes).map_err(corrupt)
}
