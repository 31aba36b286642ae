//! Shares by getblocktemplate: a target that is easier than nBits, and what comes back.

use proofward::ledger::spec::Spec;
use proofward::node::http::status::Section as _;
use proofward::primitives::CompactTarget;
use serde_json::{Value, json};

use crate::common::Key;
use crate::miner::{Work, hash};
use crate::world::{Wish, World, calm_spec};

/// Some four thousand hashes a share; a block takes sixteen times as many.
const SHARE: f64 = 1e-6;

fn world(share: f64) -> World {
    let bits = CompactTarget(0x1f00_ffff);
    let spec = Spec { limit: bits, start: bits, ..calm_spec() }.check().unwrap();
    World::with(Wish { spec, share: Some(share), ..Wish::default() })
}

impl Work {
    /// The header of a share that is no block, from this nonce on.
    fn share(&self, first: u32) -> Vec<u8> {
        let block = self.block_target();
        assert!(self.target > block);
        self.solve(first, |hash| *hash <= self.target && *hash > block)
    }

    fn block_header(&self) -> Vec<u8> {
        let block = self.block_target();
        self.solve(0, |hash| *hash <= block)
    }
}

fn nonce_of(header: &[u8]) -> u32 {
    u32::from_le_bytes(header[76..].try_into().unwrap())
}

fn row(world: &World) -> Value {
    let status = world.context.status();
    let [row] = &status["workers"].as_array().unwrap()[..] else { panic!("{status}") };
    row.clone()
}

#[test]
fn the_target_of_a_template_is_never_harder_than_that_of_a_block() {
    let template = world(SHARE).rpc.template();
    let work = Work::of(&template);
    assert!(work.target > work.block_target());
    let mutable = template["mutable"].as_array().unwrap();
    assert!(mutable.contains(&json!("submit/coinbase")));
    assert!(!mutable.contains(&json!("transactions")), "a share is of what was handed out");
    let work = Work::of(&world(1.0).rpc.template());
    assert_eq!(work.target, work.block_target());
}

#[test]
fn a_share_is_answered_like_a_block_and_changes_nothing() {
    let world = world(SHARE);
    world.pay();
    let (rpc, tip) = (&world.rpc, world.tip());
    let template = rpc.template();
    let work = Work::of(&template);
    assert_eq!(work.transactions.len(), 3);
    let first = work.share(0);
    let full = [work.short_with(&first), work.transactions.concat()].concat();
    assert_eq!(rpc.submit(&full, None), None);
    for again in [&full, &work.short_with(&first)] {
        assert_eq!(rpc.submit(again, Some(&template["workid"])), Some("duplicate".into()));
    }
    // The rest of the template is as good, and so is a coinbase of the miner's own.
    let second = work.share(nonce_of(&first) + 1);
    assert_eq!(rpc.submit(&work.short_with(&second), Some(&template["workid"])), None);
    let prefix = rpc.call("getblockchaininfo", json!([]))["address_prefix"].clone();
    let prefix = prefix.as_str().unwrap().parse().unwrap();
    let key = Key::new(12).public();
    let address = proofward::ledger::address::Address { prefix, key }.to_string();
    let script = rpc.call("validateaddress", json!([address]))["scriptPubKey"].clone();
    let pools = Work::of_a_pool(&template, &script, 0);
    assert_eq!(rpc.submit(&pools.short_with(&pools.share(0)), None), None);
    assert_eq!(world.tip(), tip, "none of it was brought to the ledger");
    assert_eq!(rpc.call("getmempoolinfo", json!([]))["size"], json!(3));

    // A block is both, whoever made its coinbase.
    assert_eq!(rpc.submit(&pools.short_with(&pools.block_header()), None), None);
    assert_ne!(world.tip(), tip);
    let row = row(&world);
    assert_eq!(row["name"], json!("rig@127.0.0.1"));
    assert_eq!((&row["accepted"], &row["blocks"]), (&json!(4), &json!(1)));
    assert_eq!((&row["stale"], &row["rejected"]), (&json!(0), &json!({"duplicate": 2})));
    assert_eq!(row["last_share"], json!(world.now()));
    let difficulty = row["difficulty"].as_f64().unwrap();
    assert!((difficulty - 4.0 * SHARE).abs() < 1e-12, "{difficulty}");
    assert!(row["hashes_per_second"].as_f64().unwrap() > 0.0);
}

