//! One worker thread: claims a batch, lets the kernel search it, judges the hits, and looks for a new
//! job. It parks when there is nothing to do.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use arc_swap::{ArcSwapOption, Cache};
use crossbeam::channel::{SendTimeoutError, Sender};
use crossbeam::utils::CachePadded;

use super::allowance::Allowance;
use super::claim::{Claim, Claims, Sheet};
use super::meter::{Counters, Duty, Pace, Stopwatch, Tally};
use super::search::{Event, Generation, Propose, Solution};
use super::work::Until;
use crate::hash::meets_target;
use crate::kernel::{Hits, Job, NonceRange};
use crate::primitives::Target;

/// How long a worker waits for room in the channel before it looks whether anybody still wants the event.
const DELIVERY_WAIT: Duration = Duration::from_millis(1);

/// What all workers are on.
pub(super) struct Assignment {
    pub(super) generation: Generation,
    pub(super) target: Target,
    pub(super) until: Until,
    pub(super) claims: Claims,
    /// Workers that have finished their last claim and found no other.
    pub(super) finished: AtomicUsize,
}

/// What the engine and its workers share.
pub(super) struct Shared {
    pub(super) propose: Box<dyn Propose>,
    pub(super) assignment: ArcSwapOption<Assignment>,
    pub(super) paused: AtomicBool,
    pub(super) allowance: Allowance,
    pub(super) closed: AtomicBool,
    pub(super) parked: CachePadded<AtomicUsize>,
    pub(super) slots: Vec<CachePadded<Slot>>,
}

/// The public side of one worker.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) thread: OnceLock<Thread>,
    pub(super) tally: Tally,
}

impl Shared {
    /// Wakes every worker that is parked. What it shall see must be stored before: `unpark` is a
    /// release and the return of `park` an acquire.
    pub(super) fn wake(&self) {
        for thread in self.slots.iter().filter_map(|slot| slot.thread.get()) {
            thread.unpark();
        }
    }

    /// Ends all workers after their current batch.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.assignment.store(None);
        self.wake();
    }

    fn is_current(&self, generation: Generation) -> bool {
        self.assignment.load().as_ref().is_some_and(|current| current.generation == generation)
    }
}

pub(super) struct Worker {
    shared: Arc<Shared>,
    index: usize,
    events: Sender<Event>,
    pace: Pace,
    duty: Duty,
    hits: Hits,
    /// The job of the last piece: the next piece is usually of the same header.
    prepared: Option<Prepared>,
}

struct Prepared {
    sheet: Arc<Sheet>,
    generation: Generation,
    roll: u64,
    job: Job,
}

/// Closes the engine if its worker panics (in a work source, say), so that whoever waits for an event
/// sees the channel close instead of waiting for ever.
struct CloseOnPanic(Arc<Shared>);

impl Drop for CloseOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.close();
        }
    }
}

impl Worker {
    pub(super) fn new(
        shared: Arc<Shared>,
        index: usize,
        events: Sender<Event>,
        duty: Duty,
    ) -> Self {
        let (pace, hits) = (Pace::new(), Hits::new());
        Self { shared, index, events, pace, duty, hits, prepared: None }
    }

