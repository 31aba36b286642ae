//! The rules of `Receipt`, and what it changes: notes about what came of a request, and the acts that end
//! it.
//!
//! Where the design leaves room, the smallest safe rule holds:
//!
//! - Read, Served and BadShare are notes about a request that has opened; they may come as long as it is
//!   remembered, since a late note is better than none. They name the record's blob, all others none.
//! - Denied is the word of somebody who has approved this request: it takes the approval back, and a
//!   guardian does not count for this request again. A guardian who has not approved just does not.
//! - Reviewed is for an emergency that was not refused, answered or not, or that a guardian acted on,
//!   once. The auditor holds a live claim of another issuer than the reader's, and of none that the
//!   reader's issuer has made, and is not among those who approved. Nobody reviews what they asked for,
//!   an owner neither.

use super::emergency;
use super::error::ReceiptError;
use super::log;
use crate::ledger::policy::{Judge, ReadClaims};
use crate::ledger::rules::context::{Context, Refusal, impossible};
use crate::ledger::rules::error::TransactionError;
use crate::ledger::state::{EntryKey, EventKind, HeldRecord, HeldRequest, RequestStatus, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::attest::Claim;
use crate::ledger::transaction::receipt::Outcome;
use crate::ledger::transaction::{CoreId, Party, Receipt};

const NO_BLOB: [u8; 32] = [0; 32];

pub(super) fn check(
    context: &Context<'_>,
    session: &mut Session<'_>,
    receipt: &Receipt,
) -> Result<(), Refusal<TransactionError>> {
    let Some((held, record)) = load(session, receipt)? else {
        return refuse(ReceiptError::UnknownRequest);
    };
    let has_opened = has_opened(context, &held);
    if receipt.outcome == Outcome::Veto && (has_opened || held.leaf.is_emergency()) {
        return refuse(ReceiptError::TooLateToVeto);
    }
    if !is_party(context, session, receipt, &held, &record)? {
        return refuse(ReceiptError::NotParty);
    }
    let is_alive = match held.status {
        RequestStatus::Pending => {
            let to = held.asked.at.height.saturating_add(held.leaf.answer_within);
            context.height <= to
        }
        RequestStatus::Answered => true,
        _ => false,
    };
    let is_in_time = match receipt.outcome {
        Outcome::Read | Outcome::Served | Outcome::BadShare => has_opened,
        Outcome::Denied | Outcome::Veto => is_alive,
        Outcome::Reviewed => emergency::is_unreviewed(session, &held, CoreId(receipt.request))?,
    };
    if !is_in_time {
        return refuse(ReceiptError::NotOpen);
    }
    let blob = match receipt.outcome {
        Outcome::Read | Outcome::Served | Outcome::BadShare => record.blob,
        Outcome::Denied | Outcome::Veto | Outcome::Reviewed => NO_BLOB,
    };
    if receipt.blob != blob {
        return refuse(ReceiptError::BlobMismatch);
    }
    Ok(())
}

pub(super) fn apply(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
    receipt: &Receipt,
) -> Result<(), StoreError> {
    let Some((mut held, record)) = load(session, receipt)? else { return Err(impossible()) };
    match receipt.outcome {
        Outcome::Read | Outcome::Served | Outcome::BadShare => {}
        Outcome::Veto => {
            held.asked.vetoed = true;
            held.status = RequestStatus::Vetoed;
        }
        Outcome::Denied => deny(&mut held, &record, &receipt.by),
        Outcome::Reviewed => {
            emergency::review(context, session, &held, CoreId(receipt.request))?;
        }
    }
    session.put(&EntryKey::Request(CoreId(receipt.request)), Some(&held))?;
    let note = receipt.outcome as u8;
    log::write(context, session, held.asked.rid, core, EventKind::Receipt, note)
}

fn load(
    session: &mut Session<'_>,
    receipt: &Receipt,
) -> Result<Option<(HeldRequest, HeldRecord)>, StoreError> {
    let held: Option<HeldRequest> = session.get(&EntryKey::Request(CoreId(receipt.request)))?;
    let Some(held) = held else { return Ok(None) };
    let record: Option<HeldRecord> = session.get(&EntryKey::Record(held.asked.rid))?;
    Ok(record.map(|record| (held, record)))
}

/// Whether the request has come to the height from which it opens: completed, and the delay over.
fn has_opened(context: &Context<'_>, held: &HeldRequest) -> bool {
    let waited = context.now().has_waited(held.asked.at, held.leaf.delay, context.spec.spacing_s);
    held.asked.completed.is_some() && waited && !held.asked.vetoed
}

fn is_party(
    context: &Context<'_>,
    session: &mut Session<'_>,
    receipt: &Receipt,
    held: &HeldRequest,
    record: &HeldRecord,
) -> Result<bool, StoreError> {
    let by = receipt.by.id();
    let is_owner = by == record.owners;
    let approves = held.asked.approvals.iter().any(|approval| by == approval.key.into());
    Ok(match receipt.outcome {
        Outcome::Read | Outcome::BadShare => by == held.asked.reader.into(),
        Outcome::Served => {
            let wanted = |claim: &Claim| matches!(claim, Claim::Custodian);
            has_claim(context.judge(), session, receipt, &wanted)?
        }
        Outcome::Denied => approves,
        Outcome::Veto => is_owner,
        Outcome::Reviewed => {
            let issuer = held.asked.person.map(|person| person.issuer);
            let asked_for_it = receipt.by.signers().contains(&held.asked.reader);
            let wanted = |claim: &Claim| matches!(claim, Claim::Auditor);
            let judge = context.judge();
            let judge = issuer.map_or(judge, |issuer| judge.without(issuer));
            !asked_for_it
                && (is_owner || (!approves && has_claim(judge, session, receipt, &wanted)?))
        }
    })
}

/// Whether the signer holds a live claim of a kind.
fn has_claim(
    judge: Judge,
    session: &mut Session<'_>,
    receipt: &Receipt,
    wanted: &dyn Fn(&Claim) -> bool,
) -> Result<bool, StoreError> {
    let state: &mut dyn ReadClaims = session;
    let found = judge.live_claim(state, receipt.by.id(), &|held| {
        wanted(&held.claim) && Some(held.issuer) != judge.without
    })?;
    Ok(found.is_some())
}

/// Takes an approval back; the request ends when those who are left are too few.
fn deny(held: &mut HeldRequest, record: &HeldRecord, by: &Party) {
    let asked = &mut held.asked;
    let by = by.id();
    let Some(at) = asked.approvals.iter().position(|approval| by == approval.key.into()) else {
        return;
    };
    let Some(index) = asked.approvals.remove(at).guardian else { return };
    asked.denied |= 1_u32.checked_shl(index.into()).unwrap_or(0);
    let Some(set) = record.share_sets.get(usize::from(held.leaf.set)) else { return };
    let left = u32::from(set.n).saturating_sub(asked.denied.count_ones());
    if left < u32::from(held.leaf.k) || set.required & asked.denied != 0 {
        held.status = RequestStatus::Denied;
    }
}

fn refuse<T>(error: ReceiptError) -> Result<T, Refusal<TransactionError>> {
    Err(TransactionError::from(error).into())
}
