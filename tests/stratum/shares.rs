//! What a share is worth: the rows of the adversaries' table, and what clients may rely on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use proofward::hash::Algorithm;
use proofward::ledger::block::Block;
use proofward::ledger::chain::Submitted;
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::Spec;
use proofward::node::clock::Moment;
use proofward::node::stratum::desk::Budget;
use proofward::node::stratum::session::{Event, Next};
use proofward::node::stratum::share::Found;
use proofward::primitives::CompactTarget;

use crate::client::{Work, search, target_of};
use crate::common::{NOW, easy_spec};
use crate::world::{Line, Share, World, hard_spec};

const DUPLICATE: Option<u64> = Some(22);
const LOW: Option<u64> = Some(23);
const STALE: Option<u64> = Some(21);
const OTHER: Option<u64> = Some(20);

#[test]
fn a53_a_share_counts_once_however_it_is_spelled() {
    let world = World::hard();
    let user = world.address(1);
    let mut line = world.miner(1);
    let share = line.share(&user, 0xabc, 0);
    assert_eq!(line.submit(&share).0, None);
    assert_eq!(line.submit(&share), (DUPLICATE, "Duplicate share".into()));
    let upper = Share {
        job: share.job.to_uppercase(),
        extranonce2: share.extranonce2.to_uppercase(),
        time: share.time.to_uppercase(),
        nonce: share.nonce.to_uppercase(),
        ..share.clone()
    };
    let short = Share { nonce: share.nonce.trim_start_matches('0').into(), ..share.clone() };
    let zero_bits = Share { version: Some("00000000".into()), ..share.clone() };
    for again in [upper, short, zero_bits] {
        assert_eq!(line.submit(&again).0, DUPLICATE, "{again:?}");
    }
    let trailing = Share { extranonce2: format!("{}00", share.extranonce2), ..share.clone() };
    let longer = Share { nonce: format!("0{}", share.nonce), ..share };
    for wrong in [trailing, longer] {
        assert_eq!(line.submit(&wrong).0, OTHER, "{wrong:?}");
    }
}

