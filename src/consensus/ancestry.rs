//! What a run of headers remembers of its past: a fixed number of bytes, whatever the length of the run.

use super::difficulty::Difficulty;
use super::header::{Context, Parent};
use super::spec::ChainSpec;
use super::time::median_time_past;
use crate::primitives::limits::MEDIAN_TIME_SPAN_BLOCKS;
use crate::primitives::{BlockHash, CompactTarget, Digest, Header, HeaderBytes};

/// The known past of the next header of a run. It judges nothing: whoever extends it has checked the
/// headers or trusts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ancestry {
    next_height: Option<u64>,
    parent: Option<Parent>,
    /// Times of the last headers, the newest last; the first `11 - times_known` mean nothing.
    times: [u32; MEDIAN_TIME_SPAN_BLOCKS],
    times_known: usize,
    epoch_first_time: Option<u32>,
    epoch_bits: Option<CompactTarget>,
}

impl Ancestry {
    /// The past of a header at this height of which nothing else is known. At height 0 there is none.
    #[must_use]
    pub fn at_height(height: u32) -> Self {
        Self { next_height: Some(height.into()), ..Self::unknown() }
    }

    /// The past of a header of which not even the height is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self {
            next_height: None,
            parent: None,
            times: [0; MEDIAN_TIME_SPAN_BLOCKS],
            times_known: 0,
            epoch_first_time: None,
            epoch_bits: None,
        }
    }

    /// Height of the next header.
    #[must_use]
    pub fn next_height(&self) -> Option<u64> {
        self.next_height
    }

    /// The header before the next one.
    #[must_use]
    pub fn parent(&self) -> Option<&Parent> {
        self.parent.as_ref()
    }

    /// Times of the last headers, at most 11, oldest first.
    #[must_use]
    pub fn times(&self) -> &[u32] {
        &self.times[MEDIAN_TIME_SPAN_BLOCKS - self.times_known..]
    }

    /// What is known about the next header, for [`check_header`](super::check_header).
    #[must_use]
    pub fn context(&self, now: Option<i64>) -> Context {
        // Fewer than 11 times have a median only if they are all there are.
        let times = self.times();
        let is_whole =
            times.len() == MEDIAN_TIME_SPAN_BLOCKS || self.next_height == Some(times.len() as u64);
        Context {
            height: self.next_height,
            parent: self.parent,
            median_time_past: if is_whole { median_time_past(times) } else { None },
            epoch_first_time: self.epoch_first_time,
            epoch_bits: self.epoch_bits,
            now,
        }
    }

    /// Appends headers, in order, of which the last has this digest. The cost does not grow with their
    /// number, except on chains with the 20-minute exception.
    pub fn extend(&mut self, spec: &ChainSpec, headers: &[HeaderBytes], last_digest: &Digest) {
        let Some(last) = headers.last().map(Header::decode) else { return };
        self.parent =
            Some(Parent { hash: BlockHash(*last_digest), time: last.time, bits: last.bits });

        let newest = &headers[headers.len().saturating_sub(MEDIAN_TIME_SPAN_BLOCKS)..];
        self.times.copy_within(newest.len().., 0);
        let kept = MEDIAN_TIME_SPAN_BLOCKS - newest.len();
        for (time, header) in self.times[kept..].iter_mut().zip(newest) {
            *time = Header::decode(header).time;
        }
        self.times_known = (self.times_known + newest.len()).min(MEDIAN_TIME_SPAN_BLOCKS);

        if let Some(height) = self.next_height {
            if let Some(interval) = spec.epoch_blocks() {
                self.extend_epoch(spec, headers, height, u64::from(interval));
            }
            self.next_height = Some(height.saturating_add(headers.len() as u64));
        }
    }

    fn extend_epoch(
        &mut self,
        spec: &ChainSpec,
        headers: &[HeaderBytes],
        height: u64,
        interval: u64,
    ) {
        // Distance from the first of the new headers to the first one that starts an epoch.
        let to_start = (interval - height % interval) % interval;
        let len = headers.len() as u64;
        let last_start =
            (to_start < len).then(|| to_start + (len - 1 - to_start) / interval * interval);
        let last_start =
            last_start.map(|index| usize::try_from(index).expect("below the length of a slice"));
        if let Some(index) = last_start {
            self.epoch_first_time = Some(Header::decode(&headers[index]).time);
        }
        let has_exception = matches!(
            spec.difficulty,
            Difficulty::Epochs(epochs) if epochs.limit_after_seconds.is_some()
        );
        if has_exception {
            let limit = spec.limit.to_compact_lossy();
            let in_epoch = &headers[last_start.unwrap_or(0)..];
            let mut bits = in_epoch.iter().map(|header| Header::decode(header).bits);
            let of_start = last_start.and_then(|_| bits.clone().next());
            let regular = bits.rfind(|bits| *bits != limit);
            self.epoch_bits = regular.or(of_start).or(self.epoch_bits);
        }
    }
}
