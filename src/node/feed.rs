//! From the inbox into the mempool. A file stays in the inbox until a block holds its transaction or no
//! block will, so that whatever happens to the process, what was left there is not lost; and whatever is
//! removed without being mined is told.

use std::collections::BTreeMap;

use crate::ledger::chain::{Chain, View};
use crate::ledger::mempool::{Limits, Mempool, Refused, Source};
use crate::ledger::rules::TransactionError;
use crate::ledger::rules::context::Refusal;
use crate::ledger::signature::PubKey;
use crate::ledger::state::StateRead as _;
use crate::ledger::store::{INBOX_COUNT_MAX, Inbox, StoreError, Waiting};
use crate::ledger::transaction::{Body, CoreId, Transaction};
use crate::primitives::BlockHash;

/// The inbox of a directory, with what has become of each file.
#[derive(Debug)]
pub struct InboxFeed {
    inbox: Inbox,
    genesis: BlockHash,
    /// Files that have been offered to the pool, by name.
    offered: BTreeMap<String, Offered>,
}

#[derive(Debug)]
struct Offered {
    waiting: Waiting,
    core: CoreId,
    /// Whether the people know that it waits outside the pool.
    is_told: bool,
    /// Not in the pool now, to be offered again after the next block.
    is_outside: bool,
}

/// What people have to know about a file of the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The core of its transaction, if it is one.
    pub core: Option<CoreId>,
    /// The rule that it breaks.
    pub refused: Refused,
    /// Whether it has been removed; else it stays and is offered again.
    pub is_removed: bool,
}

impl InboxFeed {
    /// Over an inbox of which nothing has been read.
    ///
    /// # Errors
    ///
    /// If what dead processes left half written cannot be removed.
    pub fn new(inbox: Inbox, genesis: BlockHash) -> Result<Self, StoreError> {
        inbox.remove_parts()?;
        Ok(Self { inbox, genesis, offered: BTreeMap::new() })
    }

    /// Offers to the pool what has been left since the last time.
    ///
    /// # Errors
    ///
    /// If the inbox or the store cannot be read.
    pub fn poll(
        &mut self,
        mempool: &mut Mempool,
        view: &View<'_>,
    ) -> Result<Vec<Told>, StoreError> {
        let known = |name: &str| self.offered.contains_key(name);
        let waiting = self.inbox.waiting_besides(INBOX_COUNT_MAX, known)?;
        let mut told = Vec::new();
        let mut arrived = Vec::new();
        for waiting in waiting {
            match Transaction::decode(&waiting.bytes) {
                Ok(transaction) => {
                    let core = transaction.core.id(&self.genesis);
                    let order = arrival_order(&transaction);
                    let (is_told, is_outside) = (false, true);
                    arrived.push((order, Offered { waiting, core, is_told, is_outside }));
                }
                Err(error) => {
                    self.inbox.take(&waiting)?;
                    let refused = Refused::Rule(TransactionError::from(error));
                    told.push(Told { core: None, refused, is_removed: true });
                }
            }
        }
        // The names are hashes.
        arrived.sort_by_key(|(order, _)| *order);
        for (_, offered) in arrived {
            told.extend(self.offer(offered, mempool, view)?);
        }
        Ok(told)
    }

    /// After the tip has moved: removes what the chain holds by now, and offers again what has fallen
    /// out of the pool.
    ///
    /// # Errors
    ///
    /// If the inbox or the store cannot be read.
    pub fn tip_moved(
        &mut self,
        mempool: &mut Mempool,
        view: &View<'_>,
    ) -> Result<Vec<Told>, StoreError> {
        let mut told = Vec::new();
        for (name, mut offered) in std::mem::take(&mut self.offered) {
            if view.accepted_at(&offered.core)?.is_some() {
                self.inbox.take(&offered.waiting)?;
            } else if mempool.sponsor_of(&offered.core).is_some() && !offered.is_outside {
                self.offered.insert(name, offered);
            } else {
                offered.is_outside = true;
                told.extend(self.offer(offered, mempool, view)?);
            }
        }
        Ok(told)
    }

    fn offer(
        &mut self,
        mut offered: Offered,
        mempool: &mut Mempool,
        view: &View<'_>,
    ) -> Result<Option<Told>, StoreError> {
        let core = Some(offered.core);
        let refused = match mempool.admit(view, &offered.waiting.bytes, Source::Own) {
            Ok(_) | Err(Refusal::Rule(Refused::Known)) => {
                offered.is_outside = false;
                self.offered.insert(offered.waiting.name(), offered);
                return Ok(None);
            }
            Err(Refusal::Store(error)) => return Err(error),
            Err(Refusal::Rule(refused)) => refused,
        };
        if !refused.is_passing() {
            self.inbox.take(&offered.waiting)?;
            return Ok(Some(Told { core, refused, is_removed: true }));
        }
        let is_new = !offered.is_told;
        offered.is_told = true;
        self.offered.insert(offered.waiting.name(), offered);
        Ok(is_new.then_some(Told { core, refused, is_removed: false }))
    }
}

/// A pool of what waits in an inbox, for somebody who does not mine: together with it a transaction is
/// judged as the miner will judge it. What is refused is passed over.
///
/// # Errors
///
/// If the inbox or the store cannot be read.
pub fn pool_of(chain: &Chain, view: &View<'_>, inbox: &Inbox) -> Result<Mempool, StoreError> {
    let mut mempool = Mempool::new(chain, view, Limits::default())?;
    let waiting = inbox.waiting(INBOX_COUNT_MAX)?;
    let mut arrived: Vec<_> = waiting
        .iter()
        .filter_map(|waiting| Some((Transaction::decode(&waiting.bytes).ok()?, &waiting.bytes)))
        .map(|(transaction, bytes)| (arrival_order(&transaction), bytes))
        .collect();
    arrived.sort_unstable();
    for (_, bytes) in arrived {
        if let Err(Refusal::Store(error)) = mempool.admit(view, bytes, Source::Own) {
            return Err(error);
        }
    }
    Ok(mempool)
}

/// In the order of their nonces all of a sequence finds its place, and approvals find the requests that
/// they wait with.
fn arrival_order(transaction: &Transaction) -> (bool, PubKey, u64) {
    let is_approval = matches!(transaction.core.body, Body::Approve(_));
    (is_approval, transaction.payer, transaction.nonce)
}
