//! Limits by person and issuer, so that recording every attempt does not invite spam.
//!
//! Where the design leaves room, the smallest safe rule holds: a request that nobody has answered while its
//! people could still be together counts as its person's open one no longer, so that who asked can ask again.

use crate::ledger::policy::Together;
use crate::ledger::rules::context::Context;
use crate::ledger::signature::PubKey;
use crate::ledger::spec::{
    CLOSED_BLOCKS, REFUSAL_WINDOW_BLOCKS, REFUSED_ISSUER_RECORD_MAX, REFUSED_PERSON_MAX,
    REFUSED_PERSON_RECORD_MAX,
};
use crate::ledger::state::{
    Counter, EntryKey, HeldRecord, HeldRequest, Person, RequestStatus, Session,
};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::CoreId;

/// Whether a person has a request for the record that can still be answered or read.
pub(super) fn has_open(
    context: &Context<'_>,
    session: &mut Session<'_>,
    rid: PubKey,
    person: Person,
) -> Result<bool, StoreError> {
    match session.get::<CoreId>(&EntryKey::Open(rid, person))? {
        None => Ok(false),
        Some(core) => is_in_the_way(context, session, core),
    }
}

/// Whether a request can still be answered or read.
pub(super) fn is_open(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
) -> Result<bool, StoreError> {
    let Some(held) = session.shared::<HeldRequest>(&EntryKey::Request(core))? else {
        return Ok(false);
    };
    let Some(record) = session.shared::<HeldRecord>(&EntryKey::Record(held.asked.rid))? else {
        return Ok(false);
    };
    let (now, spacing_s) = (context.now(), context.spec.spacing_s);
    let is_in_force = record.policy_at(now, spacing_s).seq == held.asked.seq
        && !record.is_retired(now, spacing_s);
    Ok(is_in_force && held.over_at().is_none_or(|over| context.height < over))
}

/// Whether it can be answered still, or has been and can be read.
pub(super) fn is_in_the_way(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
) -> Result<bool, StoreError> {
    let held = session.shared::<HeldRequest>(&EntryKey::Request(core))?;
    let is_too_late = held.is_some_and(|held| {
        let waits = held.status == RequestStatus::Pending && held.leaf.together != Together::Apart;
        waits && context.height > last_together(&held)
    });
    Ok(!is_too_late && is_open(context, session, core)?)
}

/// The last height at which clause 8 can hold: at best the reader has signed on top of the block before the
/// one that took the request. Not when they did sign, or a request signed long ago would never count.
fn last_together(held: &HeldRequest) -> u32 {
    let signed = held.asked.at.height.saturating_sub(1);
    signed.saturating_add(held.leaf.together_within)
}

pub(super) fn note_open(
    context: &Context<'_>,
    session: &mut Session<'_>,
    rid: PubKey,
    person: Person,
    core: CoreId,
) -> Result<(), StoreError> {
    let key = EntryKey::Open(rid, person);
    session.put(&key, Some(&core))?;
    session.look_at(context.height.saturating_add(CLOSED_BLOCKS), key);
    Ok(())
}

/// Whether one more refusal would be over a limit of this window.
pub(super) fn are_refusals_used_up(
    context: &Context<'_>,
    session: &mut Session<'_>,
    rid: PubKey,
    person: Person,
) -> Result<bool, StoreError> {
    for (key, most) in counters(rid, person) {
        if counter(context, session, &key)?.count >= most {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn count_refusal(
    context: &Context<'_>,
    session: &mut Session<'_>,
    rid: PubKey,
    person: Person,
) -> Result<(), StoreError> {
    for (key, _) in counters(rid, person) {
        let Counter { window, count } = counter(context, session, &key)?;
        session.put(&key, Some(&Counter { window, count: count.saturating_add(1) }))?;
        // By then the window is over.
        session.look_at(context.height.saturating_add(REFUSAL_WINDOW_BLOCKS), key);
    }
    Ok(())
}

/// Whether a counter belongs to a window that is over.
pub(super) fn is_past(context: &Context<'_>, counter: Counter) -> bool {
    counter.window != window(context)
}

fn counters(rid: PubKey, person: Person) -> [(EntryKey, u16); 3] {
    [
        (EntryKey::RefusedRecord(rid, person), REFUSED_PERSON_RECORD_MAX),
        (EntryKey::RefusedPerson(person), REFUSED_PERSON_MAX),
        (EntryKey::RefusedIssuer(rid, person.issuer), REFUSED_ISSUER_RECORD_MAX),
    ]
}

/// The count of this window.
fn counter(
    context: &Context<'_>,
    session: &mut Session<'_>,
    key: &EntryKey,
) -> Result<Counter, StoreError> {
    let counter = session.get::<Counter>(key)?.filter(|counter| !is_past(context, *counter));
    Ok(counter.unwrap_or(Counter { window: window(context), count: 0 }))
}

fn window(context: &Context<'_>) -> u32 {
    context.height / REFUSAL_WINDOW_BLOCKS
}
