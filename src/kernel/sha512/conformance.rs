//! The suite that every row of SHA-512 must pass, against the scalar oracle of [`crate::hash`]: the part of
//! [`crate::kernel::conformance`] that is about blocks.

use super::super::conformance::{Disagreement, SplitMix64, check_digests, structured};
use super::Sha512Kernel;
use crate::hash::sha512::{Block, Digest512, hash_block};

/// What the suite judges: the operations of a [`Sha512Kernel`], with their contracts.
pub trait Subject {
    /// Messages hashed side by side.
    fn lanes(&self) -> u32;
    /// See [`Sha512Kernel::hash_blocks`].
    fn hash_blocks(&self, blocks: &[Block], digests: &mut [Digest512]);
}

impl Subject for Sha512Kernel {
    fn lanes(&self) -> u32 {
        (*self).lanes()
    }

    fn hash_blocks(&self, blocks: &[Block], digests: &mut [Digest512]) {
        (*self).hash_blocks(blocks, digests);
    }
}

/// A group of random blocks, every lane another, and one block more.
///
/// # Errors
///
/// The first disagreement.
pub fn quick(subject: &dyn Subject) -> Result<(), Disagreement> {
    let count = subject.lanes() as usize + 1;
    check_blocks(subject, "random", &SplitMix64::new(1).messages(count))
}

/// Everything, with `random_blocks` random blocks on top.
///
/// # Errors
///
/// The first disagreement.
pub fn full(subject: &dyn Subject, seed: u64, random_blocks: u32) -> Result<(), Disagreement> {
    quick(subject)?;
    let mut random = SplitMix64::new(seed);
    for count in 0..=4 * subject.lanes() as usize + 1 {
        check_blocks(subject, "counted", &random.messages(count))?;
    }
    check_blocks(subject, "structured", &structured())?;
    // The same block in every lane, and one lane that differs from the others.
    for odd_one in 0..subject.lanes() as usize {
        let [block, other] = [random.bytes(), random.bytes()];
        let mut blocks = vec![block; subject.lanes() as usize];
        check_blocks(subject, "equal", &blocks)?;
        blocks[odd_one] = other;
        check_blocks(subject, "one that differs", &blocks)?;
    }
    // An odd number at once, so that groups and tails take turns.
    let mut left = random_blocks as usize;
    while left > 0 {
        let count = left.min(4095);
        check_blocks(subject, "random", &random.messages(count))?;
        left -= count;
    }
    Ok(())
}

/// Compares the digests of blocks with the oracle's.
///
/// # Errors
///
/// The first disagreement.
pub fn check_blocks(
    subject: &dyn Subject,
    what: &'static str,
    blocks: &[Block],
) -> Result<(), Disagreement> {
    let hash = |digests: &mut [Digest512]| subject.hash_blocks(blocks, digests);
    check_digests(what, blocks.len(), hash, |i| hash_block(&blocks[i]))
}
