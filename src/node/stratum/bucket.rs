//! A bucket of tokens: some at once, and so many a second in the long run. Time is an argument.

use super::limits::{LINES_AT_ONCE_MAX, LINES_PER_S_MAX};
use crate::node::clock::Moment;

/// A token comes in thousandths, one for each millisecond and each token a second.
const TOKEN: u64 = 1000;
const FULL: u64 = LINES_AT_ONCE_MAX * TOKEN;

/// Lines that a connection may still send.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Invariant: at most [`FULL`].
    thousandths: u64,
    at_ms: u64,
}

impl Bucket {
    /// A full one.
    #[must_use]
    pub fn full(now: Moment) -> Self {
        Self { thousandths: FULL, at_ms: now.ms }
    }

    /// Takes one token; false if there is none.
    pub fn take(&mut self, now: Moment) -> bool {
        let elapsed_ms = now.ms.saturating_sub(self.at_ms);
        let back = elapsed_ms.saturating_mul(LINES_PER_S_MAX);
        self.thousandths = self.thousandths.saturating_add(back).min(FULL);
        self.at_ms = self.at_ms.max(now.ms);
        let left = self.thousandths.checked_sub(TOKEN);
        self.thousandths = left.unwrap_or(self.thousandths);
        left.is_some()
    }
}
