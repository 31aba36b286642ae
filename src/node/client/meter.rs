//! The account of shares: what was submitted, what became of it, and what it was worth.
#![expect(clippy::float_arithmetic, reason = "sums of share difficulties, which are floats")]

use std::time::Duration;

use super::report::{Fate, ShareReport};
use crate::node::difficulty::Difficulty;

/// How many shares met which fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fates {
    /// Counted by the server.
    pub accepted: u64,
    /// Too late.
    pub stale: u64,
    /// Refused for another reason.
    pub refused: u64,
    /// Never submitted or answered.
    pub lost: u64,
}

/// What was submitted and what it was worth.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Account {
    /// Shares by fate.
    pub fates: Fates,
    /// Blocks among the accepted ones.
    pub blocks: u64,
    /// Difficulties of the accepted ones together.
    pub difficulty: f64,
    /// Time from submission to answer, the last one.
    pub latency: Option<Duration>,
}

impl Account {
    /// Books a share.
    pub fn book(&mut self, share: &ShareReport) {
        let count = match share.fate {
            Fate::Accepted => &mut self.fates.accepted,
            Fate::Stale => &mut self.fates.stale,
            Fate::Refused => &mut self.fates.refused,
            Fate::Lost => &mut self.fates.lost,
        };
        *count += 1;
        self.latency = share.latency.or(self.latency);
        if share.fate == Fate::Accepted {
            self.difficulty += share.difficulty;
            self.blocks += u64::from(share.block.is_some());
        }
    }

    /// The hashes that accepted shares imply on average.
    #[must_use]
    pub fn implied_hashes(&self) -> f64 {
        Difficulty::ONE.hashes() * self.difficulty
    }
}
