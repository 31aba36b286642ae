//! Ten thousand small histories of readings with reorganisations: every verdict is that of a twin written
//! apart, and a wearer has what the formula gives, no more on any day than its cap; and what happens when
//! more samples grow old at once than a block may forget.

use std::collections::BTreeMap;

use proofward::fuzzing::forge::SplitMix64;
use proofward::ledger::policy::Moment;
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::Spec;
use proofward::ledger::state::{EntryKey, HeldClaim, HeldCredit, SampleQueue};
use proofward::ledger::transaction::attest::Claim;
use proofward::ledger::transaction::reading::Assurance;
use proofward::ledger::transaction::{Body, CoreId, Reading};

use crate::ledger::{Key, easy_spec};
use crate::random::choices;
use crate::replay::{Branch, accounts};

const START: u32 = 1_700_000_000;
const DAY: u32 = 86_400;
const MODEL: [u8; 32] = [4; 32];

/// What devices have said, by the words of the rules and nothing else.
#[derive(Clone, Default)]
struct Twin {
    readings: Vec<(Reading, CoreId)>,
    /// Roots with the time at which they were stored.
    samples: BTreeMap<[u8; 32], u32>,
}

impl Twin {
    fn last(&self, device: PubKey) -> Option<&(Reading, CoreId)> {
        self.readings.iter().rev().find(|(reading, _)| reading.device == device)
    }

    fn judge(&self, now: u32, live: &[PubKey], reading: &Reading) -> Result<(), &'static str> {
        let last = self.last(reading.device);
        let span = i64::from(reading.t1) - i64::from(reading.t0);
        let (wear, active) = (i64::from(reading.wear_s), i64::from(reading.active_s));
        if !live.contains(&reading.device) {
            Err("DeviceNotLive")
        } else if reading.seq != last.map_or(0, |(last, _)| last.seq + 1) {
            Err("SeqGap")
        } else if reading.prev != last.map_or([0; 32], |(_, core)| core.0) {
            Err("ChainBreak")
        } else if last.is_some_and(|(last, _)| reading.t0 < last.t1) {
            Err("Overlap")
        } else if reading.t1 > now {
            Err("FutureTime")
        } else if u64::from(reading.t1) + 7 * 86_400 < u64::from(now) {
            Err("TooOld")
        } else if !(1..=86_400).contains(&span)
            || wear > span
            || active > wear
            || i64::from(reading.steps) > 4 * active
        {
            Err("Implausible")
        } else if self.samples.contains_key(&reading.samples) {
            Err("Replay")
        } else {
            Ok(())
        }
    }

    /// What a wearer has: all readings again, device by device and day by day.
    fn earned(&self, wearer: PubKey) -> u64 {
        let mut days = BTreeMap::<(PubKey, u32), u64>::new();
        let mut earned = 0;
        for (reading, _) in &self.readings {
            let (active, wear) = (u64::from(reading.active_s), u64::from(reading.wear_s));
            let full = active * 10_000 + wear * 500 + u64::from(reading.steps) * 5_000;
            let hashes = full * (1 + reading.assurance as u64) / 4;
            let day = days.entry((reading.device, (reading.t1 - 1) / DAY)).or_default();
            let credit = hashes.min(200_000_000 - *day);
            *day += credit;
            if reading.wearer == wearer {
                earned += credit;
            }
        }
        earned
    }
}

struct History<'a> {
    keys: &'a [PubKey],
    branch: Branch<'a>,
    twin: Twin,
    now: u32,
    past: Vec<(Twin, u32)>,
}

