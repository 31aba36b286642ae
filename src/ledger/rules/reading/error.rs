//! The names of broken rules of `Reading`, in the order of the checks.

use crate::ledger::rules::names::names;

/// Rules of `Reading`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadingError {
    /// No claim that the key, or the co-witness, is a device holds now.
    #[error("no claim that {0} is a device holds now")]
    DeviceNotLive(&'static str),
    /// Not one above the device's last.
    #[error("seq {got}, expected {}", .expected.map_or("none".into(), |seq| seq.to_string()))]
    SeqGap {
        /// One above the last; none if the numbers are used up.
        expected: Option<u32>,
        /// What the body says.
        got: u32,
    },
    /// It does not name the device's last reading.
    #[error("prev is not the device's last reading")]
    ChainBreak,
    /// It begins before the last one ends.
    #[error("begins at {t0}, the reading before ends at {until}")]
    Overlap {
        /// Where the last one ends.
        until: u32,
        /// What the body says.
        t0: u32,
    },
    /// It ends after the median time past.
    #[error("ends at {t1}, the median time past is {now}")]
    FutureTime {
        /// Median time past of the including block.
        now: u32,
        /// What the body says.
        t1: u32,
    },
    /// It ended more than seven days ago.
    #[error("ends at {t1}, at least {least} is asked")]
    TooOld {
        /// Seven days before the median time past.
        least: u32,
        /// What the body says.
        t1: u32,
    },
    /// Totals that no stretch of this length has.
    #[error("{what}: {got}, at most {most}")]
    Implausible {
        /// Which total.
        what: &'static str,
        /// What it is.
        got: u64,
        /// What it may be.
        most: u64,
    },
    /// Another reading has the same samples.
    #[error("another reading has the same samples")]
    Replay,
}

names! {
    ReadingError: DeviceNotLive SeqGap ChainBreak Overlap FutureTime TooOld Implausible Replay;
}
