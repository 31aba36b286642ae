//! What miners and strangers send to the stratum port.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::ledger::spec::Spec;
use crate::node::call_id::Id;
use crate::node::clock::Moment;
use crate::node::stratum::desk::{Desk, Settings};
use crate::node::stratum::limits::LINE_BYTES_MAX;
use crate::node::stratum::numbers::Numbers;
use crate::node::stratum::protocol::{Writer, parse};
use crate::node::stratum::session::{Event, Next, Session};

/// Any bytes are lines of a connection. Whatever is answered is whole lines of JSON, no longer than a
/// small multiple of the question; a request that parses is answered under its own id.
///
/// # Panics
///
/// If an answer is none.
pub fn stratum_line(data: &[u8]) {
    // Without a job: one desk serves every input.
    static DESK: OnceLock<Arc<Desk>> = OnceLock::new();
    let desk = DESK.get_or_init(|| {
        Desk::new(Settings::of(&Spec::test(), None), Numbers::in_memory(1, 1), None)
    });
    let mut session = Session::new(Arc::clone(desk), Moment::default());
    for line in data.split(|byte| *byte == b'\n').filter(|line| line.len() <= LINE_BYTES_MAX) {
        if let Ok(request) = parse(line) {
            assert_eq!(parse(line).as_ref(), Ok(&request), "the same line means the same");
            let mut out = Vec::new();
            Writer(&mut out).result(&request.id, "true");
            check(&out, &request.id, line);
        }
        let mut out = Vec::new();
        let next = session.step(Event::Line(line), Moment::default(), &mut out);
        assert!(out.len() <= 1024 + 8 * line.len(), "{} bytes for {}", out.len(), line.len());
        assert!(!matches!(next, Next::Submit(_)), "without work nothing is a block");
        if matches!(next, Next::Close(_)) {
            return;
        }
        let text = std::str::from_utf8(&out).expect("answers are text");
        assert!(text.is_empty() || text.ends_with('\n'), "whole lines");
        for answer in text.lines() {
            let value: Value = serde_json::from_str(answer).expect("answers are JSON");
            assert!(value["id"].is_number() || value["id"].is_string(), "somebody asked");
            assert!(value.get("result").is_some(), "minerd counts nothing without it");
        }
    }
}

/// The id stands in the answer as in the line that asked.
fn check(answer: &[u8], id: &Id, line: &[u8]) {
    let echoed = || -> Value { serde_json::from_slice(answer).expect("answers are JSON") };
    match id {
        Id::Null => assert!(answer.is_empty(), "null is never answered"),
        Id::Bool(_) => panic!("stratum has numbers and texts"),
        Id::Number(digits) => {
            let start = format!("{{\"id\":{digits},");
            assert!(answer.starts_with(start.as_bytes()), "{digits} comes back");
            assert!(echoed()["id"].is_number());
            assert!(line.windows(digits.len()).any(|part| part == digits.as_bytes()), "{digits}");
        }
        Id::Text(text) => assert_eq!(echoed()["id"], **text),
    }
}
