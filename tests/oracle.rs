//! The oracle's stream: every kind of case, hostile lengths, input that arrives byte by byte. What the
//! rules say is tested with the rules.

mod common;

use std::io::{self, Read};

use proofward::consensus::ChainSpec;
use proofward::fuzzing::forge::{self, Kind};
use proofward::fuzzing::oracle::{Answered, CASE_BYTES_MAX, Oracle, OracleError};

const GENESIS: &str = "0100000000000000000000000000000000000000000000000000000000000000\
    000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c";
const BITCOIN: u8 = 0;
const REGTEST: u8 = 3;
const NONE: u8 = 4;

/// A case: kind, chain, what is known, and the bytes of both.
fn case(kind: u8, chain: u8, known: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = [&[kind, chain, known], parts.concat().as_slice()].concat();
    framed(&body)
}

fn framed(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a small case");
    [&length.to_le_bytes(), body].concat()
}

fn genesis() -> Vec<u8> {
    hex::decode(GENESIS).expect("hex")
}

fn ask(input: impl Read) -> (Vec<String>, Result<Answered, OracleError>) {
    let mut output = Vec::new();
    let answered = Oracle::new().answer(input, &mut output);
    let text = String::from_utf8(output).expect("text");
    assert!(text.is_empty() || text.ends_with('\n'));
    (text.lines().map(str::to_owned).collect(), answered)
}

/// Cases and the line each must be answered with.
fn table() -> Vec<(Vec<u8>, &'static str)> {
    let genesis = genesis();
    let height = |height: u32| height.to_le_bytes();
    let mut flipped = genesis.clone();
    flipped[79] ^= 1;
    let target = "ok 00000000ffff0000000000000000000000000000000000000000000000000000";
    vec![
        (case(b'h', BITCOIN, 1, &[&height(0), &genesis]), "ok"),
        (
            case(b'h', BITCOIN, 0, &[&genesis]),
            "ok unjudged=bad-prevblk,bad-diffbits,time-too-old,time-too-new,bad-version",
        ),
        (case(b'h', BITCOIN, 0, &[&flipped]), "high-hash"),
        (case(b'h', NONE, 0, &[&genesis]), "ok unjudged=bad-prevblk"),
        (case(b'h', 5, 0, &[&genesis]), "high-hash"),
        (case(b'h', REGTEST, 1, &[&height(0), &genesis]), "bad-prevblk"),
        // Everything is known: parent, median, epoch, exception, clock.
        (
            case(
                b'h',
                BITCOIN,
                63,
                &[&height(1), &[7; 32], &[0; 8], &[0; 4], &[0; 4], &[0; 4], &[0; 8], &genesis],
            ),
            "bad-prevblk",
        ),
        (case(b'h', BITCOIN, 64, &[&genesis]), "malformed unknown knowledge 0x40"),
        (
            case(b'h', BITCOIN, 0, &[&genesis[1..]]),
            "malformed truncated at byte 3: 80 more bytes wanted, 79 left",
        ),
        (case(b'h', BITCOIN, 0, &[&genesis, &[0]]), "malformed 1 bytes after the end at byte 83"),
        (case(b'r', BITCOIN, 0, &[&genesis]), "ok unjudged=time-too-new"),
        (case(b'r', BITCOIN, 32, &[&1_231_006_505_i64.to_le_bytes(), &genesis]), "ok"),
        (case(b'r', BITCOIN, 0, &[&genesis, &genesis]), "bad-prevblk 1"),
        (case(b'r', BITCOIN, 1, &[&height(70_000), &genesis, &flipped]), "high-hash 70001"),
        (
            case(b'r', BITCOIN, 2, &[&[0; 40], &genesis]),
            "malformed a run takes its context from its own headers",
        ),
        (case(b'r', BITCOIN, 0, &[]), "malformed 0 bytes are no whole headers"),
        (case(b'r', BITCOIN, 0, &[&[0; 81]]), "malformed 81 bytes are no whole headers"),
        (case(b'n', BITCOIN, 0, &[&[0xff, 0xff, 0x00, 0x1d]]), target),
        (case(b'n', BITCOIN, 0, &[&[0xff, 0xff, 0x7f, 0x20]]), "above-limit"),
        (case(b'n', BITCOIN, 0, &[&[0x56, 0x34, 0x92, 0x04]]), "negative"),
        (case(b'n', BITCOIN, 0, &[&[0x56, 0x34, 0x12, 0xff]]), "overflow"),
        (case(b'n', BITCOIN, 0, &[&[0; 4]]), "zero"),
        (case(b'b', BITCOIN, 0, &[&genesis]), "block-decode-failed"),
        (case(b'b', BITCOIN, 1, &[&height(0), &genesis, &[0]]), "bad-txnmrklroot"),
        (case(b'x', BITCOIN, 0, &[]), "malformed kind 0x78"),
        (case(b'h', 6, 0, &[]), "malformed chain 6"),
        (framed(&[]), "malformed truncated at byte 0: 1 more bytes wanted, 0 left"),
        (framed(b"h"), "malformed truncated at byte 1: 1 more bytes wanted, 0 left"),
    ]
}

