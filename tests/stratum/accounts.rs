//! What is counted for each worker.

use std::sync::Arc;

use proofward::node::accounting::Worker;

use crate::world::{Share, World};

#[test]
fn every_fate_is_counted_under_its_worker() {
    let mut world = World::hard();
    let user = format!("{}.rig1", world.address(1));
    let mut line = world.connect();
    line.subscribe();
    line.authorise(&user, "d=0.000001");
    let late = line.share(&user, 50, 0);
    for extranonce2 in 0..8 {
        assert_eq!(line.submit(&line.share(&user, extranonce2, 0)).0, None);
        world.time.pass(1000);
    }
    let again = line.share(&user, 0, 0);
    line.submit(&again);
    line.submit(&Share { nonce: "zz".into(), ..again });
    line.give(&world.tip_changed());
    line.submit(&late);
    let worker = world.desk.accounts.all().into_iter().find(|worker| *worker.name == user).unwrap();
    assert_eq!(&*worker.label, "rig1");
    let now = world.time.now();
    let tally = worker.tally();
    assert_eq!((tally.accepted, tally.stale, tally.connections), (8, 1, 1));
    assert_eq!(tally.rejected.iter().collect::<Vec<_>>(), [(&"duplicate", &1), (&"malformed", &1)]);
    assert_eq!(tally.last_share_s, Some(now.unix_s - 1));
    // Eight shares of 4,295 hashes in eight seconds.
    let rate = tally.hashes_per_second(now);
    assert!((3_500.0..5_500.0).contains(&rate), "{rate}");
    world.time.pass(3_600_000);
    let faded = tally.hashes_per_second(world.time.now());
    assert!(faded < 1.0, "{faded}");
    drop(line);
    assert_eq!(worker.tally().connections, 0);
}

#[test]
fn workers_who_left_are_forgotten_beyond_a_bound() {
    let world = World::hard();
    let stays = world.desk.accounts.login("stays");
    for number in 0..10_000 {
        drop(world.desk.accounts.login(&format!("left{number}")));
    }
    let all = world.desk.accounts.all();
    assert_eq!(all.len(), 4096 + 1);
    assert!(all.iter().any(|worker| *worker.name == *stays.name));
    // One that comes and goes is one worker, and pushes nobody out.
    for _ in 0..10_000 {
        drop(world.desk.accounts.login("left9999"));
    }
    let names = |all: Vec<Arc<Worker>>| all.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(world.desk.accounts.all()), names(all));
}
