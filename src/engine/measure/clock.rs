//! The core clock, measured: a chain of operations of known latency, timed. The time-stamp counter
//! runs at a fixed rate whatever the core does, so it cannot show a throttled core; this can. And how
//! long a thread had to wait for a core.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

/// Steps of one timed chain: about 20 microseconds, long against the cost of reading the clock.
const STEPS: u32 = 32_768;
/// An xor and an addition between registers, one cycle of latency each on every 64-bit core we know.
const CYCLES_PER_STEP: f64 = 2.0;
/// An interrupt can only lengthen a chain, so the shortest of a few is the one that was left alone.
const REPEATS: usize = 3;

/// Cycles per second of the core that this thread runs on, now. Takes about 60 microseconds.
#[must_use]
#[expect(clippy::float_arithmetic, reason = "measurement")]
pub fn core_clock_hz() -> f64 {
    let shortest = (0..REPEATS)
        .map(|_| {
            let start = Instant::now();
            black_box(chain());
            start.elapsed()
        })
        .min()
        .expect("REPEATS is not zero");
    f64::from(STEPS) * CYCLES_PER_STEP / shortest.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// Xor and addition do not combine, and the operands are unknown to the compiler, so neither it nor
/// a renamer that folds small immediates can shorten the chain.
#[inline(never)]
fn chain() -> u64 {
    const UNROLLED: u32 = 16;
    let (mut x, a, b) = black_box((1_u64, 0x9e37_79b9_7f4a_7c15_u64, 0xbf58_476d_1ce4_e5b9_u64));
    for _ in 0..STEPS / UNROLLED {
        for _ in 0..UNROLLED {
            x = (x ^ a).wrapping_add(b);
        }
    }
    x
}

/// How long this thread could have run but another one had the core, since it started; `None` where
/// the system does not say. Linux does (`/proc/thread-self/schedstat`, second number, nanoseconds).
#[must_use]
pub fn waited_for_core() -> Option<Duration> {
    read_waited(Path::new("/proc/thread-self/schedstat"))
}

/// The same of all threads that the process has now, added up.
#[must_use]
pub fn process_waited_for_core() -> Option<Duration> {
    let tasks = fs::read_dir("/proc/self/task").ok()?;
    tasks.map(|task| read_waited(&task.ok()?.path().join("schedstat"))).sum()
}

fn read_waited(path: &Path) -> Option<Duration> {
    let text = fs::read_to_string(path).ok()?;
    text.split_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}
