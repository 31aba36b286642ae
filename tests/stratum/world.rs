//! A desk with a chain behind it and a clock that a test steps; and one connection on it that remembers
//! what it was sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proofward::hash::Algorithm;
use proofward::ledger::address::Address;
use proofward::ledger::chain::Ledger;
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::Spec;
use proofward::ledger::store::MemoryStore;
use proofward::ledger::template::Template;
use proofward::node::candidate::Candidate;
use proofward::node::clock::Clock;
use proofward::node::clock::{Moment, Moments};
use proofward::node::stratum::desk::{Budget, Desk, Issue, Settings};
use proofward::node::stratum::numbers::Numbers;
use proofward::node::stratum::session::{Event, Next, Session};
use proofward::primitives::{CompactTarget, Target};
use serde_json::Value;

use crate::client::{Work, search, target_of};
use crate::common::{GENESIS_TIME, Key, easy_spec, memory_ledger, mine};

/// A clock that only a test moves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Time(Arc<AtomicU64>);

impl Time {
    pub(crate) fn now(&self) -> Moment {
        let ms = self.0.load(Ordering::SeqCst);
        Moment { unix_s: u64::from(GENESIS_TIME) + 10 + ms / 1000, ms }
    }

    pub(crate) fn pass(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Clock {
        let time = self.clone();
        Clock::new(move || time.now().unix_s)
    }

    pub(crate) fn moments(&self) -> Moments {
        let time = self.clone();
        Moments::new(move || time.now())
    }
}

/// Blocks take four million hashes: shares of 1e-6 are found at once, blocks never.
pub(crate) fn hard_spec(algorithm: Algorithm) -> Spec {
    let start = CompactTarget(0x1e03_ffff);
    // Long spacings, so that neither relief nor a retarget comes into the way of a stepped clock.
    Spec {
        algorithm,
        limit: start,
        start,
        spacing_s: 3600,
        half_life_s: 288_000,
        future_limit_s: 7200,
        ..easy_spec()
    }
    .check()
    .unwrap()
}

pub(crate) fn address(spec: &Spec, key: u32) -> String {
    let prefix = spec.address_prefix.parse().unwrap();
    Address { prefix, key: Key::new(key).public() }.to_string()
}

pub(crate) struct World {
    pub(crate) ledger: Ledger<MemoryStore>,
    pub(crate) time: Time,
    pub(crate) desk: Arc<Desk>,
    serial: u64,
    tip_serial: u64,
}

impl World {
    pub(crate) fn new(spec: Spec) -> Self {
        Self::with(spec, None, None)
    }

    pub(crate) fn with(
        spec: Spec,
        default_payout: Option<PubKey>,
        budget: Option<Arc<dyn Budget>>,
    ) -> Self {
        let settings = Settings::of(&spec, default_payout);
        let desk = Desk::new(settings, Numbers::in_memory(0xa1b2_c3d4, 100), budget);
        let ledger = memory_ledger(spec);
        let mut world = Self { ledger, time: Time::default(), desk, serial: 0, tip_serial: 0 };
        world.tip_serial = 1;
        world.offer().expect("a first job");
        world
    }

    pub(crate) fn hard() -> Self {
        Self::new(hard_spec(Algorithm::Sha256d))
    }

    fn offer(&mut self) -> Option<Issue> {
        self.serial += 1;
        let template = Template::empty(self.ledger.chain(), &self.ledger.view()).unwrap();
        let now = self.time.now();
        let candidate =
            Candidate::new(Arc::new(template), self.serial, self.tip_serial, now.stamp());
        self.desk.offer(Arc::new(candidate), now).unwrap()
    }

    /// Another candidate on the same tip.
    pub(crate) fn renewed(&mut self) -> Issue {
        self.offer().expect("a job")
    }

    /// Somebody else's block becomes the tip. Only where blocks are easy.
    pub(crate) fn mined_elsewhere(&mut self) -> Issue {
        mine(&self.ledger, Key::new(77).public(), vec![]);
        self.tip_serial += 1;
        self.offer().expect("a job")
    }

    /// Somebody else's blocks, stamped so far ahead of the clock that nothing can be mined on them yet.
    pub(crate) fn mined_ahead(&mut self, blocks: usize) {
        for _ in 0..blocks {
            mine(&self.ledger, Key::new(77).public(), vec![]);
        }
        self.tip_serial += 1;
        assert!(self.offer().is_none());
    }

    /// Another tip by the numbers alone, for chains on which no test finds a block.
    pub(crate) fn tip_changed(&mut self) -> Issue {
        self.tip_serial += 1;
        self.offer().expect("a job")
    }

    pub(crate) fn address(&self, key: u32) -> String {
        address(&self.ledger.chain().spec, key)
    }

    pub(crate) fn connect(&self) -> Line {
        Line {
            session: Session::new(Arc::clone(&self.desk), self.time.now()),
            time: self.time.clone(),
            algorithm: self.ledger.chain().spec.algorithm,
            extranonce1: Vec::new(),
            difficulty: 1.0,
            work: None,
        }
    }

