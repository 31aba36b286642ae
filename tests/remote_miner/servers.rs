//! The program against scripted servers: odd ones, slow ones, dying ones; lines of stratum and HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use proofward::hash::{Algorithm, sha256::sha256};
use proofward::node::difficulty::Difficulty;
use proofward::primitives::CompactTarget;
use serde_json::{Value, json};
use tokio_rustls::rustls;

use crate::machine_template::core_template;
use crate::scripted::{Mining, Script, Scripted, Wire, assert_meets, easy_job, header_of};
use crate::talk::{EASY, notify_params};

const MASK: u32 = 0x1fff_e000;

fn url(port: u16) -> String {
    format!("stratum+tcp://127.0.0.1:{port}")
}

/// Takes a miner in as most pools do.
fn welcome<S: Read + Write>(wire: &mut Wire<S>) {
    let configure = wire.expect("mining.configure");
    wire.answer(
        &configure,
        &json!({ "version-rolling": true, "version-rolling.mask": "1fffe000" }),
    );
    let subscribe = wire.expect("mining.subscribe");
    wire.answer(&subscribe, &json!([[["mining.notify", "aa01"]], "a1b2c3d4", 4]));
    let authorize = wire.expect("mining.authorize");
    assert_eq!(authorize["params"], json!(["user.rig1", "x"]));
    wire.answer(&authorize, &json!(true));
}

/// Waits for a share, judges it, and accepts it.
fn accept_block<S: Read + Write>(wire: &mut Wire<S>, algorithm: Algorithm, job: &Value) {
    let submit = wire.expect("mining.submit");
    let header = header_of(job, "a1b2c3d4", &submit, MASK);
    assert_meets(algorithm, &header, CompactTarget(0x1f00_ffff).to_target().expect("a target"));
    wire.answer(&submit, &json!(true));
}

/// Answers whatever still comes until the miner has gone.
fn see_off<S: Read + Write>(wire: &mut Wire<S>) {
    while let Some(message) = wire.read() {
        wire.answer(&message, &json!(true));
    }
}

fn one_block(algorithm: Algorithm) -> Script {
    Box::new(move |stream| {
        let mut wire = Wire::new(stream);
        welcome(&mut wire);
        wire.notify("mining.set_difficulty", &json!([1]));
        let job = easy_job("7f", 1);
        wire.notify("mining.notify", &job);
        accept_block(&mut wire, algorithm, &job);
        see_off(&mut wire);
    })
}

#[test]
fn a_block_of_either_algorithm_is_found_and_counted() {
    for algorithm in Algorithm::ALL {
        let server = Scripted::start(vec![one_block(algorithm)]);
        let url = url(server.port);
        let mining = Mining::start(&[
            "--url",
            &url,
            "--user",
            "user.rig1",
            "--algorithm",
            algorithm.name(),
            "--blocks",
            "1",
        ]);
        let (end, seen) = mining.end();
        server.end();
        let names: Vec<_> = seen.iter().filter_map(|event| event["event"].as_str()).collect();
        assert_eq!(&names[..3], ["connecting", "active", "job"]);
        let share = seen.iter().find(|event| event["event"] == "share").expect("a share");
        assert_eq!((&share["fate"], &share["server"]), (&json!("accepted"), &json!(url)));
        assert!(share["block"].as_str().is_some_and(|hash| hash.starts_with("0000")));
        assert!(share["latency_ms"].as_f64().is_some_and(|latency| latency > 0.0));
        assert!(end["blocks"].as_u64() >= Some(1) && end["accepted"].as_u64() >= Some(1));
        assert_eq!(end["threads"], 2);
        assert!(end["hashes"].as_u64() > Some(0));
    }
}

