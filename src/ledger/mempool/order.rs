//! What decides who goes first: the fee for the room that a transaction takes, never below that of the
//! one that must go before it.

use std::cmp::Reverse;

use crate::ledger::block::{BLOCK_BYTES_MAX, BLOCK_SIGNATURES_MAX};

/// What a signature weighs: a block is full of one as soon as of the other.
const SIGNATURE_WEIGHT: u64 = (BLOCK_BYTES_MAX / BLOCK_SIGNATURES_MAX) as u64;

/// The room that a transaction takes: its bytes, or its signatures if they fill more of a block.
pub(super) fn weight(bytes: usize, signatures: usize) -> u64 {
    (bytes as u64).max(signatures as u64 * SIGNATURE_WEIGHT)
}

/// Fee for room: 1/1024 of a unit for each weight, rounded down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeeRate(u64);

impl FeeRate {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// Above every fee.
    pub(super) const MAX: Self = Self(u64::MAX);
    /// One unit for each weight: the step by which the pool's least rate rises.
    pub(super) const STEP: Self = Self(1024);

    pub(super) fn of(fee: u64, weight: u64) -> Self {
        let scaled = (u128::from(fee) << 10) / u128::from(weight.max(1));
        // Fees that differ only above 2^54 units a weight count as equal.
        Self(u64::try_from(scaled).unwrap_or(u64::MAX))
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Without the `part`-th part of it, rounded down to nothing in the end.
    pub(super) fn less(self, part: u64) -> Self {
        Self(self.0 - self.0.div_ceil(part))
    }

    /// The least fee of something that weighs `weight` at this rate.
    #[must_use]
    pub fn fee(self, weight: u64) -> u64 {
        let fee = (u128::from(self.0) * u128::from(weight)).div_ceil(1024);
        u64::try_from(fee).unwrap_or(u64::MAX)
    }
}

/// The place of a transaction among all that are pending; the least goes first.
///
/// Within one payer the order is that of the nonces: `rate` cannot rise along them, and where it stays
/// `since` does not fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    rate: Reverse<FeeRate>,
    /// Arrival of the last of those up to it in its payer's sequence.
    since: u64,
    nonce: u64,
    pub(super) slot: u32,
}

impl Key {
    /// Before every transaction.
    pub(super) const FIRST: Self =
        Self { rate: Reverse(FeeRate::MAX), since: 0, nonce: 0, slot: 0 };

    /// After `before`, the one with the nonce below in the sequence of the same payer.
    pub(super) fn after(
        before: Option<&Self>,
        rate: FeeRate,
        arrival: u64,
        nonce: u64,
        slot: u32,
    ) -> Self {
        let Some(before) = before else {
            return Self { rate: Reverse(rate), since: arrival, nonce, slot };
        };
        let rate = Reverse(rate.min(before.rate.0));
        Self { rate, since: arrival.max(before.since), nonce, slot }
    }

    /// Its rate or that of the worst before it.
    pub(super) fn rate(&self) -> FeeRate {
        self.rate.0
    }
}
