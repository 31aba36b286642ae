//! Too much of what is allowed: lines without end, and a miner whose power grows 20,000-fold and is gone
//! again. Time is stepped; hashes are real, as many as such a miner does in that time.

use std::io::Write as _;

use proofward::ledger::spec::Spec;
use proofward::node::clock::Moment;
use proofward::node::stratum::bucket::Bucket;
use proofward::node::stratum::connection::Closing;
use proofward::node::stratum::limits::{LINES_AT_ONCE_MAX, LINES_PER_S_MAX};
use proofward::node::stratum::server::Crowd;
use proofward::node::stratum::session::{Ending, Event, Next};
use proofward::primitives::CompactTarget;

use crate::common::{Key, easy_spec};
use crate::rig::{PING, Rig};
use crate::tcp::{Port, payees};
use crate::world::World;

#[test]
fn so_many_lines_at_once_are_heard_and_so_many_a_second() {
    let at = |ms| Moment { unix_s: 0, ms };
    let take = |bucket: &mut Bucket, count, ms| (0..count).all(|_| bucket.take(at(ms)));
    let mut bucket = Bucket::full(at(5));
    assert!(take(&mut bucket, LINES_AT_ONCE_MAX, 5));
    assert!(!bucket.take(at(5)));
    assert!(take(&mut bucket, LINES_PER_S_MAX, 1005));
    assert!(!bucket.take(at(1005)));
    // A clock that stands still, or is behind, brings none.
    assert!(!bucket.take(at(1)) && !bucket.take(at(1005)));
    // Refused lines cost nothing; the bucket takes no more than it holds.
    assert!(take(&mut bucket, LINES_AT_ONCE_MAX, u64::MAX));
    assert!(!bucket.take(at(u64::MAX)));
    // As fast as may be, for a minute.
    let mut bucket = Bucket::full(at(0));
    assert!((0..60).all(|second| take(&mut bucket, LINES_PER_S_MAX, second * 1000)));
}

#[test]
fn a_flood_of_lines_ends_a_connection_that_is_told_why() {
    let world = World::hard();
    let mut line = world.miner(1);
    let mut other = world.miner(1);
    // Two lines were the login.
    for _ in 2..LINES_AT_ONCE_MAX {
        assert_eq!(line.step(Event::Line(PING.as_bytes())).1, Next::Go);
    }
    let (messages, next) = line.step(Event::Line(PING.as_bytes()));
    assert_eq!(next, Next::Close(Ending::Flood));
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["method"], "client.show_message");
    assert_eq!(messages[0]["params"][0], Ending::Flood.to_string());
    // It is nothing to others, nor to one that takes its time.
    for _ in 0..3 * LINES_AT_ONCE_MAX / LINES_PER_S_MAX {
        for _ in 0..LINES_PER_S_MAX {
            assert_eq!(other.step(Event::Line(PING.as_bytes())).1, Next::Go);
        }
        world.time.pass(1000);
    }
    // Lines that say nothing are lines; strangers are told nothing.
    let mut stranger = world.connect();
    for _ in 0..LINES_AT_ONCE_MAX {
        assert_eq!(stranger.step(Event::Line(b"")).1, Next::Go);
    }
    assert_eq!(stranger.step(Event::Line(b"")), (vec![], Next::Close(Ending::Flood)));
}

#[test]
fn a_flood_of_lines_closes_its_socket_only() {
    let port = Port::open();
    let mut miner = port.connect();
    miner.login(&port.user(1), "");
    let mut flood = port.connect();
    let lines = vec![b'\n'; usize::try_from(LINES_AT_ONCE_MAX).unwrap()];
    flood.stream.write_all(&lines).unwrap();
    flood.send(PING);
    assert!(flood.rest().is_empty());
    port.until("it is gone", |status| status.connections == 1);
    assert_eq!(port.status().ended.get(&Closing::Session(Ending::Flood)), Some(&1));
    let mut nearly = port.connect();
    nearly.stream.write_all(&lines[1..]).unwrap();
    nearly.send(PING);
    assert!(nearly.line().unwrap().contains("pong"));
    miner.send(PING);
    assert!(miner.line().unwrap().contains("pong"));
}

/// Hashes that the small one does in a spacing of a minute: one share.
const SMALL: u32 = 4096;
const POWER: u32 = 20_000;

/// A chain as it stands when the great power has been there for long: its blocks take a minute of it.
fn spec() -> Spec {
    let start = CompactTarget(0x1d34_0000);
    Spec {
        limit: CompactTarget(0x207f_ffff),
        start,
        spacing_s: 60,
        half_life_s: 4800,
        future_limit_s: 480,
        ..easy_spec()
    }
    .check()
    .unwrap()
}

/// The difficulty of shares follows the power within seconds, so that the server has a few hundred of them
/// to judge and not thousands a second. When the power leaves a chain that has become as hard as it was
/// strong, the chain's relief reaches the one who stays as work that it can do, block after block.
#[test]
fn a_power_of_20_000_comes_and_goes_and_the_chain_goes_on() {
    let mut port = Port::with(spec(), Crowd::of(100));
    let mut rig = Rig::new(&port, 1);
    let mut small = Rig::new(&port, 2);
    let first = rig.difficulty;
    assert!(first < 1.1e-6);
    // A hundredth of a second at a time.
    let hashes = SMALL * POWER / 6000;
    let mut hundredths = 0;
    while rig.difficulty < first * 1000.0 {
        rig.mine(hashes, false);
        port.time.pass(10);
        hundredths += 1;
        while rig.is_due() {
            rig.hear();
        }
        assert!(hundredths < 1000, "after ten seconds the difficulty is {}", rig.difficulty);
    }
    let unbridled = u64::from(hashes) * u64::from(hundredths) / 4295;
    println!(
        "difficulty {} after {:.1} s, {} jobs and {} shares; without it {unbridled}",
        rig.difficulty,
        f64::from(hundredths) / 100.0,
        rig.jobs,
        rig.shares
    );
    assert!(rig.jobs <= 2 + hundredths / 100, "at most one more a second");
    let shares = rig.shares;
    for _ in 0..200 {
        rig.mine(hashes, false);
        port.time.pass(10);
    }
    assert!(rig.shares <= shares + 20, "{} more in two seconds", rig.shares - shares);
    let total = port.desk().accounts.total();
    assert_eq!((total.accepted, total.rejected_total(), total.stale), (rig.shares.into(), 0, 0));
    drop(rig);
    port.until("it has left", |status| status.connections == 1);

    let mut spacings: Vec<u32> = Vec::new();
    for height in port.height()..port.height() + 2 {
        let mut waited = 0;
        while port.height() == height {
            // Patience first: nothing changes for twenty spacings.
            let spacings = if waited < 18 { 9 } else { 1 };
            small.pass(60_000 * u64::from(spacings));
            for _ in 0..spacings {
                small.mine(SMALL, true);
            }
            waited += spacings;
            assert!(waited < 60, "the chain stands still");
        }
        spacings.push(waited);
    }
    println!("the next blocks came after {spacings:?} spacings");
    drop(small);
    let ledger = port.stop();
    let payees = payees(&ledger);
    assert!(payees[payees.len() - 2..].iter().all(|payee| payee.key == Key::new(2).public()));
}
