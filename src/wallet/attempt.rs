//! An attempt to read, as far as one can see it: the request with its approvals, in blocks and pending.
//! It judges nothing.

use crate::ledger::block::Block;
use crate::ledger::chain::{Chain, View};
use crate::ledger::mempool::Mempool;
use crate::ledger::rules::context::Ancestors as _;
use crate::ledger::signature::PubKey;
use crate::ledger::state::{EntryKey, EventKind, LogKind, Logs, StateRead as _};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::approve::Approver;
use crate::ledger::transaction::{Body, CoreId, Request, Transaction};

/// A request with its approvals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its name.
    pub core: CoreId,
    /// Invariant: its body is a request.
    request: Transaction,
    /// The block that holds it, if one does.
    pub height: Option<u32>,
    /// Transactions that approve it: those in blocks first, in order.
    pub approvals: Vec<Transaction>,
}

impl Attempt {
    /// What a chain and the transactions that wait for it hold of a request; `None` if nothing, or if it
    /// is too old to be remembered.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn find(
        chain: &Chain,
        view: &View<'_>,
        pool: &Mempool,
        core: CoreId,
    ) -> Result<Option<Self>, StoreError> {
        let pending = || pool.approvals(&core).map(|included| included.transaction.clone());
        let Some(height) = view.accepted_at(&core)? else {
            let request = pool.request(&core).map(|included| included.transaction.clone());
            let approvals = pending().collect();
            return Ok(request.map(|request| Self { core, request, height: None, approvals }));
        };
        let Some(request) = transaction_at(chain, view, height, core)? else { return Ok(None) };
        let Body::Request(body) = &request.core.body else { return Ok(None) };
        let mut approvals = approvals_since(chain, view, &body.rid, height, core)?;
        approvals.extend(pending());
        Ok(Some(Self { core, request, height: Some(height), approvals }))
    }

    /// One of which nothing but the request is known; `None` if it is none.
    #[must_use]
    pub fn of(chain: &Chain, request: Transaction) -> Option<Self> {
        let core = request.core.id(&chain.genesis);
        let is_request = matches!(request.core.body, Body::Request(_));
        is_request.then(|| Self { core, request, height: None, approvals: Vec::new() })
    }

    /// The request with its envelope.
    #[must_use]
    pub fn transaction(&self) -> &Transaction {
        &self.request
    }

    /// What is asked.
    ///
    /// # Panics
    ///
    /// Never: the body is a request.
    #[must_use]
    pub fn request(&self) -> &Request {
        match &self.request.core.body {
            Body::Request(request) => request,
            _ => unreachable!("the body is a request"),
        }
    }

    /// Everybody who approves.
    pub fn approvers(&self) -> impl Iterator<Item = &Approver> {
        self.approvals.iter().flat_map(|transaction| match &transaction.core.body {
            Body::Approve(approve) => approve.approvers.as_slice(),
            _ => &[],
        })
    }
}

/// The transaction with this core in the block at a height.
///
/// # Errors
///
/// If the store cannot be read.
pub fn transaction_at(
    chain: &Chain,
    view: &View<'_>,
    height: u32,
    core: CoreId,
) -> Result<Option<Transaction>, StoreError> {
    let transactions = block_at(view, height)?.map(|block| block.transactions);
    let transactions = transactions.into_iter().flatten().map(|included| included.transaction);
    Ok(transactions.into_iter().find(|found| found.core.id(&chain.genesis) == core))
}

/// The block at a height of the best chain.
pub(super) fn block_at(view: &View<'_>, height: u32) -> Result<Option<Block>, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt { what: format!("block {height} {what}") };
    let Some(hash) = view.hash_at(height)? else { return Ok(None) };
    let bytes = view.block_bytes(&hash)?.ok_or_else(|| corrupt("has no body"))?;
    Block::decode(&bytes).map(Some).map_err(|_| corrupt("does not decode"))
}

/// The approvals of a request, by the record's log, which ends with the latest.
fn approvals_since(
    chain: &Chain,
    view: &View<'_>,
    rid: &PubKey,
    height: u32,
    request: CoreId,
) -> Result<Vec<Transaction>, StoreError> {
    let logs = view.entry(&EntryKey::Logs(*rid))?;
    let logs: Option<Logs> = logs.and_then(|bytes| borsh::from_slice(&bytes).ok());
    let mut index = logs.map_or(0, |logs| logs.access.count);
    let mut approvals = Vec::new();
    while index > 0 {
        index -= 1;
        let events = view.events(rid, LogKind::Access, index..index + 1)?;
        let Some(event) = events.first().filter(|event| event.height >= height) else { break };
        if event.kind != EventKind::Approval {
            continue;
        }
        let found = transaction_at(chain, view, event.height, event.core)?;
        approvals.extend(found.filter(|found| match &found.core.body {
            Body::Approve(approve) => approve.request == request.0,
            _ => false,
        }));
    }
    approvals.reverse();
    Ok(approvals)
}
