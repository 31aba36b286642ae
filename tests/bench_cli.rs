//! `proofward bench` as people run it: fields, exit codes, files, proofs.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

fn bench(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("proofward").expect("the binary is built with the tests");
    command.arg("bench").args(arguments);
    command
}

/// Runs and returns exit code, standard output, standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = bench(arguments).output().expect("the binary starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

fn json_lines(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn path(directory: &TempDir, name: &str) -> String {
    directory.path().join(name).to_str().expect("UTF-8").to_owned()
}

/// The rows of `proofward kernels` that this CPU can run.
fn available() -> Vec<(String, String)> {
    let mut command = Command::cargo_bin("proofward").expect("the binary is built with the tests");
    let output = command.args(["kernels", "--format", "json"]).output().expect("it starts");
    json_lines(std::str::from_utf8(&output.stdout).expect("UTF-8"))
        .into_iter()
        .filter(|row| row["available"] == true)
        .map(|row| {
            let text = |name: &str| row[name].as_str().expect("a string").to_owned();
            (text("algorithm"), text("kernel"))
        })
        .collect()
}

#[test]
fn json_lines_have_every_field_for_every_available_kernel_and_thread_count() {
    let arguments = ["--seconds", "0.05", "--threads", "1,2", "--format", "json"];
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let rows = json_lines(&stdout);
    for (algorithm, kernel) in available() {
        for threads in [1, 2] {
            let found = rows.iter().filter(|row| {
                row["algorithm"] == algorithm.as_str()
                    && row["kernel"] == kernel.as_str()
                    && row["threads"] == threads
            });
            assert_eq!(found.count(), 1, "{algorithm} {kernel} {threads}");
        }
    }
    for algorithm in ["sha256d", "blake3", "verify", "merkle"] {
        assert!(rows.iter().any(|row| row["algorithm"] == algorithm), "{algorithm}");
    }
    for row in &rows {
        check_row(row);
    }
}

fn check_row(row: &Value) {
    let rate = match row["algorithm"].as_str().expect("a string") {
        "merkle" => "nodes_per_second",
        "verify" => "headers_per_second",
        _ => "hashes_per_second",
    };
    let names: Vec<&str> = row.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut expected = vec![
        "schema",
        "algorithm",
        "kernel",
        "threads",
        rate,
        "cycles_per_hash",
        "port_limit_share",
        "spread",
        "reference_hashes_per_second",
        "ratio_to_reference",
        "efficiency",
        "throttled",
    ];
    expected.sort_unstable();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    assert_eq!(row["schema"], 1);
    for name in [rate, "cycles_per_hash", "reference_hashes_per_second", "ratio_to_reference"] {
        assert!(row[name].as_f64().expect("a number") > 0.0, "{name} in {row}");
    }
    assert!(row["spread"].as_f64().expect("a number") >= 0.0);
    assert!(row["throttled"].is_boolean());
    assert!(row["efficiency"].as_f64().expect("one thread was measured too") > 0.0);
    if row["threads"] == 1 {
        assert_eq!(row["efficiency"], 1.0);
    }
    if let Some(share) = row["port_limit_share"].as_f64() {
        assert!(share > 0.0 && share < 1.5, "no kernel is faster than its ports: {row}");
    } else {
        assert!(row["port_limit_share"].is_null());
    }
}

#[test]
fn one_kernel_and_one_thread_count_can_be_chosen() {
    let (code, stdout, _) = run(&[
        "--algorithm",
        "blake3",
        "--kernel",
        "portable",
        "--threads",
        "2",
        "--seconds",
        "0.02",
        "--format",
        "json",
    ]);
    assert_eq!(code, 0);
    let rows = json_lines(&stdout);
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["kernel"], &rows[0]["threads"]), (&"portable".into(), &2.into()));
    assert!(rows[0]["efficiency"].is_null(), "one thread was not measured");
}

