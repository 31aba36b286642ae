//! Measuring: plans, medians, the clock, port limits, and workloads that do what they say.
#![expect(clippy::float_arithmetic, clippy::float_cmp, reason = "rates")]

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use proofward::consensus::difficulty::Difficulty;
use proofward::engine::measure::clock::{core_clock_hz, waited_for_core};
use proofward::engine::measure::{
    Configuration, HeaderRun, Merkle, Microarchitecture, Operations, PlainMerkle, PlainSearch,
    Plan, Ports, Samples, Search, Units, Verify, Window, Workload, fastest_clock_hz, measure,
};
use proofward::engine::nodes::NodeKernel;
use proofward::engine::proof::{Collector, Terms};
use proofward::engine::verify::{Verdict, Verifier};
use proofward::hash::{Algorithm, hash_header};
use proofward::kernel::Kernel;
use proofward::primitives::Header;

#[test]
fn a_plan_splits_the_time_into_odd_rounds_of_bounded_windows() {
    let ms = Duration::from_millis;
    for (total, configurations, window, rounds) in [
        (ms(1100), 10, ms(10), 11),
        (ms(2000), 40, Duration::from_nanos(4_545_454), 11),
        (ms(0), 10, ms(1), 3),
        (ms(50), 10, ms(1), 5),
        (ms(10_000), 1, ms(100), 99),
        (Duration::from_secs(86_400), 1, ms(100), 863_999),
        (ms(11), 0, ms(1), 11),
    ] {
        let plan = Plan::split(total, configurations);
        assert_eq!(plan, Plan { window, rounds }, "{total:?} for {configurations}");
    }
}

fn samples(rates: &[f64], clock_hz: f64) -> Samples {
    let window = |rate: &f64| Window {
        units_per_second: *rate,
        cycles_per_unit: clock_hz / *rate,
        clock_hz,
        waited_share: 0.0,
    };
    Samples { windows: rates.iter().map(window).collect(), wall: Duration::ZERO }
}

#[test]
fn medians_and_ratios_are_taken_round_by_round() {
    let ours = samples(&[10.0, 40.0, 20.0, 30.0, 1000.0], 3e9);
    assert_eq!(ours.units_per_second(), 30.0);
    assert_eq!(ours.cycles_per_unit(), 1e8);
    assert_eq!(ours.spread(), 20.0 / 30.0, "from 20 to 40 around 30");
    // Both drift by a hundred; their ratio does not.
    let drifting = samples(&[1.0, 10.0, 100.0], 3e9);
    let twice = samples(&[2.0, 20.0, 200.0], 3e9);
    assert_eq!(twice.ratio_to(&drifting), 2.0);
    // An even number of windows: between the two in the middle.
    assert_eq!(samples(&[1.0, 2.0, 3.0, 4.0], 3e9).units_per_second(), 2.5);
}

#[test]
fn windows_at_a_slower_clock_are_throttled() {
    let fast = samples(&[1.0; 3], 3.0e9);
    let mut mixed = samples(&[1.0; 4], 2.9e9);
    mixed.windows[2].clock_hz = 2.8e9;
    let fastest = fastest_clock_hz(&[mixed.clone(), fast.clone()]);
    assert_eq!(fastest, 3.0e9);
    assert_eq!((fast.throttled_windows(fastest), mixed.throttled_windows(fastest)), (0, 1));
}

#[test]
fn disturbed_windows_do_not_count_where_enough_others_are_left() {
    let mut ours = samples(&[10.0, 1.0, 11.0, 2.0, 12.0], 3e9);
    let plain = samples(&[5.0; 5], 3e9);
    ours.windows[1].waited_share = 0.9;
    ours.windows[3].waited_share = 0.8;
    assert_eq!(ours.disturbed_windows(), 2);
    assert_eq!((ours.units_per_second(), ours.ratio_to(&plain)), (11.0, 11.0 / 5.0));
    ours.windows[0].waited_share = 0.5;
    assert_eq!((ours.units_per_second(), ours.ratio_to(&plain)), (10.0, 10.0 / 5.0), "all of them");
}

#[test]
fn threads_that_share_a_core_are_seen() {
    if waited_for_core().is_none() {
        println!("skipped: this system does not say how long a thread waited for a core");
        return;
    }
    let counting = Counting::default();
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let configurations = [Configuration { workload: &counting, threads: 4 * cores }];
    let plan = Plan { window: Duration::from_millis(20), rounds: 3 };
    let samples = &measure(&configurations, plan, &mut || ()).expect("a few threads")[0];
    assert!(samples.disturbed_windows() > 0, "{samples:?}");
}

#[test]
fn the_clock_is_that_of_a_processor() {
    // Of several, because a busy machine may interrupt every chain of one.
    let clock = (0..20).map(|_| core_clock_hz()).fold(0.0, f64::max);
    assert!((0.3e9..8e9).contains(&clock), "{clock}");
}

/// Counts its units and the threads at work on them.
#[derive(Default)]
struct Counting {
    units: AtomicU64,
    prepared: AtomicUsize,
}

impl Workload for Counting {
    fn units(&self) -> Units<'_> {
        self.prepared.fetch_add(1, Ordering::Relaxed);
        Box::new(|amount| {
            for _ in 0..amount {
                self.units.fetch_add(1, Ordering::Relaxed);
            }
            amount
        })
    }
}

