//! A miner behind a socket: real hashes, as many as a test wants, and everything that they find.

use proofward::hash::{Algorithm, hash_header};
use proofward::kernel::{Hits, Job, Kernel, NonceRange};
use proofward::node::difficulty::Difficulty;
use proofward::primitives::CompactTarget;
use serde_json::Value;

use crate::client::{Work, bytes_of, target_of};
use crate::tcp::{Peer, Port};
use crate::world::{Answer, answer_of};

pub(crate) const PING: &str = r#"{"id":7,"method":"mining.ping"}"#;
/// Nonces that are tried before what was found is looked at.
const BATCH: u32 = 1 << 12;

pub(crate) struct Rig<'a> {
    port: &'a Port,
    peer: Peer,
    user: String,
    extranonce1: Vec<u8>,
    work: Work,
    pub(crate) difficulty: f64,
    /// No header is hashed twice.
    extranonce2: u32,
    pub(crate) shares: u32,
    shares_at_job: u32,
    pub(crate) jobs: u32,
}

impl<'a> Rig<'a> {
    /// Logs in with the address of a key, at the least difficulty.
    pub(crate) fn new(port: &'a Port, key: u32) -> Self {
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
    pub(crate) fn hear(&mut self) -> Option<Value> {
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

    /// Does so many hashes, and brings what it finds, up to a block; every share is accepted.
    pub(crate) fn mine(&mut self, hashes: u32, with_blocks: bool) {
        let is_accepted = |answer: &Answer| answer.0.is_none();
        let answers = self.bring(hashes, usize::MAX, |is_block| with_blocks || !is_block);
        assert!(answers.iter().all(is_accepted), "{answers:?}");
    }

    /// Hashes until it has brought a share that is a block, or one that is not; its answer.
    pub(crate) fn find(&mut self, is_block: bool) -> Answer {
        loop {
            if let Some(answer) = self.bring(BATCH, 1, |is_one| is_one == is_block).pop() {
                return answer;
            }
        }
    }

    /// Brings at most so many of the shares that so many hashes find, and none after a block.
    fn bring(&mut self, hashes: u32, most: usize, wants: impl Fn(bool) -> bool) -> Vec<Answer> {
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
            let last = (first + BATCH).min(hashes) - 1;
            hits.clear();
            assert_eq!(kernel.search(&job, NonceRange::new(first, last).unwrap(), &mut hits), None);
            found.extend_from_slice(hits.as_slice());
        }
        let extranonce2 = self.extranonce2;
        self.extranonce2 += 1;
        let mut answers = Vec::new();
        for nonce in found {
            let digest = hash_header(Algorithm::Sha256d, &job.header_with(nonce));
            let is_block = network.is_met_by(&digest);
            if !target.is_met_by(&digest) || !wants(is_block) || answers.len() == most {
                continue;
            }
            let (user, Work { id, time, .. }) = (&self.user, &work);
            self.peer.send(&format!(
                "{{\"id\":4,\"method\":\"mining.submit\",\"params\":[\"{user}\",\"{id}\",\
                 \"{extranonce2:08x}\",\"{time:08x}\",\"{nonce:08x}\"]}}"
            ));
            let answer = loop {
                if let Some(message) = self.hear().filter(|message| message["id"] == 4) {
                    break answer_of(&message);
                }
            };
            self.shares += 1;
            answers.push(answer);
            if is_block {
                // The tip has changed, and with it the work.
                while self.work.prev_block == work.prev_block {
                    self.hear();
                }
                break;
            }
        }
        answers
    }

    /// Whether the server has seen a flood, and may give out a job with another stamp.
    pub(crate) fn is_due(&self) -> bool {
        self.shares - self.shares_at_job >= 16 && self.port.time.now().stamp() > self.work.time
    }

    /// Whether the block that it works on holds more than a coinbase.
    pub(crate) fn has_transactions(&self) -> bool {
        !self.work.branch.is_empty()
    }

    /// Passes time, shows that it is there, and waits for the work of that time.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.port.time.pass(ms);
        self.peer.send(PING);
        while self.work.time < self.port.time.now().stamp() {
            self.hear();
        }
    }
}
