//! Share difficulty, as pools and miners speak of it: how many times harder than difficulty 1 a hash is
//! to find. Consensus knows targets only.
//!
//! Two difficulties 1 are in use: 0xffff * 2^208 (Bitcoin's first nBits) and 2^224 - 1, which is looser by
//! 0.0015 %. Whoever searches takes the first and whoever judges the second, so that nobody is refused.
#![expect(
    clippy::float_arithmetic,
    reason = "the unit of pools is a float; no validity hangs on it"
)]

use std::fmt;

use crate::primitives::Target;

/// Hashes expected for a share of difficulty 1: 2^256 / (0xffff * 2^208).
const HASHES_OF_ONE: f64 = 65_536.0 / 65_535.0 * 4_294_967_296.0;

/// A share difficulty: finite, and from [`Difficulty::LEAST`] upwards.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Difficulty(f64);

impl Difficulty {
    /// Difficulty 1.
    pub const ONE: Self = Self(1.0);
    /// About four thousand hashes a share. An easier one would drown both ends in shares.
    pub const LEAST: Self = Self(1e-6);

    /// The difficulty, or `None` if it is no number from [`Difficulty::LEAST`] upwards.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        (value.is_finite() && value >= Self::LEAST.0).then_some(Self(value))
    }

    /// What somebody asks for or a measurement suggests, brought up to [`Difficulty::LEAST`]; `None` if it
    /// is no positive number.
    #[must_use]
    pub fn at_least(value: f64) -> Option<Self> {
        (value.is_finite() && value > 0.0).then(|| Self(value.max(Self::LEAST.0)))
    }

    /// This, or that of `network` if it is lower: a share is never harder than a block, so on an easy chain
    /// it may be easier than [`Difficulty::LEAST`].
    #[must_use]
    pub fn capped_by(self, network: &Target) -> Self {
        Self(self.0.min(Self::of_block(network).0))
    }

    /// That of a block, which may be easier than [`Difficulty::LEAST`].
    #[must_use]
    pub fn of_block(network: &Target) -> Self {
        Self(of_target(network))
    }

    /// The number.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }

    /// What a hash must not exceed to be such a share by everybody's judgement.
    #[must_use]
    pub fn target_to_search(self) -> Target {
        self.divide(Target::DIFFICULTY_ONE)
    }

    /// What a hash must not exceed to be such a share by anybody's judgement.
    #[must_use]
    pub fn target_to_accept(self) -> Target {
        self.divide(Target::DIFFICULTY_ONE_LOOSE)
    }

    fn divide(self, one: Target) -> Target {
        const FRACTION_BITS: i32 = 52;
        let bits = self.0.to_bits();
        let fraction = bits & ((1 << FRACTION_BITS) - 1);
        let biased = i32::try_from(bits >> FRACTION_BITS).expect("eleven bits, the sign is plus");
        one.divided_by(1 << FRACTION_BITS | fraction, biased - 1023 - FRACTION_BITS)
    }

    /// Hashes expected for one share.
    #[must_use]
    pub fn hashes(self) -> f64 {
        self.0 * HASHES_OF_ONE
    }
}

/// An integer without a fraction, else as many digits as the number has.
impl fmt::Display for Difficulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// How difficult a target is; any target, so the number may be below [`Difficulty::LEAST`]. Infinite for a
/// target of zero.
#[must_use]
pub fn of_target(target: &Target) -> f64 {
    as_float(&Target::DIFFICULTY_ONE) / as_float(target)
}

fn as_float(target: &Target) -> f64 {
    target.to_le_bytes().iter().rev().fold(0.0, |sum, byte| sum * 256.0 + f64::from(*byte))
}
