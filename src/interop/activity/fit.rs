//! Activities in FIT files (Garmin's Flexible and Interoperable data Transfer): each `record` message is a
//! sample up to the next one, or a second if that is far. Motion is cadence, speed or power; steps are
//! counted for who walks or runs, from the cadence in strides a minute. A file that no device has made
//! (manufacturer "development") was made by hand. The daily totals of watches (`monitoring` messages) are
//! not read.

use std::iter::Peekable;

use super::fit_messages::{Message, Messages};
use super::{ActivityError, RowError, Sample, at, push};
use crate::primitives::codec::DecodeError;

/// Seconds after a record for which it speaks, if none comes before.
const GAP_S: i64 = 10;
/// What a file may round.
const ROUNDING_S: u64 = 2;

// Numbers of the profile (Profile.xlsx of the FIT software development kit): messages.
const FILE_ID: u16 = 0;
const SPORT: u16 = 12;
const SESSION: u16 = 18;
const RECORD: u16 = 20;

// Fields of a file's name, a sport, a session, a record.
const FILE_ID_MANUFACTURER: u8 = 1;
const SPORT_SPORT: u8 = 0;
const SESSION_SPORT: u8 = 5;
/// Milliseconds.
const SESSION_TOTAL_TIMER_TIME: u8 = 8;
const RECORD_HEART_RATE: u8 = 3;
const RECORD_CADENCE: u8 = 4;
const RECORD_SPEED: u8 = 6;
const RECORD_POWER: u8 = 7;
/// Twelve bits each of speed and of distance.
const RECORD_COMPRESSED_SPEED_DISTANCE: u8 = 8;
const RECORD_ENHANCED_SPEED: u8 = 73;

const DEVELOPMENT: i64 = 255;
/// Running, walking, hiking.
const ON_FOOT: [i64; 3] = [1, 11, 17];

pub(super) fn samples(bytes: &[u8]) -> Result<Vec<Sample>, ActivityError> {
    let broken = |what: String| ActivityError::Broken { format: "FIT", what };
    let messages = Messages::of(bytes).map_err(broken)?;
    let whole = Whole::of(messages.clone()).map_err(|error| broken(error.to_string()))?;
    // No message is broken, as has just been seen.
    let records = messages.filter_map(Result::ok).filter(|message| message.kind == RECORD);
    let samples = samples_of(records.peekable(), whole.is_on_foot())?;
    if whole.manufacturer == Some(DEVELOPMENT) {
        return at(1, RowError::EnteredByHand);
    }
    whole.check(&samples)?;
    Ok(samples)
}

fn samples_of<'a>(
    mut records: Peekable<impl Iterator<Item = Message<'a>>>,
    is_on_foot: bool,
) -> Result<Vec<Sample>, ActivityError> {
    let mut samples: Vec<Sample> = Vec::new();
    let mut strides = 0;
    while let Some(record) = records.next() {
        let row = record.row;
        let Some(second) = record.second() else {
            return at(row, RowError::BadTime("no timestamp".into()));
        };
        let next = records.peek().and_then(Message::second);
        let next = next.filter(|next| (1..=GAP_S).contains(&(next - second)));
        let seconds = next.map_or(1, |next| next - second);
        let bad = |_| RowError::BadTime(second.to_string());
        let t0 = u32::try_from(second).map_err(bad).or_else(|error| at(row, error))?;
        let span = u32::try_from(seconds).unwrap_or(1);
        let is_moving = is_moving(&record);
        let heart = record.integer(RECORD_HEART_RATE).filter(|rate| *rate >= 0);
        let heart = heart.map(|rate| u8::try_from(rate).unwrap_or(u8::MAX));
        let mut steps = 0;
        let cadence =
            record.integer(RECORD_CADENCE).and_then(|cadence| u32::try_from(cadence).ok());
        if let Some(cadence) = cadence.filter(|_| is_on_foot) {
            // Two steps a stride, sixty seconds a minute; what is left over counts for the next.
            strides += u64::from(cadence) * 2 * u64::from(span);
            steps = u32::try_from(strides / 60).unwrap_or(u32::MAX);
            strides %= 60;
        }
        let active_s = if is_moving { span } else { 0 };
        let wear_s = if is_moving || heart.is_some() { span } else { 0 };
        let t1 = t0.saturating_add(span);
        push(&mut samples, Sample { row, t0, t1, wear_s, active_s, steps, heart })?;
    }
    Ok(samples)
}

fn is_moving(record: &Message<'_>) -> bool {
    let is_positive = |field| record.integer(field).is_some_and(|value| value > 0);
    let fields = [RECORD_CADENCE, RECORD_ENHANCED_SPEED, RECORD_SPEED, RECORD_POWER];
    let compressed = record.bytes(RECORD_COMPRESSED_SPEED_DISTANCE);
    fields.into_iter().any(is_positive)
        || compressed.is_some_and(|bytes| match bytes {
            [0xff, 0xff, 0xff] => false,
            [low, high, _] => *low > 0 || high & 0x0f > 0,
            _ => false,
        })
}

/// What a file says of itself as a whole.
#[derive(Default)]
struct Whole {
    manufacturer: Option<i64>,
    sport: Option<i64>,
    session_sport: Option<i64>,
    /// Of all sessions.
    timer_s: u64,
}

impl Whole {
    fn of(messages: Messages<'_>) -> Result<Self, DecodeError> {
        let mut whole = Self::default();
        for message in messages {
            let message = message?;
            let of = |field| message.integer(field);
            match message.kind {
                FILE_ID => whole.manufacturer = whole.manufacturer.or(of(FILE_ID_MANUFACTURER)),
                SPORT => whole.sport = whole.sport.or(of(SPORT_SPORT)),
                SESSION => {
                    whole.session_sport = whole.session_sport.or(of(SESSION_SPORT));
                    let timer_ms = of(SESSION_TOTAL_TIMER_TIME).map(u64::try_from);
                    let timer_s = timer_ms.map_or(0, |timer_ms| timer_ms.unwrap_or(0) / 1000);
                    whole.timer_s = whole.timer_s.saturating_add(timer_s);
                }
                _ => {}
            }
        }
        Ok(whole)
    }

    fn is_on_foot(&self) -> bool {
        self.session_sport.or(self.sport).is_some_and(|sport| ON_FOOT.contains(&sport))
    }

    /// What it says must have had the time to happen.
    fn check(&self, samples: &[Sample]) -> Result<(), ActivityError> {
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return Ok(()) };
        let passed = u64::from(last.t1.saturating_sub(first.t0));
        if self.timer_s > passed.saturating_add(ROUNDING_S) {
            return Err(ActivityError::MoreThanTime { counted: self.timer_s, passed });
        }
        Ok(())
    }
}
