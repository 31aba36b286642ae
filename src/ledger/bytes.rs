//! Bytes as maps in memory hold them, keys and values: short ones in the map itself, so that finding one
//! follows no pointer, long ones shared by their copies. Their order is that of the bytes.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// Accounts are shorter, and every key but few: the paths of pages and most keys of the state have up to 33
/// bytes.
const SHORT_BYTES_MAX: usize = 38;

/// Bytes of any length that do not change.
#[derive(Clone)]
pub struct Bytes(Held);

#[derive(Clone)]
enum Held {
    /// Length, then the bytes, then zeros.
    Short(u8, [u8; SHORT_BYTES_MAX]),
    /// More bytes than the most of a short one.
    Long(Arc<[u8]>),
}

impl Bytes {
    /// As short bytes, if they are.
    fn short(bytes: &[u8]) -> Option<Self> {
        let len = u8::try_from(bytes.len()).ok()?;
        let mut short = [0; SHORT_BYTES_MAX];
        short.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Self(Held::Short(len, short)))
    }

    /// The first eight bytes, zeros where there are fewer: where they differ, so do the bytes, and in
    /// the same direction.
    fn head(&self) -> u64 {
        let bytes = match &self.0 {
            Held::Short(_, bytes) => bytes,
            Held::Long(bytes) => &**bytes,
        };
        u64::from_be_bytes(*bytes.first_chunk().expect("long ones are longer"))
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Held::Short(len, bytes) => &bytes[..usize::from(*len)],
            Held::Long(bytes) => bytes,
        }
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self::short(bytes).unwrap_or_else(|| Self(Held::Long(bytes.into())))
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::short(&bytes).unwrap_or_else(|| Self(Held::Long(bytes.into())))
    }
}

impl From<&Vec<u8>> for Bytes {
    fn from(bytes: &Vec<u8>) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl<const N: usize> From<[u8; N]> for Bytes {
    fn from(bytes: [u8; N]) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl<const N: usize> From<&[u8; N]> for Bytes {
    fn from(bytes: &[u8; N]) -> Self {
        Self::from(bytes.as_slice())
    }
}

/// A map by such bytes is asked with borrowed ones: what follows agrees with slices.
impl Borrow<[u8]> for Bytes {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

impl Ord for Bytes {
    fn cmp(&self, other: &Self) -> Ordering {
        self.head().cmp(&other.head()).then_with(|| (**self).cmp(&**other))
    }
}

impl PartialOrd for Bytes {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Bytes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&**self))
    }
}
