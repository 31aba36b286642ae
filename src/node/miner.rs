//! Mining on a node of one's own, through the same door as everybody: candidate, engine, submit, and
//! again. It holds no key: the payout is an argument.

use std::sync::Arc;
use std::time::Duration;

use crossbeam::channel::Receiver;

use crate::engine::{Engine, Event, Generation};
use crate::ledger::block::Block;
use crate::ledger::chain::{SubmitError, Submitted};
use crate::ledger::signature::PubKey;
use crate::primitives::BlockHash;

use super::candidate::Candidate;
use super::handle::{Handle, HandleError};
use super::job::Job;

/// A block that was found and accepted.
#[derive(Debug, Clone)]
pub struct Mined {
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: BlockHash,
    /// The block.
    pub block: Block,
    /// Units that its coinbase pays.
    pub reward: u64,
}

/// Why mining ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MineError {
    /// The engine's workers are gone.
    #[error("the search engine stopped")]
    Engine,
    /// Our own block was not taken.
    #[error("a block of our own was refused: {0}")]
    Refused(SubmitError),
    /// There is no ledger to mine on any more.
    #[error("the ledger stopped")]
    Stopped,
}

/// Keeps an engine busy with the candidate of a node.
#[derive(Debug)]
pub struct Miner<'a> {
    handle: Handle,
    engine: &'a Engine,
    payout: PubKey,
    finder: Arc<str>,
    wakes: Receiver<()>,
    published: Option<Published>,
}

/// The job that is searched.
#[derive(Debug)]
struct Published {
    job: Job,
    generation: Generation,
    candidate: Arc<Candidate>,
}

impl<'a> Miner<'a> {
    /// A miner that has published nothing yet; `finder` is who its blocks are said to be found by.
    #[must_use]
    pub fn new(handle: Handle, engine: &'a Engine, payout: PubKey, finder: &str) -> Self {
        let wakes = handle.wakes();
        Self { handle, engine, payout, finder: finder.into(), wakes, published: None }
    }

    /// Waits at most `timeout` for the job to be solved, and submits the block. The job follows the
    /// candidate at once, and the clock at each call: call it again within a second.
    ///
    /// # Errors
    ///
    /// See [`MineError`].
    pub fn wait(&mut self, timeout: Duration) -> Result<Option<Mined>, MineError> {
        self.renew();
        crossbeam::channel::select! {
            recv(self.engine.events()) -> event => match event {
                Ok(Event::Solution(solution)) => self.solved(&solution),
                // All that a second has was searched.
                Ok(_) => Ok(None),
                Err(_) => Err(MineError::Engine),
            },
            recv(self.wakes) -> wake => {
                wake.map_err(|_| MineError::Stopped)?;
                self.renew();
                Ok(None)
            },
            default(timeout) => Ok(None),
        }
    }

    /// Ends the search.
    pub fn stop(&mut self) {
        self.engine.stop();
        self.published = None;
    }

    /// Publishes a job if the one that is searched is no longer the best, or of an earlier second.
    fn renew(&mut self) {
        let (candidate, now) = (self.handle.current(), self.handle.clock().now());
        let is_current = self.published.as_ref().is_some_and(|published| {
            published.candidate.serial == candidate.serial && u64::from(published.job.time()) >= now
        });
        if is_current {
            return;
        }
        let stamp = self.handle.clock().stamp();
        let job = Job::new(Arc::clone(&candidate.template), self.payout, stamp);
        // Ahead of the clock by more than the chain allows: the block would be refused.
        let limit = self.handle.chain().spec.future_limit_s;
        if u64::from(job.time()) > now.saturating_add(limit.into()) {
            self.stop();
            return;
        }
        let generation = self.engine.publish(job.work());
        self.published = Some(Published { job, generation, candidate });
    }

    fn solved(&mut self, solution: &crate::engine::Solution) -> Result<Option<Mined>, MineError> {
        // A solution of a job before this one is worth nothing.
        let is_of = |published: &mut Published| published.generation == solution.generation;
        let Some(published) = self.published.take_if(is_of) else { return Ok(None) };
        let block = published.job.block(solution);
        self.engine.stop();
        match self.handle.submit_block_blocking(block.encode(), &self.finder) {
            Ok(Submitted::Tip { .. }) => {}
            // Somebody else was faster.
            Ok(_) => return Ok(None),
            Err(HandleError::Stopped) => return Err(MineError::Stopped),
            Err(HandleError::Refused(error)) => return Err(MineError::Refused(error)),
        }
        self.renew();
        Ok(Some(Mined {
            height: block.coinbase.height,
            hash: BlockHash(solution.digest),
            reward: published.job.reward(),
            block,
        }))
    }
}