/// Two devices that an anchor vouches for, and a third key that is none; two wearers.
fn history<'a>(spec: &'a Spec, keys: &'a [PubKey]) -> History<'a> {
    let mut entries = accounts(keys, 1_000_000_000_000);
    for (i, device) in keys[..2].iter().enumerate() {
        let core = CoreId([u8::try_from(i).unwrap(); 32]);
        let held = HeldClaim {
            issuer: spec.anchor_id(),
            subject: (*device).into(),
            claim: Claim::Device { model: MODEL, firmware: [0; 32] },
            from_h: 0,
            to_h: u32::MAX,
            tag: [0; 16],
            at: Moment { height: 0, median_time: 0 },
            withdrawn: None,
        };
        entries.insert(EntryKey::Claim(core), borsh::to_vec(&held).unwrap());
        entries.insert(EntryKey::Holdings((*device).into()), borsh::to_vec(&vec![core]).unwrap());
    }
    let branch = Branch::new(spec, entries);
    History { keys, branch, twin: Twin::default(), now: START, past: Vec::new() }
}

impl History<'_> {
    fn block(&mut self, random: &mut SplitMix64, named: &mut BTreeMap<&'static str, u32>) {
        self.past.push((self.twin.clone(), self.now));
        let leap = [1, 60, 3_600, 40_000, 3 * DAY][random.index(5)];
        self.now += leap;
        let (keys, twin, now) = (self.keys, &mut self.twin, self.now);
        twin.samples.retain(|_, stored| now < *stored + 8 * DAY);
        self.branch.block(now, |block| {
            for _ in 0..random.below(4) {
                let reading = reading(keys, twin, now, random);
                let (core, judged) = block.act(keys[0], Body::Reading(reading.clone()), 0);
                assert_eq!(judged, twin.judge(now, &keys[..2], &reading), "{reading:?}");
                *named.entry(judged.err().unwrap_or("valid")).or_default() += 1;
                if judged.is_ok() {
                    twin.samples.insert(reading.samples, now);
                    twin.readings.push((reading, core));
                }
            }
        });
        self.check();
    }

    fn reorganise(&mut self, random: &mut SplitMix64) {
        for _ in 0..random.below(4) {
            if self.branch.undo() {
                (self.twin, self.now) = self.past.pop().unwrap();
            }
        }
        self.check();
    }

    fn check(&self) {
        let mut samples = 0;
        let mut queued = 0;
        let mut credits = BTreeMap::<PubKey, u64>::new();
        for (key, value) in &self.branch.base.entries {
            match key {
                EntryKey::Sample(root) => {
                    assert!(self.twin.samples.contains_key(root));
                    samples += 1;
                }
                EntryKey::SampleQueue => {
                    queued = borsh::from_slice::<SampleQueue>(value).unwrap().count;
                }
                EntryKey::Credit(wearer, _, _) => {
                    let held: HeldCredit = borsh::from_slice(value).unwrap();
                    *credits.entry(*wearer).or_default() += held.hashes;
                }
                _ => {}
            }
        }
        assert_eq!((samples, queued), (self.twin.samples.len(), samples as u64));
        for wearer in &self.keys[3..] {
            let has = credits.get(wearer).copied().unwrap_or_default();
            assert_eq!(has, self.twin.earned(*wearer));
        }
    }
}

/// A reading that often holds.
fn reading(keys: &[PubKey], twin: &Twin, now: u32, random: &mut SplitMix64) -> Reading {
    let device = keys[if random.below(12) == 0 { 2 } else { random.index(2) }];
    let last = twin.last(device);
    let until = last.map_or(now - DAY, |(last, _)| last.t1);
    let span = [60, 3_600, DAY][random.index(3)].min(now.saturating_sub(until));
    let t0 = until.max(now - span);
    let mut reading = Reading {
        device,
        wearer: keys[3 + random.index(2)],
        seq: last.map_or(0, |(last, _)| last.seq + 1),
        prev: last.map_or([0; 32], |(_, core)| core.0),
        t0,
        t1: now,
        wear_s: now - t0,
        active_s: (now - t0) / 2,
        steps: (now - t0) / 2 * 3,
        samples: [0; 32],
        assurance: Assurance::ALL[random.index(3)],
        co_witness: None,
    };
    match random.number(20) {
        0 => reading.seq += 1,
        1 => reading.prev[5] ^= 1,
        2 => reading.t0 = until - 1,
        3 => reading.t1 = now + 1,
        4 => (reading.t0, reading.t1) = (until, until + 1),
        5 => reading.steps = 4 * reading.active_s + 1,
        6 => reading.wear_s = reading.t1 - reading.t0 + 1,
        7 => reading.active_s = reading.wear_s + 1,
        8 => (reading.t0, reading.wear_s) = (reading.t0 - DAY, DAY),
        9 => (reading.t0, reading.t1) = (now - 7 * DAY - 61, now - 7 * DAY - 1),
        _ => {}
    }
    let samples = random.below(200);
    reading.samples[..8].copy_from_slice(&samples.to_le_bytes());
    reading
}

