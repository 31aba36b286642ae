//! What all commands have in common: help, exit codes, the split between standard output and standard
//! error, JSON lines, one line for bad input. And the commands for those who fuzz, from end to end. What
//! a command computes is tested with its subject.

#[path = "common/binary.rs"]
mod binary;

use std::fs;
use std::path::Path;

use binary::{json_lines, run, run_with, usage_error};
use serde_json::Value;

const GENESIS: &str = "0100000000000000000000000000000000000000000000000000000000000000\
    000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c";

fn genesis() -> Vec<u8> {
    hex::decode(GENESIS).expect("hex")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

/// Every command and group of commands, as the help lists them.
fn commands() -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    let mut at = 0;
    while at < found.len() {
        let path: Vec<String> = found[at].clone();
        let help = help(&path);
        let list = help.split("\nCommands:\n").nth(1).unwrap_or_default();
        let names = list.lines().take_while(|line| !line.is_empty());
        // A description that goes on is indented further.
        let names = names.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        for name in names.filter(|name| !name.is_empty() && *name != "help") {
            found.push(path.iter().cloned().chain([name.to_owned()]).collect());
        }
        at += 1;
    }
    found
}

fn help(path: &[String]) -> String {
    let args: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
    let (code, stdout, stderr) = run(&args);
    assert_eq!((code, &*stderr), (0, ""), "{args:?}");
    stdout
}

#[test]
fn every_command_has_help_with_an_example() {
    let commands = commands();
    let joined: Vec<String> = commands.iter().map(|path| path.join(" ")).collect();
    let promised =
        "kernels, bench, bench verify, search, verify headers, verify blocks, oracle, fuzz make";
    for name in promised.split(", ") {
        assert!(joined.iter().any(|path| path == name), "{name} is not in the help");
    }
    for path in &commands {
        let text = help(path);
        assert!(text.contains("Usage: proofward"), "{path:?}");
        let is_group =
            commands.iter().any(|other| other.len() > path.len() && other.starts_with(path));
        let has_example = |path: &[String]| {
            let help = help(path);
            help.split_once("\nExamples:\n").is_some_and(|(_, after)| after.contains("proofward "))
        };
        // A group's examples serve its members.
        let is_shown =
            has_example(path) || (path.len() > 1 && has_example(&path[..path.len() - 1]));
        assert!(is_group || is_shown, "{path:?} has no example");
    }
}

#[test]
fn no_command_is_a_usage_error() {
    let (code, stdout, stderr) = run(&[]);
    assert_eq!((code, &*stdout), (2, ""));
    assert!(stderr.contains("Usage: proofward"), "{stderr}");
    assert!(usage_error(&["nonsense"]).contains("nonsense"));
    assert!(usage_error(&["kernels", "--nonsense"]).contains("--nonsense"));
    let (code, stdout, stderr) = run(&["--version"]);
    assert_eq!((code, &*stderr), (0, ""));
    assert!(stdout.starts_with(concat!("proofward ", env!("CARGO_PKG_VERSION"))), "{stdout}");
}

