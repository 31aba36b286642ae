//! What is forgotten: requests and debts that have been over for [`CLOSED_BLOCKS`], and what was kept
//! because of them. Each entry is looked at a fixed number of blocks after it was touched, and again so much later if
//! it still matters; so a block looks at no more than one block each of some earlier heights wrote, and
//! nobody can pile up work for one height. Hence an entry may stay for up to twice that time.

use super::{emergency, limits};
use crate::ledger::rules::context::Context;
use crate::ledger::rules::goods;
use crate::ledger::rules::pay::debt;
use crate::ledger::spec::CLOSED_BLOCKS;
use crate::ledger::state::{Counter, EntryKey, HeldDebt, HeldRequest, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::CoreId;

/// Looks at everything whose turn it is in this block.
pub(in crate::ledger::rules) fn run(
    context: &Context<'_>,
    session: &mut Session<'_>,
) -> Result<(), StoreError> {
    let list = EntryKey::Expiring(context.height);
    for key in session.get::<Vec<Vec<u8>>>(&list)?.unwrap_or_default() {
        if let Some(key) = EntryKey::decode(&key) {
            look(context, session, key)?;
        }
    }
    session.put::<Vec<Vec<u8>>>(&list, None)
}

/// Writes down what this block wants looked at, after its last transaction.
pub(in crate::ledger::rules) fn write(session: &mut Session<'_>) -> Result<(), StoreError> {
    for (height, keys) in session.take_looks() {
        let list = EntryKey::Expiring(height);
        let mut all = session.get::<Vec<Vec<u8>>>(&list)?.unwrap_or_default();
        all.extend(keys.iter().map(EntryKey::encode));
        session.put(&list, Some(&all))?;
    }
    Ok(())
}

fn look(context: &Context<'_>, session: &mut Session<'_>, key: EntryKey) -> Result<(), StoreError> {
    let later = context.height.saturating_add(CLOSED_BLOCKS);
    match key {
        EntryKey::Request(core) => {
            let Some(held) = session.get::<HeldRequest>(&key)? else { return Ok(()) };
            // An emergency stays until it is reviewed, which asks for another look.
            if emergency::is_unreviewed(session, &held, core)? {
                return Ok(());
            }
            let end = held.over_at().map(|over| over.saturating_add(CLOSED_BLOCKS));
            if end.is_some_and(|end| end <= context.height) {
                session.put::<HeldRequest>(&key, None)
            } else {
                session.look_at(later, key);
                Ok(())
            }
        }
        EntryKey::Open(..) => {
            let Some(core) = session.get::<CoreId>(&key)? else { return Ok(()) };
            if limits::is_open(context, session, core)? {
                session.look_at(later, key);
                Ok(())
            } else {
                session.put::<CoreId>(&key, None)
            }
        }
        EntryKey::FreeSite(site) => {
            let open = emergency::open_at(context, session, site)?;
            if !open.is_empty() {
                session.look_at(later, key);
            }
            session.put(&key, (!open.is_empty()).then_some(&open))
        }
        EntryKey::RefusedPerson(_) | EntryKey::RefusedRecord(..) | EntryKey::RefusedIssuer(..) => {
            let counter = session.get::<Counter>(&key)?;
            if counter.is_some_and(|counter| limits::is_past(context, counter)) {
                session.put::<Counter>(&key, None)?;
            }
            Ok(())
        }
        EntryKey::Lot(_) => goods::forget(session, &key),
        EntryKey::Debt(_) => {
            let held = session.get::<HeldDebt>(&key)?;
            if held.is_some_and(|held| debt::is_over(context, &held)) {
                session.put::<HeldDebt>(&key, None)?;
            }
            Ok(())
        }
        // Nothing else asks for a look.
        _ => Ok(()),
    }
}