/// public-pool: `false` to configure, 100000 and then the difficulty that is meant, an answer to everything
/// but suggest_difficulty; ckpool in between: a ping.
#[test]
fn odd_pools_are_mined_for() {
    let odd: Script = Box::new(|stream| {
        let mut wire = Wire::new(stream);
        let configure = wire.expect("mining.configure");
        let subscribe = wire.expect("mining.subscribe");
        // As a NOMP pool does: difficulty and job right behind the answer, in one piece.
        wire.say_raw(&format!(
            "{}\r\n{}\n{}\n{}\n{}\n",
            json!({ "id": subscribe["id"], "result": [[["mining.set_difficulty", "s"], ["mining.notify", "s"]], "a1b2c3d4", 8], "error": null }),
            json!({ "id": null, "method": "mining.set_difficulty", "params": [100_000] }),
            json!({ "id": null, "method": "mining.set_difficulty", "params": [EASY] }),
            json!({ "id": null, "method": "mining.notify", "params": notify_params("job one", 1, true) }),
            json!({ "id": 42, "method": "mining.ping", "params": [] }),
        ));
        wire.answer(&configure, &json!(false));
        let authorize = wire.expect("mining.authorize");
        let pong = wire.read().expect("an answer to the ping");
        assert_eq!((&pong["id"], &pong["result"]), (&json!(42), &json!("pong")));
        wire.answer(&authorize, &json!(true));
        let suggested = wire.expect("mining.suggest_difficulty");
        assert_eq!(suggested["params"], json!([0.5]));
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..20 {
            let submit = wire.expect("mining.submit");
            assert_eq!(submit["params"].as_array().map(Vec::len), Some(5));
            let header = header_of(&notify_params("job one", 1, true), "a1b2c3d4", &submit, 0);
            assert_meets(Algorithm::Sha256d, &header, Difficulty::LEAST.target_to_search());
            assert!(seen.insert(header), "no share twice");
            match number {
                3 => wire.say(&json!({ "id": submit["id"], "result": null, "error": [21, "Job not found", null] })),
                5 => wire.say(&json!({ "id": submit["id"], "result": false })),
                _ => wire.answer(&submit, &json!(true)),
            }
        }
        see_off(&mut wire);
    });
    let server = Scripted::start(vec![odd]);
    let url = format!("stratum+tcp://user.rig1:x@127.0.0.1:{}", server.port);
    let mut mining = Mining::start(&["--url", &url, "--suggest-difficulty", "0.5"]);
    let mut fates = Vec::new();
    while fates.len() < 20 {
        fates.push(mining.until("share")["fate"].as_str().expect("text").to_owned());
    }
    assert_eq!((&*fates[3], &*fates[5]), ("stale", "refused"));
    mining.signal("TERM");
    let (end, _) = mining.end();
    server.end();
    assert_eq!((&end["stale"], &end["refused"]), (&json!(1), &json!(1)));
    assert!(end["accepted"].as_u64() >= Some(18));
}