#[test]
fn a53_a_duplicate_is_known_on_another_connection_of_the_same_session() {
    let world = World::hard();
    let user = world.address(1);
    let mut line = world.miner(1);
    let share = line.share(&user, 1, 0);
    assert_eq!(line.submit(&share).0, None);
    let id = hex::encode(&line.extranonce1);
    drop(line);
    let mut resumed = world.connect();
    resumed.send(&format!(r#"{{"id":1,"method":"mining.subscribe","params":["x","{id}"]}}"#));
    resumed.authorise(&user, "d=0.000001");
    assert_eq!(resumed.submit(&share).0, DUPLICATE);
}

#[test]
fn a54_a_share_is_worth_nothing_elsewhere_or_later() {
    let mut world = World::hard();
    let user = world.address(1);
    let (mut line, mut thief) = (world.miner(1), world.miner(1));
    let share = line.share(&user, 1, 0);
    // Under the id that the thief's own job has, and under the victim's.
    let stolen = Share { job: thief.work.clone().unwrap().id, ..share.clone() };
    assert_eq!(thief.submit(&stolen).0, LOW);
    assert_eq!(thief.submit(&share).0, STALE);
    // In the name of somebody who has not logged in here.
    let named = Share { user: format!("{user}.other"), ..share.clone() };
    assert_eq!(line.submit(&named), (Some(24), "Unauthorized worker".into()));
    let late = line.share(&user, 2, 0);
    assert_eq!(line.submit(&share).0, None);
    let issue = world.tip_changed();
    let messages = line.give(&issue);
    assert_eq!(messages.last().unwrap()["params"][8], true, "a new tip cleans up");
    assert_eq!(line.submit(&late), (STALE, "Job not found (stale)".into()));
    assert_eq!(line.submit(&share).0, STALE, "a copy too");
}

#[test]
fn a55_a_stamp_is_rolled_forward_and_not_too_far() {
    let world = World::hard();
    let user = world.address(1);
    let mut line = world.miner(1);
    let work = line.work.clone().unwrap();
    let now = u32::try_from(world.time.now().unix_s).unwrap();
    let latest = work.time + 7000;
    assert!(latest <= now + 7200);
    for time in [work.time - 1, 0, latest + 1, u32::MAX] {
        let share = line.share_of(&work, &user, 1, 0, time, None);
        assert_eq!(line.submit(&share), (OTHER, "ntime out of range".into()), "{time}");
    }
    for time in [work.time, work.time + 1, latest] {
        let share = line.share_of(&work, &user, 1, 0, time, None);
        assert_eq!(line.submit(&share).0, None, "{time}");
    }
    // Where the chain allows less, so does the server: the block would be refused.
    let spec = Spec { future_limit_s: 60, ..hard_spec(Algorithm::Sha256d) }.check().unwrap();
    let world = World::new(spec);
    let mut line = world.miner(1);
    let work = line.work.clone().unwrap();
    let now = u32::try_from(world.time.now().unix_s).unwrap();
    for (time, expected) in [(now + 60, None), (now + 61, OTHER)] {
        let share = line.share_of(&work, &user, 1, 0, time, None);
        assert_eq!(line.submit(&share).0, expected);
    }
}

/// Relief makes blocks easier by their stamp: nBits of the job are right up to `until` and not after.
#[test]
fn a55_a_stamp_beyond_the_next_step_of_relief_is_refused() {
    let spec = Spec {
        spacing_s: 60,
        half_life_s: 4800,
        future_limit_s: 480,
        ..hard_spec(Algorithm::Sha256d)
    };
    let world = World::new(spec.check().unwrap());
    let user = world.address(1);
    let mut line = world.miner(1);
    let job = world.desk.current().unwrap();
    // Relief begins after 20 spacings without a block; here the clock stands shortly before.
    world.time.pass(u64::from(job.until - job.time - 100) * 1000);
    let issue = world.desk.tick(world.time.now()).unwrap().expect("a later job");
    line.give(&issue);
    let work = line.work.clone().unwrap();
    for (time, expected) in [(issue.job.until, None), (issue.job.until + 1, OTHER)] {
        let share = line.share_of(&work, &user, 1, 0, time, None);
        assert_eq!(line.submit(&share).0, expected, "{time}");
    }
}

#[test]
fn a56_versions_are_rolled_within_the_mask_that_was_agreed_on() {
    let world = World::hard();
    let user = world.address(1);
    let mut line = world.connect();
    line.send(
        r#"{"id":1,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"00ffe000"}]}"#,
    );
    line.subscribe();
    line.authorise(&user, "d=0.000001");
    let work = line.work.clone().unwrap();
    for bits in [0, 0x2000, 0x00ff_e000] {
        let share = line.share_of(&work, &user, 1, 0, work.time, Some(bits));
        assert_eq!(line.submit(&share).0, None, "{bits:08x}");
    }
    for bits in [0x1000, 0x0100_0000, 0x8000_0000, u32::MAX] {
        let share = line.share_of(&work, &user, 1, 0, work.time, Some(bits));
        assert_eq!(
            line.submit(&share),
            (OTHER, "version bits outside the mask".into()),
            "{bits:08x}"
        );
    }
    // Without an agreement there is nothing to roll, though ESP-Miner always sends the parameter.
    let mut plain = world.miner(1);
    let work = plain.work.clone().unwrap();
    for (bits, expected) in [(0, None), (0x2000, OTHER)] {
        let share = plain.share_of(&work, &user, 1, 0, work.time, Some(bits));
        assert_eq!(plain.submit(&share).0, expected);
    }
}

#[test]
fn a57_valid_easy_and_foreign_are_told_apart() {
    let world = World::hard();
    let user = world.address(1);
    let mut line = world.miner(1);
    let share = line.share(&user, 1, 0);
    let easy = easy_nonce(&line, &user);
    assert_eq!(line.submit(&easy), (LOW, "Low difficulty share".into()));
    let foreign = Share { job: "ffffffff".into(), ..share.clone() };
    assert_eq!(line.submit(&foreign), (STALE, "Job not found".into()));
    assert_eq!(line.submit(&share), (None, String::new()));
}

/// A share that misses even twice the easiest target.
fn easy_nonce(line: &Line, user: &str) -> Share {
    let work = line.work.clone().unwrap();
    let extranonces = [&line.extranonce1[..], &[0, 0, 0, 9]].concat();
    let header = work.header(&extranonces, work.version, work.time);
    let any = proofward::primitives::Target::MAX;
    let nonce = search(Algorithm::Sha256d, header, 0, &any, Some(&target_of(1e-6)));
    Share {
        nonce: format!("{nonce:08x}"),
        extranonce2: "00000009".into(),
        ..line.share(user, 9, 0)
    }
}

/// After a change of difficulty, both directions: what was in force while a job lived is enough for it.
#[test]
fn a57_a_job_in_flight_keeps_its_difficulty_and_gains_by_an_easier_one() {
    let mut world = World::hard();
    let user = world.address(1);
    let mut line = world.connect();
    line.subscribe();
    line.authorise(&user, "x");
    // Easier: NerdMiner applies it at once, also to the work that it has.
    let before = line.work.clone().unwrap();
    line.send(r#"{"id":5,"method":"mining.suggest_difficulty","params":[0.000001]}"#);
    world.time.pass(1000);
    line.give(&world.renewed());
    assert!(line.difficulty < 1.1e-6, "{}", line.difficulty);
    let share = line.share_of(&before, &user, 1, 0, before.time, None);
    assert_eq!(line.submit(&share).0, None);
    // Harder: what was found for the easy job still counts, for the new one it does not.
    let easy = line.work.clone().unwrap();
    line.send(r#"{"id":6,"method":"mining.suggest_difficulty","params":[0.0001]}"#);
    world.time.pass(1000);
    line.give(&world.renewed());
    assert!(line.difficulty > 9e-5, "{}", line.difficulty);
    let hard = line.work.clone().unwrap();
    let in_flight = share_between(&line, &easy, &user);
    assert_eq!(line.submit(&in_flight).0, None);
    let too_easy = share_between(&line, &hard, &user);
    assert_eq!(line.submit(&too_easy).0, LOW);
}

/// A share of 1e-6 that is none of 1e-4.
fn share_between(line: &Line, work: &Work, user: &str) -> Share {
    let extranonces = [&line.extranonce1[..], &[0, 0, 0, 5]].concat();
    let header = work.header(&extranonces, work.version, work.time);
    let nonce = search(Algorithm::Sha256d, header, 0, &target_of(1e-6), Some(&target_of(0.9e-4)));
    Share {
        user: user.into(),
        job: work.id.clone(),
        extranonce2: "00000005".into(),
        time: format!("{:08x}", work.time),
        nonce: format!("{nonce:08x}"),
        version: None,
    }
}

fn submit_block(line: &mut Line, share: &Share) -> Found {
    let (messages, next) = line.step(Event::Line(share.message().as_bytes()));
    assert!(messages.is_empty(), "the answer waits for the ledger: {messages:?}");
    match next {
        Next::Submit(found) => found,
        next => panic!("{next:?}"),
    }
}

#[test]
fn a58_a_block_is_brought_whatever_becomes_of_its_share() {
    let mut world = World::new(easy_spec());
    let user = world.address(1);
    let mut line = world.miner(1);
    let share = line.block(&user, 1);
    let found = submit_block(&mut line, &share);
    let block = Block::decode(&found.bytes).unwrap();
    assert_eq!((block.coinbase.height, found.height), (1, 1));
    let submitted = world.ledger.submit(&found.bytes, NOW).unwrap();
    assert!(matches!(submitted, Submitted::Tip { .. }));
    let (answer, _) = line.step(Event::Submitted);
    assert_eq!(answer[0]["result"], true);
    // The same again does not burden the ledger.
    assert_eq!(line.submit(&share).0, DUPLICATE);
    // Stale: somebody else was quicker, and yet it may be the block that the chain goes on with.
    let stale = line.block(&user, 2);
    line.give(&world.mined_elsewhere());
    let found = submit_block(&mut line, &stale);
    assert!(world.ledger.submit(&found.bytes, NOW).is_ok(), "it is a valid block");
    let (answer, _) = line.step(Event::Submitted);
    assert_eq!(answer[0]["error"][0], 21);
    // In the name of nobody, with a stamp out of range.
    let mut nameless = line.block(&user, 3);
    nameless.user = "nobody".into();
    submit_block(&mut line, &nameless);
    assert_eq!(line.step(Event::Submitted).0[0]["error"][0], 24);
}

/// An easy chain: a share is never harder than a block, even below the easiest that may be asked for.
#[test]
fn a_share_is_never_harder_than_a_block() {
    let world = World::new(easy_spec());
    let line = world.miner(1);
    let network = proofward::node::difficulty::of_target(
        &CompactTarget(line.work.as_ref().unwrap().bits).to_target().unwrap(),
    );
    assert!(line.difficulty <= network, "{} > {network}", line.difficulty);
}

#[derive(Debug)]
struct Shares(AtomicU32);

impl Budget for Shares {
    fn spend(&self, _: &PubKey, hashes: f64, _: Moment) -> bool {
        assert!(hashes > 4_000.0);
        let take = |left: u32| left.checked_sub(1);
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok()
    }
}

#[test]
fn a_garment_mines_as_long_as_its_credit_lasts() {
    let budget = Arc::new(Shares(AtomicU32::new(2)));
    let world = World::with(hard_spec(Algorithm::Sha256d), None, Some(budget.clone()));
    let user = world.address(1);
    let mut line = world.miner(1);
    for extranonce2 in 0..2 {
        assert_eq!(line.submit(&line.share(&user, extranonce2, 0)).0, None);
    }
    let spent = line.submit(&line.share(&user, 2, 0));
    assert_eq!(spent, (OTHER, "hash budget spent".into()));
    // What is invalid costs nothing.
    budget.0.store(1, Ordering::SeqCst);
    assert_eq!(line.submit(&line.share(&user, 0, 0)).0, DUPLICATE);
    assert_eq!(line.submit(&line.share(&user, 3, 0)).0, None);
}

/// Jobs live five minutes, and sixteen of them however long that is.
#[test]
fn a_job_lives_as_long_as_clients_need_it() {
    let mut world = World::hard();
    let user = world.address(1);
    let mut line = world.miner(1);
    let first = line.work.clone().unwrap();
    for _ in 0..15 {
        world.time.pass(30_000);
        line.give(&world.renewed());
    }
    let share = line.share_of(&first, &user, 1, 0, first.time, None);
    assert_eq!(line.submit(&share).0, None);
    world.time.pass(30_000);
    line.give(&world.renewed());
    let share = line.share_of(&first, &user, 2, 0, first.time, None);
    assert_eq!(line.submit(&share).0, STALE);
}
