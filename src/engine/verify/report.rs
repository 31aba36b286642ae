//! What verification found, and what it could not judge.

use super::Failure;
use crate::consensus::{Rule, RuleSet};
use crate::primitives::{BlockHash, Work};

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No rule that could be judged is broken.
    Valid(Report),
    /// The lowest header that breaks a rule, and the first one it breaks.
    Invalid(Failure),
}

/// A valid run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many headers.
    pub count: u64,
    /// Height of the first.
    pub first_height: u64,
    /// Height of the last.
    pub last_height: u64,
    /// Hash of the last.
    pub tip: BlockHash,
    /// Work of the headers in the run: the chain's if the run starts at height 0.
    pub chain_work: Work,
    /// What the chain's rules ask for and the run's context did not allow to judge, by rule and height.
    pub not_judged: Vec<NotJudged>,
}

/// Consecutive headers that one rule could not be applied to, by height; blocks by position in the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotJudged {
    /// The rule.
    pub rule: Rule,
    /// The first of them.
    pub first: u64,
    /// The last.
    pub last: u64,
}

impl NotJudged {
    /// Joins what threads noted header by header.
    pub(super) fn collect(mut notes: Vec<(u64, RuleSet)>) -> Vec<Self> {
        notes.sort_unstable_by_key(|(at, _)| *at);
        let mut ranges: Vec<Self> = Vec::new();
        for rule in Rule::ALL {
            for (at, _) in notes.iter().filter(|(_, rules)| rules.contains(rule)) {
                match ranges.last_mut() {
                    Some(range) if range.rule == rule && range.last + 1 == *at => range.last = *at,
                    _ => ranges.push(Self { rule, first: *at, last: *at }),
                }
            }
        }
        ranges
    }
}

impl Report {
    /// The first height at which a rule was judged, or `None` if it never was.
    #[must_use]
    pub fn judged_from(&self, rule: Rule) -> Option<u64> {
        let mut from = self.first_height;
        for range in self.not_judged.iter().filter(|range| range.rule == rule) {
            if range.first <= from {
                from = from.max(range.last.saturating_add(1));
            }
        }
        (from <= self.last_height).then_some(from)
    }
}
