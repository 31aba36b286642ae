//! Recordings of activity as other people's devices write them: minute by minute in CSV, FHIR Observations,
//! FIT files. They come out as [`Sample`]s that are in order, do not overlap and are possible, or as one
//! error that names the row; a day's samples become the totals and the root of one reading.
//!
//! What a file says is not what happened: whoever writes the file can write anything that is possible. So
//! an imported file has the least assurance, [`Assurance::File`], and the rules here only keep honest
//! mistakes and crude forgeries out.
//!
//! [`Assurance::File`]: crate::ledger::transaction::reading::Assurance::File

mod csv;
mod day;
mod error;
mod fhir;
mod fit;
mod fit_messages;

pub use day::{Day, days};
pub use error::{ActivityError, RowError};

use jiff::tz::TimeZone;

use crate::ledger::spec::{READING_SPAN_S_MAX, STEPS_PER_ACTIVE_SECOND_MAX};

/// Bytes of a file.
pub const ACTIVITY_BYTES_MAX: usize = 16 << 20;
/// Samples of a file: half a year of minutes, three days of seconds.
pub const SAMPLES_MAX: usize = 1 << 18;
/// Heart beats a minute that a living person has.
const HEART_RATES: std::ops::RangeInclusive<u8> = 30..=230;

/// A stretch of time that a device tells about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The row that says so, from 1: the row of a CSV file, its header counted, the observation of a bundle, the message of a
    /// FIT file.
    pub row: u64,
    /// First second, Unix time.
    pub t0: u32,
    /// The second after the last.
    pub t1: u32,
    /// Seconds in which the device saw that it was worn: motion, or a heart beat.
    pub wear_s: u32,
    /// Seconds in motion.
    pub active_s: u32,
    /// Steps.
    pub steps: u32,
    /// Heart beats a minute, where they are told.
    pub heart: Option<u8>,
}

/// How a file is to be read.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The zone of times that say none.
    pub zone: TimeZone,
    /// Whose rows count in a file about several people.
    pub id: Option<String>,
    /// The second up to which a sample may reach: nothing has been recorded after now.
    pub now: u32,
}

impl Reader {
    /// For one person's file, in which times that name no zone are UTC.
    #[must_use]
    pub const fn utc(now: u32) -> Self {
        Self { zone: TimeZone::UTC, id: None, now }
    }

    /// Reads a file of any of the formats; its beginning tells which.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it, with its row.
    pub fn read(&self, bytes: &[u8]) -> Result<Vec<Sample>, ActivityError> {
        if bytes.len() > ACTIVITY_BYTES_MAX {
            return Err(ActivityError::TooLarge(bytes.len()));
        }
        let samples = if bytes.get(8..12) == Some(b".FIT") {
            fit::samples(bytes)?
        } else {
            let text = std::str::from_utf8(bytes).map_err(|_| ActivityError::Unknown)?;
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            if text.trim_start().starts_with(['{', '[']) {
                fhir::samples(text)?
            } else {
                csv::samples(text, self)?
            }
        };
        check(&samples, self.now)?;
        Ok(samples)
    }
}

/// Whether samples are in order, do not overlap and are possible.
fn check(samples: &[Sample], now: u32) -> Result<(), ActivityError> {
    if samples.is_empty() {
        return Err(ActivityError::Empty);
    }
    let mut before: Option<&Sample> = None;
    for sample in samples {
        let fail = |error| Err(ActivityError::Row { row: sample.row, error });
        if let Some(before) = before {
            if sample.t0 == before.t0 {
                return fail(RowError::Duplicate { row: before.row });
            }
            if sample.t0 < before.t0 {
                return fail(RowError::OutOfOrder { row: before.row });
            }
            if sample.t0 < before.t1 {
                return fail(RowError::Overlap { row: before.row });
            }
        }
        let span = sample.t1.saturating_sub(sample.t0);
        if span == 0 || span > READING_SPAN_S_MAX {
            return fail(RowError::Span { seconds: span, most: READING_SPAN_S_MAX });
        }
        if sample.t1 > now {
            return fail(RowError::FutureTime { ends: sample.t1, now });
        }
        let most = STEPS_PER_ACTIVE_SECOND_MAX * u64::from(sample.active_s);
        if u64::from(sample.steps) > most {
            return fail(RowError::TooManySteps { steps: sample.steps.into(), most });
        }
        if let Some(rate) = sample.heart.filter(|rate| !HEART_RATES.contains(rate)) {
            return fail(RowError::HeartRate(rate));
        }
        before = Some(sample);
    }
    Ok(())
}

/// The row's own view of how much it may grow.
fn push(samples: &mut Vec<Sample>, sample: Sample) -> Result<(), ActivityError> {
    if samples.len() == SAMPLES_MAX {
        return Err(ActivityError::TooMany);
    }
    samples.push(sample);
    Ok(())
}

/// A row's error.
fn at<T>(row: u64, error: RowError) -> Result<T, ActivityError> {
    Err(ActivityError::Row { row, error })
}
