//! A connection with a stepped clock: the order of its messages, who may log in, and when it ends.

use proofward::hash::Algorithm;
use proofward::node::stratum::numbers::Numbers;
use proofward::node::stratum::session::{Ending, Event, Next};

use crate::common::Key;
use crate::world::{World, answer_of, hard_spec};

fn methods(messages: &[serde_json::Value]) -> Vec<String> {
    let name = |message: &serde_json::Value| match message["method"].as_str() {
        Some(method) => method.to_owned(),
        None => format!("reply {}", message["id"]),
    };
    messages.iter().map(name).collect()
}

#[test]
fn work_comes_between_the_login_and_its_answer() {
    let world = World::hard();
    let mut line = world.connect();
    assert_eq!(methods(&line.subscribe()), ["reply 1"]);
    let login = format!(
        r#"{{"id":2,"method":"mining.authorize","params":["{}.rig1","x"]}}"#,
        world.address(1)
    );
    let order = ["mining.set_difficulty", "mining.notify", "reply 2"];
    assert_eq!(methods(&line.send(&login)), order);
    assert!(line.work.as_ref().unwrap().is_clean, "the first work is for everything before it");
    // Again: nothing but the answer, for nothing has changed.
    assert_eq!(methods(&line.send(&login)), ["reply 2"]);
    // minerd subscribes anew with no parameters, and its difficulty is 1 again.
    let again = line.send(r#"{"id":1,"method":"mining.subscribe","params":[]}"#);
    assert_eq!(methods(&again), ["reply 1", "mining.set_difficulty", "mining.notify"]);
    assert_eq!(crate::client::bytes_of(&again[0]["result"][1]), line.extranonce1);
}

#[test]
fn logging_in_before_subscribing_works() {
    let world = World::hard();
    let mut line = world.connect();
    assert_eq!(line.authorise(&world.address(1), "x").0, None);
    let subscribed = line.subscribe();
    let order = ["reply 1", "mining.set_difficulty", "mining.notify"];
    assert_eq!(methods(&subscribed), order);
}

#[test]
fn who_is_paid_is_told_by_the_name() {
    let world = World::hard();
    let mut line = world.connect();
    line.subscribe();
    let mistyped = world.address(1).replace('q', "p");
    for (user, word) in [
        ("worker", "character"),
        ("rig1", "checksum"),
        ("", "separator"),
        (&*mistyped, "checksum"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "no Ed25519 key"),
    ] {
        let (code, words) = line.authorise(user, "x");
        assert_eq!(code, Some(24), "{user}");
        assert!(words.contains(word) && words.contains("lpw1"), "{user}: {words}");
        assert!(!line.session.is_authorised());
    }
    assert_eq!(line.authorise(&format!("{}.rig1", world.address(1)), "x").0, None);
    assert_eq!(line.session.label().as_deref(), Some("rig1"));
    // Another worker of the same address, in capitals; then one of another.
    assert_eq!(line.authorise(&world.address(1).to_uppercase(), "x").0, None);
    let (code, words) = line.authorise(&world.address(2), "x");
    assert_eq!((code, words.contains("one address")), (Some(24), true), "{words}");
    // With a default, whoever comes is paid for by it.
    let spec = hard_spec(Algorithm::Sha256d);
    let world = World::with(spec, Some(Key::new(9).public()), None);
    let mut line = world.connect();
    line.subscribe();
    assert_eq!(line.authorise("rig1", "x").0, None);
    let coinbase = line.work.clone().unwrap().coinbase(&[0; 8]);
    let key = Key::new(9).public().0;
    assert!(coinbase.windows(32).any(|part| part == key), "the default is paid");
}

#[test]
fn a_connection_has_a_bounded_number_of_workers() {
    let world = World::hard();
    let mut line = world.miner(1);
    let logins = (0..20).map(|rig| line.authorise(&format!("{}.{rig}", world.address(1)), "").0);
    let refused = logins.filter(|code| *code == Some(24)).count();
    assert_eq!(refused, 20 - 15);
}

#[test]
fn shares_need_a_subscription_and_a_login() {
    let world = World::hard();
    let mut line = world.connect();
    let share = r#"{"id":4,"method":"mining.submit","params":["u","1","00000000","00000000","0"]}"#;
    assert_eq!(answer_of(&line.send(share)[0]), (Some(25), "Not subscribed".into()));
    line.subscribe();
    assert_eq!(answer_of(&line.send(share)[0]), (Some(24), "Unauthorized worker".into()));
}

#[test]
fn version_rolling_is_agreed_on_within_bip320() {
    let world = World::hard();
    for (asked, granted) in [
        (r#"{"version-rolling.mask":"ffffffff","version-rolling.min-bit-count":2}"#, "1fffe000"),
        (r#"{"version-rolling.mask":"1fffe000"}"#, "1fffe000"),
        (r#"{"version-rolling.mask":"00006000"}"#, "00006000"),
        (r#"{"version-rolling.mask":"0xffffffff"}"#, "1fffe000"),
        ("{}", "1fffe000"),
    ] {
        let mut line = world.connect();
        let reply = line.send(&format!(
            r#"{{"id":1,"method":"mining.configure","params":[["version-rolling","minimum-difficulty","subscribe-extranonce","fly"],{asked}]}}"#
        ));
        let result = &reply[0]["result"];
        assert_eq!(result["version-rolling"], true);
        assert_eq!(result["version-rolling.mask"], granted, "{asked}");
        assert_eq!(result["subscribe-extranonce"], true);
        assert_eq!(result["minimum-difficulty"], false, "none was named");
        assert_eq!(result["fly"], false);
    }
}

#[test]
fn odd_messages_are_answered_and_the_connection_stays() {
    let world = World::hard();
    let mut line = world.miner(1);
    // BFGMiner's, before anything else, with no id: an answer would be read as another one's.
    for silent in [
        r#"{"id":null,"method":"mining.suggest_target","params":["00000000ffff0000000000000000000000000000000000000000000000000000"]}"#,
        r#"{"id":null,"method":"mining.capabilities","params":[{"suggested_target":"00"}]}"#,
        r#"{"id":42,"result":"pong","error":null}"#,
        r#"{"id":7,"method":"pong","params":[]}"#,
        "",
        "\r",
        "  ",
    ] {
        assert_eq!(line.send(silent), [] as [serde_json::Value; 0], "{silent}");
    }
    let answer = |line: &mut crate::world::Line, text: &str| line.send(text)[0].clone();
    let xnsub =
        answer(&mut line, r#"{"id":"xnsub","method":"mining.extranonce.subscribe","params":[]}"#);
    assert_eq!((&xnsub["id"], &xnsub["result"]), (&"xnsub".into(), &true.into()));
    let list = answer(
        &mut line,
        r#"{"id":"txlist1a","method":"mining.get_transactions","params":["1a"]}"#,
    );
    assert_eq!((&list["id"], list["error"][0].as_u64()), (&"txlist1a".into(), Some(20)));
    let unknown = answer(&mut line, r#"{"id":9,"method":"mining.multi_version","params":[1]}"#);
    assert_eq!(unknown["error"], serde_json::json!([20, "Unknown method", null]));
    assert_eq!(
        answer(&mut line, r#"{"id":9,"method":"mining.ping","params":[]}"#)["result"],
        "pong"
    );
    assert!(line.session.is_authorised());
}

#[test]
fn a45_who_does_not_log_in_has_a_minute() {
    let world = World::hard();
    let (mut idle, mut slow) = (world.connect(), world.connect());
    slow.subscribe();
    world.time.pass(59_999);
    assert_eq!(idle.step(Event::Tick).1, Next::Go);
    // Lines that lead nowhere buy no time.
    slow.send(r#"{"id":9,"method":"mining.ping","params":[]}"#);
    world.time.pass(1);
    assert_eq!(idle.step(Event::Tick).1, Next::Close(Ending::Unauthorised));
    assert_eq!(slow.step(Event::Tick).1, Next::Close(Ending::Unauthorised));
}

#[test]
fn a_silent_client_has_ten_minutes_and_one_with_a_fixed_difficulty_for_ever() {
    let mut world = World::hard();
    let mut fixed = world.miner(1);
    let mut line = world.connect();
    line.subscribe();
    line.authorise(&world.address(1), "x");
    for _ in 0..19 {
        world.time.pass(30_000);
        let issue = world.renewed();
        assert_eq!(line.step(Event::Tick).1, Next::Go);
        line.give(&issue);
    }
    world.time.pass(29_999);
    assert_eq!(line.step(Event::Tick).1, Next::Go);
    world.time.pass(1);
    assert_eq!(line.step(Event::Tick).1, Next::Close(Ending::Silent));
    assert_eq!(fixed.step(Event::Tick).1, Next::Go);
}

#[test]
fn nothing_but_invalid_shares_ends_in_three_minutes() {
    let mut world = World::hard();
    let user = world.address(1);
    let mut line = world.miner(1);
    let wrong = |line: &crate::world::Line| {
        let job = line.work.as_ref().unwrap().id.clone();
        format!(
            r#"{{"id":4,"method":"mining.submit","params":["{user}","{job}","00000000","{:08x}","1"]}}"#,
            line.work.as_ref().unwrap().time
        )
    };
    assert_eq!(answer_of(&line.send(&wrong(&line))[0]).0, Some(23));
    world.time.pass(60_000);
    line.send(&wrong(&line));
    let current = world.desk.current().unwrap();
    assert!(line.session.wants_job(&current), "first it is given other work");
    let issue = world.renewed();
    line.give(&issue);
    assert!(!line.session.wants_job(&issue.job));
    world.time.pass(60_000);
    assert_eq!(methods(&line.send(&wrong(&line))), ["reply 4", "client.reconnect"]);
    // One valid share, and all is forgiven.
    let share = line.share(&user, 0, 0);
    let mut forgiven = world.miner(1);
    assert_eq!(forgiven.submit(&forgiven.share(&user, 0, 0)).0, None);
    world.time.pass(60_000);
    let (messages, next) = line.step(Event::Line(wrong(&line).as_bytes()));
    assert_eq!((messages.len(), next), (1, Next::Close(Ending::InvalidOnly)));
    drop(share);
}

#[test]
fn lines_that_are_no_messages_end_it_and_a_browser_is_told_where_it_is() {
    let world = World::hard();
    let mut line = world.connect();
    for _ in 0..15 {
        assert!(line.send("garbage").is_empty());
    }
    assert_eq!(line.step(Event::Line(b"garbage")).1, Next::Close(Ending::Malformed));
    let mut out = Vec::new();
    let mut browser = world.connect();
    let next = browser.session.step(Event::Line(b"GET / HTTP/1.1\r"), world.time.now(), &mut out);
    assert_eq!(next, Next::Close(Ending::Http));
    assert!(out.starts_with(b"HTTP/1.1 400 Bad Request\r\n"));
}

#[test]
fn jobs_come_every_half_minute_and_differ() {
    let world = World::hard();
    let mut line = world.miner(1);
    let first = line.work.clone().unwrap();
    assert!(world.desk.tick(world.time.now()).unwrap().is_none());
    world.time.pass(29_999);
    assert!(world.desk.tick(world.time.now()).unwrap().is_none());
    world.time.pass(1);
    let issue = world.desk.tick(world.time.now()).unwrap().expect("half a minute has passed");
    assert_eq!(methods(&line.give(&issue)), ["mining.notify"]);
    let second = line.work.clone().unwrap();
    assert!(!second.is_clean && second.id != first.id && second.time > first.time);
    // The same job is not sent twice: ESP-Miner would ignore it, NerdMiner would begin it anew.
    assert!(line.give(&issue).is_empty());
}

#[test]
fn a_session_is_resumed_by_one_and_extranonces_are_never_shared() {
    let world = World::hard();
    let mut first = world.connect();
    first.subscribe();
    let id = hex::encode(&first.extranonce1);
    let resume = |id: &str| {
        let mut line = world.connect();
        let reply =
            line.send(&format!(r#"{{"id":1,"method":"mining.subscribe","params":["x","{id}"]}}"#));
        (line, reply[0]["result"][1].as_str().unwrap().to_owned())
    };
    let (_other, while_it_lives) = resume(&id);
    assert_ne!(while_it_lives, id);
    drop(first);
    let (_again, resumed) = resume(&id);
    assert_eq!(resumed, id);
    let (_never, future) = resume("ffffffff");
    assert_ne!(future, "ffffffff", "nobody has been given that one");
    let lines: Vec<_> = (0..100).map(|_| world.miner(1)).collect();
    let mut all: Vec<_> = lines.iter().map(|line| line.extranonce1.clone()).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 100);
}

#[test]
fn numbers_go_on_behind_a_sudden_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stratum-numbers");
    let mut extranonces = std::collections::BTreeSet::new();
    let mut jobs = std::collections::BTreeSet::new();
    for _ in 0..5 {
        // Each life ends without a word.
        let numbers = Numbers::open(&path).unwrap();
        for _ in 0..100 {
            assert!(extranonces.insert(numbers.extranonce1().unwrap().get()));
            assert!(jobs.insert(numbers.job().unwrap()));
        }
        // And a session of the life before is resumed.
        let earlier = *extranonces.first().unwrap();
        assert_eq!(numbers.resume(earlier).map(|resumed| resumed.get()), Some(earlier));
    }
    std::fs::write(&path, "something else").unwrap();
    assert_eq!(Numbers::open(&path).unwrap_err().kind(), std::io::ErrorKind::InvalidData);
}

#[test]
fn a_blake3_chain_differs_by_the_last_hash_only() {
    let world = World::new(hard_spec(Algorithm::Blake3));
    let user = world.address(1);
    let mut line = world.miner(1);
    assert_eq!(line.submit(&line.share(&user, 0, 0)).0, None);
}
