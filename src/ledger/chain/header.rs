//! The header rules of our chains, in the order of the checks: version, parent, difficulty with relief,
//! work, time.

use crate::consensus::difficulty::Asert;
use crate::ledger::chain::record::Record;
use crate::ledger::rules::BlockRule;
use crate::ledger::spec::{BLOCK_VERSION, RELIEF_AFTER_SPACINGS, Spec};
use crate::primitives::limits::VERSION_ROLLING_MASK;
use crate::primitives::{BlockHash, CompactTarget, Header, Target};

/// nBits of a block after `parent` that is stamped `time`.
///
/// # Consensus
///
/// ASERT anchored at genesis, in the Decred form, over the parent's time and height. Then relief: for
/// every full spacing by which the block's own time exceeds the latest time of any ancestor by more than
/// 20, the target doubles, up to the limit. So hash rate that comes for an hour and leaves cannot stop
/// the chain; what is mined in relief counts for the little work it took.
#[must_use]
pub fn required_bits(spec: &Spec, parent: &Record, time: u32) -> CompactTarget {
    let limit = spec.limit_target();
    let asert = Asert {
        anchor_height: 0,
        anchor_time: spec.genesis_time,
        anchor_bits: spec.start,
        spacing_seconds: spec.spacing_s,
        half_life_seconds: spec.half_life_s,
    };
    let bits = asert.bits(parent.header.time, u64::from(parent.height), limit);
    let doublings = relief_doublings(spec, parent.latest_time, time);
    if doublings == 0 {
        return bits;
    }
    let target = bits.to_target().expect("the difficulty rule gives a target");
    let is_beyond = usize::try_from(doublings)
        .map_or(true, |shift| shift >= 256 || target.0.bit_len() + shift > limit.0.bit_len());
    let relieved =
        if is_beyond { limit } else { Target(target.0 << doublings as usize).min(limit) };
    relieved.to_compact_lossy()
}

/// How often the target of a block stamped `time` doubles.
#[must_use]
pub fn relief_doublings(spec: &Spec, latest_time: u32, time: u32) -> u32 {
    let spacings = time.saturating_sub(latest_time) / spec.spacing_s;
    spacings.saturating_sub(RELIEF_AFTER_SPACINGS)
}

/// Every rule of a header but its link, which found the parent, and the clock.
///
/// # Errors
///
/// The first rule broken.
pub fn check_header(
    spec: &Spec,
    parent: &Record,
    median: u32,
    header: &Header,
    hash: &BlockHash,
) -> Result<(), BlockRule> {
    check_work_fields(spec, parent, header)?;
    let is_met = header.bits.to_target().is_ok_and(|target| target.is_met_by(&hash.0));
    if !is_met {
        return Err(BlockRule::HighHash(header.bits));
    }
    check_time(median, header)
}

/// `check_header` without the work: what a proof of less than a block is held to.
///
/// # Errors
///
/// The first rule broken.
pub fn check_unproven(
    spec: &Spec,
    parent: &Record,
    median: u32,
    header: &Header,
) -> Result<(), BlockRule> {
    check_work_fields(spec, parent, header)?;
    check_time(median, header)
}

fn check_work_fields(spec: &Spec, parent: &Record, header: &Header) -> Result<(), BlockRule> {
    let version = header.version.cast_unsigned();
    if version & !VERSION_ROLLING_MASK != BLOCK_VERSION {
        return Err(BlockRule::BadVersion(version));
    }
    let expected = required_bits(spec, parent, header.time);
    if header.bits != expected {
        return Err(BlockRule::BadDiffBits { expected, got: header.bits });
    }
    Ok(())
}

fn check_time(median: u32, header: &Header) -> Result<(), BlockRule> {
    if header.time <= median {
        return Err(BlockRule::TimeTooOld { median, got: header.time });
    }
    Ok(())
}

/// The one rule that a clock decides: whether the block may be accepted now. Not part of its validity.
///
/// # Errors
///
/// `TimeTooNew`, which may pass later.
pub fn check_clock(spec: &Spec, header: &Header, now: u64) -> Result<(), BlockRule> {
    let latest = now.saturating_add(u64::from(spec.future_limit_s));
    if u64::from(header.time) > latest {
        let limit = spec.future_limit_s;
        return Err(BlockRule::TimeTooNew { now, limit, got: header.time });
    }
    Ok(())
}

/// Median of up to eleven times, the middle one of an odd number and the upper of an even (as Bitcoin
/// Core's `GetMedianTimePast`).
#[must_use]
pub fn median_time(times: &mut [u32]) -> u32 {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or(0)
}
