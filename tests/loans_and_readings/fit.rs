//! FIT files: a real one of a device, and small ones that are written here.

use proofward::interop::activity::{ActivityError, Reader, days};

use crate::data::data;
use crate::import::{named, reader};
use crate::random::choices;

/// Seconds from 1970 to the beginning of FIT's time, the end of 1989.
const EPOCH: u32 = 631_065_600;
const START: u32 = 1_644_252_472;
const GARMIN: u16 = 1;
const DEVELOPMENT: u16 = 255;
const RUNNING: u8 = 1;
const CYCLING: u8 = 2;

/// A second of a recording: when, strides a minute, heart beats a minute.
type Record = (u32, u8, u8);

/// The cyclic redundancy check of the FIT protocol.
fn crc(bytes: &[u8]) -> u16 {
    const TABLE: [u16; 16] = [
        0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401, 0xa001, 0x6c00, 0x7800,
        0xb401, 0x5000, 0x9c01, 0x8801, 0x4400,
    ];
    bytes.iter().fold(0, |crc: u16, byte| {
        let half = |crc: u16, four: u8| {
            (crc >> 4) ^ TABLE[usize::from(crc & 15)] ^ TABLE[usize::from(four & 15)]
        };
        half(half(crc, *byte), byte >> 4)
    })
}

/// A definition message: fields as number, bytes, base type.
fn define(local: u8, global: u16, fields: &[[u8; 3]]) -> Vec<u8> {
    let mut bytes = vec![0x40 | local, 0, 0];
    bytes.extend(global.to_le_bytes());
    bytes.push(u8::try_from(fields.len()).unwrap());
    bytes.extend(fields.concat());
    bytes
}

fn file(manufacturer: u16, sport: u8, timer_s: u32, records: &[Record]) -> Vec<u8> {
    let mut data = define(0, 0, &[[0, 1, 0], [1, 2, 0x84]]);
    data.extend([0, 4]);
    data.extend(manufacturer.to_le_bytes());
    data.extend(define(1, 20, &[[253, 4, 0x86], [4, 1, 2], [3, 1, 2]]));
    for (second, cadence, heart) in records {
        data.push(1);
        data.extend((second - EPOCH).to_le_bytes());
        data.extend([*cadence, *heart]);
    }
    data.extend(define(2, 18, &[[253, 4, 0x86], [5, 1, 0], [8, 4, 0x86]]));
    data.push(2);
    data.extend((START - EPOCH).to_le_bytes());
    data.push(sport);
    data.extend((timer_s * 1000).to_le_bytes());
    sealed(&data)
}

/// Header, data, checks.
fn sealed(data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![14, 16, 0, 0];
    bytes.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
    bytes.extend(b".FIT");
    bytes.extend(crc(&bytes).to_le_bytes());
    bytes.extend(data);
    bytes.extend(crc(&bytes).to_le_bytes());
    bytes
}

/// A minute of walking at 60 strides a minute.
fn minute() -> Vec<Record> {
    (0..60).map(|second| (START + second, 60, 100)).collect()
}

#[test]
fn a_real_recording_of_a_device_is_read() {
    let Some(path) = data("activity/hrv-activity.fit") else { return };
    let bytes = std::fs::read(path).unwrap();
    let samples = reader().read(&bytes).unwrap();
    assert_eq!((samples.len(), samples[0].t0), (1072, START));
    let days = days(&samples);
    let [day] = &days[..] else { panic!("{} days", days.len()) };
    // Eighteen minutes on a bicycle that stands still: motion without a step.
    assert_eq!((day.t0, day.t1, day.activity.steps), (START, START + 1073, 0));
    assert!(day.activity.active_s > 1000 && day.activity.active_s <= day.activity.wear_s);
    let hearts = samples.iter().filter(|sample| sample.heart.is_some()).count();
    assert!(hearts > 1000, "{hearts}");
    let early = Reader { now: START + 500, ..reader() };
    assert_eq!(named(early.read(&bytes)).0, "FutureTime");
    // A bit turned anywhere is found by the check of the file.
    let mut random = choices("fit");
    for _ in 0..20 {
        let mut turned = bytes.clone();
        let at = 14 + random.index(bytes.len() - 14);
        turned[at] ^= 1 << random.below(8);
        assert_eq!(named(reader().read(&turned)).0, "Broken");
    }
}

#[test]
fn steps_are_counted_for_who_is_on_foot() {
    let walk = reader().read(&file(GARMIN, RUNNING, 60, &minute())).unwrap();
    let day = &days(&walk)[0];
    assert_eq!((day.activity.steps, day.activity.active_s, day.samples), (120, 60, 60));
    let ride = reader().read(&file(GARMIN, CYCLING, 60, &minute())).unwrap();
    assert_eq!(days(&ride)[0].activity.steps, 0);
    // A pause: the last second before it counts for itself alone.
    let mut paused = minute();
    paused.extend((0..60).map(|second| (START + 600 + second, 60, 100)));
    let paused = reader().read(&file(GARMIN, RUNNING, 120, &paused)).unwrap();
    assert_eq!(days(&paused)[0].activity.active_s, 120);
}

