//! Batch verification of headers and blocks: threads take pieces of a run in order, hash and judge them;
//! the lowest bad one wins, whatever the number of threads.
//!
//! Memory and streams go through the same path: a chunk is taken under a lock together with the
//! [`Ancestry`] that its first header needs, so chunks are judged independently of one another.

mod block_feed;
mod blocks;
mod chunk;
mod feed;
mod report;

pub use block_feed::BlockFileError;
pub use blocks::{BlockFailure, BlockReport, BlockRun, BlockVerdict};
pub use chunk::Failure;
pub use report::{NotJudged, Report, Verdict};

use std::io::Read;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::consensus::{Ancestry, ChainSpec, Rule};
use crate::engine::pool::{Pool, PoolError};
use crate::kernel::Kernel;
use crate::primitives::limits::HEADER_BYTES;
use crate::primitives::{HeaderBytes, Work};
use chunk::Scratch;
use feed::{Feed, Memory, Source, Stream};

/// What a run of headers is judged by.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    spec: &'a ChainSpec,
    /// Invariant: its height is known.
    start: Ancestry,
    now: Option<i64>,
}

impl<'a> Run<'a> {
    /// A run that starts at this height, of whose past nothing is known.
    #[must_use]
    pub fn from_height(spec: &'a ChainSpec, height: u32) -> Self {
        Self { spec, start: Ancestry::at_height(height), now: None }
    }

    /// The same run judged by a clock, in seconds since 1970; without one no time is too new.
    #[must_use]
    pub fn with_now(self, now: i64) -> Self {
        Self { now: Some(now), ..self }
    }

    /// Height of the first header.
    #[must_use]
    pub fn first_height(&self) -> u64 {
        self.start.next_height().expect("a run starts at a height")
    }

    /// The same run with the headers before it, the last of which is its parent. They are trusted except
    /// for their links; those beyond [`ChainSpec::context_blocks_max`] are of no use.
    ///
    /// # Errors
    ///
    /// If they do not link to one another, or are more than there is height below the run.
    pub fn with_context(mut self, context: &[HeaderBytes]) -> Result<Self, ContextError> {
        let height = self.first_height();
        let below = height.checked_sub(context.len() as u64);
        let Some(first) = below.and_then(|first| u32::try_from(first).ok()) else {
            return Err(ContextError::TooLong { headers: context.len(), height });
        };
        let mut ancestry = Ancestry::at_height(first);
        let algorithm = self.spec.algorithm;
        for (height, header) in (u64::from(first)..).zip(context) {
            let prev_block = crate::primitives::Header::decode(header).prev_block;
            if ancestry.parent().is_some_and(|parent| parent.hash != prev_block) {
                return Err(ContextError::Broken { height });
            }
            let digest = crate::hash::hash_header(algorithm, header);
            ancestry.extend(self.spec, std::slice::from_ref(header), &digest);
        }
        self.start = ancestry;
        Ok(self)
    }
}

/// Why headers cannot be the context of a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// They would start below height 0.
    #[error("{headers} headers of context do not fit below height {height}")]
    TooLong {
        /// How many there are.
        headers: usize,
        /// Where the run starts.
        height: u64,
    },
    /// One does not name the one before it as its parent.
    #[error("the context is not a chain: the header at height {height} has another parent")]
    Broken {
        /// Its height.
        height: u64,
    },
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// There is no header.
    #[error("no header: the input is empty")]
    Empty,
    /// The input ends inside a header.
    #[error("{extra_bytes} bytes after {headers} whole headers of {HEADER_BYTES} bytes")]
    Partial {
        /// Whole headers before.
        headers: u64,
        /// Bytes of the broken one.
        extra_bytes: usize,
    },
    /// The input cannot be read.
    #[error("cannot read headers")]
    Read(#[from] std::io::Error),
}

/// Threads and a kernel, ready to verify.
#[derive(Debug)]
pub struct Verifier {
    kernel: Kernel,
    threads: NonZeroUsize,
    /// `None` for one thread: the caller's.
    pool: Option<Pool>,
}

