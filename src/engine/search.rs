//! The nonce search as others see it: an [`Engine`] with its workers, what goes in ([`Work`]) and what
//! comes out ([`Event`]).

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use arc_swap::ArcSwapOption;
use crossbeam::channel::{Receiver, Sender, bounded};
use crossbeam::utils::CachePadded;

use super::affinity::{AffinityError, pin_current_thread};
use super::allowance::Allowance;
use super::claim::Claims;
use super::meter::{Counters, CpuLimit, Duty};
use super::work::Work;
use super::worker::{Assignment, Shared, Slot, Worker};
use crate::hash::Algorithm;
use crate::kernel::{Hits, Job, Kernel, NonceRange};
use crate::primitives::{Digest, Header, HeaderBytes};

/// Events that wait for a reader; after that workers wait too.
const EVENTS_MAX: usize = 1024;

/// Proposes nonces: a [`Kernel`], or a stand-in for it in tests. The engine judges every proposal, so
/// an implementation can lose solutions but not make any.
pub trait Propose: Send + Sync {
    /// What it computes.
    fn algorithm(&self) -> Algorithm;

    /// The contract of [`Kernel::search`].
    fn search(&self, job: &Job, range: NonceRange, hits: &mut Hits) -> Option<u32>;
}

impl Propose for Kernel {
    fn algorithm(&self) -> Algorithm {
        Self::algorithm(*self)
    }

    fn search(&self, job: &Job, range: NonceRange, hits: &mut Hits) -> Option<u32> {
        Self::search(*self, job, range, hits)
    }
}

/// How an engine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Workers.
    pub threads: NonZeroUsize,
    /// The share of its time that each worker may hash.
    pub cpu_limit: CpuLimit,
    /// Whether each worker is bound to a CPU of its own, as long as there are enough.
    pub pin: bool,
}

impl Options {
    /// That many workers, without limit or binding.
    #[must_use]
    pub fn threads(threads: NonZeroUsize) -> Self {
        Self { threads, cpu_limit: CpuLimit::NONE, pin: false }
    }
}

/// One worker for each CPU that the process may use.
impl Default for Options {
    fn default() -> Self {
        Self::threads(thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }
}

/// Why an engine did not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The system gave no thread.
    #[error("cannot start worker {worker} of {workers}: {reason}")]
    Spawn {
        /// Number of the worker, from 1.
        worker: usize,
        /// How many were wanted.
        workers: usize,
        /// What the system said.
        reason: String,
    },
    /// A worker could not be bound to its CPU.
    #[error(transparent)]
    Affinity(#[from] AffinityError),
}

/// Which publication something belongs to: 1 for the first of an engine, and rising.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u64);

impl Generation {
    /// The number.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A header whose hash meets the target of its work: judged by the scalar hash over all 256 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Solution {
    /// The publication it solves, which may have been replaced meanwhile.
    pub generation: Generation,
    /// The extranonce of its template.
    pub extranonce: u64,
    /// The header as it was hashed: version and time may have been rolled.
    pub header: HeaderBytes,
    /// Its hash.
    pub digest: Digest,
}

impl Solution {
    /// The nonce.
    #[must_use]
    pub fn nonce(&self) -> u32 {
        Header::decode(&self.header).nonce
    }
}

/// What an engine reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A solution.
    Solution(Solution),
    /// All of the work has been searched, or its first solution was enough. Nothing of this
    /// generation follows.
    Exhausted(Generation),
}

/// A kernel and the workers that run it. Workers without work are parked; dropping the engine ends
/// them after their current batch.
pub struct Engine {
    shared: Arc<Shared>,
    generation: AtomicU64,
    events: Receiver<Event>,
    threads: Vec<JoinHandle<()>>,
}

