//! The stratum machine against the habits of servers: what it says, in which order, and what it makes of
//! odd answers, with a stepped clock.

use std::time::Duration;

use proofward::hash::hash_header;
use proofward::node::client::stratum::{
    AUTHORIZE_WAIT, CONFIGURE_WAIT, JOB_WAIT, KEPT_MAX, Line, Login, REFUSED_MAX, SUBMIT_WAIT,
    SUBSCRIBE_WAIT,
};
use proofward::node::client::{Event, Fate, Trouble};
use proofward::node::difficulty::Difficulty;
use proofward::primitives::Header;
use serde_json::{Value, json};

use crate::talk::{EASY, Talk, login, notify_params, solve};

#[test]
fn it_asks_in_the_order_that_every_server_takes() {
    let mut talk = Talk::new(Login { suggest: Difficulty::new(0.001), ..login() });
    talk.step(Event::Opened);
    assert_eq!(talk.methods(), ["mining.configure", "mining.subscribe"]);
    let configure = &talk.sent[0]["params"];
    assert_eq!(configure[0], json!(["version-rolling"]));
    assert_eq!(configure[1]["version-rolling.mask"], "1fffe000");
    assert_eq!(talk.sent[1]["params"].as_array().map(Vec::len), Some(1), "an agent and no session");

    talk.answer("mining.subscribe", json!([[["mining.notify", "s1"]], "00", 4]));
    assert_eq!(talk.last("mining.authorize")["params"], json!(["user", "x"]));
    talk.answer("mining.authorize", json!(true));
    assert_eq!(talk.last("mining.suggest_difficulty")["params"], json!([0.001]));
    let ids: Vec<_> = talk.sent.iter().map(|sent| sent["id"].as_u64().expect("a number")).collect();
    assert_eq!(ids, [1, 2, 3, 4]);

    let mut plain = Talk::new(Login { rolls_versions: false, ..login() });
    plain.step(Event::Opened);
    assert_eq!(plain.methods(), ["mining.subscribe"]);
}

/// What servers answer to `mining.configure`, and whether shares have a sixth parameter then.
#[test]
fn version_rolling_is_used_where_it_is_granted() {
    let cases = [
        (json!({}), None),
        (json!(false), None),
        (json!(null), None),
        (json!({ "version-rolling": false }), None),
        (json!({ "version-rolling": true }), None),
        (json!({ "version-rolling": true, "version-rolling.mask": "00000000" }), None),
        (json!({ "version-rolling": true, "version-rolling.mask": "1fffe000" }), Some(0x1fff_e000)),
        (json!({ "version-rolling": true, "version-rolling.mask": "0x00006000" }), Some(0x6000)),
        (json!({ "version-rolling": true, "version-rolling.mask": "ffffffff" }), Some(0x1fff_e000)),
    ];
    for (result, mask) in cases {
        let mut talk = Talk::new(login());
        talk.step(Event::Opened);
        talk.answer("mining.configure", result.clone());
        talk.answer("mining.subscribe", json!([[], "a1b2c3d4", 4]));
        talk.server("mining.set_difficulty", json!([EASY]));
        talk.server("mining.notify", notify_params("1", 1, true));
        talk.answer("mining.authorize", json!(true));
        assert_eq!(talk.offers.last().map(|offer| offer.version_mask), Some(mask.unwrap_or(0)));
        let solution = talk.find();
        let params = talk.last("mining.submit")["params"].as_array().expect("a list");
        let version = Header::decode(&solution.header).version.cast_unsigned();
        match mask {
            None => assert_eq!(params.len(), 5, "{result}"),
            Some(mask) => {
                assert_eq!(params[5], json!(format!("{:08x}", version & mask)), "{result}")
            }
        }
    }
}

#[test]
fn a_mask_granted_late_or_changed_holds_for_the_work_after_it() {
    let mut talk = Talk::new(login());
    talk.step(Event::Opened);
    talk.answer("mining.subscribe", json!([[], "a1b2c3d4", 4]));
    talk.server("mining.notify", notify_params("1", 1, true));
    assert_eq!(talk.offers.last().map(|offer| offer.version_mask), Some(0));
    talk.answer(
        "mining.configure",
        json!({ "version-rolling": true, "version-rolling.mask": "1fffe000" }),
    );
    assert_eq!(talk.offers.len(), 2, "the same job again, with more to roll");
    assert_eq!(talk.offers[1].version_mask, 0x1fff_e000);
    talk.server("mining.set_version_mask", json!(["00006000"]));
    talk.server("mining.notify", notify_params("2", 1, false));
    assert_eq!(talk.offers.last().map(|offer| offer.version_mask), Some(0x6000));
}

