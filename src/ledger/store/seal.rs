//! The checksum that stands before every stored value. It finds accidents, not forgers: whoever can
//! write the file can write a checksum.

use super::{StoreError, Table};
use crate::hash::tagged::Tag;

/// Bytes of the checksum.
pub(super) const CHECKSUM_BYTES: usize = 8;

const CHECKSUM: Tag = Tag::new("store");

/// The checksum binds a value to its place, so that a value read under another key fails too.
fn checksum(table: u8, key: &[u8], value: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let key_bytes = u32::try_from(key.len()).unwrap_or(u32::MAX);
    let mut hash = CHECKSUM.start();
    hash.update(&[table]).update(&key_bytes.to_le_bytes()).update(key).update(value);
    *hash.finish().first_chunk().expect("a digest is longer")
}

/// Writes `checksum || value` into `place`.
///
/// # Panics
///
/// If `place` is not exactly as long.
pub(super) fn seal(table: u8, key: &[u8], value: &[u8], place: &mut [u8]) {
    let (head, body) = place.split_at_mut(CHECKSUM_BYTES);
    head.copy_from_slice(&checksum(table, key, value));
    body.copy_from_slice(value);
}

/// The value inside `sealed`, if it is the one that was stored under this key.
pub(super) fn unseal<'a>(table: u8, key: &[u8], sealed: &'a [u8]) -> Option<&'a [u8]> {
    let (head, value) = sealed.split_first_chunk::<CHECKSUM_BYTES>()?;
    (*head == checksum(table, key, value)).then_some(value)
}

/// As [`unseal`], for a table of the ledger.
pub(super) fn unseal_entry<'a>(
    table: Table,
    key: &[u8],
    sealed: &'a [u8],
) -> Result<&'a [u8], StoreError> {
    let value = unseal(table.number(), key, sealed);
    value.ok_or_else(|| StoreError::CorruptValue { table, key: key.to_vec() })
}

/// The value inside `sealed`, whatever its checksum says.
pub(super) fn unseal_unchecked(sealed: &[u8]) -> &[u8] {
    sealed.get(CHECKSUM_BYTES..).unwrap_or_default()
}
