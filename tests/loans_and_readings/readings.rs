//! Every named rule of readings: the smallest one that breaks exactly it, beside its nearest valid
//! neighbour; what a device earns for its wearer, and what a withdrawn model takes back.

use proofward::ledger::chain::ModelCredit;
use proofward::ledger::credit::Activity;
use proofward::ledger::mempool::Refused;
use proofward::ledger::rules::ReadingError;
use proofward::ledger::spec::CREDIT_DAY_MAX;
use proofward::ledger::state::{EntryKey, HeldWearable};
use proofward::ledger::transaction::attest::{Claim, Withdrawn};
use proofward::ledger::transaction::reading::Assurance;
use proofward::ledger::transaction::{Attest, Body, CoreId, Reading};

use crate::access::{ANCHOR, ISSUER, World};
use crate::ledger::{NOW, next_block_at};

const WATCH: u32 = 60;
const BAND: u32 = 61;
const WEARER: u32 = 62;
const MODEL: [u8; 32] = [8; 32];
const DAY: u32 = 86_400;

struct Wearing {
    world: World,
    samples: u8,
}

impl Wearing {
    /// Two devices of one model, on a chain whose time is far enough from its beginning.
    fn new() -> Self {
        let mut world = World::hospital();
        for device in [WATCH, BAND] {
            let device = world.party(device);
            world
                .claim(ISSUER, device, Claim::Device { model: MODEL, firmware: [1; 32] }, 0)
                .unwrap();
        }
        let mut wearing = Self { world, samples: 0 };
        wearing.pass(2 * DAY);
        wearing
    }

    /// Lets the median time past go on by this much.
    fn pass(&mut self, seconds: u32) {
        let until = self.now() + seconds;
        while self.now() < until {
            let payout = self.world.key(777);
            let block = next_block_at(&self.world.ledger, payout, vec![], until);
            self.world.ledger.submit(&block.encode(), NOW).unwrap();
        }
    }

    /// Median time past of the next block.
    fn now(&self) -> u32 {
        self.world.now().median_time
    }

    /// The next reading of a device: a minute that has just ended, all of it worn and in motion.
    fn reading(&mut self, device: u32) -> Reading {
        self.samples += 1;
        let device = self.world.key(device);
        let held: Option<HeldWearable> = self.world.entry(&EntryKey::Wearable(device));
        let t1 = self.now();
        Reading {
            device,
            wearer: self.world.key(WEARER),
            seq: held.map_or(0, |held| held.seq + 1),
            prev: held.map_or([0; 32], |held| held.last.0),
            t0: t1 - 60,
            t1,
            wear_s: 60,
            active_s: 60,
            steps: 240,
            samples: [self.samples; 32],
            assurance: Assurance::App,
            co_witness: None,
        }
    }

    fn read(&mut self, reading: Reading) -> Result<CoreId, &'static str> {
        self.world.act(Body::Reading(reading))
    }

    /// The next reading of the watch, changed.
    fn changed(&mut self, change: impl FnOnce(&mut Reading)) -> Result<CoreId, &'static str> {
        let mut reading = self.reading(WATCH);
        change(&mut reading);
        self.read(reading)
    }

    fn credits(&mut self) -> Vec<ModelCredit> {
        let wearer = self.world.key(WEARER);
        self.world.ledger.view().credits(wearer).unwrap()
    }

    fn earned(&mut self) -> u64 {
        let wearer = self.world.key(WEARER);
        self.world.ledger.view().hashes_earned(wearer).unwrap()
    }

    fn withdraw_model(&mut self) {
        let (by, issuer) = (self.world.party(ANCHOR), self.world.id(ISSUER));
        let model = Withdrawn::Model { issuer, model: MODEL };
        self.world.act(Body::Attest(Attest::withdrawal(by, model, [0; 32]))).unwrap();
    }
}

#[test]
fn device_not_live() {
    let mut wearing = Wearing::new();
    let stranger = wearing.world.key(63);
    assert_eq!(wearing.changed(|reading| reading.device = stranger), Err("DeviceNotLive"));
    let co_witnessed = |reading: &mut Reading, by| {
        reading.assurance = Assurance::CoWitnessed;
        reading.co_witness = Some(by);
    };
    let refused = wearing.changed(|reading| co_witnessed(reading, stranger));
    assert_eq!(refused, Err("DeviceNotLive"), "a key that anybody can make vouches for nothing");
    let band = wearing.world.key(BAND);
    assert!(wearing.changed(|reading| co_witnessed(reading, band)).is_ok());

    let claim = wearing.world.claim_of(WATCH, |claim| matches!(claim, Claim::Device { .. }));
    wearing.world.withdraw(ISSUER, claim).unwrap();
    assert_eq!(wearing.changed(|_| {}), Err("DeviceNotLive"));
    let other = wearing.reading(BAND);
    assert!(wearing.read(other).is_ok());
}