#[test]
fn silence_about_configure_does_not_matter() {
    let mut talk = Talk::new(login());
    talk.step(Event::Opened);
    talk.answer("mining.subscribe", json!([[], "a1b2c3d4", 4]));
    talk.server("mining.notify", notify_params("1", 1, true));
    talk.answer("mining.authorize", json!(true));
    assert_eq!(talk.offers.len(), 1, "it mines at once");
    talk.wait(CONFIGURE_WAIT.as_secs());
    assert_eq!(talk.left, []);

    // A server that hangs up on it is not asked again.
    let mut talk = Talk::new(login());
    talk.step(Event::Opened);
    talk.step(Event::Closed);
    talk.sent.clear();
    talk.step(Event::Opened);
    assert_eq!(talk.methods(), ["mining.subscribe"]);
}

/// The order of NOMP pools: difficulty and job right after the answer to subscribe, and of those that send
/// the job even before it.
#[test]
fn jobs_are_taken_before_the_answer_to_authorize() {
    let mut talk = Talk::new(login());
    talk.step(Event::Opened);
    talk.server("mining.set_difficulty", json!([EASY]));
    talk.server("mining.notify", notify_params("early", 1, true));
    assert!(talk.offers.is_empty(), "nothing to search without an extranonce");
    talk.answer("mining.subscribe", json!([["mining.notify", "s1"], "a1b2c3d4", 4]));
    assert_eq!(talk.offers.len(), 1);
    // Its shares wait until the server knows who we are.
    talk.find();
    assert!(!talk.methods().contains(&"mining.submit"));
    talk.answer("mining.authorize", json!(true));
    assert_eq!(talk.last("mining.submit")["params"][1], "early");
}

/// public-pool sends two in a row, others three; the last one holds, from the next job on.
#[test]
fn the_last_of_several_difficulties_holds() {
    let mut talk = Talk::subscribed(login(), 4);
    for value in [json!(100_000), json!(1), json!(0.25)] {
        talk.server("mining.set_difficulty", json!([value]));
    }
    talk.server("mining.notify", notify_params("1", 1, true));
    assert_eq!(talk.offers.last().map(|offer| offer.difficulty), Some(0.25));
    assert_eq!(
        talk.offers.last().map(|offer| offer.target),
        Some(Difficulty::new(0.25).expect("one").target_to_search())
    );

    // Not for the job that is searched already.
    talk.server("mining.set_difficulty", json!([8]));
    assert_eq!(talk.offers.len(), 1);
    talk.server("mining.notify", notify_params("2", 1, false));
    assert_eq!(
        talk.offers.last().map(|offer| offer.difficulty),
        Some(1.0),
        "not above the block's"
    );
}

#[test]
fn a_first_difficulty_after_the_first_job_holds_at_once() {
    let mut talk = Talk::subscribed(login(), 4);
    talk.server("mining.notify", notify_params("1", 1, true));
    assert_eq!(talk.offers.last().map(|offer| offer.difficulty), Some(1.0));
    talk.server("mining.set_difficulty", json!(["0.001"]));
    assert_eq!(talk.offers.len(), 2);
    assert_eq!(talk.offers[1].difficulty, 0.001);
    assert_ne!(talk.offers[1].extranonce_first, talk.offers[0].extranonce_first);
}

#[test]
fn difficulties_that_are_none_change_nothing_and_too_easy_ones_are_bounded() {
    let mut talk = Talk::subscribed(login(), 4);
    talk.server("mining.set_difficulty", json!([0.5]));
    for value in [json!(0), json!(-1), json!("x"), json!(null), json!([])] {
        talk.server("mining.set_difficulty", json!([value]));
    }
    assert_eq!(talk.messages.len(), 5, "{:?}", talk.messages);
    talk.server("mining.notify", notify_params("1", 1, true));
    assert_eq!(talk.offers.last().map(|offer| offer.difficulty), Some(0.5));
    talk.server("mining.set_difficulty", json!([1e-12]));
    talk.server("mining.notify", notify_params("2", 1, true));
    assert_eq!(talk.offers.last().map(|offer| offer.difficulty), Some(1e-6));
}

