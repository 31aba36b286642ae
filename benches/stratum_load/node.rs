//! The server's process: a node on a chain of its own, what it says of itself, and how fast its RPC
//! answers.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use proofward::hash::Algorithm;
use proofward::ledger::address::Address;
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::{Spec, published_seed};
use proofward::node::unix_now;
use proofward::primitives::CompactTarget;
use serde_json::Value;

/// `u:p` in base 64.
const CREDENTIALS: &str = "dTpw";

pub(crate) struct Node {
    pub(crate) stratum: SocketAddr,
    pub(crate) rpc: SocketAddr,
    pub(crate) http: SocketAddr,
    /// Who is paid.
    pub(crate) address: String,
    pub(crate) algorithm: Algorithm,
    process: Child,
    _dir: tempfile::TempDir,
}

/// A million hashes a block: none is found by accident, since clients leave out what would be one.
fn spec() -> Spec {
    let anchor = PubKey::of_seed(&published_seed("test anchor"));
    let now = u32::try_from(unix_now()).expect("before 2106");
    let start = CompactTarget(0x1e0f_ffff);
    Spec {
        name: "load".into(),
        limit: start,
        start,
        spacing_s: 3600,
        half_life_s: 288_000,
        future_limit_s: 7200,
        ..Spec::local(now, anchor).expect("a chain")
    }
    .check()
    .expect("a chain")
}

impl Node {
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name);
        let spec = spec();
        fs::write(path("chain.toml"), spec.to_toml()).expect("a file");
        let config = "[rpc]\nuser = \"u\"\npassword = \"p\"\n";
        fs::write(path("node.toml"), config).expect("a file");
        let mut process = Command::new(env!("CARGO_BIN_EXE_proofward"))
            .args(["node", "--format", "json", "--stratum", "127.0.0.1:0"])
            .args(["--rpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--dir"])
            .args([path("chain").as_os_str(), "--chain".as_ref(), path("chain.toml").as_os_str()])
            .args(["--config".as_ref(), path("node.toml").as_os_str()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let ready = lines.next().expect("a line").expect("UTF-8");
        let ready: Value = serde_json::from_str(&ready).expect("JSON");
        // Nobody is to wait for the rest to be read.
        std::thread::spawn(move || lines.for_each(drop));
        let at = |door: &str| ready[door].as_str().expect(door).parse().expect("an address");
        let key = PubKey::of_seed(&published_seed("test witness"));
        let prefix = spec.address_prefix.parse().expect("a prefix");
        Self {
            stratum: at("stratum"),
            rpc: at("rpc"),
            http: at("http"),
            address: Address { prefix, key }.to_string(),
            algorithm: spec.algorithm,
            process,
            _dir: dir,
        }
    }

    /// Memory that is resident.
    pub(crate) fn memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.expect("Linux");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line");
        line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
    }

    /// What it says of itself.
    pub(crate) fn status(&self) -> Value {
        let mut stream = TcpStream::connect(self.http).expect("it listens");
        let request =
            format!("GET /status HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.http);
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let body = answer.split("\r\n\r\n").nth(1).expect("a body");
        serde_json::from_str(body).expect("JSON")
    }

    /// Shares that it has accepted, and others.
    pub(crate) fn shares(&self) -> (u64, u64) {
        let shares = &self.status()["stratum"]["shares"];
        let rejected = shares["rejected"].as_object().expect("counts");
        let rejected: u64 = rejected.values().filter_map(Value::as_u64).sum();
        let number = |name: &str| shares[name].as_u64().expect("a count");
        (number("accepted"), rejected + number("stale"))
    }

    pub(crate) fn stop(mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
    }
}

/// Milliseconds of so many calls one after another, in ascending order.
pub(crate) fn rpc_latencies(rpc: SocketAddr, count: usize) -> Vec<f64> {
    let body = r#"{"id":1,"method":"getmininginfo","params":[]}"#;
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {rpc}\r\nAuthorization: Basic {CREDENTIALS}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut ms: Vec<f64> = (0..count)
        .map(|_| {
            let start = Instant::now();
            let mut stream = TcpStream::connect(rpc).expect("it listens");
            stream.write_all(request.as_bytes()).expect("a request");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("an answer");
            assert!(
                answer.starts_with("HTTP/1.1 200") && answer.contains("\"blocks\""),
                "{answer}"
            );
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    ms.sort_by(f64::total_cmp);
    ms
}
