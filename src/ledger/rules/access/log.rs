//! The logs of a record: every event is appended where it happens, so that an audit can be complete.

use crate::ledger::rules::context::Context;
use crate::ledger::signature::PubKey;
use crate::ledger::state::{Event, EventKind, LogKind, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::CoreId;

/// Appends an event to the log that it belongs to.
pub(super) fn write(
    context: &Context<'_>,
    session: &mut Session<'_>,
    rid: PubKey,
    core: CoreId,
    kind: EventKind,
    note: u8,
) -> Result<(), StoreError> {
    let log = if kind == EventKind::Refusal { LogKind::Refusals } else { LogKind::Access };
    session.log(rid, log, Event { height: context.height, core, kind, note })
}
