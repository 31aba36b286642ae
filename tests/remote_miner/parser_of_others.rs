//! Every message that our miner sends, parsed by the Stratum Reference Implementation.

use proofward::node::client::Event;
use proofward::node::client::stratum::Login;
use proofward::node::difficulty::Difficulty;
use serde_json::json;
use sv1_api::json_rpc::Message;
use sv1_api::methods::{Client2Server, MethodError};

use crate::talk::{EASY, Talk, login, notify_params};

/// Everything that a miner says over two connections, with and without version rolling.
fn said() -> Vec<serde_json::Value> {
    let mut all = Vec::new();
    for rolls_versions in [true, false] {
        let login = Login { suggest: Difficulty::new(0.001), rolls_versions, ..login() };
        let mut talk = Talk::new(login);
        for _ in 0..2 {
            talk.step(Event::Opened);
            if rolls_versions {
                let granted =
                    json!({ "version-rolling": true, "version-rolling.mask": "1fffe000" });
                talk.answer("mining.configure", granted);
            }
            let session = json!([[["mining.notify", "08000002"]], "a1b2c3d4", 4]);
            talk.answer("mining.subscribe", session);
            talk.server("mining.set_difficulty", json!([EASY]));
            talk.server("mining.notify", notify_params("1", 1, true));
            talk.answer("mining.authorize", json!(true));
            talk.find();
            talk.line(json!({ "id": 42, "method": "mining.ping", "params": [] }));
            talk.line(json!({ "id": 43, "method": "client.get_version", "params": [] }));
            talk.line(json!({ "id": 44, "method": "mining.unknown", "params": [] }));
            talk.step(Event::Closed);
        }
        all.extend(talk.sent);
    }
    all
}

#[test]
fn another_parser_takes_every_message_of_ours() {
    let mut parsed = Vec::new();
    let mut answers = 0;
    for sent in said() {
        let message: Message =
            serde_json::from_value(sent.clone()).unwrap_or_else(|error| panic!("{sent}: {error}"));
        let Some(method) = sent["method"].as_str() else {
            answers += 1;
            continue;
        };
        match Client2Server::try_from(message) {
            Ok(_) => parsed.push(method.to_owned()),
            Err(MethodError::MethodNotFound(method)) => panic!("it does not know {method}"),
            Err(error) => panic!("{sent}: {error:?}"),
        }
    }
    parsed.sort_unstable();
    parsed.dedup();
    let all = [
        "mining.authorize",
        "mining.configure",
        "mining.submit",
        "mining.subscribe",
        "mining.suggest_difficulty",
    ];
    assert_eq!(parsed, all);
    assert_eq!(answers, 12, "answers to questions parse as such");
}
