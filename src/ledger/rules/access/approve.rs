//! The rules of `Approve`, and what it changes: guardians and people whose role is needed agree, and the
//! approval that completes the tally takes the read and the price.
//!
//! Where the design leaves room, the smallest safe rule holds:
//!
//! - A request waits for approval only while clauses 1 to 6 hold: an approval that could complete nothing
//!   is `NotPending`, so it is not used up and can come again when the window is open. On an emergency
//!   leaf only clause 1 is asked, so that what a guardian acted on can be logged.
//! - Whoever approves is a guardian or has a role that the leaf needs; anybody else is `NotGuardian`. The
//!   index of a guardian counts once, and one who has refused this request is none.
//! - The reader is refused as `SamePerson`, by key and by tag.
//! - A presence that is carried must be true and young, whether the leaf asks for one or not.
//! - On an emergency leaf an approval that comes too late to count is recorded all the same: the request was
//!   refused, answered by others or denied before it, or the time to answer is over. A guardian may have acted
//!   on it while nothing was mined, and no release goes without a trace. Its people need to have held their
//!   roles, no more; it changes nothing but the log, and on a refused request the first that a guardian gives
//!   asks for a review, as a request that was accepted does. It pays the ordinary fee, so that a guardian who
//!   repeats itself pays for that.
//! - Completing keeps the approvals that counted: what is judged later is judged of them alone.
//! - A request takes at most 64 approvals.

use std::rc::Rc;

use super::error::ApproveError;
use super::read::Eyes;
use super::{emergency, log};
use crate::ledger::policy::{
    APPROVALS_MAX, AccessRead, Approval, Asked, Clause, Guardian, Heard, Holding, Moment, Together,
    completion_after, failing, role_fault,
};
use crate::ledger::rules::context::{Context, Refusal, anchor_height, credit, impossible};
use crate::ledger::rules::error::TransactionError;
use crate::ledger::rules::isolation::{Ids, Shown};
use crate::ledger::signature::PubKey;
use crate::ledger::state::{
    Account, EntryKey, EventKind, HeldRecord, HeldRequest, Person, RequestStatus, Session,
};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::approve::Approver;
use crate::ledger::transaction::{Approve, CoreId, Transaction};
use crate::primitives::BlockHash;

/// What an approval leads to.
pub(in crate::ledger::rules) struct Plan {
    /// The request before.
    held: Rc<HeldRequest>,
    record: Rc<HeldRecord>,
    /// Its approvals then.
    approvals: Vec<Approval>,
    outcome: Outcome,
}

/// What becomes of the request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It waits for more.
    Waits,
    /// Its tally is complete.
    Completed,
    /// Nothing: the approval is recorded.
    Recorded {
        /// Whether a guardian has acted on what was refused, for the first time that is known.
        asks_for_review: bool,
    },
}

type Planned = Result<Plan, Refusal<TransactionError>>;

pub(super) fn check(
    context: &Context<'_>,
    session: &mut Session<'_>,
    ids: &Ids,
    transaction: &Transaction,
    approve: &Approve,
) -> Planned {
    let plan = plan(context, session, ids, &transaction.core.anchor, approve)?;
    let leaf = &plan.held.leaf;
    if plan.outcome == Outcome::Completed && leaf.price > 0 {
        let reader = plan.held.asked.reader;
        let mut balance = session.account(reader)?.balance;
        if reader == transaction.payer {
            balance = balance.saturating_sub(transaction.fee);
        }
        let balance = balance.min(plan.held.max_price);
        if balance < leaf.price {
            return refuse(ApproveError::Insufficient { balance, price: leaf.price });
        }
    }
    Ok(plan)
}

