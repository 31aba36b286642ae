//! The process: what it prints, whom it lets in, how it ends and how it dies.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use proofward::ledger::rules::context::Ancestors as _;
use proofward::node::config::Config;
use proofward::node::dir::ChainDir;
use proofward::wallet::TransactionFile;
use serde_json::{Value, json};

use crate::binary::{run, usage_error};
use crate::directory::{found, ok, quick_spec, text};
use crate::http::{Caller, get};
use crate::miner::Work;

const ANY_PORT: &str = "127.0.0.1:0";

struct Node {
    child: Child,
    lines: BufReader<ChildStdout>,
    ready: Value,
    log: PathBuf,
}

impl Node {
    /// Starts one and waits for its ready line.
    fn start(dir: &Path, more: &[&str]) -> Self {
        let log = dir.with_extension("log");
        let mut args = vec!["node", "--dir", text(dir), "--format", "json"];
        for door in ["--stratum", "--rpc", "--http"] {
            if !more.contains(&door) {
                args.extend([door, ANY_PORT]);
            }
        }
        args.extend(more);
        let mut child = Command::new(env!("CARGO_BIN_EXE_proofward"))
            .args(args)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut node = Self { child, lines, ready: Value::Null, log };
        node.ready = node.line().unwrap_or_else(|| panic!("no ready line: {}", node.log()));
        node
    }

    fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        (!line.is_empty()).then(|| serde_json::from_str(&line).unwrap())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    fn address(&self, door: &str) -> SocketAddr {
        self.ready[door].as_str().unwrap_or_else(|| panic!("{}", self.ready)).parse().unwrap()
    }

