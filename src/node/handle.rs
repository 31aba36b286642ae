//! The one door from front ends to the ledger. Behind it one thread owns the chain
//! ([`Service`](super::service::Service)); in front of it any number of tasks and threads hold clones.
//!
//! Reading the candidate never waits. Reading the chain goes to a snapshot of the store and waits for
//! nobody. What changes something goes through bounded queues: blocks before everything else, so that no
//! flood of transactions delays one. When a call about a block returns `Ok`, the block is durable, and
//! the candidate stands on the tip that it made.

use std::fmt;
use std::sync::{Arc, Mutex};

use crossbeam::channel::{Receiver, Sender, bounded};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::ledger::chain::{Chain, SubmitError, Submitted, View};
use crate::ledger::coinbase::Payout;
use crate::ledger::mempool::{Admitted, Mempool, Refused, Source, Totals};
use crate::ledger::store::{Snapshot, StoreError};
use crate::primitives::BlockHash;

use super::candidate::Candidate;
use super::clock::Clock;
use super::feed::Told;

/// Blocks that wait to be judged, at most; who brings one more waits.
pub const BLOCKS_WAITING_MAX: usize = 64;
/// Other requests that wait, at most.
pub const REQUESTS_WAITING_MAX: usize = 256;
/// Events that a slow listener may be behind before it loses the oldest.
pub const EVENTS_KEPT: usize = 1024;

/// Why a request has no answer of the kind that was hoped for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandleError<E: std::error::Error> {
    /// The service has ended, or ended before it came to this.
    #[error("the ledger has stopped")]
    Stopped,
    /// The answer is no.
    #[error(transparent)]
    Refused(#[from] E),
}

/// What happened, for those who tell people about it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A block became the tip.
    Found(Arc<Found>),
    /// A file of the inbox is not, or not yet, pending.
    Inbox(Told),
}

/// A block that became the tip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Who is said to have found it: a worker's name, or which door it came through.
    pub finder: Arc<str>,
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: BlockHash,
    /// Transactions about access in it.
    pub access_transactions: usize,
    /// Transactions in it that only pay.
    pub payments: usize,
    /// Units that its coinbase pays.
    pub reward: u64,
    /// Whom.
    pub payouts: Vec<Payout>,
    /// The height from which these can be spent.
    pub spendable_at: u32,
    /// Blocks that left the best chain for it.
    pub disconnected: usize,
}

pub(super) type Reply<T, E> = oneshot::Sender<Result<T, E>>;

/// A block on its way to the ledger.
pub(super) struct BlockRequest {
    pub(super) bytes: Vec<u8>,
    pub(super) finder: Arc<str>,
    pub(super) reply: Reply<Submitted, SubmitError>,
}

/// Everything else that the thread is asked.
pub(super) enum Request {
    Transaction { bytes: Vec<u8>, source: Source, reply: Reply<Admitted, Refused> },
    Pool(Box<dyn FnOnce(&Mempool) + Send>),
    Look(oneshot::Sender<()>),
    Stop,
}

type Snapshots = dyn Fn() -> Option<Result<Snapshot, StoreError>> + Send + Sync;

/// A clone for each who asks.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

/// What the clones share.
pub(super) struct Shared {
    pub(super) chain: Chain,
    pub(super) clock: Clock,
    pub(super) candidates: watch::Sender<Arc<Candidate>>,
    pub(super) totals: watch::Sender<Totals>,
    pub(super) events: broadcast::Sender<Event>,
    pub(super) wakes: Mutex<Option<Vec<Sender<()>>>>,
    pub(super) blocks: mpsc::Sender<BlockRequest>,
    pub(super) requests: mpsc::Sender<Request>,
    pub(super) snapshots: Box<Snapshots>,
}

impl Shared {
    /// Tells everybody about a candidate.
    pub(super) fn publish(&self, candidate: Candidate) {
        self.candidates.send_replace(Arc::new(candidate));
        let mut wakes = self.wakes.lock().expect("nobody panics with it");
        if let Some(wakes) = wakes.as_mut() {
            // One that has a wake waiting needs no second; one that is gone is forgotten.
            wakes.retain(|wake| wake.try_send(()).is_ok_or_full());
        }
    }

    /// Lets go of the threads that wait: there will be no candidate after this one.
    pub(super) fn end_wakes(&self) {
        *self.wakes.lock().expect("nobody panics with it") = None;
    }
}

trait SentOrFull {
    fn is_ok_or_full(&self) -> bool;
}

impl SentOrFull for Result<(), crossbeam::channel::TrySendError<()>> {
    fn is_ok_or_full(&self) -> bool {
        !matches!(self, Err(crossbeam::channel::TrySendError::Disconnected(())))
    }
}

