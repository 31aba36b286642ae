//! Why a recording is refused, and at which row.

use super::{ACTIVITY_BYTES_MAX, SAMPLES_MAX};

/// Why a file gives no samples.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActivityError {
    /// Too many bytes.
    #[error("a recording of {0} bytes, at most {ACTIVITY_BYTES_MAX}")]
    TooLarge(usize),
    /// Too many samples.
    #[error("more than {SAMPLES_MAX} samples")]
    TooMany,
    /// Nothing that we know.
    #[error("neither FIT nor CSV nor a FHIR Observation")]
    Unknown,
    /// No row tells of any activity.
    #[error("no samples")]
    Empty,
    /// A column is missing.
    #[error("no column {0}: expected Id, ActivityMinute, Steps")]
    NoColumn(&'static str),
    /// Rows of several people, and nobody said whose count.
    #[error("rows of {first} and of {second}: choose one")]
    SeveralPeople {
        /// The first.
        first: String,
        /// Another.
        second: String,
    },
    /// Not what its beginning promises.
    #[error("not a {format} file: {what}")]
    Broken {
        /// Which format.
        format: &'static str,
        /// What its parser says.
        what: String,
    },
    /// The file counts more time than has passed between its first and its last sample.
    #[error("the file counts {counted} s of activity in {passed} s")]
    MoreThanTime {
        /// What it says.
        counted: u64,
        /// What has passed.
        passed: u64,
    },
    /// A row is wrong.
    #[error("row {row}: {error}")]
    Row {
        /// Which, from 1.
        row: u64,
        /// What is wrong.
        error: RowError,
    },
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// A time that cannot be read.
    #[error("{0:?} is no time")]
    BadTime(String),
    /// A local time that the clocks skipped.
    #[error("the clocks went forward over {0}")]
    SkippedTime(String),
    /// A number that cannot be read.
    #[error("{0:?} is no number of steps")]
    BadNumber(String),
    /// Fewer than no steps.
    #[error("{0} steps")]
    NegativeSteps(i64),
    /// More steps than the time allows.
    #[error("{steps} steps, at most {most} in this time")]
    TooManySteps {
        /// What it says.
        steps: u64,
        /// What is possible.
        most: u64,
    },
    /// No heart beats so.
    #[error("a heart rate of {0}")]
    HeartRate(u8),
    /// The same time as another row.
    #[error("the same time as row {row}")]
    Duplicate {
        /// The other one.
        row: u64,
    },
    /// An earlier time than the row before.
    #[error("an earlier time than row {row}")]
    OutOfOrder {
        /// The one before.
        row: u64,
    },
    /// Begins before the one before ends.
    #[error("begins before row {row} ends")]
    Overlap {
        /// The one before.
        row: u64,
    },
    /// No time at all, or more than a day.
    #[error("spans {seconds} s, expected 1 to {most}")]
    Span {
        /// What it spans.
        seconds: u32,
        /// What it may.
        most: u32,
    },
    /// Recorded after now.
    #[error("ends at {ends}, now is {now}")]
    FutureTime {
        /// Where it ends, Unix time.
        ends: u32,
        /// Now.
        now: u32,
    },
    /// Somebody typed it: no sensor has seen it.
    #[error("entered by hand")]
    EnteredByHand,
    /// Not a finished observation of steps over a period.
    #[error("{0}")]
    NotAnObservation(&'static str),
}

impl ActivityError {
    /// The error in a word, for programs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "TooLarge",
            Self::TooMany => "TooMany",
            Self::Unknown => "Unknown",
            Self::Empty => "Empty",
            Self::NoColumn(_) => "NoColumn",
            Self::SeveralPeople { .. } => "SeveralPeople",
            Self::Broken { .. } => "Broken",
            Self::MoreThanTime { .. } => "MoreThanTime",
            Self::Row { error, .. } => match error {
                RowError::BadTime(_) => "BadTime",
                RowError::SkippedTime(_) => "SkippedTime",
                RowError::BadNumber(_) => "BadNumber",
                RowError::NegativeSteps(_) => "NegativeSteps",
                RowError::TooManySteps { .. } => "TooManySteps",
                RowError::HeartRate(_) => "HeartRate",
                RowError::Duplicate { .. } => "Duplicate",
                RowError::OutOfOrder { .. } => "OutOfOrder",
                RowError::Overlap { .. } => "Overlap",
                RowError::Span { .. } => "Span",
                RowError::FutureTime { .. } => "FutureTime",
                RowError::EnteredByHand => "EnteredByHand",
                RowError::NotAnObservation(_) => "NotAnObservation",
            },
        }
    }
}
