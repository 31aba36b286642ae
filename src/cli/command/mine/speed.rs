//! How fast it goes: now, on average, and each thread by itself.

use std::collections::VecDeque;
use std::time::Duration;

use proofward::engine::Engine;
use proofward::engine::meter::{Stopwatch, per_second};

/// What "now" means.
const WINDOW: Duration = Duration::from_secs(10);

/// Rates of an engine, from its counters at points of time.
#[derive(Debug)]
pub(super) struct Speed {
    stopwatch: Stopwatch,
    /// Time and hashes of each thread, oldest first: a window, or a little more.
    samples: VecDeque<(Duration, Vec<u64>)>,
}

/// Rates in hashes a second.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rates {
    pub(super) elapsed: Duration,
    pub(super) hashes: u64,
    pub(super) average: f64,
    pub(super) now: f64,
    pub(super) threads: Vec<f64>,
}

impl Speed {
    pub(super) fn start() -> Self {
        Self { stopwatch: Stopwatch::start(), samples: VecDeque::new() }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.stopwatch.elapsed()
    }

    /// Forgets what came before the latest sample: it says nothing about now.
    pub(super) fn restart(&mut self) {
        let old = self.samples.len().saturating_sub(1);
        self.samples.drain(..old);
    }

    pub(super) fn sample(&mut self, engine: &Engine) -> Rates {
        let elapsed = self.stopwatch.elapsed();
        let hashes: Vec<u64> = engine.worker_counters().map(|counters| counters.hashes).collect();
        let is_old = |sample: &(Duration, _)| elapsed.saturating_sub(sample.0) >= WINDOW;
        while self.samples.get(1).is_some_and(is_old) {
            self.samples.pop_front();
        }
        let nothing = (Duration::ZERO, vec![0; hashes.len()]);
        let (since, before) = self.samples.front().unwrap_or(&nothing);
        let window = elapsed.saturating_sub(*since);
        let threads = hashes.iter().zip(before).map(|(now, then)| per_second(now - then, window));
        let threads: Vec<f64> = threads.collect();
        let total = hashes.iter().sum();
        self.samples.push_back((elapsed, hashes));
        Rates {
            elapsed,
            hashes: total,
            average: per_second(total, elapsed),
            now: threads.iter().sum(),
            threads,
        }
    }
}
