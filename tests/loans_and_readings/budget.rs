//! Hashes that were earned: in a file, in a node, and in the engine that spends them.

use std::num::NonZeroUsize;
use std::thread;

use proofward::engine::{Engine, Options, Template, Work};
use proofward::hash::Algorithm;
use proofward::kernel::Kernel;
use proofward::ledger::credit::{Activity, BUCKET_HASHES_MAX, Bucket, DAY_S};
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::CREDIT_DAY_MAX;
use proofward::ledger::transaction::reading::Assurance;
use proofward::node::budget::{BudgetError, HashBudget};
use proofward::primitives::Target;

use crate::ledger::Key;

const MINUTE: Activity = Activity { wear_s: 60, active_s: 60, steps: 120 };
const T0: u32 = 1_700_000_000 / DAY_S * DAY_S;

fn device() -> PubKey {
    Key::new(60).public()
}

/// Adds a stretch of activity with samples of this number.
fn credit(
    budget: &mut HashBudget,
    span: (u32, u32),
    activity: Activity,
    samples: u8,
) -> Result<u64, BudgetError> {
    budget.credit(device(), span, activity, Assurance::File, [samples; 32])
}

#[test]
fn a_file_keeps_what_was_earned_and_spent() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("walks.json");
    let mut budget = HashBudget::open(&path).unwrap();
    let worth = MINUTE.hashes(Assurance::File);
    assert_eq!(worth, (60 * 10_000 + 60 * 500 + 120 * 5_000) / 4);
    assert_eq!(credit(&mut budget, (T0, T0 + 60), MINUTE, 1), Ok(worth));
    assert_eq!(budget.take(100), Ok(100));
    assert_eq!(
        HashBudget::open(&path).unwrap_err(),
        BudgetError::Locked(path.display().to_string())
    );
    drop(budget);
    // Killed or not: what was taken is gone from the file.
    let mut budget = HashBudget::open(&path).unwrap();
    assert_eq!(
        (budget.account().earned(), budget.account().spent(), budget.account().left()),
        (worth, 100, worth - 100)
    );
    budget.put_back(30).unwrap();
    assert_eq!(budget.take(u64::MAX), Ok(worth - 70));
    assert_eq!(budget.take(1), Ok(0));
    assert_eq!(
        (budget.account().spent(), budget.account().left(), budget.account().earnings().len()),
        (worth, 0, 1)
    );
}

#[test]
fn the_same_samples_and_the_same_time_earn_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut budget = HashBudget::open(&dir.path().join("b")).unwrap();
    credit(&mut budget, (T0, T0 + 60), MINUTE, 1).unwrap();
    assert_eq!(credit(&mut budget, (T0 + 60, T0 + 120), MINUTE, 1), Err(BudgetError::Replay));
    let overlap = BudgetError::Overlap { until: T0 + 60, t0: T0 + 59 };
    assert_eq!(credit(&mut budget, (T0 + 59, T0 + 120), MINUTE, 2), Err(overlap));
    assert_eq!(budget.account().earnings().len(), 1);
    credit(&mut budget, (T0 + 60, T0 + 120), MINUTE, 2).unwrap();
    let other = Key::new(61).public();
    let span = (T0, T0 + 60);
    assert!(budget.credit(other, span, MINUTE, Assurance::File, [3; 32]).is_ok());
}

#[test]
fn a_day_and_the_bucket_have_an_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut budget = HashBudget::open(&dir.path().join("b")).unwrap();
    let half = Activity { wear_s: DAY_S / 2, active_s: DAY_S / 2, steps: 2 * DAY_S };
    assert!(half.hashes(Assurance::File) > CREDIT_DAY_MAX);
    let mut earned = 0;
    for day in 0..7_u8 {
        let t0 = T0 + u32::from(day) * DAY_S;
        let first = credit(&mut budget, (t0, t0 + DAY_S / 2), half, 2 * day).unwrap();
        assert_eq!(first, CREDIT_DAY_MAX.min(BUCKET_HASHES_MAX - earned));
        let span = (t0 + DAY_S / 2, t0 + DAY_S);
        assert_eq!(credit(&mut budget, span, half, 2 * day + 1), Ok(0), "the day is used up");
        earned += first;
    }
    assert_eq!((earned, budget.account().left()), (BUCKET_HASHES_MAX, BUCKET_HASHES_MAX));
}

#[test]
fn a_file_that_is_no_budget_is_refused_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("b");
    let rich = r#"{"format":1,"left":5,"earned":4,"spent":0,"earnings":[]}"#;
    let other = r#"{"format":2,"left":0,"earned":0,"spent":0,"earnings":[]}"#;
    let wrap = r#"{"format":1,"left":0,"earned":4,"spent":5,"earnings":[]}"#;
    for text in ["", "{}", "[1]", rich, other, wrap] {
        std::fs::write(&path, text).unwrap();
        let error = HashBudget::open(&path).unwrap_err();
        assert_eq!(error.name(), "NotABudget", "{text}: {error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn a_bucket_overflows_and_gives_all_or_nothing() {
    let mut bucket = Bucket::default();
    assert_eq!((bucket.fill(u64::MAX), bucket.fill(1)), (BUCKET_HASHES_MAX, 0));
    assert!(bucket.drain(BUCKET_HASHES_MAX) && !bucket.drain(1) && bucket.drain(0));
}

#[test]
fn an_engine_does_not_one_hash_more_than_it_may() {
    let portable = |kernel: &Kernel| kernel.isa() == "portable";
    let kernel = Kernel::available(Algorithm::Sha256d).find(portable).unwrap();
    for threads in [1, 3] {
        let options = Options::threads(NonZeroUsize::new(threads).unwrap());
        let engine = Engine::new(kernel, options).unwrap();
        engine.set_hashes_max(0);
        let template = std::iter::once(Template::new(&[7; 80]));
        engine.publish(Work::new(template, Target::from_le_bytes([0; 32])));
        for most in [0, 1, 1_000, 1_000, 77_777] {
            engine.set_hashes_max(most);
            while engine.counters().hashes < most {
                thread::yield_now();
            }
            while !engine.is_idle() {
                thread::yield_now();
            }
            assert_eq!(engine.counters().hashes, most, "{threads} threads");
        }
    }
}
