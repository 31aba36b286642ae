//! The bytes of a key and of a signature, and what a key field may hold.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use borsh::{BorshDeserialize, BorshSerialize};
use ed25519_zebra::{SigningKey, VerificationKey, VerificationKeyBytes};

/// An Ed25519 public key as it stands in a key field: any 32 bytes until [`PubKey::check`] has seen
/// them. Written in hexadecimal here; people and pools see the address of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct PubKey(pub [u8; 32]);

/// The order of the bytes.
impl Ord for PubKey {
    fn cmp(&self, other: &Self) -> Ordering {
        // Where the first eight bytes differ they decide, and in one comparison.
        let head = |key: &Self| u64::from_be_bytes(*key.0.first_chunk().expect("it has 32"));
        head(self).cmp(&head(other)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for PubKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// An Ed25519 signature: R, then S little-endian. Any 64 bytes until verified.
#[derive(Clone, Copy, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Sig(pub [u8; 64]);

/// Why bytes may not stand in a key field. All three are `BadKey` to a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A coordinate of p or more, or the sign bit on x = 0: another encoding names the same point.
    #[error("key is not the canonical encoding of a point")]
    NonCanonical,
    /// One of the eight points of the small subgroup, for which anybody can sign.
    #[error("key is a point of small order")]
    SmallOrder,
    /// No point has this y coordinate.
    #[error("key is not a point of the curve")]
    NotOnCurve,
}

/// y coordinates of the points of small order, little-endian: 0, 1, -1 and the two of order 8.
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    {
        let mut minus_one = P;
        minus_one[0] -= 1;
        minus_one
    },
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// p = 2^255 - 19, little-endian.
const P: [u8; 32] = {
    let mut p = [0xff; 32];
    p[0] = 0xed;
    p[31] = 0x7f;
    p
};

impl PubKey {
    /// The public key of a secret seed (RFC 8032).
    #[must_use]
    pub fn of_seed(seed: &[u8; 32]) -> Self {
        Self(VerificationKeyBytes::from(&SigningKey::from(*seed)).into())
    }

    /// Whether the key may stand in a key field.
    ///
    /// # Errors
    ///
    /// The first that holds of `NonCanonical`, `SmallOrder`, `NotOnCurve`.
    pub fn check(&self) -> Result<(), KeyError> {
        self.check_encoding()?;
        match VerificationKey::try_from(self.0) {
            Ok(_) => Ok(()),
            Err(_) => Err(KeyError::NotOnCurve),
        }
    }

    /// The part of [`PubKey::check`] that reads bytes only and costs nanoseconds. A key that passes
    /// and under which a signature is valid passes the whole check, since verifying decodes it: so a
    /// signer's key need not be decoded twice.
    ///
    /// # Errors
    ///
    /// `NonCanonical`, `SmallOrder`.
    pub fn check_encoding(&self) -> Result<(), KeyError> {
        let mut y = self.0;
        y[31] &= 0x7f;
        let sign = self.0[31] != y[31];
        // x is zero for y = 1 and y = -1 only, and zero has no sign.
        let x_is_zero = y == SMALL_ORDER_Y[1] || y == SMALL_ORDER_Y[2];
        if y.iter().rev().ge(P.iter().rev()) || (x_is_zero && sign) {
            return Err(KeyError::NonCanonical);
        }
        if SMALL_ORDER_Y.contains(&y) {
            return Err(KeyError::SmallOrder);
        }
        Ok(())
    }
}

impl Sig {
    /// R and S.
    pub(super) fn halves(&self) -> (&[u8; 32], &[u8; 32]) {
        let (halves, _) = self.0.as_chunks();
        (&halves[0], &halves[1])
    }
}

/// A text is not a key or a signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("expected {digits} hex digits, got {text:?}")]
pub struct ParseKeyError {
    digits: usize,
    text: String,
}

macro_rules! hex_text {
    ($name:ident, $bytes:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = ParseKeyError;

            fn from_str(text: &str) -> Result<Self, ParseKeyError> {
                let mut bytes = [0; $bytes];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| ParseKeyError {
                    digits: 2 * $bytes,
                    text: text.chars().take(140).collect(),
                })?;
                Ok(Self(bytes))
            }
        }
    };
}

hex_text!(PubKey, 32);
hex_text!(Sig, 64);
