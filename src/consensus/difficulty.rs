//! What a header's nBits must be: Bitcoin's epochs and ASERT. Integers only.

use ruint::Uint;
use ruint::aliases::U256;

use crate::primitives::{CompactTarget, Target};

/// The rule by which nBits change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difficulty {
    /// Any target up to the limit.
    Any,
    /// Always the limit: Bitcoin Core's `fPowNoRetargeting` from a genesis at the limit, where the
    /// 20-minute exception changes nothing.
    Limit,
    /// Bitcoin's: constant inside an epoch, corrected between two.
    Epochs(Epochs),
    /// Absolutely scheduled, corrected with every block.
    Asert(Asert),
}

/// Bitcoin's rule (`GetNextWorkRequired`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epochs {
    /// Headers in an epoch; its first height is a multiple of this. Not zero.
    pub interval_blocks: u32,
    /// Seconds that an epoch should take.
    pub timespan_seconds: u32,
    /// Test networks: a header stamped more than this after its parent has the limit as its target, and
    /// the next one goes back to the last target that was not such an exception.
    pub limit_after_seconds: Option<u32>,
}

impl Epochs {
    /// The nBits of a new epoch, from those of the header before it and the times of the first and last
    /// header of the epoch that ends (`CalculateNextWorkRequired`, with its missing interval: 2,015
    /// intervals are measured against the timespan of 2,016).
    ///
    /// Where Bitcoin Core's product would wrap at 256 bits (limits above 2^233 and none of the presets),
    /// this one is exact.
    #[must_use]
    pub fn retarget(
        &self,
        last_bits: CompactTarget,
        first_time: u32,
        last_time: u32,
        limit: Target,
    ) -> CompactTarget {
        let timespan = i64::from(self.timespan_seconds);
        let actual = i64::from(last_time) - i64::from(first_time);
        let clamped = actual.clamp(timespan / 4, timespan * 4);
        let clamped = Wide::from(clamped.unsigned_abs());
        // `SetCompact` as Bitcoin Core uses it here: the flags were judged when that header was.
        let old = Wide::from(last_bits.expand().magnitude);
        let new = old * clamped / Wide::from(self.timespan_seconds);
        limited(new, limit).to_compact_lossy()
    }
}

/// Anchored exponential targets: exact on schedule, twice as easy for every half-life behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asert {
    /// Height of the anchor, whose child is the first header under this rule.
    pub anchor_height: u64,
    /// Time of the anchor.
    pub anchor_time: u32,
    /// nBits of the anchor.
    pub anchor_bits: CompactTarget,
    /// Seconds between two blocks.
    pub spacing_seconds: u32,
    /// Seconds behind schedule that double the target. Not zero.
    pub half_life_seconds: u32,
}

impl Asert {
    /// The target of the child of a header `time_delta` seconds and `height_delta` blocks after the
    /// anchor: Decred's DCP-0011, with truncating division, a cubic scaled by 65,536, and clamps to the
    /// limit and to 1.
    #[must_use]
    pub fn target(&self, time_delta: i64, height_delta: u64, limit: Target) -> Target {
        // 64 bits times 32 bits times 65,536 fit 128.
        let ideal = i128::from(height_delta) * i128::from(self.spacing_seconds);
        let exponent =
            (i128::from(time_delta) - ideal) * 65_536 / i128::from(self.half_life_seconds);
        // 2^(exponent / 65536) = 2^shift * 2^fraction with 0 <= fraction < 1.
        let fraction = u64::try_from(exponent & 0xffff).expect("16 bits");
        // 2^x ~ 1 + 0.695502049 x + 0.2262698 x^2 + 0.0782318 x^3; the sum stays below 2^64.
        let factor = 65_536
            + ((195_766_423_245_049 * fraction
                + 971_821_376 * fraction * fraction
                + 5_127 * fraction * fraction * fraction
                + (1 << 47))
                >> 48);
        let scaled = Wide::from(self.anchor_bits.expand().magnitude) * Wide::from(factor);
        // The factor is itself scaled by 2^16. Shifts beyond the width give the same as the width.
        let shift = ((exponent >> 16) - 16).clamp(-i128::from(WIDE_BITS), i128::from(WIDE_BITS));
        let distance = usize::try_from(shift.unsigned_abs()).expect("clamped above");
        let new = if shift < 0 {
            scaled >> distance
        } else if scaled.bit_len() + distance > 256 {
            return limit;
        } else {
            scaled << distance
        };
        limited(new.max(Wide::ONE), limit)
    }

    /// The nBits of the child of a header with this time and height, not below the anchor's.
    #[must_use]
    pub fn bits(&self, parent_time: u32, parent_height: u64, limit: Target) -> CompactTarget {
        let time_delta = i64::from(parent_time) - i64::from(self.anchor_time);
        let height_delta = parent_height.saturating_sub(self.anchor_height);
        self.target(time_delta, height_delta, limit).to_compact_lossy()
    }
}

/// Room for a target times a number of 64 bits.
type Wide = Uint<320, 5>;
const WIDE_BITS: u16 = 320;

fn limited(target: Wide, limit: Target) -> Target {
    let limit_wide = Wide::from(limit.0);
    if target > limit_wide { limit } else { Target(U256::from(target)) }
}
