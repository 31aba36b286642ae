//! The thread that owns a chain: ledger, mempool and inbox. It decides nothing; it asks the ledger, and
//! keeps the candidate that everybody mines the best one. Others reach it by a [`Handle`].
//!
//! A candidate is replaced
//! - at once when the tip changes; the first one on a tip holds nothing but its coinbase if much is
//!   pending, because finding out what still is would take longer than a millisecond;
//! - when the best block of the pool changes, at most every [`POOL_PAUSE_SECONDS_MAX`] seconds;
//! - when the relief rule takes its next step, which changes nBits;
//! - after [`CANDIDATE_SECONDS_MAX`] seconds, with a later stamp: miners stop on work that stays.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::MissedTickBehavior;

use crate::ledger::block::Block;
use crate::ledger::chain::{Ledger, SubmitError, Submitted};
use crate::ledger::mempool::{Admitted, Limits, Mempool, Refused, Source};
use crate::ledger::rules::context::Refusal;
use crate::ledger::store::{Inbox, Store, StoreError};
use crate::ledger::template::Template;

use super::candidate::{Candidate, count_access, paid_by};
use super::clock::Clock;
use super::feed::{InboxFeed, Told};
use super::handle::{
    BLOCKS_WAITING_MAX, BlockRequest, EVENTS_KEPT, Event, Found, Handle, REQUESTS_WAITING_MAX,
    Request, Shared,
};

/// Seconds after which a candidate is replaced by one with a later stamp.
pub const CANDIDATE_SECONDS_MAX: u64 = 30;
/// Seconds that what arrives in the pool waits for a candidate at most, on a chain of long spacings.
pub const POOL_PAUSE_SECONDS_MAX: u32 = 3;
/// A pool change waits this part of the spacing: on a chain of short ones it waits for no second.
const POOL_PAUSE_SPACING_PART: u32 = 5;
/// How often the clock and the inbox are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// More pending than this, and the first candidate on a new tip holds nothing but its coinbase.
const COINBASE_FIRST_ABOVE: usize = 500;

/// What a service is started with.
#[derive(Debug)]
pub struct Parts<S> {
    /// The chain, as its one writer.
    pub ledger: Ledger<S>,
    /// Where other processes leave transactions, if anywhere.
    pub inbox: Option<Inbox>,
    /// Of the pool.
    pub limits: Limits,
    /// Tells the time that blocks are judged at and candidates are stamped with.
    pub clock: Clock,
}

/// A running service. Dropping it leaves the thread to end by itself once every handle is gone.
pub struct Service<S> {
    /// The door to it.
    pub handle: Handle,
    /// What has happened since the start, the first look at the inbox included.
    pub events: broadcast::Receiver<Event>,
    thread: JoinHandle<Result<Arc<Ledger<S>>, StoreError>>,
}

/// Why a service did not start or end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The store failed; everything acknowledged before is durable.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gave no thread or no timer.
    #[error("cannot start the thread of the ledger: {0}")]
    Thread(#[from] std::io::Error),
    /// A defect: it has been printed.
    #[error("the thread of the ledger panicked")]
    Panicked,
}

