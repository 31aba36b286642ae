//! Measuring rates so that machines can be compared: interleaved windows, the core clock around each
//! of them, medians. It prints nothing and judges nothing.
//!
//! Every configuration gets one window a round, so that all of them share whatever drifts (turbo,
//! temperature, neighbours), and two configurations are compared round by round.

mod chain;
pub mod clock;
mod port;
mod workload;

pub use chain::{HeaderRun, Verify};
pub use port::{Microarchitecture, Operations, Ports, cpu_name, port_limit_cycles};
pub use workload::{Merkle, PlainMerkle, PlainSearch, Search, Units, Workload};

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Some work on some threads.
#[derive(Clone, Copy)]
pub struct Configuration<'a> {
    /// What is done.
    pub workload: &'a dyn Workload,
    /// How many threads do it, each on a share of its own: one for what brings its own threads.
    pub threads: usize,
}

impl fmt::Debug for Configuration<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration").field("threads", &self.threads).finish_non_exhaustive()
    }
}

/// How long and how often each configuration is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Length of one window.
    pub window: Duration,
    /// Windows of each configuration.
    pub rounds: usize,
}

impl Plan {
    const ROUNDS: u32 = 11;
    const ROUNDS_MIN: u32 = 3;
    const WINDOW_MIN: Duration = Duration::from_millis(1);
    const WINDOW_MAX: Duration = Duration::from_millis(100);

    /// Splits a time evenly: 11 rounds of windows of 1 to 100 ms; more rounds where the time allows
    /// it, fewer (but at least 3, which may exceed the time) where it is short. An odd number of
    /// rounds makes the median one of the windows.
    #[must_use]
    pub fn split(total: Duration, configurations: usize) -> Self {
        let configurations = u32::try_from(configurations.max(1)).unwrap_or(u32::MAX);
        let each = total / configurations;
        let window = (each / Self::ROUNDS).clamp(Self::WINDOW_MIN, Self::WINDOW_MAX);
        let rounds = each.as_nanos() / window.as_nanos();
        let rounds = u32::try_from(rounds).unwrap_or(u32::MAX).max(Self::ROUNDS_MIN);
        let odd = (rounds - 1) | 1;
        Self { window, rounds: odd as usize }
    }
}

/// One window of one configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Units done a second, all threads together.
    pub units_per_second: f64,
    /// Core cycles a unit, averaged over the threads; not counting what others did on the core.
    pub cycles_per_unit: f64,
    /// The slowest core clock seen before or after the window on any of its threads.
    pub clock_hz: f64,
    /// Share of the threads' time in which others had their core; 0 where the system does not say.
    pub waited_share: f64,
}

/// The windows of one configuration, in the order of the rounds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples {
    /// One a round.
    pub windows: Vec<Window>,
    /// Wall time spent on this configuration, warm-up included.
    pub wall: Duration,
}

/// Why nothing was measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// The system refuses so many threads.
    #[error("cannot start thread {started} of {wanted}: {reason}")]
    Threads {
        /// The one that failed, from 1.
        started: usize,
        /// Threads of the configuration.
        wanted: usize,
        /// What the system said.
        reason: String,
    },
}

