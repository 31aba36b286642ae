//! The logs of a record: every event is appended where it happens, so that an audit can be complete.

use crate::ledger::rules::context::Context;
use crate::ledger::signature::PubKey;
use crate::ledger::state::{EntryKey, Event, EventKind, Logs, Session};
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
    let key = EntryKey::Logs(rid);
    let mut logs = session.get::<Logs>(&key)?.unwrap_or_default();
    let log = if kind == EventKind::Refusal { &mut logs.refusals } else { &mut logs.access };
    log.push(&Event { height: context.height, core, kind, note });
    session.put(&key, Some(&logs))
}