impl Verifier {
    /// Starts `threads` threads, or none if one is enough: then the caller's does the work.
    ///
    /// # Errors
    ///
    /// If the system has no more threads.
    pub fn new(kernel: Kernel, threads: NonZeroUsize) -> Result<Self, PoolError> {
        let pool = if threads.get() == 1 { None } else { Some(Pool::new(threads)?) };
        Ok(Self { kernel, threads, pool })
    }

    /// Verifies headers in memory.
    ///
    /// # Errors
    ///
    /// `Empty` if there is none.
    ///
    /// # Panics
    ///
    /// If the kernel is not for the chain's algorithm.
    pub fn verify(&self, run: &Run<'_>, headers: &[HeaderBytes]) -> Result<Verdict, VerifyError> {
        self.verify_source(run, Memory::new(headers, self.threads))
    }

    /// Verifies headers as they are read. Memory does not grow with their number. A bad header is
    /// reported although the input may be broken further on.
    ///
    /// # Errors
    ///
    /// If the input is empty, ends inside a header or cannot be read before a bad header is found.
    ///
    /// # Panics
    ///
    /// If the kernel is not for the chain's algorithm.
    pub fn verify_stream(
        &self,
        run: &Run<'_>,
        reader: impl Read + Send,
    ) -> Result<Verdict, VerifyError> {
        self.verify_source(run, Stream::new(reader))
    }

    fn verify_source<S: Source>(&self, run: &Run<'_>, source: S) -> Result<Verdict, VerifyError> {
        assert_eq!(self.kernel.algorithm(), run.spec.algorithm, "a kernel for another algorithm");
        let feed = Mutex::new(Feed::new(run, source));
        let mut tallies = self.on_each_thread(|| self.work(run, &feed));
        let failures = tallies.iter_mut().filter_map(|tally| tally.failure.take());
        if let Some(failure) = failures.min_by_key(|failure| failure.height) {
            return Ok(Verdict::Invalid(failure));
        }
        let feed = feed.into_inner().unwrap_or_else(PoisonError::into_inner);
        let end = feed.end()?;
        let mut not_judged = Vec::new();
        let mut chain_work = Work::ZERO;
        for tally in tallies {
            chain_work = chain_work.plus(tally.scratch.work);
            not_judged.extend(tally.scratch.not_judged);
        }
        let first_height = run.first_height();
        let last_height = end.next_height().expect("a run starts at a height") - 1;
        let mut not_judged = NotJudged::collect(not_judged);
        if run.now.is_none() && run.spec.future_seconds_max.is_some() {
            not_judged.push(NotJudged {
                rule: Rule::TimeTooNew,
                first: first_height,
                last: last_height,
            });
        }
        Ok(Verdict::Valid(Report {
            count: last_height - first_height + 1,
            first_height,
            last_height,
            tip: end.parent().expect("the feed gave headers").hash,
            chain_work,
            not_judged,
        }))
    }

    /// What `work` gives on each thread.
    fn on_each_thread<T: Send>(&self, work: impl Fn() -> T + Sync) -> Vec<T> {
        match &self.pool {
            None => vec![work()],
            Some(pool) => pool.on_each_thread(work),
        }
    }

    fn work<S: Source>(&self, run: &Run<'_>, feed: &Mutex<Feed<'_, S>>) -> Tally {
        let mut tally = Tally { scratch: Scratch::new(), failure: None };
        let mut buffer = S::buffer();
        loop {
            let Some((mut ancestry, headers)) = lock(feed).next(&mut buffer) else { break };
            let judged = chunk::judge(run, self.kernel, &mut ancestry, headers, &mut tally.scratch);
            if let Err(failure) = judged {
                // Chunks are taken in order, so every lower one is in somebody's hands.
                lock(feed).stop();
                tally.failure = Some(failure);
                break;
            }
        }
        tally
    }
}

/// What one thread found.
struct Tally {
    scratch: Scratch,
    failure: Option<Failure>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