    fn caller(&self) -> Caller {
        let cookie = std::fs::read_to_string(self.ready["cookie"].as_str().unwrap()).unwrap();
        Caller::new(self.address("rpc"), &cookie)
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// What it still prints, and how long it takes to end.
    fn end(mut self) -> (Vec<Value>, Duration) {
        let started = Instant::now();
        let mut rest = Vec::new();
        while let Some(line) = self.line() {
            rest.push(line);
        }
        let status = self.child.wait().unwrap();
        let took = started.elapsed();
        assert!(status.success(), "{status}: {}", self.log());
        (rest, took)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Fails only for one that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sooner than any connection that says nothing is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// A directory with the chain on which every second hash is a block.
fn chain() -> (tempfile::TempDir, PathBuf) {
    let room = tempfile::tempdir().unwrap();
    let dir = room.path().join("chain");
    found(&dir);
    (room, dir)
}

/// The hash at a height, read from the store of a node that has ended.
fn hash_at(dir: &Path, height: u32) -> Option<String> {
    let (_, reader) = ChainDir::new(dir).read().unwrap();
    let snapshot = reader.snapshot().unwrap();
    let hash = proofward::ledger::chain::View(&*snapshot).hash_at(height).unwrap();
    hash.map(|hash| hash.to_string())
}

#[test]
fn it_says_where_it_is_and_lets_the_owner_in() {
    let (_room, dir) = chain();
    let node = Node::start(&dir, &[]);
    assert_eq!((&node.ready["schema"], &node.ready["event"]), (&json!(1), &json!("ready")));
    let cookie = Path::new(node.ready["cookie"].as_str().unwrap()).to_owned();
    let mode = std::fs::metadata(&cookie).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "A50: nobody else reads it");
    let rpc = node.caller();
    assert_eq!(rpc.call("getblockcount", json!([])), json!(0));

    let http = node.address("http");
    let health = get(http, "/health");
    assert_eq!((health.status, &health.json()["healthy"]), (200, &json!(true)));
    assert_eq!(rpc.submit(&Work::of(&rpc.template()).block(), None), None);
    let status = get(http, "/status").json();
    assert_eq!(status["chain"]["height"], json!(1));
    assert_eq!(status["stratum"]["connections"], json!(0));
    assert_eq!(status["rpc"]["share_difficulty"], Value::Null);
    let worker = &status["rpc"]["workers"][0];
    assert_eq!(worker["name"], json!("__cookie__@127.0.0.1"));
    assert_eq!((&worker["accepted"], &worker["blocks"]), (&json!(1), &json!(1)));
    let metrics = get(http, "/metrics");
    assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    for expected in ["proofward_height 1.0", "proofward_rpc_shares_accepted_total 1"] {
        assert!(metrics.body.lines().any(|line| line == expected), "{}", metrics.body);
    }
    assert!(metrics.body.ends_with("# EOF\n"));
    assert_eq!(get(http, "/").status, 404);
    assert_eq!(crate::http::request(http, "POST", "/status", &[], b"").status, 405);
    let line = ["Host: evil.example"];
    assert_eq!(crate::http::request(http, "GET", "/status", &line, b"").status, 403, "A51");

    rpc.call("stop", json!([]));
    let (rest, _) = node.end();
    assert_eq!(rest.len(), 1, "{rest:?}");
    let block = &rest[0];
    assert_eq!((&block["event"], &block["height"]), (&json!("block"), &json!(1)));
    assert_eq!(block["reward_units"], json!(50 * 100_000_000_u64));
    assert_eq!(block["spendable_at"], json!(1 + quick_spec().maturity_blocks));
    assert!(!cookie.exists(), "it opens nothing any more");
}

#[test]
fn a_signal_ends_it_whoever_is_connected_and_nothing_is_lost() {
    let (_room, dir) = chain();
    let node = Node::start(&dir, &[]);
    let rpc = node.caller();
    // Some who are connected and say nothing, one who waits for a new tip.
    let idle: Vec<_> = ["rpc", "http", "stratum"]
        .iter()
        .map(|door| std::net::TcpStream::connect(node.address(door)).unwrap())
        .collect();
    let template = rpc.template();
    assert_eq!(rpc.submit(&Work::of(&template).block(), None), None);
    let waiting = rpc.template();
    let poll = std::thread::spawn({
        let rpc = rpc.clone();
        let request = json!([{"longpollid": waiting["longpollid"]}]).clone();
        move || {
            let call = json!({"method": "getblocktemplate", "params": request, "id": 1});
            rpc.post(call.to_string().as_bytes()).status
        }
    });
    let work = Work::of(&waiting);
    assert_eq!(rpc.submit(&work.block(), None), None);
    assert_eq!(poll.join().unwrap(), 200);
    let tip = rpc.call("getbestblockhash", json!([]));
    node.signal("-TERM");
    let (rest, took) = node.end();
    println!("ended in {took:?}");
    assert!(took < PATIENCE, "{took:?}");
    drop(idle);
    let heights: Vec<&Value> = rest.iter().map(|line| &line["height"]).collect();
    assert_eq!(heights, [&json!(1), &json!(2)], "what was found last is told as well");
    assert_eq!(hash_at(&dir, 2), tip.as_str().map(str::to_owned));
}

#[test]
fn a59_a_block_that_was_answered_outlives_kill_9() {
    let (_room, dir) = chain();
    let mut height = 0;
    for _ in 0..5 {
        let node = Node::start(&dir, &["--http", "off", "--stratum", "off"]);
        let rpc = node.caller();
        assert_eq!(rpc.call("getblockcount", json!([])), json!(height));
        for _ in 0..3 {
            assert_eq!(rpc.submit(&Work::of(&rpc.template()).block(), None), None);
            height += 1;
        }
        let tip = rpc.call("getbestblockhash", json!([]));
        node.signal("-KILL");
        drop(node);
        assert_eq!(hash_at(&dir, height), tip.as_str().map(str::to_owned));
    }
    ok(&["verify", "chain", text(&dir)]);
}

/// Whoever does not read what it tells, and leaves the pipe full, delays neither its work nor its end.
#[test]
fn a_full_pipe_holds_nothing_up() {
    let (_room, dir) = chain();
    let (reader, writer) = std::io::pipe().unwrap();
    let mut filler = writer.try_clone().unwrap();
    // Nobody ever reads the log, and much is logged.
    let (log_reader, log_writer) = std::io::pipe().unwrap();
    let config = dir.with_extension("toml");
    std::fs::write(&config, "[log]\nlevel = \"debug\"\n").unwrap();
    let mut log_filler = log_writer.try_clone().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_proofward"))
        .args(["node", "--dir", text(&dir), "--format", "json", "--rpc", ANY_PORT])
        .args(["--stratum", "off", "--http", "off", "--config", text(&config)])
        .stdout(writer)
        .stderr(log_writer)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(reader);
    let mut ready = String::new();
    lines.read_line(&mut ready).unwrap();
    let ready: Value = serde_json::from_str(&ready).unwrap();
    // It waits for room as soon as there is none, until the reader is gone.
    let filling =
        std::thread::spawn(move || std::io::copy(&mut std::io::repeat(b' '), &mut filler));
    let filling_log =
        std::thread::spawn(move || std::io::copy(&mut std::io::repeat(b' '), &mut log_filler));
    let cookie = std::fs::read_to_string(ready["cookie"].as_str().unwrap()).unwrap();
    let rpc = Caller::new(ready["rpc"].as_str().unwrap().parse().unwrap(), &cookie);
    let (done, calls_done) = std::sync::mpsc::channel();
    let calls = std::thread::spawn(move || {
        for height in 1..=20 {
            assert_eq!(rpc.code("nothing", json!([])), -32_601, "each is a line of the log");
            assert_eq!(rpc.submit(&Work::of(&rpc.template()).block(), None), None);
            assert_eq!(rpc.call("getblockcount", json!([])), json!(height));
        }
        done.send(()).unwrap();
    });
    if calls_done.recv_timeout(PATIENCE).is_err() {
        child.kill().unwrap();
    }
    calls.join().unwrap();
    let started = Instant::now();
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
        }
        std::thread::yield_now();
    };
    let took = started.elapsed();
    assert!(status.success() && took < Duration::from_secs(2), "{status} after {took:?}");
    drop((lines, log_reader));
    filling.join().unwrap().unwrap_err();
    filling_log.join().unwrap().unwrap_err();
    assert!(hash_at(&dir, 20).is_some());
}

