//! Lists with a limit that is looked at before memory is taken.

use std::io;

use borsh::BorshDeserialize;
use borsh::io::Read;

/// Reads a list of at most `MAX` elements: a longer count is refused before any element is read.
pub(in crate::ledger) fn at_most<const MAX: usize, R: Read, T: BorshDeserialize>(
    reader: &mut R,
) -> io::Result<Vec<T>> {
    let count = u32::deserialize_reader(reader)?;
    if usize::try_from(count).map_or(true, |count| count > MAX) {
        let what = format!("a list of {count}, expected at most {MAX}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    (0..count).map(|_| T::deserialize_reader(reader)).collect()
}
