//! `proofward verify` as people and scripts use it: what is printed where, and the exit codes.

#[path = "common/chain.rs"]
mod chain;
mod common;

use std::path::PathBuf;

use assert_cmd::Command;
use chain::mined;
use proofward::consensus::ChainSpec;
use proofward::fuzzing::forge::SplitMix64;
use serde_json::Value;

/// Exit code, standard output, standard error.
fn run_with(args: &[&str], input: &[u8]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("proofward").expect("built");
    let output = command.arg("verify").args(args).write_stdin(input).output().expect("started");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

fn run(args: &[&str]) -> (i32, String, String) {
    run_with(args, &[])
}

/// The lines of a call with `--format json` that went well enough to print some.
fn json(args: &[&str], input: &[u8]) -> (i32, Vec<Value>) {
    let args = [args, &["--format", "json"]].concat();
    let (code, stdout, stderr) = run_with(&args, input);
    assert_eq!(stderr, "", "{args:?}");
    let lines: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    assert!(lines.iter().all(|line| line["schema"] == 1));
    (code, lines)
}

/// The one line that a bad call gets.
fn usage_error(args: &[&str], input: &[u8]) -> String {
    let (code, stdout, stderr) = run_with(args, input);
    assert_eq!((code, &*stdout), (2, ""), "{args:?}: {stderr}");
    assert_eq!(stderr.lines().count(), 1, "{args:?}: {stderr}");
    assert!(stderr.starts_with("proofward: "), "{stderr}");
    stderr
}

fn real(path: &str) -> Option<String> {
    Some(common::data(path)?.to_str().expect("UTF-8").to_owned())
}

fn written(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> String {
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn the_real_chain_is_valid_from_a_file_and_from_standard_input() {
    let Some(file) = real("headers/mainnet_0_32260.bin") else { return };
    let (code, lines) = json(&["headers", &file, "--chain", "bitcoin"], &[]);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(code, 0);
    assert_eq!(line["valid"], true);
    assert_eq!(line["count"], 32_261);
    assert_eq!((&line["first_height"], &line["last_height"]), (&0.into(), &32_260.into()));
    assert_eq!(
        line["tip_hash"],
        "0000000007bfbe7ec5510ccf80c5a291bf8fc603dd79f5d6a69fae6039f8a35e"
    );
    assert_eq!(line["chain_work"], "138565982022938");
    assert_eq!(line["not_judged"], Value::Array(Vec::new()), "the system's clock is used");
    assert!(line["seconds"].as_f64() > Some(0.0));
    assert!(line["headers_per_second"].as_f64() > Some(1000.0));
    let bytes = std::fs::read(&file).expect("readable");
    for threads in ["1", "2"] {
        let input = &bytes[..32_257 * 80];
        let (code, lines) = json(&["headers", "-", "--threads", threads], input);
        assert_eq!((code, &lines[0]["chain_work"]), (0, &"138545659653586".into()));
    }
    let (code, stdout, stderr) = run(&["headers", &file]);
    assert_eq!((code, &*stderr), (0, ""));
    assert!(
        stdout.starts_with("valid: 32261 headers of bitcoin, heights 0 to 32260\n"),
        "{stdout}"
    );
}

#[test]
fn an_invalid_run_names_height_hash_and_rule() {
    let Some(file) = real("headers/regtest_151.bin") else { return };
    let (code, lines) = json(&["headers", &file, "--chain", "regtest"], &[]);
    assert_eq!((code, &lines[0]["count"]), (0, &151.into()));
    let (code, lines) = json(&["headers", &file, "--chain", "bitcoin"], &[]);
    assert_eq!(code, 1);
    assert_eq!(lines[0]["valid"], false);
    assert_eq!(lines[0]["height"], 0);
    assert_eq!(lines[0]["rule"], "high-hash");
    assert_eq!(
        lines[0]["hash"],
        "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
    );
    assert!(lines[0]["detail"].as_str().expect("text").contains("above the limit"));
    let (code, stdout, stderr) = run(&["headers", &file]);
    assert_eq!((code, &*stderr), (1, ""));
    assert!(stdout.starts_with("invalid: high-hash at height 0\n"), "{stdout}");
}

#[test]
fn a_run_above_genesis_lists_what_was_not_judged_until_it_gets_context() {
    let Some(file) = real("headers/mainnet_0_32260.bin") else { return };
    let bytes = std::fs::read(file).expect("readable");
    let folder = tempfile::tempdir().expect("a folder");
    let (before, after) = bytes.split_at(30_000 * 80);
    let context = written(&folder, "before.bin", before);
    let run = written(&folder, "after.bin", after);
    let (code, lines) = json(&["headers", &run, "--from-height", "30000"], &[]);
    assert_eq!(code, 0);
    let not_judged = serde_json::json!([
        {"rule": "bad-prevblk", "first_height": 30_000, "last_height": 30_000},
        {"rule": "bad-diffbits", "first_height": 30_000, "last_height": 30_000},
        {"rule": "bad-diffbits", "first_height": 30_240, "last_height": 30_240},
        {"rule": "time-too-old", "first_height": 30_000, "last_height": 30_010},
    ]);
    assert_eq!(lines[0]["not_judged"], not_judged);
    let from = |rule: &str| {
        let rules = lines[0]["judged_from"].as_array().expect("a list");
        rules.iter().find(|entry| entry["rule"] == rule).expect("a rule")["height"].clone()
    };
    assert_eq!((from("high-hash"), from("time-too-old")), (30_000.into(), 30_011.into()));
    // With the context, and the height counted from it.
    for args in [&[][..], &["--from-height", "30000"], &["--rules", "bip54"]] {
        let args = [&["headers", &run, "--context", &context], args].concat();
        let (code, lines) = json(&args, &[]);
        assert_eq!((code, &lines[0]["first_height"]), (0, &30_000.into()));
        assert_eq!(lines[0]["not_judged"], Value::Array(Vec::new()));
    }
    // Without the height it is not the genesis block.
    let (code, lines) = json(&["headers", &run], &[]);
    assert_eq!((code, &lines[0]["rule"]), (1, &"bad-prevblk".into()));
    let error = usage_error(&["headers", &run, "--context", &context, "--from-height", "5"], &[]);
    assert!(error.contains("do not fit"), "{error}");
}

#[test]
fn bip54_is_asked_for() {
    let Some(path) = real("vectors/bip54/timestamps_flat.json") else { return };
    let cases: Value =
        serde_json::from_slice(&std::fs::read(path).expect("readable")).expect("JSON");
    let headers = hex::decode(cases[3]["headers"].as_str().expect("hex")).expect("hex");
    assert_eq!(json(&["headers", "-"], &headers).0, 0);
    let (code, lines) = json(&["headers", "-", "--rules", "bip54"], &headers);
    assert_eq!((code, &lines[0]["height"]), (1, &2016.into()));
    assert_eq!(lines[0]["rule"], "time-timewarp-attack");
}

#[test]
fn the_clock_is_an_argument() {
    let headers = mined(&ChainSpec::regtest(), 2, 1).concat();
    let time = u32::from_le_bytes(headers[148..152].try_into().expect("four bytes"));
    let at = |now: i64| {
        let now = now.to_string();
        json(&["headers", "-", "--chain", "regtest", "--now", &now], &headers)
    };
    assert_eq!(at(i64::from(time) - 7200).0, 0);
    let (code, lines) = at(i64::from(time) - 7201);
    assert_eq!(
        (code, &lines[0]["rule"], &lines[0]["height"]),
        (1, &"time-too-new".into(), &1.into())
    );
}

#[test]
fn a21_bad_calls_get_one_line_and_exit_code_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let headers = mined(&ChainSpec::regtest(), 2, 1).concat();
    for len in [0, 79, 81, 159] {
        let error = usage_error(&["headers", "-", "--chain", "regtest"], &headers[..len]);
        assert!(error.contains(if len == 0 { "empty" } else { "bytes" }), "{error}");
        let file = written(&folder, "cut.bin", &headers[..len]);
        usage_error(&["headers", &file, "--chain", "regtest"], &[]);
    }
    let whole = written(&folder, "whole.bin", &headers);
    let missing = folder.path().join("missing.bin");
    let missing = missing.to_str().expect("UTF-8");
    let place = folder.path().to_str().expect("UTF-8");
    for (args, word) in [
        (&["headers", missing][..], "missing.bin"),
        (&["headers", place], "directory"),
        (&["headers", &whole, "--kernel", "abacus"], "abacus"),
        (&["headers", &whole, "--chain", "none", "--rules", "bip54"], "--chain"),
        (&["headers", &whole, "--algorithm", "blake3"], "--chain none"),
        (&["headers", &whole, "--context", missing], "missing.bin"),
        (&["blocks", missing], "missing.bin"),
        (&["blocks", place], "directory"),
        (&["blocks", "-"], "empty"),
    ] {
        let error = usage_error(args, &[]);
        assert!(error.contains(word), "{args:?}: {error}");
    }
    for args in [
        &["headers"][..],
        &["headers", &whole, "--chain", "dogecoin"],
        &["headers", &whole, "--threads", "0"],
        &["headers", &whole, "--algorithm", "md5"],
        &["headers", &whole, "--from-height", "-1"],
        &["blocks"],
    ] {
        let (code, stdout, stderr) = run(args);
        assert_eq!((code, &*stdout), (2, ""), "{args:?}");
        assert!(!stderr.is_empty());
    }
}

#[test]
fn blocks_get_a_line_for_each_file() {
    let (Some(first), Some(stale), Some(all)) = (
        real("blocks/mainnet_170.bin"),
        real("blocks/stale_74638.bin"),
        real("blocks/mainnet_first_4313.blk"),
    ) else {
        return;
    };
    let (code, lines) = json(&["blocks", &first, &all], &[]);
    assert_eq!((code, lines.len()), (0, 2));
    assert_eq!((&lines[0]["valid"], &lines[0]["count"]), (&true.into(), &1.into()));
    assert_eq!((&lines[0]["transactions"], &lines[0]["last_height"]), (&2.into(), &Value::Null));
    assert_eq!(lines[0]["file"], *first);
    assert_eq!(
        lines[0]["tip_hash"],
        "00000000d1145790a8694403d4063f323d499e655c83426834d4ce2f8dd4a2ee"
    );
    assert_eq!((&lines[1]["count"], &lines[1]["first_height"]), (&4313.into(), &0.into()));
    assert_eq!(
        (&lines[1]["last_height"], &lines[1]["chain_work"]),
        (&4312.into(), &"18524476608729".into())
    );
    let (code, lines) = json(&["blocks", &stale, &first], &[]);
    assert_eq!((code, lines.len()), (1, 2), "one bad file does not hide the next");
    assert_eq!(lines[0]["valid"], false);
    assert_eq!(
        (&lines[0]["position"], &lines[0]["rule"]),
        (&0.into(), &"bad-txns-vout-toolarge".into())
    );
    assert_eq!(lines[1]["valid"], true);
    let bytes = std::fs::read(&all).expect("readable");
    assert_eq!(json(&["blocks", "-", "--unlinked"], &bytes).0, 0);
    assert_eq!(json(&["blocks", "-", "--chain", "none"], &bytes).0, 0);
    let (code, lines) = json(&["blocks", "-", "--chain", "regtest"], &bytes);
    assert_eq!((code, &lines[0]["rule"]), (1, &"block-decode-failed".into()), "another magic");
    let error = usage_error(&["blocks", "-"], &bytes[..bytes.len() - 1]);
    assert!(error.contains("ends inside the block"), "{error}");
    let (code, stdout, _) = run(&["blocks", &first, "--from-height", "170"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("valid: 1 blocks, 2 transactions, 490 bytes"), "{stdout}");
}

#[test]
fn anything_at_all_gets_an_answer() {
    let mut random = SplitMix64::new(9);
    for len in [80, 81, 800, 5000] {
        let bytes: Vec<u8> = (0..len).map(|_| random.next_u64().to_le_bytes()[3]).collect();
        for args in [["headers", "-"], ["blocks", "-"]] {
            let (code, stdout, stderr) = run_with(&args, &bytes);
            assert!(code == 1 || code == 2, "{code}");
            assert!(stdout.is_empty() != stderr.is_empty(), "{stdout}{stderr}");
        }
    }
}

#[test]
fn help_shows_examples() {
    for what in ["headers", "blocks"] {
        let (code, stdout, _) = run(&[what, "--help"]);
        assert_eq!(code, 0);
        assert!(stdout.contains("Examples:") && stdout.contains("Exit code"), "{stdout}");
    }
}

/// Peak of resident memory of a running process in KiB.
#[cfg(target_os = "linux")]
fn peak_memory_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

/// Half a million headers are 38 MiB.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_input() {
    use std::io::Write as _;
    let genesis = mined(&ChainSpec::regtest(), 1, 6)[0];
    let mut header = proofward::primitives::Header::decode(&genesis);
    let mut headers = vec![genesis];
    while headers.len() < 500_000 {
        header.prev_block = chain::hash_of(headers.last().expect("one"));
        headers.push(chain::solve(&mut header));
    }
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_proofward"))
        .args(["verify", "headers", "-", "--chain", "none", "--format", "json"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("started");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(headers.as_flattened()).expect("read to the end");
    // All but what a pipe holds has been read; the end has not.
    let peak = peak_memory_kib(child.id());
    drop(stdin);
    let output = child.wait_with_output().expect("ended");
    assert!(output.status.success());
    let line: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(line["count"], 500_000);
    assert!(peak < 24 * 1024, "{peak} KiB at the peak");
}
