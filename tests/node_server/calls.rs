//! The calls that miners and pools make around templates, one by one and in batches.

use proofward::node::rpc::methods::METHODS;
use serde_json::{Value, json};

use crate::common::Key;
use crate::miner::{Work, bytes, hash};
use crate::world::{MATURE, Wish, World};

#[test]
fn every_method_stands_in_help_and_none_is_twice() {
    let world = World::new();
    let names: Vec<&str> = METHODS.iter().map(|method| method.name).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "resolved by bisection: {names:?}");
    let help = world.rpc.call("help", json!([]));
    let lines: Vec<&str> = help.as_str().unwrap().lines().collect();
    assert_eq!(lines.len(), names.len());
    let one = world.rpc.call("help", json!(["getblock"]));
    assert!(one.as_str().unwrap().starts_with("getblock blockhash verbosity: "), "{one}");
    assert_eq!(world.rpc.code("help", json!(["nothing"])), -1);
    for name in names {
        let answer = match name {
            "stop" | "getblocktemplate" => continue,
            _ => world.rpc.answer(name, json!([])),
        };
        let is_known = answer["error"]["code"] != json!(-32601);
        assert!(is_known, "{name}: {answer}");
        assert!(answer["error"]["code"] != json!(-32603), "{name}: {answer}");
    }
}

#[test]
fn the_chain_is_told_in_the_words_of_bitcoin_core() {
    let world = World::new();
    world.pay();
    let rpc = &world.rpc;
    assert_eq!(rpc.submit(&Work::of(&rpc.template()).block(), None), None);
    let tip = rpc.call("getbestblockhash", json!([]));
    let info = rpc.call("getblockchaininfo", json!([]));
    assert_eq!((&info["chain"], &info["blocks"]), (&json!("local"), &json!(MATURE + 1)));
    assert_eq!(info["bestblockhash"], tip);
    assert_eq!(info["initialblockdownload"], json!(false));
    assert_eq!(rpc.call("getblockcount", json!([])), json!(MATURE + 1));
    assert_eq!(rpc.call("getblockhash", json!([MATURE + 1])), tip);
    assert_eq!(rpc.call("getblockhash", json!([0])), info["genesis_hash"]);
    assert_eq!(rpc.code("getblockhash", json!([MATURE + 2])), -8);
    assert_eq!(rpc.code("getblockhash", json!(["1"])), -3);

    let raw = bytes(&rpc.call("getblock", json!([tip, 0])));
    let header = bytes(&rpc.call("getblockheader", json!([tip, false])));
    assert_eq!(raw[..80], header[..]);
    let mut id = hash(&header);
    id.reverse();
    assert_eq!(tip, json!(hex::encode(id)));
    let block = rpc.call("getblock", json!([tip]));
    assert_eq!((&block["height"], &block["nTx"]), (&json!(MATURE + 1), &json!(4)));
    assert_eq!((&block["confirmations"], &block["size"]), (&json!(1), &json!(raw.len())));
    let parent = rpc.call("getblockheader", json!([block["previousblockhash"]]));
    assert_eq!((&parent["nextblockhash"], &parent["confirmations"]), (&tip, &json!(2)));
    let full = rpc.call("getblock", json!({"blockhash": tip, "verbosity": 2}));
    let joined: Vec<u8> =
        full["tx"].as_array().unwrap().iter().flat_map(|one| bytes(&one["hex"])).collect();
    assert_eq!(raw[81..], joined);
    assert_eq!(full["tx"][1]["txid"], block["tx"][1]);
    assert_eq!(rpc.code("getblock", json!(["00".repeat(32)])), -5);
    assert_eq!(rpc.code("getblock", json!(["xyz"])), -8);
    assert_eq!(rpc.code("getblock", json!([])), -1);
    assert_eq!(rpc.code("getblock", json!({"hash": tip})), -8, "an unknown name");
    assert_eq!(rpc.code("getblock", json!([tip, 1, 2])), -1);

    let mining = rpc.call("getmininginfo", json!([]));
    assert!(mining["blocks"].is_u64() && mining["difficulty"].is_f64(), "{mining}");
    assert!(mining["networkhashps"].as_f64().is_some_and(|rate| rate > 0.0), "{mining}");
    assert_eq!(rpc.call("getdifficulty", json!([])), mining["difficulty"]);
    assert_eq!(rpc.call("getnetworkinfo", json!([]))["subversion"], json!("/proofward:0.1.0/"));
    assert_eq!(rpc.call("getpeerinfo", json!([])), json!([]));
    world.pass(5);
    assert_eq!(rpc.call("uptime", json!([])), json!(35));
}