/// Nobody reads, the pipe is full: blocks are found all the same, and standard error says what was lost.
#[test]
fn mining_does_not_wait_for_a_reader() {
    for format in ["json", "text"] {
        let (_room, dir) = chain();
        let (reader, writer) = std::io::pipe().unwrap();
        let mut filler = writer.try_clone().unwrap();
        let (filled, is_filled) = std::sync::mpsc::channel();
        // It waits for room as soon as there is none, until the reader is gone.
        let filling = std::thread::spawn(move || {
            while filler.write_all(&[b' '; 4096]).is_ok() {
                // Nobody asks any more once the pipe is almost full.
                let _ = filled.send(());
            }
        });
        (0..15).for_each(|_| is_filled.recv().unwrap());
        let child = Command::new(env!("CARGO_BIN_EXE_proofward"))
            .args(["mine", "--blocks", "3", "--threads", "1", "--kernel", "portable"])
            .args(["--format", format, "--dir", text(&dir)])
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let id = child.id().to_string();
        let (ended, has_ended) = std::sync::mpsc::channel();
        let watch = std::thread::spawn(move || {
            has_ended.recv_timeout(6 * PATIENCE).unwrap_or_else(|_| {
                drop(Command::new("kill").args(["-KILL", &id]).status());
            });
        });
        let output = child.wait_with_output().unwrap();
        ended.send(()).unwrap();
        watch.join().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{}: {told}", output.status);
        // Three blocks and what they took.
        assert!(told.contains("nobody read standard output: 4 lines were left out"), "{told}");
        drop(reader);
        filling.join().unwrap();
        assert!(hash_at(&dir, 3).is_some());
    }
}