pub(super) fn apply(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
    approve: &Approve,
    plan: Plan,
) -> Result<(), StoreError> {
    let Plan { held, record, approvals, outcome } = plan;
    let (rid, person) = (held.asked.rid, held.asked.person);
    let request = CoreId(approve.request);
    match (outcome, person) {
        (Outcome::Completed, _) => take_read_and_price(session, &held, &record)?,
        (Outcome::Recorded { asks_for_review: true }, Some(person)) => {
            emergency::begin(context, session, person, request)?;
        }
        _ => {}
    }
    // Now nobody but the session holds it, so it changes where it lies.
    drop(held);
    session.change(&EntryKey::Request(request), |held: &mut HeldRequest| {
        held.asked.approvals = approvals;
        if outcome == Outcome::Completed {
            held.asked.completed = Some(context.now());
            held.status = RequestStatus::Answered;
        }
    })?;
    log::write(context, session, rid, core, EventKind::Approval, 0)
}

/// The counter of the leaf's reads outlives the request.
pub(super) fn new_entries(session: &mut Session<'_>, approve: &Approve) -> Result<u64, StoreError> {
    let key = EntryKey::Request(CoreId(approve.request));
    let Some(held) = session.shared::<HeldRequest>(&key)? else { return Ok(0) };
    let asked = &held.asked;
    let reads: Option<u16> = session.get(&EntryKey::Reads(asked.rid, asked.seq, asked.leaf))?;
    Ok(u64::from(reads.is_none()))
}

fn take_read_and_price(
    session: &mut Session<'_>,
    held: &HeldRequest,
    record: &HeldRecord,
) -> Result<(), StoreError> {
    let asked = &held.asked;
    let key = EntryKey::Reads(asked.rid, asked.seq, asked.leaf);
    let reads: u16 = session.get(&key)?.unwrap_or_default();
    session.put(&key, Some(&reads.saturating_add(1)))?;
    if held.leaf.price > 0 {
        let reader = session.account(asked.reader)?;
        let balance = reader.balance.checked_sub(held.leaf.price).ok_or_else(impossible)?;
        session.put_account(asked.reader, Account { balance, ..reader })?;
        credit(session, record.payout, held.leaf.price)?;
    }
    Ok(())
}

/// Judges everything but the price, name by name over all approvers.
fn plan(
    context: &Context<'_>,
    session: &mut Session<'_>,
    ids: &Ids,
    anchor: &[u8; 32],
    approve: &Approve,
) -> Planned {
    let key = EntryKey::Request(CoreId(approve.request));
    let Some(held) = session.shared::<HeldRequest>(&key)? else {
        return refuse(ApproveError::NotPending);
    };
    let record = session.shared::<HeldRecord>(&EntryKey::Record(held.asked.rid))?;
    let (is_pending, is_emergency) =
        (held.status == RequestStatus::Pending, held.leaf.is_emergency());
    let Some(record) = record.filter(|_| is_pending || is_emergency) else {
        return refuse(ApproveError::NotPending);
    };
    let now = context.now();
    let to = held.asked.at.height.saturating_add(held.leaf.answer_within);
    if is_emergency && (!is_pending || now.height > to) {
        return record_only(context, session, ids, held, record, approve);
    }
    let core_anchor_h = anchor_height(context, &BlockHash(*anchor))?;
    if now.height > to {
        return refuse(ApproveError::Late { to, height: now.height });
    }
    // What is pending was judged when it was asked.
    let was_judged = held.asked.at == now && session.stands_firm();
    // What is in the state was hashed when it came.
    let view = Eyes::new(context, session).knowing(&held.leaf, held.asked.leaf);
    let asked_of = if is_emergency { Clause::Record } else { Clause::Place };
    if !was_judged && failing(&view, &held.asked, &held.leaf, now, asked_of)?.is_some() {
        return refuse(ApproveError::NotPending);
    }

    let guardians = check_guardians(&held, &record, approve, &ids.shown)?;
    check_duplicates(&held, &guardians, approve)?;
    let people = check_people(&view, &held, approve, now, true)?;
    let rounds = check_presences(context, &view, &held, approve, &ids.shown)?;
    if held.asked.approvals.len() + approve.approvers.len() > APPROVALS_MAX {
        return Err(TransactionError::TooLarge("approvals of a request").into());
    }
    let before = &held.asked.approvals;
    let mut approvals = Vec::with_capacity(before.len() + approve.approvers.len());
    approvals.extend_from_slice(before);
    let parts = approve.approvers.iter().zip(guardians).zip(people).zip(rounds);
    for (((approver, guardian), holding), heard) in parts {
        approvals.push(Approval {
            key: approver.key,
            person: holding.person,
            role: approver.role,
            guardian,
            round: heard.map(|heard| heard.round),
            after_h: core_anchor_h.max(heard.and_then(|heard| heard.anchor_h)),
            core: ids.core,
        });
    }
    // By key, so that the order of approvals in a block changes nothing but the log.
    approvals.sort_unstable_by_key(|approval| approval.key);
    let asked = Asked { approvals, ..held.asked };
    // No approval changes what was found above.
    let completed = completion_after(&view, &asked, &held.leaf, now, asked_of)?;
    let mut approvals = asked.approvals;
    let outcome = if completed.is_some() { Outcome::Completed } else { Outcome::Waits };
    if let Some(counted) = completed {
        counted.keep(&mut approvals);
    }
    Ok(Plan { held, record, approvals, outcome })
}

