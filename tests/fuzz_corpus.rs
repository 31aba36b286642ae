//! Replays the committed fuzz corpus, and the bytes of others, through every fuzz target: what a fuzzer
//! found once stays found. The fuzzing itself is `cargo fuzz`'s.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use proofward::fuzzing::targets;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// Every target, or the one that `PROOFWARD_FUZZ_TARGET` names.
fn chosen() -> Vec<targets::Named> {
    let only = std::env::var("PROOFWARD_FUZZ_TARGET").ok();
    let is_chosen = |target: &&targets::Named| only.as_deref().is_none_or(|only| only == target.0);
    let chosen: Vec<_> = targets::ALL.iter().filter(is_chosen).copied().collect();
    assert!(!chosen.is_empty(), "no target {only:?}");
    chosen
}

/// The files of a folder in the order of their names.
fn inputs(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn replay(name: &str, target: fn(&[u8]), folder: &Path) -> usize {
    let paths = inputs(folder);
    for path in &paths {
        let data = fs::read(path).expect("a readable input");
        let outcome = std::panic::catch_unwind(|| target(&data));
        assert!(outcome.is_ok(), "target {name} fails on {}", path.display());
    }
    paths.len()
}

#[test]
fn every_target_holds_on_its_corpus() {
    for (name, target) in chosen() {
        let ran = replay(name, target, &fuzz().join("corpus").join(name));
        println!("{name}: {ran} inputs");
        assert!(ran >= 5, "{name} has a corpus of {ran}");
    }
}

/// Cuts and flips of the corpus: cheap, the same in every run, and what decoders most often fail on.
#[test]
fn every_target_holds_on_cut_and_flipped_inputs() {
    for (name, target) in chosen() {
        for path in inputs(&fuzz().join("corpus").join(name)) {
            let data = fs::read(&path).expect("a readable input");
            // At most some dozens of places in a long input, all of them in a short one.
            let stride = data.len().div_ceil(48).max(1);
            for at in (0..data.len()).step_by(stride) {
                target(&data[..at]);
                for bit in [0, 7] {
                    let mut flipped = data.clone();
                    flipped[at] ^= 1 << bit;
                    target(&flipped);
                }
            }
        }
    }
}

#[test]
fn a20_foreign_block_inputs_do_no_harm() {
    let Some(folder) = common::data("corpus/bitcoin_block") else { return };
    for (name, target) in chosen() {
        assert_eq!(replay(name, target, &folder), 359);
    }
}

/// `cargo fuzz` and this test run the same targets.
#[test]
fn every_target_has_its_entry_and_its_corpus() {
    let mut names: Vec<String> = targets::ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    names.sort();
    let stems = |folder: &str| -> Vec<String> {
        let paths = inputs(&fuzz().join(folder));
        let stem = |path: &PathBuf| path.file_stem()?.to_str().map(str::to_owned);
        paths.iter().map(|path| stem(path).expect("a UTF-8 name")).collect()
    };
    assert_eq!(stems("fuzz_targets"), names);
    assert_eq!(stems("corpus"), names);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).expect("a manifest");
    for name in &names {
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name} is not in fuzz/Cargo.toml"
        );
    }
}
