//! The scrub: reads every entry in small steps and names what is damaged, without knowing what entries
//! mean. It does no work of its own accord; whoever has time calls [`scrub_step`].
//!
//! It finds a value that fails its checksum, an entry that can be listed but not looked up, and a table
//! that cannot be read on. It cannot find an entry that is gone together with everything that led to
//! it: [`DiskStore::verify_pages`](super::DiskStore::verify_pages) and a replay of the chain do.

use super::{Read, StoreError, Table};

/// Entries that are read at once: bounds what a step holds in memory.
const PAGE_ENTRIES: usize = 16;

/// How far a scrub has come. The default is the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubCursor {
    /// Index in [`Table::ALL`].
    table: usize,
    /// The first key not yet read.
    from: Vec<u8>,
}

/// Something that a scrub found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// A value fails its checksum.
    #[error("the value under key {} of table {table} fails its checksum", hex::encode(key))]
    Value {
        /// The table.
        table: Table,
        /// The key.
        key: Vec<u8>,
    },
    /// An entry is listed, but a look-up of its key does not lead to it.
    #[error("key {} of table {table} cannot be looked up", hex::encode(key))]
    Unreachable {
        /// The table.
        table: Table,
        /// The key.
        key: Vec<u8>,
    },
    /// The rest of a table cannot be read.
    #[error("table {table} cannot be read from key {} on: {what}", hex::encode(from))]
    Table {
        /// The table.
        table: Table,
        /// The first key that was not read.
        from: Vec<u8>,
        /// What stands in the way.
        what: String,
    },
}

/// What a step did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubStep {
    /// Where to go on; nothing when everything was read.
    pub next: Option<ScrubCursor>,
    /// Entries that are sound.
    pub entries: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// What was found.
    pub damage: Vec<Damage>,
}

/// Reads on from `cursor` until about `budget_bytes` are read, at least one entry.
///
/// `view` shows one commit: a snapshot, taken anew for each step so that none is held for long. An
/// entry that is written between two steps is seen or not; it is fresh in any case.
///
/// # Errors
///
/// Only what is no damage: the disk fails, the store is closed.
pub fn scrub_step(
    view: &dyn Read,
    cursor: ScrubCursor,
    budget_bytes: u64,
) -> Result<ScrubStep, StoreError> {
    let mut step = ScrubStep::default();
    let ScrubCursor { table: mut index, mut from } = cursor;
    let mut page_entries = PAGE_ENTRIES;
    while let Some(&table) = Table::ALL.get(index) {
        if step.bytes >= budget_bytes.max(1) {
            step.next = Some(ScrubCursor { table: index, from });
            break;
        }
        let unreadable = |from: &[u8], what: &str| Damage::Table {
            table,
            from: from.to_vec(),
            what: what.to_owned(),
        };
        let mut is_done = false;
        match view.range(table, &from, page_entries) {
            Ok(entries) => {
                is_done = entries.len() < page_entries;
                for (key, value) in entries {
                    if key < from {
                        // A page stands where another belongs; the walk might never end.
                        step.damage.push(unreadable(&from, "keys out of order"));
                        is_done = true;
                        break;
                    }
                    step.bytes += (key.len() + value.len()) as u64;
                    match view.get(table, &key) {
                        Ok(found) if found.as_ref() == Some(&value) => step.entries += 1,
                        Ok(_)
                        | Err(StoreError::CorruptValue { .. } | StoreError::Corrupt { .. }) => {
                            step.damage.push(Damage::Unreachable { table, key: key.clone() });
                        }
                        Err(error) => return Err(error),
                    }
                    from = after(key);
                }
            }
            // One at a time up to the bad one, which then comes first.
            Err(StoreError::CorruptValue { .. }) if page_entries > 1 => page_entries = 1,
            Err(StoreError::CorruptValue { key, .. }) if key >= from => {
                step.damage.push(Damage::Value { table, key: key.clone() });
                from = after(key);
                page_entries = PAGE_ENTRIES;
            }
            Err(StoreError::CorruptValue { .. }) => {
                step.damage.push(unreadable(&from, "keys out of order"));
                is_done = true;
            }
            Err(StoreError::Corrupt { what }) => {
                step.damage.push(unreadable(&from, &what));
                is_done = true;
            }
            Err(error) => return Err(error),
        }
        if is_done {
            (index, page_entries) = (index + 1, PAGE_ENTRIES);
            from.clear();
        }
    }
    Ok(step)
}

/// The least key after `key`.
fn after(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}
