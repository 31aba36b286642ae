//! The node as a process, ended among a thousand clients while one of them finds blocks: whatever share
//! that is a block was answered with `true` stands in the chain afterwards. Killed without warning, and
//! asked to end.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};

use proofward::hash::Algorithm;
use proofward::ledger::chain::View;
use proofward::node::dir::ChainDir;
use proofward::node::stratum::server::files_max;
use proofward::primitives::CompactTarget;
use serde_json::Value;

use crate::client::{Work, bytes_of, search};
use crate::common::{Key, easy_spec};
use crate::tcp::Peer;
use crate::world::address;

const CLIENTS: usize = 1000;
/// Blocks that have been answered when the node is ended; more are on their way.
const BLOCKS: usize = 12;

struct Node {
    process: Child,
    stratum: std::net::SocketAddr,
}

/// Stamps may run ahead, so that many blocks fit into a second.
fn spec() -> proofward::ledger::spec::Spec {
    proofward::ledger::spec::Spec {
        spacing_s: 3600,
        half_life_s: 288_000,
        future_limit_s: 7200,
        ..easy_spec()
    }
    .check()
    .unwrap()
}

impl Node {
    fn start(dir: &Path) -> Self {
        let chain = dir.join("chain.toml");
        std::fs::write(&chain, spec().to_toml()).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_proofward"))
            .args(["node", "--format", "json", "--stratum", "127.0.0.1:0"])
            .args(["--rpc", "off", "--http", "off", "--chain", chain.to_str().unwrap()])
            .args(["--dir", dir.join("chain").to_str().unwrap()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        // Found blocks are told there; nobody is to wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let stratum = ready["stratum"].as_str().unwrap().parse().unwrap();
        Self { process, stratum }
    }
}

/// Mines until the node is gone, and tells of each block that was answered; how many were sent.
fn mine(mut peer: Peer, user: &str, answered: &Sender<()>) -> usize {
    let lines = peer.login(user, "");
    let value = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    let en1 = bytes_of(&value(&lines[0])["result"][1]);
    let mut work = Work::of(&value(&lines[2]));
    let mut sent = 0;
    loop {
        let header = work.header(&[&en1[..], &[0; 4]].concat(), work.version, work.time);
        let network = CompactTarget(work.bits).to_target().unwrap();
        let nonce = search(Algorithm::Sha256d, header, 0, &network, None);
        let (job, time) = (&work.id, work.time);
        let share = format!(
            "{{\"id\":4,\"method\":\"mining.submit\",\"params\":[\"{user}\",\"{job}\",\"00000000\",\
             \"{time:08x}\",\"{nonce:08x}\"]}}\n"
        );
        if peer.stream.write_all(share.as_bytes()).is_err() {
            return sent;
        }
        sent += 1;
        let (mut is_answered, mut is_given) = (false, false);
        while !(is_answered && is_given) {
            let Some(line) = peer.line() else { return sent };
            let value = value(&line);
            if value["id"] == 4 {
                assert_eq!(value["result"], true, "{value}");
                is_answered = true;
                answered.send(()).unwrap();
            } else if value["method"] == "mining.notify" {
                work = Work::of(&value);
                is_given |= work.is_clean;
            }
        }
    }
}

/// Blocks of the best chain that pay this key.
fn blocks_of(dir: &Path, key: u32) -> usize {
    let ledger = ChainDir::new(dir.join("chain")).open(NonZeroUsize::MIN).unwrap();
    let (mut hash, record) = ledger.tip().unwrap();
    let view: View<'_> = ledger.view();
    let mut count = 0;
    for _ in 0..record.height {
        let block = view.block(&hash).unwrap().unwrap();
        count += usize::from(block.coinbase.payouts[0].key == Key::new(key).public());
        hash = block.header.prev_block;
    }
    count
}

#[test]
fn a_node_that_ends_among_a_thousand_clients_has_every_block_that_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let clients = CLIENTS.min(files_max() / 4);
    println!("{clients} clients");
    let mut before = 0;
    for signal in ["-KILL", "-TERM"] {
        let mut node = Node::start(dir.path());
        let user = address(&spec(), 1);
        let mut crowd: Vec<Peer> = (0..clients).map(|_| Peer::new(node.stratum)).collect();
        for peer in &mut crowd {
            peer.login(&user, "");
        }
        let (answered, answers) = channel();
        let peer = Peer::new(node.stratum);
        let miner = std::thread::spawn(move || mine(peer, &user, &answered));
        for _ in 0..BLOCKS {
            answers.recv().expect("a block is answered");
        }
        let pid = node.process.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let status = node.process.wait().unwrap();
        assert_eq!(status.success(), signal == "-TERM", "{status}");
        let sent = miner.join().unwrap();
        let answered = BLOCKS + answers.iter().count();
        let there = blocks_of(dir.path(), 1) - before;
        println!("{signal}: {sent} blocks sent, {answered} answered, {there} in the chain");
        assert!((answered..=sent).contains(&there), "{there} of {answered} after {signal}");
        before += there;
    }
}
