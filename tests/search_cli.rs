//! `proofward search` and `proofward kernels` as people and scripts use them: what is printed where, and
//! the exit codes.

#[path = "common/binary.rs"]
mod binary;
#[path = "common/real_blocks.rs"]
mod real_blocks;

use binary::{json_lines, run, usage_error};
use real_blocks::{REAL, RealBlock};
use serde_json::Value;

const GENESIS: &str = REAL[0].header;
const GENESIS_HASH: &str = REAL[0].hash;

fn search(header: &str, args: &[&str]) -> (i32, String, String) {
    run(&[&["search", "--header", header], args].concat())
}

#[test]
fn the_nonces_of_real_blocks_are_found_in_a_window() {
    for RealBlock { height, nonce, header, hash } in REAL {
        let range = format!("{}..={}", nonce - 20_000, nonce + 20_000);
        for all in [&[][..], &["--all"]] {
            let args = [&["--range", &range, "--format", "json"], all].concat();
            let (code, stdout, stderr) = search(header, &args);
            assert_eq!((code, &*stderr), (0, ""), "height {height}");
            let lines = json_lines(&stdout);
            let [hit, summary] = &lines[..] else { panic!("height {height}: {stdout}") };
            assert_eq!(hit["nonce"], nonce, "height {height}");
            assert_eq!(hit["header"], header);
            assert_eq!(hit["hash"], hash);
            let hashes = summary["hashes"].as_u64().expect("a number");
            assert!(hashes > 20_000 && hashes <= 40_001);
            assert!(all.is_empty() || hashes == 40_001, "all of the range");
        }
    }
}

