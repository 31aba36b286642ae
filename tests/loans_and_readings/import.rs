//! Recordings of strangers: every refusal is named with its row, beside what is read.

use jiff::tz::TimeZone;
use proofward::interop::activity::{ActivityError, Reader, Sample, days};
use proofward::ledger::credit::Activity;

/// 2022-02-07T16:00:00Z and some days later.
const NOW: u32 = 1_644_600_000;

pub(crate) fn reader() -> Reader {
    Reader { zone: TimeZone::UTC, id: None, now: NOW }
}

pub(crate) fn named(read: Result<Vec<Sample>, ActivityError>) -> (&'static str, u64) {
    match read {
        Ok(samples) => panic!("{} samples", samples.len()),
        Err(ActivityError::Row { row, error }) => (ActivityError::Row { row, error }.name(), row),
        Err(error) => (error.name(), 0),
    }
}

fn csv(rows: &[&str]) -> String {
    let mut text = String::from("Id,ActivityMinute,Steps\r\n");
    rows.iter().for_each(|row| text.push_str(&format!("1503960366,{row}\r\n")));
    text
}

fn read(text: &str) -> Result<Vec<Sample>, ActivityError> {
    reader().read(text.as_bytes())
}

#[test]
fn minutes_with_a_byte_order_mark_and_gaps() {
    let rows = ["2/7/2022 11:59:00 AM,0", "2/7/2022 12:00:00 PM,100", "2/8/2022 12:00:00 AM,240"];
    let text = format!("\u{feff}{}", csv(&rows));
    let samples = read(&text).unwrap();
    let noon = 1_644_235_200;
    let starts: Vec<u32> = samples.iter().map(|sample| sample.t0).collect();
    assert_eq!(starts, [noon - 60, noon, noon + 43_200]);
    assert_eq!(samples.iter().map(|sample| sample.row).collect::<Vec<_>>(), [2, 3, 4]);
    // A minute without steps is no sign that anybody wore it.
    assert_eq!((samples[0].wear_s, samples[1].wear_s), (0, 60));

    let days = days(&samples);
    let first = Activity { wear_s: 60, active_s: 60, steps: 100 };
    assert_eq!((days.len(), days[0].activity, days[0].samples), (2, first, 2));
    assert_eq!((days[0].t0, days[0].t1), (noon - 60, noon + 60));
    assert_eq!(days[1].activity.steps, 240);
    assert!(days[0].text.contains(&format!("{noon},{},60,60,100,\n", noon + 60)));
    assert_ne!(days[0].root, days[1].root);
    let again = read(&text).unwrap();
    assert_eq!(proofward::interop::activity::days(&again), days, "the same file, the same roots");
}

#[test]
fn every_fault_of_a_row_is_named_with_it() {
    let good = "2/7/2022 11:59:00 AM,10";
    let cases = [
        ("13/7/2022 12:00:00 PM,1", "BadTime"),
        ("2/7/2022 13:00:00 PM,1", "BadTime"),
        ("2/7/2022,1", "BadTime"),
        ("soon,1", "BadTime"),
        ("2/7/2022 12:00:00 PM,many", "BadNumber"),
        ("2/7/2022 12:00:00 PM,1.5", "BadNumber"),
        ("2/7/2022 12:00:00 PM,99999999999999999999", "BadNumber"),
        ("2/7/2022 12:00:00 PM,-1", "NegativeSteps"),
        ("2/7/2022 12:00:00 PM,1000000000", "TooManySteps"),
        ("2/7/2022 12:00:00 PM,10000000000", "TooManySteps"),
        ("2/7/2022 12:00:00 PM,241", "TooManySteps"),
        ("2/7/2022 11:59:00 AM,10", "Duplicate"),
        ("2/7/2022 11:58:00 AM,10", "OutOfOrder"),
        ("2/7/2022 11:59:30 AM,10", "Overlap"),
        ("2/7/2032 12:00:00 PM,1", "FutureTime"),
    ];
    for (row, name) in cases {
        assert_eq!(named(read(&csv(&[good, row]))), (name, 3), "{row}");
    }
    assert_eq!(read(&csv(&[good, "2/7/2022 12:00:00 PM,240"])).unwrap().len(), 2);
    assert_eq!(read(&csv(&[good, "2022-02-07 12:00,240"])).unwrap().len(), 2);
}

#[test]
fn twenty_five_hours_in_a_day_are_minutes_that_come_twice() {
    let row = |minute: u32| format!("2/7/2022 {}:{:02}:00,1", minute / 60 % 24, minute % 60);
    let rows: Vec<String> = (0..25 * 60).map(row).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    assert_eq!(named(read(&csv(&rows))), ("OutOfOrder", 24 * 60 + 2));
    let day = days(&read(&csv(&rows[..1440])).unwrap());
    assert_eq!((day.len(), day[0].activity.wear_s), (1, 86_400));
}

#[test]
fn the_clocks_jump() {
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    let reader = Reader { zone, now: u32::MAX, ..reader() };
    let skipped = csv(&["3/27/2022 1:59:00 AM,1", "3/27/2022 2:30:00 AM,1"]);
    assert_eq!(named(reader.read(skipped.as_bytes())), ("SkippedTime", 3));
    let over = csv(&["3/27/2022 1:59:00 AM,1", "3/27/2022 3:00:00 AM,1"]);
    let samples = reader.read(over.as_bytes()).unwrap();
    assert_eq!(samples[1].t0 - samples[0].t0, 60, "a minute later");

    // The hour from two to three comes twice; the third time is once too often.
    let hour: Vec<String> = (0..60).map(|m| format!("10/30/2022 2:{m:02}:00 AM,1")).collect();
    let twice: Vec<&str> = hour.iter().chain(&hour).map(String::as_str).collect();
    let samples = reader.read(csv(&twice).as_bytes()).unwrap();
    assert_eq!((samples.len(), samples[60].t0 - samples[0].t0), (120, 3600));
    let thrice: Vec<&str> = hour.iter().chain(&hour).chain(&hour).map(String::as_str).collect();
    assert_eq!(named(reader.read(csv(&thrice).as_bytes())), ("OutOfOrder", 122));
}