/// Nothing listens at the first, the second hangs up, the third works.
#[test]
fn the_next_server_takes_over() {
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let rude = Scripted::start(vec![Box::new(|stream: TcpStream| {
        let end = stream.try_clone().expect("a stream");
        let mut wire = Wire::new(stream);
        wire.expect("mining.configure");
        end.shutdown(Shutdown::Write).expect("it is open");
        // What is closed with bytes unread is reset instead.
        while wire.read().is_some() {}
    })]);
    let good = Scripted::start(vec![one_block(Algorithm::Sha256d)]);
    let urls = [url(gone), url(rude.port), url(good.port)];
    let mining = Mining::start(&[
        "--url",
        &urls[0],
        "--url",
        &urls[1],
        "--url",
        &urls[2],
        "--user",
        "user.rig1",
        "--blocks",
        "1",
    ]);
    let (_, seen) = mining.end();
    rude.end();
    good.end();
    let left = |server: &str| {
        let is_it = |event: &&Value| event["event"] == "left" && event["server"] == server;
        let left = seen.iter().find(is_it).expect("left");
        assert!(left["retry_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
        left["reason"].as_str().expect("text").to_owned()
    };
    assert!(left(&urls[0]).starts_with("cannot connect: 127.0.0.1"), "{}", left(&urls[0]));
    assert!(left(&urls[1]).contains("closed"), "{}", left(&urls[1]));
    let active = seen.iter().find(|event| event["event"] == "active").expect("one");
    assert_eq!(active["server"], json!(urls[2]));
}

/// The connection breaks in the middle; shares found meanwhile are submitted on the next one.
#[test]
fn a_session_is_resumed_after_a_break() {
    let job = easy_job("7f", 1);
    let first = job.clone();
    let breaks: Script = Box::new(move |stream| {
        let mut wire = Wire::new(stream);
        welcome(&mut wire);
        wire.notify("mining.set_difficulty", &json!([1]));
        wire.notify("mining.notify", &first);
        // It takes the share and hangs up without an answer.
        wire.expect("mining.submit");
    });
    let resumes: Script = Box::new(move |stream| {
        let mut wire = Wire::new(stream);
        let configure = wire.expect("mining.configure");
        wire.answer(
            &configure,
            &json!({ "version-rolling": true, "version-rolling.mask": "1fffe000" }),
        );
        let subscribe = wire.expect("mining.subscribe");
        assert_eq!(subscribe["params"][1], "aa01");
        wire.answer(&subscribe, &json!([[["mining.notify", "aa01"]], "a1b2c3d4", 4]));
        let authorize = wire.expect("mining.authorize");
        wire.answer(&authorize, &json!(true));
        wire.notify("mining.set_difficulty", &json!([1]));
        wire.notify("mining.notify", &job);
        accept_block(&mut wire, Algorithm::Sha256d, &job);
        see_off(&mut wire);
    });
    let server = Scripted::start(vec![breaks, resumes]);
    let url = url(server.port);
    let mining = Mining::start(&["--url", &url, "--user", "user.rig1", "--blocks", "1"]);
    let (end, seen) = mining.end();
    server.end();
    assert!(seen.iter().any(|event| event["event"] == "left"));
    assert_eq!(end["lost"], 0);
}

#[test]
fn signals_pause_resume_and_end() {
    let server = Scripted::start(vec![Box::new(|stream| {
        let mut wire = Wire::new(stream);
        welcome(&mut wire);
        wire.notify("mining.notify", &notify_params("1", 1, true));
        see_off(&mut wire);
    })]);
    let url = url(server.port);
    let mut mining = Mining::start(&["--url", &url, "--user", "user.rig1"]);
    mining.until("job");
    mining.signal("USR1");
    assert_eq!(mining.until("paused")["reason"], "on request");
    mining.signal("USR2");
    mining.until("resumed");
    mining.signal("TERM");
    let (end, _) = mining.end();
    server.end();
    // On a busy machine the pause may come before the first batch has ended.
    assert!(end["hashes"].is_u64(), "{end}");
    assert_eq!((&end["accepted"], &end["lost"]), (&json!(0), &json!(0)), "{end}");
}

/// Nobody reads while a server talks and talks: the miner answers it all the same, and whoever reads later is
/// told how many lines are missing, and where.
#[test]
fn lines_that_nobody_reads_are_left_out_and_counted() {
    const LINES: u64 = 4_000;
    let (heard, all_is_heard) = std::sync::mpsc::channel();
    let talker: Script = Box::new(move |stream| {
        let mut wire = Wire::new(stream);
        welcome(&mut wire);
        wire.notify("mining.set_difficulty", &json!([1_000_000]));
        wire.notify("mining.notify", &notify_params("7f", 1, true));
        for _ in 0..LINES {
            wire.notify("client.show_message", &json!(["x".repeat(100)]));
        }
        wire.say(&json!({ "id": 99, "method": "mining.ping", "params": [] }));
        while wire.read().expect("an answer")["id"] != 99 {}
        heard.send(()).expect("the test waits");
        see_off(&mut wire);
    });
    let server = Scripted::start(vec![talker]);
    let mining = Mining::start(&["--url", &url(server.port), "--user", "user.rig1"]);
    all_is_heard.recv_timeout(Duration::from_secs(120)).expect("it waits for no reader");
    mining.signal("TERM");
    let (_, seen) = mining.end();
    server.end();
    let of = |name: &str| seen.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    let left_out = of("left_out");
    assert_eq!(left_out.len(), 1, "in one place");
    let (told, missing) = (of("message").len() as u64, left_out[0]["lines"].as_u64().unwrap());
    assert!(missing > 0 && told + missing >= LINES, "{told} told, {missing} left out");
    assert!(told + missing <= LINES + 20, "but for a line of the rate every ten seconds");
}

/// A server whose certificate nobody signed, trusted by its fingerprint.
#[test]
fn a_pinned_certificate_is_trusted_and_no_other() {
    let certificate = include_bytes!("tls/server.cert.der");
    let key =
        rustls::pki_types::PrivatePkcs8KeyDer::from(&include_bytes!("tls/server.key.der")[..]);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.to_vec().into()], key.clone_key().into())
        .expect("a certificate and its key");
    let config = Arc::new(config);
    let serve = move |stream: TcpStream| {
        let connection = rustls::ServerConnection::new(Arc::clone(&config)).expect("a connection");
        rustls::StreamOwned::new(connection, stream)
    };
    let refused = serve.clone();
    let server = Scripted::start(vec![
        Box::new(move |stream| {
            // The client ends the handshake.
            assert!(refused(stream).read(&mut [0]).is_err());
        }),
        Box::new(move |stream| {
            let mut wire = Wire::new(serve(stream));
            welcome(&mut wire);
            let job = easy_job("7f", 1);
            wire.notify("mining.notify", &job);
            accept_block(&mut wire, Algorithm::Sha256d, &job);
            see_off(&mut wire);
        }),
    ]);
    let url = format!("stratum+tls://127.0.0.1:{}", server.port);
    let wrong = "00".repeat(32);
    let args = ["--url", &url, "--user", "user.rig1", "--blocks", "1", "--tls-fingerprint"];
    let mut mining = Mining::start(&[&args[..], &[&wrong]].concat());
    let reason = mining.until("left")["reason"].clone();
    let fingerprint = hex::encode(sha256(certificate));
    assert!(reason.as_str().is_some_and(|reason| reason.contains(&fingerprint)), "{reason}");
    mining.signal("TERM");
    mining.end();
    Mining::start(&[&args[..], &[&fingerprint]].concat()).end();
    server.end();
}