/// Judges an approval of an emergency that comes too late to count.
fn record_only(
    context: &Context<'_>,
    session: &mut Session<'_>,
    ids: &Ids,
    held: Rc<HeldRequest>,
    record: Rc<HeldRecord>,
    approve: &Approve,
) -> Planned {
    let guardians = check_guardians(&held, &record, approve, &ids.shown)?;
    check_duplicates(&held, &guardians, approve)?;
    // Without a guardian among them nothing can have been released on it.
    if guardians.iter().all(Option::is_none) {
        return refuse(ApproveError::NotPending);
    }
    let view = Eyes::new(context, session);
    let people = check_people(&view, &held, approve, context.now(), false)?;
    let before = &held.asked.approvals;
    if before.len() + approve.approvers.len() > APPROVALS_MAX {
        return Err(TransactionError::TooLarge("approvals of a request").into());
    }
    let is_refused = matches!(held.status, RequestStatus::Refused(_));
    // What is refused has approvals by this way alone.
    let is_first = before.iter().all(|approval| approval.guardian.is_none());
    let mut approvals = before.clone();
    // What completed a request is judged again of the approvals that counted, so they stay alone.
    if held.asked.completed.is_none() {
        let parts = approve.approvers.iter().zip(guardians).zip(people);
        approvals.extend(parts.map(|((approver, guardian), holding)| Approval {
            key: approver.key,
            person: holding.person,
            role: approver.role,
            guardian,
            round: None,
            after_h: None,
            core: ids.core,
        }));
        approvals.sort_unstable_by_key(|approval| approval.key);
    }
    let outcome = Outcome::Recorded { asks_for_review: is_refused && is_first };
    Ok(Plan { held, record, approvals, outcome })
}

/// The index of each approver who is a guardian.
fn check_guardians(
    held: &HeldRequest,
    record: &HeldRecord,
    approve: &Approve,
    shown: &Shown,
) -> Result<Vec<Option<u8>>, Refusal<TransactionError>> {
    let set = record.share_sets.get(usize::from(held.leaf.set));
    let index_of = |i: usize, approver: &Approver| {
        let Some(proof) = &approver.guardian else {
            let is_needed = held.leaf.need.iter().any(|need| need.role == approver.role);
            return is_needed.then_some(None);
        };
        let set = set?;
        let index = u8::try_from(proof.path.index).ok().filter(|index| *index < set.n)?;
        let (rid, epoch, key) = (held.asked.rid, record.epoch, approver.key);
        let guardian = Guardian { rid, epoch, set: held.leaf.set, index, key };
        let is_shown = shown.is_guardian(i, &guardian, proof, &set.guardians_root);
        let has_refused = held.asked.denied.checked_shr(index.into()).unwrap_or(0) & 1 == 1;
        (is_shown && !has_refused).then_some(Some(index))
    };
    let numbered = approve.approvers.iter().enumerate();
    numbered
        .map(|(i, approver)| match index_of(i, approver) {
            Some(index) => Ok(index),
            None => refuse(ApproveError::NotGuardian(i)),
        })
        .collect()
}