#[test]
fn seq_gap() {
    let mut wearing = Wearing::new();
    assert_eq!(wearing.changed(|reading| reading.seq = 1), Err("SeqGap"));
    assert!(wearing.changed(|_| {}).is_ok());
    wearing.pass(60);
    for seq in [0, 2, u32::MAX] {
        assert_eq!(wearing.changed(|reading| reading.seq = seq), Err("SeqGap"));
    }
    assert!(wearing.changed(|_| {}).is_ok());
}

#[test]
fn chain_break() {
    let mut wearing = Wearing::new();
    assert_eq!(wearing.changed(|reading| reading.prev = [1; 32]), Err("ChainBreak"));
    let first = wearing.changed(|_| {}).unwrap();
    wearing.pass(60);
    assert_eq!(wearing.changed(|reading| reading.prev = [0; 32]), Err("ChainBreak"));
    assert!(wearing.changed(|reading| assert_eq!(reading.prev, first.0)).is_ok());
}

#[test]
fn overlap_by_a_second() {
    let mut wearing = Wearing::new();
    wearing.changed(|_| {}).unwrap();
    let device = wearing.world.key(WATCH);
    let until = wearing.world.entry::<HeldWearable>(&EntryKey::Wearable(device)).unwrap().until;
    wearing.pass(100);
    assert_eq!(wearing.changed(|reading| reading.t0 = until - 1), Err("Overlap"));
    assert!(wearing.changed(|reading| reading.t0 = until).is_ok());
}

#[test]
fn future_time() {
    let mut wearing = Wearing::new();
    assert_eq!(wearing.changed(|reading| reading.t1 += 1), Err("FutureTime"));
    assert!(wearing.changed(|_| {}).is_ok());
}

#[test]
fn too_old() {
    let mut wearing = Wearing::new();
    wearing.pass(8 * DAY);
    let old = |more: u32| {
        move |reading: &mut Reading| {
            reading.t1 -= 7 * DAY + more;
            reading.t0 = reading.t1 - 60;
        }
    };
    assert_eq!(wearing.changed(old(1)), Err("TooOld"));
    assert!(wearing.changed(old(0)).is_ok());
}

#[test]
fn implausible() {
    let mut wearing = Wearing::new();
    let wrong: [fn(&mut Reading); 6] = [
        |reading| {
            (reading.t0, reading.wear_s, reading.active_s, reading.steps) = (reading.t1, 0, 0, 0)
        },
        |reading| reading.t0 = reading.t1 + 1,
        // 25 hours of wear in a day, and a day of more than 24 hours.
        |reading| (reading.t0, reading.wear_s) = (reading.t1 - 86_400, 90_000),
        |reading| reading.t0 = reading.t1 - 86_401,
        |reading| reading.active_s = 61,
        |reading| reading.steps = 241,
    ];
    for (i, change) in wrong.into_iter().enumerate() {
        assert_eq!(wearing.changed(change), Err("Implausible"), "{i}");
    }
    assert!(wearing.changed(|reading| reading.t0 = reading.t1 - 86_400).is_ok());
}

#[test]
fn replay_of_samples_by_whichever_device() {
    let mut wearing = Wearing::new();
    wearing.changed(|reading| reading.samples = [99; 32]).unwrap();
    let mut again = wearing.reading(BAND);
    again.samples = [99; 32];
    assert_eq!(wearing.read(again.clone()), Err("Replay"));
    again.samples = [98; 32];
    assert!(wearing.read(again).is_ok());
}

#[test]
fn two_readings_with_the_same_samples_in_one_block() {
    let mut wearing = Wearing::new();
    let readings = [WATCH, BAND].map(|device| {
        let reading = Reading { samples: [99; 32], ..wearing.reading(device) };
        wearing.world.transaction(Body::Reading(reading)).0
    });
    assert_eq!(wearing.world.mine(readings.to_vec()), Err(("Replay", 2)));
}

#[test]
fn samples_may_come_again_after_eight_days() {
    let mut wearing = Wearing::new();
    wearing.changed(|reading| reading.samples = [99; 32]).unwrap();
    let stored = wearing.now();
    wearing.pass(8 * DAY - 10);
    let again = |reading: &mut Reading| reading.samples = [99; 32];
    assert!(wearing.now() < stored + 8 * DAY);
    assert_eq!(wearing.changed(again), Err("Replay"));
    wearing.pass(20);
    assert!(wearing.changed(again).is_ok());
}

