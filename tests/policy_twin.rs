//! The predicate and the search for who can open a record, against a naive twin on random worlds.
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use proofward::fuzzing::forge::worlds::{Maker, NOW};
use proofward::fuzzing::naive::access;
use proofward::ledger::policy::{
    AccessRead, Approval, Asked, Heard, Led, Moment, Openers, Reason, Risk, Together, Way, World,
    allow, completion, findings, refusal, who_can_open,
};
use proofward::ledger::transaction::CoreId;

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
        for way in &found.ways {
            assert_eq!(opened_by(&world, way), Ok(()), "seed {seed}: {way:?}");
        }
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

/// The transactions of a way, one after another: the request, one approval by everybody, the opening.
fn opened_by(world: &World, way: &Way) -> Result<(), Option<Reason>> {
    let moment = |height: u32| {
        let ahead = (height - NOW.height) * world.spacing_s();
        Moment { height, median_time: NOW.median_time + ahead }
    };
    let branch = &world.branches[way.branch];
    let leaf = &branch.leaf;
    let [asked_at, approved_at, open_at] = [way.request_h, way.approve_h, way.open_h].map(moment);
    let heard = way.beacon.map(|beacon| Heard {
        beacon,
        round: [7; 32],
        is_signer: true,
        anchor_h: Some(asked_at.height - 1),
    });
    let guardians = &world.guardians[usize::from(leaf.set)];
    let approvals = way.approvers.iter().map(|(key, role)| Approval {
        key: *key,
        person: world.holding_at(key, role, approved_at.height).unwrap().person,
        role: *role,
        guardian: guardians.iter().position(|g| g == key).map(|i| u8::try_from(i).unwrap()),
        round: (leaf.together == Together::OneRound).then_some([7; 32]),
        after_h: Some(approved_at.height - 1),
        core: CoreId([1; 32]),
    });
    let person = world.holding_at(&way.reader, &way.role, asked_at.height).map(|h| h.person);
    let mut asked = Asked {
        rid: world.rid,
        seq: branch.seq,
        leaf: leaf.hash(),
        root: world.standing_at(asked_at.height).map(|standing| standing.root),
        purpose: leaf.purposes.iter().next().unwrap(),
        reader: way.reader,
        person,
        role: Some(Led { value: way.role, root: Some(leaf.readers) }),
        place: Some(Led { value: way.place, root: Some(leaf.places) }),
        heard,
        after_h: Some(asked_at.height - 1),
        at: asked_at,
        approvals: Vec::new(),
        denied: 0,
        completed: None,
        vetoed: false,
    };
    match refusal(world, &asked, leaf, asked_at).unwrap() {
        None => {}
        refused => return Err(refused),
    }
    asked.approvals = approvals.collect();
    asked.approvals = completion(world, &asked, leaf, approved_at).unwrap().map_err(Some)?;
    asked.completed = Some(approved_at);
    match allow(world, &asked, leaf, open_at).unwrap().reason() {
        None => Ok(()),
        denied => Err(denied),
    }
}

/// What can lock everybody out is named: nobody at all, guardians without a role, an end in sight.
#[test]
fn risks_are_named() {
    let find = |wanted: &dyn Fn(&World, &Openers) -> bool| {
        (0..20_000_u64).map(|seed| Maker::new(seed).world(4)).any(|world| {
            let found = who_can_open(&world, NOW, 3).unwrap();
            wanted(&world, &found)
        })
    };
    assert!(find(&|_, found| found.ways.is_empty() && found.risks.contains(&Risk::LockedOut)));
    assert!(find(&|_, found| !found.ways.is_empty() && found.risks.is_empty()));
    assert!(find(&|_, found| found.risks.contains(&Risk::RequiredNotLive { set: 0, index: 0 })));
    assert!(find(&|_, found| {
        found
            .risks
            .iter()
            .any(|risk| matches!(risk, Risk::TooFewGuardians { live, k, .. } if live < k))
    }));
    // Nobody opens it after the height that is named, and somebody does up to it.
    assert!(find(&|world, found| {
        let ends = found.risks.iter().find_map(|risk| match risk {
            Risk::EndsAt(height) => Some(*height),
            _ => None,
        });
        ends.is_some_and(|height| {
            let later = Moment {
                height: height + 1,
                median_time: NOW.median_time + (height + 1 - NOW.height) * world.spacing_s,
            };
            let rest = NOW.height + 3 - later.height;
            assert!(who_can_open(world, later, rest).unwrap().ways.is_empty());
            true
        })
    }));
}
