//! Who there is around a record: every claim of the state, gathered for the question who can open it.

use super::connect::Chain;
use super::view::View;
use crate::ledger::policy::World;
use crate::ledger::rules::access::{Around, world};
use crate::ledger::rules::context::begin_block;
use crate::ledger::state::{EntryKey, HeldClaim, Session};
use crate::ledger::store::{StoreError, Table};
use crate::ledger::transaction::CoreId;

/// Entries that are read at a time.
const PAGE: usize = 512;

impl Chain {
    /// The world of a record on top of the tip: what [`crate::ledger::policy::who_can_open`] is asked.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn world(&self, view: View<'_>, around: Around) -> Result<World, StoreError> {
        let context = self.next_context(&view)?;
        let mut session = Session::new(&view, context.height);
        begin_block(&context, &mut session)?;
        world(&context, &mut session, &claims(view)?, around)
    }
}

/// Every claim that the state holds.
fn claims(view: View<'_>) -> Result<Vec<HeldClaim>, StoreError> {
    let mut claims = Vec::new();
    let mut from = EntryKey::Claim(CoreId([0; 32])).encode();
    loop {
        let page = view.0.range(Table::State, &from, PAGE)?;
        let count = page.len();
        for (key, value) in page {
            if !matches!(EntryKey::decode(&key), Some(EntryKey::Claim(_))) {
                return Ok(claims);
            }
            let held = borsh::from_slice(&value).map_err(|_| StoreError::Corrupt {
                what: format!("claim {} does not decode", hex::encode(&key)),
            })?;
            claims.push(held);
            from = key;
            // The first key above this one.
            from.push(0);
        }
        if count < PAGE {
            return Ok(claims);
        }
    }
}
