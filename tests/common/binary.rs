//! Runs the real binary as people and scripts do: what it prints where, and its exit code.
#![allow(dead_code, reason = "each test binary uses its part")]

use assert_cmd::Command;
use serde_json::Value;

/// Exit code, standard output, standard error.
pub(crate) type Ran = (i32, String, String);

/// Runs with these arguments and nothing on standard input.
pub(crate) fn run(args: &[&str]) -> Ran {
    run_with(args, b"")
}

/// Runs with these arguments and these bytes on standard input.
pub(crate) fn run_with(args: &[&str], input: &[u8]) -> Ran {
    let mut command = Command::cargo_bin("proofward").expect("the binary is built with the tests");
    let output = command.args(args).write_stdin(input).output().expect("the binary starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

/// One object a line, each with the schema number.
pub(crate) fn json_lines(stdout: &str) -> Vec<Value> {
    let lines: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    assert!(lines.iter().all(|line| line["schema"] == 1), "{stdout}");
    lines
}

/// The one line that a bad call gets, without anything on standard output.
pub(crate) fn usage_error(args: &[&str]) -> String {
    let (code, stdout, stderr) = run(args);
    assert_eq!((code, &*stdout), (2, ""), "{args:?}: {stderr}");
    assert_eq!(stderr.lines().count(), 1, "{args:?}: {stderr}");
    assert!(stderr.starts_with("proofward: "), "{args:?}: {stderr}");
    stderr
}