#[test]
fn the_summary_says_who_did_it() {
    let args = ["--range", "0..=999", "--threads", "2", "--kernel", "portable", "--pin"];
    let (code, stdout, _) = search(GENESIS, &[&args[..], &["--format", "json"]].concat());
    assert_eq!(code, 1, "nothing found");
    let [summary] = &json_lines(&stdout)[..] else { panic!("{stdout}") };
    assert_eq!(summary["hashes"], 1000);
    assert_eq!(summary["kernel"], "portable");
    assert_eq!(summary["threads"], 2);
    assert!(summary["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
    assert!(summary["hashes_per_second"].as_f64().is_some_and(|rate| rate > 0.0));
}

#[test]
fn all_finds_what_the_lowest_starts() {
    for algorithm in ["sha256d", "blake3"] {
        let easy = ["--algorithm", algorithm, "--bits", "2000ffff", "--format", "json"];
        let window = ["--range", "5000..=12000", "--threads", "3", "--cpu-limit", "90%"];
        let args = [&easy[..], &window, &["--all"]].concat();
        let (code, stdout, _) = search(GENESIS, &args);
        assert_eq!(code, 0);
        let lines = json_lines(&stdout);
        let (summary, hits) = lines.split_last().expect("a summary");
        assert_eq!(summary["hashes"], 7001);
        let nonce = |hit: &Value| hit["nonce"].as_u64().expect("a number");
        let lowest = hits.iter().map(nonce).min().expect("one in 256 is a hit");
        assert!(hits.len() > 5);
        for hit in hits {
            assert!(hit["hash"].as_str().is_some_and(|hash| hash.starts_with("00")));
        }
        for threads in ["1", "2", "7"] {
            let args = [&easy[..], &["--range", "5000..=12000", "--threads", threads]].concat();
            let (code, stdout, _) = search(GENESIS, &args);
            assert_eq!(code, 0);
            let lines = json_lines(&stdout);
            assert_eq!(lines.len(), 2);
            assert_eq!(nonce(&lines[0]), lowest, "{threads} threads");
        }
    }
}

#[test]
fn people_get_text() {
    let window = ["--range", "2083236000..=2083237000"];
    let (code, stdout, stderr) = search(GENESIS, &window);
    assert_eq!((code, &*stderr), (0, ""));
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!(lines[0], "nonce  2083236893");
    assert_eq!(lines[1], format!("hash   {GENESIS_HASH}"));
    assert_eq!(lines[2], format!("header {GENESIS}"));
    assert!(lines[3].contains(" hashes in ") && lines[3].contains("H/s"));

    let (code, stdout, _) = search(GENESIS, &["--range", "0..=1"]);
    assert_eq!(code, 1);
    assert!(stdout.starts_with("no nonce in 0..=1 meets the target 00000000ffff0000"));
}

#[test]
fn the_target_is_the_same_in_both_forms() {
    let target = format!("00ffff{}", "0".repeat(58));
    let nonces = |form: [&str; 2]| {
        let (_, stdout, _) = search(
            GENESIS,
            &[form[0], form[1], "--range", "0..=3000", "--all", "--format", "json"],
        );
        let mut nonces: Vec<_> =
            json_lines(&stdout).iter().filter_map(|line| line["nonce"].as_u64()).collect();
        nonces.sort_unstable();
        nonces
    };
    let found = nonces(["--target", &target]);
    assert!(!found.is_empty());
    assert_eq!(found, nonces(["--bits", "2000ffff"]));
}

#[test]
fn bad_input_gets_one_line_that_names_it() {
    let with = |args: &[&str]| usage_error(&[&["search", "--header", GENESIS], args].concat());
    let odd = usage_error(&["search", "--header", &GENESIS[1..]]);
    assert!(odd.contains("--header") && odd.contains("160 hex digits"), "{odd}");
    let short = usage_error(&["search", "--header", &GENESIS[2..]]);
    assert!(short.contains("expected a header of 80 bytes, got 79"), "{short}");
    let not_hex = usage_error(&["search", "--header", &GENESIS.replace('f', "g")]);
    assert!(not_hex.contains("160 hex digits"), "{not_hex}");
    assert!(usage_error(&["search"]).contains("--header"));

    assert!(with(&["--threads", "0"]).contains("expected 1 to 4096 threads"));
    assert!(with(&["--threads", "5000"]).contains("expected 1 to 4096 threads"));
    assert!(with(&["--range", "5..=4"]).contains("the range is empty"));
    for range in ["5", "5..9", "..=", "0..=4294967296", "-1..=5", "a..=b"] {
        let line = with(&[&format!("--range={range}")]);
        assert!(line.contains("expected FIRST..=LAST"), "{line}");
    }
    assert!(
        with(&["--kernel", "mmx"]).contains("unknown sha256d kernel \"mmx\": expected one of ")
    );
    assert!(with(&["--algorithm", "md5"]).contains("expected sha256d or blake3"));
    assert!(with(&["--cpu-limit", "0%"]).contains("percentage from 1% to 100%"));
    assert!(with(&["--target", "00"]).contains("expected 64 hex digits"));
    assert!(with(&["--bits", "1d00fff"]).contains("expected 8 hex digits"));
    let both = with(&["--target", &"00".repeat(32), "--bits", "1d00ffff"]);
    assert!(both.contains("cannot be used with"), "{both}");
    for (bits, why) in [("1d80ffff", "negative"), ("ff00ffff", "over 256"), ("1d000000", "zero")] {
        let line = with(&["--bits", bits]);
        assert!(line.contains(why) && line.contains(bits), "{line}");
        let mut header = GENESIS.to_owned();
        let swapped: String = (0..4).rev().map(|i| &bits[2 * i..2 * i + 2]).collect();
        header.replace_range(144..152, &swapped);
        let line = usage_error(&["search", "--header", &header]);
        assert!(line.contains(why) && line.contains("--target or --bits"), "{line}");
    }
}

#[test]
fn the_table_of_kernels_selects_one_available_row_of_each_algorithm() {
    let (code, stdout, stderr) = run(&["kernels", "--format", "json"]);
    assert_eq!((code, &*stderr), (0, ""));
    let rows = json_lines(&stdout);
    for algorithm in ["sha256d", "blake3"] {
        let of: Vec<_> = rows.iter().filter(|row| row["algorithm"] == algorithm).collect();
        let selected: Vec<_> = of.iter().filter(|row| row["selected"] == true).collect();
        assert_eq!(selected.len(), 1, "{stdout}");
        assert_eq!(selected[0]["available"], true);
        assert!(of.iter().any(|row| row["kernel"] == "portable" && row["available"] == true));
        assert!(of.iter().all(|row| row["lanes"].as_u64().is_some_and(|lanes| lanes >= 1)));
    }
    let (code, stdout, _) = run(&["kernels"]);
    assert_eq!(code, 0);
    assert_eq!(stdout.lines().filter(|line| line.starts_with("* ")).count(), 3);
    assert!(stdout.contains("H/s"));
}
