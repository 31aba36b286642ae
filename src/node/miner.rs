//! Mining on a ledger of one's own: template, engine, submit, and again. It holds no key: the payout is
//! an argument.

use std::time::Duration;

use crossbeam::channel::RecvTimeoutError;

use crate::engine::{Coinbase, Engine, Event, ExtranonceSource, Generation, Solution, Work};
use crate::ledger::block::Block;
use crate::ledger::chain::{Ledger, SubmitError, Submitted};
use crate::ledger::coinbase::encode_height;
use crate::ledger::mempool::Mempool;
use crate::ledger::signature::PubKey;
use crate::ledger::store::{Store, StoreError};
use crate::ledger::template::Template;
use crate::primitives::limits::VERSION_ROLLING_MASK;
use crate::primitives::{BlockHash, Header};

/// Bytes of the extranonce in our own coinbases.
const EXTRANONCE_BYTES: usize = 8;
/// What follows the extranonce: whose software made the block.
const TAG: &[u8] = b"/proofward/";

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
    /// Our own block was refused: the template and the rules disagree.
    #[error("a block of our own was refused: {0}")]
    Refused(SubmitError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A job as it was published, with what is needed to make a block of its solution.
#[derive(Debug, Clone)]
pub struct Job {
    template: Template,
    coinbase: Coinbase,
    header: Header,
    /// The last second for which its nBits are right.
    pub until: u32,
}

impl Job {
    /// A job on a template, stamped `now` or the least time that the chain allows.
    #[must_use]
    pub fn new(template: Template, payout: PubKey, now: u32) -> Self {
        let time = now.max(template.time_least);
        let extra = [&[0; EXTRANONCE_BYTES], TAG].concat();
        let bytes = template.coinbase(payout, &extra);
        // Version, count, prevout, script length and height stand before the extranonce.
        let at = 4 + 1 + 36 + 1 + encode_height(template.height).len();
        let coinbase = Coinbase {
            prefix: bytes[..at].to_vec(),
            suffix: bytes[at + EXTRANONCE_BYTES..].to_vec(),
            extranonce_bytes: EXTRANONCE_BYTES,
            branch: template.merkle_branch().to_vec(),
        };
        let until = template.bits_hold_until(time);
        let header = template.header(time, coinbase.merkle_root(0));
        Self { template, coinbase, header, until }
    }

    /// What the engine searches. The time is not rolled: a job is renewed every second.
    ///
    /// # Panics
    ///
    /// Never: the width of the extranonce is right.
    #[must_use]
    pub fn work(&self) -> Work {
        let template = crate::engine::Template::new(&self.header.encode())
            .with_version_mask(VERSION_ROLLING_MASK);
        let source = ExtranonceSource::new(template, self.coinbase.clone(), None)
            .expect("eight bytes hold every extranonce");
        let target = self.header.bits.to_target().expect("a template has a target");
        Work::new(source, target)
    }

    /// The block that a solution of this job makes.
    #[must_use]
    pub fn block(&self, solution: &Solution) -> Block {
        let bytes = self.coinbase.with_extranonce(solution.extranonce);
        let mut block = self.template.block(bytes, self.header.time);
        block.header = Header::decode(&solution.header);
        block
    }
}

/// More pending than this, and the first job on a new tip holds nothing but its coinbase: finding out
/// what is still pending would take longer than a millisecond.
const COINBASE_FIRST_ABOVE: usize = 500;

/// Keeps the engine busy with the best block on the tip of a ledger.
#[derive(Debug)]
pub struct Miner<'a, S> {
    ledger: &'a Ledger<S>,
    engine: &'a Engine,
    payout: PubKey,
    /// What waits for a block. Whoever adds to it calls [`Miner::renew`] after.
    pub mempool: Mempool,
    published: Option<Published>,
}

/// The job that is searched.
#[derive(Debug)]
struct Published {
    job: Job,
    generation: Generation,
    /// Of the pool that it was made from; none if it holds nothing but the coinbase.
    version: Option<u64>,
}

impl<'a, S: Store> Miner<'a, S> {
    /// A miner that has published nothing yet.
    #[must_use]
    pub fn new(
        ledger: &'a Ledger<S>,
        engine: &'a Engine,
        payout: PubKey,
        mempool: Mempool,
    ) -> Self {
        Self { ledger, engine, payout, mempool, published: None }
    }

    /// Publishes a job if the one that is searched is no longer the best, or of an earlier second than
    /// `now`.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn renew(&mut self, now: u64) -> Result<(), StoreError> {
        self.mempool.follow(&self.ledger.view(), None)?;
        let version = Some(self.mempool.version());
        let is_current = self.published.as_ref().is_some_and(|published| {
            published.version == version && u64::from(published.job.header.time) >= now
        });
        if !is_current {
            let template = self.mempool.template(&self.ledger.view())?;
            self.publish(template, version, now);
        }
        Ok(())
    }

    /// Waits at most `timeout` for the job to be solved, and submits the block at the time that `now`
    /// tells then. With a new tip the next job is published before anything else.
    ///
    /// # Errors
    ///
    /// See [`MineError`].
    pub fn wait(
        &mut self,
        timeout: Duration,
        now: impl Fn() -> u64,
    ) -> Result<Option<Mined>, MineError> {
        let solution = match self.engine.events().recv_timeout(timeout) {
            Ok(Event::Solution(solution)) => solution,
            // All that a second has was searched.
            Ok(_) | Err(RecvTimeoutError::Timeout) => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => return Err(MineError::Engine),
        };
        // A solution of a job before this one is worth nothing.
        let is_of = |published: &mut Published| published.generation == solution.generation;
        let Some(published) = self.published.take_if(is_of) else { return Ok(None) };
        let block = published.job.block(&solution);
        self.engine.stop();
        match self.ledger.submit(&block.encode(), now()) {
            Ok(Submitted::Tip { .. }) => {}
            Ok(_) => return Ok(None),
            Err(SubmitError::Store(error)) => return Err(error.into()),
            Err(refused) => return Err(MineError::Refused(refused)),
        }
        if self.mempool.totals().count > COINBASE_FIRST_ABOVE {
            let template = Template::empty(self.ledger.chain(), &self.ledger.view())?;
            self.publish(template, None, now());
        }
        self.mempool.follow(&self.ledger.view(), Some(&block))?;
        self.renew(now())?;
        Ok(Some(Mined {
            height: block.coinbase.height,
            hash: BlockHash(solution.digest),
            reward: published.job.template.reward,
            block,
        }))
    }

    /// Ends the search.
    pub fn stop(&mut self) {
        self.engine.stop();
        self.published = None;
    }

    fn publish(&mut self, template: Template, version: Option<u64>, now: u64) {
        let job = Job::new(template, self.payout, u32::try_from(now).unwrap_or(u32::MAX));
        // Ahead of the clock by more than the chain allows: the block would be refused.
        let latest = now.saturating_add(self.ledger.chain().spec.future_limit_s.into());
        if u64::from(job.header.time) > latest {
            self.stop();
            return;
        }
        let generation = self.engine.publish(job.work());
        self.published = Some(Published { job, generation, version });
    }
}
