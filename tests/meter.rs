//! The arithmetic of batches, duty cycles and rates, with time as an argument; and that tuning ranks
//! what is available.

use std::time::Duration;

use proofward::engine::meter::{CpuLimit, Duty, Pace, per_second};
use proofward::engine::tune;
use proofward::hash::Algorithm;
use proofward::kernel::Kernel;

/// Runs batches on a machine of a given rate and returns the last batch's length.
fn settle(pace: &mut Pace, nonces_per_ms: u64, batches: usize) -> Duration {
    let mut elapsed = Duration::ZERO;
    for _ in 0..batches {
        let nonces = pace.nonces();
        elapsed = Duration::from_nanos(nonces * 1_000_000 / nonces_per_ms);
        pace.learn(nonces, elapsed);
    }
    elapsed
}

#[test]
fn batches_grow_to_what_half_a_millisecond_allows() {
    for nonces_per_ms in [800, 32_000, 140_000, 2_000_000] {
        let mut pace = Pace::new();
        let elapsed = settle(&mut pace, nonces_per_ms, 40);
        assert!(elapsed <= Pace::BATCH_MAX, "{nonces_per_ms} a ms: {elapsed:?}");
        assert!(elapsed >= Pace::BATCH_MAX * 3 / 5, "{nonces_per_ms} a ms: {elapsed:?}");
        assert_eq!(pace.nonces() % 64, 0, "whole vectors");
    }
}

#[test]
fn batches_follow_a_slower_clock_within_a_few() {
    let mut pace = Pace::new();
    settle(&mut pace, 40_000, 40);
    assert!(settle(&mut pace, 20_000, 10) <= Pace::BATCH_MAX);
}

#[test]
fn one_interruption_hardly_moves_the_batch() {
    let mut pace = Pace::new();
    settle(&mut pace, 40_000, 40);
    let before = pace.nonces();
    pace.learn(before, Duration::from_millis(50));
    assert!(pace.nonces() >= before * 7 / 8 - 64 && pace.nonces() < before);
    let now = pace.nonces();
    pace.learn(now / 2 - 1, Duration::from_millis(50));
    assert_eq!(pace.nonces(), now, "a fragment says nothing");
}

#[test]
fn batches_have_limits() {
    let mut pace = Pace::new();
    for _ in 0..100 {
        pace.learn(pace.nonces(), Duration::ZERO);
    }
    assert_eq!(pace.nonces(), 1 << 20);
    for _ in 0..200 {
        pace.learn(pace.nonces(), Duration::from_secs(u64::MAX));
    }
    assert_eq!(pace.nonces(), 64);
}

#[test]
fn a_duty_cycle_rests_what_it_owes() {
    for percent in [1, 30, 50, 99, 100] {
        let mut duty = Duty::new(CpuLimit::from_percent(percent).unwrap());
        let (mut busy, mut rest) = (Duration::ZERO, Duration::ZERO);
        while busy < Duration::from_secs(5) {
            busy += Duration::from_micros(400);
            duty.worked(Duration::from_micros(400));
            if let Some(due) = duty.due() {
                assert!(due >= Duty::REST_MIN);
                // Sleeps end late.
                let slept = due + Duration::from_micros(60);
                rest += slept;
                duty.rested(slept);
            }
        }
        let per_mille = busy.as_micros() * 1000 / (busy + rest).as_micros();
        let expected = u128::from(percent) * 10;
        assert!(per_mille.abs_diff(expected) <= 1, "{percent} %: {per_mille} in a thousand");
    }
}

#[test]
fn a_wake_pays_for_the_rest_that_was_had() {
    let mut duty = Duty::new(CpuLimit::from_percent(50).unwrap());
    duty.worked(Duration::from_millis(10));
    assert_eq!(duty.due(), Some(Duration::from_millis(10)));
    duty.rested(Duration::from_millis(4));
    assert_eq!(duty.due(), Some(Duration::from_millis(6)));
}

#[test]
fn a_long_sleep_buys_little() {
    let mut duty = Duty::new(CpuLimit::from_percent(10).unwrap());
    duty.rested(Duration::from_secs(3600));
    duty.worked(Duration::from_millis(10));
    assert_eq!(duty.due(), Some(Duration::from_millis(90) - Duty::CREDIT_MAX));
}

#[test]
fn a_limit_is_a_whole_percentage() {
    assert_eq!("30%".parse::<CpuLimit>().unwrap().percent(), 30);
    assert_eq!("100".parse::<CpuLimit>().unwrap(), CpuLimit::NONE);
    for bad in ["", "%", "0", "0%", "101%", "256", "-1", "+5", "30%%", " 30%", "3.5%", "thirty"] {
        let error = bad.parse::<CpuLimit>().unwrap_err().to_string();
        assert_eq!(error, format!("expected a whole percentage from 1% to 100%, got {bad:?}"));
    }
}

#[test]
fn a_rate_needs_time() {
    assert!(per_second(5, Duration::ZERO).abs() < f64::EPSILON);
    assert!((per_second(3, Duration::from_millis(1500)) - 2.0).abs() < 1e-9);
}

#[test]
fn tuning_ranks_every_available_kernel() {
    for algorithm in Algorithm::ALL {
        let ranked = tune::rank(algorithm);
        assert_eq!(ranked.len(), Kernel::available(algorithm).count());
        for kernel in Kernel::available(algorithm) {
            assert!(ranked.iter().any(|ranked| ranked.kernel == kernel), "{kernel:?}");
        }
        assert!(ranked.windows(2).all(|p| p[0].hashes_per_second >= p[1].hashes_per_second));
        assert!(ranked.iter().all(|ranked| ranked.hashes_per_second > 0.0));
        assert!(Kernel::available(algorithm).any(|kernel| tune::fastest(algorithm) == Ok(kernel)));
    }
}