#[test]
fn whose_rows_and_by_whose_hand() {
    let two = "Id,ActivityMinute,Steps\n1,2/7/2022 1:00:00 AM,1\n2,2/7/2022 1:00:00 AM,2\n";
    assert_eq!(named(read(two)), ("SeveralPeople", 0));
    let of_two = Reader { id: Some("2".into()), ..reader() };
    assert_eq!(of_two.read(two.as_bytes()).unwrap()[0].steps, 2);
    let of_nobody = Reader { id: Some("3".into()), ..reader() };
    assert_eq!(named(of_nobody.read(two.as_bytes())), ("Empty", 0));

    let source =
        |word: &str| format!("ActivityMinute,Steps,LogType\n2/7/2022 1:00:00 AM,1,{word}\n");
    assert_eq!(named(read(&source("manual"))), ("EnteredByHand", 2));
    assert!(read(&source("tracker")).is_ok());
}

#[test]
fn what_is_no_recording() {
    assert_eq!(named(read("Id,Steps\n1,2\n")), ("NoColumn", 0));
    assert_eq!(named(read("")), ("NoColumn", 0));
    assert_eq!(named(read(&csv(&[]))), ("Empty", 0));
    assert_eq!(named(reader().read(&[0xff, 0xfe, 0])), ("Unknown", 0));
    assert_eq!(named(reader().read(&vec![b'1'; (16 << 20) + 1])), ("TooLarge", 0));
    assert_eq!(named(read("ActivityMinute,Steps\n1\n")), ("Broken", 0));
    assert_eq!(named(read("{")), ("Broken", 0));
    assert_eq!(named(read("{}")), ("Broken", 0));
}

fn observation(change: impl FnOnce(&mut serde_json::Value)) -> serde_json::Value {
    let mut observation = serde_json::json!({
        "resourceType": "Observation",
        "status": "final",
        "code": { "coding": [{ "system": "http://loinc.org", "code": "55423-8" }] },
        "effectivePeriod": { "start": "2022-02-07T12:00:00+01:00", "end": "2022-02-07T12:30:00+01:00" },
        "device": { "reference": "Device/watch" },
        "valueQuantity": { "value": 3000, "unit": "steps" }
    });
    change(&mut observation);
    observation
}

#[test]
fn observations_alone_in_lists_and_in_bundles() {
    let one = observation(|_| {});
    let samples = read(&one.to_string()).unwrap();
    assert_eq!(
        (samples[0].t0, samples[0].t1, samples[0].steps),
        (1_644_231_600, 1_644_233_400, 3000)
    );
    assert_eq!(samples[0].active_s, 750, "no more than the steps need");
    let later = observation(|one| {
        one["effectivePeriod"]["start"] = "2022-02-07T11:30:00Z".into();
        one["effectivePeriod"]["end"] = "2022-02-07T11:40:00Z".into();
        one["valueQuantity"]["value"] = 0.into();
    });
    let list = serde_json::json!([later, one]);
    assert_eq!(read(&list.to_string()).unwrap()[1].row, 1, "in the order of time");
    let entries = [&one, &later].map(|one| serde_json::json!({ "resource": one }));
    let bundle = serde_json::json!({ "resourceType": "Bundle", "entry": entries });
    assert_eq!(read(&bundle.to_string()).unwrap().len(), 2);
}

#[test]
fn every_fault_of_an_observation_is_named() {
    type Change = fn(&mut serde_json::Value);
    let cases: [(&str, Change); 11] = [
        ("NotAnObservation", |one| one["resourceType"] = "Patient".into()),
        ("NotAnObservation", |one| one["status"] = "preliminary".into()),
        ("NotAnObservation", |one| one["code"]["coding"][0]["code"] = "8867-4".into()),
        ("NotAnObservation", |one| one["code"]["coding"][0]["system"] = "else".into()),
        ("BadTime", |one| one["effectivePeriod"]["start"] = "2022-02-07T12:00:00".into()),
        ("BadTime", |one| one["effectivePeriod"] = serde_json::Value::Null),
        ("NegativeSteps", |one| one["valueQuantity"]["value"] = (-1).into()),
        ("BadNumber", |one| one["valueQuantity"]["value"] = "3000".into()),
        ("TooManySteps", |one| one["valueQuantity"]["value"] = 7201.into()),
        ("Span", |one| one["effectivePeriod"]["end"] = "2022-02-08T13:00:00+01:00".into()),
        ("EnteredByHand", |one| one["device"] = serde_json::Value::Null),
    ];
    for (name, change) in cases {
        let list = serde_json::json!([observation(change)]);
        assert_eq!(named(read(&list.to_string())), (name, 1));
    }
    // The same period twice, and two that overlap by a second.
    let again = serde_json::json!([observation(|_| {}), observation(|_| {})]);
    assert_eq!(named(read(&again.to_string())), ("Duplicate", 2));
    let late = observation(|one| {
        one["effectivePeriod"]["start"] = "2022-02-07T11:29:59Z".into();
        one["effectivePeriod"]["end"] = "2022-02-07T12:00:00Z".into();
    });
    let late = serde_json::json!([observation(|_| {}), late]);
    assert_eq!(named(read(&late.to_string())).0, "Overlap");
}