#[test]
fn what_is_no_share_is_told_in_a_word_and_counted() {
    let world = world(SHARE);
    let rpc = &world.rpc;
    let good = Work::of(&rpc.template());
    let mut words = Vec::new();
    let mut check = |bytes: &[u8], word: &'static str| {
        let tip = world.tip();
        assert_eq!(rpc.submit(bytes, None).as_deref(), Some(word));
        assert_eq!(world.tip(), tip, "{word} changes nothing");
        words.push(word);
    };
    let share = |work: &Work| work.short_with(&work.share(0));
    check(&good.short_with(&good.solve_as(false)), "high-hash");
    check(&share(&Work { version: 0x2000_0001, ..good.clone() }), "bad-version");
    check(&share(&Work { bits: good.bits - 1, ..good.clone() }), "bad-diffbits");
    check(&share(&Work { previous: [7; 32], ..good.clone() }), "bad-prevblk");
    check(&share(&Work { leaves: vec![[1; 32]], ..good.clone() }), "unknown-work");
    check(&share(&Work { time: 1_700_000_001, ..good.clone() }), "time-too-old");
    let future = u32::try_from(world.now()).unwrap() + 7201;
    check(&share(&Work { time: future, ..good.clone() }), "time-too-new");
    // Bits that no chain asks for make anything a block; the ledger is asked, and knows better.
    let easy = Work { bits: 0x207f_ffff, ..good.clone() };
    check(&easy.short_with(&easy.block_header()), "bad-diffbits");
    let of_coinbase = |coinbase: Vec<u8>| {
        share(&Work { leaves: vec![hash(&coinbase)], coinbase, ..good.clone() })
    };
    let mut greedy = good.coinbase.clone();
    // After the script, the sequence and the count of outputs.
    greedy[42 + usize::from(good.coinbase[41]) + 4 + 1 + 5] += 1;
    check(&of_coinbase(greedy), "bad-cb-amount");
    let mut stateless = good.coinbase.clone();
    let end = stateless.len() - 5;
    stateless[end] ^= 1;
    check(&of_coinbase(stateless), "bad-state-root");
    check(&[&good.share(0)[..], &[1], &good.coinbase[..50]].concat(), "malformed");

    // Late: a block came between. What is a block is brought to the ledger all the same.
    let late = Work::of(&rpc.template());
    assert_eq!(rpc.submit(&good.short_with(&good.block_header()), None), None);
    check(&share(&late), "stale-prevblk");
    check(&late.short_with(&late.block_header()), "stale-prevblk");

    let row = row(&world);
    assert_eq!((&row["accepted"], &row["stale"]), (&json!(1), &json!(2)));
    let rejected = row["rejected"].as_object().unwrap();
    let of = |word: &str| words.iter().filter(|one| **one == word).count();
    for (word, count) in rejected {
        assert_eq!(*count, json!(of(word)), "{word}");
    }
    let sum: u64 = rejected.values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(usize::try_from(sum).unwrap() + 2, words.len());
}

#[test]
fn a_template_of_long_ago_is_unknown() {
    let world = world(SHARE);
    let work = Work::of(&world.rpc.template());
    let share = work.short_with(&work.share(0));
    world.pass(301);
    assert_eq!(world.rpc.submit(&share, None), Some("unknown-work".into()));
    // Asked again, its like is known again: the same transactions on the same tip.
    world.rpc.template();
    assert_eq!(world.rpc.submit(&share, None), None);
}
