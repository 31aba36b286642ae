//! Activities in FIT files (Garmin's Flexible and Interoperable data Transfer): each `record` message is a
//! sample up to the next one, or a second if that is far. Motion is cadence, speed or power; steps are
//! counted for who walks or runs, from the cadence in strides a minute. A file that no device has made
//! (manufacturer "development") was made by hand. The daily totals of watches (`monitoring` messages) are
//! not read.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fitparser::profile::MesgNum;
use fitparser::{FitDataRecord, Value};

use super::{ActivityError, RowError, Sample, at, push};

/// Seconds after a record for which it speaks, if none comes before.
const GAP_S: i64 = 10;
/// What a file may round.
const ROUNDING_S: u64 = 2;
const ON_FOOT: [&str; 3] = ["running", "walking", "hiking"];

pub(super) fn samples(bytes: &[u8]) -> Result<Vec<Sample>, ActivityError> {
    let broken = |what: String| ActivityError::Broken { format: "FIT", what };
    // The parser takes a file that ends between two messages for a whole one.
    if !is_whole(bytes) {
        return Err(broken("it is cut short, or something follows it".into()));
    }
    // The parser is not ours: should it fall over, the file is at fault.
    let parsed = catch_unwind(AssertUnwindSafe(|| fitparser::from_bytes(bytes)));
    let messages = match parsed {
        Ok(Ok(messages)) => messages,
        Ok(Err(error)) => return Err(broken(error.to_string().chars().take(200).collect())),
        Err(_) => return Err(broken("its parser failed".into())),
    };
    let sport = text(&messages, MesgNum::Session, "sport")
        .or_else(|| text(&messages, MesgNum::Sport, "sport"));
    let is_on_foot = sport.is_some_and(|sport| ON_FOOT.contains(&sport));
    let records: Vec<(u64, &FitDataRecord)> =
        (1..).zip(&messages).filter(|(_, message)| message.kind() == MesgNum::Record).collect();
    let mut samples: Vec<Sample> = Vec::new();
    let mut strides = 0;
    for (i, (row, record)) in records.iter().enumerate() {
        let row = *row;
        let Some(second) = second_of(record) else {
            return at(row, RowError::BadTime("no timestamp".into()));
        };
        let next = records.get(i + 1).and_then(|(_, next)| second_of(next));
        let next = next.filter(|next| (1..=GAP_S).contains(&(next - second)));
        let seconds = next.map_or(1, |next| next - second);
        let bad = |_| RowError::BadTime(second.to_string());
        let t0 = u32::try_from(second).map_err(bad).or_else(|error| at(row, error))?;
        let span = u32::try_from(seconds).unwrap_or(1);
        let is_moving = ["cadence", "enhanced_speed", "speed", "power"]
            .iter()
            .any(|name| number(record, name).is_some_and(|value| value > 0.0));
        let heart = number(record, "heart_rate").and_then(whole).map(|rate| rate.min(255));
        let heart = heart.and_then(|rate| u8::try_from(rate).ok());
        let mut steps = 0;
        if let Some(cadence) = number(record, "cadence").and_then(whole).filter(|_| is_on_foot) {
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
    if text(&messages, MesgNum::FileId, "manufacturer") == Some("development") {
        return at(1, RowError::EnteredByHand);
    }
    check_session(&messages, &samples)?;
    Ok(samples)
}

/// Whether header, data and check are as long as the header says.
fn is_whole(bytes: &[u8]) -> bool {
    let (Some(header), Some(size)) = (bytes.first(), bytes.get(4..8)) else { return false };
    let data = size.iter().rev().fold(0, |size: u64, byte| size << 8 | u64::from(*byte));
    u64::from(*header) + data + 2 == bytes.len() as u64
}

/// What the file says of itself as a whole must have had the time to happen.
fn check_session(messages: &[FitDataRecord], samples: &[Sample]) -> Result<(), ActivityError> {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return Ok(()) };
    let passed = u64::from(last.t1.saturating_sub(first.t0));
    let sessions = messages.iter().filter(|message| message.kind() == MesgNum::Session);
    let seconds = sessions.filter_map(|session| number(session, "total_timer_time"));
    let counted = seconds.filter_map(whole).map(u64::from).fold(0, u64::saturating_add);
    if counted > passed.saturating_add(ROUNDING_S) {
        return Err(ActivityError::MoreThanTime { counted, passed });
    }
    Ok(())
}

fn field<'a>(message: &'a FitDataRecord, name: &str) -> Option<&'a Value> {
    message.fields().iter().find(|field| field.name() == name).map(|field| field.value())
}

fn second_of(message: &FitDataRecord) -> Option<i64> {
    match field(message, "timestamp")? {
        Value::Timestamp(time) => Some(time.timestamp()),
        _ => None,
    }
}

fn number(message: &FitDataRecord, name: &str) -> Option<f64> {
    field(message, name).and_then(|value| value.clone().try_into().ok())
}

/// The whole part of what is small and not negative.
fn whole(value: f64) -> Option<u32> {
    let fits = (0.0..=f64::from(u32::MAX)).contains(&value);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is looked at before, and the fraction is not wanted"
    )]
    fits.then_some(value as u32)
}

fn text<'a>(messages: &'a [FitDataRecord], kind: MesgNum, name: &str) -> Option<&'a str> {
    let mut messages = messages.iter().filter(|message| message.kind() == kind);
    messages.find_map(|message| match field(message, name)? {
        Value::String(text) => Some(&**text),
        _ => None,
    })
}