/// Widths that servers give, also those that others refuse.
#[test]
fn extranonces_of_every_width_are_submitted_at_their_width() {
    for bytes in 1..=16 {
        let mut talk = Talk::subscribed(login(), bytes);
        talk.server("mining.set_difficulty", json!([EASY]));
        // Later jobs begin at another extranonce: one that is not zero has to be at the right end.
        for job in ["1", "2", "3"] {
            talk.server("mining.notify", notify_params(job, 1, true));
        }
        talk.answer("mining.authorize", json!(true));
        let solution = talk.find();
        let params = &talk.last("mining.submit")["params"];
        let extranonce2 = hex::decode(params[2].as_str().expect("text")).expect("hex");
        assert_eq!(extranonce2.len(), bytes);
        assert_eq!(extranonce2[0], 2, "the third job's first extranonce");
        assert_eq!(rebuilt(&notify_params("3", 1, true), &extranonce2, params), solution.header);
    }
    for refused in [json!(0), json!(17), json!(-1), json!("4"), json!(null)] {
        let mut talk = Talk::new(login());
        talk.step(Event::Opened);
        talk.answer("mining.subscribe", json!([[], "a1b2c3d4", refused]));
        assert!(matches!(talk.left[..], [Trouble::Protocol(_)]), "{refused}");
    }
}

/// The header as a server puts it together from what is submitted.
fn rebuilt(notify: &Value, extranonce2: &[u8], params: &Value) -> [u8; 80] {
    use proofward::hash::sha256::sha256d;
    let hex = |value: &Value| hex::decode(value.as_str().expect("text")).expect("hex");
    let little = |value: &Value| hex(value).into_iter().rev().collect::<Vec<u8>>();
    let coinbase =
        [hex(&notify[2]), vec![0xa1, 0xb2, 0xc3, 0xd4], extranonce2.to_vec(), hex(&notify[3])]
            .concat();
    let mut root = sha256d(&coinbase);
    for sibling in notify[4].as_array().expect("a list") {
        root = sha256d(&[&root[..], &hex(sibling)].concat());
    }
    let prev: Vec<u8> =
        hex(&notify[1]).chunks(4).flat_map(|group| group.iter().rev().copied()).collect();
    [
        little(&notify[5]),
        prev,
        root.to_vec(),
        little(&params[3]),
        little(&notify[6]),
        little(&params[4]),
    ]
    .concat()
    .try_into()
    .expect("80 bytes")
}

#[test]
fn the_name_of_a_job_is_any_text() {
    for name in ["", "0", "job/7 \"x\"", "\u{4e00}", &"f".repeat(256)] {
        let mut talk = Talk::mining();
        talk.server("mining.notify", notify_params(name, 2, true));
        talk.find();
        assert_eq!(talk.last("mining.submit")["params"][1], name);
    }
    let mut talk = Talk::mining();
    talk.server("mining.notify", notify_params(&"f".repeat(257), 2, true));
    assert_eq!((talk.offers.len(), talk.messages.len()), (1, 1));
}

#[test]
fn shares_meet_their_difficulty_and_answers_find_them() {
    let mut talk = Talk::mining();
    let target = Difficulty::LEAST.target_to_search();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let solution = talk.find();
        let digest = hash_header(proofward::hash::Algorithm::Sha256d, &solution.header);
        assert!(target.is_met_by(&digest));
        ids.push(talk.last("mining.submit")["id"].clone());
    }
    assert!(talk.stratum.is_owed_answers());
    talk.now += Duration::from_millis(40);
    // Out of order, one as text, one twice, one of nobody.
    talk.line(json!({ "id": ids[2], "result": true, "error": null }));
    talk.line(json!({ "id": ids[2], "result": true, "error": null }));
    talk.line(json!({ "id": 999, "result": true, "error": null }));
    talk.line(json!({ "id": ids[0].to_string(), "result": true }));
    talk.line(json!({ "id": ids[1], "result": null, "error": [21, "Job not found", null] }));
    let fates: Vec<_> = talk.shares.iter().map(|share| share.fate).collect();
    assert_eq!(fates, [Fate::Accepted, Fate::Accepted, Fate::Stale]);
    assert_eq!(talk.shares[0].latency, Some(Duration::from_millis(40)));
    assert_eq!(talk.shares[0].difficulty, 1e-6);
    assert!(!talk.stratum.is_owed_answers());
}