/// One request of an HTTP client: its headers in lower case and its body.
fn request(stream: &TcpStream) -> (String, Value) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).expect("a line") > 0, "{head}");
    }
    let length = head
        .to_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.expect("a length")];
    reader.read_exact(&mut body).expect("a body");
    (head, serde_json::from_slice(&body).expect("JSON"))
}

fn respond(mut stream: TcpStream, status: &str, body: &Value) {
    let body = body.to_string();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

/// A node shaped like Bitcoin Core: still downloading at first, then a template, a long poll that waits, and
/// a block that it takes.
#[test]
fn a_node_with_a_cookie_is_mined_for() {
    let dir = tempfile::tempdir().expect("a folder");
    let cookie = dir.path().join(".cookie");
    std::fs::write(&cookie, "__cookie__:5ec2e7").expect("written");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let node = std::thread::spawn(move || {
        let mut waiting = Vec::new();
        let mut templates = 0;
        for stream in listener.incoming() {
            let stream = stream.expect("a connection");
            let (head, body) = request(&stream);
            assert!(head.starts_with("POST / HTTP/1.1\r\n"), "{head}");
            // "__cookie__:5ec2e7" in base 64.
            assert!(head.contains("Basic X19jb29raWVfXzo1ZWMyZTc=\r\n"), "{head}");
            let answer =
                |result: Value| json!({ "result": result, "error": null, "id": body["id"] });
            if body["method"] == "submitblock" {
                respond(stream, "200 OK", &answer(Value::Null));
                return;
            }
            assert_eq!(body["method"], "getblocktemplate");
            if body["params"][0].get("longpollid").is_some() {
                waiting.push(stream);
                continue;
            }
            templates += 1;
            if templates == 1 {
                let error = json!({ "code": -10, "message": "Bitcoin Core is in initial sync" });
                let body = json!({ "result": null, "error": error, "id": body["id"] });
                respond(stream, "500 Internal Server Error", &body);
            } else {
                let mut template = core_template(5, 2);
                template["bits"] = json!(crate::scripted::BLOCK_BITS);
                template["target"] = json!(format!("0000ffff{}", "0".repeat(56)));
                respond(stream, "200 OK", &answer(template));
            }
        }
    });
    let url = format!("http://127.0.0.1:{port}");
    let cookie = cookie.to_str().expect("text");
    let payout = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    let mining =
        Mining::start(&["--url", &url, "--cookie", cookie, "--payout", payout, "--blocks", "1"]);
    let (end, seen) = mining.end();
    node.join().expect("the node's script");
    assert_eq!(end["blocks"], 1);
    let left = seen.iter().find(|event| event["event"] == "left").expect("not ready at first");
    assert!(left["reason"].as_str().is_some_and(|reason| reason.contains("downloading")), "{left}");
    let job = seen.iter().find(|event| event["event"] == "job").expect("a job");
    assert_eq!(job["height"], 840_123);
}

#[test]
fn bad_calls_are_told_in_one_line() {
    let refused = |args: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_proofward"))
            .arg("mine")
            .args(args)
            .output()
            .expect("the binary starts");
        let text = String::from_utf8(output.stderr).expect("text");
        assert_eq!((output.status.code(), text.lines().count()), (Some(2), 1), "{args:?}: {text}");
        text
    };
    let server = "stratum+tcp://127.0.0.1:1";
    assert!(refused(&["--url", "127.0.0.1:1"]).contains("expected stratum+tcp://HOST:PORT"));
    assert!(refused(&["--url", server]).contains("give --user"));
    let with = |args: &[&str]| refused(&[&["--url", server, "--user", "u"], args].concat());
    assert!(with(&["--algorithm", "md5"]).contains("expected sha256d or blake3"));
    assert!(with(&["--suggest-difficulty", "1e-7"]).contains("expected a number from 0.000001"));
    assert!(with(&["--payout-script", "0"]).contains("1 to 255 bytes in hex"));
    assert!(with(&["--payout", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"]).contains("--payout-script"));
    assert!(with(&["--tls-fingerprint", "00"]).contains("64 hex digits"));
    assert!(with(&["--affinity", "1-0"]).contains("ascending range"));
    assert!(with(&["--affinity", "x"]).contains("such as 0,2-3"));
    assert!(with(&["--affinity", "1023"]).contains("CPU 1023 is none of those"));
    assert!(refused(&["--pause-on-battery"]).contains("--url"));
}
