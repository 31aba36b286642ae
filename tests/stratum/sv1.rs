//! Every message that the server sends with an integer id, or with a method that the Stratum Reference
//! Implementation knows, is parsed by it.
//!
//! What it does not parse is listed here: `client.reconnect`, a method that it does not know; the text
//! `"pong"` as a result, which is neither a truth value nor one of its forms; replies whose id is a text.

use sv1_api::json_rpc::Message;
use sv1_api::methods::{Method, Server2Client, Server2ClientResponse};

use crate::world::World;

fn parsed(value: &serde_json::Value) -> Method {
    let text = value.to_string();
    let message: Message = serde_json::from_str(&text).expect(&text);
    Method::try_from(message).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

#[test]
fn another_implementation_reads_what_the_server_says() {
    let mut world = World::hard();
    let user = world.address(1);
    let mut line = world.connect();
    let configured = line.send(
        r#"{"id":1,"method":"mining.configure","params":[["version-rolling","minimum-difficulty","subscribe-extranonce","fly"],{"version-rolling.mask":"ffffffff","minimum-difficulty.value":0.000001}]}"#,
    );
    let Method::Server2ClientResponse(Server2ClientResponse::Configure(configure)) =
        parsed(&configured[0])
    else {
        panic!("{configured:?}")
    };
    assert_eq!(configure.version_rolling_mask().map(|mask| mask.0), Some(0x1fff_e000));
    assert_eq!(configure.minimum_difficulty, Some(true));
    let subscribed = line.subscribe();
    let Method::Server2ClientResponse(Server2ClientResponse::Subscribe(subscribe)) =
        parsed(&subscribed[0])
    else {
        panic!("{subscribed:?}")
    };
    assert_eq!((subscribe.extra_nonce2_size, subscribe.subscriptions.len()), (4, 2));
    let mut known = 0;
    let mut heard = line.send(&format!(
        r#"{{"id":2,"method":"mining.authorize","params":["{user}","d=0.000001"]}}"#
    ));
    let share = line.share(&user, 0, 0);
    heard.extend(line.send(&share.message()));
    heard.extend(line.send(&share.message()));
    let wrong = r#"{"id":4,"method":"mining.submit","params":[]}"#;
    heard.extend(line.send(wrong));
    heard.extend(line.give(&world.tip_changed()));
    heard.extend(line.send(&share.message()));
    for request in [
        r#"{"id":5,"method":"mining.extranonce.subscribe","params":[]}"#,
        r#"{"id":6,"method":"mining.suggest_difficulty","params":[0.1]}"#,
        r#"{"id":7,"method":"mining.suggest_difficulty","params":[0]}"#,
        r#"{"id":8,"method":"mining.get_transactions","params":["1"]}"#,
        r#"{"id":9,"method":"mining.multi_version","params":[1]}"#,
        r#"{"id":10,"method":"mining.authorize","params":["nobody","x"]}"#,
    ] {
        heard.extend(line.send(request));
    }
    for message in &heard {
        match parsed(message) {
            Method::Server2Client(Server2Client::Notify(_) | Server2Client::SetDifficulty(_)) => {
                assert!(message["id"].is_null())
            }
            Method::Server2ClientResponse(Server2ClientResponse::GeneralResponse(reply)) => {
                assert!(reply.result);
            }
            Method::ErrorMessage(_) => assert!(message["error"][0].as_u64() >= Some(20)),
            other => panic!("{message}: {other:?}"),
        }
        known += 1;
    }
    assert_eq!(known, heard.len());
    assert!(known >= 14, "{known}");
}
