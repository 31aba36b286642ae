//! Guardians' paths hashed before the state is asked. A guardian's leaf names the record and its epoch, which
//! an approval does not say; but the blocks that are judged together often hold the request, too.
//!
//! No verdict depends on it: what was not foreseen, or foreseen wrongly, is hashed when it is judged.

use super::isolation::{Ids, Shown};
use crate::ledger::block::Block;
use crate::ledger::map::LongKeyMap;
use crate::ledger::policy::{Entry as _, Guardian, LedGuardian};
use crate::ledger::signature::PubKey;
use crate::ledger::transaction::{Approve, Body, CoreId};

/// What blocks say of the guardians that approvals in them may show.
#[derive(Debug, Default)]
pub(in crate::ledger) struct Foresight {
    /// Record and share set of each request.
    requests: LongKeyMap<CoreId, (PubKey, u8)>,
    /// Of each record that is made. Any other is taken to be a first one, whose epoch is 0.
    epochs: LongKeyMap<PubKey, u32>,
}

impl Foresight {
    /// Takes in what a block says.
    pub(in crate::ledger) fn note(&mut self, block: &Block, ids: &[Ids]) {
        for (included, ids) in block.transactions.iter().zip(ids) {
            match &included.transaction.core.body {
                Body::Request(request) => {
                    self.requests.insert(ids.core, (request.rid, request.leaf.set));
                }
                Body::Record(record) => {
                    self.epochs.insert(record.rid, record.epoch);
                }
                _ => {}
            }
        }
    }

    /// Whether there is no request whose approvals could be foreseen.
    pub(in crate::ledger) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// What the approvals of a block show, each with its index among the transactions.
    pub(in crate::ledger) fn guardians_of(
        &self,
        block: &Block,
    ) -> Vec<(usize, Vec<Option<LedGuardian>>)> {
        let bodies = block.transactions.iter().map(|included| &included.transaction.core.body);
        let foreseen = bodies.enumerate().filter_map(|(index, body)| match body {
            Body::Approve(approve) => Some((index, self.guardians(approve)?)),
            _ => None,
        });
        foreseen.collect()
    }

    /// `None` if its request is not among what was noted.
    fn guardians(&self, approve: &Approve) -> Option<Vec<Option<LedGuardian>>> {
        let (rid, set) = *self.requests.get(&CoreId(approve.request))?;
        let epoch = self.epochs.get(&rid).copied().unwrap_or(0);
        let approvers = approve.approvers.iter().map(|approver| {
            let proof = approver.guardian.as_ref()?;
            let index = u8::try_from(proof.path.index).ok()?;
            let guardian = Guardian { rid, epoch, set, index, key: approver.key };
            Some((guardian, proof.path.root_from(guardian.leaf(&proof.salt))))
        });
        Some(approvers.collect())
    }
}

impl Ids {
    /// Keeps what the approvals of the transaction show.
    pub(in crate::ledger) fn show_guardians(&mut self, shown: Vec<Option<LedGuardian>>) {
        if let Shown::Approve { guardians, .. } = &mut self.shown {
            *guardians = shown;
        }
    }
}
