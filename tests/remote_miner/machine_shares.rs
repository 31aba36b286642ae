//! The getblocktemplate machine where shares are easier than blocks, and its rest after a block.

use std::time::Duration;

use proofward::engine::Solution;
use proofward::hash::Algorithm;
use proofward::node::client::fleet::{Fleet, FleetAction, FleetEvent, ServerEvent};
use proofward::node::client::payout::PayoutScript;
use proofward::node::client::template::{REFRESH, SUBMITS_MAX, TemplateClient};
use proofward::node::client::{Event, Fate, Session, Trouble};
use proofward::node::difficulty::of_target;
use proofward::primitives::{CompactTarget, Target};
use serde_json::{Value, json};

use crate::machine_template::{Node, PAYOUT, core_template};
use crate::talk::solve_where;

/// Every second hash is a share, one in 65,536 a block.
const BITS: CompactTarget = CompactTarget(0x1f00_ffff);

fn template(prev: u8) -> Value {
    let mut template = core_template(prev, 0);
    template["bits"] = json!(BITS.to_string());
    template
}

fn block_target() -> Target {
    BITS.to_target().expect("a target")
}

impl Node {
    /// Finds a share of the last offer that is a block, or one that is not.
    fn find_one(&mut self, is_block: bool) -> Solution {
        let offer = self.offers.last().expect("an offer").clone();
        let is_wanted = |one: &Solution| block_target().is_met_by(&one.digest) == is_block;
        let solution = solve_where(Algorithm::Sha256d, &offer, is_wanted);
        self.step(Event::Found { offer: offer.number, solution });
        solution
    }

    fn fates(&self) -> Vec<Fate> {
        self.shares.iter().map(|share| share.fate).collect()
    }

    fn submits(&self) -> usize {
        self.methods().iter().filter(|method| *method == "submitblock").count()
    }

    /// Takes the oldest request of this kind; its number.
    fn take(&mut self, kind: &str) -> u64 {
        let at = self.methods().iter().position(|method| method == kind).expect("asked");
        self.asked.remove(at).number
    }

    /// Answers the oldest request of this kind.
    fn answer(&mut self, kind: &str, result: &Value) {
        let request = self.take(kind);
        self.answer_to(request, result);
    }

    fn answer_to(&mut self, request: u64, result: &Value) {
        let body = json!({ "result": result, "error": null, "id": request });
        self.answer_with(request, 200, &body);
    }
}

#[test]
fn a_share_is_submitted_and_the_search_goes_on() {
    let mut node = Node::new(Some(PAYOUT));
    node.result(&template(5));
    let offer = node.offers[0].clone();
    assert!(offer.target > block_target());
    assert_eq!(offer.difficulty, of_target(&offer.target));
    node.find_one(false);
    node.find_one(false);
    assert_eq!((node.submits(), node.is_resting), (2, false));
    node.answer("submitblock", &Value::Null);
    node.answer("submitblock", &json!("high-hash"));
    assert_eq!(node.fates(), [Fate::Accepted, Fate::Refused]);
    assert_eq!((node.shares[0].block, node.shares[0].difficulty), (None, offer.difficulty));
    // The same template is searched on, and no other is asked for.
    assert_eq!((node.offers.len(), node.methods()), (1, vec!["getblocktemplate long".to_owned()]));
    // Late by the node's word: there is newer work.
    node.find_one(false);
    node.answer("submitblock", &json!("stale-prevblk"));
    assert_eq!(node.shares[2].fate, Fate::Stale);
    node.answer("getblocktemplate", &template(6));
    assert_eq!(node.offers.len(), 2);
}

