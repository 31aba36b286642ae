//! From samples to readings: the samples of a UTC day become one set of totals, one root and one text.
//!
//! # The root
//!
//! A leaf for each minute in which a sample begins, in order: tagged("samples", its lines), where a line is
//! `t0,t1,wear,active,steps,heart` and a line feed, numbers in decimal, no heart rate as nothing. Over
//! them the tree of all our commitments. The same recording gives the same root, so that it is known when
//! it comes again; and nothing hides it but the number of minutes: who knows the totals of a short
//! recording can try all that make them.

use std::fmt::Write as _;

use super::Sample;
use crate::hash::tagged::Tag;
use crate::ledger::credit::{Activity, DAY_S};
use crate::ledger::policy::Tree;

const SAMPLES_TAG: Tag = Tag::new("samples");
const MINUTE_S: u32 = 60;

/// What one reading says, and what it keeps back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// First second of the first sample.
    pub t0: u32,
    /// The second after the last sample's last.
    pub t1: u32,
    /// Totals.
    pub activity: Activity,
    /// Root of the samples.
    pub root: [u8; 32],
    /// The samples, line by line.
    pub text: String,
    /// How many there are.
    pub samples: usize,
}

/// The days of samples that have been checked. A sample belongs to the day in which it begins.
#[must_use]
pub fn days(samples: &[Sample]) -> Vec<Day> {
    samples.chunk_by(|a, b| a.t0 / DAY_S == b.t0 / DAY_S).filter_map(day).collect()
}

fn day(samples: &[Sample]) -> Option<Day> {
    let (first, last) = (samples.first()?, samples.last()?);
    let mut activity = Activity::default();
    let (mut leaves, mut text) = (Vec::new(), String::new());
    for minute in samples.chunk_by(|a, b| a.t0 / MINUTE_S == b.t0 / MINUTE_S) {
        let mut lines = String::new();
        for sample in minute {
            let Sample { t0, t1, wear_s, active_s, steps, heart, .. } = sample;
            let heart = heart.map_or(String::new(), |rate| rate.to_string());
            writeln!(lines, "{t0},{t1},{wear_s},{active_s},{steps},{heart}").ok()?;
            // A day has 86,400 seconds and samples do not overlap, but for the one that ends tomorrow.
            activity.wear_s = activity.wear_s.saturating_add(*wear_s);
            activity.active_s = activity.active_s.saturating_add(*active_s);
            activity.steps = activity.steps.saturating_add(*steps);
        }
        leaves.push(SAMPLES_TAG.hash(lines.as_bytes()));
        text.push_str(&lines);
    }
    // A day has 1,440 minutes, fewer than a tree has leaves.
    let root = Tree::new(leaves)?.root();
    Some(Day { t0: first.t0, t1: last.t1, activity, root, text, samples: samples.len() })
}
