//! A chain in a directory, as the program keeps it, on which blocks are found at once.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use std::path::Path;

use proofward::ledger::spec::Spec;
use serde_json::Value;

use crate::binary::{json_lines, run};
use crate::common::easy_spec;

/// Every second hash is a block, and stamps may run far ahead of the clock, so that many blocks fit into
/// a second.
pub(crate) fn quick_spec() -> Spec {
    let spacing = Spec { spacing_s: 3600, half_life_s: 288_000, ..easy_spec() };
    Spec { future_limit_s: 28_800, ..spacing }.check().unwrap()
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What a command that must succeed prints as JSON.
pub(crate) fn ok(args: &[&str]) -> Vec<Value> {
    let args = [args, &["--format", "json"]].concat();
    let (code, stdout, stderr) = run(&args);
    assert_eq!(code, 0, "{args:?}: {stdout}{stderr}");
    json_lines(&stdout)
}

/// Founds the quick chain in `dir`.
pub(crate) fn found(dir: &Path) {
    let file = dir.with_extension("toml");
    std::fs::write(&file, quick_spec().to_toml()).unwrap();
    ok(&["init", "--chain", text(&file), "--dir", text(dir)]);
}

pub(crate) const QUICK_MINER: [&str; 4] = ["--threads", "1", "--kernel", "portable"];

pub(crate) fn mine_in(dir: &Path, blocks: &str) {
    ok(&[&["mine", "--blocks", blocks, "--dir", text(dir)], &QUICK_MINER[..]].concat());
}
