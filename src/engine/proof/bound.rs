//! How many hashes a set of low hashes proves.
//!
//! Let `p = (limit + 1) / 2^256` be the chance of one hash to be at most `limit`. Of `n` hashes,
//! Binomial(n, p) are. A hash is at most as likely to be low as a Poisson variable of mean
//! `-ln(1 - p)` is to be positive, so the count is stochastically below Poisson(-n ln(1 - p)), and
//! with fewer than `n` hashes the chance of `k` low ones is below `P(Poisson(-n ln(1 - p)) >= k)`. The
//! bound is the `n` where that chance falls to `1 - confidence`.
//!
//! Trying several seeds and showing the luckiest does not help, because all those hashes are work too.
//! Showing only the lowest part of what was found could help a little; so only few sizes of proof exist
//! and the error is divided among them.
//!
//! All in `f64`: sums of at most some ten thousand positive terms, so the relative error is below 1e-9,
//! far below what one solution more or less changes.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "statistics about hashes, never part of their validity"
)]

use super::SOLUTION_COUNTS;
use crate::primitives::Target;

/// A claim is refused when an honest one would look so bad less often than this.
const INFLATED_CHANCE: f64 = 1e-6;

/// At least so many hashes were done, with this confidence, by whoever shows `count` hashes up to
/// `limit`.
#[must_use]
pub fn proven_hashes(limit: &Target, count: usize, confidence: f64) -> u64 {
    let error = (1.0 - confidence) / SOLUTION_COUNTS.len() as f64;
    floor(mean_with_chance_at_least(count, error) / rate(limit))
}

/// The most likely number of hashes: the unbiased estimate `(count - 1) / p`.
#[must_use]
pub fn estimated_hashes(limit: &Target, count: usize) -> u64 {
    floor(count.saturating_sub(1) as f64 / chance(limit))
}

/// Whether `claimed` hashes would almost surely have found more than `count` up to `limit`.
#[must_use]
pub fn is_inflated(limit: &Target, count: usize, claimed: u64) -> bool {
    chance_at_most(count, claimed as f64 * chance(limit)) < INFLATED_CHANCE
}

/// Chance of one hash to be at most `limit`. Rounded up, which makes the bound lower.
fn chance(limit: &Target) -> f64 {
    let bytes: [u8; 32] = limit.0.to_le_bytes();
    // Starting with one adds one to the lowest byte.
    let chance = bytes.iter().fold(1.0, |sum, byte| (sum + f64::from(*byte)) / 256.0);
    (chance * (1.0 + 8.0 * f64::EPSILON)).min(1.0)
}

/// Mean of the Poisson variable that stands for one hash.
fn rate(limit: &Target) -> f64 {
    -(-chance(limit).min(1.0 - f64::EPSILON)).ln_1p()
}

/// `P(Poisson(mean) >= count)`, for `mean <= count`: the terms fall from the first one on.
fn chance_at_least(count: usize, mean: f64) -> f64 {
    let mut term = ln_probability(count, mean).exp();
    let mut sum = 0.0;
    let mut at = count;
    while term > sum * 1e-17 {
        sum += term;
        at += 1;
        term *= mean / at as f64;
    }
    sum
}

/// `P(Poisson(mean) <= count)`. Up to the mean it is not small, and 1 will do.
fn chance_at_most(count: usize, mean: f64) -> f64 {
    if mean <= count as f64 {
        return 1.0;
    }
    let mut term = ln_probability(count, mean).exp();
    let mut sum = 0.0;
    for at in (0..=count).rev() {
        sum += term;
        term *= at as f64 / mean;
    }
    sum
}

/// The mean for which `P(Poisson(mean) >= count)` is `error`, if that is below the count; the chance
/// grows with the mean, so halving an interval finds it.
fn mean_with_chance_at_least(count: usize, error: f64) -> f64 {
    let (mut low, mut high) = (0.0, count as f64);
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        if chance_at_least(count, middle) <= error {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Natural logarithm of `P(Poisson(mean) = count)`.
fn ln_probability(count: usize, mean: f64) -> f64 {
    let ln_factorial: f64 = (2..=count).map(|factor| (factor as f64).ln()).sum();
    count as f64 * mean.ln() - mean - ln_factorial
}

fn floor(hashes: f64) -> u64 {
    // A cast from `f64` saturates.
    hashes as u64
}
