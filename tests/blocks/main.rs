//! Whole Bitcoin blocks and merkle trees: the real ones, every way to break them, and bytes that are no
//! blocks.

#[path = "../common/mod.rs"]
mod common;

mod decoding;
mod files;
mod made;
mod merkle_trees;
mod real;
mod rules;

use std::path::PathBuf;

use proofward::consensus::ChainSpec;
use proofward::consensus::block::BlockViolation;
use proofward::engine::verify::{BlockReport, BlockRun, BlockVerdict, Verifier};
use proofward::hash::Algorithm;
use proofward::kernel::Kernel;

const BITCOIN_MAGIC: [u8; 4] = [0xf9, 0xbe, 0xb4, 0xd9];

fn verifier(threads: usize) -> Verifier {
    let kernel = Kernel::available(Algorithm::Sha256d).next().expect("the portable row");
    Verifier::new(kernel, threads.try_into().expect("not zero")).expect("threads")
}

/// The real whole blocks, the invalid one among them.
fn block_files() -> Option<Vec<(String, Vec<u8>)>> {
    let folder: PathBuf = common::data("blocks")?;
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "bin"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_str().expect("UTF-8").to_owned();
            (name, std::fs::read(path).expect("a readable file"))
        })
        .collect();
    files.sort();
    Some(files)
}

fn real_block(name: &str) -> Option<Vec<u8>> {
    let path = common::data(&format!("blocks/{name}.bin"))?;
    Some(std::fs::read(path).expect("a readable file"))
}

fn verdict(spec: &ChainSpec, bytes: &[u8]) -> BlockVerdict {
    verifier(1).verify_block(&BlockRun::new(spec), bytes).expect("readable")
}

fn report(verdict: BlockVerdict) -> BlockReport {
    match verdict {
        BlockVerdict::Valid(report) => report,
        BlockVerdict::Invalid(failure) => panic!("invalid: {failure:?}"),
    }
}

fn violation(verdict: BlockVerdict) -> BlockViolation {
    match verdict {
        BlockVerdict::Invalid(failure) => failure.violation,
        BlockVerdict::Valid(report) => panic!("valid: {report:?}"),
    }
}
