//! Difficulty that follows the hash rate, with a stepped clock.

use proofward::hash::Algorithm;
use proofward::ledger::chain::Submitted;
use proofward::ledger::spec::Spec;
use proofward::node::clock::Moment;
use proofward::node::difficulty::{Difficulty, of_target};
use proofward::node::stratum::session::{Event, Next};
use proofward::node::stratum::vardiff::{START, Vardiff};
use proofward::primitives::CompactTarget;

use crate::common::easy_spec;
use crate::world::{World, hard_spec};

/// A miner of a steady rate, as many shares as its difficulty lets it find, spread evenly.
struct Miner {
    vardiff: Vardiff,
    ms: u64,
    hashes_per_second: f64,
    shares: u64,
}

impl Miner {
    fn new(hashes_per_second: f64) -> Self {
        let start = Difficulty::new(START).unwrap();
        let now = Moment::default();
        Self { vardiff: Vardiff::new(start, now), ms: 0, hashes_per_second, shares: 0 }
    }

    fn run(&mut self, seconds: u64) {
        let end = self.ms + seconds * 1000;
        let mut due = 0.0;
        while self.ms < end {
            let mine = self.vardiff.wanted();
            due += self.hashes_per_second / 100.0 / mine.hashes();
            // Ten milliseconds at a time.
            self.ms += 10;
            let now = Moment { unix_s: self.ms / 1000, ms: self.ms };
            while due >= 1.0 {
                due -= 1.0;
                self.shares += 1;
                self.vardiff.accepted(mine, now);
            }
            self.vardiff.tick(now);
        }
    }

    /// Shares a second that it would find now.
    fn rate(&self) -> f64 {
        self.hashes_per_second / self.vardiff.wanted().hashes()
    }
}

#[test]
fn every_rate_ends_near_one_share_in_five_seconds() {
    for hashes_per_second in [2e3, 1e5, 5e6, 1e9, 1e14] {
        let mut miner = Miner::new(hashes_per_second);
        miner.run(1800);
        let rate = miner.rate();
        assert!((0.08..=0.5).contains(&rate), "{hashes_per_second} H/s: {rate} shares/s");
    }
    // The easiest is 1e-6: slower than this, and shares come seldom.
    let mut slowest = Miner::new(10.0);
    slowest.run(1800);
    assert_eq!(slowest.vardiff.wanted(), Difficulty::LEAST);
}

#[test]
fn twenty_thousand_times_the_power_is_met_within_seconds_and_so_is_its_end() {
    let mut miner = Miner::new(1e6);
    miner.run(600);
    let before = miner.vardiff.wanted();
    miner.hashes_per_second *= 20_000.0;
    miner.shares = 0;
    miner.run(3);
    assert!(miner.vardiff.wanted().value() > before.value() * 4_000.0);
    // At the old difficulty it would have been twelve thousand.
    assert!(miner.shares < 200, "{} shares", miner.shares);
    miner.hashes_per_second /= 20_000.0;
    miner.run(360);
    assert!(miner.rate() > 0.08, "{}", miner.rate());
}

/// Shares that waited for the end of an outage come all at once.
#[test]
fn a_burst_is_no_proof_of_power() {
    let mut vardiff = Vardiff::new(Difficulty::new(START).unwrap(), Moment::default());
    let at = vardiff.wanted();
    (0..1024).for_each(|_| vardiff.accepted(at, Moment { unix_s: 0, ms: 1 }));
    assert!(vardiff.wanted().value() <= START * 80.0, "{}", vardiff.wanted());
}

#[test]
fn what_a_client_asks_for_is_where_it_begins_and_a_password_is_final() {
    let now = Moment::default();
    let at = |value: f64| Difficulty::new(value).unwrap();
    let mut vardiff = Vardiff::new(at(START), now);
    vardiff.suggest(at(0.000_15), now);
    assert_eq!(vardiff.wanted(), at(0.000_15));
    // It has grown since; NerdMiner's reminder changes nothing.
    (0..16).for_each(|_| vardiff.accepted(at(0.000_15), Moment { unix_s: 1, ms: 1000 }));
    let grown = vardiff.wanted();
    assert!(grown > at(0.000_15));
    vardiff.suggest(at(0.000_15), now);
    assert_eq!(vardiff.wanted(), grown);
    vardiff.fix(at(2.0), now);
    (0..1000).for_each(|_| vardiff.accepted(at(2.0), Moment { unix_s: 2, ms: 2000 }));
    vardiff.tick(Moment { unix_s: 200, ms: 200_000 });
    vardiff.tick(Moment { unix_s: 400, ms: 400_000 });
    assert_eq!(vardiff.wanted(), at(2.0));
}

