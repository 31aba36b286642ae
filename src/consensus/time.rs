//! Time as consensus knows it: the median of the last headers, and a bound on the future. Now is an
//! argument.

use crate::primitives::limits::MEDIAN_TIME_SPAN_BLOCKS;

/// The median time past of a header's child: the middle of the times of the last 11 headers, or of all
/// if there are fewer (`CBlockIndex::GetMedianTimePast`: the element at half the count, so the later one
/// of two). `None` if there is none. Times beyond the last 11 are ignored.
#[must_use]
pub fn median_time_past(times: &[u32]) -> Option<u32> {
    let last = &times[times.len().saturating_sub(MEDIAN_TIME_SPAN_BLOCKS)..];
    let mut sorted = [0; MEDIAN_TIME_SPAN_BLOCKS];
    let sorted = &mut sorted[..last.len()];
    sorted.copy_from_slice(last);
    sorted.sort_unstable();
    sorted.get(last.len() / 2).copied()
}

/// The latest time that a header may have when the verifier's clock says `now`, in seconds since 1970.
#[must_use]
pub fn latest_time(now: i64, future_seconds_max: u32) -> i64 {
    now.saturating_add(i64::from(future_seconds_max))
}