/// Measures all configurations, round by round, after one round that is thrown away; `progress` is
/// called after each window, `configurations.len() * (plan.rounds + 1)` times.
///
/// # Errors
///
/// `Threads` if the system refuses to start them.
pub fn measure(
    configurations: &[Configuration<'_>],
    plan: Plan,
    progress: &mut dyn FnMut(),
) -> Result<Vec<Samples>, MeasureError> {
    let mut samples = Vec::with_capacity(configurations.len());
    let mut batches = Vec::with_capacity(configurations.len());
    for configuration in configurations {
        let start = Instant::now();
        batches.push(calibrate(configuration.workload, plan.window));
        samples.push(Samples { windows: Vec::with_capacity(plan.rounds), wall: start.elapsed() });
    }
    for round in 0..=plan.rounds {
        for ((configuration, batch), samples) in
            configurations.iter().zip(&batches).zip(&mut samples)
        {
            let start = Instant::now();
            let window = window(configuration, *batch, plan.window)?;
            samples.wall += start.elapsed();
            // The first round warms everything up.
            if round > 0 {
                samples.windows.push(window);
            }
            progress();
        }
    }
    Ok(samples)
}

/// Warm-up: how many units take an eighth of a window, at most half a millisecond.
fn calibrate(workload: &dyn Workload, window: Duration) -> u64 {
    let wanted = (window / 8).min(Duration::from_micros(500));
    let mut units = workload.units();
    let mut amount: u64 = 1;
    loop {
        let start = Instant::now();
        let done = units(amount);
        if start.elapsed() >= wanted || amount > u64::MAX / 4 {
            return done;
        }
        amount = done.saturating_mul(2);
    }
}

/// What one thread of a window saw.
struct Part {
    units: u64,
    elapsed: Duration,
    waited: Duration,
    clocks_hz: [f64; 2],
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "measurement")]
fn window(
    configuration: &Configuration<'_>,
    batch: u64,
    length: Duration,
) -> Result<Window, MeasureError> {
    let wanted = configuration.threads;
    let gate = Gate::new(wanted);
    let parts: Vec<Part> = thread::scope(|scope| {
        let mut handles = Vec::with_capacity(wanted);
        for started in 0..wanted {
            let spawned = thread::Builder::new()
                .name("measure".to_owned())
                .spawn_scoped(scope, || part(configuration.workload, batch, length, &gate));
            match spawned {
                Ok(handle) => handles.push(handle),
                Err(error) => {
                    gate.open();
                    let reason = error.to_string();
                    return Err(MeasureError::Threads { started: started + 1, wanted, reason });
                }
            }
        }
        Ok(handles.into_iter().map(|handle| handle.join().expect("work does not panic")).collect())
    })?;
    let threads_inside = configuration.workload.threads_inside().get() as f64;
    let (mut units_per_second, mut units, mut cycles) = (0.0, 0.0, 0.0);
    let (mut elapsed, mut waited) = (Duration::ZERO, Duration::ZERO);
    let mut clock_hz = f64::INFINITY;
    for part in &parts {
        let [before, after] = part.clocks_hz;
        let on_core = part.elapsed.saturating_sub(part.waited);
        units_per_second += part.units as f64 / part.elapsed.as_secs_f64();
        units += part.units as f64;
        cycles += threads_inside * on_core.as_secs_f64() * f64::midpoint(before, after);
        elapsed += part.elapsed;
        waited += part.waited;
        clock_hz = clock_hz.min(before).min(after);
    }
    let waited_share = waited.as_secs_f64() / elapsed.as_secs_f64();
    Ok(Window { units_per_second, cycles_per_unit: cycles / units, clock_hz, waited_share })
}

/// One thread: a batch to warm up (vector units power up, the clock settles), the clock, the timed
/// work, the clock.
fn part(workload: &dyn Workload, batch: u64, length: Duration, gate: &Gate) -> Part {
    let mut units = workload.units();
    units(batch);
    let before = clock::core_clock_hz();
    gate.wait();
    let waited_before = waited_for_core(workload);
    let start = Instant::now();
    let mut done: u64 = 0;
    let elapsed = loop {
        done = done.saturating_add(units(batch));
        let elapsed = start.elapsed();
        if elapsed >= length {
            break elapsed;
        }
    };
    let waited = match (waited_before, waited_for_core(workload)) {
        (Some(before), Some(after)) => after.saturating_sub(before).min(elapsed),
        _ => Duration::ZERO,
    };
    Part { units: done, elapsed, waited, clocks_hz: [before, clock::core_clock_hz()] }
}

/// How long the threads that do the work of this one waited for a core, on average. What brings its own
/// threads is called by one of them: if only that one counted, its disturbed windows would look calm and
/// stay in the median, while those of the same number of separate threads do not.
fn waited_for_core(workload: &dyn Workload) -> Option<Duration> {
    let threads = u32::try_from(workload.threads_inside().get()).unwrap_or(u32::MAX);
    match threads {
        1 => clock::waited_for_core(),
        _ => clock::process_waited_for_core().map(|waited| waited / threads),
    }
}