#[test]
fn the_table_names_the_machine() {
    let (code, stdout, stderr) =
        run(&["--algorithm", "blake3", "--seconds", "0.02", "--threads", "1"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    for word in ["CPU", "features", "memory", "system", "cycles", "port limit", "portable"] {
        assert!(stdout.contains(word), "{word} in\n{stdout}");
    }
}

#[test]
fn the_report_is_one_file_that_fetches_nothing() {
    let directory = TempDir::new().unwrap();
    let report = path(&directory, "report.html");
    let (code, _, _) = run(&["--seconds", "0.02", "--threads", "1,2", "--html", &report]);
    assert_eq!(code, 0);
    let html = fs::read_to_string(&report).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>\n"));
    for forbidden in
        ["http:", "https:", "//", "<script", "<link", "<img", "url(", "@import", "src="]
    {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    assert!(html.matches("<svg").count() >= 12, "two bar charts and a scaling chart each");
    for (opening, closing) in [("<svg", "</svg>"), ("<table", "</table>"), ("<text", "</text>")] {
        assert_eq!(html.matches(opening).count(), html.matches(closing).count(), "{opening}");
    }
    assert!(!html.contains("NaN") && !html.contains("inf\""), "every coordinate is a number");
}

#[test]
fn a_baseline_gives_a_ratio_for_each_row_and_marks_losses() {
    let directory = TempDir::new().unwrap();
    let arguments = [
        "--algorithm",
        "blake3",
        "--kernel",
        "portable",
        "--threads",
        "1",
        "--seconds",
        "0.05",
        "--format",
        "json",
    ];
    let (_, stdout, _) = run(&arguments);
    let mut row: Value = serde_json::from_str(stdout.trim()).unwrap();
    for (factor, slower) in [(0.01, false), (100.0, true)] {
        let file = path(&directory, "baseline.json");
        let mut then = row.clone();
        then["hashes_per_second"] = (row["hashes_per_second"].as_f64().unwrap() * factor).into();
        then["spread"] = 0.0.into();
        fs::write(&file, then.to_string()).unwrap();
        let (code, stdout, _) = run(&[&arguments[..], &["--baseline", &file]].concat());
        assert_eq!(code, 0, "a loss does not change the exit code");
        let now: Value = serde_json::from_str(stdout.trim()).unwrap();
        let ratio = now["baseline"]["ratio"].as_f64().expect("a number");
        let expected = now["hashes_per_second"].as_f64().unwrap()
            / then["hashes_per_second"].as_f64().unwrap();
        assert!((ratio / expected - 1.0).abs() < 1e-9);
        assert_eq!(now["baseline"]["slower"], slower);
    }
    row["kernel"] = "another".into();
    let file = path(&directory, "other.json");
    fs::write(&file, row.to_string()).unwrap();
    let (code, stdout, _) = run(&[&arguments[..], &["--baseline", &file]].concat());
    assert_eq!(code, 0);
    assert!(!stdout.contains("baseline"), "a row that the baseline lacks has nothing to compare");
}

#[test]
fn usage_errors_are_one_line_with_exit_code_2() {
    let directory = TempDir::new().unwrap();
    let bad_baseline = path(&directory, "bad.json");
    fs::write(&bad_baseline, "{\"schema\":1}\n").unwrap();
    let missing = path(&directory, "missing");
    let unwritable = path(&directory, "no/such/folder/file");
    let cases: &[(&[&str], &str)] = &[
        (&["--threads", "0"], "thread counts from 1"),
        (&["--threads", "1,x"], "thread counts from 1"),
        (&["--threads", "100000"], "thread counts from 1"),
        (&["--seconds", "0"], "expected seconds"),
        (&["--seconds", "NaN"], "expected seconds"),
        (&["--seconds=-1"], "expected seconds"),
        (&["--kernel", "abacus"], "choose from"),
        (&["--algorithm", "scrypt"], "possible values"),
        (&["--baseline", &missing], "cannot read baseline"),
        (&["--baseline", &bad_baseline], "line 1"),
        (&["--html", &unwritable], "cannot write"),
        (&["--proof", &unwritable], "cannot write"),
        (&["--algorithm", "merkle", "--proof", &missing], "--proof needs a search"),
        (&["--challenge", "text"], "--proof"),
        (&["verify", &missing], "cannot read"),
        (&["verify", directory.path().to_str().unwrap()], "cannot read"),
        (&["verify", &bad_baseline], "not a proof"),
        (&["verify", &missing, "--confidence", "1"], "probability"),
        (&["verify"], "<FILE>"),
    ];
    for (arguments, expected) in cases {
        let mut arguments = arguments.to_vec();
        if arguments[0] != "verify" && !arguments[0].starts_with("--seconds") {
            arguments.extend(["--seconds", "0.001"]);
        }
        let (code, stdout, stderr) = run(&arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}

/// A proof of both algorithms; a fifth of a second is enough for the smallest size on any machine.
fn prove(file: &str) {
    let (code, _, stderr) = run(&[
        "--seconds",
        "0.2",
        "--threads",
        "1",
        "--proof",
        file,
        "--challenge",
        "asked by Ann",
    ]);
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn a_proof_goes_round() {
    let directory = TempDir::new().unwrap();
    let file = path(&directory, "work.proof");
    prove(&file);
    let (code, stdout, stderr) = run(&["verify", &file]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains("sha256d: at least") && stdout.contains("blake3: at least"));
    assert!(stdout.contains("nothing shows that one machine did it"), "the honest limit");
    let challenged = ["verify", &file, "--challenge", "asked by Ann", "--format", "json"];
    let (code, stdout, _) = run(&challenged);
    assert_eq!(code, 0);
    let lines = json_lines(&stdout);
    assert_eq!(lines.len(), 2);
    for line in lines {
        let number = |name: &str| line[name].as_u64().expect("a number");
        assert_eq!((&line["schema"], &line["valid"]), (&1.into(), &true.into()));
        assert!(number("proven_hashes") > number("claimed_hashes") / 4, "{line}");
        assert!(number("proven_hashes") < number("estimated_hashes"), "{line}");
        assert_eq!(line["challenge"], "asked by Ann");
    }
    let (code, stdout, _) = run(&["verify", &file, "--challenge", "asked by Bob"]);
    assert_eq!(code, 1);
    assert!(stdout.contains("refused") && stdout.contains("asked by Bob"), "{stdout}");
}

#[test]
fn seeds_are_fresh() {
    let directory = TempDir::new().unwrap();
    let seeds: Vec<String> = ["a", "b"]
        .into_iter()
        .map(|name| {
            let file = path(&directory, name);
            prove(&file);
            let text = fs::read_to_string(&file).unwrap();
            text.lines().filter(|line| line.starts_with("seed ")).map(str::to_owned).collect()
        })
        .collect();
    assert_ne!(seeds[0], seeds[1]);
}

#[test]
fn tampered_proofs_have_exit_code_1() {
    let directory = TempDir::new().unwrap();
    let file = path(&directory, "work.proof");
    prove(&file);
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let replaced = |line: usize, replacement: &str| {
        let mut lines = lines.clone();
        lines[line - 1] = replacement;
        lines.join("\n") + "\n"
    };
    let seed = lines[2];
    let other_seed = match seed.strip_suffix('0') {
        Some(front) => format!("{front}1"),
        None => format!("{}0", &seed[..seed.len() - 1]),
    };
    let (index, nonce) = lines[11].split_once(' ').unwrap();
    let other_nonce = format!("{index} {}", nonce.parse::<u32>().unwrap() ^ 1);
    let hashes: u64 = lines[7].strip_prefix("hashes ").unwrap().parse().unwrap();
    let cases = [
        ("changed nonce", replaced(12, &other_nonce)),
        ("duplicated solution", replaced(13, lines[11])),
        ("other seed", replaced(3, &other_seed)),
        ("other machine", replaced(5, "machine a faster one")),
        ("inflated claim", replaced(8, &format!("hashes {}", hashes * 5))),
        ("truncated", text[..text.len() / 2].to_owned()),
        ("empty", String::new()),
        ("absurd count", replaced(11, "solutions 999999999999")),
        ("count of another size", replaced(11, "solutions 63")),
        ("trailing line", format!("{text}more\n")),
        ("far too long", text.repeat(2000)),
    ];
    for (what, text) in cases {
        fs::write(&file, text).unwrap();
        for format in ["text", "json"] {
            let (code, stdout, stderr) = run(&["verify", &file, "--format", format]);
            assert_eq!((code, stderr.as_str()), (1, ""), "{what}: {stdout}");
            assert!(stdout.contains("refused") || stdout.contains("\"valid\":false"), "{what}");
        }
    }
    fs::write(&file, [0xff, 0xfe, 0x00]).unwrap();
    assert_eq!(run(&["verify", &file]).0, 2);
    assert!(Path::new(&file).exists());
}
