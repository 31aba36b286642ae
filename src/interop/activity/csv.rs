//! Minutes in CSV as the Fitabase export has them: `Id,ActivityMinute,Steps`, times local and without a
//! zone, `4/12/2016 12:01:00 AM`. Other columns are allowed; one named `Source` or `LogType` may say that a
//! row was entered by hand. Minutes that are missing are gaps, which is no error.

use jiff::civil::DateTime;
use jiff::tz::AmbiguousOffset;

use super::{ActivityError, Reader, RowError, Sample, at, push};

const MINUTE_S: u32 = 60;

/// Where the columns are.
struct Columns {
    id: Option<usize>,
    minute: usize,
    steps: usize,
    source: Option<usize>,
}

pub(super) fn samples(text: &str, how: &Reader) -> Result<Vec<Sample>, ActivityError> {
    let broken =
        |error: &csv::Error| ActivityError::Broken { format: "CSV", what: error.to_string() };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let columns = columns(reader.headers().map_err(|error| broken(&error))?)?;
    let mut samples: Vec<Sample> = Vec::new();
    let mut first_id: Option<String> = None;
    // The header is row 1; the reader's own count of lines depends on how they end.
    for (record, row) in reader.records().zip(2..) {
        let record = record.map_err(|error| broken(&error))?;
        let field = |at: usize| record.get(at).unwrap_or_default();
        let id = columns.id.map(field).unwrap_or_default();
        match (&how.id, &first_id) {
            (Some(wanted), _) if wanted != id => continue,
            (None, Some(first)) if first != id => {
                let (first, second) = (first.clone(), id.to_owned());
                return Err(ActivityError::SeveralPeople { first, second });
            }
            (_, None) => first_id = Some(id.to_owned()),
            _ => {}
        }
        let source = columns.source.map(field).unwrap_or_default().to_ascii_lowercase();
        if ["manual", "user", "hand"].iter().any(|word| source.contains(word)) {
            return at(row, RowError::EnteredByHand);
        }
        let before = samples.last().map(|sample| sample.t0);
        let t0 = second_of(field(columns.minute), how, before)
            .map_err(|error| ActivityError::Row { row, error })?;
        let steps =
            steps_of(field(columns.steps)).map_err(|error| ActivityError::Row { row, error })?;
        let active_s = if steps > 0 { MINUTE_S } else { 0 };
        let t1 = t0.saturating_add(MINUTE_S);
        let (wear_s, heart) = (active_s, None);
        push(&mut samples, Sample { row, t0, t1, wear_s, active_s, steps, heart })?;
    }
    Ok(samples)
}

fn columns(header: &csv::StringRecord) -> Result<Columns, ActivityError> {
    let find = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
    Ok(Columns {
        id: find("Id"),
        minute: find("ActivityMinute").ok_or(ActivityError::NoColumn("ActivityMinute"))?,
        steps: find("Steps").ok_or(ActivityError::NoColumn("Steps"))?,
        source: find("Source").or_else(|| find("LogType")),
    })
}

fn steps_of(text: &str) -> Result<u32, RowError> {
    let steps: i64 = text.parse().map_err(|_| RowError::BadNumber(short(text)))?;
    if steps < 0 {
        return Err(RowError::NegativeSteps(steps));
    }
    let too_many = |_| RowError::TooManySteps { steps: steps.unsigned_abs(), most: 240 };
    u32::try_from(steps).map_err(too_many)
}

/// The second that a local time names. When the clocks go back an hour comes twice: it is the second time
/// if the row before says so.
fn second_of(text: &str, how: &Reader, before: Option<u32>) -> Result<u32, RowError> {
    let bad = || RowError::BadTime(short(text));
    let local = local_time(text).ok_or_else(bad)?;
    let second = |offset: jiff::tz::Offset| {
        let timestamp = offset.to_timestamp(local).ok()?;
        u32::try_from(timestamp.as_second()).ok()
    };
    match how.zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => second(offset).ok_or_else(bad),
        AmbiguousOffset::Gap { .. } => Err(RowError::SkippedTime(short(text))),
        AmbiguousOffset::Fold { before: first, after: again } => {
            let first = second(first).ok_or_else(bad)?;
            match before {
                Some(before) if before >= first => second(again).ok_or_else(bad),
                _ => Ok(first),
            }
        }
    }
}

/// `m/d/yyyy h:mm:ss AM`, the same without seconds or in 24 hours, or `yyyy-mm-dd hh:mm:ss`.
fn local_time(text: &str) -> Option<DateTime> {
    let mut words = text.split_whitespace();
    let (date, time, half) = (words.next()?, words.next()?, words.next());
    if words.next().is_some() {
        return None;
    }
    let numbers = |text: &str, by: char| -> Option<Vec<i16>> {
        text.split(by).map(|part| part.parse().ok().filter(|number| *number >= 0)).collect()
    };
    let (year, month, day) = match date.contains('/') {
        true => match numbers(date, '/')?[..] {
            [month, day, year] => (year, month, day),
            _ => return None,
        },
        false => match numbers(date, '-')?[..] {
            [year, month, day] => (year, month, day),
            _ => return None,
        },
    };
    let (hour, minute, second) = match numbers(time, ':')?[..] {
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let hour = match half.map(str::to_ascii_uppercase).as_deref() {
        None => hour,
        Some("AM") if (1..=12).contains(&hour) => hour % 12,
        Some("PM") if (1..=12).contains(&hour) => hour % 12 + 12,
        Some(_) => return None,
    };
    let small = |number: i16| i8::try_from(number).ok();
    DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0)
        .ok()
}

/// Enough of a text to find it again.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
