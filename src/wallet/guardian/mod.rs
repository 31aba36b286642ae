//! A guardian at work: which requests it agrees to, when it sends its share, and what it submits again.
//! Pure steps over one look at the chain and the transactions that wait for it; files, blobs and waiting
//! are the caller's.
//!
//! A share that was sent cannot be called back. So it goes out only when [`Chain::may_release`] says so,
//! or in an emergency [`Chain::may_release_emergency`], and only under the guardian's own approval, which
//! names the hash of what is sent: no release without a trace.

mod acted;
mod duty;

pub use acted::{Acted, RELEASES_MAX};
pub use duty::{AGREE_WINDOW_BLOCKS, Agree, Duty};

use super::attempt::{Attempt, block_at};
use super::custody::sealing::SealError;
use super::custody::{Package, Release as Sealed, ReplyKey, SealKey, Slip};
use super::{NoEntropy, SecretKey};
use crate::ledger::chain::{Chain, Release, View};
use crate::ledger::mempool::Mempool;
use crate::ledger::policy::{Clause, Presence, RoleRef};
use crate::ledger::rules::context::Ancestors as _;
use crate::ledger::signature::PubKey;
use crate::ledger::state::{EntryKey, HeldRecord, RequestStatus, StateRead as _};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::approve::{Approver, GuardianProof};
use crate::ledger::transaction::{Body, CoreId, Transaction};
use crate::primitives::BlockHash;

/// One look at the chain and at what waits for it.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "the view has none")]
pub struct Look<'a> {
    /// The chain.
    pub chain: &'a Chain,
    /// Its state after the tip.
    pub view: View<'a>,
    /// What waits.
    pub pool: &'a Mempool,
}

/// What a guardian has to do about a request that it acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Submit a transaction again: neither the chain nor the pool holds it.
    Submit {
        /// About this request.
        request: CoreId,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Sponsor a core anew: neither the chain nor the pool holds it, and who paid for it cannot any more.
    Sponsor {
        /// About this request.
        request: CoreId,
        /// The bytes of its last transaction.
        bytes: Vec<u8>,
    },
    /// Send the share to the reader.
    Send {
        /// For this request.
        request: CoreId,
        /// The sealed share that the approval names.
        sealed: Vec<u8>,
    },
    /// Nothing about it can change any more.
    Forget {
        /// The request.
        request: CoreId,
    },
}

/// Why a guardian's part of an approval is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartError {
    /// What was found under the record's pointer is no package.
    #[error("the record's package of sealed shares does not decode")]
    BadPackage,
    /// The reader's one-time key is not the one of the request.
    #[error("the reply key is not the one that the request names")]
    OtherReplyKey,
    /// The share that was sealed to the guardian is not the one that the chain commits to.
    #[error("the share in the package is not the one that the chain commits to")]
    BadSlip,
    /// The share is not sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether somebody approves in a transaction whom `wanted` picks.
fn is_by(transaction: &Transaction, wanted: impl Fn(&Approver) -> bool) -> bool {
    match &transaction.core.body {
        Body::Approve(approve) => approve.approvers.iter().any(wanted),
        _ => false,
    }
}