#[test]
fn after_a_block_nothing_is_searched_until_there_is_work_on_another() {
    let mut node = Node::new(Some(PAYOUT));
    node.result(&template(5));
    let solution = node.find_one(true);
    assert!(node.is_resting);
    // What workers found before they heard of it, whatever it is.
    node.find_one(false);
    node.find_one(true);
    assert_eq!((node.submits(), node.fates()), (1, vec![Fate::Stale; 2]));
    // Answers of a node that has not judged it: the long poll ran out, say.
    node.answer("getblocktemplate long", &template(5));
    let before = node.take("getblocktemplate long");
    assert!(node.is_resting);
    node.step(Event::Exhausted { offer: node.offers[0].number });
    assert_eq!((node.offers.len(), node.is_resting), (1, true));

    node.answer("submitblock", &Value::Null);
    assert_eq!(node.shares[2].block.map(|block| block.0), Some(solution.digest));
    assert!(node.is_resting, "it asks for work first");
    node.answer_to(before, &template(5));
    assert!(node.is_resting, "that was asked before the node knew the block");
    node.answer("getblocktemplate", &template(6));
    assert_eq!((node.offers.len(), node.is_resting), (2, false));
    assert!(node.offers[1].is_new_tip);
    // A late answer does not take it back.
    let late = node.take("getblocktemplate long");
    node.answer_to(late, &template(6));
    assert_eq!(node.offers.len(), 2);
}

/// A plain request that was asked before somebody's block is answered after the long poll that told of it.
#[test]
fn a_late_answer_does_not_bring_an_old_tip_back() {
    let mut node = Node::new(Some(PAYOUT));
    node.result(&template(5));
    node.wait(REFRESH);
    node.answer("getblocktemplate long", &template(6));
    node.answer("getblocktemplate", &template(5));
    assert_eq!((node.offers.len(), node.is_resting), (2, false));
    node.find_one(false);
    assert_eq!((node.submits(), node.fates()), (1, vec![]), "its work is good");
    // What is answered to a request of now is the node's word, also if the chain went back.
    node.answer("getblocktemplate", &template(5));
    assert_eq!(node.offers.len(), 3);
    node.find_one(false);
    assert_eq!((node.submits(), node.fates()), (2, vec![]));
}

#[test]
fn whoever_knows_the_block_may_ask_for_another_beside_it() {
    let mut node = Node::new(Some(PAYOUT));
    node.result(&template(5));
    node.find_one(true);
    node.answer("submitblock", &Value::Null);
    node.answer("getblocktemplate", &template(5));
    assert_eq!((node.offers.len(), node.is_resting), (2, false));
    assert_ne!(node.offers[0].extranonce_first, node.offers[1].extranonce_first);
}

#[test]
fn a_block_that_is_refused_ends_nothing() {
    let mut node = Node::new(Some(PAYOUT));
    node.result(&template(5));
    node.find_one(true);
    node.answer("submitblock", &json!("bad-cb-amount"));
    node.answer("getblocktemplate", &template(5));
    assert_eq!((node.offers.len(), node.is_resting), (2, false));
}

/// A block that waits for the end of an outage keeps the search at rest, and is the first to be submitted.
#[test]
fn an_outage_after_a_block_is_rest() {
    let mut node = Node::new(Some(PAYOUT));
    node.result(&template(5));
    node.step(Event::Closed);
    node.asked.clear();
    node.find_one(false);
    assert!(!node.is_resting, "shares wait for the node");
    node.find_one(true);
    assert!(node.is_resting);
    node.step(Event::Opened);
    node.result(&template(5));
    assert_eq!((node.submits(), node.is_resting), (2, true));
    node.answer("submitblock", &Value::Null);
    assert!(node.is_resting);
    node.answer("submitblock", &Value::Null);
    node.answer("getblocktemplate", &template(6));
    assert_eq!((node.fates(), node.is_resting), (vec![Fate::Accepted; 2], false));
}