#[test]
fn refusals_are_told_in_words() {
    let cases = [
        (json!([21, "Job not found (stale)", null]), Fate::Stale, "Job not found"),
        (json!([22, "Duplicate share", null]), Fate::Refused, "submitted before"),
        (json!([23, "", null]), Fate::Refused, "above the share target"),
        (json!([24, "Unauthorized worker", null]), Fate::Refused, "not authorized"),
        (json!({ "code": 20, "message": "Invalid version" }), Fate::Refused, "Invalid version"),
        (json!("stale share"), Fate::Stale, "stale share"),
        (json!([20, "a\u{1b}[31mb\n", null]), Fate::Refused, "a [31mb"),
        (json!([]), Fate::Refused, "[]"),
    ];
    for (error, fate, words) in cases {
        let mut talk = Talk::mining();
        talk.find();
        talk.refuse("mining.submit", error.clone());
        let [share] = &talk.shares[..] else { panic!("{:?}", talk.shares) };
        assert_eq!(share.fate, fate, "{error}");
        let reason = share.reason.as_deref().expect("a reason");
        assert!(reason.contains(words), "{reason}");
        assert!(!reason.contains(char::is_control), "{reason}");
    }
    for result in [json!(false), json!(null), json!("true"), json!(1)] {
        let mut talk = Talk::mining();
        talk.find();
        talk.answer("mining.submit", result);
        assert_eq!(talk.shares.last().map(|share| share.fate), Some(Fate::Refused));
    }
}

#[test]
fn a_server_that_refuses_everything_is_left() {
    let mut talk = Talk::mining();
    for count in 1..=REFUSED_MAX {
        assert_eq!(talk.left, [], "after {count}");
        talk.find();
        talk.refuse("mining.submit", json!([21, "Job not found", null]));
        talk.find();
        talk.refuse("mining.submit", json!([23, "Low difficulty share", null]));
    }
    assert!(matches!(talk.left[..], [Trouble::AllRefused { count: REFUSED_MAX, .. }]));

    // One that is counted on the way makes it an honest server with bad luck.
    let mut talk = Talk::mining();
    for _ in 0..3 {
        for _ in 1..REFUSED_MAX {
            talk.find();
            talk.refuse("mining.submit", json!([23, "Low difficulty share", null]));
        }
        talk.find();
        talk.answer("mining.submit", json!(true));
    }
    assert_eq!(talk.left, []);
}

#[test]
fn deadlines_are_kept_to_the_second() {
    let no_answer = |talk: &Talk| match &talk.left[..] {
        [] => None,
        [Trouble::NoAnswer { what, .. }] => Some(*what),
        other => panic!("{other:?}"),
    };
    let mut talk = Talk::new(login());
    talk.step(Event::Opened);
    talk.wait(SUBSCRIBE_WAIT.as_secs() - 1);
    assert_eq!(no_answer(&talk), None);
    talk.wait(1);
    assert_eq!(no_answer(&talk), Some("mining.subscribe"));

    let mut talk = Talk::subscribed(login(), 4);
    talk.wait(AUTHORIZE_WAIT.as_secs() - 1);
    assert_eq!(no_answer(&talk), None);
    talk.wait(1);
    assert_eq!(no_answer(&talk), Some("mining.authorize"));

    let mut talk = Talk::mining();
    talk.find();
    talk.wait(SUBMIT_WAIT.as_secs() - 1);
    assert_eq!(no_answer(&talk), None);
    talk.wait(1);
    assert_eq!(no_answer(&talk), Some("a share"));

    // Connected, but silent: the answers to shares do not count as work.
    let mut talk = Talk::mining();
    talk.wait(JOB_WAIT.as_secs() - 1);
    talk.find();
    talk.answer("mining.submit", json!(true));
    assert_eq!(talk.left, []);
    talk.wait(1);
    assert_eq!(talk.left, [Trouble::NoJob(JOB_WAIT)]);

    let mut talk = Talk::mining();
    for job in 2..10 {
        talk.wait(JOB_WAIT.as_secs() - 1);
        talk.server("mining.notify", notify_params(&job.to_string(), 1, false));
    }
    assert_eq!(talk.left, []);
}

#[test]
fn a_job_that_is_repeated_is_not_searched_again() {
    let mut talk = Talk::mining();
    talk.server("mining.notify", notify_params("1", 1, true));
    assert_eq!(talk.offers.len(), 1);
    // Under another name it is, but not from the same extranonce: no share is found twice.
    talk.server("mining.notify", notify_params("2", 1, true));
    assert_eq!(talk.offers.len(), 2);
    assert_ne!(talk.offers[0].extranonce_first, talk.offers[1].extranonce_first);
}

