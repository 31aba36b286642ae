//! Which kernel is best on this CPU: every available one is timed for a few hundred microseconds at a
//! time, in turns, so that a change of clock or a busy neighbour meets all of them.

use std::time::{Duration, Instant};

use super::meter;
use crate::hash::Algorithm;
use crate::kernel::{Hits, Job, Kernel, NonceRange, SelfTestError};
use crate::primitives::Target;
use crate::primitives::limits::HEADER_BYTES;

/// Length of one measurement.
const WINDOW: Duration = Duration::from_micros(250);
/// Measurements of each kernel; the fastest counts, because noise only ever slows.
const ROUNDS: usize = 4;
const NONCES_FIRST: u32 = 64;
const NONCES_MAX: u32 = 1 << 24;

/// A kernel and the rate that it showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// The kernel.
    pub kernel: Kernel,
    /// Hashes a second on one thread.
    pub hashes_per_second: f64,
}

/// The kernels of an algorithm that this CPU can run and that pass their self-test, fastest first.
/// Takes about two milliseconds a kernel.
#[must_use]
pub fn rank(algorithm: Algorithm) -> Vec<Ranked> {
    let job = Job::new(algorithm, &[0x5a; HEADER_BYTES], Target::from_le_bytes([0; 32]));
    let mut entries: Vec<_> = Kernel::available(algorithm)
        .filter(|kernel| kernel.self_test().is_ok())
        .map(|kernel| (Ranked { kernel, hashes_per_second: 0.0 }, nonces_per_window(kernel, &job)))
        .collect();
    for _ in 0..ROUNDS {
        for (ranked, nonces) in &mut entries {
            let rate = meter::per_second((*nonces).into(), time(ranked.kernel, &job, *nonces));
            ranked.hashes_per_second = ranked.hashes_per_second.max(rate);
        }
    }
    let mut ranked: Vec<_> = entries.into_iter().map(|(ranked, _)| ranked).collect();
    ranked.sort_by(|a, b| b.hashes_per_second.total_cmp(&a.hashes_per_second));
    ranked
}

/// The fastest kernel of an algorithm on this CPU.
///
/// # Errors
///
/// If no kernel passes its self-test, which tells of a broken machine: the error of the last one.
pub fn fastest(algorithm: Algorithm) -> Result<Kernel, SelfTestError> {
    if let Some(first) = rank(algorithm).first() {
        return Ok(first.kernel);
    }
    let last = Kernel::available(algorithm).last().expect("the portable row is always there");
    last.self_test().map(|()| last)
}

/// Doubles the count until it fills a window: this also warms up caches and the clock.
fn nonces_per_window(kernel: Kernel, job: &Job) -> u32 {
    let mut nonces = NONCES_FIRST;
    while nonces < NONCES_MAX && time(kernel, job, nonces) < WINDOW {
        nonces *= 2;
    }
    nonces
}

fn time(kernel: Kernel, job: &Job, nonces: u32) -> Duration {
    let mut range = NonceRange::new(0, nonces - 1);
    let mut hits = Hits::new();
    let start = Instant::now();
    while let Some(left) = range {
        hits.clear();
        range = kernel
            .search(job, left, &mut hits)
            .and_then(|resume| NonceRange::new(resume, left.last()));
    }
    start.elapsed()
}
