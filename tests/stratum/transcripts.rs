//! What six clients say to a server, replayed over TCP, and what they hear, line for line. The transcripts
//! stand in `transcripts/`, written by us after the clients' sources:
//!
//! ```text
//! # a comment
//! > a line to send          < a line to hear
//! < notify true             work, with this clean_jobs; it is kept
//! < difficulty              a difficulty, any
//! solve EN2 [VERSION]       searches a share of the work that was heard
//! tip                       somebody else finds a block
//! pass SECONDS              the clock goes on
//! reconnect                 the connection is lost; another is opened
//! ```
//!
//! `{user}`, `{en1}`, `{job}`, `{old}` (the job before), `{en2}`, `{ntime}`, `{nonce}`, `{short}` (without leading zeros) and
//! `{version}` stand for what they say.

use std::collections::BTreeMap;

use proofward::hash::Algorithm;
use proofward::primitives::CompactTarget;
use serde_json::Value;

use crate::client::{Work, search, target_of};
use crate::tcp::{Peer, Port};

struct Replay<'a> {
    port: &'a Port,
    peer: Peer,
    work: Option<Work>,
    /// Under which extranonce each job was heard. minerd takes work for new when its id is, so that after
    /// a reconnection which gave it another extranonce the id must be another, too.
    jobs: BTreeMap<String, String>,
    names: BTreeMap<&'static str, String>,
}

impl Replay<'_> {
    fn fill(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }

    fn step(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            ">" => self.peer.send(&self.fill(rest)),
            "<" => self.hear(rest),
            "solve" => self.solve(rest),
            "tip" => self.port.mine(),
            "pass" => {
                self.port.time.pass(rest.parse::<u64>().unwrap() * 1000);
                let handle = &self.port.service.as_ref().unwrap().handle;
                self.port.runtime.block_on(handle.look()).unwrap();
            }
            "reconnect" => {
                self.peer.stream.shutdown(std::net::Shutdown::Both).unwrap();
                self.port.until("the connection is gone", |status| status.connections == 0);
                self.peer = self.port.connect();
            }
            _ => panic!("{line}"),
        }
    }

    fn hear(&mut self, expected: &str) {
        let heard = self.peer.line().unwrap_or_else(|| panic!("the end instead of {expected}"));
        let value: Value = serde_json::from_str(&heard).unwrap();
        if let Some(clean) = expected.strip_prefix("notify ") {
            let work = Work::of(&value);
            assert_eq!(work.is_clean.to_string(), clean, "{heard}");
            let en1 = self.names["en1"].clone();
            let under = self.jobs.entry(work.id.clone()).or_insert_with(|| en1.clone());
            assert_eq!(*under, en1, "{heard}");
            let old = self.names.insert("job", work.id.clone());
            self.names.insert("old", old.unwrap_or_default());
            self.work = Some(work);
        } else if expected == "difficulty" {
            assert_eq!(value["method"], "mining.set_difficulty", "{heard}");
        } else {
            if let Some(en1) = value["result"][1].as_str() {
                self.names.insert("en1", en1.to_owned());
            }
            assert_eq!(heard, self.fill(expected));
        }
    }

    /// A share of difficulty 1e-6 that is not a block.
    fn solve(&mut self, rest: &str) {
        let (en2, version) = rest.split_once(' ').unwrap_or((rest, "00000000"));
        let work = self.work.as_ref().expect("work");
        let extranonces = hex::decode(format!("{}{en2}", self.names["en1"])).unwrap();
        let bits = u32::from_str_radix(version, 16).unwrap();
        let header = work.header(&extranonces, work.version | bits, work.time);
        let network = CompactTarget(work.bits).to_target().unwrap();
        let nonce = search(Algorithm::Sha256d, header, 0, &target_of(1e-6), Some(&network));
        let names = [
            ("en2", en2.to_owned()),
            ("ntime", format!("{:08x}", work.time)),
            ("nonce", format!("{nonce:08x}")),
            ("short", format!("{nonce:x}")),
            ("version", version.to_owned()),
        ];
        self.names.extend(names);
    }
}

fn replay(transcript: &str) {
    let mut port = Port::open();
    let user = port.user(1);
    let mut replay = Replay {
        peer: port.connect(),
        port: &port,
        work: None,
        jobs: BTreeMap::new(),
        names: BTreeMap::from([("user", user.clone())]),
    };
    for (number, line) in transcript.lines().enumerate() {
        if !line.is_empty() && !line.starts_with('#') {
            println!("{}: {line}", number + 1);
            replay.step(line);
        }
    }
    drop(replay);
    let submitted = transcript.matches("\"mining.submit\"").count();
    let tallies = port.desk().accounts.all().into_iter().map(|worker| worker.tally());
    let counted: u64 =
        tallies.map(|tally| tally.accepted + tally.stale + tally.rejected_total()).sum();
    assert_eq!(counted, submitted as u64, "every share is counted once");
    port.stop();
}

#[test]
fn minerd() {
    replay(include_str!("transcripts/minerd.txt"));
}

#[test]
fn cpuminer_opt() {
    replay(include_str!("transcripts/cpuminer-opt.txt"));
}

#[test]
fn cgminer() {
    replay(include_str!("transcripts/cgminer.txt"));
}

#[test]
fn bfgminer() {
    replay(include_str!("transcripts/bfgminer.txt"));
}

#[test]
fn esp_miner() {
    replay(include_str!("transcripts/esp-miner.txt"));
}

#[test]
fn nerdminer() {
    replay(include_str!("transcripts/nerdminer.txt"));
}
