//! What other people's servers may send to a miner: lines of stratum, and answers to getblocktemplate.

use std::time::Duration;

use crate::node::client::stratum::{Line, Login, Stratum};
use crate::node::client::template::BlockTemplate;
use crate::node::client::{Action, Event};

/// Lines of a server in any order and at any time: the machine goes on or leaves, what it says parses as what
/// it is, and what it offers can be searched. The same bytes as an answer to getblocktemplate are a template
/// or not.
///
/// # Panics
///
/// If one of these does not hold.
pub fn server_line(data: &[u8]) {
    let _ = BlockTemplate::parse(200, data);
    let mut stratum = Stratum::new(Login {
        user: "user".into(),
        pass: "x".into(),
        host: "pool.example.org".into(),
        suggest: None,
        rolls_versions: true,
    });
    let mut now = Duration::ZERO;
    follow(stratum.step(Event::Opened, now));
    for line in data.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line).into_owned();
        follow(stratum.step(Event::Line(line), now));
        now += Duration::from_secs(1);
        follow(stratum.step(Event::Tick, now));
    }
    follow(stratum.step(Event::Closed, now));
}

fn follow(actions: Vec<Action>) {
    for action in actions {
        match action {
            Action::Send(line) => {
                assert!(!line.contains('\n'), "one line each: {line}");
                assert!(Line::parse(&line).is_ok(), "not understood by ourselves: {line}");
            }
            Action::Search(offer) => {
                let first = offer.templates().next().expect("something to search");
                assert_eq!(first.header_at(0)[76..], [0; 4], "the nonce is searched");
                assert!(offer.difficulty > 0.0);
            }
            Action::Message(text) => assert!(!text.contains('\n'), "one line each: {text}"),
            _ => {}
        }
    }
}
