//! The rules of `Attest`, and what it changes.

use super::checkpoint;
use crate::ledger::rules::access::AttestError;
use crate::ledger::rules::context::{Context, Refusal};
use crate::ledger::rules::error::TransactionError;
use crate::ledger::state::{EntryKey, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::Attest;
use crate::ledger::transaction::attest::{Claim, Point};

pub(super) fn check(
    context: &Context<'_>,
    session: &mut Session<'_>,
    attest: &Attest,
) -> Result<(), Refusal<TransactionError>> {
    match (&attest.claim, attest.witness()) {
        (Claim::Checkpoint(body), Some(witness)) => {
            checkpoint::check(context, session, witness, body)
        }
        _ => Err(TransactionError::from(AttestError::NotAllowedToIssue).into()),
    }
}

pub(super) fn apply(session: &mut Session<'_>, attest: &Attest) -> Result<(), StoreError> {
    match (&attest.claim, attest.witness()) {
        (Claim::Checkpoint(body), Some(witness)) => checkpoint::apply(session, witness, body),
        _ => Ok(()),
    }
}

pub(super) fn new_entries(session: &mut Session<'_>, attest: &Attest) -> Result<u64, StoreError> {
    match attest.witness() {
        Some(witness) => {
            let last = session.get::<Point>(&EntryKey::Witness(witness))?;
            Ok(u64::from(last.is_none()))
        }
        None => Ok(0),
    }
}
