//! What the methods share: the door to the ledger, what was handed out, and when to end.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use crate::ledger::signature::PubKey;
use crate::ledger::store::Inbox;
use crate::node::clock::Moments;
use crate::node::difficulty::Difficulty;
use crate::node::handle::Handle;

use super::shares::Shares;
use super::templates::Templates;

/// Requests of one address that may wait for a new tip; one more is answered at once.
pub const WAITING_PER_ADDRESS_MAX: usize = 64;
/// The same of all addresses.
pub const WAITING_MAX: usize = 512;

/// How the methods behave.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whom the coinbases of our templates pay; without one there is no `coinbasetxn`.
    pub payout: Option<PubKey>,
    /// How long a long poll waits for a new tip.
    pub longpoll: Duration,
    /// How hard shares are; without it only blocks are asked for.
    pub share: Option<Difficulty>,
    /// The name of whoever may call, under which shares are counted.
    pub user: Arc<str>,
    /// Where transactions are kept until a block holds them, so that a restart does not lose them.
    pub inbox: Option<Inbox>,
}

/// Shared by all calls.
#[derive(Debug)]
pub struct Context {
    /// The door.
    pub handle: Handle,
    /// How the methods behave.
    pub settings: Settings,
    /// What was handed out.
    pub templates: Templates,
    /// What came back.
    pub shares: Shares,
    /// Proposals that are judged at a time: none has cost its author any work.
    pub(super) proposals: Arc<Semaphore>,
    /// The time, for rates.
    pub moments: Moments,
    /// When the node started, by its clock.
    pub started: u64,
    /// Becomes true when the node is to end; the method `stop` says so, others listen.
    pub stop: watch::Sender<bool>,
    unique: AtomicU32,
    waiting: Mutex<HashMap<IpAddr, usize>>,
}

impl Context {
    /// Behind a handle; `stop` is the node's.
    #[must_use]
    pub fn new(handle: Handle, settings: Settings, stop: watch::Sender<bool>) -> Self {
        Self {
            started: handle.clock().now(),
            shares: Shares::new(settings.share, Arc::clone(&settings.user)),
            moments: Moments::by(handle.clock().clone()),
            handle,
            settings,
            templates: Templates::default(),
            proposals: Arc::new(Semaphore::new(1)),
            stop,
            unique: AtomicU32::new(0),
            waiting: Mutex::default(),
        }
    }

    /// Eight bytes that no coinbase of this process has had, nor one of another start in another second:
    /// two miners with the same coinbase would search the same nonces.
    pub(super) fn unique(&self) -> [u8; 8] {
        let [.., a, b, c, d] = self.started.to_be_bytes();
        let [e, f, g, h] = self.unique.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        [a, b, c, d, e, f, g, h]
    }

    /// A place among those who wait; none if all are taken.
    pub(super) fn wait(self: &Arc<Self>, ip: IpAddr) -> Option<Place> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let total: usize = waiting.values().sum();
        let own = waiting.entry(ip).or_default();
        if *own >= WAITING_PER_ADDRESS_MAX || total >= WAITING_MAX {
            return None;
        }
        *own += 1;
        Some(Place { context: Arc::clone(self), ip })
    }
}

/// One who waits.
pub(super) struct Place {
    context: Arc<Context>,
    ip: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.context.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = waiting.get_mut(&self.ip) {
            *own -= 1;
            if *own == 0 {
                waiting.remove(&self.ip);
            }
        }
    }
}