#[test]
fn it_mines_by_itself_and_tells_of_each_block() {
    let (_room, dir) = chain();
    let mut node = Node::start(&dir, &["--mine", "--threads", "1", "--rpc", "off"]);
    assert_eq!((&node.ready["rpc"], &node.ready["cookie"].is_string()), (&Value::Null, &true));
    for height in 1..=3 {
        let block = node.line().unwrap();
        assert_eq!((&block["finder"], &block["height"]), (&json!("this machine"), &json!(height)));
    }
    node.signal("-INT");
    let (rest, took) = node.end();
    assert!(took < PATIENCE, "{took:?}");
    let last = rest.last().map_or(3, |line| line["height"].as_u64().unwrap());
    let last = u32::try_from(last).unwrap();
    assert!(hash_at(&dir, last).is_some() && hash_at(&dir, last + 1).is_none());
}

/// A transaction that was answered is pending again after a restart.
#[test]
fn a_transaction_outlives_the_process() {
    let (_room, dir) = chain();
    crate::directory::mine_in(&dir, "6");
    let file = dir.with_extension("pay");
    let to = hex::encode(crate::common::Key::new(3).public().0);
    ok(&["pay", &to, "1", "--from", "miner", "--dir", text(&dir), "--out", text(&file)]);
    let file = TransactionFile::parse(&std::fs::read(&file).unwrap()).unwrap();
    let bytes = hex::encode(file.complete().unwrap().encode());
    let node = Node::start(&dir, &["--stratum", "off", "--http", "off"]);
    let id = node.caller().call("sendrawtransaction", json!([bytes]));
    node.signal("-KILL");
    drop(node);
    let node = Node::start(&dir, &["--stratum", "off", "--http", "off"]);
    let rpc = node.caller();
    assert_eq!(rpc.call("getrawmempool", json!([])), json!([id]));
    assert_eq!(rpc.submit(&Work::of(&rpc.template()).block(), None), None);
    assert_eq!(rpc.call("getrawmempool", json!([])), json!([]));
}

#[test]
fn a49_what_strangers_send_does_not_fill_the_log() {
    let (_room, dir) = chain();
    let node = Node::start(&dir, &["--stratum", "off", "--http", "off"]);
    let rpc = node.caller();
    let bad = json!({"method": "nothing of the kind", "id": 1}).to_string();
    let batch = format!("[{}]", vec![bad; 1000].join(","));
    for _ in 0..999 {
        assert_eq!(rpc.post(batch.as_bytes()).status, 200);
    }
    for _ in 0..1000 {
        assert_eq!(rpc.post(b"{").status, 200);
    }
    let bytes = node.log().len();
    println!("a million bad calls: {bytes} bytes of log");
    assert!(bytes < 2_000, "{}", node.log());
}

#[test]
fn the_configuration_explains_every_key_and_is_read_back() {
    let (code, printed, _) = run(&["node", "--print-config"]);
    assert_eq!(code, 0);
    assert_eq!(Config::from_toml(&printed).unwrap(), Config::default());
    let mut explained = false;
    let mut keys = 0;
    for line in printed.lines() {
        if line.contains(" = ") && !line.starts_with('#') {
            assert!(explained, "{line} is not explained");
            keys += 1;
        }
        explained = line.starts_with("# ");
    }
    let fields = toml::Table::try_from(Config::default()).unwrap();
    let fields: usize = fields.values().map(|section| section.as_table().unwrap().len()).sum();
    assert_eq!(keys, fields, "every field has its line");
    for text in [
        "[rpc]\nlisten = \"here\"",
        "[rpc]\nlongpoll_seconds = 61",
        "[rpc]\nshare_difficulty = 0.0000009",
        "[rpc]\nshare_difficulty = nan",
        "[rpc]\nshare_difficulty = -1",
        "[rpc]\nuser = \"a\"",
        "[mine]\nspeed = 1",
        "speed = 1",
        "[mine]\ncpu_limit = \"0%\"",
        "[http]\nconnections_max = 0",
    ] {
        assert!(Config::from_toml(text).is_err(), "{text}");
    }

    let (_room, dir) = chain();
    let file = dir.with_extension("node.toml");
    let text_of = "[rpc]\nuser = \"clinic\"\npassword = \"secret\"\nhosts = [\"node.clinic\"]\n";
    std::fs::write(&file, text_of).unwrap();
    let node = Node::start(&dir, &["--config", text(&file), "--stratum", "off"]);
    assert_eq!(node.ready["cookie"], Value::Null);
    let rpc = Caller::new(node.address("rpc"), "clinic:secret");
    assert_eq!(rpc.call("getblockcount", json!([])), json!(0));
    std::fs::write(&file, "[rpc]\nuser = \"clinic\"\ncolour = 1\n").unwrap();
    let error = usage_error(&["node", "--config", text(&file), "--dir", text(&dir)]);
    assert!(error.contains("colour"), "{error}");
}