#[test]
fn a_co_witness_is_there_if_and_only_if_the_assurance_says_so() {
    let mut wearing = Wearing::new();
    let (band, watch, wearer) =
        (wearing.world.key(BAND), wearing.world.key(WATCH), wearing.world.key(WEARER));
    let wrong = [
        (Assurance::App, Some(band)),
        (Assurance::CoWitnessed, None),
        (Assurance::CoWitnessed, Some(watch)),
        (Assurance::CoWitnessed, Some(wearer)),
    ];
    for (assurance, co_witness) in wrong {
        let refused = wearing.changed(|reading| {
            (reading.assurance, reading.co_witness) = (assurance, co_witness);
        });
        assert_eq!(refused, Err("NonCanonical"));
    }
    let mut reading = wearing.reading(WATCH);
    (reading.assurance, reading.co_witness) = (Assurance::CoWitnessed, Some(band));
    assert_eq!(Body::Reading(reading.clone()).signers(), [watch, band]);
    assert!(wearing.read(reading).is_ok());
}

#[test]
fn a_reading_credits_the_wearer_by_the_formula_and_no_day_more_than_its_cap() {
    let minute = Activity { wear_s: 60, active_s: 60, steps: 240 };
    let full = 60 * 10_000 + 60 * 500 + 240 * 5_000;
    for (assurance, quarters) in Assurance::ALL.into_iter().zip(1..) {
        assert_eq!(minute.hashes(assurance), full * quarters / 4);
    }
    let shaken = Activity { steps: 1_000_000, ..minute };
    assert_eq!(shaken.hashes(Assurance::App), minute.hashes(Assurance::App));

    let mut wearing = Wearing::new();
    wearing.changed(|_| {}).unwrap();
    assert_eq!(wearing.earned(), full / 2);
    // A whole day of running is worth the cap and no more, and so is what is left of that day.
    wearing.pass(DAY + 60);
    let busy = |reading: &mut Reading| {
        reading.t0 = reading.t1 - DAY;
        (reading.wear_s, reading.active_s, reading.steps) = (DAY, DAY, 4 * DAY);
    };
    wearing.changed(busy).unwrap();
    let earned = wearing.earned();
    assert!(earned <= full / 2 + CREDIT_DAY_MAX && earned > CREDIT_DAY_MAX / 2, "{earned}");
    wearing.changed(|reading| reading.t0 = reading.t1 - 1).unwrap_err();
    let credits = wearing.credits();
    assert_eq!((credits.len(), credits[0].held.readings), (1, 2));
    assert_eq!(credits[0].model, MODEL);
}

#[test]
fn a_withdrawn_model_taints_what_its_devices_said() {
    let mut wearing = Wearing::new();
    wearing.changed(|_| {}).unwrap();
    let earned = wearing.earned();
    assert!(earned > 0);
    // Another model's credits stand beside it.
    let other = wearing.world.party(64);
    let claim = Claim::Device { model: [9; 32], firmware: [1; 32] };
    wearing.world.claim(ISSUER, other, claim, 0).unwrap();
    let reading = wearing.reading(64);
    wearing.read(reading).unwrap();
    assert_eq!(wearing.earned(), 2 * earned);

    wearing.withdraw_model();
    let height = wearing.world.next() - 1;
    let tainted: Vec<_> = wearing.credits().iter().map(|credit| credit.tainted_h).collect();
    assert_eq!(tainted, [Some(height), None]);
    assert_eq!(wearing.earned(), earned, "what it said counts for nothing");
    assert_eq!(wearing.changed(|_| {}), Err("DeviceNotLive"));
}

#[test]
fn what_comes_too_early_waits_and_what_is_wrong_goes() {
    let passing = [
        ReadingError::SeqGap { expected: Some(3), got: 5 },
        ReadingError::FutureTime { now: 1, t1: 2 },
    ];
    let gone = [
        ReadingError::SeqGap { expected: Some(3), got: 2 },
        ReadingError::SeqGap { expected: None, got: 2 },
        ReadingError::ChainBreak,
        ReadingError::Replay,
        ReadingError::TooOld { least: 2, t1: 1 },
    ];
    for (errors, is_passing) in [(&passing[..], true), (&gone[..], false)] {
        for error in errors {
            assert_eq!(Refused::Rule(error.clone().into()).is_passing(), is_passing, "{error:?}");
        }
    }
}
