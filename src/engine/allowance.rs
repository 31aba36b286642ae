//! How many hashes the workers may still do: a batch is taken off before it is claimed, and what of it was
//! not visited is put back, so that the workers together never do more than they were given.

use std::sync::atomic::{AtomicU64, Ordering};

/// A bound on all hashes since the start.
#[derive(Debug)]
pub(super) struct Allowance {
    /// Hashes that workers have taken on.
    taken: AtomicU64,
    /// What that may come to; `u64::MAX` for no bound.
    most: AtomicU64,
}

impl Allowance {
    pub(super) fn unbounded() -> Self {
        Self { taken: AtomicU64::new(0), most: AtomicU64::new(u64::MAX) }
    }

    pub(super) fn set(&self, most: u64) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// Takes a batch, or what is left of one; 0 if nothing is left.
    pub(super) fn take(&self, wanted: u64) -> u64 {
        let most = self.most.load(Ordering::Relaxed);
        let grant = |taken: u64| wanted.min(most.saturating_sub(taken));
        // Only the sum matters, and each addition is atomic.
        let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
            Some(taken.saturating_add(grant(taken)))
        });
        taken.map_or(0, grant)
    }

    /// Puts back what of a batch was not visited.
    pub(super) fn put_back(&self, hashes: u64) {
        self.taken.fetch_sub(hashes, Ordering::Relaxed);
    }
}