#[test]
fn what_is_in_the_way_is_named() {
    let (_room, dir) = chain();
    let node = Node::start(&dir, &["--stratum", "off", "--http", "off"]);
    let rpc = node.ready["rpc"].as_str().unwrap();
    let (other_room, other) = chain();
    let error = usage_error(&[
        "node",
        "--dir",
        text(&other),
        "--rpc",
        rpc,
        "--stratum",
        "off",
        "--http",
        "off",
    ]);
    assert!(error.contains(rpc), "{error}");
    drop(other_room);
    let (code, _, error) = run(&["node", "--dir", text(&dir), "--rpc", ANY_PORT]);
    assert_eq!(code, 2);
    assert!(error.contains("another process"), "{error}");
    let error = usage_error(&["node", "--dir", text(&dir), "--rpc", "nowhere"]);
    assert!(error.contains("rpc.listen"), "{error}");
    drop(node);
    let (code, _, error) =
        run(&["node", "--dir", text(&dir), "--chain", "main", "--rpc", ANY_PORT]);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("holds chain"), "{error}");
}

#[test]
fn people_are_told_how_to_point_miners_at_it() {
    let (_room, dir) = chain();
    let mut child = Command::new(env!("CARGO_BIN_EXE_proofward"))
        .args(["node", "--dir", text(&dir), "--mine", "--threads", "1"])
        .args(["--stratum", ANY_PORT, "--rpc", ANY_PORT, "--http", ANY_PORT])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.next().unwrap().unwrap();
    assert!(ready.starts_with("ready: chain local at height 0, stratum 127.0.0.1:"), "{ready}");
    let block = lines.next().unwrap().unwrap();
    let spendable = 1 + quick_spec().maturity_blocks;
    let said = "this machine mined block 1: 0 access transactions, 50 tokens, spendable at";
    assert_eq!(block, format!("{said} {spendable}"));
    child.kill().unwrap();
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    child.wait().unwrap();
    for said in [
        "minerd -a sha256d -o stratum+tcp://127.0.0.1:",
        "cpuminer -a",
        "cgminer -o",
        "Bitaxe: Stratum Host 127.0.0.1",
        "this machine only",
        "--stratum 0.0.0.0:",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn files_for_operators_are_printed() {
    let (code, unit, _) = run(&["print", "systemd"]);
    assert!(code == 0 && unit.contains("ExecStart=") && unit.contains("proofward node"), "{unit}");
    let (code, file, _) = run(&["print", "container"]);
    assert!(code == 0 && file.starts_with("FROM ") && file.contains("STOPSIGNAL"), "{file}");
    let (code, completions, _) = run(&["print", "completions", "bash"]);
    assert!(code == 0 && completions.contains("--print-config"));
    let room = tempfile::tempdir().unwrap();
    assert_eq!(run(&["print", "man", "--out", text(room.path())]).0, 0);
    let page = std::fs::read_to_string(room.path().join("proofward-node.1")).unwrap();
    assert!(page.contains("stratum"), "{page}");
    let (_, help, _) = run(&["--help"]);
    assert!(help.contains("  node ") && !help.contains("  print "), "{help}");
}
