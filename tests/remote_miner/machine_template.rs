//! The getblocktemplate machine against a node shaped like Bitcoin Core; its blocks are judged by rust-bitcoin.

use std::time::Duration;

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode::{deserialize, serialize_hex};
use bitcoin::hashes::Hash;
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, Block, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut, Txid,
    Witness, WitnessCommitment,
};
use proofward::node::client::payout::PayoutScript;
use proofward::node::client::template::{
    LONG_POLL_MAX, POLL, REFRESH, Request, SUBMIT_WAIT, TEMPLATE_WAIT, TemplateClient,
};
use proofward::node::client::{Action, Event, Fate, Offer, ShareReport, Trouble};
use serde_json::{Value, json};

use crate::talk::solve;

const HEIGHT: u32 = 840_123;
pub(crate) const PAYOUT: &str = "0014751e76e8199196d454941c45d1b3a323f1433bd6";
const VALUE: u64 = 312_500_000 + 4_321;

pub(crate) fn transaction(number: u8) -> Transaction {
    let input = TxIn {
        previous_output: OutPoint { txid: Txid::from_byte_array([number; 32]), vout: 1 },
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::from_slice(&[vec![number; 64]]),
    };
    let output =
        TxOut { value: Amount::from_sat(1000), script_pubkey: ScriptBuf::from_bytes(vec![0x51]) };
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![input],
        output: vec![output],
    }
}

/// What a node commits to in the coinbase, by rust-bitcoin.
fn commitment(transactions: &[Transaction]) -> Vec<u8> {
    let header = bitcoin::block::Header {
        version: bitcoin::block::Version::ONE,
        prev_blockhash: bitcoin::BlockHash::all_zeros(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: 0,
        bits: bitcoin::CompactTarget::from_consensus(0),
        nonce: 0,
    };
    // The first one's place is the coinbase's, whose id counts as zero.
    let txdata = [&[transaction(0)], transactions].concat();
    let root = Block { header, txdata }.witness_root().expect("transactions");
    let commitment: WitnessCommitment = Block::compute_witness_commitment(&root, &[0; 32]);
    [&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed], &commitment.to_byte_array()[..]].concat()
}

/// The result of getblocktemplate as Bitcoin Core writes it.
pub(crate) fn core_template(prev: u8, count: u8) -> Value {
    let transactions: Vec<_> = (1..=count).map(transaction).collect();
    let entries: Vec<_> = transactions
        .iter()
        .map(|transaction| {
            json!({
                "data": serialize_hex(transaction),
                "txid": transaction.compute_txid().to_string(),
                "hash": transaction.compute_wtxid().to_string(),
                "depends": [], "fee": 1000, "sigops": 1,
                "weight": transaction.weight().to_wu(),
            })
        })
        .collect();
    json!({
        "capabilities": ["proposal"],
        "version": 0x2000_0000,
        "rules": ["csv", "!segwit", "taproot"],
        "vbavailable": {}, "vbrequired": 0,
        "previousblockhash": hex::encode([prev; 32]),
        "transactions": entries,
        "coinbaseaux": {},
        "coinbasevalue": VALUE,
        "longpollid": format!("{}7", hex::encode([prev; 32])),
        "target": "7fffff0000000000000000000000000000000000000000000000000000000000",
        "mintime": 1_700_000_000,
        "mutable": ["time", "transactions", "prevblock"],
        "noncerange": "00000000ffffffff",
        "sigoplimit": 80000, "sizelimit": 4_000_000, "weightlimit": 4_000_000,
        "curtime": 1_700_000_600,
        "bits": "207fffff",
        "height": HEIGHT,
        "default_witness_commitment": hex::encode(commitment(&transactions)),
    })
}

pub(crate) struct Node {
    pub(crate) client: TemplateClient,
    now: Duration,
    pub(crate) asked: Vec<Request>,
    pub(crate) offers: Vec<Offer>,
    pub(crate) shares: Vec<ShareReport>,
    pub(crate) left: Vec<Trouble>,
    /// Whether nothing is searched.
    pub(crate) is_resting: bool,
}

impl Node {
    pub(crate) fn new(payout: Option<&str>) -> Self {
        Self::seeded(payout, 1)
    }