fn check_duplicates(
    held: &HeldRequest,
    guardians: &[Option<u8>],
    approve: &Approve,
) -> Result<(), Refusal<TransactionError>> {
    for (i, (approver, guardian)) in approve.approvers.iter().zip(guardians).enumerate() {
        let is_same = |key: &PubKey, index: &Option<u8>| {
            *key == approver.key || (index.is_some() && index == guardian)
        };
        let mut before = held.asked.approvals.iter();
        let mut beside = approve.approvers[..i].iter().zip(guardians);
        if before.any(|approval| is_same(&approval.key, &approval.guardian))
            || beside.any(|(other, index)| is_same(&other.key, index))
        {
            return refuse(ApproveError::DuplicateApprover(i));
        }
    }
    Ok(())
}

/// The claim of each approver: of distinct people, not the reader, in a live role, or in one ever held.
fn check_people(
    view: &Eyes<'_, '_>,
    held: &HeldRequest,
    approve: &Approve,
    now: Moment,
    must_live: bool,
) -> Result<Vec<Holding>, Refusal<TransactionError>> {
    let mut holdings = Vec::with_capacity(approve.approvers.len());
    for approver in &approve.approvers {
        holdings.push(view.holding(&approver.key, &approver.role, now)?);
    }
    for (i, (approver, holding)) in approve.approvers.iter().zip(&holdings).enumerate() {
        let is_known = |person: Person| {
            let is_same =
                |holding: &Option<Holding>| holding.is_some_and(|holding| holding.person == person);
            held.asked.person == Some(person)
                || held.asked.approvals.iter().any(|approval| approval.person == person)
                || holdings[..i].iter().any(is_same)
        };
        if approver.key == held.asked.reader
            || holding.is_some_and(|holding| is_known(holding.person))
        {
            return refuse(ApproveError::SamePerson(i));
        }
    }
    let judged = approve.approvers.iter().zip(holdings).enumerate();
    judged
        .map(|(i, (approver, holding))| {
            let spacing_s = view.spacing_s();
            let fault = role_fault(holding.as_ref(), approver.role, &held.leaf, now, spacing_s);
            match holding.filter(|_| !must_live || fault.is_none()) {
                Some(holding) => Ok(holding),
                None => refuse(ApproveError::RoleRevoked(i)),
            }
        })
        .collect()
}

/// What a beacon said of each approver.
fn check_presences(
    context: &Context<'_>,
    view: &Eyes<'_, '_>,
    held: &HeldRequest,
    approve: &Approve,
    shown: &Shown,
) -> Result<Vec<Option<Heard>>, Refusal<TransactionError>> {
    let least = context.height.saturating_sub(held.leaf.together_within);
    let round = held.asked.heard.map(|heard| heard.round);
    let mut rounds = Vec::with_capacity(approve.approvers.len());
    for (i, approver) in approve.approvers.iter().enumerate() {
        let mut heard = shown.heard(i, approver);
        if let (Some(heard), Some(presence)) = (&mut heard, &approver.presence) {
            heard.anchor_h = anchor_height(context, &BlockHash(presence.anchor))?;
        }
        let is_true = match heard {
            None => held.leaf.together != Together::OneRound,
            Some(heard) => {
                let is_round =
                    held.leaf.together != Together::OneRound || Some(heard.round) == round;
                heard.is_signer
                    && is_round
                    && heard.anchor_h.is_some_and(|anchor| anchor >= least)
                    && !view.sites(&heard.beacon, context.now())?.is_empty()
            }
        };
        if !is_true {
            return refuse(ApproveError::NoPresence(i));
        }
        rounds.push(heard);
    }
    Ok(rounds)
}

fn refuse<T>(error: ApproveError) -> Result<T, Refusal<TransactionError>> {
    Err(TransactionError::from(error).into())
}