#[test]
fn shares_of_worthless_jobs_are_not_sent() {
    let mut talk = Talk::mining();
    let old = talk.offers[0].clone();
    talk.server("mining.notify", notify_params("2", 1, false));
    talk.step(Event::Found { offer: old.number, solution: solve(&old) });
    assert_eq!(talk.last("mining.submit")["params"][1], "1", "still good without clean_jobs");
    talk.server("mining.notify", notify_params("3", 2, true));
    let sent = talk.sent.len();
    talk.step(Event::Found { offer: old.number, solution: solve(&old) });
    assert_eq!(
        (talk.sent.len(), talk.shares.last().map(|share| share.fate)),
        (sent, Some(Fate::Stale))
    );
}

#[test]
fn an_outage_keeps_shares_for_a_session_that_is_resumed() {
    let mut talk = Talk::mining();
    talk.step(Event::Closed);
    for _ in 0..2 {
        talk.find();
    }
    talk.sent.clear();
    talk.step(Event::Opened);
    assert_eq!(talk.last("mining.subscribe")["params"][1], "s1");
    talk.answer("mining.subscribe", json!([[["mining.notify", "s1"]], "a1b2c3d4", 4]));
    talk.answer("mining.authorize", json!(true));
    assert!(
        !talk.methods().contains(&"mining.submit"),
        "not before it is clear that the tip is the same"
    );
    talk.server("mining.notify", notify_params("1", 1, true));
    assert_eq!(talk.methods().iter().filter(|method| **method == "mining.submit").count(), 2);
    assert_eq!(talk.shares, []);
    // The first job of a connection is searched, though it is the one from before.
    assert_eq!(talk.offers.len(), 2);
}

#[test]
fn what_an_outage_made_worthless_is_told() {
    let lost = |extranonce: &str, prev: u8| {
        let mut talk = Talk::mining();
        talk.step(Event::Closed);
        talk.find();
        talk.step(Event::Opened);
        talk.answer("mining.subscribe", json!([[["mining.notify", "s2"]], extranonce, 4]));
        talk.answer("mining.authorize", json!(true));
        talk.server("mining.notify", notify_params("9", prev, true));
        let [share] = &talk.shares[..] else { panic!("{:?}", talk.shares) };
        assert_eq!(share.fate, Fate::Lost);
        share.reason.clone().expect("a reason")
    };
    assert!(lost("ffffffff", 1).contains("another extranonce"));
    assert!(lost("a1b2c3d4", 2).contains("the chain went on"));

    let mut talk = Talk::mining();
    talk.step(Event::Closed);
    for _ in 0..KEPT_MAX + 3 {
        talk.find();
    }
    assert_eq!(talk.shares.len(), 3, "the queue is bounded");
}

#[test]
fn shares_without_an_answer_are_submitted_again() {
    let mut talk = Talk::mining();
    talk.find();
    let params = talk.last("mining.submit")["params"].clone();
    talk.step(Event::Closed);
    talk.sent.clear();
    talk.step(Event::Opened);
    talk.answer("mining.subscribe", json!([[["mining.notify", "s1"]], "a1b2c3d4", 4]));
    talk.answer("mining.authorize", json!(true));
    talk.server("mining.notify", notify_params("1", 1, true));
    assert_eq!(talk.last("mining.submit")["params"], params);
}

#[test]
fn a_session_that_the_server_does_not_know_is_let_go() {
    let mut talk = Talk::mining();
    talk.step(Event::Closed);
    talk.step(Event::Opened);
    talk.refuse("mining.subscribe", json!([20, "unknown session", null]));
    assert!(matches!(talk.left[..], [Trouble::Protocol(_)]));
    talk.step(Event::Closed);
    talk.sent.clear();
    talk.step(Event::Opened);
    assert_eq!(talk.last("mining.subscribe")["params"].as_array().map(Vec::len), Some(1));
}

