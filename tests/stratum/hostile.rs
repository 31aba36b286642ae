//! What strangers do to a port: slowness, floods, garbage, other protocols; and what happens when the
//! server is stopped among its clients.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proofward::hash::Algorithm;
use proofward::node::stratum::connection::Closing;
use proofward::node::stratum::limits::LINES_AT_ONCE_MAX;
use proofward::node::stratum::server::Crowd;
use proofward::node::stratum::session::Ending;
use proofward::primitives::CompactTarget;

use crate::client::{Work, search};
use crate::common::{Key, easy_spec};
use crate::tcp::{Peer, Port, fair_spec, payees};

fn is_work(line: &str) -> bool {
    line.contains("\"mining.notify\"")
}

#[test]
fn a46_a_conversation_split_at_every_byte_and_in_one_piece_is_the_same() {
    let port = Port::open();
    let user = port.user(1);
    let said = format!(
        "{{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}}\r\n\n\r\n\
         {{\"id\":2,\"method\":\"mining.authorize\",\"params\":[\"{user}\",\"\"]}}\n\
         {{\"id\":3,\"method\":\"mining.ping\"}}\n"
    );
    let mut heard = Vec::new();
    for bytes_at_once in [1, 7, said.len()] {
        let mut peer = port.connect();
        for piece in said.as_bytes().chunks(bytes_at_once) {
            peer.stream.write_all(piece).unwrap();
        }
        let lines = [0; 5].map(|_| peer.line().unwrap());
        assert!(is_work(&lines[2]));
        heard.push([lines[1].clone(), lines[3].clone(), lines[4].clone()]);
    }
    assert!(heard.iter().all(|lines| *lines == heard[0]), "{heard:?}");
}