#[test]
fn transactions_are_brought_and_listed() {
    let world = World::new();
    let rpc = &world.rpc;
    let sent: Vec<Value> = world
        .payments
        .iter()
        .map(|one| rpc.call("sendrawtransaction", json!([hex::encode(one.encode())])))
        .collect();
    let pending = rpc.call("getrawmempool", json!([]));
    assert_eq!(pending, json!(sent), "of one payer, so in the order of their nonces");
    let info = rpc.call("getmempoolinfo", json!([]));
    assert_eq!((&info["size"], &info["signatures"]), (&json!(3), &json!(3)));
    let again = hex::encode(world.payments[0].encode());
    assert_eq!(rpc.code("sendrawtransaction", json!([again])), -26);
    assert_eq!(rpc.code("sendrawtransaction", json!(["00"])), -22);
    assert_eq!(rpc.code("sendrawtransaction", json!(["0"])), -22);
    let mut forged = world.payments[1].clone();
    forged.nonce = 9;
    let answer = rpc.answer("sendrawtransaction", json!([hex::encode(forged.encode())]));
    assert_eq!(answer["error"]["code"], json!(-26));
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains(':'), "the rule and what it asks: {message}");
    world.pass(30);
    assert_eq!(rpc.submit(&Work::of(&rpc.template()).block(), None), None);
    assert_eq!(rpc.code("sendrawtransaction", json!([again])), -26, "its nonce is used");
}

#[test]
fn addresses_are_judged() {
    let world = World::new();
    let prefix = world.handle.chain().spec.address_prefix.parse().unwrap();
    let key = Key::new(5).public();
    let address = proofward::ledger::address::Address { prefix, key }.to_string();
    let valid = world.rpc.call("validateaddress", json!([address]));
    assert_eq!((&valid["isvalid"], &valid["address"]), (&json!(true), &json!(address)));
    assert_eq!(valid["scriptPubKey"], json!(format!("0020{}", hex::encode(key.0))));
    for wrong in ["", "lpw1", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"] {
        let answer = world.rpc.call("validateaddress", json!([wrong]));
        assert_eq!(answer["isvalid"], json!(false), "{wrong}");
    }
}

/// What a pool of the NOMP family asks at its start, in one body.
#[test]
fn a_pool_starts_with_a_batch() {
    let world = World::new();
    let calls = json!([
        {"method": "validateaddress", "params": ["x"], "id": 1},
        {"method": "getdifficulty", "params": [], "id": 2},
        {"method": "getmininginfo", "params": [], "id": 3},
        {"method": "submitblock", "params": [], "id": 4},
        {"method": "getblockchaininfo", "params": [], "id": 5},
        {"method": "getnetworkinfo", "params": [], "id": 6},
        7,
        {"jsonrpc": "2.0", "method": "uptime"},
        {"jsonrpc": "2.0", "method": "uptime", "id": "a string"},
    ]);
    let response = world.rpc.post(calls.to_string().as_bytes());
    assert_eq!(response.status, 200);
    let answers = response.json();
    let ids: Vec<&Value> = answers.as_array().unwrap().iter().map(|one| &one["id"]).collect();
    let (null, text) = (Value::Null, json!("a string"));
    let numbers: Vec<Value> = (1..=6).map(Value::from).collect();
    let expected: Vec<&Value> = numbers.iter().chain([&null, &text]).collect();
    assert_eq!(ids, expected, "in order; a notification is not answered");
    assert_eq!(answers[3]["error"]["code"], json!(-1));
    assert_eq!(answers[4]["result"]["chain"], json!("local"));
    assert_eq!(answers[6]["error"]["code"], json!(-32600));
    assert_eq!(answers[7]["jsonrpc"], json!("2.0"));
    assert!(answers[7].get("error").is_none());
    let only = json!([{"jsonrpc": "2.0", "method": "uptime"}]).to_string();
    assert_eq!(world.rpc.post(only.as_bytes()).status, 204);
}