#[test]
fn every_configuration_gets_its_windows_on_its_threads() {
    let (one, three) = (Counting::default(), Counting::default());
    let configurations = [
        Configuration { workload: &one, threads: 1 },
        Configuration { workload: &three, threads: 3 },
    ];
    let plan = Plan { window: Duration::from_millis(1), rounds: 5 };
    let mut windows = 0;
    let samples = measure(&configurations, plan, &mut || windows += 1).expect("three threads");
    assert_eq!(windows, 2 * (5 + 1), "and a round to warm up");
    // Once to calibrate, then once a window and thread.
    assert_eq!(one.prepared.load(Ordering::Relaxed), 1 + 6);
    assert_eq!(three.prepared.load(Ordering::Relaxed), 1 + 3 * 6);
    for samples in samples {
        assert_eq!(samples.windows.len(), 5);
        assert!(samples.wall >= 5 * plan.window);
        for window in samples.windows {
            assert!(window.units_per_second > 0.0 && window.units_per_second.is_finite());
            assert!(window.cycles_per_unit > 0.0 && window.clock_hz > 0.0);
        }
    }
}

#[test]
fn known_cores_have_the_limits_of_their_ports() {
    let core = |vendor, family, model| {
        Microarchitecture::identify(vendor, family, model).map(|core| core.name)
    };
    assert_eq!(core("AuthenticAMD", 0x19, 0x11), Some("Zen 4"), "Genoa");
    assert_eq!(core("AuthenticAMD", 0x19, 0x61), Some("Zen 4"), "Raphael");
    assert_eq!(core("AuthenticAMD", 0x19, 0x21), None, "Zen 3 has no 512-bit operations");
    assert_eq!(core("AuthenticAMD", 0x1a, 0x44), Some("Zen 5"), "Granite Ridge");
    assert_eq!(core("AuthenticAMD", 0x1a, 0x24), None, "Strix Point");
    assert_eq!(core("GenuineIntel", 0x06, 0x55), Some("Skylake-X"));
    assert_eq!(core("GenuineIntel", 0x06, 0x6a), Some("Ice Lake"));
    assert_eq!(core("GenuineIntel", 0x06, 0x8f), Some("Golden Cove"));
    assert_eq!(core("AuthenticAMD", 0x06, 0x8f), None);
    let zen4 = Microarchitecture::identify("AuthenticAMD", 0x19, 0x11).expect("known").ports_512;
    let cycles_a_nonce = |algorithm| Operations::of(algorithm, true).map(|o| o.cycles(zen4) / 16.0);
    let sha256d = cycles_a_nonce(Algorithm::Sha256d).expect("counted");
    assert!((88.9..89.2).contains(&sha256d), "39 MH/s at 3.5 GHz: {sha256d}");
    let blake3 = cycles_a_nonce(Algorithm::Blake3).expect("counted");
    assert!((19.3..19.8).contains(&blake3), "178 MH/s at 3.5 GHz: {blake3}");
    // Where shifts are the narrow place, they are the limit.
    let shifting = Operations { simple: 1, shifts: 10 };
    assert_eq!(shifting.cycles(Ports { all_per_cycle: 2, shifts_per_cycle: 1 }), 10.0);
}

#[test]
fn workloads_do_the_units_they_report() {
    let terms = |algorithm| Terms {
        algorithm,
        seed: [1; 32],
        challenge: String::new(),
        machine: String::new(),
        kernels: String::new(),
        threads: String::new(),
    };
    for algorithm in Algorithm::ALL {
        for kernel in Kernel::available(algorithm) {
            let collector = Collector::new(terms(algorithm));
            let search = Search { kernel, collector: &collector };
            let mut units = search.units();
            let done: u64 = [1, 1000, 0, 17].into_iter().map(&mut units).sum();
            assert_eq!(done, 1 + 1000 + 1 + 17, "at least one");
        }
        assert_eq!(PlainSearch(algorithm).units()(10), 10);
    }
    for kernel in NodeKernel::available() {
        assert_eq!(Merkle(kernel).units()(257), 512, "whole pieces");
    }
    assert_eq!(PlainMerkle.units()(1), 256);
}

#[test]
fn the_generated_run_is_valid_by_all_rules_over_several_epochs() {
    let run = HeaderRun::generate(3 * 2016 + 5);
    let kernel = Kernel::available(Algorithm::Sha256d).next().expect("the portable row");
    let verifier = Verifier::new(kernel, NonZeroUsize::MIN).expect("one thread");
    let Ok(Verdict::Valid(report)) = verifier.verify(&run.run(), run.headers()) else {
        panic!("the run is not valid");
    };
    assert_eq!(report.count, 3 * 2016 + 5);
    assert!(report.not_judged.is_empty(), "{:?}", report.not_judged);
    assert!(matches!(run.spec().difficulty, Difficulty::Epochs(_)) && run.spec().median_time);
    let distinct: HashSet<_> =
        run.headers().iter().map(|header| hash_header(Algorithm::Sha256d, header)).collect();
    assert_eq!(distinct.len(), run.headers().len());
    // It is judged: one changed header is noticed.
    let mut headers = run.headers().to_vec();
    let mut changed = Header::decode(&headers[4000]);
    changed.time -= 6 * 600;
    headers[4000] = changed.encode();
    let verdict = verifier.verify(&run.run(), &headers);
    assert!(matches!(verdict, Ok(Verdict::Invalid(failure)) if failure.height == 4000));
    let two = NonZeroUsize::new(2).expect("not zero");
    let verify = Verify::new(kernel, two, &run, Verify::HEADERS_PER_THREAD).expect("two threads");
    assert_eq!(verify.threads_inside(), two);
    assert_eq!(verify.units()(1), 3 * 2016 + 5, "all there are, when there are few");
}
