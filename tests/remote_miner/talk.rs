//! Talks with a stratum machine: a scripted server on one side, a stepped clock, and an engine that finds
//! real shares.

use std::time::Duration;

use proofward::engine::{Engine, Event as EngineEvent, Options, Solution};
use proofward::hash::Algorithm;
use proofward::kernel::Kernel;
use proofward::node::client::stratum::{Login, Stratum};
use proofward::node::client::{Action, Event, Offer, ShareReport, Trouble};
use serde_json::{Value, json};

/// Easy enough for a share in some thousand hashes.
pub(crate) const EASY: f64 = 1e-6;

pub(crate) fn login() -> Login {
    Login {
        user: "user".into(),
        pass: "x".into(),
        host: "pool.example.org".into(),
        suggest: None,
        rolls_versions: true,
    }
}

/// The first solution of an offer, by a real search.
pub(crate) fn solve(offer: &Offer) -> Solution {
    solve_with(Algorithm::Sha256d, offer)
}

pub(crate) fn solve_with(algorithm: Algorithm, offer: &Offer) -> Solution {
    solve_where(algorithm, offer, |_| true)
}

/// The first solution that is wanted; the offer asks for more than one if it is not any.
pub(crate) fn solve_where(
    algorithm: Algorithm,
    offer: &Offer,
    is_wanted: impl Fn(&Solution) -> bool,
) -> Solution {
    let kernel = Kernel::by_name(algorithm, "portable").expect("always there");
    let engine = Engine::new(kernel, Options::default()).expect("threads");
    engine.publish(offer.work());
    loop {
        match engine.events().recv().expect("workers") {
            EngineEvent::Solution(solution) if is_wanted(&solution) => return solution,
            EngineEvent::Solution(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// The parameters of `mining.notify`: a coinbase that parses, at height 1000, and no other transaction.
pub(crate) fn notify_params(job: &str, prev: u8, is_clean: bool) -> Value {
    let prefix = "01000000010000000000000000000000000000000000000000000000000000000000000000\
                  ffffffff1002e80308";
    let suffix = "2f6d632fffffffff0100f2052a010000001600140001020304050607\
                  08090a0b0c0d0e0f1011121300000000";
    let prev = hex::encode([prev; 32]);
    json!([job, prev, prefix, suffix, [], "20000000", "1d00ffff", "66000000", is_clean])
}

pub(crate) struct Talk {
    pub(crate) stratum: Stratum,
    pub(crate) now: Duration,
    pub(crate) sent: Vec<Value>,
    pub(crate) offers: Vec<Offer>,
    pub(crate) shares: Vec<ShareReport>,
    pub(crate) messages: Vec<String>,
    pub(crate) left: Vec<Trouble>,
}

impl Talk {
    pub(crate) fn new(login: Login) -> Self {
        Self {
            stratum: Stratum::new(login),
            now: Duration::ZERO,
            sent: Vec::new(),
            offers: Vec::new(),
            shares: Vec::new(),
            messages: Vec::new(),
            left: Vec::new(),
        }
    }

    /// Connected and subscribed, with an extranonce2 of so many bytes.
    pub(crate) fn subscribed(login: Login, extranonce2_bytes: usize) -> Self {
        let mut talk = Self::new(login);
        talk.step(Event::Opened);
        talk.answer("mining.configure", json!({}));
        talk.answer(
            "mining.subscribe",
            json!([[["mining.notify", "s1"]], "a1b2c3d4", extranonce2_bytes]),
        );
        talk
    }

    /// The same, authorized, and mining at the easiest difficulty.
    pub(crate) fn mining() -> Self {
        let mut talk = Self::subscribed(login(), 4);
        talk.server("mining.set_difficulty", json!([EASY]));
        talk.server("mining.notify", notify_params("1", 1, true));
        talk.answer("mining.authorize", json!(true));
        talk
    }

    pub(crate) fn step(&mut self, event: Event) {
        for action in self.stratum.step(event, self.now) {
            match action {
                Action::Send(line) => {
                    assert!(!line.contains('\n'), "one line each: {line}");
                    self.sent.push(serde_json::from_str(&line).expect("JSON"));
                }
                Action::Search(offer) => self.offers.push(*offer),
                Action::Share(share) => self.shares.push(share),
                Action::Message(text) => self.messages.push(text),
                Action::Leave(trouble) => self.left.push(trouble),
                Action::Request(_) | Action::Rest => panic!("no part of stratum: {action:?}"),
            }
        }
    }

    pub(crate) fn line(&mut self, value: Value) {
        self.step(Event::Line(value.to_string()));
    }

    /// A notification of the server.
    pub(crate) fn server(&mut self, method: &str, params: Value) {
        self.line(json!({ "id": null, "method": method, "params": params }));
    }

    /// The last request by this name.
    pub(crate) fn last(&self, method: &str) -> &Value {
        let found = self.sent.iter().rev().find(|sent| sent["method"] == method);
        found.unwrap_or_else(|| panic!("no {method} in {:?}", self.sent))
    }

    /// An answer to the last request by this name.
    pub(crate) fn answer(&mut self, method: &str, result: Value) {
        let id = self.last(method)["id"].clone();
        self.line(json!({ "id": id, "result": result, "error": null }));
    }

    pub(crate) fn refuse(&mut self, method: &str, error: Value) {
        let id = self.last(method)["id"].clone();
        self.line(json!({ "id": id, "result": null, "error": error }));
    }

    /// Time passes, a second at a time.
    pub(crate) fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += Duration::from_secs(1);
            self.step(Event::Tick);
        }
    }

    /// A share of the last offer is found.
    pub(crate) fn find(&mut self) -> Solution {
        let offer = self.offers.last().expect("an offer").clone();
        let solution = solve(&offer);
        self.step(Event::Found { offer: offer.number, solution });
        solution
    }

    pub(crate) fn methods(&self) -> Vec<&str> {
        self.sent.iter().map(|sent| sent["method"].as_str().unwrap_or("-")).collect()
    }
}