impl<'a> Look<'a> {
    /// A request with its approvals.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn attempt(&self, request: CoreId) -> Result<Option<Attempt>, StoreError> {
        Attempt::find(self.chain, &self.view, self.pool, request)
    }

    /// The record in the state.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn record(&self, rid: &PubKey) -> Result<Option<HeldRecord>, StoreError> {
        let bytes = self.view.entry(&EntryKey::Record(*rid))?;
        let corrupt = |_| StoreError::Corrupt { what: format!("record {rid}") };
        bytes.map(|bytes| borsh::from_slice(&bytes).map_err(corrupt)).transpose()
    }

    /// Requests in the blocks from a height on, and pending ones.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn requests_since(&self, height: u32) -> Result<Vec<CoreId>, StoreError> {
        let mut found = Vec::new();
        let tip = self.view.expect_record(&self.view.tip()?)?.height;
        for height in height..=tip {
            let block = block_at(&self.view, height)?.into_iter();
            let cores = block.flat_map(|block| block.transactions);
            let requests = cores
                .map(|included| included.transaction.core)
                .filter(|core| matches!(core.body, Body::Request(_)));
            found.extend(requests.map(|core| core.id(&self.chain.genesis)));
        }
        found.extend(self.pool.requests().map(|(core, _)| core));
        Ok(found)
    }

    /// Whether a request waits for approvals and fails no clause that an approval cannot mend.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn waits_for_approval(&self, attempt: &Attempt) -> Result<bool, StoreError> {
        let approvals: Vec<_> = attempt.approvals.iter().collect();
        let answer = self.chain.answer_pending(self.view, attempt.transaction(), &approvals)?;
        Ok(answer.is_some_and(|(held, answer)| {
            let failed = answer.verdict.reason().map(|reason| reason.clause());
            held.status == RequestStatus::Pending
                && failed.is_none_or(|clause| clause >= Clause::Approvers)
        }))
    }

    /// Whether a guardian may send its share now, under its `own` approval if there is one yet.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn may_release(
        &self,
        attempt: &Attempt,
        own: Option<&Transaction>,
    ) -> Result<Release, StoreError> {
        let mined = self.chain.may_release(self.view, attempt.core)?;
        if mined == Release::Now || !attempt.request().leaf.is_emergency() {
            return Ok(mined);
        }
        let approvals: Vec<_> = attempt.approvals.iter().collect();
        let before = self.emergencies_before(attempt);
        let request = attempt.transaction();
        self.chain.may_release_emergency(self.view, &before, request, &approvals, own)
    }

    /// The emergencies that wait before this one, with their approvals, and might take its place: those of
    /// the same reader, and of the same record.
    fn emergencies_before(&self, attempt: &Attempt) -> Vec<&'a Transaction> {
        let asked = attempt.request();
        let mut before = Vec::new();
        if attempt.height.is_some() {
            return before;
        }
        for (core, included) in self.pool.requests().take_while(|(core, _)| *core != attempt.core) {
            let Body::Request(other) = &included.transaction.core.body else { continue };
            let is_near = other.reader == asked.reader || other.rid == asked.rid;
            if is_near && other.leaf.is_emergency() {
                before.push(&included.transaction);
                before.extend(self.pool.approvals(&core).map(|approval| &approval.transaction));
            }
        }
        before
    }

    /// What to do about what a guardian acted on.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn steps(&self, acted: &Acted) -> Result<Vec<Step>, StoreError> {
        let request = acted.core();
        let mut steps = Vec::new();
        let next = self.chain.next_context(&self.view)?.height;
        let mut can_change = false;
        let mut asked: Option<Transaction> = None;
        for (bytes, transaction) in acted.transactions() {
            let core = transaction.core.id(&self.chain.genesis);
            // A core that is forgotten is too old for any block.
            can_change |= next <= transaction.core.valid_to;
            let is_there =
                self.view.accepted_at(&core)?.is_some() || self.pool.sponsor_of(&core).is_some();
            if !is_there && next <= transaction.core.valid_to {
                let bytes = bytes.to_vec();
                let before = asked.as_ref().filter(|asked| asked.core != transaction.core);
                steps.push(match self.chain.needs_sponsor(&self.view, before, &transaction)? {
                    true => Step::Sponsor { request, bytes },
                    false => Step::Submit { request, bytes },
                });
            }
            asked.get_or_insert(transaction);
        }
        let attempt = if acted.is_sent { None } else { self.attempt(request)? };
        if let Some(attempt) = attempt {
            for release in &acted.releases {
                let names =
                    |by: &Approver| (by.key, by.release) == (acted.guardian, release.hash());
                let own = attempt.approvals.iter().find(|of| is_by(of, names));
                if own.is_some() && self.may_release(&attempt, own)? == Release::Now {
                    steps.push(Step::Send { request, sealed: release.sealed.clone() });
                    break;
                }
            }
        }
        if !can_change && self.view.accepted_at(&request)?.is_none() {
            steps.push(Step::Forget { request });
        }
        Ok(steps)
    }

    /// The share of a guardian for a request, out of the record's package; `None` if it has none.
    ///
    /// # Errors
    ///
    /// What is in the package is not what the chain commits to, or the store cannot be read.
    pub fn slip(
        &self,
        guardian: &SecretKey,
        record: &HeldRecord,
        attempt: &Attempt,
        package: &[u8],
    ) -> Result<Option<Slip>, PartError> {
        let package = Package::decode(package).ok_or(PartError::BadPackage)?;
        let (rid, set) = (attempt.request().rid, attempt.request().leaf.set);
        let mut slips = package.slips_of(guardian).into_iter();
        let slip = slips.find(|slip| {
            let of = slip.of;
            (of.rid, of.epoch, slip.share.set) == (rid, record.epoch, set)
        });
        let key = guardian.public_key();
        match slip {
            Some(slip) if !slip.is_committed(&key, &record.share_sets) => Err(PartError::BadSlip),
            found => Ok(found),
        }
    }

    /// The height from which blocks have to be looked at again after those up to `seen` were: lower if
    /// that block is no longer on the best chain.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn unseen_from(&self, seen: Option<Seen>) -> Result<u32, StoreError> {
        let Some(seen) = seen else { return Ok(0) };
        Ok(match self.view.hash_at(seen.height)? == Some(seen.hash) {
            true => seen.height.saturating_add(1),
            false => seen.height.saturating_sub(REORGANISATION_BLOCKS),
        })
    }
}

/// How far below a block that was abandoned a guardian looks again.
const REORGANISATION_BLOCKS: u32 = 144;

/// The last block that a guardian has looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: BlockHash,
}

/// A guardian's part of an approval, and the share that it promises, sealed to the reader.
///
/// # Errors
///
/// See [`PartError`].
pub fn part(
    attempt: &Attempt,
    guardian: &SecretKey,
    role: RoleRef,
    presence: Option<Presence>,
    slip: &Slip,
    reply: SealKey,
) -> Result<(Approver, Sealed), PartError> {
    let reply = ReplyKey(reply);
    if reply.commitment() != attempt.request().reply_commit {
        return Err(PartError::OtherReplyKey);
    }
    let release = slip.release(attempt.core, &reply)?;
    let proof = GuardianProof { salt: slip.guardian_salt, path: slip.guardian_path.clone() };
    let approver = Approver {
        key: guardian.public_key(),
        guardian: Some(proof),
        role,
        presence,
        release: release.hash(),
    };
    Ok((approver, release))
}
