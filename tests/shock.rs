//! Hash rate that comes and goes, in virtual time: the real difficulty rule over headers whose work is
//! drawn from its distribution instead of done.
//!
//! A miner of rate r finds a block against target T after an exponential time of mean work(T) / r. When
//! relief changes the target while it works, the hazard is integrated step by step.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_lossless,
    clippy::float_arithmetic,
    reason = "a simulation with floating point; no rule depends on it"
)]

use std::collections::VecDeque;

use proofward::fuzzing::forge::SplitMix64;
use proofward::ledger::chain::header::{median_time, relief_doublings, required_bits};
use proofward::ledger::chain::{Record, Status};
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::{RELIEF_AFTER_SPACINGS, Spec};
use proofward::primitives::{BlockHash, CompactTarget, Header, MerkleRoot, Work};
use rayon::prelude::*;

const SHOCK: f64 = 20_000.0;
const SHOCK_SECONDS: f64 = 3600.0;
const SEEDS: u64 = 1_000;

fn presets() -> [Spec; 3] {
    let anchor = PubKey::of_seed(&[1; 32]);
    [Spec::local(1_793_491_200, anchor).unwrap(), Spec::test(), Spec::main()]
}

/// Reproducible draws.
struct Draws(SplitMix64);

impl Draws {
    fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }
}

fn expected_hashes(bits: CompactTarget) -> f64 {
    let target = bits.to_target().unwrap();
    // 2^256 / (target + 1), good to 53 bits.
    let shift = target.0.bit_len().saturating_sub(64);
    let top = (target.0 >> shift).to::<u64>() as f64;
    (256.0 - shift as f64).exp2() / (top + (-(shift as f64)).exp2())
}

/// How a miner stamps its blocks.
#[derive(Clone, Copy, PartialEq)]
enum Stamp {
    /// The clock.
    Honest,
    /// As late as others accept.
    Latest,
    /// As early as they accept.
    Earliest,
}

/// The tip of a chain and the clock.
#[derive(Clone)]
struct World<'a> {
    spec: &'a Spec,
    tip: Record,
    times: VecDeque<u32>,
    now: f64,
}

impl<'a> World<'a> {
    fn new(spec: &'a Spec) -> Self {
        let header = Header {
            version: 0x2000_0000,
            prev_block: BlockHash::ZERO,
            merkle_root: MerkleRoot([0; 32]),
            time: spec.genesis_time,
            bits: spec.start,
            nonce: 0,
        };
        let tip = Record {
            header,
            height: 0,
            work: Work::ZERO,
            latest_time: spec.genesis_time,
            arrival: 0,
            status: Status::Valid,
        };
        let times = VecDeque::from([spec.genesis_time]);
        Self { spec, tip, times, now: f64::from(spec.genesis_time) }
    }

    /// The hash rate for which the starting target is right.
    fn usual_rate(&self) -> f64 {
        expected_hashes(self.spec.start) / f64::from(self.spec.spacing_s)
    }

    fn median(&self) -> u32 {
        median_time(&mut self.times.iter().copied().collect::<Vec<_>>())
    }

    fn stamp(&self, how: Stamp, now: f64, median: u32) -> u32 {
        let time = match how {
            Stamp::Honest => now as u32,
            Stamp::Latest => now as u32 + self.spec.future_limit_s,
            Stamp::Earliest => 0,
        };
        time.max(median + 1)
    }

    /// Searches at `rate` until a block is found, or until `until`. True if one was found.
    fn search(&mut self, draws: &mut Draws, rate: f64, how: Stamp, until: f64) -> bool {
        let spacing = f64::from(self.spec.spacing_s);
        let median = self.median();
        let mut hazard = draws.exponential();
        loop {
            let time = self.stamp(how, self.now, median);
            let bits = required_bits(self.spec, &self.tip, time);
            let seconds = hazard * expected_hashes(bits) / rate;
            // When the target doubles next, and the job is renewed.
            let doublings = relief_doublings(self.spec, self.tip.latest_time, time);
            let next = f64::from(self.tip.latest_time)
                + f64::from(RELIEF_AFTER_SPACINGS + doublings + 1) * spacing;
            let renewal = next - (f64::from(time) - self.now.floor());
            let end = if how == Stamp::Earliest { until } else { until.min(renewal) };
            if self.now + seconds < end {
                self.now += seconds;
                self.append(how, median);
                return true;
            }
            hazard -= (end - self.now) / expected_hashes(bits) * rate;
            self.now = end;
            if end >= until {
                return false;
            }
        }
    }

