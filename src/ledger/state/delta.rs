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
    /// Which entry: the encoding of an [`EntryKey`].
    key: Bytes,
    /// Its value before.
    pub old: Option<Bytes>,
    /// Its value after.
    pub new: Option<Bytes>,
}

/// Everything that a block changes, each entry once, no change without effect; in the order in which the
/// block came to them, since whatever takes them up brings them into an order of its own.
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
    pub(super) fn new(key: &EntryKey, old: Option<Bytes>, new: Option<Bytes>) -> Self {
        Self { key: Bytes::from(&*key.encoded()), old, new }
    }

    /// Which entry.
    ///
    /// # Panics
    ///
    /// Never: it was made of such a key.
    #[must_use]
    pub fn key(&self) -> EntryKey {
        EntryKey::decode(&self.key).expect("it was made of a key")
    }

    /// The encoded key.
    #[must_use]
    pub fn encoded(&self) -> &[u8] {
        &self.key
    }

    /// The encoded key with what becomes of the entry.
    #[must_use]
    pub fn into_write(self) -> (Bytes, Option<Bytes>) {
        (self.key, self.new)
    }
}

impl Delta {
    /// Of changes that all have an effect.
    pub(super) fn new(changes: Vec<Change>, events: Vec<Logged>) -> Self {
        Self { changes, events }
    }

    /// The changes.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The changes themselves.
    #[must_use]
    pub fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    /// The changes that undo these.
    #[must_use]
    pub fn inverted(self) -> Self {
        let changes = self.changes.into_iter();
        let invert = |Change { key, old, new }| Change { key, old: new, new: old };
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
            let EntryKey::Logs(rid) = change.key() else { continue };
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
        let entries = self.changes.iter().map(|change| (&*change.key, change.old.as_deref()));
        let old_bytes = |old: Option<&[u8]>| old.map_or(0, <[u8]>::len);
        let bytes: usize = entries.clone().map(|(key, old)| key.len() + old_bytes(old)).sum();
        // Lengths and tags take up to nine bytes an entry.
        let mut record = Vec::with_capacity(bytes + 9 * self.changes.len() + 4);
        let count = u32::try_from(self.changes.len()).expect("a block changes fewer");
        borsh::to_writer(&mut record, &count).expect("writing to memory cannot fail");
        for entry in entries {
            borsh::to_writer(&mut record, &entry).expect("writing to memory cannot fail");
        }
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
            changes.push(Change::new(&key, old, new.map(Bytes::from)));
        }
        Ok(Some(Self { changes, events: Vec::new() }))
    }

    /// Core ids that this delta brings into the list of accepted ones, each with its height, and those
    /// that it takes away.
    #[must_use]
    pub fn accepted(&self) -> (Vec<(CoreId, u32)>, Vec<CoreId>) {
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for change in &self.changes {
            let EntryKey::Accepted(height) = change.key() else { continue };
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
