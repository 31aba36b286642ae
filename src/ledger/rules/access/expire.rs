//! What a block forgets: requests that have been closed for long. Nothing happens by itself when a
//! request closes; its entry just leaves the state later.
//!
//! An emergency that nobody has reviewed stays until somebody does.

use crate::ledger::rules::context::Context;
use crate::ledger::state::{EntryKey, HeldRequest, RequestStatus, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::CoreId;

/// Blocks for which a closed request is remembered.
pub const CLOSED_BLOCKS: u32 = 1000;

/// Notes when a request that was accepted now is looked at.
///
/// # Errors
///
/// If the store cannot be read.
pub fn watch(
    session: &mut Session<'_>,
    request: CoreId,
    held: &HeldRequest,
) -> Result<(), StoreError> {
    let height = leaves_at(held).unwrap_or(u32::MAX);
    look_at(session, height, &EntryKey::Request(request))
}

/// Forgets what is over at the start of a block.
pub(in crate::ledger::rules) fn begin_block(
    context: &Context<'_>,
    session: &mut Session<'_>,
) -> Result<(), StoreError> {
    let list = EntryKey::Expiring(context.height);
    let Some(keys) = session.get::<Vec<Vec<u8>>>(&list)? else { return Ok(()) };
    session.put::<Vec<Vec<u8>>>(&list, None)?;
    for key in keys.iter().filter_map(|key| EntryKey::decode(key)) {
        let EntryKey::Request(_) = key else { continue };
        let Some(held) = session.get::<HeldRequest>(&key)? else { continue };
        match leaves_at(&held) {
            Some(height) if height <= context.height => session.put::<HeldRequest>(&key, None)?,
            Some(height) => look_at(session, height, &key)?,
            None => look_at(session, context.height.saturating_add(CLOSED_BLOCKS), &key)?,
        }
    }
    Ok(())
}

/// The height at which a request leaves the state, as it stands now; `None` while it cannot.
fn leaves_at(held: &HeldRequest) -> Option<u32> {
    let (asked, leaf) = (&held.asked, &held.leaf);
    let last = match (held.status, asked.completed) {
        (RequestStatus::Refused(_), _) => asked.at.height,
        (_, None) => asked.at.height.saturating_add(leaf.answer_within),
        (RequestStatus::Answered, Some(_)) if leaf.is_emergency() => return None,
        (_, Some(completed)) => {
            let opened = completed.height.max(asked.at.height.saturating_add(leaf.delay));
            opened.saturating_add(leaf.read_within)
        }
    };
    Some(last.saturating_add(CLOSED_BLOCKS + 1))
}

fn look_at(session: &mut Session<'_>, height: u32, key: &EntryKey) -> Result<(), StoreError> {
    let list = EntryKey::Expiring(height);
    let mut keys: Vec<Vec<u8>> = session.get(&list)?.unwrap_or_default();
    keys.push(key.encode());
    session.put(&list, Some(&keys))
}
