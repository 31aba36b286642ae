//! The rules of the bodies about access, one file a body, and what each changes.

mod attest;
mod checkpoint;
mod error;
pub(super) mod form;
mod grant;
mod log;
mod record;

pub use error::{ApproveError, AttestError, GrantError, ReceiptError, RecordError, RequestError};

use super::context::{Context, Refusal};
use super::error::TransactionError;
use crate::ledger::state::Session;
use crate::ledger::store::StoreError;
use crate::ledger::transaction::{Body, CoreId};

/// Judges a body in the state as it stands.
pub(super) fn check(
    context: &Context<'_>,
    session: &mut Session<'_>,
    _core: CoreId,
    body: &Body,
) -> Result<(), Refusal<TransactionError>> {
    match body {
        Body::Attest(body) => attest::check(context, session, body),
        Body::Record(body) => record::check(session, body),
        Body::Grant(body) => grant::check(context, session, body),
        _ => {
            let what = format!("{} is not accepted by this version", body.name());
            Err(TransactionError::NonCanonical(what).into())
        }
    }
}

/// Applies a body that [`check`] has passed.
pub(super) fn apply(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
    body: &Body,
) -> Result<(), StoreError> {
    match body {
        Body::Attest(body) => attest::apply(context, session, core, body),
        Body::Record(body) => record::apply(context, session, core, body),
        Body::Grant(body) => grant::apply(context, session, core, body),
        _ => Ok(()),
    }
}

/// Entries that a body adds to the state for longer than its core id is remembered.
pub(super) fn new_entries(session: &mut Session<'_>, body: &Body) -> Result<u64, StoreError> {
    match body {
        Body::Attest(body) => attest::new_entries(session, body),
        Body::Record(_) => Ok(record::NEW_ENTRIES),
        _ => Ok(0),
    }
}
