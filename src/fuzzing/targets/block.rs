//! Whole blocks: decoding that does no harm, and the engine's roots and verdicts against the naive ones.

use std::num::NonZeroUsize;

use crate::consensus::block::{Block, BlockViolation};
use crate::consensus::{ChainSpec, Context, merkle};
use crate::engine::merkle::MerkleHasher;
use crate::engine::nodes::NodeKernel;
use crate::engine::verify::{BlockRun, BlockVerdict, Verifier};
use crate::hash::{Algorithm, hash_header};
use crate::kernel::Kernel;
use crate::primitives::Digest;
use crate::primitives::limits::{BITCOIN_WITNESS_SCALE, HEADER_BYTES};

/// nBits that almost every hash meets.
const EASY_BITS: [u8; 4] = [0xff, 0xff, 0x00, 0x21];
const MAGIC: [u8; 4] = *b"fuzz";

/// The bytes are a block, or a file of blocks. A block that decodes is judged as it is, and again with
/// a header that commits to it, so that the rules behind the header are reached; every kernel must find
/// the naive merkle root, also of the same transactions with the last ones repeated.
///
/// # Panics
///
/// If two of them disagree.
pub fn block(data: &[u8]) {
    judge_file(data);
    let Ok(block) = Block::read(data) else {
        assert!(matches!(verdict(data), Err(BlockViolation::Decode(_))));
        return;
    };
    let bytes = data.len() as u64;
    assert!((bytes..=BITCOIN_WITNESS_SCALE * bytes).contains(&block.weight()));
    roots(block.txids());
    judge(&block, data);

    let mut repaired = data.to_vec();
    repaired[36..68].copy_from_slice(&merkle::root(block.txids()).root.0);
    repaired[72..76].copy_from_slice(&EASY_BITS);
    let block = Block::read(&repaired).expect("only the header changed");
    judge(&block, &repaired);
}

fn roots(leaves: &[Digest]) {
    let naive = merkle::root(leaves);
    let mut repeated = leaves.to_vec();
    // What the tree itself repeats at its lowest level (CVE-2012-2459).
    repeated.extend(leaves.last().filter(|_| leaves.len() % 2 == 1 && leaves.len() > 1));
    for kernel in NodeKernel::available() {
        let mut hasher = MerkleHasher::new(kernel);
        assert_eq!(hasher.root(leaves), naive, "{}", kernel.isa());
        if repeated.len() > leaves.len() {
            let mutated = hasher.root(&repeated);
            assert_eq!(mutated.root, naive.root, "{}", kernel.isa());
            assert!(mutated.mutated, "{}", kernel.isa());
        }
    }
}

/// The verifier's verdict on one block against that of the rules with the naive root.
fn judge(block: &Block, bytes: &[u8]) {
    let spec = ChainSpec::none(Algorithm::Sha256d);
    let digest = hash_header(spec.algorithm, block.header());
    let naive = block.check(&spec, &Context::default(), &digest, merkle::root);
    assert_eq!(verdict(bytes).err(), naive.err());
}

/// `Ok` if the block is valid on its own.
fn verdict(bytes: &[u8]) -> Result<(), BlockViolation> {
    let spec = ChainSpec::none(Algorithm::Sha256d);
    let run = BlockRun::new(&spec);
    match verifier().verify_block(&run, bytes) {
        Ok(BlockVerdict::Valid(report)) => {
            assert_eq!((report.count, report.bytes), (1, bytes.len() as u64));
            Ok(())
        }
        Ok(BlockVerdict::Invalid(failure)) => Err(failure.violation),
        // No bytes at all are no block either.
        Err(_) => Err(Block::read(bytes).expect_err("an input of one block can be read").into()),
    }
}

/// As a file: the bytes twice, each after the magic and its length, and then as they come. Only the
/// first bad block counts.
fn judge_file(data: &[u8]) {
    let spec = ChainSpec::none(Algorithm::Sha256d);
    let run = BlockRun::new(&spec).unlinked();
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes();
    let framed = [&MAGIC, length.as_slice(), data].concat();
    for file in [framed.repeat(2), framed, [&MAGIC, data].concat()] {
        if let Ok(BlockVerdict::Valid(report)) =
            verifier().verify_block_file(&run, MAGIC, file.as_slice())
        {
            assert!(report.bytes + report.count * 8 <= file.len() as u64);
            assert!(report.bytes >= report.count * HEADER_BYTES as u64);
        }
    }
}

fn verifier() -> Verifier {
    let kernel = Kernel::available(Algorithm::Sha256d).next().expect("portable is available");
    Verifier::new(kernel, NonZeroUsize::MIN).expect("no thread to start")
}
