//! The rules of the bodies about access, one file a body, and what each changes.

mod approve;
mod attest;
mod checkpoint;
mod error;
mod expire;
pub(super) mod form;
mod grant;
mod log;
mod receipt;
mod record;
mod view;

pub use error::{ApproveError, AttestError, GrantError, ReceiptError, RecordError, RequestError};
pub use expire::{CLOSED_BLOCKS, watch};
pub use view::{REVIEW_BLOCKS, StateView, anchor_height};

pub(super) use expire::begin_block;

use super::context::{Context, Refusal};
use super::error::TransactionError;
use crate::ledger::state::Session;
use crate::ledger::store::StoreError;
use crate::ledger::transaction::{Body, CoreId, Transaction};

/// Judges a body in the state as it stands.
pub(super) fn check(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
    transaction: &Transaction,
) -> Result<(), Refusal<TransactionError>> {
    match &transaction.core.body {
        Body::Attest(body) => attest::check(context, session, body),
        Body::Record(body) => record::check(session, body),
        Body::Grant(body) => grant::check(context, session, body),
        Body::Approve(body) => approve::check(context, session, core, transaction, body),
        Body::Receipt(body) => receipt::check(context, session, body),
        body => {
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
    transaction: &Transaction,
) -> Result<(), StoreError> {
    match &transaction.core.body {
        Body::Attest(body) => attest::apply(context, session, core, body),
        Body::Record(body) => record::apply(context, session, core, body),
        Body::Grant(body) => grant::apply(context, session, core, body),
        Body::Approve(body) => approve::apply(context, session, core, transaction, body),
        Body::Receipt(body) => receipt::apply(context, session, core, body),
        _ => Ok(()),
    }
}

/// Entries that a body adds to the state for longer than its core id is remembered.
pub(super) fn new_entries(session: &mut Session<'_>, body: &Body) -> Result<u64, StoreError> {
    match body {
        Body::Attest(body) => attest::new_entries(session, body),
        Body::Record(_) => Ok(record::NEW_ENTRIES),
        Body::Approve(body) => approve::new_entries(session, body),
        _ => Ok(0),
    }
}