#[test]
fn the_id_of_a_call_comes_back_as_it_was_written() {
    let world = World::new();
    let uuid = "226854911280625642308916404954512140970";
    let long = "9.844674407370957e19";
    let call = |id: &str| format!(r#"{{"method":"uptime","id":{id}}}"#);
    let said = |body: &str| world.rpc.post(body.as_bytes()).body;
    for id in [uuid, long, "-0", "0.12345678901234567", "7", "true", r#""\"a\"""#] {
        let answer = said(&call(id));
        assert!(answer.contains(&format!(r#""id":{id},"#)), "{id}: {answer}");
    }
    let answers = said(&format!("[{}, {}, 3, {}]", call("1"), call(uuid), call(long)));
    let ids =
        [r#""id":1,"#, &format!(r#""id":{uuid},"#), r#""id":null,"#, &format!(r#""id":{long},"#)];
    let places: Vec<_> = ids.iter().map(|id| answers.find(*id).expect(id)).collect();
    assert!(places.is_sorted(), "{answers}");
    let digits = world.rpc.post(call(&"7".repeat(257)).as_bytes()).json();
    assert_eq!(digits["error"]["code"], json!(-32600), "an id is short");
}

#[test]
fn errors_have_codes_and_status_200() {
    let world = World::new();
    let rpc = &world.rpc;
    assert_eq!(rpc.code("getwork", json!([])), -32601);
    let code = |body: &str| {
        let response = rpc.post(body.as_bytes());
        assert_eq!(response.status, 200, "{body}: {response:?}");
        response.json()["error"]["code"].clone()
    };
    for body in ["", "{", "nothing", "{\"method\":\"uptime\",\"id\":1}x", "\u{0}"] {
        assert_eq!(code(body), json!(-32700), "{body}");
    }
    for body in [
        "1",
        "[]",
        "{}",
        "{\"method\":1}",
        "{\"method\":\"uptime\",\"params\":3}",
        "{\"method\":\"uptime\",\"id\":{}}",
    ] {
        assert_eq!(code(body), json!(-32600), "{body}");
    }
    for (request, expected) in [
        (json!({"mode": "guess"}), -8),
        (json!({"mode": "proposal"}), -3),
        (json!({"mode": "proposal", "data": 7}), -3),
        (json!({"mode": "proposal", "data": "zz"}), -22),
    ] {
        assert_eq!(rpc.code("getblocktemplate", json!([request])), expected, "{request}");
    }
    assert_eq!(code("{\"method\":\"getblocktemplate\",\"params\":[3]}"), json!(-3));
}

#[test]
fn miners_are_told_of_stratum_if_the_operator_wants() {
    let url = "stratum+tcp://pool.example:3333";
    let world = World::with(Wish { x_stratum: Some(url), ..Wish::default() });
    let body = json!({"method": "uptime", "id": 1}).to_string();
    assert_eq!(world.rpc.post(body.as_bytes()).header("x-stratum"), Some(url));
    let world = World::new();
    assert_eq!(world.rpc.post(body.as_bytes()).header("x-stratum"), None);
}
