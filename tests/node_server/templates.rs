//! Templates and blocks, as minerd, cpuminer-opt, cgminer and pool software use them.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use proofward::node::rpc::templates::{TEMPLATE_SECONDS, TEMPLATES_MAX};
use serde_json::{Value, json};

use crate::common::Key;
use crate::miner::{Work, bytes, hash};
use crate::world::{Wish, World};

/// What each client refuses to work without; `integer`, `string` as minerd and cpuminer-opt check them.
#[test]
fn a_template_has_what_miners_read() {
    let world = World::new();
    world.pay();
    let template = world.rpc.template();
    for field in ["height", "version", "curtime", "mintime", "coinbasevalue", "expires"] {
        assert!(template[field].is_u64(), "{field}: {template}");
    }
    assert!(template["version"].as_u64().unwrap() & 0xff <= 4, "cpuminer-opt refuses others");
    for (field, digits) in [("previousblockhash", 64), ("target", 64), ("bits", 8)] {
        let text = template[field].as_str().unwrap();
        assert_eq!(text.len(), digits, "{field}");
        assert!(text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c)), "{field}");
    }
    assert_eq!(template["previousblockhash"], json!(world.tip()));
    assert_eq!(template["rules"], json!(["segwit"]), "the leaves are then the ids that we name");
    assert_eq!(template["submitold"], json!(false));
    assert_eq!(template["noncerange"], json!("00000000ffffffff"));
    for field in ["workid", "longpollid", "longpolluri"] {
        assert!(template[field].as_str().is_some_and(|text| !text.is_empty()), "{field}");
    }
    let mutable: Vec<&str> =
        template["mutable"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    for needed in ["coinbase/append", "submit/coinbase", "time"] {
        assert!(mutable.contains(&needed), "{mutable:?}");
    }
    let coinbase = bytes(&template["coinbasetxn"]["data"]);
    assert!((60..=255).contains(&coinbase.len()), "minerd wants 60, small miners have 255");
    // minerd appends at 42 + cb[41]: the end of the script, before the sequence.
    let end = 42 + usize::from(coinbase[41]);
    assert_eq!(coinbase[end..end + 4], [0xff; 4]);
    assert_eq!(coinbase[37..41], [0xff; 4], "the length of the script stands at 41");
    let transactions = template["transactions"].as_array().unwrap();
    assert_eq!(transactions.len(), world.payments.len());
    let fees: u64 = transactions.iter().map(|one| one["fee"].as_u64().unwrap()).sum();
    assert_eq!(fees, 3 * 20_000);
    for one in transactions {
        let mut id = hash(&bytes(&one["data"]));
        id.reverse();
        assert_eq!(one["txid"], json!(hex::encode(id)));
        assert_eq!(one["hash"], one["txid"]);
    }
    // Of the value: what the coinbase of ours pays.
    let paid = bitcoin::consensus::deserialize::<bitcoin::Transaction>(&coinbase).unwrap();
    let sum: u64 = paid.output.iter().map(|output| output.value.to_sat()).sum();
    assert_eq!(template["coinbasevalue"], json!(sum));
    let commitment = template["default_witness_commitment"].as_str().unwrap();
    assert!(paid.output.iter().any(|output| hex::encode(&output.script_pubkey) == commitment));
}

#[test]
fn blocks_of_either_kind_are_taken() {
    let world = World::new();
    world.pay();
    let rpc = &world.rpc;
    let work = Work::of(&rpc.template());
    assert_eq!(work.transactions.len(), 3);
    assert_eq!(rpc.submit(&work.block(), None), None);
    let info = rpc.call("getmempoolinfo", json!([]));
    assert_eq!(info["size"], json!(0), "what was mined is pending no more");

    let prefix = rpc.call("getblockchaininfo", json!([]))["address_prefix"].clone();
    let prefix = prefix.as_str().unwrap().parse().unwrap();
    let key = Key::new(12).public();
    let address = proofward::ledger::address::Address { prefix, key }.to_string();
    let script = rpc.call("validateaddress", json!([address]))["scriptPubKey"].clone();
    for sequence in [u32::MAX, 0] {
        let template = rpc.template();
        let work = Work::of_a_pool(&template, &script, sequence);
        assert_eq!(rpc.submit(&work.block(), Some(&template["workid"])), None);
        assert_ne!(template["previousblockhash"], json!(world.tip()));
    }
    assert_eq!(rpc.call("getblockcount", json!([])), json!(crate::world::MATURE + 3));
}

