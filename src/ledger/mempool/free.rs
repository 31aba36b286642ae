//! Going without the ordinary fee: the rules say who may in an emergency, and how many a block takes. Here is
//! only how many may wait, so that nobody's take the room of everybody else's.

use super::effects::Hold;
use super::entries::Entry;
use super::refused::Refused;
use super::{FREE_APPROVALS_MAX, FREE_MAX, FREE_OF_ISSUER_MAX, Mempool};
use crate::ledger::rules::context::fee_least;
use crate::ledger::transaction::{Body, PartyId};

impl Entry {
    /// Whether it goes without the ordinary fee, if the rules let it.
    pub(super) fn is_free(&self) -> bool {
        let transaction = &self.included.transaction;
        transaction.fee < fee_least(self.bytes(), transaction, 0)
    }

    /// What it holds because it is free: a reader has one request, an approver one approval of each.
    pub(super) fn free_holds(&self) -> Vec<Hold> {
        match &self.included.transaction.core.body {
            _ if !self.is_free() => Vec::new(),
            Body::Request(request) => vec![Hold::FreeRequest(request.reader)],
            Body::Approve(approve) => {
                let approvers = approve.approvers.iter();
                approvers.map(|by| Hold::FreeApproval(approve.request, by.key)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whose role a request without a fee is made under.
    fn free_under(&self) -> Option<PartyId> {
        match &self.included.transaction.core.body {
            Body::Request(request) if self.is_free() => {
                request.role.as_ref().map(|proof| proof.role.issuer)
            }
            _ => None,
        }
    }
}

impl Mempool {
    /// Whether there is room for one more that goes without a fee.
    pub(super) fn check_free(&self, entry: &Entry) -> Result<(), Refused> {
        if !entry.is_free() {
            return Ok(());
        }
        let free =
            || self.dependents.iter().map(|slot| &self.entries[*slot]).filter(|e| e.is_free());
        let is_full = match &entry.included.transaction.core.body {
            Body::Approve(approve) => {
                let is_same = |of: &&Entry| {
                    matches!(&of.included.transaction.core.body,
                        Body::Approve(other) if other.request == approve.request)
                };
                free().filter(is_same).count() >= FREE_APPROVALS_MAX
            }
            _ => {
                let issuer = entry.free_under();
                free().filter(|of| of.free_under() == issuer).count() >= FREE_OF_ISSUER_MAX
            }
        };
        if is_full || free().count() >= FREE_MAX {
            let transaction = &entry.included.transaction;
            let least = fee_least(entry.bytes(), transaction, 0);
            return Err(Refused::PoolFull { least, got: transaction.fee });
        }
        Ok(())
    }
}
