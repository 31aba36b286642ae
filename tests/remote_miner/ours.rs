//! Our miner against our own node, as two processes: both protocols, both algorithms. Blocks are found and
//! taken; no share is refused but for coming late.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use proofward::hash::Algorithm;
use proofward::ledger::credit::Activity;
use proofward::ledger::spec::Spec;
use proofward::ledger::transaction::reading::Assurance;
use proofward::node::budget::HashBudget;
use proofward::primitives::CompactTarget;
use serde_json::{Value, json};

use crate::common::{GENESIS_TIME, Key, easy_spec};
use crate::scripted::Mining;

/// A block takes some ten thousand hashes, at any time.
fn spec(algorithm: Algorithm) -> Spec {
    let bits = CompactTarget(0x1f00_ffff);
    let spacing = Spec { spacing_s: 3600, half_life_s: 288_000, ..easy_spec() };
    let spec = Spec { algorithm, limit: bits, start: bits, future_limit_s: 28_800, ..spacing };
    spec.check().expect("a specification")
}

/// `proofward node`, ended with the test.
struct Node {
    child: Child,
    ready: Value,
}

impl Node {
    fn start(dir: &Path, algorithm: Algorithm, config: &str) -> Self {
        let (file, settings) = (dir.join("chain.toml"), dir.join("node.toml"));
        std::fs::write(&file, spec(algorithm).to_toml()).expect("written");
        std::fs::write(&settings, config).expect("written");
        let mut child = Command::new(env!("CARGO_BIN_EXE_proofward"))
            .arg("node")
            .arg("--chain")
            .arg(&file)
            .arg("--dir")
            .arg(dir.join("chain"))
            .arg("--config")
            .arg(&settings)
            .args(["--format", "json"])
            .args(["--stratum", "127.0.0.1:0", "--rpc", "127.0.0.1:0", "--http", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut first = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("piped"));
        lines.read_line(&mut first).expect("a line");
        // Whoever reads no more must not stop the node.
        std::thread::spawn(move || lines.lines().for_each(drop));
        let ready = serde_json::from_str(&first).expect("the node is ready");
        Self { child, ready }
    }

    fn text(&self, field: &str) -> &str {
        self.ready[field].as_str().expect("text")
    }

    /// What it says of itself.
    fn status(&self) -> Value {
        let mut stream = TcpStream::connect(self.text("http")).expect("a connection");
        let request = b"GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).expect("JSON")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn both_protocols_find_blocks_of_both_algorithms() {
    for algorithm in Algorithm::ALL {
        let dir = tempfile::tempdir().expect("a folder");
        let node = Node::start(dir.path(), algorithm, "");
        let stratum = format!("stratum+tcp://{}", node.text("stratum"));
        let rpc = format!("http://{}", node.text("rpc"));
        let stratum = ["--url", &stratum, "--user", "rig1"];
        let template = ["--url", &rpc, "--cookie", node.text("cookie")];
        for server in [stratum, template] {
            let common = ["--algorithm", algorithm.name(), "--blocks", "3"];
            let (end, seen) = Mining::start(&[&server[..], &common].concat()).end();
            assert!(end["blocks"].as_u64() >= Some(3), "{end}");
            let refused = |event: &&Value| event["fate"] == "refused" || event["event"] == "left";
            assert_eq!(seen.iter().find(refused), None, "{algorithm} {server:?}");
            assert_eq!(end["refused"], json!(0));
        }
    }
}

/// Sixteen shares a block on average; both ends count the same.
#[test]
fn shares_by_template_are_counted_at_both_ends() {
    for algorithm in Algorithm::ALL {
        let dir = tempfile::tempdir().expect("a folder");
        let node = Node::start(dir.path(), algorithm, "[rpc]\nshare_difficulty = 0.000001\n");
        let rpc = format!("http://{}", node.text("rpc"));
        let server = ["--url", &rpc, "--cookie", node.text("cookie")];
        let common = ["--algorithm", algorithm.name(), "--blocks", "4"];
        let (end, seen) = Mining::start(&[server, common].concat()).end();
        let shares = seen.iter().filter(|event| event["event"] == "share");
        for share in shares.filter(|share| share["fate"] != "accepted") {
            assert_eq!(share["fate"], "stale", "{share}");
        }
        assert!(end["accepted"].as_u64() > end["blocks"].as_u64(), "{end}");
        let counted = &node.status()["rpc"]["workers"][0];
        for field in ["accepted", "blocks"] {
            assert_eq!(counted[field], end[field], "{counted}");
        }
    }
}

/// Two minutes at rest and an hour's walk, and where the budget stands after each.
#[test]
fn hashes_for_other_peoples_servers_come_out_of_a_budget() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), Algorithm::Sha256d, "");
    let stratum = format!("stratum+tcp://{}", node.text("stratum"));
    let rpc = format!("http://{}", node.text("rpc"));
    let path = dir.path().join("walks.json");
    let file = path.to_str().expect("text");
    let credit = |(t0, t1): (u32, u32), steps| {
        let mut budget = HashBudget::open(&path).expect("a budget");
        let activity = Activity { wear_s: t1 - t0, active_s: 60, steps };
        let samples = [u8::from(steps > 0); 32];
        let device = Key::new(60).public();
        let bought = budget.credit(device, (t0, t1), activity, Assurance::File, samples);
        budget.save().expect("written");
        bought.expect("new to it")
    };
    let of = |seen: &[Value]| {
        let mut lines = seen.iter().filter(|event| event["event"] == "budget");
        let line = lines.next().expect("a statement").clone();
        assert!(lines.next().is_none());
        ["earned", "spent", "left", "hashes"].map(|field| line[field].as_u64().expect("a number"))
    };

    // To the last hash, and then it ends by itself.
    let bought = credit((GENESIS_TIME, GENESIS_TIME + 120), 0);
    let stratum = ["--url", &stratum, "--user", "rig1", "--pass", "d=0.000001", "--budget", file];
    let (end, seen) = Mining::start(&stratum).end();
    assert_eq!(of(&seen), [bought, bought, 0, bought]);
    assert_eq!(end["hashes"], json!(bought), "not one more");
    assert!(end["accepted"].as_u64() > Some(0), "{end}");
    let (end, seen) = Mining::start(&stratum).end();
    assert_eq!((of(&seen), &end["hashes"]), ([bought, bought, 0, 0], &json!(0)));

    // What is not used when it is told to end is there for the next time.
    let more = credit((GENESIS_TIME + 120, GENESIS_TIME + 3720), 5000);
    let template = ["--url", &rpc, "--cookie", node.text("cookie"), "--blocks", "1"];
    let (end, seen) = Mining::start(&[&template[..], &["--budget", file]].concat()).end();
    let hashes = end["hashes"].as_u64().expect("a number");
    assert!((1..more).contains(&hashes), "{hashes} of {more}");
    assert_eq!(of(&seen), [bought + more, bought + hashes, more - hashes, hashes]);
    let budget = HashBudget::open(&path).expect("a budget");
    assert_eq!(
        (budget.account().spent(), budget.account().left()),
        (bought + hashes, more - hashes)
    );
}