#[test]
fn every_kind_of_case_has_its_answer() {
    let table = table();
    let input: Vec<u8> = table.iter().flat_map(|(case, _)| case.clone()).collect();
    let (lines, answered) = ask(input.as_slice());
    for (line, (_, expected)) in lines.iter().zip(&table) {
        assert!(line.starts_with(expected), "{line:?}, expected {expected:?}");
        assert_eq!(line.contains("unjudged"), expected.contains("unjudged"), "{line:?}");
    }
    assert_eq!(lines.len(), table.len());
    let answered = answered.expect("the input ends after a case");
    assert_eq!(answered.cases, table.len() as u64);
    let malformed = table.iter().filter(|(_, line)| line.starts_with("malformed")).count();
    assert_eq!(answered.malformed, malformed as u64);
}

/// Gives one byte at a time, with interruptions, as a terminal or a slow pipe may.
struct Slow<'a>(&'a [u8], bool);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = self.0.len().min(1);
        buffer[..len].copy_from_slice(&self.0[..len]);
        self.0 = &self.0[len..];
        Ok(len)
    }
}

#[test]
fn how_the_input_arrives_changes_no_answer() {
    let input: Vec<u8> = table().into_iter().flat_map(|(case, _)| case).collect();
    let (at_once, _) = ask(input.as_slice());
    let (slowly, answered) = ask(Slow(&input, false));
    assert_eq!(slowly, at_once);
    assert!(answered.is_ok());
}

#[test]
fn a_header_alone_or_in_a_batch_has_the_same_verdict() {
    // More than a batch, with headers of both algorithms and every few a bad one.
    let mut input = Vec::new();
    let mut expected = Vec::new();
    for at in 0..1000_u32 {
        let mut header = genesis();
        header[70] ^= u8::from(at % 7 == 3);
        let chain = if at % 300 > 290 { 5 } else { NONE };
        let single = case(b'h', chain, 0, &[&header]);
        let (lines, _) = ask(single.as_slice());
        expected.extend(lines);
        input.extend(single);
    }
    let (lines, _) = ask(input.as_slice());
    assert_eq!(lines, expected);
}

#[test]
fn input_that_ends_inside_a_case_is_an_error_after_the_answers() {
    let whole = case(b'n', BITCOIN, 0, &[&[0; 4]]);
    for cut in 1..whole.len() {
        let (lines, answered) = ask([whole.as_slice(), &whole[..cut]].concat().as_slice());
        assert_eq!(lines, ["zero"]);
        let missing = if cut < 4 { 4 - cut } else { whole.len() - cut } as u64;
        assert!(
            matches!(answered, Err(OracleError::Truncated { missing: m }) if m == missing),
            "cut at {cut}: {answered:?}"
        );
    }
    let (lines, answered) = ask([].as_slice());
    assert_eq!(lines.len(), 0);
    assert_eq!(answered.unwrap(), Answered::default());
}

#[test]
fn a19_a_case_that_is_too_long_is_skipped_and_not_stored() {
    let too_long = u32::try_from(CASE_BYTES_MAX + 1).unwrap();
    let whole = case(b'n', BITCOIN, 0, &[&[0; 4]]);
    let long = io::Cursor::new(too_long.to_le_bytes())
        .chain(io::repeat(0xff).take(too_long.into()))
        .chain(whole.as_slice());
    let (lines, answered) = ask(long);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("malformed 4000129 bytes"), "{lines:?}");
    assert_eq!(lines[1], "zero");
    assert_eq!(answered.unwrap().malformed, 1);

    let (lines, answered) = ask([0xff_u8; 20].as_slice());
    assert_eq!(lines.len(), 1);
    let missing = u64::from(u32::MAX) - 16;
    assert!(matches!(answered, Err(OracleError::Truncated { missing: m }) if m == missing));
}

/// What is forged is answered with the rule that it breaks.
#[test]
fn forged_cases_have_their_answer() {
    let spec = ChainSpec::regtest();
    let mut input = Vec::new();
    let mut expected = Vec::new();
    for variant in forge::variants().filter(|variant| variant.applies_to(&spec)) {
        let forged = variant.forge(&spec, 1);
        let now = forged.now.to_le_bytes();
        let (kind, height) = match variant.kind {
            Kind::Headers => (b'r', 0_u32),
            Kind::Block => (b'b', 1),
        };
        input.extend(case(kind, REGTEST, 1 + 32, &[&height.to_le_bytes(), &now, &forged.bytes]));
        expected.push(match (variant.kind, forged.height) {
            (_, None) => "ok".to_owned(),
            (Kind::Headers, Some(height)) => format!("{} {height}", variant.rule),
            (Kind::Block, Some(_)) => variant.rule.to_owned(),
        });
    }
    let (lines, _) = ask(input.as_slice());
    // A block has no parent in a case that does not say so.
    let lines: Vec<&str> =
        lines.iter().map(|line| line.split(" unjudged=").next().expect("a verdict")).collect();
    assert_eq!(lines, expected);
}

#[test]
fn the_real_chain_is_ok_as_a_run() {
    let Some(path) = common::data("headers/mainnet_0_32260.bin") else { return };
    let headers = std::fs::read(path).expect("a readable file");
    let mut bad = headers.clone();
    bad[80 * 20_000 + 50] ^= 1;
    let input = [
        case(b'r', BITCOIN, 0, &[&headers]),
        case(b'r', REGTEST, 0, &[&headers]),
        case(b'r', BITCOIN, 0, &[&bad]),
        case(b'r', BITCOIN + 128, 0, &[&headers]),
    ];
    let (lines, _) = ask(input.concat().as_slice());
    let ok = "ok unjudged=time-too-new";
    assert_eq!(lines, [ok, "bad-prevblk 0", "high-hash 20000", ok]);
}