#[test]
fn questions_are_answered_and_words_are_passed_on() {
    let mut talk = Talk::mining();
    talk.line(json!({ "id": 42, "method": "mining.ping", "params": [] }));
    talk.line(json!({ "id": "v", "method": "client.get_version", "params": [] }));
    talk.line(json!({ "id": 7, "method": "client.dance", "params": [] }));
    talk.line(json!({ "id": null, "method": "pong", "params": [] }));
    let answers: Vec<_> = talk.sent.iter().filter(|sent| sent.get("method").is_none()).collect();
    assert_eq!(*answers[0], json!({ "id": 42, "result": "pong", "error": null }));
    assert_eq!(answers[1]["id"], "v");
    assert!(answers[1]["result"].as_str().is_some_and(|text| text.starts_with("proofward/")));
    assert_eq!(answers[2]["error"][0], 20);
    assert_eq!(answers.len(), 3);
    // Its digits come back, though no 64 bits hold them.
    let digits = "98446744073709551616";
    talk.step(Event::Line(format!(r#"{{"id":{digits},"method":"mining.ping"}}"#)));
    let id: Value = serde_json::from_str(digits).unwrap();
    assert_eq!(talk.sent.last().map(|sent| &sent["id"]), Some(&id));
    talk.server("client.show_message", json!(["maintenance\u{7} at noon"]));
    assert_eq!(talk.messages, ["the server says: maintenance  at noon"]);
}

#[test]
fn reconnecting_leads_to_the_same_domain_only() {
    let left = |params: Value| {
        let mut talk = Talk::mining();
        talk.server("client.reconnect", params);
        talk.left.pop()
    };
    let to = |host: &str| Some((host.to_owned(), 3334));
    let after = Duration::from_secs;
    let here = Trouble::Reconnect { address: None, after: after(0) };
    assert_eq!(left(json!([])), Some(here.clone()));
    assert_eq!(left(json!(["", 0, 0])), Some(here));
    assert_eq!(
        left(json!(["eu.example.org", 3334, 5])),
        Some(Trouble::Reconnect { address: to("eu.example.org"), after: after(5) })
    );
    assert_eq!(
        left(json!(["pool.example.org", "3334", 1_000_000])),
        Some(Trouble::Reconnect { address: to("pool.example.org"), after: after(300) })
    );
    for stranger in ["pool.evil.org", "example.org.evil.net", "10.0.0.1", "localhost", "org"] {
        assert_eq!(left(json!([stranger, 3334, 0])), None, "{stranger}");
    }
}

#[test]
fn lines_that_mean_nothing_do_no_harm() {
    let mut talk = Talk::mining();
    let sent = talk.sent.len();
    for line in [
        "",
        "   ",
        "{",
        "[]",
        "null",
        "7",
        "\u{0}",
        "{\"method\":7}",
        "{\"id\":1e400}",
        "{\"method\":\"mining.notify\"}",
        "{\"method\":\"mining.notify\",\"params\":{}}",
        "{\"id\":null,\"result\":true}",
        "HTTP/1.1 400 Bad Request",
    ] {
        talk.step(Event::Line(line.to_owned()));
    }
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    talk.step(Event::Line(nested));
    assert_eq!((talk.sent.len(), talk.offers.len(), talk.left.len()), (sent, 1, 0));
    talk.find();
    assert_eq!(talk.last("mining.submit")["params"][1], "1", "it mines on");
}

#[test]
fn jobs_that_cannot_be_right_are_not_searched() {
    let spoil = |at: usize, value: Value| {
        let mut params = notify_params("2", 2, true);
        params[at] = value;
        let line = json!({ "id": null, "method": "mining.notify", "params": params });
        Line::parse(&line.to_string())
    };
    for (at, value) in [
        (0, json!(7)),
        (1, json!("00")),
        (2, json!("0")),
        (3, json!("xx")),
        (4, json!("ab")),
        (4, json!(["ab"])),
        (4, json!(vec![hex::encode([0; 32]); 33])),
        (5, json!("200000000")),
        (5, json!("")),
        (6, json!("+1d00fff")),
        (7, json!(1)),
    ] {
        assert!(spoil(at, value.clone()).is_err(), "{at}: {value}");
    }
    assert!(spoil(5, json!("2")).is_ok(), "some servers do not pad");
    assert!(spoil(8, json!(false)).is_ok());
}

#[test]
fn a_job_that_was_searched_to_its_end_goes_on_a_second_later() {
    let mut talk = Talk::subscribed(login(), 1);
    talk.server("mining.notify", notify_params("1", 1, true));
    let first = talk.offers[0].clone();
    talk.step(Event::Exhausted { offer: first.number });
    assert_eq!(talk.offers[1].header.time, first.header.time + 1);
    // Of a job that was replaced it is no news.
    talk.step(Event::Exhausted { offer: first.number });
    assert_eq!(talk.offers.len(), 2);
}
