//! The rules of the bodies about access, one file a body, and what each changes.

mod approve;
mod attest;
mod checkpoint;
mod emergency;
mod error;
pub(super) mod expiry;
pub(super) mod form;
mod grant;
mod limits;
mod log;
mod question;
mod read;
mod receipt;
mod record;
mod request;
mod world;

pub use error::{ApproveError, AttestError, GrantError, ReceiptError, RecordError, RequestError};
pub use question::{Answer, answer, answer_unsent};
pub use world::{Around, world};

use std::rc::Rc;

use super::context::{Context, Refusal};
use super::error::TransactionError;
use super::isolation::Ids;
use crate::ledger::state::{HeldRequest, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::{Body, Core, CoreId, PartyId, Transaction};

/// What judging a body found out that applying it needs.
pub(super) enum Judged {
    /// Nothing.
    Sound,
    /// What the state will hold of a request.
    Request(Rc<HeldRequest>),
    /// What approvals lead to.
    Approve(approve::Plan),
}

/// By what right a transaction goes without the ordinary fee.
pub(super) enum Free {
    /// The request of an emergency at this site.
    Request(PartyId),
    /// Approvals of an emergency.
    Approve,
}

/// Judges a body in the state as it stands.
pub(super) fn check(
    context: &Context<'_>,
    session: &mut Session<'_>,
    ids: &Ids,
    transaction: &Transaction,
) -> Result<Judged, Refusal<TransactionError>> {
    match &transaction.core.body {
        Body::Attest(body) => attest::check(context, session, body)?,
        Body::Record(body) => record::check(session, body)?,
        Body::Grant(body) => grant::check(context, session, body)?,
        Body::Request(body) => {
            let held = request::check(context, session, &transaction.core, body, &ids.shown)?;
            return Ok(Judged::Request(Rc::new(held)));
        }
        Body::Approve(body) => {
            let plan = approve::check(context, session, ids, transaction, body)?;
            return Ok(Judged::Approve(plan));
        }
        Body::Receipt(body) => receipt::check(context, session, body)?,
        body => {
            let what = format!("{} is not accepted by this version", body.name());
            return Err(TransactionError::NonCanonical(what).into());
        }
    }
    Ok(Judged::Sound)
}

/// Applies a body that [`check`] has passed.
pub(super) fn apply(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
    body: &Body,
    judged: Judged,
) -> Result<(), StoreError> {
    match (body, judged) {
        (Body::Attest(body), _) => attest::apply(context, session, core, body),
        (Body::Record(body), _) => record::apply(context, session, core, body),
        (Body::Grant(body), _) => grant::apply(context, session, core, body),
        (Body::Request(_), Judged::Request(held)) => request::apply(context, session, core, held),
        (Body::Approve(body), Judged::Approve(plan)) => {
            approve::apply(context, session, core, body, plan)
        }
        (Body::Receipt(body), _) => receipt::apply(context, session, core, body),
        _ => Ok(()),
    }
}

/// Entries that a body adds to the state for longer than its core id is remembered.
pub(super) fn new_entries(session: &mut Session<'_>, body: &Body) -> Result<u64, StoreError> {
    match body {
        Body::Attest(body) => attest::new_entries(session, body),
        Body::Record(_) => Ok(record::NEW_ENTRIES),
        Body::Request(_) => Ok(request::NEW_ENTRIES),
        Body::Approve(body) => approve::new_entries(session, body),
        _ => Ok(0),
    }
}

/// Whether a body may go without the ordinary fee: an emergency request that becomes pending, and its
/// approvals, as long as there is room.
pub(super) fn free(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: &Core,
    ids: &Ids,
) -> Result<Option<Free>, StoreError> {
    match &core.body {
        Body::Request(body) if body.leaf.is_emergency() => {
            match request::check(context, session, core, body, &ids.shown) {
                Ok(held) => Ok(emergency::free_site(context, session, &held)?.map(Free::Request)),
                Err(Refusal::Rule(_)) => Ok(None),
                Err(Refusal::Store(error)) => Err(error),
            }
        }
        Body::Approve(body) => {
            let is_free = emergency::is_free_approve(context, session, body)?;
            Ok(is_free.then_some(Free::Approve))
        }
        _ => Ok(None),
    }
}

/// Counts a transaction that went without the fee.
pub(super) fn take_free(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
    free: &Free,
) -> Result<(), StoreError> {
    match free {
        Free::Request(site) => emergency::take_free(context, session, *site, core),
        Free::Approve => {
            session.count_free_approve();
            Ok(())
        }
    }
}
