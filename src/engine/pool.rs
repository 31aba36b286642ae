//! A bounded number of threads that share a known amount of work: for whatever is judged in parallel
//! and must not depend on how. Endless searches have threads of their own.

use std::num::NonZeroUsize;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

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

    /// The results of one call of `work` on each thread, at the same time.
    ///
    /// Waking the threads and the caller costs some tens of microseconds: 4 % of a millisecond's work, nothing
    /// of a second's. To let the caller take part, and spin before it sleeps, with one thread less in the pool,
    /// gained those 4 % on threads with real-time priority; with the usual one the caller and that thread often
    /// shared a core, and such pieces took a quarter longer.
    pub fn on_each_thread<R: Send>(&self, work: impl Fn() -> R + Sync) -> Vec<R> {
        self.0.broadcast(|_| work())
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
