//! Judging one chunk of a run on one thread: hash a batch, show that all of it is in order, go on.
//!
//! [`check_hashed_header`] is the judge. It is skipped for stretches of ordinary headers that
//! [`Stretch::is_in_order`] has shown to break no rule; whatever that cannot show goes to the judge, so
//! that a wrong answer here costs time, and never acquits a header that the judge was not spared.

use std::ops::Range;

use super::Run;
use crate::consensus::difficulty::Difficulty;
use crate::consensus::time::latest_time;
use crate::consensus::{Ancestry, Rule, RuleSet, Violation, check_hashed_header};
use crate::kernel::Kernel;
use crate::primitives::limits::MEDIAN_TIME_SPAN_BLOCKS;
use crate::primitives::{BlockHash, CompactTarget, Digest, Header, HeaderBytes, Target, Work};

/// Headers hashed before they are judged: their bytes and digests stay in the first-level cache.
pub(super) const BATCH_HEADERS: usize = 256;

/// A broken rule and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// Height of the header.
    pub height: u64,
    /// Its hash.
    pub hash: BlockHash,
    /// What it breaks.
    pub violation: Violation,
}

/// Reused from chunk to chunk by one thread.
#[derive(Debug)]
pub(super) struct Scratch {
    /// Digest of the header before the batch, then those of the batch.
    digests: Box<[Digest; 1 + BATCH_HEADERS]>,
    /// Times of the 11 headers before the batch, then those of the batch, as [`ordered`] maps them.
    times: Box<[i32; MEDIAN_TIME_SPAN_BLOCKS + BATCH_HEADERS]>,
    known_target: Option<KnownTarget>,
    /// Work of every header judged so far.
    pub(super) work: Work,
    /// What could not be judged, and at which height. Bounded: only the first headers of a run lack
    /// context.
    pub(super) not_judged: Vec<(u64, RuleSet)>,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self {
            digests: Box::new([[0; 32]; 1 + BATCH_HEADERS]),
            times: Box::new([0; MEDIAN_TIME_SPAN_BLOCKS + BATCH_HEADERS]),
            known_target: None,
            work: Work::ZERO,
            not_judged: Vec::new(),
        }
    }
}

/// What nBits mean, kept while they do not change.
#[derive(Debug, Clone, Copy)]
struct KnownTarget {
    bits: CompactTarget,
    target: Target,
    work: Work,
}

impl KnownTarget {
    /// `None` if the nBits encode no target of this chain.
    fn of(bits: CompactTarget, limit: Target) -> Option<Self> {
        let target = bits.to_target().ok().filter(|target| *target <= limit)?;
        Some(Self { bits, target, work: target.work() })
    }
}

/// Judges headers that follow `ancestry`, which ends at the last of them if all are valid.
pub(super) fn judge(
    run: &Run<'_>,
    kernel: Kernel,
    ancestry: &mut Ancestry,
    headers: &[HeaderBytes],
    scratch: &mut Scratch,
) -> Result<(), Failure> {
    for batch in headers.chunks(BATCH_HEADERS) {
        kernel.hash_headers(batch, &mut scratch.digests[1..=batch.len()]);
        if let Some(parent) = ancestry.parent() {
            scratch.digests[0] = parent.hash.0;
        }
        let (before, times) = scratch.times.split_at_mut(MEDIAN_TIME_SPAN_BLOCKS);
        for (slot, time) in before.iter_mut().rev().zip(ancestry.times().iter().rev()) {
            *slot = ordered(*time);
        }
        for (slot, header) in times.iter_mut().zip(batch) {
            *slot = ordered(Header::decode(header).time);
        }
        let mut at = 0;
        while at < batch.len() {
            let ordinary = ordinary_headers(run, ancestry, batch.len() - at);
            let stretch = Stretch { run, ancestry, batch, range: at..at + ordinary.max(1) };
            let next = stretch.range.end;
            if ordinary == 0 || !stretch.is_in_order(scratch) {
                judge_singly(run, ancestry, batch, at..next, scratch)?;
            } else {
                ancestry.extend(run.spec, &batch[at..next], &scratch.digests[next]);
            }
            at = next;
        }
    }
    Ok(())
}

/// Asks the judge about each header in turn.
fn judge_singly(
    run: &Run<'_>,
    ancestry: &mut Ancestry,
    batch: &[HeaderBytes],
    range: Range<usize>,
    scratch: &mut Scratch,
) -> Result<(), Failure> {
    for at in range {
        let (header, digest) = (&batch[at], &scratch.digests[at + 1]);
        let height = height_of(ancestry);
        let mut not_judged =
            check_hashed_header(run.spec, &ancestry.context(run.now), header, digest)
                .map_err(|violation| Failure { height, hash: BlockHash(*digest), violation })?;
        // Without a clock no header is judged by it: the report says so once.
        not_judged.remove(Rule::TimeTooNew);
        if !not_judged.is_empty() {
            scratch.not_judged.push((height, not_judged));
        }
        ancestry.extend(run.spec, std::slice::from_ref(header), digest);
        let bits = Header::decode(header).bits;
        if scratch.known_target.is_none_or(|known| known.bits != bits) {
            scratch.known_target = KnownTarget::of(bits, run.spec.limit);
        }
        let known = scratch.known_target.expect("the judge passed these nBits");
        scratch.work = scratch.work.plus(known.work);
    }
    Ok(())
}

