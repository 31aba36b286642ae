//! Counting and timing: hash counters, the size of a batch, the rest that a duty cycle owes. With `tune`
//! the only place of the engine that reads a clock.

use std::fmt;
use std::ops::Add;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Time since its start.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A rate in units a second; zero if no time has passed.
#[must_use]
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "for people to read")]
pub fn per_second(count: u64, elapsed: Duration) -> f64 {
    if elapsed.is_zero() { 0.0 } else { count as f64 / elapsed.as_secs_f64() }
}

/// What was done so far. Hashes are counted exactly: each nonce that a kernel visited, once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Nonces visited.
    pub hashes: u64,
    /// Hits that met the full target.
    pub solutions: u64,
    /// Hits that the scalar hash refused: above the full target (kernels compare its top word only),
    /// or not what the kernel was asked for.
    pub refused: u64,
}

impl Add for Counters {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            hashes: self.hashes.wrapping_add(other.hashes),
            solutions: self.solutions.wrapping_add(other.solutions),
            refused: self.refused.wrapping_add(other.refused),
        }
    }
}

/// The counters of one worker: written by it, read by anybody.
#[derive(Debug, Default)]
pub(super) struct Tally {
    hashes: AtomicU64,
    solutions: AtomicU64,
    refused: AtomicU64,
}

impl Tally {
    pub(super) fn add(&self, counters: &Counters) {
        self.hashes.fetch_add(counters.hashes, Ordering::Relaxed);
        self.solutions.fetch_add(counters.solutions, Ordering::Relaxed);
        self.refused.fetch_add(counters.refused, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Counters {
        Counters {
            hashes: self.hashes.load(Ordering::Relaxed),
            solutions: self.solutions.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }
}

/// How many nonces make a batch: as many as the measured rate visits in four fifths of
/// [`Pace::BATCH_MAX`], so that jitter seldom exceeds it.
#[derive(Debug, Clone)]
pub struct Pace {
    nonces: u64,
}

impl Pace {
    /// The longest that a worker goes without looking for a new job, a pause or the end.
    pub const BATCH_MAX: Duration = Duration::from_micros(500);
    const BATCH_AIM_NANOS: u128 = Self::BATCH_MAX.as_nanos() / 5 * 4;
    /// Half a millisecond of a very slow kernel, and a multiple of every lane count.
    const NONCES_MIN: u64 = 64;
    /// Half a millisecond of a kernel fifteen times as fast as any core of today.
    const NONCES_MAX: u64 = 1 << 20;

    /// Starts small, so that the first batch of any kernel is short.
    #[must_use]
    pub fn new() -> Self {
        Self { nonces: 4 * Self::NONCES_MIN }
    }

    /// The size of the next batch.
    #[must_use]
    pub fn nonces(&self) -> u64 {
        self.nonces
    }

    /// Learns from a batch. One that was much shorter than asked says little and is ignored; a single
    /// slow one (the system ran somebody else) moves the size by an eighth at most.
    pub fn learn(&mut self, hashes: u64, elapsed: Duration) {
        if hashes < self.nonces / 2 {
            return;
        }
        let fitting = u128::from(hashes) * Self::BATCH_AIM_NANOS / elapsed.as_nanos().max(1);
        let fitting = u64::try_from(fitting).unwrap_or(u64::MAX);
        let nonces = if fitting > self.nonces {
            fitting.min(2 * self.nonces)
        } else {
            (3 * self.nonces + fitting.max(self.nonces / 2)) / 4
        };
        let whole = nonces - nonces % Self::NONCES_MIN;
        self.nonces = whole.clamp(Self::NONCES_MIN, Self::NONCES_MAX);
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::new()
    }
}

/// The share of its time that each worker may hash: 1 % to 100 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CpuLimit(u8);

/// The text is not a share of processor time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("expected a whole percentage from 1% to 100%, got {0:?}")]
pub struct ParseCpuLimitError(String);

impl CpuLimit {
    /// No rest.
    pub const NONE: Self = Self(100);

    /// The limit, or `None` if the percentage is not from 1 to 100.
    #[must_use]
    pub fn from_percent(percent: u8) -> Option<Self> {
        (1..=100).contains(&percent).then_some(Self(percent))
    }

    /// The percentage.
    #[must_use]
    pub fn percent(self) -> u8 {
        self.0
    }
}

impl Default for CpuLimit {
    fn default() -> Self {
        Self::NONE
    }
}

impl fmt::Display for CpuLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// Reads `30%` or `30`.
impl FromStr for CpuLimit {
    type Err = ParseCpuLimitError;

    fn from_str(text: &str) -> Result<Self, ParseCpuLimitError> {
        let digits = text.strip_suffix('%').unwrap_or(text);
        let percent = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse());
        percent
            .and_then(Result::ok)
            .and_then(Self::from_percent)
            .ok_or_else(|| ParseCpuLimitError(text.chars().take(80).collect()))
    }
}

/// The account of a duty cycle: work adds to the rest that is owed, rest pays it off.
#[derive(Debug, Clone)]
pub struct Duty {
    limit: CpuLimit,
    /// Rest owed; below zero after a sleep that took too long.
    owed_nanos: i128,
}

impl Duty {
    /// Shorter rests are saved up: putting a thread to sleep has its price.
    pub const REST_MIN: Duration = Duration::from_millis(1);
    /// What a long sleep (of the machine, say) counts for at most: it must not buy minutes of full load.
    pub const CREDIT_MAX: Duration = Duration::from_millis(10);

    /// Nothing owed yet.
    #[must_use]
    pub fn new(limit: CpuLimit) -> Self {
        Self { limit, owed_nanos: 0 }
    }

    /// Books work.
    pub fn worked(&mut self, busy: Duration) {
        let limit = i128::from(self.limit.percent());
        self.owed_nanos += nanos(busy) * (100 - limit) / limit;
    }

    /// The rest to take now, if it is worth a sleep.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        let owed = u64::try_from(self.owed_nanos).map(Duration::from_nanos).ok()?;
        (owed >= Self::REST_MIN).then_some(owed)
    }

    /// Books rest.
    pub fn rested(&mut self, slept: Duration) {
        self.owed_nanos = (self.owed_nanos - nanos(slept)).max(-nanos(Self::CREDIT_MAX));
    }
}

fn nanos(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).expect("2^64 seconds of nanoseconds fit 95 bits")
}