    /// A connection that has subscribed and logged in, at difficulty 1e-6 for good.
    pub(crate) fn miner(&self, key: u32) -> Line {
        let mut line = self.connect();
        line.subscribe();
        let (code, _) = line.authorise(&self.address(key), "d=0.000001");
        assert_eq!(code, None);
        line
    }
}

/// One connection.
pub(crate) struct Line {
    pub(crate) session: Session,
    time: Time,
    algorithm: Algorithm,
    pub(crate) extranonce1: Vec<u8>,
    pub(crate) difficulty: f64,
    pub(crate) work: Option<Work>,
}

/// A share, in the words of the wire.
#[derive(Debug, Clone)]
pub(crate) struct Share {
    pub(crate) user: String,
    pub(crate) job: String,
    pub(crate) extranonce2: String,
    pub(crate) time: String,
    pub(crate) nonce: String,
    pub(crate) version: Option<String>,
}

impl Share {
    pub(crate) fn message(&self) -> String {
        let Self { user, job, extranonce2, time, nonce, version } = self;
        let version = version.as_ref().map_or(String::new(), |bits| format!(",\"{bits}\""));
        format!(
            "{{\"id\":4,\"method\":\"mining.submit\",\"params\":[\"{user}\",\"{job}\",\
             \"{extranonce2}\",\"{time}\",\"{nonce}\"{version}]}}"
        )
    }
}

/// The code of a refusal, and its words; none for `true`.
pub(crate) type Answer = (Option<u64>, String);

pub(crate) fn answer_of(message: &Value) -> Answer {
    let error = &message["error"];
    assert_ne!(message["result"].is_null(), error.is_null(), "{message}");
    (error[0].as_u64(), error[1].as_str().unwrap_or_default().to_owned())
}

impl Line {
    /// One step; the messages that it sends, and what else is to be done.
    pub(crate) fn step(&mut self, event: Event<'_>) -> (Vec<Value>, Next) {
        let mut out = Vec::new();
        let next = self.session.step(event, self.time.now(), &mut out);
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.is_empty() || text.ends_with('\n'), "whole lines: {text}");
        let messages: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        let mut difficulty = None;
        for message in &messages {
            match message["method"].as_str() {
                Some("mining.set_difficulty") => {
                    assert!(difficulty.is_none(), "one difficulty before work: {text}");
                    difficulty = Some(message["params"][0].as_f64().expect("a number"));
                }
                Some("mining.notify") => {
                    self.difficulty = difficulty.take().unwrap_or(self.difficulty);
                    self.work = Some(Work::of(message));
                }
                _ => {}
            }
        }
        assert!(difficulty.is_none(), "a difficulty without work: {text}");
        (messages, next)
    }

    pub(crate) fn send(&mut self, line: &str) -> Vec<Value> {
        let (messages, next) = self.step(Event::Line(line.as_bytes()));
        assert_eq!(next, Next::Go, "{line}");
        messages
    }

    pub(crate) fn give(&mut self, issue: &Issue) -> Vec<Value> {
        let (messages, next) = self.step(Event::Job(&issue.job, issue.is_clean));
        assert_eq!(next, Next::Go);
        messages
    }

    pub(crate) fn subscribe(&mut self) -> Vec<Value> {
        let messages = self.send(r#"{"id":1,"method":"mining.subscribe","params":["test"]}"#);
        self.extranonce1 = crate::client::bytes_of(&messages[0]["result"][1]);
        messages
    }

    pub(crate) fn authorise(&mut self, user: &str, password: &str) -> Answer {
        let messages = self.send(&format!(
            r#"{{"id":2,"method":"mining.authorize","params":["{user}","{password}"]}}"#
        ));
        answer_of(messages.last().expect("an answer"))
    }

    /// A share of the work that the client has, not a block, found behind nonce `from`.
    pub(crate) fn share(&self, user: &str, extranonce2: u32, from: u32) -> Share {
        let work = self.work.clone().expect("work");
        self.share_of(&work, user, extranonce2, from, work.time, None)
    }

    pub(crate) fn share_of(
        &self,
        work: &Work,
        user: &str,
        extranonce2: u32,
        from: u32,
        time: u32,
        version_bits: Option<u32>,
    ) -> Share {
        let extranonces = [&self.extranonce1[..], &extranonce2.to_be_bytes()].concat();
        let version = work.version | version_bits.unwrap_or(0);
        let header = work.header(&extranonces, version, time);
        let network: Target = CompactTarget(work.bits).to_target().unwrap();
        let nonce =
            search(self.algorithm, header, from, &target_of(self.difficulty), Some(&network));
        Share {
            user: user.into(),
            job: work.id.clone(),
            extranonce2: format!("{extranonce2:08x}"),
            time: format!("{time:08x}"),
            nonce: format!("{nonce:08x}"),
            version: version_bits.map(|bits| format!("{bits:08x}")),
        }
    }

    /// A share of the current work that is a block.
    pub(crate) fn block(&self, user: &str, extranonce2: u32) -> Share {
        let work = self.work.clone().expect("work");
        let extranonces = [&self.extranonce1[..], &extranonce2.to_be_bytes()].concat();
        let header = work.header(&extranonces, work.version, work.time);
        let network: Target = CompactTarget(work.bits).to_target().unwrap();
        let nonce = search(self.algorithm, header, 0, &network, None);
        Share {
            user: user.into(),
            job: work.id,
            extranonce2: format!("{extranonce2:08x}"),
            time: format!("{:08x}", work.time),
            nonce: format!("{nonce:08x}"),
            version: None,
        }
    }

    /// Submits what is not a block, or is one that has been brought already.
    pub(crate) fn submit(&mut self, share: &Share) -> Answer {
        let messages = self.send(&share.message());
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert_eq!(messages[0]["id"], 4);
        answer_of(&messages[0])
    }
}
