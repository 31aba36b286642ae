//! The rules of `Record`, and what it changes.
//!
//! A record that takes the place of another begins when the other retires: after the *other's* delay.
//! Until then its own grants wait too, so that a short delay of its own cannot shorten that of the record
//! before. A record can be replaced once; the epochs count.

use super::log;
use crate::ledger::policy::EMERGENCY_SET;
use crate::ledger::rules::access::RecordError;
use crate::ledger::rules::context::{Context, Refusal};
use crate::ledger::rules::error::TransactionError;
use crate::ledger::state::{EntryKey, EventKind, HeldRecord, Policy, Session, Successor, Wait};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::record::{GUARDIANS_MAX, Previous, ShareSet};
use crate::ledger::transaction::{CoreId, Record};

pub(super) fn check(
    session: &mut Session<'_>,
    record: &Record,
) -> Result<(), Refusal<TransactionError>> {
    let refuse = |error: RecordError| Err(TransactionError::from(error).into());
    if session.get::<HeldRecord>(&EntryKey::Record(record.rid))?.is_some() {
        return refuse(RecordError::RidUsed);
    }
    let faults = record.share_sets.iter().enumerate();
    if let Some((set, why)) = faults.filter_map(|(i, set)| Some((i, set_fault(i, set)?))).next() {
        return refuse(RecordError::BadThreshold { set, why });
    }
    let got = record.epoch;
    let Some(prev) = &record.prev else {
        return if got == 0 {
            Ok(())
        } else {
            refuse(RecordError::EpochNotNext { expected: Some(0), got })
        };
    };
    let old = session.get::<HeldRecord>(&EntryKey::Record(prev.rid))?;
    let Some(old) = old.filter(|old| old.successor.is_none()) else {
        return refuse(RecordError::EpochNotNext { expected: None, got });
    };
    let expected = old.epoch.checked_add(1);
    if expected != Some(got) {
        return refuse(RecordError::EpochNotNext { expected, got });
    }
    if old.owners != prev.owners.id() {
        return refuse(RecordError::NotOwner);
    }
    Ok(())
}

pub(super) fn apply(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
    record: &Record,
) -> Result<(), StoreError> {
    let begins = match &record.prev {
        None => None,
        Some(prev) => replace(context, session, core, record, prev)?,
    };
    let held = HeldRecord {
        owners: record.owners.id(),
        blob: record.blob,
        pointer: record.pointer,
        epoch: record.epoch,
        share_sets: record.share_sets.clone(),
        payout: record.payout,
        grant_delay: record.grant_delay,
        last_seq: 0,
        begins,
        policy: Policy { seq: 0, root: record.policy_root },
        pending: None,
        former: None,
        successor: None,
    };
    session.put(&EntryKey::Record(record.rid), Some(&held))?;
    log::write(context, session, record.rid, core, EventKind::Record, 0)
}

/// Announces the record in the place of the old one: when the old one retires.
fn replace(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
    record: &Record,
    prev: &Previous,
) -> Result<Option<Wait>, StoreError> {
    let key = EntryKey::Record(prev.rid);
    let Some(old) = session.get::<HeldRecord>(&key)? else { return Ok(None) };
    let wait = Wait {
        start: context.now(),
        blocks: old.grant_delay,
        not_before_h: context.height.saturating_add(old.grant_delay),
    };
    let successor = Some(Successor { rid: record.rid, wait });
    session.put(&key, Some(&HeldRecord { successor, ..old }))?;
    log::write(context, session, prev.rid, core, EventKind::Rekey, 0)?;
    Ok(Some(wait))
}

/// The record, and its logs.
pub(super) const NEW_ENTRIES: u64 = 2;

fn set_fault(index: usize, set: &ShareSet) -> Option<&'static str> {
    if set.n > GUARDIANS_MAX {
        Some("more than 32 guardians")
    } else if set.k < 2 {
        Some("one share alone would be the key")
    } else if set.k > set.n {
        Some("more shares needed than there are guardians")
    } else if u64::from(set.required) >> set.n != 0 {
        Some("a required guardian that does not exist")
    } else if set.required.count_ones() > u32::from(set.k) {
        Some("more guardians required than shares needed")
    } else if index == usize::from(EMERGENCY_SET) && set.required != 0 {
        Some("nobody is required in an emergency")
    } else {
        None
    }
}
