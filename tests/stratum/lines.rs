//! Lines as clients write them, and what is made of them.

use proofward::node::call_id::Id;
use proofward::node::stratum::protocol::{
    Call, LineError, Reject, Submit, Writer, difficulty_of_password, parse,
};

fn call(line: &str) -> Call {
    parse(line.as_bytes()).expect(line).call
}

fn submit(params: &str) -> Result<Submit, Reject> {
    let line = format!(r#"{{"id":4,"method":"mining.submit","params":[{params}]}}"#);
    match call(&line) {
        Call::Submit(submit) => submit,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_way_to_ask_for_a_difficulty() {
    let cases = [
        (r#""mining.suggest_difficulty","params":[0.001]"#, Some(0.001)),
        (r#""mining.suggest_difficulty","params":["0.001000"]"#, Some(0.001)),
        (r#""mining.suggest_difficulty(0.1)","params":[]"#, Some(0.1)),
        (r#""mining.suggest_difficulty","params":[1024]"#, Some(1024.0)),
        // Brought up to the easiest.
        (r#""mining.suggest_difficulty","params":[1e-300]"#, Some(1e-6)),
        (r#""mining.suggest_difficulty","params":[0]"#, None),
        (r#""mining.suggest_difficulty","params":[-1]"#, None),
        (r#""mining.suggest_difficulty","params":["NaN"]"#, None),
        (r#""mining.suggest_difficulty","params":["inf"]"#, None),
        (r#""mining.suggest_difficulty","params":[]"#, None),
        (
            r#""mining.suggest_target","params":["00000000ffff0000000000000000000000000000000000000000000000000000"]"#,
            Some(1.0),
        ),
        (r#""mining.suggest_target","params":["00"]"#, None),
    ];
    for (rest, expected) in cases {
        let Call::Suggest(asked) = call(&format!(r#"{{"id":1,"method":{rest}}}"#)) else {
            panic!("{rest}")
        };
        assert_eq!(asked.map(|asked| asked.value()), expected, "{rest}");
    }
    let cases = [
        ("d=0.001", Some(0.001)),
        ("x,diff=2", Some(2.0)),
        ("x;d=2", Some(2.0)),
        ("password=5", None),
        ("bad=2", None),
        ("d=", None),
        ("x", None),
        ("", None),
    ];
    for (password, expected) in cases {
        let asked = difficulty_of_password(password).map(|asked| asked.value());
        assert_eq!(asked, expected, "{password}");
    }
}

#[test]
fn ids_are_echoed_as_they_came_and_null_is_never_answered() {
    let cases = [
        ("1", "1"),
        ("0", "0"),
        ("-7", "-7"),
        ("18446744073709551615", "18446744073709551615"),
        // Beyond 64 bits, and of more digits than a float has.
        ("98446744073709551616", "98446744073709551616"),
        ("-0", "-0"),
        ("9.844674407370957e19", "9.844674407370957e19"),
        ("0.12345678901234567", "0.12345678901234567"),
        (r#""auth""#, r#""auth""#),
        (r#""tx\"list\\1""#, r#""tx\"list\\1""#),
    ];
    for (sent, echoed) in cases {
        let id = parse(format!(r#"{{"id":{sent},"method":"x"}}"#).as_bytes()).unwrap().id;
        let mut out = Vec::new();
        Writer(&mut out).result(&id, "true");
        let expected = format!("{{\"id\":{echoed},\"result\":true,\"error\":null}}\n");
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
    for line in [r#"{"method":"x"}"#, r#"{"id":null,"method":"x"}"#] {
        let id = parse(line.as_bytes()).unwrap().id;
        assert_eq!(id, Id::Null);
        let mut out = Vec::new();
        Writer(&mut out).result(&id, "true");
        Writer(&mut out).reject(&id, Reject::Duplicate);
        assert!(out.is_empty());
    }
}

#[test]
fn numbers_are_compared_by_value_not_by_spelling() {
    let plain = submit(r#""u","1a","0000000f","66000000","0000beef""#).unwrap();
    // NerdMiner leaves zeros out; hex may be in either case.
    for same in [
        r#""u","1a","0000000f","66000000","beef""#,
        r#""u","0000001A","0000000F","66000000","BeeF""#,
        r#""u","1a","0000000f","66000000","0beef",null"#,
    ] {
        assert_eq!(submit(same).as_ref(), Ok(&plain), "{same}");
    }
    assert_eq!(
        submit(r#""u","1a","0000000f","66000000","0","0000e000""#).unwrap().version_bits,
        Some(0xe000)
    );
    // A job that is no number is one that nobody knows, not a broken share.
    assert_eq!(submit(r#""u","xyz","0000000f","66000000","0""#).unwrap().job, None);
}

#[test]
fn a53_a_share_that_is_spelled_to_look_new_is_refused() {
    for wrong in [
        r#""u","1a","f","66000000","0""#,
        r#""u","1a","0000000f00","66000000","0""#,
        r#""u","1a","0000000g","66000000","0""#,
        r#""u","1a","0000000f ","66000000","0""#,
        r#""u","1a","+000000f","66000000","0""#,
        r#""u","1a","0000000f","66000000","00000beef""#,
        r#""u","1a","0000000f","66000000","+1""#,
        r#""u","1a","0000000f","66000000","0x1""#,
        r#""u","1a","0000000f","66000000","""#,
        r#""u","1a","0000000f","066000000","0""#,
        r#""u","1a","0000000f","66000000","0","zz""#,
        r#""u","1a","0000000f","66000000",7"#,
        r#""u","1a","0000000f""#,
        "",
    ] {
        assert!(matches!(submit(wrong), Err(Reject::Malformed(_))), "{wrong}");
    }
}

#[test]
fn what_is_no_message_is_told_apart() {
    for line in ["GET / HTTP/1.1\r", "POST /rpc HTTP/1.0"] {
        assert_eq!(parse(line.as_bytes()), Err(LineError::Http));
    }
    let deep = format!(r#"{{"id":1,"method":"x","params":{}"#, "[".repeat(3000));
    for line in [
        "hello",
        "[]",
        "1",
        "null",
        r#"{"id":[],"method":"x"}"#,
        r#"{"id":{},"method":"x"}"#,
        r#"{"id":true,"method":"x"}"#,
        r#"{"id":1,"id":2,"method":"x"}"#,
        r#"{"id":1e400,"method":"x"}"#,
        r#"{"id":NaN,"method":"x"}"#,
        r#"{"id":1,"method":5}"#,
        r#"{"id":1,"method":"x""#,
        &deep,
    ] {
        let parsed = parse(line.as_bytes());
        assert!(matches!(parsed, Err(LineError::NotAMessage(_))), "{line}: {parsed:?}");
    }
    assert!(parse(&[b'{', 0xff, b'}']).is_err());
    // An answer to something is no request, with an id or without.
    assert_eq!(call(r#"{"id":42,"result":"pong","error":null}"#), Call::Answer);
    assert_eq!(call(r#"{"id":42,"method":"pong","params":[]}"#), Call::Answer);
    assert_eq!(call(r#"{"id":1,"method":"mining.fly","params":{"a":1}}"#), Call::Unknown);
    // Bytes that are no UTF-8, in a password that a client did not escape.
    let mut line = br#"{"id":2,"method":"mining.authorize","params":["u",""#.to_vec();
    line.extend_from_slice(&[0xff, 0xfe]);
    line.extend_from_slice(br#""]}"#);
    assert!(matches!(parse(&line).unwrap().call, Call::Authorize { .. }));
}

#[test]
fn a_subscription_names_the_session_that_it_resumes() {
    let session = |params: &str| match call(&format!(
        r#"{{"id":1,"method":"mining.subscribe","params":{params}}}"#
    )) {
        Call::Subscribe { session } => session,
        other => panic!("{other:?}"),
    };
    assert_eq!(session("[]"), None);
    assert_eq!(session(r#"["cpuminer/2.5.1"]"#), None);
    assert_eq!(session(r#"["cpuminer/2.5.1","a1b2c3d4"]"#), Some(0xa1b2_c3d4));
    assert_eq!(session(r#"["cpuminer/2.5.1","a1b2"]"#), None);
    assert_eq!(session(r#"["cpuminer/2.5.1",null]"#), None);
    assert_eq!(session("null"), None);
}