/// So many connections at once; the others wait, the oldest give way, and a block goes before all.
#[test]
fn shares_beyond_a_bound_wait_for_answers() {
    let mut node = Node::new(Some(PAYOUT));
    node.result(&template(5));
    let share = node.find_one(false);
    let offer = node.offers[0].number;
    for _ in 0..SUBMITS_MAX + 99 {
        node.step(Event::Found { offer, solution: share });
    }
    assert_eq!(node.submits(), SUBMITS_MAX);
    let lost = node.fates().len();
    assert_eq!((node.fates(), lost), (vec![Fate::Lost; lost], 100 - 64));
    node.answer("submitblock", &Value::Null);
    assert_eq!(node.submits(), SUBMITS_MAX, "one more has its turn");
    node.find_one(true);
    assert_eq!(node.submits(), SUBMITS_MAX + 1);
    // The end of a connection: what was not answered is submitted again.
    node.step(Event::Answer {
        request: node.asked.last().expect("the block").number,
        answer: Err(Trouble::Broken("reset".into())),
    });
    assert_eq!(node.left.len(), 1);
    node.step(Event::Closed);
    node.asked.clear();
    node.step(Event::Opened);
    node.result(&template(5));
    for _ in 0..64 {
        node.answer("submitblock", &Value::Null);
    }
    assert_eq!(node.submits(), 0);
    let blocks = node.shares.iter().filter(|share| share.block.is_some());
    assert_eq!(blocks.map(|share| share.fate).collect::<Vec<_>>(), [Fate::Accepted]);
}

/// Miners with one payout build the same coinbase but for the extranonce.
#[test]
fn no_two_miners_and_no_two_jobs_search_the_same() {
    let mut starts: Vec<u64> = Vec::new();
    for seed in [1, 2, u64::MAX] {
        let seed = seed << 32;
        let mut node = Node::seeded(Some(PAYOUT), seed);
        node.result(&template(5));
        node.answer("getblocktemplate long", &template(6));
        starts.extend(node.offers.iter().map(|offer| offer.extranonce_first));
    }
    for (at, one) in starts.iter().enumerate() {
        for other in &starts[..at] {
            assert!(one.abs_diff(*other) >= 1 << 20, "{starts:?}");
        }
    }
}

/// A coinbase that is not ours to roll, from a node that gives the same one again.
#[test]
fn a_fixed_coinbase_is_not_searched_twice() {
    let mut template = template(5);
    template["coinbasetxn"] = json!({ "data": "00".repeat(60) });
    let mut node = Node::new(None);
    node.result(&template);
    node.step(Event::Closed);
    node.asked.clear();
    node.step(Event::Opened);
    node.result(&template);
    let [first, again] = &node.offers[..] else { panic!("{:?}", node.offers) };
    assert_eq!(again.header.merkle_root, first.header.merkle_root);
    assert_eq!(again.header.time, first.header.time + 1);
}

/// What the engine is told: nothing to search between a block and the next work.
#[test]
fn the_engine_rests_after_a_block() {
    let client = TemplateClient::new(Some(PayoutScript::from_hex(PAYOUT).expect("a script")), 1);
    let mut fleet = Fleet::new(vec![Session::Template(Box::new(client))], 1);
    let mut step = |event| fleet.step(event, Duration::ZERO);
    let asked = |actions: &[FleetAction]| {
        let asked = actions.iter().filter_map(|action| match action {
            FleetAction::Request { request, .. } => Some(request.number),
            _ => None,
        });
        asked.collect::<Vec<_>>()
    };
    let searched = |actions: Vec<FleetAction>| {
        let mut searched = actions.into_iter().filter_map(|action| match action {
            FleetAction::Search { offer, .. } => Some(*offer),
            _ => None,
        });
        searched.next()
    };
    let result = |request: u64, result: &Value| {
        let body = json!({ "result": result, "error": null, "id": request }).to_string();
        let event = ServerEvent::Answer { request, answer: Ok((200, body.into_bytes())) };
        FleetEvent::Server { server: 0, event }
    };
    step(FleetEvent::Tick);
    let first = asked(&step(FleetEvent::Server { server: 0, event: ServerEvent::Opened }));
    let offer = searched(step(result(first[0], &template(5)))).expect("work");
    let is_block = |one: &Solution| block_target().is_met_by(&one.digest);
    let solution = solve_where(Algorithm::Sha256d, &offer, is_block);
    let actions = step(FleetEvent::Found { server: 0, offer: offer.number, solution });
    assert_eq!(actions[0], FleetAction::Rest);
    let [block] = asked(&actions)[..] else { panic!("{actions:?}") };
    let next = asked(&step(result(block, &Value::Null)));
    assert!(searched(step(result(next[0], &template(6)))).is_some());
}
