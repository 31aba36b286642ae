//! What one block changes, with what was there before: applied forwards, undone backwards.

use std::ops::Range;

use borsh::BorshDeserialize;

use super::{EntryKey, LogKind, Logged, Logs};
use crate::ledger::bytes::Bytes;
use crate::ledger::signature::PubKey;
use crate::ledger::transaction::CoreId;

/// One entry before and after a block; `None` where it is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which entry.
    pub key: EntryKey,
    /// Invariant: the key's encoding.
    encoded: Bytes,
    /// Its value before.
    pub old: Option<Bytes>,
    /// Its value after.
    pub new: Option<Bytes>,
}

/// Everything that a block changes, encoded keys ascending, no change without effect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delta {
    changes: Vec<Change>,
    events: Vec<Logged>,
}

/// An undo record on disk: the encoded keys with their old values.
#[derive(BorshDeserialize)]
struct Undo {
    entries: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Change {
    pub(super) fn new(key: EntryKey, old: Option<Bytes>, new: Option<Bytes>) -> Self {
        let encoded = Bytes::from(&*key.encoded());
        Self { key, encoded, old, new }
    }

    /// The encoded key.
    #[must_use]
    pub fn encoded(&self) -> &Bytes {
        &self.encoded
    }
}

impl Delta {
    /// Sorts changes that all have an effect.
    pub(super) fn new(mut changes: Vec<Change>, events: Vec<Logged>) -> Self {
        changes.sort_by_cached_key(|change| change.encoded.clone());
        Self { changes, events }
    }

    /// The changes, keys ascending.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The changes themselves, keys ascending.
    #[must_use]
    pub fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    /// The changes that undo these.
    #[must_use]
    pub fn inverted(self) -> Self {
        let changes = self.changes.into_iter();
        let invert =
            |Change { key, encoded, old, new }| Change { key, encoded, old: new, new: old };
        Self { changes: changes.map(invert).collect(), events: Vec::new() }
    }

    /// The events that it appends to logs, in order. Undone, a log is as long as its count says.
    #[must_use]
    pub fn events(&self) -> &[Logged] {
        &self.events
    }

    /// The events that it takes away again: the records and kinds of logs with the indexes that are no
    /// longer there.
    #[must_use]
    pub fn forgotten(&self) -> Vec<(PubKey, LogKind, Range<u64>)> {
        let logs = |value: &Option<Bytes>| -> Logs {
            value.as_deref().and_then(|bytes| borsh::from_slice(bytes).ok()).unwrap_or_default()
        };
        let mut forgotten = Vec::new();
        for change in &self.changes {
            let EntryKey::Logs(rid) = change.key else { continue };
            let (old, new) = (logs(&change.old), logs(&change.new));
            for kind in LogKind::ALL {
                forgotten.push((rid, kind, new.of(kind).count..old.of(kind).count));
            }
        }
        forgotten
    }

    /// The undo record: what [`Delta::from_undo`] needs besides the state after the block.
    ///
    /// # Panics
    ///
    /// Never: memory takes every write.
    #[must_use]
    pub fn undo_record(&self) -> Vec<u8> {
        let entries: Vec<(&[u8], Option<&[u8]>)> =
            self.changes.iter().map(|change| (&*change.encoded, change.old.as_deref())).collect();
        let bytes: usize =
            entries.iter().map(|(key, old)| key.len() + old.map_or(0, <[u8]>::len)).sum();
        // Lengths and tags take up to nine bytes an entry.
        let mut record = Vec::with_capacity(bytes + 9 * entries.len() + 4);
        borsh::to_writer(&mut record, &entries).expect("writing to memory cannot fail");
        record
    }

    /// The delta whose application undoes the block: `current` gives the value of an entry now.
    /// `None` if the record is none of ours.
    ///
    /// # Errors
    ///
    /// Whatever `current` fails with.
    pub fn from_undo<E>(
        record: &[u8],
        mut current: impl FnMut(&EntryKey) -> Result<Option<Bytes>, E>,
    ) -> Result<Option<Self>, E> {
        let Ok(undo) = Undo::try_from_slice(record) else { return Ok(None) };
        let mut changes = Vec::with_capacity(undo.entries.len());
        for (key, new) in undo.entries {
            let Some(key) = EntryKey::decode(&key) else { return Ok(None) };
            let old = current(&key)?;
            changes.push(Change::new(key, old, new.map(Bytes::from)));
        }
        Ok(Some(Self { changes, events: Vec::new() }))
    }

    /// Core ids that this delta brings into the list of accepted ones, each with its height, and those
    /// that it takes away.
    #[must_use]
    pub fn accepted(&self) -> (Vec<(CoreId, u32)>, Vec<CoreId>) {
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for change in &self.changes {
            let EntryKey::Accepted(height) = change.key else { continue };
            let list = |value: &Option<Bytes>| -> Vec<CoreId> {
                let bytes = value.as_deref().unwrap_or(&[0; 4]);
                borsh::from_slice(bytes).unwrap_or_default()
            };
            removed.extend(list(&change.old));
            added.extend(list(&change.new).into_iter().map(|core| (core, height)));
        }
        (added, removed)
    }
}