#[test]
fn a46_other_protocols_and_garbage_end_at_once_and_the_next_is_served() {
    let port = Port::open();
    // BFGMiner tries TLS first, and then without it from the same address.
    let mut tls = port.connect();
    tls.stream.write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]).unwrap();
    assert!(tls.rest().is_empty());
    let mut browser = port.connect();
    browser.stream.write_all(b"GET / HTTP/1.1\r\nHost: miner\r\n\r\n").unwrap();
    let page = String::from_utf8(browser.rest()).unwrap();
    assert!(page.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{page}");
    let mut long = port.connect();
    let line = format!(r#"{{"id":1,"method":"{}"}}"#, "x".repeat(4096));
    // The server may be gone before all of it is written.
    let _ = long.stream.write_all(line.as_bytes());
    assert!(long.rest().is_empty());
    let mut endless = port.connect();
    let garbage = vec![b'['; 4 << 20];
    let _ = endless.stream.write_all(&garbage);
    assert!(endless.rest().is_empty());
    let mut lines = port.connect();
    let _ = lines.stream.write_all("garbage\n".repeat(100_000).as_bytes());
    assert!(lines.rest().is_empty());
    port.until("all are gone", |status| status.connections == 0);
    let ended = port.status().ended;
    assert_eq!(ended.get(&Closing::Tls), Some(&1), "{ended:?}");
    assert_eq!(ended.get(&Closing::Session(Ending::Http)), Some(&1), "{ended:?}");
    assert_eq!(ended.get(&Closing::LongLine), Some(&2), "{ended:?}");
    assert_eq!(ended.get(&Closing::Session(Ending::Malformed)), Some(&1), "{ended:?}");
    // A line of as many bytes as are allowed is answered.
    let mut peer = port.connect();
    let frame = r#"{"id":1,"method":""}"#.len();
    peer.send(&format!(r#"{{"id":1,"method":"{}"}}"#, "x".repeat(4096 - frame)));
    assert!(peer.line().unwrap().contains("Unknown method"));
}

#[test]
fn a45_connections_that_lead_nowhere_are_closed_by_the_clock() {
    let port = Port::open();
    let mut slow: Vec<Peer> = (0..50).map(|_| port.connect()).collect();
    let mut miner = port.connect();
    miner.login(&port.user(1), "");
    port.until("all are here", |status| (status.connections, status.half_open) == (51, 50));
    for _ in 0..6 {
        port.time.pass(10_000);
        // A byte in ten seconds buys no time.
        slow.iter_mut().for_each(|peer| drop(peer.stream.write_all(b" ")));
    }
    for peer in &mut slow {
        assert!(peer.rest().is_empty());
    }
    port.until("they are gone", |status| (status.connections, status.half_open) == (1, 0));
    let ended = port.status().ended;
    assert_eq!(ended.get(&Closing::Session(Ending::Unauthorised)), Some(&50), "{ended:?}");
    miner.send(r#"{"id":3,"method":"mining.ping"}"#);
    while !miner.line().unwrap().contains("pong") {}
}

#[test]
fn a45_a_crowd_that_does_not_log_in_keeps_nobody_out() {
    let crowd = Crowd { connections_max: 20, half_open_max: 10, half_open_per_address_max: 10 };
    let port = Port::with(fair_spec(), crowd);
    let miners: Vec<Peer> = (0..3)
        .map(|_| {
            let mut miner = port.connect();
            miner.login(&port.user(1), "");
            miner
        })
        .collect();
    port.until("they are in", |status| (status.connections, status.half_open) == (3, 0));
    // All from one address: beyond the tenth they are turned away.
    let idle: Vec<Peer> = (0..10).map(|_| port.connect()).collect();
    port.until("they are here", |status| status.half_open == 10);
    assert!(port.connect().rest().is_empty());
    assert_eq!(port.status().refused, 1);
    drop((miners, idle));
    // From many addresses, the oldest makes room.
    let crowd = Crowd { half_open_per_address_max: 100, ..crowd };
    let port = Port::with(fair_spec(), crowd);
    let mut idle: Vec<Peer> = (0..10).map(|_| port.connect()).collect();
    port.until("they are here", |status| status.half_open == 10);
    // Whoever is answered may be counted among the half-open a moment longer.
    let logged_in = || {
        let mut miner = port.connect();
        miner.login(&port.user(1), "");
        port.until("nine are left", |status| status.half_open == 9);
        miner
    };
    let _miner = logged_in();
    assert!(idle[0].rest().is_empty(), "the oldest makes room");
    // Full is full.
    let more: Vec<Peer> = (0..10).map(|_| logged_in()).collect();
    port.until("it is full", |status| status.connections == 20);
    assert!(port.connect().rest().is_empty());
    drop(more);
    port.until("there is room", |status| status.connections < 20);
    port.connect().login(&port.user(1), "");
}

#[test]
fn a_slow_reader_is_dropped_and_delays_nobody() {
    let port = Port::open();
    let mut miner = port.connect();
    miner.login(&port.user(1), "");
    let mut slow = port.connect();
    slow.login(&port.user(2), "");
    // It asks and asks, and reads nothing of what it is answered, until it is no longer heard.
    let question = "{\"id\":1,\"method\":\"mining.get_transactions\"}\n".repeat(1000);
    slow.stream.set_write_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
    while slow.stream.write_all(question.as_bytes()).is_ok() {}
    assert_eq!(port.status().connections, 2);
    // The others have their work meanwhile.
    port.mine();
    assert!(is_work(&miner.line().unwrap()));
    port.time.pass(20_000);
    port.until("it is dropped", |status| status.connections == 1);
    assert_eq!(port.status().ended.get(&Closing::SlowReader), Some(&1));
}

/// Lines that say nothing are not worth a line of the log either: as many connections as it takes, each of
/// which says what it can before it is dropped for it.
#[test]
fn a49_a_million_invalid_messages_leave_a_short_log() {
    #[derive(Clone)]
    struct Log(Arc<AtomicUsize>);
    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.fetch_add(bytes.len(), Ordering::SeqCst);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let log = Log(Arc::default());
    let writer = log.clone();
    // The level that the node logs at unless it is told otherwise; of every thread of this process.
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("no other test sets one");
    let port = Port::open();
    let messages = [
        "{\"id\":1,\"method\":\"mining.nonsense\"}\n",
        "{\"id\":1,\"method\":\"mining.submit\",\"params\":[1]}\n",
        "{\"id\":1,\"method\":\"mining.submit\",\"params\":[\"u\",\"1\",\"00000000\",\"0\",\"0\"]}\n",
        "{\"id\":1,\"method\":\"mining.authorize\",\"params\":[\"nobody\",\"\"]}\n",
    ];
    let lines_each = usize::try_from(LINES_AT_ONCE_MAX).unwrap();
    // One more than is heard.
    let said: String = messages.iter().cycle().take(lines_each + 1).copied().collect();
    let connections = 1_000_000_usize.div_ceil(lines_each);
    for _ in 0..connections {
        let mut peer = port.connect();
        let mut writer = peer.stream.try_clone().unwrap();
        std::thread::scope(|scope| {
            // The server may be gone before it has read the last line.
            scope.spawn(|| drop(writer.write_all(said.as_bytes())));
            peer.rest();
        });
    }
    port.until("all are gone", |status| status.connections == 0);
    let flood = Closing::Session(Ending::Flood);
    assert_eq!(port.status().ended, [(flood, connections as u64)].into());
    let bytes = log.0.load(Ordering::SeqCst);
    assert!(bytes < 10 << 20, "{bytes} bytes of log");
    println!("{bytes} bytes of log for a million invalid lines");
}

/// What a client is told is true: whatever share that is a block is answered with `true` stands in the
/// chain, however suddenly everything ends after it.
#[test]
fn stopping_among_many_clients_loses_no_block() {
    let mut port = Port::with(easy_spec(), Crowd::of(1000));
    let idle: Vec<Peer> = (0..100)
        .map(|_| {
            let mut peer = port.connect();
            peer.login(&port.user(3), "");
            peer
        })
        .collect();
    let mut accepted = 0;
    let mut miner = port.connect();
    let lines = miner.login(&port.user(1), "");
    let en1 = serde_json::from_str::<serde_json::Value>(&lines[0]).unwrap()["result"][1].clone();
    let mut work = Work::of(&serde_json::from_str(&lines[2]).unwrap());
    for _ in 0..20 {
        let extranonces = [crate::client::bytes_of(&en1), vec![0; 4]].concat();
        let header = work.header(&extranonces, work.version, work.time);
        let network = CompactTarget(work.bits).to_target().unwrap();
        let nonce = search(Algorithm::Sha256d, header, 0, &network, None);
        let (user, job, time) = (port.user(1), &work.id, work.time);
        miner.send(&format!(
            r#"{{"id":4,"method":"mining.submit","params":["{user}","{job}","00000000","{time:08x}","{nonce:08x}"]}}"#
        ));
        // The next work may come before the answer: the tip has changed when the share is judged.
        let (mut is_answered, mut is_given) = (false, false);
        while !(is_answered && is_given) {
            let value: serde_json::Value = serde_json::from_str(&miner.line().unwrap()).unwrap();
            if value["id"] == 4 {
                assert_eq!(value["result"], true, "{value}");
                is_answered = true;
            } else if value["method"] == "mining.notify" {
                work = Work::of(&value);
                is_given |= work.is_clean;
            }
        }
        accepted += 1;
    }
    assert_eq!(port.height(), accepted);
    let ledger = port.stop();
    let payees = payees(&ledger);
    assert_eq!(payees.len(), 20);
    assert!(payees.iter().all(|payee| payee.key == Key::new(1).public()));
    for mut peer in idle {
        // Everybody is let go.
        peer.rest();
    }
}
