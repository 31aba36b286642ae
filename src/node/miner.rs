//! Mining on a ledger of one's own: template, engine, submit, and again. It holds no key: the payout is
//! an argument.

use std::time::Duration;

use crossbeam::channel::RecvTimeoutError;

use crate::engine::{Coinbase, Engine, Event, ExtranonceSource, Solution, Work};
use crate::ledger::block::{Block, Included};
use crate::ledger::chain::{Ledger, SubmitError, Submitted};
use crate::ledger::coinbase::encode_height;
use crate::ledger::signature::PubKey;
use crate::ledger::store::{Store, StoreError};
use crate::ledger::template::Template;
use crate::primitives::limits::VERSION_ROLLING_MASK;
use crate::primitives::{BlockHash, Header};

/// Bytes of the extranonce in our own coinbases.
const EXTRANONCE_BYTES: usize = 8;
/// What follows the extranonce: whose software made the block.
const TAG: &[u8] = b"/proofward/";
/// A job is renewed at least this often, so that its time stays that of the clock.
const JOB_LIFE: Duration = Duration::from_secs(1);

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
            branch: template.merkle_branch(),
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

/// Mines one block on the tip: publishes jobs and renews them each second until one is solved and
/// accepted, or `go_on` says no. `choose` gives the transactions of each job with their fees together,
/// `now` the clock.
///
/// # Errors
///
/// See [`MineError`].
pub fn mine_block<S: Store>(
    ledger: &Ledger<S>,
    engine: &Engine,
    payout: PubKey,
    mut choose: impl FnMut() -> Result<(Vec<Included>, u64), StoreError>,
    now: impl Fn() -> u64,
    go_on: impl Fn() -> bool,
) -> Result<Option<Mined>, MineError> {
    while go_on() {
        let (transactions, fees) = choose()?;
        let template = Template::on_tip(ledger.chain(), &ledger.view(), transactions, fees)?;
        let clock = u32::try_from(now()).unwrap_or(u32::MAX);
        let job = Job::new(template, payout, clock);
        // Ahead of the clock by more than the chain allows: wait, the block would be refused.
        let is_too_new =
            u64::from(job.header.time) > now() + u64::from(ledger.chain().spec.future_limit_s);
        if is_too_new {
            engine.stop();
            std::thread::sleep(Duration::from_millis(50));
            continue;
        }
        let generation = engine.publish(job.work());
        loop {
            match engine.events().recv_timeout(JOB_LIFE) {
                Ok(Event::Solution(solution)) if solution.generation == generation => {
                    let block = job.block(&solution);
                    engine.stop();
                    let submitted = ledger.submit(&block.encode(), now());
                    return match submitted {
                        Ok(Submitted::Tip { .. }) => Ok(Some(Mined {
                            height: block.coinbase.height,
                            hash: BlockHash(solution.digest),
                            reward: job.template.reward,
                            block,
                        })),
                        Ok(_) => break,
                        Err(SubmitError::Store(error)) => Err(error.into()),
                        Err(refused) => Err(MineError::Refused(refused)),
                    };
                }
                // Of a job before this one.
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Err(MineError::Engine),
            }
        }
    }
    engine.stop();
    Ok(None)
}
