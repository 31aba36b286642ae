//! Keys as maps in memory hold them: short ones in the map itself, so that finding one follows no
//! pointer. Their order is that of their bytes.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Every key of the ledger is shorter: the longest are paths of pages and keys of the state, 33 bytes.
const SHORT_BYTES_MAX: usize = 38;

/// A key of any length.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// Length, then the bytes, then zeros.
    Short(u8, [u8; SHORT_BYTES_MAX]),
    /// Longer than the longest short one.
    Long(Box<[u8]>),
}

impl Key {
    pub(super) fn new(bytes: &[u8]) -> Self {
        match u8::try_from(bytes.len()) {
            Ok(len) if bytes.len() <= SHORT_BYTES_MAX => {
                let mut short = [0; SHORT_BYTES_MAX];
                short[..bytes.len()].copy_from_slice(bytes);
                Self::Short(len, short)
            }
            _ => Self::Long(bytes.into()),
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short(len, bytes) => &bytes[..usize::from(*len)],
            Self::Long(bytes) => bytes,
        }
    }

    /// The first eight bytes, zeros where there are fewer: where they differ, so do the keys, and in
    /// the same direction.
    fn head(&self) -> u64 {
        let bytes = match self {
            Self::Short(_, bytes) => bytes,
            Self::Long(bytes) => &**bytes,
        };
        u64::from_be_bytes(*bytes.first_chunk().expect("long keys are longer"))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.head().cmp(&other.head()).then_with(|| self.as_bytes().cmp(other.as_bytes()))
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.as_bytes());
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.as_bytes()))
    }
}
