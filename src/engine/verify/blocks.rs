//! Verification of whole Bitcoin blocks: one, or a file of them as Bitcoin Core stores them.
//!
//! A block is taken under a lock together with what its header's past tells, and judged on its own; the
//! first bad block wins, whatever the number of threads.

use std::io::Read;
use std::sync::{Mutex, PoisonError};

use super::block_feed::{BlockFeed, BlockFileError, Framing, Taken};
use super::report::NotJudged;
use super::{Verifier, lock};
use crate::consensus::block::{Block, BlockViolation};
use crate::consensus::{Ancestry, ChainSpec, Rule, RuleSet};
use crate::engine::merkle::MerkleHasher;
use crate::engine::nodes::NodeKernel;
use crate::primitives::{BlockHash, Work};

/// What blocks are judged by.
#[derive(Debug, Clone)]
pub struct BlockRun<'a> {
    pub(super) spec: &'a ChainSpec,
    pub(super) start: Ancestry,
    pub(super) now: Option<i64>,
    pub(super) is_linked: bool,
}

impl<'a> BlockRun<'a> {
    /// Blocks of which each is the parent of the next. If the first is the chain's genesis, its height
    /// and with it every header rule is known; else links, and times from the 12th block on.
    #[must_use]
    pub fn new(spec: &'a ChainSpec) -> Self {
        Self { spec, start: Ancestry::unknown(), now: None, is_linked: true }
    }

    /// The same run, its first block at this height.
    #[must_use]
    pub fn from_height(self, height: u32) -> Self {
        Self { start: Ancestry::at_height(height), ..self }
    }

    /// The same run judged by a clock, in seconds since 1970; without one no time is too new.
    #[must_use]
    pub fn with_now(self, now: i64) -> Self {
        Self { now: Some(now), ..self }
    }

    /// Blocks in any order, as a node stores them: each is judged as if it were alone.
    #[must_use]
    pub fn unlinked(self) -> Self {
        Self { is_linked: false, ..self }
    }
}

/// A bad block: the first one of its run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockFailure {
    /// Its position in the run.
    pub position: u64,
    /// Its height, if that is known.
    pub height: Option<u64>,
    /// The hash of its header, if there are bytes for one.
    pub hash: Option<BlockHash>,
    /// What it breaks.
    pub violation: BlockViolation,
}

/// Valid blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockReport {
    /// How many blocks.
    pub count: u64,
    /// Height of the last one, if it is known.
    pub last_height: Option<u64>,
    /// Hash of the last one.
    pub tip: BlockHash,
    /// Work of the blocks in the run.
    pub chain_work: Work,
    /// Transactions in all blocks.
    pub transactions: u64,
    /// Bytes of all blocks.
    pub bytes: u64,
    /// Header rules of the chain that the run's context did not allow to judge, by position.
    pub not_judged: Vec<NotJudged>,
}

/// The answer about blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockVerdict {
    /// No rule that could be judged is broken.
    Valid(BlockReport),
    /// The first bad block and the first rule it breaks.
    Invalid(BlockFailure),
}

impl Verifier {
    /// Verifies one block: the whole input. Inputs longer than a block may be are not read to the end.
    ///
    /// # Errors
    ///
    /// If the input is empty, too long or cannot be read.
    ///
    /// # Panics
    ///
    /// If the kernel is not for the chain's algorithm.
    pub fn verify_block(
        &self,
        run: &BlockRun<'_>,
        reader: impl Read + Send,
    ) -> Result<BlockVerdict, BlockFileError> {
        self.verify_blocks_of(run, Framing::Whole, reader)
    }

    /// Verifies a file of blocks, each after `magic` and its length in four bytes. Zeros may follow the
    /// last one. Memory does not grow with the number of blocks.
    ///
    /// # Errors
    ///
    /// If the input is empty, is no such file or cannot be read, before a bad block is found.
    ///
    /// # Panics
    ///
    /// If the kernel is not for the chain's algorithm.
    pub fn verify_block_file(
        &self,
        run: &BlockRun<'_>,
        magic: [u8; 4],
        reader: impl Read + Send,
    ) -> Result<BlockVerdict, BlockFileError> {
        self.verify_blocks_of(run, Framing::Magic(magic), reader)
    }

    fn verify_blocks_of(
        &self,
        run: &BlockRun<'_>,
        framing: Framing,
        reader: impl Read + Send,
    ) -> Result<BlockVerdict, BlockFileError> {
        assert_eq!(self.kernel.algorithm(), run.spec.algorithm, "a kernel for another algorithm");
        let feed = Mutex::new(BlockFeed::new(run, framing, reader));
        let mut tallies = self.on_each_thread(|| self.work_on_blocks(run, &feed));
        let failures = tallies.iter_mut().filter_map(|tally| tally.failure.take());
        if let Some(failure) = failures.min_by_key(|failure| failure.position) {
            return Ok(BlockVerdict::Invalid(failure));
        }
        let end = feed.into_inner().unwrap_or_else(PoisonError::into_inner).end()?;
        let mut report = BlockReport {
            count: end.count,
            last_height: end.last_height,
            tip: end.tip,
            chain_work: Work::ZERO,
            transactions: 0,
            bytes: end.bytes,
            not_judged: Vec::new(),
        };
        let mut notes = Vec::new();
        for tally in tallies {
            report.chain_work = report.chain_work.plus(tally.work);
            report.transactions += tally.transactions;
            notes.extend(tally.not_judged);
        }
        report.not_judged = NotJudged::collect(notes);
        if run.now.is_none() && run.spec.future_seconds_max.is_some() {
            let last = report.count - 1;
            report.not_judged.push(NotJudged { rule: Rule::TimeTooNew, first: 0, last });
        }
        Ok(BlockVerdict::Valid(report))
    }

    fn work_on_blocks<R: Read>(
        &self,
        run: &BlockRun<'_>,
        feed: &Mutex<BlockFeed<'_, R>>,
    ) -> BlockTally {
        let nodes = NodeKernel::new(self.kernel).unwrap_or_else(NodeKernel::best);
        let mut merkle = MerkleHasher::new(nodes);
        let mut tally = BlockTally::default();
        let mut bytes = Vec::new();
        loop {
            let Some(taken) = lock(feed).next(&mut bytes) else { break };
            if let Err(violation) = tally.judge(run.spec, &taken, &bytes, &mut merkle) {
                // Blocks are taken in order, so every earlier one is in somebody's hands.
                lock(feed).stop();
                let height = taken.context.height;
                let hash = taken.hash;
                tally.failure =
                    Some(BlockFailure { position: taken.position, height, hash, violation });
                break;
            }
        }
        tally
    }
}

/// What one thread found.
#[derive(Debug, Default)]
struct BlockTally {
    work: Work,
    transactions: u64,
    not_judged: Vec<(u64, RuleSet)>,
    failure: Option<BlockFailure>,
}

impl BlockTally {
    fn judge(
        &mut self,
        spec: &ChainSpec,
        taken: &Taken,
        bytes: &[u8],
        merkle: &mut MerkleHasher,
    ) -> Result<(), BlockViolation> {
        let block = Block::read(bytes)?;
        let hash = taken.hash.expect("the block was read, so it has a header");
        let mut not_judged =
            block.check(spec, &taken.context, &hash.0, |leaves| merkle.root(leaves))?;
        not_judged.remove(Rule::TimeTooNew);
        if !not_judged.is_empty() {
            self.not_judged.push((taken.position, not_judged));
        }
        self.transactions += block.txids().len() as u64;
        self.work = self.work.plus(block.work());
        Ok(())
    }
}