impl<S: Store + 'static> Service<S> {
    /// Reads the inbox, makes the first candidate, and starts the thread.
    ///
    /// # Errors
    ///
    /// See [`ServiceError`].
    pub fn start(parts: Parts<S>) -> Result<Self, ServiceError> {
        let Parts { ledger, inbox, limits, clock } = parts;
        let ledger = Arc::new(ledger);
        let chain = ledger.chain().clone();
        let feed = inbox.map(|inbox| InboxFeed::new(inbox, chain.genesis)).transpose()?;
        let mut pool = Mempool::new(&chain, &ledger.view(), limits)?;
        let first = Candidate::new(Arc::new(pool.template(&ledger.view())?), 1, 1, clock.stamp());
        let (blocks, blocks_waiting) = mpsc::channel(BLOCKS_WAITING_MAX);
        let (requests, requests_waiting) = mpsc::channel(REQUESTS_WAITING_MAX);
        let (events_sender, events) = broadcast::channel(EVENTS_KEPT);
        let readable = Arc::downgrade(&ledger);
        let shared = Arc::new(Shared {
            chain,
            clock,
            candidates: watch::Sender::new(Arc::new(first)),
            totals: watch::Sender::new(pool.totals()),
            events: events_sender,
            wakes: Mutex::new(Some(Vec::new())),
            blocks,
            requests,
            snapshots: Box::new(move || Some(readable.upgrade()?.store().snapshot())),
        });
        let handle = Handle::new(Arc::clone(&shared));
        let version = pool.version();
        let shown_at = shared.clock.now();
        let mut keeper = Keeper { ledger, pool, feed, shared, version, shown_at };
        keeper.look()?;
        if keeper.pool.version() != keeper.version {
            // What was left while nobody mined has waited long enough.
            keeper.show_best()?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let run = move || {
            let waiting = Waiting { blocks: blocks_waiting, requests: requests_waiting };
            let served = runtime.block_on(keeper.serve(waiting));
            keeper.shared.end_wakes();
            served.map(|()| keeper.ledger)
        };
        let thread = thread::Builder::new().name("ledger".into()).spawn(run)?;
        Ok(Self { handle, events, thread })
    }

    /// Judges what waits already, then ends, and gives the ledger back; none if somebody is just reading
    /// it, who then drops it. Whoever still holds a handle is answered `Stopped`.
    ///
    /// # Errors
    ///
    /// See [`ServiceError`].
    pub fn stop(self) -> Result<Option<Ledger<S>>, ServiceError> {
        // If it has ended by itself there is nobody to tell.
        let _ = self.handle.stop_blocking();
        let ledger = self.thread.join().map_err(|_| ServiceError::Panicked)??;
        Ok(Arc::into_inner(ledger))
    }

    /// Whether it has ended by itself: after a failure of the store or a defect, which
    /// [`Service::stop`] then tells.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }
}

impl<S> fmt::Debug for Service<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("handle", &self.handle).finish_non_exhaustive()
    }
}

/// What the thread takes its requests from.
struct Waiting {
    blocks: mpsc::Receiver<BlockRequest>,
    requests: mpsc::Receiver<Request>,
}

/// What the thread owns.
struct Keeper<S> {
    ledger: Arc<Ledger<S>>,
    pool: Mempool,
    feed: Option<InboxFeed>,
    shared: Arc<Shared>,
    /// Of the pool that the candidate was made from.
    version: u64,
    /// When the candidate was made, by the clock.
    shown_at: u64,
}