#[test]
fn shares_are_a_floor_for_a_suggestion_and_silence_is_not() {
    let at = |value: f64| Difficulty::new(value).unwrap();
    let mut vardiff = Vardiff::new(at(START), Moment::default());
    vardiff.suggest(at(1.0), Moment::default());
    vardiff.accepted(at(1.0), Moment { unix_s: 1, ms: 1 });
    vardiff.tick(Moment { unix_s: 60, ms: 60_000 });
    assert_eq!(vardiff.wanted(), at(1.0), "one share in a minute is a share");
    vardiff.tick(Moment { unix_s: 120, ms: 120_000 });
    assert_eq!(vardiff.wanted(), at(1.0 / 6.0), "none is too hard a share");
}

/// Through a connection: a flood of shares is answered with another job as soon as the clock allows one,
/// and with a difficulty just before it.
#[test]
fn a_flood_gets_another_difficulty_with_another_job() {
    let world = World::hard();
    let user = world.address(1);
    let mut line = world.connect();
    line.send(r#"{"id":5,"method":"mining.suggest_difficulty","params":[0.000001]}"#);
    line.subscribe();
    line.authorise(&user, "x");
    assert!(line.difficulty < 1.1e-6);
    world.time.pass(1000);
    for extranonce2 in 0..16 {
        assert_eq!(line.submit(&line.share(&user, extranonce2, 0)).0, None);
    }
    let current = world.desk.current().unwrap();
    assert!(line.session.wants_job(&current));
    let last = line.session.last_job();
    let job = world.desk.newer_than(last, world.time.now()).unwrap().expect("a second has passed");
    let (messages, _) = line.step(Event::Job(&job, false));
    let names: Vec<_> = messages.iter().map(|message| message["method"].as_str()).collect();
    assert_eq!(names, [Some("mining.set_difficulty"), Some("mining.notify")]);
    assert!(line.difficulty > 5e-6, "{}", line.difficulty);
    assert!(!line.session.wants_job(&job));
    // Another who asks in the same second is given the same.
    let same = world.desk.newer_than(last, world.time.now()).unwrap().unwrap();
    assert_eq!(same.number, job.number);
    assert!(world.desk.newer_than(Some(job.number), world.time.now()).unwrap().is_none());
}

/// Who asks for another job does not get one on another tip before the others.
#[test]
fn work_on_a_new_tip_is_for_everybody_and_clean() {
    let easy = CompactTarget(0x207f_ffff);
    let spec = Spec { limit: easy, start: easy, ..hard_spec(Algorithm::Sha256d) };
    let mut world = World::new(spec.check().unwrap());
    let old = world.desk.current().unwrap();
    world.mined_ahead(12);
    let mut passed = 0;
    let issue = loop {
        world.time.pass(600_000);
        passed += 600;
        assert!(passed < 12 * 3600, "the clock has come up with the chain");
        let now = world.time.now();
        assert!(world.desk.newer_than(Some(old.number), now).unwrap().is_none());
        if let Some(issue) = world.desk.tick(now).unwrap() {
            break issue;
        }
    };
    assert!(issue.is_clean);
    assert_ne!(issue.job.candidate.tip_serial, old.candidate.tip_serial);
}

/// The chain's relief (20 spacings without a block, then twice as easy at each) as a client sees it: a
/// small one that is left alone behind a great one's difficulty is given easier work until it finds a
/// block, and never a share that is harder than one.
#[test]
fn after_great_power_has_left_whoever_stays_is_given_work_that_it_can_do() {
    let spec = Spec {
        limit: CompactTarget(0x207f_ffff),
        // A million times what the test can do in its time.
        start: CompactTarget(0x1c00_ffff),
        spacing_s: 60,
        half_life_s: 4800,
        future_limit_s: 480,
        ..easy_spec()
    };
    let mut world = World::new(spec.check().unwrap());
    let user = world.address(1);
    let mut line = world.connect();
    line.subscribe();
    line.authorise(&user, "x");
    let network = |line: &crate::world::Line| {
        let bits = CompactTarget(line.work.as_ref().unwrap().bits);
        of_target(&bits.to_target().unwrap())
    };
    let mut last = network(&line);
    assert!(last > 200.0);
    // 20 spacings of patience, and 39 steps from 2^40 hashes to two.
    for _ in 0..64 {
        world.time.pass(60_000);
        assert_eq!(line.step(Event::Tick).1, Next::Go);
        // It shows that it is there, as NerdMiner does.
        line.send(r#"{"id":7,"method":"mining.ping"}"#);
        line.give(&world.renewed());
        let now = network(&line);
        assert!(now <= last, "work grew harder");
        // The parser of the test rounds.
        assert!(
            line.difficulty <= now * (1.0 + 1e-12),
            "a share of {} where a block is {now}",
            line.difficulty
        );
        last = now;
    }
    assert!(last < 1e-9, "{last}");
    let share = line.block(&user, 1);
    let (_, next) = line.step(Event::Line(share.message().as_bytes()));
    let Next::Submit(found) = next else { panic!("{next:?}") };
    let submitted = world.ledger.submit(&found.bytes, world.time.now().unix_s);
    assert!(matches!(submitted, Ok(Submitted::Tip { .. })), "{submitted:?}");
}