    /// Works until the engine closes.
    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let _alarm = CloseOnPanic(Arc::clone(&shared));
        let mut cache = Cache::new(&shared.assignment);
        let mut done = None;
        while !shared.closed.load(Ordering::Relaxed) {
            let waiting = shared.paused.load(Ordering::Relaxed);
            let assignment = cache.load().as_ref();
            let Some(assignment) =
                assignment.filter(|current| !waiting && done != Some(current.generation))
            else {
                self.park();
                continue;
            };
            let granted = shared.allowance.take(self.pace.nonces());
            if granted == 0 {
                self.park();
                continue;
            }
            let stopwatch = Stopwatch::start();
            let claim = assignment.claims.claim(granted);
            let hashes = claim.as_ref().map_or(0, |claim| self.search(assignment, claim));
            shared.allowance.put_back(granted.saturating_sub(hashes));
            if claim.is_some() {
                let busy = stopwatch.elapsed();
                self.pace.learn(hashes, busy);
                self.duty.worked(busy);
                self.rest();
            } else {
                done = Some(assignment.generation);
                self.finish(assignment);
            }
        }
    }

    fn park(&mut self) {
        self.prepared = None;
        self.shared.parked.fetch_add(1, Ordering::Release);
        thread::park();
        self.shared.parked.fetch_sub(1, Ordering::Relaxed);
    }

    /// Sleeps as long as the duty cycle owes. A call to [`Shared::wake`] ends one sleep, not the debt.
    fn rest(&mut self) {
        while let Some(due) = self.duty.due()
            && !self.shared.closed.load(Ordering::Relaxed)
        {
            let stopwatch = Stopwatch::start();
            thread::park_timeout(due);
            self.duty.rested(stopwatch.elapsed());
        }
    }

    /// The last worker to find nothing more says so: by then every claim has been searched.
    fn finish(&self, assignment: &Assignment) {
        let finished = assignment.finished.fetch_add(1, Ordering::AcqRel) + 1;
        if finished == self.shared.slots.len() {
            self.deliver(Event::Exhausted(assignment.generation), assignment.generation);
        }
    }

    /// Searches a claim and returns how many nonces were visited: all, unless the assignment has been
    /// replaced or has its only solution.
    fn search(&mut self, assignment: &Assignment, claim: &Claim) -> u64 {
        let mut hashes = 0;
        for piece in claim.pieces() {
            self.prepare(assignment, claim, piece.roll);
            let mut left = Some(piece.nonces);
            while let Some(range) = left {
                let resume = self.propose(range);
                let visited = resume.map_or(range.count(), |at| (at - range.first()).into());
                hashes += visited;
                let found = self.judge(assignment, claim, range, visited);
                if found && assignment.until == Until::FirstSolution {
                    assignment.claims.close();
                    return hashes;
                }
                left = resume.and_then(|at| NonceRange::new(at, range.last()));
                if left.is_some() && !self.shared.is_current(assignment.generation) {
                    return hashes;
                }
            }
        }
        hashes
    }

    /// Midstates cost about as much as a hash or two, so one is kept while the header stays.
    fn prepare(&mut self, assignment: &Assignment, claim: &Claim, roll: u64) {
        let generation = assignment.generation;
        let fits = |prepared: &Prepared| {
            claim.is_of(&prepared.sheet)
                && (prepared.generation, prepared.roll) == (generation, roll)
        };
        if !self.prepared.as_ref().is_some_and(fits) {
            let header = claim.template().header_at(roll);
            let job = Job::new(self.shared.propose.algorithm(), &header, assignment.target);
            let sheet = Arc::clone(claim.sheet());
            self.prepared = Some(Prepared { sheet, generation, roll, job });
        }
    }

    fn job(&self) -> &Job {
        &self.prepared.as_ref().expect("prepared before the search").job
    }

    /// Lets the kernel search; returns where it wants to resume.
    fn propose(&mut self, range: NonceRange) -> Option<u32> {
        let job = &self.prepared.as_ref().expect("prepared before the search").job;
        self.hits.clear();
        let resume = self.shared.propose.search(job, range, &mut self.hits);
        if let Some(at) = resume {
            assert!(range.contains(at) && at > range.first(), "a kernel resumes outside {range:?}");
        }
        resume
    }

    /// Counts what was visited, delivers the hits that the scalar hash confirms, and says whether
    /// there was one. A kernel may lose a hit, but it cannot invent one, repeat one, or take one from
    /// another worker's range.
    fn judge(
        &self,
        assignment: &Assignment,
        claim: &Claim,
        range: NonceRange,
        visited: u64,
    ) -> bool {
        let (generation, job) = (assignment.generation, self.job());
        let mut counters = Counters { hashes: visited, ..Counters::default() };
        let mut solutions = Vec::new();
        let mut lowest = Some(range.first());
        for nonce in self.hits.as_slice().iter().copied() {
            let header = job.header_with(nonce);
            let expected = range.contains(nonce) && lowest.is_some_and(|lowest| nonce >= lowest);
            let digest = meets_target(job.algorithm(), &header, &assignment.target);
            if let Some(digest) = digest.filter(|_| expected) {
                let extranonce = claim.template().extranonce();
                solutions.push(Solution { generation, extranonce, header, digest });
                lowest = nonce.checked_add(1);
                if assignment.until == Until::FirstSolution {
                    break;
                }
            } else {
                counters.refused += 1;
            }
        }
        counters.solutions = solutions.len() as u64;
        self.shared.slots[self.index].tally.add(&counters);
        let found = !solutions.is_empty();
        for solution in solutions {
            self.deliver(Event::Solution(solution), generation);
        }
        found
    }

    /// Sends, waiting for room as long as the assignment is the current one.
    fn deliver(&self, mut event: Event, generation: Generation) {
        while let Err(SendTimeoutError::Timeout(unsent)) =
            self.events.send_timeout(event, DELIVERY_WAIT)
        {
            if !self.shared.is_current(generation) {
                return;
            }
            event = unsent;
        }
    }
}
