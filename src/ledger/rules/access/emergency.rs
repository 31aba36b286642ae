//! Emergencies: who may break the glass again, what is reviewed, and which transactions need no fee.
//!
//! Where the design leaves room, the smallest safe rule holds:
//!
//! - An emergency counts from the block in which its request is accepted as pending, answered or not: its
//!   guardians may have acted before the approvals were mined. One that was refused counts from the block
//!   that records the approval of a guardian, who may have acted before the request was mined.
//! - The limits of the free path (a block, a site, an issuer) close the free path alone: at the ordinary
//!   fee the same request is judged by its policy, because life comes first.
//! - A request without a fee is that of a clinician of an emergency service where an emergency service
//!   is, heard there in time: else anybody with a policy of their own could use up the room of those.

use super::limits::{is_in_the_way, is_open};
use super::read::Eyes;
use crate::ledger::policy::{AccessRead, Place, Role};
use crate::ledger::rules::context::Context;
use crate::ledger::spec::{
    CLOSED_BLOCKS, EMERGENCIES_MAX, FREE_APPROVES_MAX, FREE_OPEN_SITE_MAX, FREE_REQUESTS_MAX,
    UNREVIEWED_MAX,
};
use crate::ledger::state::{Emergency, EntryKey, HeldRequest, Person, RequestStatus, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::{Approve, CoreId, PartyId};

/// Whether a person may not ask in an emergency now: one is open, or too many await their review. A
/// review that is overdue is the predicate's affair.
pub(super) fn is_barred(
    context: &Context<'_>,
    session: &mut Session<'_>,
    person: Person,
) -> Result<bool, StoreError> {
    let emergencies = of(session, person)?;
    for emergency in &emergencies {
        if is_in_the_way(context, session, emergency.request)? {
            return Ok(true);
        }
    }
    Ok(emergencies.len() >= EMERGENCIES_MAX)
}

/// Notes an emergency that awaits its review, unless as many of the person do as may: requests of theirs are
/// refused until some are reviewed.
pub(super) fn begin(
    context: &Context<'_>,
    session: &mut Session<'_>,
    person: Person,
    request: CoreId,
) -> Result<(), StoreError> {
    let mut emergencies = of(session, person)?;
    if emergencies.len() >= EMERGENCIES_MAX {
        return Ok(());
    }
    emergencies.push(Emergency { request, height: context.height });
    session.put(&EntryKey::Emergencies(person), Some(&emergencies))?;
    let unreviewed = EntryKey::Unreviewed(person.issuer);
    let count = session.get::<u32>(&unreviewed)?.unwrap_or(0).saturating_add(1);
    session.put(&unreviewed, Some(&count))
}

/// Whether an emergency awaits its review.
pub(super) fn is_unreviewed(
    session: &mut Session<'_>,
    held: &HeldRequest,
    request: CoreId,
) -> Result<bool, StoreError> {
    let Some(person) = held.asked.person.filter(|_| held.leaf.is_emergency()) else {
        return Ok(false);
    };
    Ok(of(session, person)?.iter().any(|emergency| emergency.request == request))
}

/// Takes an emergency off the list of those to review.
pub(super) fn review(
    context: &Context<'_>,
    session: &mut Session<'_>,
    held: &HeldRequest,
    request: CoreId,
) -> Result<(), StoreError> {
    if !is_unreviewed(session, held, request)? {
        return Ok(());
    }
    let Some(person) = held.asked.person else { return Ok(()) };
    let mut emergencies = of(session, person)?;
    emergencies.retain(|emergency| emergency.request != request);
    let list = (!emergencies.is_empty()).then_some(&emergencies);
    session.put(&EntryKey::Emergencies(person), list)?;
    let unreviewed = EntryKey::Unreviewed(person.issuer);
    let count = session.get::<u32>(&unreviewed)?.unwrap_or(0).saturating_sub(1);
    session.put(&unreviewed, (count > 0).then_some(&count))?;
    session.look_at(context.height.saturating_add(CLOSED_BLOCKS), EntryKey::Request(request));
    Ok(())
}

/// The site for which a pending emergency request may go without a fee, if it may.
pub(super) fn free_site(
    context: &Context<'_>,
    session: &mut Session<'_>,
    held: &HeldRequest,
) -> Result<Option<PartyId>, StoreError> {
    let asked = &held.asked;
    // What is pending at such a place was heard there: clause 6.
    let is_of_service =
        asked.role.as_ref().is_some_and(|role| role.value.role == Role::EmergencyClinician)
            && asked.place.as_ref().is_some_and(|place| place.value == Place::AnyEmergency);
    let is_pending =
        held.status == RequestStatus::Pending && held.leaf.is_emergency() && is_of_service;
    let (Some(person), Some(heard)) = (held.asked.person, held.asked.heard) else {
        return Ok(None);
    };
    if !is_pending || session.free_requests() >= FREE_REQUESTS_MAX {
        return Ok(None);
    }
    if session.get::<u32>(&EntryKey::Unreviewed(person.issuer))?.unwrap_or(0) >= UNREVIEWED_MAX {
        return Ok(None);
    }
    let sites = Eyes::new(context, session).sites(&heard.beacon, context.now())?;
    for site in sites.iter().filter(|site| site.is_emergency_besides(person.issuer)) {
        if open_at(context, session, site.key)?.len() < usize::from(FREE_OPEN_SITE_MAX) {
            return Ok(Some(site.key));
        }
    }
    Ok(None)
}

/// Notes a request that goes without a fee.
pub(super) fn take_free(
    context: &Context<'_>,
    session: &mut Session<'_>,
    site: PartyId,
    request: CoreId,
) -> Result<(), StoreError> {
    let mut open = open_at(context, session, site)?;
    open.push(request);
    session.count_free_request();
    let key = EntryKey::FreeSite(site);
    session.put(&key, Some(&open))?;
    session.look_at(context.height.saturating_add(CLOSED_BLOCKS), key);
    Ok(())
}

/// Whether approvals may go without a fee: of an emergency request that is pending.
pub(super) fn is_free_approve(
    context: &Context<'_>,
    session: &mut Session<'_>,
    approve: &Approve,
) -> Result<bool, StoreError> {
    if session.free_approves() >= FREE_APPROVES_MAX {
        return Ok(false);
    }
    let core = CoreId(approve.request);
    let held = session.shared::<HeldRequest>(&EntryKey::Request(core))?;
    let is_pending =
        held.is_some_and(|held| held.leaf.is_emergency() && held.status == RequestStatus::Pending);
    Ok(is_pending && is_open(context, session, core)?)
}

/// The requests without a fee that a site has open.
pub(super) fn open_at(
    context: &Context<'_>,
    session: &mut Session<'_>,
    site: PartyId,
) -> Result<Vec<CoreId>, StoreError> {
    let mut open = Vec::new();
    for request in session.get::<Vec<CoreId>>(&EntryKey::FreeSite(site))?.unwrap_or_default() {
        if is_open(context, session, request)? {
            open.push(request);
        }
    }
    Ok(open)
}

fn of(session: &mut Session<'_>, person: Person) -> Result<Vec<Emergency>, StoreError> {
    Ok(session.get(&EntryKey::Emergencies(person))?.unwrap_or_default())
}
