//! What the predicate says of a request in the state, or of one that has not been sent: for guardians,
//! readers and whoever wants to know why.

use super::read::Eyes;
use super::request;
use crate::ledger::policy::{AccessRead, Moment, Reason, Verdict, allow, findings};
use crate::ledger::rules::context::{Context, Refusal};
use crate::ledger::rules::error::TransactionError;
use crate::ledger::rules::isolation::Shown;
use crate::ledger::state::{EntryKey, HeldRequest, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::{Core, CoreId, Request};

/// The predicate's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// When it was asked.
    pub at: Moment,
    /// What the predicate says: of a request that is not completed yet, whether an approval in this
    /// block would complete it and open it at once.
    pub verdict: Verdict,
    /// Whether the record is open: the request is completed, and the predicate says yes.
    pub is_open: bool,
    /// The height from which a completed request is open, if nothing stands against it; a delay may take
    /// longer where the clock is slow. Guardians count their blocks from it.
    pub open_from: Option<u32>,
    /// Every clause's answer in order.
    pub findings: [Option<Reason>; 9],
}

/// What the predicate says of a request in the block of the context; `None` if the state does not know
/// it. A request that was refused stays refused, whatever the clauses say later.
///
/// # Errors
///
/// If the store cannot be read.
pub fn answer(
    context: &Context<'_>,
    session: &mut Session<'_>,
    request: CoreId,
) -> Result<Option<(HeldRequest, Answer)>, StoreError> {
    let Some(held) = session.get::<HeldRequest>(&EntryKey::Request(request))? else {
        return Ok(None);
    };
    let answer = judge(&Eyes::new(context, session), &held, context.now())?;
    Ok(Some((held, answer)))
}

/// What the predicate would say of a request in the block of the context.
///
/// # Errors
///
/// The rule that makes it invalid, or a store that cannot be read.
pub fn answer_unsent(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: &Core,
    body: &Request,
) -> Result<(HeldRequest, Answer), Refusal<TransactionError>> {
    let held = request::check(context, session, core, body, &Shown::Nothing)?;
    let answer = judge(&Eyes::new(context, session), &held, context.now())?;
    Ok((held, answer))
}

fn judge<V: AccessRead>(view: &V, held: &HeldRequest, at: Moment) -> Result<Answer, V::Error> {
    let verdict = allow(view, &held.asked, &held.leaf, at)?;
    let findings = findings(view, &held.asked, &held.leaf, at)?;
    let is_open = held.asked.completed.is_some() && verdict.is_allowed();
    let delayed = held.asked.at.height.saturating_add(held.leaf.delay);
    let open_from = held.asked.completed.map(|completed| completed.height.max(delayed));
    Ok(Answer { at, verdict, is_open, open_from, findings })
}