#[test]
fn forged_files_are_refused_by_name() {
    let read = |bytes: &[u8]| named(reader().read(bytes));
    // The messages are: file, then the records, then the session.
    assert_eq!(read(&file(DEVELOPMENT, RUNNING, 60, &minute())), ("EnteredByHand", 1));
    let mut again = minute();
    again[30].0 = again[29].0;
    assert_eq!(read(&file(GARMIN, RUNNING, 60, &again)), ("Duplicate", 32));
    let mut back = minute();
    back[30].0 = back[10].0;
    assert_eq!(read(&file(GARMIN, RUNNING, 60, &back)), ("OutOfOrder", 32));
    let mut fast = minute();
    fast[0].1 = 254;
    assert_eq!(read(&file(GARMIN, RUNNING, 60, &fast)), ("TooManySteps", 2));
    for rate in [29, 231] {
        let mut dead = minute();
        dead[5].2 = rate;
        assert_eq!(read(&file(GARMIN, RUNNING, 60, &dead)), ("HeartRate", 7), "{rate}");
    }
    // 25 hours of activity in what is a minute by its own clock.
    assert_eq!(read(&file(GARMIN, RUNNING, 90_000, &minute())), ("MoreThanTime", 0));
    let future: Vec<Record> = minute().iter().map(|(at, c, h)| (at + 900_000, *c, *h)).collect();
    assert_eq!(read(&file(GARMIN, RUNNING, 60, &future)).0, "FutureTime");
    assert_eq!(read(&file(GARMIN, RUNNING, 0, &[])).0, "Empty");
}

#[test]
fn whatever_the_bytes_are_there_is_one_error() {
    let mut random = choices("fit bytes");
    let good = file(GARMIN, RUNNING, 60, &minute());
    for cut in 0..good.len() {
        let error = reader().read(&good[..cut]).unwrap_err();
        assert!(!matches!(error, ActivityError::Row { .. }), "{cut}: {error}");
    }
    // What stands between the checks is turned, and the checks made to fit.
    let data = &good[14..good.len() - 2];
    for _ in 0..3000 {
        let mut data = data.to_vec();
        for _ in 0..=random.index(4) {
            let at = random.index(data.len());
            data[at] = u8::try_from(random.below(256)).unwrap();
        }
        if let Ok(samples) = reader().read(&sealed(&data)) {
            assert!(!days(&samples).is_empty());
        }
    }
}

/// Records as old devices write them: big-endian, the time in five bits of each header, the speed packed.
#[test]
fn compressed_times_and_other_layouts_are_read() {
    let mut data = define(0, 20, &[[253, 4, 0x86], [3, 1, 2]]);
    data.push(0);
    data.extend((START - EPOCH).to_le_bytes());
    data.push(100);
    // A layout with its numbers the other way round, and a field of a developer's.
    data.extend([0x61, 0, 1, 0, 20, 2, 8, 3, 0x0d, 7, 2, 0x84, 1, 0, 2, 0]);
    let still = [0xff; 5];
    let packed = [1, 0, 0, 0xff, 0xff];
    let powerful = [0, 0, 0, 0, 1];
    for (passed, fields) in [(5, still), (30, packed), (40, powerful)] {
        data.push(0x80 | 1 << 5 | u8::try_from((START - EPOCH + passed) % 32).unwrap());
        data.extend(fields);
        data.extend(*b"dv");
    }
    let samples = reader().read(&sealed(&data)).unwrap();
    let told: Vec<_> =
        samples.iter().map(|s| (s.row, s.t0 - START, s.t1 - s.t0, s.active_s)).collect();
    assert_eq!(told, [(1, 0, 5, 0), (2, 5, 1, 0), (3, 30, 10, 10), (4, 40, 1, 1)]);
}

#[test]
fn layouts_that_are_none_are_refused() {
    let broken = |data: &[u8], what: &str| {
        let error = reader().read(&sealed(data)).unwrap_err().to_string();
        assert!(error.starts_with("not a FIT file: ") && error.contains(what), "{error}");
    };
    broken(&[5], "a message without a definition");
    // Else sixteen million messages of a byte would have 255 fields each.
    broken(&define(0, 20, &[[253, 0, 0x86]; 255]), "a field of no bytes");
    broken(&define(0, 20, &[[253, 4, 0x86]])[..8], "truncated");
    let mut open = define(0, 20, &[[253, 4, 0x86]]);
    open.extend([0, 1, 2, 3]);
    broken(&open, "truncated");
}
