//! The rules of `Request`, and what it changes.
//!
//! A request whose record, policy or leaf is not there, or that is over a limit, is invalid. One that
//! fails a later clause is packed all the same and recorded as refused, so that every attempt by anyone
//! who ever held a role and shows a branch of the policy is on the ledger.
//!
//! On an emergency leaf, whatever a guardian may have acted on can be logged: a policy that is no longer
//! in force (clause 1), a limit (0), a role never held (5) and an unknown presence anchor (6) are refusals
//! too. Where the design leaves room, the smallest safe rule holds:
//!
//! - An emergency leaf of a policy that is not in force is known by the root before it, or by the one
//!   that waits; older ones are not.
//! - Under a policy that revokes everything no leaf is in the policy; of a record that has retired every
//!   number is stale.
//! - Counts of refusals are per window, those of a record too: otherwise three refusals would hide every
//!   later attempt. A person is the one of the role that is shown, or else of the first role ever held.
//! - A person's open request is one that could still be answered or read under the policy in force.

use std::rc::Rc;

use super::{emergency, limits, log, read};
use crate::ledger::policy::{self, AccessRead, Asked, Clause, Reason};
use crate::ledger::rules::access::RequestError;
use crate::ledger::rules::access::read::Eyes;
use crate::ledger::rules::context::{Context, Refusal, anchor_height};
use crate::ledger::rules::error::TransactionError;
use crate::ledger::rules::isolation::Shown;
use crate::ledger::spec::CLOSED_BLOCKS;
use crate::ledger::state::{
    EntryKey, EventKind, HeldRecord, HeldRequest, Person, RequestStatus, Session,
};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::{Core, CoreId, Request};
use crate::primitives::BlockHash;

/// A refusal by a limit rather than by a clause.
const LIMIT: u8 = 0;

/// Judges a request: what the state would hold of it.
pub(super) fn check(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: &Core,
    request: &Request,
    shown: &Shown,
) -> Result<HeldRequest, Refusal<TransactionError>> {
    let refuse = |error: RequestError| Err(TransactionError::from(error).into());
    let is_emergency = request.leaf.is_emergency();
    let presence_anchor = match &request.presence {
        None => None,
        Some(presence) => {
            let hash = BlockHash(presence.anchor);
            let height = anchor_height(context, &hash)?;
            if height.is_none() && !is_emergency {
                return Err(TransactionError::UnknownAnchor(hash).into());
            }
            height
        }
    };
    let now = context.now();
    let Some(record) = session.shared::<HeldRecord>(&EntryKey::Record(request.rid))? else {
        return refuse(RequestError::UnknownRecord);
    };
    let in_force = record.policy_at(now, context.spec.spacing_s);
    let person = person_of(context, session, request)?;
    let core_anchor = anchor_height(context, &BlockHash(core.anchor))?;
    let asked = shown.asked(request).accepted(person, now, core_anchor, presence_anchor);

    let eyes = Eyes::new(context, session).knowing(&request.leaf, asked.leaf);
    let unfit = policy::unfit(&eyes, &asked, &request.leaf, now)?;
    let mut refused = match unfit {
        None => None,
        Some(Reason::Revoked) if !is_emergency && asked.seq == in_force.seq => {
            return refuse(RequestError::BranchNotInPolicy);
        }
        Some(reason) if reason.clause() == Clause::Record && !is_emergency => {
            return refuse(RequestError::StaleSeq { got: request.seq });
        }
        Some(reason)
            if reason.clause() == Clause::Record
                && was_granted(context, &record, &asked, request) =>
        {
            Some(Clause::Record.number())
        }
        Some(_) => return refuse(RequestError::BranchNotInPolicy),
    };

    if let Some(person) = person {
        let is_over_limit = limits::has_open(context, session, request.rid, person)?
            || (is_emergency && emergency::is_barred(context, session, person)?);
        if is_over_limit && !is_emergency {
            return refuse(RequestError::TooManyOpen);
        }
        refused = refused.or(is_over_limit.then_some(LIMIT));
    }
    if refused.is_none() {
        let reason = policy::refusal(&Eyes::new(context, session), &asked, &request.leaf, now)?;
        refused = reason.map(|reason| reason.clause().number());
    }
    match (refused, person) {
        _ if is_emergency => {}
        (_, None) => return refuse(RequestError::RoleNotHeld),
        (Some(clause), Some(person)) => {
            if limits::are_refusals_used_up(context, session, request.rid, person)? {
                return refuse(RequestError::TooManyRefused { clause });
            }
        }
        (None, Some(_)) => {}
    }
    let status = refused.map_or(RequestStatus::Pending, RequestStatus::Refused);
    let (leaf, max_price) = (request.leaf.clone(), request.max_price);
    Ok(HeldRequest { asked, leaf, max_price, status })
}

pub(super) fn apply(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
    held: Rc<HeldRequest>,
) -> Result<(), StoreError> {
    let (rid, person, status) = (held.asked.rid, held.asked.person, held.status);
    let is_emergency = held.leaf.is_emergency();
    // No core is accepted twice: by the time that its id is forgotten it has expired.
    session.put_fresh(&EntryKey::Request(core), held);
    session.look_at(context.height.saturating_add(CLOSED_BLOCKS), EntryKey::Request(core));
    if let RequestStatus::Refused(clause) = status {
        if let Some(person) = person {
            limits::count_refusal(context, session, rid, person)?;
        }
        return log::write(context, session, rid, core, EventKind::Refusal, clause);
    }
    if let Some(person) = person {
        limits::note_open(context, session, rid, person, core)?;
        if is_emergency {
            emergency::begin(context, session, person, core)?;
        }
    }
    log::write(context, session, rid, core, EventKind::Request, 0)
}

/// The request itself, and what counts for its person, may outlive its core id.
pub(super) const NEW_ENTRIES: u64 = 1;

fn person_of(
    context: &Context<'_>,
    session: &mut Session<'_>,
    request: &Request,
) -> Result<Option<Person>, StoreError> {
    if let Some(shown) = &request.role {
        let eyes = Eyes::new(context, session);
        if let Some(holding) = eyes.holding(&request.reader, &shown.role, context.now())? {
            return Ok(Some(holding.person));
        }
    }
    read::first_person(session, request.reader)
}

/// Whether a leaf that makes sense stood in a policy of the record that is not in force any more, or not
/// yet.
fn was_granted(
    context: &Context<'_>,
    record: &HeldRecord,
    asked: &Asked,
    request: &Request,
) -> bool {
    let pending = record.pending.map(|pending| pending.policy);
    let roots = [Some(record.policy), pending, record.former].into_iter().flatten();
    let is_known = roots.map(|policy| policy.root).any(|root| Some(root) == asked.root);
    is_known && asked.root != Some([0; 32]) && request.leaf.check(context.spec.spacing_s).is_ok()
}