    fn append(&mut self, how: Stamp, median: u32) {
        let time = self.stamp(how, self.now, median);
        let bits = required_bits(self.spec, &self.tip, time);
        self.tip.header.time = time;
        self.tip.header.bits = bits;
        self.tip.height += 1;
        self.tip.latest_time = self.tip.latest_time.max(time);
        self.times.push_back(time);
        if self.times.len() > 11 {
            self.times.pop_front();
        }
    }

    /// Mean time to a block at the usual rate if nothing is relieved, in spacings.
    fn pace(&self) -> f64 {
        let bits = required_bits(self.spec, &self.tip, self.tip.header.time);
        expected_hashes(bits) / self.usual_rate() / f64::from(self.spec.spacing_s)
    }
}

struct Aftermath {
    /// Spacings until the first block after the power had left.
    first: f64,
    /// Spacings until a block takes less than two spacings without relief.
    settled: f64,
}

fn shock(spec: &Spec, seed: u64, how: Stamp) -> Aftermath {
    let mut draws = Draws(SplitMix64::new(seed));
    let mut world = World::new(spec);
    let rate = world.usual_rate();
    // Some life before.
    while world.tip.height < 50 {
        world.search(&mut draws, rate, Stamp::Honest, f64::INFINITY);
    }
    let leaves = world.now + SHOCK_SECONDS;
    while world.search(&mut draws, rate * SHOCK, how, leaves) {}
    let spacings = |now: f64| (now - leaves) / f64::from(spec.spacing_s);
    world.search(&mut draws, rate, Stamp::Honest, f64::INFINITY);
    let first = spacings(world.now);
    while world.pace() > 2.0 {
        world.search(&mut draws, rate, Stamp::Honest, f64::INFINITY);
    }
    Aftermath { first, settled: spacings(world.now) }
}

#[test]
fn an_hour_of_20000_times_the_power_does_not_stop_the_chain() {
    for spec in presets() {
        // The schedule is some 14.3 half-lives ahead when the power leaves, and only waiting takes
        // that back: 2,200 spacings of `main`, in half-lives the same on every chain.
        let half_life = f64::from(spec.half_life_s) / f64::from(spec.spacing_s);
        let bound = 2_200.0 / 120.0 * half_life;
        for how in [Stamp::Honest, Stamp::Latest] {
            let mut runs: Vec<_> =
                (0..SEEDS).into_par_iter().map(|seed| shock(&spec, seed, how)).collect();
            let rank = SEEDS as usize * 99 / 100;
            runs.sort_by(|a, b| a.first.total_cmp(&b.first));
            let first = runs[rank].first;
            runs.sort_by(|a, b| a.settled.total_cmp(&b.settled));
            let settled = runs[rank].settled;
            println!(
                "{}, stamps {}: next block within {first:.1} spacings, usual pace within \
                 {settled:.0} of {bound:.0} (99th percentile of {SEEDS})",
                spec.name,
                if how == Stamp::Honest { "honest" } else { "pushed" },
            );
            assert!(first <= 48.0, "{}: {first}", spec.name);
            assert!(settled <= bound, "{}: {settled}", spec.name);
        }
    }
}

/// What a share of the power earns by its stamps, relative to honest ones: blocks for each hash done.
fn gain(spec: &Spec, share: f64, how: Stamp, blocks: u32) -> f64 {
    let blocks_a_hash = |how: Stamp| {
        let mut draws = Draws(SplitMix64::new(7));
        let mut world = World::new(spec);
        let rate = world.usual_rate();
        while world.tip.height < blocks {
            // Both search against one target, relief aside, so whose block is next hangs on the share
            // alone, and a miner gains only by making blocks cheaper.
            let how = if draws.unit() < share { how } else { Stamp::Honest };
            world.search(&mut draws, rate, how, f64::INFINITY);
        }
        f64::from(blocks) / (rate * (world.now - f64::from(spec.genesis_time)))
    };
    blocks_a_hash(how) / blocks_a_hash(Stamp::Honest) - 1.0
}

#[test]
fn pushed_stamps_gain_less_than_one_percent() {
    for spec in presets() {
        for how in [Stamp::Latest, Stamp::Earliest] {
            for share in [0.1, 0.33, 0.49, 0.9] {
                let gain = gain(&spec, share, how, 20_000);
                println!(
                    "{}, {:.0} % of the power, stamps {}: {:+.3} %",
                    spec.name,
                    share * 100.0,
                    if how == Stamp::Latest { "late" } else { "early" },
                    gain * 100.0
                );
                assert!(gain < 0.01, "{}", spec.name);
                // Most of the power may harm itself; less of it harms nobody.
                assert!(share > 0.5 || gain > -0.01, "{}", spec.name);
            }
        }
    }
}