impl Handle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Specification, ids and genesis of the chain.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.0.chain
    }

    /// The clock that the ledger is asked by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The block to mine now. Never waits.
    #[must_use]
    pub fn current(&self) -> Arc<Candidate> {
        Arc::clone(&self.0.candidates.borrow())
    }

    /// For tasks: the candidates from now on; the one that stands counts as seen. It skips those that
    /// were replaced before the task looked. `changed` fails when the service is gone and every handle
    /// with it; a front end ends by its own signal.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Arc<Candidate>> {
        self.0.candidates.subscribe()
    }

    /// For threads: something to receive after each change of the candidate; disconnected once the
    /// service ends.
    ///
    /// # Panics
    ///
    /// Never: nobody panics with the lock.
    #[must_use]
    pub fn wakes(&self) -> Receiver<()> {
        let (sender, receiver) = bounded(1);
        if let Some(wakes) = self.0.wakes.lock().expect("nobody panics with it").as_mut() {
            wakes.push(sender);
        }
        receiver
    }

    /// What happens from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    /// What is pending, counted.
    #[must_use]
    pub fn totals(&self) -> Totals {
        *self.0.totals.borrow()
    }

    /// Brings a block, whoever made it; `finder` is who is said to have found it.
    ///
    /// # Errors
    ///
    /// `Stopped`, or why the ledger refuses it.
    pub async fn submit_block(
        &self,
        bytes: Vec<u8>,
        finder: &Arc<str>,
    ) -> Result<Submitted, HandleError<SubmitError>> {
        let (reply, answer) = oneshot::channel();
        let request = BlockRequest { bytes, finder: Arc::clone(finder), reply };
        self.0.blocks.send(request).await.map_err(|_| HandleError::Stopped)?;
        Ok(answer.await.map_err(|_| HandleError::Stopped)??)
    }

    /// The same for a thread outside any asynchronous task.
    ///
    /// # Errors
    ///
    /// As [`Handle::submit_block`].
    ///
    /// # Panics
    ///
    /// Within an asynchronous task.
    pub fn submit_block_blocking(
        &self,
        bytes: Vec<u8>,
        finder: &Arc<str>,
    ) -> Result<Submitted, HandleError<SubmitError>> {
        let (reply, answer) = oneshot::channel();
        let request = BlockRequest { bytes, finder: Arc::clone(finder), reply };
        self.0.blocks.blocking_send(request).map_err(|_| HandleError::Stopped)?;
        Ok(answer.blocking_recv().map_err(|_| HandleError::Stopped)??)
    }

    /// Brings a transaction into the pool. It is not written anywhere before a block holds it.
    ///
    /// # Errors
    ///
    /// `Stopped`, or why the pool refuses it.
    pub async fn submit_transaction(
        &self,
        bytes: Vec<u8>,
        source: Source,
    ) -> Result<Admitted, HandleError<Refused>> {
        let (reply, answer) = oneshot::channel();
        let request = Request::Transaction { bytes, source, reply };
        self.0.requests.send(request).await.map_err(|_| HandleError::Stopped)?;
        Ok(answer.await.map_err(|_| HandleError::Stopped)??)
    }

    /// Reads the chain in one consistent state, on the caller's thread: disk may be read, so an
    /// asynchronous task does it on a blocking thread.
    ///
    /// # Errors
    ///
    /// `Stopped`, or a store that cannot be read.
    pub fn with_view<R>(
        &self,
        ask: impl FnOnce(&View<'_>) -> Result<R, StoreError>,
    ) -> Result<R, HandleError<StoreError>> {
        let snapshot = (self.0.snapshots)().ok_or(HandleError::Stopped)??;
        Ok(ask(&View(&*snapshot))?)
    }

    /// Asks the pool something; the thread of the ledger does nothing else meanwhile, so keep it short.
    ///
    /// # Errors
    ///
    /// `Stopped`.
    pub async fn with_pool<R: Send + 'static>(
        &self,
        ask: impl FnOnce(&Mempool) -> R + Send + 'static,
    ) -> Result<R, HandleError<std::convert::Infallible>> {
        let (reply, answer) = oneshot::channel();
        let ask = Box::new(move |pool: &Mempool| {
            // Who asked may have gone away.
            let _ = reply.send(ask(pool));
        });
        self.0.requests.send(Request::Pool(ask)).await.map_err(|_| HandleError::Stopped)?;
        answer.await.map_err(|_| HandleError::Stopped)
    }

    /// Has the service look at its clock and its inbox now, and returns when it has. It does so by itself
    /// four times a second; who steps the clock calls this after.
    ///
    /// # Errors
    ///
    /// `Stopped`.
    pub async fn look(&self) -> Result<(), HandleError<std::convert::Infallible>> {
        let (reply, answer) = oneshot::channel();
        self.0.requests.send(Request::Look(reply)).await.map_err(|_| HandleError::Stopped)?;
        answer.await.map_err(|_| HandleError::Stopped)
    }
}

impl Handle {
    pub(super) fn stop_blocking(&self) -> Result<(), HandleError<std::convert::Infallible>> {
        self.0.requests.blocking_send(Request::Stop).map_err(|_| HandleError::Stopped)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("candidate", &self.current().serial).finish_non_exhaustive()
    }
}