    pub(crate) fn seeded(payout: Option<&str>, seed: u64) -> Self {
        let payout = payout.map(|script| PayoutScript::from_hex(script).expect("a script"));
        let mut node = Self {
            client: TemplateClient::new(payout, seed),
            now: Duration::ZERO,
            asked: Vec::new(),
            offers: Vec::new(),
            shares: Vec::new(),
            left: Vec::new(),
            is_resting: true,
        };
        node.step(Event::Opened);
        node
    }

    pub(crate) fn step(&mut self, event: Event) {
        for action in self.client.step(event, self.now) {
            match action {
                Action::Request(request) => self.asked.push(request),
                Action::Search(offer) => {
                    self.is_resting = false;
                    self.offers.push(*offer);
                }
                Action::Rest => self.is_resting = true,
                Action::Share(share) => self.shares.push(share),
                Action::Leave(trouble) => self.left.push(trouble),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Takes the oldest request that is not answered; its body.
    pub(crate) fn next(&mut self) -> (u64, Value) {
        let request = self.asked.remove(0);
        let body: Value = serde_json::from_str(&request.body).expect("JSON");
        assert_eq!(body["id"], request.number);
        (request.number, body)
    }

    pub(crate) fn answer_with(&mut self, request: u64, status: u16, body: &Value) {
        let answer = Ok((status, body.to_string().into_bytes()));
        self.step(Event::Answer { request, answer });
    }

    /// Answers the next request with a result.
    pub(crate) fn result(&mut self, result: &Value) {
        let (request, body) = self.next();
        self.answer_with(
            request,
            200,
            &json!({ "result": result, "error": null, "id": body["id"] }),
        );
    }

    /// Answers the next request with Bitcoin Core's way of failing.
    fn fail(&mut self, code: i64, message: &str) {
        let (request, body) = self.next();
        let error = json!({ "code": code, "message": message });
        self.answer_with(
            request,
            500,
            &json!({ "result": null, "error": error, "id": body["id"] }),
        );
    }

    pub(crate) fn find(&mut self) {
        let offer = self.offers.last().expect("an offer").clone();
        self.step(Event::Found { offer: offer.number, solution: solve(&offer) });
    }

    /// The parameters of the block that was submitted last, which is to be answered next.
    pub(crate) fn submitted(&mut self) -> Value {
        let at = self.methods().iter().rposition(|method| method == "submitblock");
        let request = self.asked.remove(at.expect("a block was submitted"));
        let body: Value = serde_json::from_str(&request.body).expect("JSON");
        self.asked.insert(0, request);
        body["params"].clone()
    }

    pub(crate) fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.now < end {
            self.now += Duration::from_secs(1);
            self.step(Event::Tick);
        }
    }

    pub(crate) fn methods(&self) -> Vec<String> {
        let of = |request: &Request| {
            let body: Value = serde_json::from_str(&request.body).expect("JSON");
            let is_long = body["params"][0].get("longpollid").is_some();
            let long = if is_long { " long" } else { "" };
            format!("{}{long}", body["method"].as_str().expect("text"))
        };
        self.asked.iter().map(of).collect()
    }
}

#[test]
fn a_block_of_a_core_template_is_a_block() {
    for count in [0, 1, 2, 3, 7] {
        let mut node = Node::new(Some(PAYOUT));
        let (_, asked) = (0, &node.asked[0]);
        let asked: Value = serde_json::from_str(&asked.body).expect("JSON");
        assert_eq!(asked["params"][0]["rules"], json!(["segwit"]));
        node.result(&core_template(5, count));
        assert_eq!(node.offers[0].height, Some(HEIGHT));
        node.find();
        let params = node.submitted();
        let bytes = hex::decode(params[0].as_str().expect("text")).expect("hex");
        let block: Block = deserialize(&bytes).expect("a block and nothing more");
        assert!(block.check_merkle_root());
        assert!(block.check_witness_commitment());
        assert_eq!(block.bip34_block_height(), Ok(u64::from(HEIGHT)));
        let target = block.header.target();
        assert_eq!(block.header.validate_pow(target), Ok(block.block_hash()));
        let expected: Vec<_> = (1..=count).map(transaction).collect();
        assert_eq!(block.txdata[1..], expected);
        let coinbase = &block.txdata[0];
        assert!(coinbase.is_coinbase());
        assert_eq!(coinbase.output[0].value, Amount::from_sat(VALUE));
        assert_eq!(hex::encode(coinbase.output[0].script_pubkey.as_bytes()), PAYOUT);
        assert_eq!(coinbase.output[1].value, Amount::ZERO);
        assert_eq!(coinbase.output.len(), 2);

        node.result(&Value::Null);
        assert_eq!(node.shares.len(), 1);
        assert_eq!(node.shares[0].fate, Fate::Accepted);
        let mut display = block.block_hash().to_byte_array();
        display.reverse();
        assert_eq!(node.shares[0].block.map(|hash| hash.to_string()), Some(hex::encode(display)));
    }
}

/// A chain without segregated witness commits to something else, or to nothing: no witness in its coinbase.
#[test]
fn only_a_commitment_to_witnesses_brings_a_witness() {
    for (commitment, outputs) in [(Some(format!("6a24{}", "70".repeat(36))), 2), (None, 1)] {
        let mut template = core_template(5, 0);
        match commitment {
            Some(script) => template["default_witness_commitment"] = json!(script),
            None => _ = template.as_object_mut().expect("one").remove("default_witness_commitment"),
        }
        let mut node = Node::new(Some(PAYOUT));
        node.result(&template);
        node.find();
        let bytes = hex::decode(node.submitted()[0].as_str().expect("text")).expect("hex");
        let block: Block = deserialize(&bytes).expect("a block");
        assert!(block.txdata[0].input[0].witness.is_empty());
        assert_eq!(block.txdata[0].output.len(), outputs);
        assert!(block.check_merkle_root());
    }
}

/// As our own node offers it: a ready coinbase, a name for the template, and no need for the transactions.
#[test]
fn a_ready_coinbase_is_used_as_it_is() {
    let mut coinbase = transaction(9);
    coinbase.input[0].previous_output = OutPoint::null();
    coinbase.input[0].witness = Witness::new();
    coinbase.input[0].script_sig = ScriptBuf::from_bytes(vec![0x03, 0x3b, 0xd1, 0x0c, 7, 7]);
    let mut template = core_template(5, 3);
    template["coinbasetxn"] = json!({ "data": serialize_hex(&coinbase) });
    template["workid"] = json!("w-17");
    for alone in [false, true] {
        template["mutable"] = match alone {
            true => json!(["time", "submit/coinbase"]),
            false => json!(["time"]),
        };
        let mut node = Node::new(None);
        node.result(&template);
        assert!(node.offers[0].coinbase.is_none());
        node.find();
        let params = node.submitted();
        assert_eq!(params[1], json!({ "workid": "w-17" }));
        let bytes = hex::decode(params[0].as_str().expect("text")).expect("hex");
        let rest: Vec<u8> = match alone {
            true => (1..=3).flat_map(|n| bitcoin::consensus::serialize(&transaction(n))).collect(),
            false => Vec::new(),
        };
        let block: Block = deserialize(&[bytes, rest].concat()).expect("a block");
        assert!(block.check_merkle_root());
        assert_eq!(block.txdata[0], coinbase);
    }
    // Somebody else may be paid where the node says how much.
    let mut node = Node::new(Some(PAYOUT));
    node.result(&template);
    assert!(node.offers[0].coinbase.is_some());
}

#[test]
fn errors_are_told_in_words_whatever_the_status() {
    let left = |code, message| {
        let mut node = Node::new(Some(PAYOUT));
        node.fail(code, message);
        let [trouble] = &node.left[..] else { panic!("{:?}", node.left) };
        trouble.to_string()
    };
    let download = left(-10, "Bitcoin Core is in initial sync and waiting for blocks...");
    assert!(download.starts_with("not ready: the node is still downloading"), "{download}");
    assert!(left(-9, "Bitcoin is not connected!").contains("no peers"));
    assert!(left(-28, "Loading block index...").contains("starting"));
    assert!(left(-32601, "Method not found").contains("no getblocktemplate here"));
    assert!(left(-1, "whatever").contains("error -1: whatever"));

    for (status, body, words) in [
        (401, "", "wrong user or password"),
        (403, "<html>", "rpcallowip"),
        (404, "nothing", "nothing at this path"),
        (503, "Work queue depth exceeded", "too busy"),
        (200, "{", "not understood"),
        (200, "{\"result\":null,\"error\":null}", "without a result"),
        (200, "{\"result\":{\"height\":1}}", "not understood"),
    ] {
        let mut node = Node::new(Some(PAYOUT));
        let (request, _) = node.next();
        let answer = Ok((status, body.as_bytes().to_vec()));
        node.step(Event::Answer { request, answer });
        let [trouble] = &node.left[..] else { panic!("{:?}", node.left) };
        assert!(trouble.to_string().contains(words), "{trouble}");
    }
}

#[test]
fn who_is_not_told_who_is_paid_says_so() {
    let mut node = Node::new(None);
    node.result(&core_template(5, 0));
    let [trouble @ Trouble::Unsuitable(_)] = &node.left[..] else { panic!("{:?}", node.left) };
    assert!(trouble.to_string().contains("--payout"));
}

#[test]
fn unknown_rules_and_signed_blocks_are_left_alone() {
    for (field, value, words) in [
        ("rules", json!(["csv", "!mystery"]), "mystery"),
        ("signet_challenge", json!("5121"), "signed"),
        ("bits", json!("207ffff"), "8 hex digits of bits"),
        ("target", json!("00"), "64 hex digits of target"),
        ("previousblockhash", json!(""), "previousblockhash"),
        ("transactions", json!([{ "data": "0g" }]), "transaction"),
        ("height", json!(-1), "not understood"),
    ] {
        let mut template = core_template(5, 1);
        template[field] = value;
        let mut node = Node::new(Some(PAYOUT));
        node.result(&template);
        let [trouble] = &node.left[..] else { panic!("{field}: {:?}", node.left) };
        assert!(trouble.to_string().contains(words), "{trouble}");
    }
    let mut template = core_template(5, 1);
    template["rules"] = json!(["csv", "mystery"]);
    template["signet_challenge"] = json!("51");
    let mut node = Node::new(Some(PAYOUT));
    node.result(&template);
    assert_eq!((node.left.len(), node.offers.len()), (0, 1));
}

#[test]
fn signet_is_asked_again_by_its_rule() {
    let mut node = Node::new(Some(PAYOUT));
    node.fail(-8, "getblocktemplate must be called with the signet rule set");
    let (_, asked) = node.next();
    assert_eq!(asked["params"][0]["rules"], json!(["segwit", "signet"]));
    assert_eq!(node.left, []);
}

#[test]
fn a_long_poll_waits_beside_plain_requests() {
    let mut node = Node::new(Some(PAYOUT));
    node.result(&core_template(5, 1));
    assert_eq!(node.methods(), ["getblocktemplate long"]);
    // The same again is no new work.
    node.wait(REFRESH);
    assert_eq!(node.methods(), ["getblocktemplate long", "getblocktemplate"]);
    node.asked.rotate_left(1);
    node.result(&core_template(5, 1));
    assert_eq!((node.offers.len(), node.methods().len()), (1, 1));
    // Other transactions are; a new tip makes what was stale.
    node.wait(REFRESH);
    node.asked.rotate_left(1);
    node.result(&core_template(5, 2));
    assert_eq!((node.offers.len(), node.offers[1].is_new_tip), (2, false));
    node.result(&core_template(6, 0));
    assert_eq!((node.offers.len(), node.offers[2].is_new_tip), (3, true));
    assert_eq!(node.methods(), ["getblocktemplate long"]);
}

#[test]
fn a_failed_long_poll_is_tried_again_and_a_dead_one_replaced() {
    let mut node = Node::new(Some(PAYOUT));
    node.result(&core_template(5, 1));
    let (request, _) = node.next();
    node.step(Event::Answer { request, answer: Err(Trouble::Broken("reset".into())) });
    assert_eq!((node.left.len(), node.asked.len()), (0, 0));
    node.wait(POLL);
    assert!(node.methods().contains(&"getblocktemplate long".to_owned()));

    let mut node = Node::new(Some(PAYOUT));
    node.result(&core_template(5, 1));
    let mut long_polls = 1;
    for _ in 0..LONG_POLL_MAX.as_secs() / REFRESH.as_secs() {
        node.wait(REFRESH);
        long_polls = node.methods().iter().filter(|method| method.ends_with("long")).count();
        let at = node.methods().iter().rposition(|method| method == "getblocktemplate");
        let request = node.asked.remove(at.expect("a plain request"));
        node.asked.insert(0, request);
        node.result(&core_template(5, 1));
    }
    assert_eq!(long_polls, 2);
    assert_eq!(node.left, []);
}

#[test]
fn a_silent_node_is_left() {
    let mut node = Node::new(Some(PAYOUT));
    node.wait(TEMPLATE_WAIT - Duration::from_secs(1));
    assert_eq!(node.left, []);
    node.wait(Duration::from_secs(1));
    assert!(matches!(node.left[..], [Trouble::NoAnswer { what: "getblocktemplate", .. }]));

    let mut node = Node::new(Some(PAYOUT));
    node.result(&core_template(5, 1));
    node.find();
    node.submitted();
    let asked = node.asked.remove(0);
    let end = node.now + SUBMIT_WAIT;
    while node.now < end && node.left.is_empty() {
        node.wait(Duration::from_secs(1));
        while !node.asked.is_empty() {
            let is_long = node.methods()[0].ends_with("long");
            if is_long { _ = node.asked.remove(0) } else { node.result(&core_template(5, 1)) }
        }
    }
    assert!(matches!(node.left[..], [Trouble::NoAnswer { what: "a block", .. }]), "{asked:?}");
}

#[test]
fn the_words_of_submitblock_are_explained() {
    for (word, fate, words) in [
        (json!("duplicate"), Fate::Refused, Some("has this block already")),
        (json!("inconclusive"), Fate::Stale, Some("another block is its tip")),
        (json!("stale-prevblk"), Fate::Stale, Some("another block was found first")),
        (json!("high-hash"), Fate::Refused, Some("is --algorithm right?")),
        (json!("bad-cb-amount"), Fate::Refused, Some("pays too much")),
        (json!("some-new-rule"), Fate::Refused, Some("some-new-rule")),
        (json!({ "reason": 1 }), Fate::Refused, Some("reason")),
    ] {
        let mut node = Node::new(Some(PAYOUT));
        node.result(&core_template(5, 0));
        node.find();
        node.submitted();
        node.result(&word);
        let [share] = &node.shares[..] else { panic!("{:?}", node.shares) };
        assert_eq!(share.fate, fate, "{word}");
        let reason = share.reason.as_deref().unwrap_or_default();
        assert!(reason.contains(words.unwrap_or_default()), "{reason}");
    }
}

/// After a block the same template is worth nothing: one solution each, and work again only with an answer.
#[test]
fn one_block_a_template() {
    let mut node = Node::new(Some(PAYOUT));
    node.result(&core_template(5, 0));
    node.find();
    node.find();
    node.step(Event::Exhausted { offer: node.offers[0].number });
    let blocks = node.methods().iter().filter(|method| *method == "submitblock").count();
    assert_eq!((blocks, node.offers.len()), (1, 1));
    // Refused: the template that comes next is searched, though it is the same.
    let at = node.asked.len() - 1;
    node.asked.swap(0, at);
    node.result(&json!("rejected"));
    let at = node.asked.len() - 1;
    node.asked.swap(0, at);
    node.result(&core_template(5, 0));
    assert_eq!(node.offers.len(), 2);
    assert_ne!(node.offers[0].extranonce_first, node.offers[1].extranonce_first);
}

#[test]
fn a_block_waits_for_the_end_of_an_outage() {
    let mut node = Node::new(Some(PAYOUT));
    node.result(&core_template(5, 0));
    node.find();
    let params = node.submitted();
    node.step(Event::Closed);
    node.asked.clear();
    node.step(Event::Opened);
    node.result(&core_template(5, 0));
    assert_eq!(node.submitted(), params, "submitted again");
    assert!(node.is_resting, "what is searched on that tip waits for the answer");
    // It had arrived the first time.
    let mut twice = node;
    twice.result(&json!("duplicate"));
    assert_eq!(twice.shares.last().map(|share| share.fate), Some(Fate::Accepted));

    let mut node = Node::new(Some(PAYOUT));
    node.result(&core_template(5, 0));
    node.find();
    // With another tip it is of no use.
    node.step(Event::Closed);
    node.asked.clear();
    node.step(Event::Opened);
    node.result(&core_template(6, 0));
    assert_eq!(node.shares.last().map(|share| share.fate), Some(Fate::Stale));
}

#[test]
fn a_template_without_anything_to_roll_goes_on_a_second_later() {
    let mut node = Node::new(Some(PAYOUT));
    node.result(&core_template(5, 0));
    node.step(Event::Exhausted { offer: node.offers[0].number });
    assert_eq!(node.offers[1].header.time, node.offers[0].header.time + 1);

    let mut fixed = core_template(5, 0);
    fixed["mutable"] = json!([]);
    let mut node = Node::new(Some(PAYOUT));
    node.result(&fixed);
    node.asked.clear();
    node.step(Event::Exhausted { offer: node.offers[0].number });
    assert_eq!((node.offers.len(), node.methods()), (1, vec!["getblocktemplate".to_owned()]));
}