#[test]
fn header_and_coinbase_are_enough() {
    let world = World::new();
    world.pay();
    let rpc = &world.rpc;
    // With the work's id, as asked; without it, by the root.
    let template = rpc.template();
    let work = Work::of(&template);
    assert_eq!(rpc.submit(&work.short(), Some(&json!("ffff"))), Some("unknown-work".into()));
    assert_eq!(rpc.submit(&work.short(), Some(&template["workid"])), None);
    assert_eq!(rpc.submit(&work.short(), None), Some("duplicate".into()));
    assert_eq!(rpc.call("getblock", json!([world.tip()]))["nTx"], json!(4));

    let template = rpc.template();
    assert_eq!(rpc.submit(&Work::of(&template).short(), None), None, "it holds a coinbase only");
}

#[test]
fn what_was_handed_out_is_forgotten_in_time() {
    let world = World::new();
    world.pay();
    let template = world.rpc.template();
    let work = Work::of(&template);
    world.pass(TEMPLATE_SECONDS + 1);
    assert_eq!(
        world.rpc.submit(&work.short(), Some(&template["workid"])),
        Some("unknown-work".into())
    );
    // However many are asked for, so many are kept.
    for _ in 0..TEMPLATES_MAX + 3 {
        world.pass(30);
        world.rpc.template();
    }
    assert!(world.context.templates.count() <= TEMPLATES_MAX);
    assert!(world.context.templates.count() <= 11, "five minutes of them");
}

#[test]
fn no_two_answers_have_one_coinbase() {
    let world = World::new();
    let mut all: Vec<String> =
        (0..20).map(|_| world.rpc.template()["coinbasetxn"]["data"].to_string()).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 20);
}

#[test]
fn without_a_payout_there_is_the_value_only() {
    let world = World::with(Wish { is_paid: false, ..Wish::default() });
    let template = world.rpc.template();
    assert_eq!(template["coinbasetxn"], Value::Null);
    assert!(template["coinbasevalue"].is_u64());
}

/// A coinbase that takes more than there is.
fn greedy(work: &Work) -> Work {
    work.with_coinbase(|coinbase| {
        // After the script, the sequence and the count of outputs.
        let value = 42 + usize::from(coinbase[41]) + 4 + 1;
        coinbase[value + 5] += 1;
    })
}

/// A coinbase that commits to another state.
fn stateless(work: &Work) -> Work {
    work.with_coinbase(|coinbase| {
        let end = coinbase.len() - 5;
        coinbase[end] ^= 1;
    })
}

#[test]
fn rejects_are_words() {
    let world = World::new();
    let rpc = &world.rpc;
    let good = Work::of(&rpc.template());
    let check = |work: Work, word: &str| {
        let tip = world.tip();
        assert_eq!(rpc.submit(&work.block(), None).as_deref(), Some(word), "{work:?}");
        assert_eq!(world.tip(), tip, "{word} changes nothing");
    };
    check(Work { version: 0x2000_0001, ..good.clone() }, "bad-version");
    check(Work { previous: [7; 32], ..good.clone() }, "bad-prevblk");
    check(Work { bits: good.bits - 1, ..good.clone() }, "bad-diffbits");
    check(Work { leaves: vec![[1; 32]], ..good.clone() }, "bad-txnmrklroot");
    check(Work { time: 1_700_000_001, ..good.clone() }, "time-too-old");
    let future = u32::try_from(world.now()).unwrap() + 9;
    check(Work { time: future, ..good.clone() }, "time-too-new");
    check(greedy(&good), "bad-cb-amount");
    check(stateless(&good), "bad-state-root");
    let bad_hash = [&good.solve_as(false)[..], &[1], &good.coinbase].concat();
    assert_eq!(rpc.submit(&bad_hash, None), Some("high-hash".into()));

    let sibling = Work::of(&rpc.template());
    assert_eq!(rpc.submit(&good.block(), None), None);
    check(good.clone(), "duplicate");
    check(sibling, "stale-prevblk");
    let after = Work::of(&rpc.template());
    let cut = [&after.solve_as(true)[..], &[1], &after.coinbase[..50]].concat();
    assert_eq!(rpc.submit(&cut, None), Some("malformed".into()));
    let doubled = [after.block(), vec![0]].concat();
    assert_eq!(rpc.submit(&doubled, None), Some("malformed".into()));

    assert_eq!(rpc.code("submitblock", json!([])), -1, "pools find out so that it is there");
    assert_eq!(rpc.code("submitblock", json!(["zz"])), -22);
    assert_eq!(rpc.code("submitblock", json!([7])), -3);
    assert_eq!(rpc.submit(&after.solve_as(true)[..79], None), Some("malformed".into()));
    assert_eq!(rpc.submit(&after.block(), None), None);
}