impl<S: Store> Keeper<S> {
    async fn serve(&mut self, mut waiting: Waiting) -> Result<(), StoreError> {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                Some(block) = waiting.blocks.recv() => self.block(block)?,
                _ = looks.tick() => self.look()?,
                request = waiting.requests.recv() => {
                    if self.request(request.unwrap_or(Request::Stop))?.is_break() {
                        break;
                    }
                }
            }
        }
        // Blocks that came in between are not lost.
        waiting.blocks.close();
        while let Ok(block) = waiting.blocks.try_recv() {
            self.block(block)?;
        }
        Ok(())
    }

    fn block(&mut self, request: BlockRequest) -> Result<(), StoreError> {
        let BlockRequest { bytes, finder, reply } = request;
        let submitted = self.ledger.submit(&bytes, self.shared.clock.now());
        let mut outcome = match &submitted {
            Err(SubmitError::Store(error)) => Err(error.clone()),
            _ => Ok(()),
        };
        let mut joined = None;
        if let Ok(Submitted::Tip { disconnected, .. }) = &submitted {
            let block = Block::decode(&bytes).expect("it has just been accepted");
            outcome = self.first_on_tip(&block);
            joined = Some((block, disconnected.len()));
        }
        // Who brought it may have gone away; the block stays.
        let _ = reply.send(submitted);
        outcome?;
        let Some((block, disconnected)) = joined else { return Ok(()) };
        let (access_transactions, payments) = count_access(&block.transactions);
        let height = block.coinbase.height;
        self.tell(Event::Found(Arc::new(Found {
            finder,
            height,
            hash: self.ledger.chain().spec.hash_header(&block.header),
            access_transactions,
            payments,
            reward: paid_by(&block),
            payouts: block.coinbase.payouts,
            spendable_at: height.saturating_add(self.ledger.chain().spec.maturity_blocks),
            disconnected,
        })));
        self.settle_on_tip()
    }

    /// Shows a candidate on the new tip, as soon as can be.
    fn first_on_tip(&mut self, block: &Block) -> Result<(), StoreError> {
        let ledger = Arc::clone(&self.ledger);
        let view = ledger.view();
        if self.pool.totals().count > COINBASE_FIRST_ABOVE {
            let template = Template::empty(ledger.chain(), &view)?;
            self.show(template);
        }
        // A witness may have moved the tip elsewhere.
        let is_tip = view.tip()? == ledger.chain().spec.hash_header(&block.header);
        self.pool.follow(&view, is_tip.then_some(block))?;
        self.count();
        self.show_best()
    }

    /// What may wait until the miners have their work.
    fn settle_on_tip(&mut self) -> Result<(), StoreError> {
        if let Some(feed) = &mut self.feed {
            let told = feed.tip_moved(&mut self.pool, &self.ledger.view())?;
            self.tell_all(told);
        }
        self.count();
        if self.pool.version() != self.version { self.show_best() } else { Ok(()) }
    }

    fn request(&mut self, request: Request) -> Result<ControlFlow<()>, StoreError> {
        match request {
            Request::Transaction { bytes, source, reply } => {
                let judged = self.transaction(&bytes, source)?;
                // Whoever is answered finds it counted.
                self.count();
                // Who brought it may have gone away.
                let _ = reply.send(judged);
                self.renew()?;
            }
            Request::Pool(ask) => ask(&self.pool),
            Request::Look(reply) => {
                self.look()?;
                let _ = reply.send(());
            }
            Request::Stop => return Ok(ControlFlow::Break(())),
        }
        Ok(ControlFlow::Continue(()))
    }

    fn transaction(
        &mut self,
        bytes: &[u8],
        source: Source,
    ) -> Result<Result<Admitted, Refused>, StoreError> {
        match self.pool.admit(&self.ledger.view(), bytes, source) {
            Ok(admitted) => Ok(Ok(admitted)),
            Err(Refusal::Rule(refused)) => Ok(Err(refused)),
            Err(Refusal::Store(error)) => Err(error),
        }
    }

    /// Reads the inbox and replaces the candidate if it is time.
    fn look(&mut self) -> Result<(), StoreError> {
        if let Some(feed) = &mut self.feed {
            let told = feed.poll(&mut self.pool, &self.ledger.view())?;
            self.tell_all(told);
        }
        self.count();
        self.renew()
    }

    fn renew(&mut self) -> Result<(), StoreError> {
        let (candidate, now) =
            (Arc::clone(&self.shared.candidates.borrow()), self.shared.clock.now());
        let age = now.saturating_sub(self.shown_at);
        if now > u64::from(candidate.until) || age >= CANDIDATE_SECONDS_MAX {
            return self.show_best();
        }
        let spacing = self.ledger.chain().spec.spacing_s;
        let pause = (spacing / POOL_PAUSE_SPACING_PART).min(POOL_PAUSE_SECONDS_MAX);
        if self.pool.version() == self.version || age < u64::from(pause) {
            return Ok(());
        }
        let template = self.pool.template(&self.ledger.view())?;
        self.version = self.pool.version();
        let is_same = template.parent_hash == candidate.tip()
            && template.merkle_branch() == candidate.template.merkle_branch()
            && template.transactions.len() == candidate.template.transactions.len();
        if !is_same {
            self.show(template);
        }
        Ok(())
    }

    fn show_best(&mut self) -> Result<(), StoreError> {
        let template = self.pool.template(&self.ledger.view())?;
        self.version = self.pool.version();
        self.show(template);
        Ok(())
    }

    fn show(&mut self, template: Template) {
        let shared = &self.shared;
        let current = Arc::clone(&shared.candidates.borrow());
        let is_new_tip = template.parent_hash != current.tip();
        let tip_serial = current.tip_serial + u64::from(is_new_tip);
        self.shown_at = shared.clock.now();
        let time = shared.clock.stamp();
        shared.publish(Candidate::new(Arc::new(template), current.serial + 1, tip_serial, time));
    }

    fn count(&self) {
        let totals = self.pool.totals();
        self.shared.totals.send_if_modified(|shown| std::mem::replace(shown, totals) != totals);
    }

    fn tell_all(&self, told: Vec<Told>) {
        told.into_iter().for_each(|told| self.tell(Event::Inbox(told)));
    }

    fn tell(&self, event: Event) {
        // Nobody may be listening.
        let _ = self.shared.events.send(event);
    }
}
