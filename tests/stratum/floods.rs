//! Too much of what is allowed: lines without end, and a miner whose power grows 20,000-fold and is gone
//! again. Time is stepped; hashes are real, as many as such a miner does in that time.

use std::io::Write as _;

use proofward::hash::{Algorithm, hash_header};
use proofward::kernel::{Hits, Job, Kernel, NonceRange};
use proofward::ledger::spec::Spec;
use proofward::node::difficulty::Difficulty;
use proofward::node::stratum::bucket::Bucket;
use proofward::node::stratum::clock::Moment;
use proofward::node::stratum::connection::Closing;
use proofward::node::stratum::limits::{LINES_AT_ONCE_MAX, LINES_PER_S_MAX};
use proofward::node::stratum::server::Crowd;
use proofward::node::stratum::session::{Ending, Event, Next};
use proofward::primitives::CompactTarget;
use serde_json::Value;

use crate::client::{Work, bytes_of, target_of};
use crate::common::{Key, easy_spec};
use crate::tcp::{Peer, Port, payees};
use crate::world::World;

const PING: &[u8] = br#"{"id":7,"method":"mining.ping"}"#;

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
        assert_eq!(line.step(Event::Line(PING)).1, Next::Go);
    }
    let (messages, next) = line.step(Event::Line(PING));
    assert_eq!(next, Next::Close(Ending::Flood));
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["method"], "client.show_message");
    assert_eq!(messages[0]["params"][0], Ending::Flood.to_string());
    // It is nothing to others, nor to one that takes its time.
    for _ in 0..3 * LINES_AT_ONCE_MAX / LINES_PER_S_MAX {
        for _ in 0..LINES_PER_S_MAX {
            assert_eq!(other.step(Event::Line(PING)).1, Next::Go);
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
    flood.stream.write_all(PING).unwrap();
    flood.stream.write_all(b"\n").unwrap();
    assert!(flood.rest().is_empty());
    port.until("it is gone", |status| status.connections == 1);
    assert_eq!(port.status().ended.get(&Closing::Session(Ending::Flood)), Some(&1));
    let mut nearly = port.connect();
    nearly.stream.write_all(&lines[1..]).unwrap();
    nearly.send(std::str::from_utf8(PING).unwrap());
    assert!(nearly.line().unwrap().contains("pong"));
    miner.send(std::str::from_utf8(PING).unwrap());
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

/// A miner behind a socket.
struct Rig<'a> {
    port: &'a Port,
    peer: Peer,
    user: String,
    extranonce1: Vec<u8>,
    work: Work,
    difficulty: f64,
    /// No header is hashed twice.
    extranonce2: u32,
    shares: u32,
    shares_at_job: u32,
    jobs: u32,
}

impl<'a> Rig<'a> {
    fn new(port: &'a Port, key: u32) -> Self {
        let (mut peer, user) = (port.connect(), port.user(key));
        peer.send(r#"{"id":9,"method":"mining.suggest_difficulty","params":[0.000001]}"#);
        assert!(peer.line().unwrap().contains("true"));
        let [subscribed, difficulty, work, _] =
            peer.login(&user, "").map(|line| serde_json::from_str::<Value>(&line).unwrap());
        Self {
            port,
            peer,
            user,
            extranonce1: bytes_of(&subscribed["result"][1]),
            work: Work::of(&work),
            difficulty: difficulty["params"][0].as_f64().unwrap(),
            extranonce2: 0,
            shares: 0,
            shares_at_job: 0,
            jobs: 1,
        }
    }

    /// Reads a line; the answer, if it is one.
    fn hear(&mut self) -> Option<Value> {
        let message: Value = serde_json::from_str(&self.peer.line().unwrap()).unwrap();
        match message["method"].as_str() {
            Some("mining.set_difficulty") => {
                self.difficulty = message["params"][0].as_f64().unwrap();
                None
            }
            Some("mining.notify") => {
                self.work = Work::of(&message);
                self.jobs += 1;
                self.shares_at_job = self.shares;
                None
            }
            _ => Some(message),
        }
    }

    /// Hashes on the work that it has, and brings what it finds, up to a block; every share is accepted.
    fn mine(&mut self, hashes: u32, with_blocks: bool) {
        let kernel = Kernel::available(Algorithm::Sha256d).next().unwrap();
        let extranonces = [&self.extranonce1[..], &self.extranonce2.to_be_bytes()].concat();
        let work = self.work.clone();
        let header = work.header(&extranonces, work.version, work.time);
        let network = CompactTarget(work.bits).to_target().unwrap();
        // Below the least difficulty a share is a block.
        let is_least = self.difficulty < Difficulty::LEAST.value();
        let target = if is_least { network } else { target_of(self.difficulty) };
        let job = Job::new(Algorithm::Sha256d, &header, target);
        let mut hits = Hits::new();
        let mut found = Vec::new();
        for first in (0..hashes).step_by(1 << 12) {
            let last = (first + (1 << 12)).min(hashes) - 1;
            hits.clear();
            assert_eq!(kernel.search(&job, NonceRange::new(first, last).unwrap(), &mut hits), None);
            found.extend_from_slice(hits.as_slice());
        }
        let extranonce2 = self.extranonce2;
        self.extranonce2 += 1;
        for nonce in found {
            let digest = hash_header(Algorithm::Sha256d, &job.header_with(nonce));
            let is_block = network.is_met_by(&digest);
            if !target.is_met_by(&digest) || is_block && !with_blocks {
                continue;
            }
            let (user, Work { id, time, .. }) = (&self.user, &work);
            self.peer.send(&format!(
                "{{\"id\":4,\"method\":\"mining.submit\",\"params\":[\"{user}\",\"{id}\",\
                 \"{extranonce2:08x}\",\"{time:08x}\",\"{nonce:08x}\"]}}"
            ));
            let answer = loop {
                if let Some(answer) = self.hear().filter(|message| message["id"] == 4) {
                    break answer;
                }
            };
            assert_eq!(answer["result"], true, "{answer}");
            self.shares += 1;
            if is_block {
                while self.work.prev_block == work.prev_block {
                    self.hear();
                }
                return;
            }
        }
    }

    /// Whether the server has seen a flood, and may give out a job with another stamp.
    fn is_due(&self) -> bool {
        self.shares - self.shares_at_job >= 16 && self.port.time.now().stamp() > self.work.time
    }

    /// Passes time, shows that it is there, and waits for the work of that time.
    fn pass(&mut self, ms: u64) {
        self.port.time.pass(ms);
        self.peer.send(std::str::from_utf8(PING).unwrap());
        while self.work.time < self.port.time.now().stamp() {
            self.hear();
        }
    }
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
