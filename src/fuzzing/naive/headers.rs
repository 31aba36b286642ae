//! The header rules, each read off Bitcoin Core's `CheckBlockHeader` and `ContextualCheckBlockHeader`,
//! over a run whose every ancestor is there.

use super::number::{compact, expand, is_at_most, scale};
use crate::consensus::ChainSpec;
use crate::consensus::difficulty::Difficulty;
use crate::hash::hash_header;
use crate::primitives::HeaderBytes;

/// The first header that breaks a rule, and the rule in Bitcoin Core's words; the run starts at height 0.
///
/// # Panics
///
/// On a chain with ASERT, which it does not know.
#[must_use]
pub fn first_broken(
    spec: &ChainSpec,
    headers: &[HeaderBytes],
    now: Option<i64>,
) -> Option<(usize, &'static str)> {
    (0..headers.len()).find_map(|at| Some((at, broken(spec, &headers[..at], &headers[at], now)?)))
}

fn broken(
    spec: &ChainSpec,
    past: &[HeaderBytes],
    header: &HeaderBytes,
    now: Option<i64>,
) -> Option<&'static str> {
    let hash = hash_header(spec.algorithm, header);
    let (target, is_negative, is_too_long) = expand(bits(header));
    if is_negative || is_too_long || target == [0; 32] {
        return Some("high-hash");
    }
    if !is_at_most(&target, &spec.limit.0.to_le_bytes()) || !is_at_most(&hash, &target) {
        return Some("high-hash");
    }
    let Some(parent) = past.last() else {
        let is_other = spec.genesis.is_some_and(|genesis| genesis.0 != hash);
        return is_other.then_some("bad-prevblk");
    };
    if header[4..36] != hash_header(spec.algorithm, parent) {
        return Some("bad-prevblk");
    }
    if expected_bits(spec, past, time(header)).is_some_and(|expected| expected != bits(header)) {
        return Some("bad-diffbits");
    }
    if spec.median_time && time(header) <= median(past) {
        return Some("time-too-old");
    }
    let (height, interval) = (past.len(), interval(spec));
    if let Some(earlier_max) = spec.timewarp_seconds_max
        && height.is_multiple_of(interval)
        && u64::from(time(header)) + u64::from(earlier_max) < u64::from(time(parent))
    {
        return Some("time-timewarp-attack");
    }
    if spec.epoch_not_negative
        && height % interval == interval - 1
        && time(header) < past.get(height + 1 - interval).map_or(0, time)
    {
        return Some("time-negative-interval");
    }
    if let (Some(ahead_max), Some(now)) = (spec.future_seconds_max, now)
        && i128::from(time(header)) > i128::from(now) + i128::from(ahead_max)
    {
        return Some("time-too-new");
    }
    let is_old = spec.version_floors.iter().any(|floor| {
        u64::try_from(height).is_ok_and(|height| height >= floor.from_height)
            && version(header) < floor.version
    });
    is_old.then_some("bad-version")
}

/// The nBits of a header with this time after `past`, which starts at height 0 and is not empty; `None`
/// if any will do.
///
/// # Panics
///
/// On a chain with ASERT, which it does not know, and if `past` is empty.
#[must_use]
pub fn expected_bits(spec: &ChainSpec, past: &[HeaderBytes], time_of_new: u32) -> Option<u32> {
    let parent = past.last().expect("the first header is named by the chain");
    let limit: [u8; 32] = spec.limit.0.to_le_bytes();
    let epochs = match spec.difficulty {
        Difficulty::Any => return None,
        Difficulty::Limit => return Some(compact(&limit)),
        Difficulty::Epochs(epochs) => epochs,
        Difficulty::Asert(_) => panic!("ASERT is tested by its published vectors"),
    };
    let interval = interval(spec);
    if past.len().is_multiple_of(interval) {
        let span = epochs.timespan_seconds;
        let first = time(&past[past.len() - interval]);
        let took = time(parent).saturating_sub(first).clamp(span / 4, span.saturating_mul(4));
        let new = scale(&expand(bits(parent)).0, took, span);
        let is_above = new[32..] != [0; 4] || !new[..32].iter().rev().le(limit.iter().rev());
        return Some(if is_above { compact(&limit) } else { compact(&new) });
    }
    let Some(late) = epochs.limit_after_seconds else { return Some(bits(parent)) };
    if u64::from(time_of_new) > u64::from(time(parent)) + u64::from(late) {
        return Some(compact(&limit));
    }
    let mut at = past.len() - 1;
    while !at.is_multiple_of(interval) && bits(&past[at]) == compact(&limit) {
        at -= 1;
    }
    Some(bits(&past[at]))
}

fn interval(spec: &ChainSpec) -> usize {
    match spec.difficulty {
        Difficulty::Epochs(epochs) => epochs.interval_blocks.try_into().expect("32 bits"),
        _ => 2016,
    }
}

/// The time in the middle of the last eleven, or of all if there are fewer.
fn median(past: &[HeaderBytes]) -> u32 {
    let mut times: Vec<u32> = past.iter().rev().take(11).map(time).collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn version(header: &HeaderBytes) -> i32 {
    i32::from_le_bytes(field(header, 0))
}

fn time(header: &HeaderBytes) -> u32 {
    u32::from_le_bytes(field(header, 68))
}

fn bits(header: &HeaderBytes) -> u32 {
    u32::from_le_bytes(field(header, 72))
}

fn field(header: &HeaderBytes, at: usize) -> [u8; 4] {
    header[at..at + 4].try_into().expect("four bytes")
}
