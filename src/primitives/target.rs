//! Compact target ("nBits"), target and work. The lossy direction says so in its name.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use ruint::aliases::{U256, U512};

use super::{Digest, ParseHashError};

/// The 32-bit form of a target: one byte of length, three of mantissa (Bitcoin Core's
/// `arith_uint256::SetCompact`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CompactTarget(pub u32);

/// Why a compact target is not a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompactError {
    /// The sign bit is set on a non-zero mantissa.
    #[error("nBits {0:?} encode a negative target")]
    Negative(CompactTarget),
    /// The value does not fit 256 bits.
    #[error("nBits {0:?} encode a target over 256 bits")]
    Overflow(CompactTarget),
    /// The value is zero, which no hash can meet by work.
    #[error("nBits {0:?} encode a target of zero")]
    Zero(CompactTarget),
}

/// What a compact target encodes before anybody judges it, as `SetCompact` reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expanded {
    /// The magnitude, wrapped to 256 bits if `overflow` is set.
    pub magnitude: U256,
    /// The sign bit is set on a non-zero mantissa.
    pub negative: bool,
    /// The magnitude did not fit.
    pub overflow: bool,
}

impl CompactTarget {
    /// Expands without judging (`SetCompact`): for tools that compare decoders.
    #[must_use]
    pub fn expand(self) -> Expanded {
        let exponent = self.0 >> 24;
        let mantissa = self.0 & 0x007f_ffff;
        let mantissa_if_shifted_out =
            if exponent <= 3 { mantissa >> (8 * (3 - exponent)) } else { mantissa };
        let magnitude = if exponent <= 3 {
            U256::from(mantissa_if_shifted_out)
        } else {
            // A shift of 256 bits or more gives zero, as in `arith_uint256`.
            U256::from(mantissa).wrapping_shl(8 * (exponent as usize - 3))
        };
        let nonzero = mantissa_if_shifted_out != 0;
        Expanded {
            magnitude,
            negative: nonzero && self.0 & 0x0080_0000 != 0,
            overflow: nonzero
                && (exponent > 34
                    || (mantissa > 0xff && exponent > 33)
                    || (mantissa > 0xffff && exponent > 32)),
        }
    }

    /// The target, or the one reason why there is none.
    ///
    /// # Errors
    ///
    /// Sign, overflow and zero, in this order, each its own error.
    pub fn to_target(self) -> Result<Target, CompactError> {
        let Expanded { magnitude, negative, overflow } = self.expand();
        if negative {
            return Err(CompactError::Negative(self));
        }
        if overflow {
            return Err(CompactError::Overflow(self));
        }
        if magnitude.is_zero() {
            return Err(CompactError::Zero(self));
        }
        Ok(Target(magnitude))
    }
}

impl fmt::Debug for CompactTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Display for CompactTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// The number that a hash, read as a little-endian integer, must not exceed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target(pub U256);

impl Target {
    /// Every hash meets it.
    pub const MAX: Self = Self(U256::MAX);
    /// Difficulty 1: 0xffff * 2^208, the target of Bitcoin's first nBits.
    pub const DIFFICULTY_ONE: Self = Self(U256::from_limbs([0, 0, 0, 0xffff_0000]));
    /// Difficulty 1 by the looser convention: 2^224 - 1.
    pub const DIFFICULTY_ONE_LOOSE: Self =
        Self(U256::from_limbs([u64::MAX, u64::MAX, u64::MAX, 0xffff_ffff]));

    /// The target whose 32 bytes are given least significant first, as a digest is read.
    #[must_use]
    pub fn from_le_bytes(bytes: Digest) -> Self {
        Self(U256::from_le_bytes(bytes))
    }

    /// The 32 bytes, least significant first.
    #[must_use]
    pub fn to_le_bytes(self) -> Digest {
        self.0.to_le_bytes()
    }

    /// This target divided by `mantissa * 2^exponent`, rounded down. Saturates: a divisor of zero, or an
    /// exponent below -256, gives [`Self::MAX`].
    #[must_use]
    pub fn divided_by(self, mantissa: u64, exponent: i32) -> Self {
        let shift = usize::try_from(exponent.unsigned_abs()).unwrap_or(usize::MAX);
        let (one, mantissa) = (U512::from(self.0), U512::from(mantissa));
        if mantissa.is_zero() || (exponent < 0 && shift > 256) {
            return Self::MAX;
        }
        let quotient = match exponent {
            ..0 => (one << shift) / mantissa,
            // A shift of all bits or more gives zero.
            0.. => (one / mantissa).wrapping_shr(shift),
        };
        Self(quotient.saturating_to())
    }

    /// Whether the digest, read as a little-endian integer, is at most the target.
    #[must_use]
    pub fn is_met_by(&self, digest: &Digest) -> bool {
        U256::from_le_bytes(*digest) <= self.0
    }

    /// The most significant 32 bits: what a kernel compares before the full target is judged.
    #[must_use]
    pub fn top_word(&self) -> u32 {
        u32::try_from(self.0.as_limbs()[3] >> 32).expect("a limb shifted by half fits 32 bits")
    }

    /// Expected number of hashes: 2^256 / (target + 1), as Bitcoin Core's `GetBlockProof`
    /// computes it without 257 bits. A target of zero, which no compact target gives, saturates.
    #[must_use]
    pub fn work(&self) -> Work {
        if self.0 == U256::MAX {
            return Work(U256::ONE);
        }
        Work((!self.0 / (self.0 + U256::ONE)).saturating_add(U256::ONE))
    }

    /// The compact form, which keeps the highest two or three bytes and drops the rest (`GetCompact`).
    #[must_use]
    pub fn to_compact_lossy(&self) -> CompactTarget {
        let mut exponent = self.0.bit_len().div_ceil(8);
        let mut mantissa: u32 = if exponent <= 3 {
            self.0.wrapping_to::<u32>() << (8 * (3 - exponent))
        } else {
            (self.0 >> (8 * (exponent - 3))).wrapping_to::<u32>()
        };
        // The top bit of the mantissa is the sign: move it into the length.
        if mantissa & 0x0080_0000 != 0 {
            mantissa >>= 8;
            exponent += 1;
        }
        let exponent = u32::try_from(exponent).expect("at most 33 bytes");
        CompactTarget(mantissa | exponent << 24)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:064x}", self.0)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

/// Reads 64 hex digits, most significant first.
impl FromStr for Target {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        let display: super::BlockHash = text.parse()?;
        Ok(Self::from_le_bytes(display.0))
    }
}

/// Expected number of hashes behind a header or a chain. Sums saturate: a chain whose work does not
/// fit 256 bits cannot be mined, and saturating keeps the sum monotone.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Work(pub U256);

impl Work {
    /// No work.
    pub const ZERO: Self = Self(U256::ZERO);

    /// The number whose 32 bytes are given least significant first.
    #[must_use]
    pub fn from_le_bytes(bytes: [u8; 32]) -> Self {
        Self(U256::from_le_bytes(bytes))
    }

    /// The 32 bytes, least significant first.
    #[must_use]
    pub fn to_le_bytes(self) -> [u8; 32] {
        self.0.to_le_bytes()
    }

    /// The sum, saturating.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The work of `count` such headers, saturating.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(U256::from(count)))
    }
}

impl Sum for Work {
    fn sum<I: Iterator<Item = Self>>(works: I) -> Self {
        works.fold(Self::ZERO, Self::plus)
    }
}

/// Decimal.
impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Work({self})")
    }
}
