//! nBits, numbers and compact sizes against the naive arithmetic.

use crate::fuzzing::naive;
use crate::primitives::codec::{Reader, write_compact_size};
use crate::primitives::{CompactTarget, Target};

/// Four bytes are nBits, 32 are a number, the rest compact sizes: what they decode to and back, against
/// [`naive`].
///
/// # Panics
///
/// If the two disagree.
pub fn nbits(data: &[u8]) {
    let mut reader = Reader::new(data);
    if let Ok(word) = reader.u32() {
        let bits = CompactTarget(word);
        let expanded = bits.expand();
        let (magnitude, negative, overflow) = naive::expand(word);
        let ours = (expanded.magnitude.to_le_bytes(), expanded.negative, expanded.overflow);
        assert_eq!(ours, (magnitude, negative, overflow), "{bits}");
        let is_target = !negative && !overflow && magnitude != [0; 32];
        assert_eq!(bits.to_target().ok(), is_target.then(|| Target::from_le_bytes(magnitude)));
        number(magnitude);
    }
    if let Ok(bytes) = reader.array() {
        number(bytes);
    }
    while reader.left() > 0 {
        let start = reader.position();
        let Ok(size) = reader.compact_size() else { break };
        let mut again = Vec::new();
        write_compact_size(&mut again, size);
        assert_eq!(again, reader.since(start), "a size has one form");
    }
}

fn number(bytes: [u8; 32]) {
    let target = Target::from_le_bytes(bytes);
    assert_eq!(target.to_compact_lossy().0, naive::compact(&bytes), "{target}");
    assert_eq!(target.work().0.to_le_bytes(), naive::work(&bytes), "{target}");
}