#[test]
fn bad_input_gets_one_line_and_exit_2() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).expect("a writable directory");
        text(&path).to_owned()
    };
    let good = file("good", &genesis());
    let short = file("short", &genesis()[..79]);
    let long = file("long", &[genesis(), vec![0]].concat());
    let empty = file("empty", b"");
    let missing = text(&dir.path().join("missing")).to_owned();
    let folder = text(dir.path()).to_owned();
    let taken = text(&dir.path().join("good/below")).to_owned();
    let odd_hex = &GENESIS[1..];
    let (bytes_79, not_hex) = (&GENESIS[2..], GENESIS.replace('a', "x"));
    // Arguments, and a word that the line must have.
    let table: &[(&[&str], &str)] = &[
        (&["search", "--header", odd_hex], "160"),
        (&["search", "--header", bytes_79], "79"),
        (&["search", "--header", &not_hex], "160"),
        (&["search", "--header", GENESIS, "--threads", "0"], "threads"),
        (&["search", "--header", GENESIS, "--range", "5..=4"], "empty"),
        (&["search", "--header", GENESIS, "--kernel", "abacus"], "abacus"),
        (&["verify", "headers", &missing], "missing"),
        (&["verify", "headers", &folder], ""),
        (&["verify", "headers", &short], "79"),
        (&["verify", "headers", &long], "81"),
        (&["verify", "headers", &empty], "empty"),
        (&["verify", "headers", &good, "--chain", "dogecoin"], "dogecoin"),
        (&["verify", "headers", &good, "--threads", "0"], "0"),
        (&["verify", "headers", &good, "--kernel", "abacus"], "abacus"),
        (&["verify", "headers", &good, "--from-height", "-1"], "-1"),
        (&["verify", "headers", &good, "--context", &missing], "missing"),
        (&["verify", "headers", &good, "--now", "tomorrow"], "tomorrow"),
        (&["verify", "headers"], "FILE"),
        (&["verify", "blocks", &missing], "missing"),
        (&["verify", "blocks", &folder], ""),
        (&["verify", "blocks", &empty], "empty"),
        (&["verify", "blocks", &good, "--chain", "dogecoin"], "dogecoin"),
        (&["bench", "--threads", "0"], "0"),
        (&["bench", "--seconds", "0"], "0"),
        (&["bench", "--kernel", "abacus"], "abacus"),
        (&["bench", "verify", &missing], "missing"),
        (&["fuzz", "make"], "--rule"),
        (&["fuzz", "make", "--rule", "nonsense"], "nonsense"),
        (&["fuzz", "make", "--rule", "none", "--chain", "dogecoin"], "dogecoin"),
        (&["fuzz", "make", "--rule", "none", "--count", "0"], "0"),
        (&["fuzz", "make", "--rule", "none", "--variant", "nonsense"], "nothing of rule none"),
        (&["fuzz", "make", "--rule", "none", "--chain", "bitcoin"], "--hashes-max"),
        (&["fuzz", "make", "--rule", "time-timewarp-attack"], "bip54"),
        (&["fuzz", "make", "--rule", "none", "--out", &taken], "good"),
    ];
    for (args, word) in table {
        let line = usage_error(args);
        assert!(line.contains(word), "{args:?}: expected {word:?} in {line:?}");
    }
}

#[test]
fn kernels_prints_a_row_for_each_kernel_of_the_library() {
    let (code, stdout, stderr) = run(&["kernels", "--format", "json"]);
    assert_eq!((code, &*stderr), (0, ""));
    let rows = json_lines(&stdout);
    let listed: Vec<_> = proofward::kernel::table().collect();
    assert_eq!(rows.len(), listed.len());
    for listed in &listed {
        let is_it = |row: &&Value| {
            row["algorithm"] == listed.algorithm.name()
                && row["kernel"] == listed.isa
                && row["lanes"] == listed.lanes
                && row["available"] == listed.available
        };
        assert_eq!(rows.iter().filter(is_it).count(), 1, "{listed:?}");
    }
    for algorithm in ["sha256d", "blake3"] {
        let of_it = |row: &&Value| row["algorithm"] == algorithm && row["selected"] == true;
        assert_eq!(rows.iter().filter(of_it).count(), 1, "one of {algorithm} is selected");
    }
    let (code, stdout, stderr) = run(&["kernels"]);
    assert_eq!((code, &*stderr), (0, ""));
    assert!(stdout.contains("portable"), "{stdout}");
    let (_, version, _) = run(&["--version"]);
    assert_eq!(stdout.lines().last(), version.lines().last(), "what verifies signatures");
}

#[test]
fn verify_says_yes_and_no_in_json_and_by_exit_code() {
    let args = ["verify", "headers", "-", "--now", "1231006505", "--format", "json"];
    let (code, stdout, stderr) = run_with(&args, &genesis());
    assert_eq!((code, &*stderr), (0, ""));
    let [line] = &json_lines(&stdout)[..] else { panic!("{stdout}") };
    assert_eq!(line["valid"], true);
    assert_eq!(line["count"], 1);
    assert_eq!((&line["first_height"], &line["last_height"]), (&0.into(), &0.into()));
    let tip = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
    assert_eq!(line["tip_hash"], tip);
    assert_eq!(line["chain_work"], "4295032833");
    assert!(line["seconds"].is_number() && line["headers_per_second"].is_number());

    let mut bad = genesis();
    bad[79] ^= 1;
    let (code, stdout, stderr) = run_with(&args, &bad);
    assert_eq!((code, &*stderr), (1, ""), "an answer is no error");
    let [line] = &json_lines(&stdout)[..] else { panic!("{stdout}") };
    assert_eq!((&line["valid"], &line["height"]), (&false.into(), &0.into()));
    assert_eq!(line["rule"], "high-hash");
    assert!(line["hash"].is_string() && line["detail"].is_string());

    let (code, stdout, _) = run_with(&args[..5], &bad);
    assert_eq!(code, 1);
    assert!(stdout.contains("high-hash"), "{stdout}");
}

