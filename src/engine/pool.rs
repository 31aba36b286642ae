//! A bounded number of threads that share a known amount of work: for whatever is judged in parallel
//! and must not depend on how. Endless searches have threads of their own.

use std::hint;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// How often the caller looks whether the others are done before it sleeps: some tens of microseconds, as
/// long as it takes to be woken.
const SPINS_MAX: u32 = 1000;

/// Threads of our own; the global pool is never used.
#[derive(Debug)]
pub struct Pool(rayon::ThreadPool);

/// The system gave no threads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("cannot start {threads} threads: {why}")]
pub struct PoolError {
    threads: NonZeroUsize,
    why: String,
}

impl Pool {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// If the system refuses them.
    pub fn new(threads: NonZeroUsize) -> Result<Self, PoolError> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.get())
            .thread_name(|i| format!("pool {i}"))
            .build()
            .map(Self)
            .map_err(|error| PoolError { threads, why: error.to_string() })
    }

    /// How many threads there are.
    #[must_use]
    pub fn threads(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.0.current_num_threads()).expect("started with at least one")
    }

    /// Calls `work` for each of `0..count`, in no order, and returns when all calls have.
    pub fn for_each(&self, count: usize, work: impl Fn(usize) + Send + Sync) {
        self.0.install(|| (0..count).into_par_iter().for_each(work));
    }

    /// The results of `work` for each of `0..count`, in this order.
    pub fn map<R: Send>(&self, count: usize, work: impl Fn(usize) -> R + Send + Sync) -> Vec<R> {
        self.0.install(|| (0..count).into_par_iter().map(work).collect())
    }

    /// The results, in no order, of one call of `work` on the caller's thread and one on each of the pool,
    /// at the same time.
    ///
    /// Waking threads is what this costs. On two virtual cores the caller spends 12 microseconds on it, the
    /// other thread runs after 20, and to wake the caller at the end takes 22 more: 4 % of a millisecond of
    /// work. So the caller takes part instead of sleeping while a pool of as many threads works (rayon's
    /// `broadcast`: scaling of header verification 0.94 of that of bare hashing; this without the wait at
    /// the end 0.97, with it 0.99), and other threads that end soon find it awake.
    pub fn on_each_thread_and_here<R: Send>(&self, work: impl Fn() -> R + Sync) -> Vec<R> {
        let at_work = AtomicUsize::new(self.threads().get());
        let results = Mutex::new(Vec::with_capacity(1 + self.threads().get()));
        let call = || {
            let result = work();
            results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
        };
        self.0.in_place_scope(|scope| {
            scope.spawn_broadcast(|_, _| {
                call();
                at_work.fetch_sub(1, Ordering::Relaxed);
            });
            call();
            // Relaxed, because the scope waits for them in any case.
            for _ in 0..SPINS_MAX {
                if at_work.load(Ordering::Relaxed) == 0 {
                    break;
                }
                hint::spin_loop();
            }
        });
        results.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The results of two calls, made at the same time if a thread is free.
    pub fn join<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        self.0.install(|| rayon::join(a, b))
    }
}
