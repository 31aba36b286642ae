//! The one case in which something pending needs something else that is pending: approvals may wait
//! together with their request, so that guardians can see a whole attempt before any of it is mined.
//!
//! An approval is judged as if its request came before it in the block, stands behind it in the order and
//! in the block, and goes when it goes, unless the same request is sponsored anew or mined. Nothing waits
//! behind an approval, so a chain has two links.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::entries::{Behind, Entry};
use super::refused::{Dropped, Refused, Why};
use super::{APPROVALS_BEHIND_MAX, Mempool};
use crate::ledger::block::Included;
use crate::ledger::rules::access::ApproveError;
use crate::ledger::transaction::{Body, CoreId};

/// The request that a transaction approves.
pub(super) fn approved_by(entry: &Entry) -> Option<CoreId> {
    match &entry.included.transaction.core.body {
        Body::Approve(approve) => Some(CoreId(approve.request)),
        _ => None,
    }
}

impl Mempool {
    /// A pending request.
    #[must_use]
    pub fn request(&self, core: &CoreId) -> Option<&Arc<Included>> {
        self.request_slot(core).map(|slot| &self.entries[slot].included)
    }

    /// Every pending request with its core, best first.
    pub fn requests(&self) -> impl Iterator<Item = (CoreId, &Arc<Included>)> {
        let entries = self.order.iter().map(|key| &self.entries[key.slot]);
        let requests = entries
            .filter(|entry| matches!(entry.included.transaction.core.body, Body::Request(_)));
        requests.map(|entry| (entry.ids.core, &entry.included))
    }

    /// The pending approvals of a request, which may be pending itself.
    pub fn approvals(&self, request: &CoreId) -> impl Iterator<Item = &Arc<Included>> {
        let slots = self.approvals.get(request).into_iter().flatten();
        slots.map(|slot| &self.entries[*slot].included)
    }

    /// The slot of a pending request.
    pub(super) fn request_slot(&self, core: &CoreId) -> Option<u32> {
        let slot = self.slot_of(core)?;
        let body = &self.entries[slot].included.transaction.core.body;
        matches!(body, Body::Request(_)).then_some(slot)
    }

    /// Notes that an approval waits with its request, if that is pending.
    pub(super) fn find_request(&self, mut entry: Entry) -> Result<Entry, Refused> {
        let Some(request) = approved_by(&entry) else { return Ok(entry) };
        let Some(slot) = self.request_slot(&request) else { return Ok(entry) };
        let core = entry.ids.core;
        let others = self.behind(&request).filter(|slot| self.entries[*slot].ids.core != core);
        if others.count() >= APPROVALS_BEHIND_MAX {
            return Err(Refused::RequestBusy(APPROVALS_BEHIND_MAX));
        }
        entry.behind = Some(Behind { request, rate: self.entries[slot].key.rate() });
        Ok(entry)
    }

    /// The approvals that wait with a request.
    pub(super) fn behind(&self, request: &CoreId) -> impl Iterator<Item = u32> {
        let slots = self.approvals.get(request).into_iter().flatten().copied();
        slots.filter(|slot| self.entries[*slot].behind.is_some())
    }

    /// The pending requests that approvals may wait with: slots.
    pub(super) fn requests_waited_with(&self) -> BTreeMap<CoreId, u32> {
        let cores = self.approvals.keys();
        cores.filter_map(|core| Some((*core, self.request_slot(core)?))).collect()
    }

    /// Drops the approvals that waited with requests that were dropped.
    pub(super) fn drop_behind(&mut self, gone: &[Dropped]) -> Vec<Dropped> {
        let mut slots = Vec::new();
        for core in gone.iter().map(|dropped| dropped.ids.core) {
            if self.slot_of(&core).is_none() {
                slots.extend(self.behind(&core));
            }
        }
        self.remove_all(&slots, &Why::Stale(ApproveError::NotPending.into()))
    }

    /// Gives the approvals that wait with requests their places anew: the requests have been mined, so
    /// they stand for themselves now, or have found another sponsor.
    pub(super) fn reseat_behind(&mut self, requests: impl Iterator<Item = CoreId>) {
        for request in requests {
            let slot = self.request_slot(&request);
            let rate = slot.map(|slot| self.entries[slot].key.rate());
            let behind = rate.map(|rate| Behind { request, rate });
            let slots: Vec<u32> = self.behind(&request).collect();
            for slot in slots {
                self.entries.set_behind(slot, behind);
                let entry = &self.entries[slot];
                let (payer, nonce) = (entry.payer(), entry.nonce());
                self.sequence(payer, nonce..=nonce);
            }
        }
    }
}
