//! The predicate and the search for who can open a record, against a naive twin on random worlds.

use proofward::fuzzing::forge::worlds::{Maker, NOW};
use proofward::fuzzing::naive::access;
use proofward::ledger::policy::{allow, findings, who_can_open};

const WORLDS: u64 = 10_000;

#[test]
fn allow_equals_the_twin_on_10000_random_worlds() {
    let mut seen = [0_u32; 10];
    for seed in 0..WORLDS {
        let mut maker = Maker::new(seed);
        let world = maker.world(5);
        let (asked, leaf, at) = maker.question(&world);
        let verdict = allow(&world, &asked, &leaf, at).unwrap();
        let clause = verdict.reason().map(|reason| reason.clause().number());
        let expected = access::first_failed_clause(&world, &asked, &leaf, at);
        assert_eq!(clause, expected, "seed {seed}: {verdict:?}\n{world:#?}\n{asked:#?}\n{leaf:#?}");
        let first = findings(&world, &asked, &leaf, at).unwrap().into_iter().flatten().next();
        assert_eq!(first, verdict.reason(), "seed {seed}: the first finding is the verdict");
        seen[usize::from(clause.unwrap_or(0))] += 1;
    }
    println!("allowed, then denied by clause 1 to 9: {seen:?}");
    assert!(seen.iter().all(|count| *count >= 50), "a verdict that never comes: {seen:?}");
}

#[test]
fn who_can_open_equals_the_twin_on_10000_random_worlds() {
    let (mut none, mut one, mut several) = (0, 0, 0);
    for seed in 0..WORLDS {
        let mut maker = Maker::new(seed ^ 0x5eed_0000);
        let world = maker.world(4);
        let within = u32::try_from(seed % 4).unwrap();
        let found = who_can_open(&world, NOW, within).unwrap();
        let sets: Vec<_> = found.ways.iter().map(|way| way.keys.clone()).collect();
        let expected = access::who_can_open(&world, NOW, within);
        assert_eq!(sets, expected, "seed {seed}, within {within}\n{world:#?}");
        let in_all = |key| expected.iter().all(|set| set.contains(key));
        let points: Vec<_> = expected.iter().flatten().filter(|key| in_all(*key)).collect();
        assert!(points.iter().all(|key| found.single_points.contains(key)), "seed {seed}");
        assert!(found.single_points.iter().all(|key| points.contains(&key)), "seed {seed}");
        match sets.len() {
            0 => none += 1,
            1 => one += 1,
            _ => several += 1,
        }
    }
    println!("no set {none}, one {one}, several {several}");
    assert!(none >= 500 && one >= 500 && several >= 500);
}
