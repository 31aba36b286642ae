//! The rules of `Grant`, and what it changes.
//!
//! Numbers are given out one by one, also to a policy that never begins because another is granted
//! before. A new policy replaces one that waits, and waits anew. A record that there is not has no
//! owners: `NotOwner`.

use super::log;
use crate::ledger::rules::access::GrantError;
use crate::ledger::rules::context::{Context, Refusal};
use crate::ledger::rules::error::TransactionError;
use crate::ledger::state::{EntryKey, EventKind, HeldRecord, Pending, Policy, Session, Wait};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::{CoreId, Grant};

const REVOKED: [u8; 32] = [0; 32];

pub(super) fn check(
    context: &Context<'_>,
    session: &mut Session<'_>,
    grant: &Grant,
) -> Result<(), Refusal<TransactionError>> {
    let refuse = |error: GrantError| Err(TransactionError::from(error).into());
    let Some(record) = session.shared::<HeldRecord>(&EntryKey::Record(grant.rid))? else {
        return refuse(GrantError::NotOwner);
    };
    if record.last_seq.checked_add(1) != Some(grant.seq) {
        let expected = record.last_seq.saturating_add(1);
        return refuse(GrantError::StaleSeq { expected, got: grant.seq });
    }
    if record.owners != grant.owners.id() {
        return refuse(GrantError::NotOwner);
    }
    if record.is_retired(context.now(), context.spec.spacing_s) {
        return refuse(GrantError::RecordRetired);
    }
    // A root hides its leaves, so tightening cannot be told from loosening: every one of them waits.
    let least = context.height.saturating_add(record.grant_delay);
    if grant.policy_root != REVOKED && grant.not_before_h < least {
        return refuse(GrantError::TooSoon { least, got: grant.not_before_h });
    }
    Ok(())
}

pub(super) fn apply(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
    grant: &Grant,
) -> Result<(), StoreError> {
    let key = EntryKey::Record(grant.rid);
    let Some(mut record) = session.get::<HeldRecord>(&key)? else { return Ok(()) };
    record.settle(context.now(), context.spec.spacing_s);
    let policy = Policy { seq: grant.seq, root: grant.policy_root };
    record.last_seq = grant.seq;
    if policy.root == REVOKED {
        record.put_in_force(policy);
    } else {
        let wait = Wait {
            start: context.now(),
            blocks: record.grant_delay,
            not_before_h: grant.not_before_h,
        };
        record.pending = Some(Pending { policy, wait });
    }
    session.put(&key, Some(&record))?;
    log::write(context, session, grant.rid, core, EventKind::Grant, 0)
}