/// BIP23: the whole block is judged, all but its work, and nothing comes of it.
#[test]
fn a_proposal_is_judged_and_forgotten() {
    let world = World::new();
    world.pay();
    let rpc = &world.rpc;
    let template = rpc.template();
    assert_eq!(template["capabilities"], json!(["proposal"]));
    let good = Work::of(&template);
    let all = rpc.answer("getblockchaininfo", json!([]));
    let check = |block: Vec<u8>, word: Option<&str>| {
        assert_eq!(rpc.propose(&block, None).as_deref(), word);
        assert_eq!(rpc.answer("getblockchaininfo", json!([])), all, "{word:?} changes nothing");
    };
    // With work and without it.
    check(good.block(), None);
    check(good.unsolved(), None);
    check(good.unsolved(), None);
    assert_eq!(rpc.propose(&good.short(), Some(&template["workid"])), None);
    assert_eq!(rpc.propose(&good.short(), Some(&json!("ffff"))), Some("unknown-work".into()));
    assert_eq!(rpc.call("getmempoolinfo", json!([]))["size"], json!(3), "all is pending still");
    let future = u32::try_from(world.now()).unwrap() + 9;
    for (work, word) in [
        (Work { version: 0x2000_0001, ..good.clone() }, "bad-version"),
        (Work { bits: good.bits - 1, ..good.clone() }, "bad-diffbits"),
        (Work { leaves: vec![[1; 32]], ..good.clone() }, "bad-txnmrklroot"),
        (Work { time: 1_700_000_001, ..good.clone() }, "time-too-old"),
        (Work { time: future, ..good.clone() }, "time-too-new"),
        (Work { previous: [7; 32], ..good.clone() }, "inconclusive-not-best-prevblk"),
        (greedy(&good), "bad-cb-amount"),
        (stateless(&good), "bad-state-root"),
    ] {
        check(work.unsolved(), Some(word));
    }
    // A payment with another signature, under a root that holds it.
    let mut forged = good.clone();
    *forged.transactions[0].last_mut().unwrap() ^= 1;
    forged.leaves[1] = hash(&forged.transactions[0]);
    check(forged.unsolved(), Some("BadSig"));
    check(good.block()[..79].to_vec(), Some("malformed"));
    check([good.unsolved(), vec![0]].concat(), Some("malformed"));

    assert_eq!(rpc.submit(&good.block(), None), None);
    let late = Work { time: good.time + 1, ..good.clone() };
    assert_eq!(rpc.propose(&good.block(), None), Some("duplicate".into()));
    let stale = Some("inconclusive-not-best-prevblk".into());
    assert_eq!(rpc.propose(&late.unsolved(), None), stale);
    assert_eq!(rpc.submit(&late.block(), None), Some("stale-prevblk".into()));
    let kept = Some("duplicate-inconclusive".into());
    assert_eq!(rpc.propose(&late.block(), None), kept, "beside the best chain it is not judged");
}

/// Long polls of many, answered by one block.
#[test]
fn a_new_tip_answers_long_polls() {
    let world = World::new();
    let template = world.rpc.template();
    let (sent, answers) = mpsc::channel();
    let polls: Vec<_> = (0..5)
        .map(|_| {
            let (rpc, sent) = (world.rpc.clone(), sent.clone());
            let request = json!([{"longpollid": template["longpollid"], "rules": ["segwit"]}]);
            thread::spawn(move || sent.send(rpc.call("getblocktemplate", request)).unwrap())
        })
        .collect();
    // Other calls are answered meanwhile.
    assert_eq!(world.rpc.template()["height"], template["height"]);
    assert_eq!(world.rpc.submit(&Work::of(&template).block(), None), None);
    let tip = world.tip();
    for _ in 0..5 {
        let answer = answers.recv_timeout(Duration::from_secs(20)).expect("a block came");
        assert_eq!(answer["previousblockhash"], json!(tip));
        assert_ne!(answer["longpollid"], template["longpollid"]);
    }
    polls.into_iter().for_each(|poll| poll.join().unwrap());
    // Who asks about a tip of long ago is told at once.
    let request = json!([{"longpollid": template["longpollid"]}]);
    let started = Instant::now();
    assert_eq!(world.rpc.call("getblocktemplate", request)["previousblockhash"], json!(tip));
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_long_poll_ends_with_fresh_work() {
    let world = World::with(Wish { longpoll: Duration::from_millis(300), ..Wish::default() });
    let template = world.rpc.template();
    let started = Instant::now();
    let request = json!([{"longpollid": template["longpollid"]}]);
    let answer = world.rpc.call("getblocktemplate", request);
    assert!(started.elapsed() >= Duration::from_millis(300), "nothing had changed");
    assert_eq!(answer["previousblockhash"], template["previousblockhash"]);
    assert_ne!(answer["coinbasetxn"]["data"], template["coinbasetxn"]["data"]);
}