/// Lets all threads of a window start together. Unlike a barrier it can be opened when a thread is
/// missing.
struct Gate {
    missing: AtomicUsize,
}

impl Gate {
    fn new(threads: usize) -> Self {
        Self { missing: AtomicUsize::new(threads) }
    }

    fn open(&self) {
        self.missing.store(0, Ordering::Release);
    }

    fn wait(&self) {
        // Saturating, because `open` may have come first.
        let _ = self
            .missing
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |missing| missing.checked_sub(1));
        while self.missing.load(Ordering::Acquire) > 0 {
            thread::yield_now();
        }
    }
}

/// A window whose clock is below this share of the fastest in the run is throttled.
const THROTTLED_BELOW: f64 = 0.95;
/// A window in which others had the core for more than this share is disturbed.
const DISTURBED_ABOVE: f64 = 0.02;

impl Window {
    /// Whether others had the cores for more than 2 % of the time.
    #[must_use]
    pub fn is_disturbed(&self) -> bool {
        self.waited_share > DISTURBED_ABOVE
    }
}

/// Medians are taken over the windows that were not disturbed, if there are at least three, else over
/// all. What decides is whether the thread had a core, never how fast it was.
#[expect(clippy::float_arithmetic, reason = "measurement")]
impl Samples {
    const UNDISTURBED_MIN: usize = 3;

    /// The median rate.
    #[must_use]
    pub fn units_per_second(&self) -> f64 {
        median(self.chosen(|window| window.units_per_second))
    }

    /// The median.
    #[must_use]
    pub fn cycles_per_unit(&self) -> f64 {
        median(self.chosen(|window| window.cycles_per_unit))
    }

    /// The median clock.
    #[must_use]
    pub fn clock_hz(&self) -> f64 {
        median(self.chosen(|window| window.clock_hz))
    }

    /// The middle half of the rates (from the first to the third quartile) as a share of the median.
    #[must_use]
    pub fn spread(&self) -> f64 {
        let rates = sorted(self.chosen(|window| window.units_per_second));
        (quantile(&rates, 0.75) - quantile(&rates, 0.25)) / quantile(&rates, 0.5)
    }

    /// Median of the ratios of the rates, round by round: drift that both share cancels.
    #[must_use]
    pub fn ratio_to(&self, other: &Self) -> f64 {
        let pairs = || self.windows.iter().zip(&other.windows);
        let ratio =
            |(ours, theirs): (&Window, &Window)| ours.units_per_second / theirs.units_per_second;
        let calm: Vec<f64> = pairs()
            .filter(|(ours, theirs)| !ours.is_disturbed() && !theirs.is_disturbed())
            .map(ratio)
            .collect();
        if calm.len() >= Self::UNDISTURBED_MIN {
            median(calm.into_iter())
        } else {
            median(pairs().map(ratio))
        }
    }

    /// How many windows ran at a clock more than 5 % below the given one.
    #[must_use]
    pub fn throttled_windows(&self, fastest_hz: f64) -> usize {
        let limit = fastest_hz * THROTTLED_BELOW;
        self.windows.iter().filter(|window| window.clock_hz < limit).count()
    }

    /// How many windows had to share their cores.
    #[must_use]
    pub fn disturbed_windows(&self) -> usize {
        self.windows.iter().filter(|window| window.is_disturbed()).count()
    }

    fn chosen(&self, value: impl Fn(&Window) -> f64) -> impl Iterator<Item = f64> {
        let calm = self.windows.len() - self.disturbed_windows();
        let all = calm < Self::UNDISTURBED_MIN;
        self.windows.iter().filter(move |window| all || !window.is_disturbed()).map(value)
    }
}

/// The median clock of the configuration that had the fastest: what a window is throttled against.
/// A median, so that one mistimed chain cannot make every other window look slow.
#[must_use]
pub fn fastest_clock_hz(samples: &[Samples]) -> f64 {
    samples.iter().map(Samples::clock_hz).fold(0.0, f64::max)
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The median; NaN of nothing.
#[must_use]
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    quantile(&sorted(values), 0.5)
}

/// Linear between the two nearest ranks.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank below the length of a vector"
)]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let rank = last as f64 * share;
    let below = rank.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * rank.fract()
}