#[test]
fn the_oracle_answers_what_its_help_promises() {
    let case = b"\x07\0\0\0n\x03\0\xff\xff\x7f\x20";
    let (code, stdout, stderr) = run_with(&["oracle"], case);
    assert_eq!((code, &*stderr), (0, ""));
    assert_eq!(stdout, format!("ok 7fffff{}\n", "0".repeat(58)));
    // The same bytes as the example in the help.
    let example = r"printf '\007\000\000\000n\003\000\377\377\177\040' | proofward oracle";
    assert!(help(&["oracle".to_owned()]).contains(example));

    let cut = [case.as_slice(), &case[..6]].concat();
    let (code, stdout, stderr) = run_with(&["oracle"], &cut);
    assert_eq!((code, stdout.lines().count()), (2, 1), "the whole case was answered");
    assert_eq!(stderr, "proofward: the input ends inside a case: 5 bytes are missing\n");
}

/// What `fuzz make` writes, every verify command judges as its manifest says.
#[test]
fn forged_files_are_judged_as_their_manifest_says() {
    let dir = tempfile::tempdir().expect("a directory");
    let out = text(dir.path());
    let args = ["fuzz", "make", "--rule", "all", "--seed", "11", "--out", out];
    let (code, stdout, stderr) = run(&args);
    assert_eq!((code, &*stderr), (0, ""));
    let manifest = json_lines(&stdout);
    assert!(manifest.len() > 70, "{} cases", manifest.len());
    assert_eq!(fs::read_dir(dir.path()).expect("it was made").count(), manifest.len());
    for line in &manifest {
        let file = line["file"].as_str().expect("a path");
        let now = line["now"].to_string();
        let is_block = line["kind"] == "block";
        let what = if is_block { "blocks" } else { "headers" };
        let args = ["verify", what, file, "--chain", "regtest", "--now", &now, "--format", "json"];
        let (code, stdout, stderr) = run(&args);
        let [verdict] = &json_lines(&stdout)[..] else { panic!("{line}: {stdout}{stderr}") };
        let is_valid = line["rule"] == "none";
        assert_eq!((code, &verdict["valid"]), (i32::from(!is_valid), &is_valid.into()), "{line}");
        if !is_valid {
            assert_eq!(verdict["rule"], line["rule"], "{line}");
            if !is_block {
                assert_eq!(verdict["height"], line["height"], "{line}");
            }
        }
    }
}

#[test]
fn fuzz_make_repeats_itself_and_lists_what_it_can() {
    let args = ["fuzz", "make", "--rule", "time-too-old", "--seed", "5", "--count", "7"];
    let (code, stdout, _) = run(&args);
    assert_eq!(code, 0);
    assert_eq!(run(&args).1, stdout, "the same seed gives the same bytes");
    let lines = json_lines(&stdout);
    assert_eq!(lines.len(), 7);
    assert!(lines.iter().all(|line| line["rule"] == "time-too-old" && line["hex"].is_string()));
    // A line makes itself again.
    let last = lines.last().expect("seven");
    let (variant, seed) = (last["variant"].as_str().expect("text"), last["seed"].to_string());
    let again = ["fuzz", "make", "--rule", "time-too-old", "--variant", variant, "--seed", &seed];
    assert_eq!(&json_lines(&run(&again).1)[..], std::slice::from_ref(last));

    let (code, listed, _) =
        run(&["fuzz", "make", "--list", "--rules", "bip54", "--format", "json"]);
    assert_eq!(code, 0);
    let listed = json_lines(&listed);
    for rule in proofward::consensus::Rule::ALL {
        for broken in [true, false] {
            let is_side = |line: &Value| line["rule"] == rule.name() && line["broken"] == broken;
            assert!(listed.iter().any(is_side), "{rule}: broken {broken} is not listed");
        }
    }
}

/// `proofward ... | head -1` is no error.
#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_proofward"))
        .args(["fuzz", "make", "--rule", "none", "--count", "100000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends by itself");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stderr, b"");
}