fn keys() -> Vec<PubKey> {
    (0..5).map(|i| Key::new(400 + i).public()).collect()
}

#[test]
fn credits_are_conserved_in_ten_thousand_histories_with_reorganisations() {
    let mut random = choices("readings");
    let (spec, keys) = (easy_spec(), keys());
    let mut named = BTreeMap::new();
    for _ in 0..10_000 {
        let mut history = history(&spec, &keys);
        for _ in 0..6 {
            history.block(&mut random, &mut named);
            if random.below(4) == 0 {
                history.reorganise(&mut random);
            }
        }
    }
    println!("{named:?}");
    let names = [
        "valid",
        "DeviceNotLive",
        "SeqGap",
        "ChainBreak",
        "Overlap",
        "FutureTime",
        "TooOld",
        "Implausible",
        "Replay",
    ];
    for name in names {
        assert!(named.get(name).is_some_and(|count| *count >= 100), "{name}: {named:?}");
    }
}

#[test]
fn no_block_forgets_more_samples_than_it_may() {
    let (spec, keys) = (easy_spec(), keys());
    let mut history = history(&spec, &keys);
    let count = |history: &History<'_>| {
        let is_sample = |key: &&EntryKey| matches!(key, EntryKey::Sample(_));
        history.branch.base.entries.keys().filter(is_sample).count()
    };
    let (device, mut prev, mut seq) = (keys[0], [0; 32], 0_u32);
    for readings in [3000_u32, 0, 1500, 0] {
        history.now += 10_000;
        let now = history.now;
        history.branch.block(now, |block| {
            for i in 0..readings {
                let mut samples = [9; 32];
                samples[..4].copy_from_slice(&seq.to_le_bytes());
                let (t0, t1) = (now - readings + i, now - readings + i + 1);
                let (wear_s, active_s, steps) = (1, 0, 0);
                let (assurance, co_witness, wearer) = (Assurance::File, None, keys[3]);
                let reading = Reading {
                    device,
                    wearer,
                    seq,
                    prev,
                    t0,
                    t1,
                    wear_s,
                    active_s,
                    steps,
                    samples,
                    assurance,
                    co_witness,
                };
                let (core, judged) = block.act(keys[1], Body::Reading(reading), seq.into());
                assert_eq!(judged, Ok(()));
                (prev, seq) = (core.0, seq + 1);
            }
        });
    }
    assert_eq!(count(&history), 4500);
    // All of them are old enough at once: the oldest 4,096 leave, the rest with the next block.
    history.now += 9 * DAY;
    let mut left = Vec::new();
    for _ in 0..3 {
        history.branch.block(history.now, |_| {});
        left.push(count(&history));
    }
    assert_eq!(left, [404, 0, 0]);
    let entries = &history.branch.base.entries;
    let is_list = |key: &EntryKey| matches!(key, EntryKey::Samples(_) | EntryKey::SampleQueue);
    assert!(!entries.keys().any(is_list), "nothing is left of the lists");
    while history.branch.undo() {}
    assert_eq!(count(&history), 0);
}