impl Engine {
    /// Starts the workers; they wait for work.
    ///
    /// # Errors
    ///
    /// If a thread cannot be started or bound to a CPU; those already started end.
    pub fn new(propose: impl Propose + 'static, options: Options) -> Result<Self, StartError> {
        let workers = options.threads.get();
        let shared = Arc::new(Shared {
            propose: Box::new(propose),
            assignment: ArcSwapOption::empty(),
            paused: AtomicBool::new(false),
            allowance: Allowance::unbounded(),
            closed: AtomicBool::new(false),
            parked: CachePadded::new(AtomicUsize::new(0)),
            slots: (0..workers).map(|_| CachePadded::new(Slot::default())).collect(),
        });
        let (sender, events) = bounded(EVENTS_MAX);
        let generation = AtomicU64::new(0);
        let mut engine = Self { shared, generation, events, threads: Vec::new() };
        let (ready, started) = bounded(workers);
        for index in 0..workers {
            let thread = engine.start(index, options, sender.clone(), ready.clone());
            let thread = thread.map_err(|reason| StartError::Spawn {
                worker: index + 1,
                workers,
                reason: reason.to_string(),
            })?;
            engine.threads.push(thread);
        }
        drop(ready);
        // Every worker must have left its handle before the first wake.
        for _ in 0..workers {
            started.recv().expect("every worker reports before it works")?;
        }
        Ok(engine)
    }

    fn start(
        &self,
        index: usize,
        options: Options,
        events: Sender<Event>,
        ready: Sender<Result<(), AffinityError>>,
    ) -> std::io::Result<JoinHandle<()>> {
        let shared = Arc::clone(&self.shared);
        thread::Builder::new().name(format!("search-{index}")).spawn(move || {
            let handle = &shared.slots[index].thread;
            handle.set(thread::current()).expect("each worker has a slot of its own");
            let pinned = if options.pin { pin_current_thread(index) } else { Ok(()) };
            let failed = pinned.is_err();
            if ready.send(pinned).is_err() || failed {
                return;
            }
            drop(ready);
            Worker::new(shared, index, events, Duty::new(options.cpu_limit)).run();
        })
    }

    /// Puts `work` in the place of what the workers are on. They turn to it after their current batch,
    /// half a millisecond at most; its solutions carry the number that this returns. Takes no lock.
    pub fn publish(&self, work: Work) -> Generation {
        let generation = Generation(self.generation.fetch_add(1, Ordering::Relaxed) + 1);
        let assignment = Arc::new(Assignment {
            generation,
            target: work.target,
            until: work.until,
            claims: Claims::new(work.source),
            finished: AtomicUsize::new(0),
        });
        // Of two publishers at once the one with the higher number wins.
        self.shared.assignment.rcu(|current| match current {
            Some(current) if current.generation > generation => Some(Arc::clone(current)),
            _ => Some(Arc::clone(&assignment)),
        });
        self.shared.wake();
        generation
    }

    /// Takes the work away. Workers park after their current batch.
    pub fn stop(&self) {
        self.shared.assignment.store(None);
        // Those that are parked let go of it too.
        self.shared.wake();
    }

    /// Keeps the work, but nobody searches on until [`Self::resume`]. Workers park after their
    /// current batch.
    pub fn pause(&self) {
        self.shared.paused.store(true, Ordering::Relaxed);
    }

    /// Goes on after [`Self::pause`], with the work published last.
    pub fn resume(&self) {
        self.shared.paused.store(false, Ordering::Relaxed);
        self.shared.wake();
    }

    /// Lets the workers do `most` hashes in all, counted from the start of the engine; they park when as
    /// many are done, and go on when it is raised. There is no bound before.
    pub fn set_hashes_max(&self, most: u64) {
        self.shared.allowance.set(most);
        self.shared.wake();
    }

    /// Whether every worker is parked: after a pause, the last hash that it may do, a stop or the end of the work, once the last
    /// batch is done.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.shared.parked.load(Ordering::Acquire) == self.shared.slots.len()
    }

    /// Where solutions arrive. It closes if a worker panics. Workers wait for a reader who is more
    /// than a thousand events behind, and throw away events of replaced work that find no room.
    #[must_use]
    pub fn events(&self) -> &Receiver<Event> {
        &self.events
    }

    /// What all workers have done since the start.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.worker_counters().fold(Counters::default(), |sum, counters| sum + counters)
    }

    /// What each worker has done since the start.
    pub fn worker_counters(&self) -> impl Iterator<Item = Counters> {
        self.shared.slots.iter().map(|slot| slot.tally.read())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.close();
        for thread in self.threads.drain(..) {
            // A worker that panicked has printed why and closed the channel; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("workers", &self.shared.slots.len())
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}