/// How many of the next headers, at most `len`, are judged by the same rules with the whole context
/// known: those up to the next one at which the epoch or the version floor changes.
fn ordinary_headers(run: &Run<'_>, ancestry: &Ancestry, len: usize) -> usize {
    let spec = run.spec;
    let is_known = ancestry.parent().is_some()
        && (!spec.median_time || ancestry.times().len() == MEDIAN_TIME_SPAN_BLOCKS);
    let is_screened = match spec.difficulty {
        Difficulty::Any | Difficulty::Limit | Difficulty::Epochs(_) => true,
        Difficulty::Asert(_) => false,
    };
    if !is_known || !is_screened {
        return 0;
    }
    let height = height_of(ancestry);
    let mut ordinary = len as u64;
    if let Some(interval) = spec.epoch_blocks() {
        let position = height % u64::from(interval);
        // The first header of an epoch has rules of its own; under BIP54 the last one too.
        let last = u64::from(interval) - u64::from(spec.epoch_not_negative);
        ordinary = ordinary.min(if position == 0 { 0 } else { last.saturating_sub(position) });
    }
    for floor in &spec.version_floors {
        if floor.from_height > height {
            ordinary = ordinary.min(floor.from_height - height);
        }
    }
    usize::try_from(ordinary).expect("at most a length")
}

/// Height of the header after `ancestry`.
fn height_of(ancestry: &Ancestry) -> u64 {
    ancestry.next_height().expect("a run starts at a height")
}

/// Ordinary headers of a batch, after `ancestry`.
struct Stretch<'a> {
    run: &'a Run<'a>,
    ancestry: &'a Ancestry,
    batch: &'a [HeaderBytes],
    range: Range<usize>,
}

impl Stretch<'_> {
    /// Whether it is certain that no rule is broken; adds the work if so.
    fn is_in_order(&self, scratch: &mut Scratch) -> bool {
        let spec = self.run.spec;
        let times = &scratch.times[self.range.start..self.range.end + MEDIAN_TIME_SPAN_BLOCKS];
        if spec.median_time && !all_are_after_median(times) {
            return false;
        }
        let new_times = &times[MEDIAN_TIME_SPAN_BLOCKS..];
        if let (Some(now), Some(seconds_max)) = (self.run.now, spec.future_seconds_max) {
            let latest = u32::try_from(latest_time(now, seconds_max).clamp(0, u32::MAX.into()))
                .expect("clamped");
            if latest_time(now, seconds_max) < 0
                || new_times.iter().any(|time| *time > ordered(latest))
            {
                return false;
            }
        }
        let Some(work) = self.work_if_linked_and_proven(scratch) else { return false };
        scratch.work = scratch.work.plus(work);
        true
    }

    fn work_if_linked_and_proven(&self, scratch: &mut Scratch) -> Option<Work> {
        let spec = self.run.spec;
        let headers = &self.batch[self.range.clone()];
        let first_bits = Header::decode(&headers[0]).bits;
        let may_change = spec.difficulty == Difficulty::Any;
        let expected = match spec.difficulty {
            Difficulty::Any => first_bits,
            Difficulty::Limit => spec.limit.to_compact_lossy(),
            Difficulty::Epochs(epochs) => {
                let parent = self.ancestry.parent()?;
                if let Some(seconds) = epochs.limit_after_seconds {
                    let exception = spec.limit.to_compact_lossy();
                    if parent.bits == exception || !self.are_all_within(seconds) {
                        return None;
                    }
                }
                parent.bits
            }
            Difficulty::Asert(_) => return None,
        };
        let mut known = match scratch.known_target {
            Some(known) if known.bits == expected => known,
            _ => KnownTarget::of(expected, spec.limit)?,
        };
        let version_min = spec.version_floor(height_of(self.ancestry)).unwrap_or(i32::MIN);
        let digests = &scratch.digests[self.range.start..=self.range.end];
        let mut is_in_order = true;
        let mut work = Work::ZERO;
        let mut same_bits = 0_u64;
        for (header, pair) in headers.iter().zip(digests.windows(2)) {
            let header = Header::decode(header);
            if header.bits != known.bits {
                if !may_change {
                    return None;
                }
                work = work.plus(known.work.times(same_bits));
                known = KnownTarget::of(header.bits, spec.limit)?;
                same_bits = 0;
            }
            same_bits += 1;
            is_in_order &= header.prev_block.0 == pair[0]
                && known.target.is_met_by(&pair[1])
                && header.version >= version_min;
        }
        scratch.known_target = Some(known);
        is_in_order.then(|| work.plus(known.work.times(same_bits)))
    }

    /// Whether every header is stamped at most `seconds` after the one before it.
    fn are_all_within(&self, seconds: u32) -> bool {
        let Some(parent) = self.ancestry.parent() else { return false };
        let mut before = parent.time;
        self.batch[self.range.clone()].iter().all(|header| {
            let time = Header::decode(header).time;
            let is_within = u64::from(time) <= u64::from(before) + u64::from(seconds);
            before = time;
            is_within
        })
    }
}

/// Times as signed numbers in the same order: vector units without unsigned comparison exist.
fn ordered(time: u32) -> i32 {
    (time ^ 1 << 31).cast_signed()
}

/// Whether each time after the first 11 is above the median of the 11 before it, that is above at least
/// six of them. Column by column, so that the compiler compares many headers at once.
fn all_are_after_median(times: &[i32]) -> bool {
    let judged = &times[MEDIAN_TIME_SPAN_BLOCKS..];
    let mut above = [0_u32; BATCH_HEADERS];
    let above = &mut above[..judged.len()];
    for back in 0..MEDIAN_TIME_SPAN_BLOCKS {
        for ((count, earlier), time) in above.iter_mut().zip(&times[back..]).zip(judged) {
            *count += u32::from(earlier < time);
        }
    }
    let needed = u32::try_from(MEDIAN_TIME_SPAN_BLOCKS / 2 + 1).expect("a few");
    above.iter().all(|count| *count >= needed)
}
