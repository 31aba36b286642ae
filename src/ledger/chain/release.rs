//! When a guardian may send its share: not a rule of validity, but of those who keep the chain's word
//! towards the owner. A share that was sent cannot be called back, so it waits until the answer is deep
//! enough to stay.

use super::connect::Chain;
use super::finality::Alarm;
use super::header::relief_doublings;
use super::view::{View, corrupt};
use crate::ledger::block::Included;
use crate::ledger::policy::Reason;
use crate::ledger::rules::TransactionError;
use crate::ledger::rules::access::{self, Answer};
use crate::ledger::rules::context::{
    Ancestors as _, Context, Refusal, Signatures, apply_transaction, begin_block,
};
use crate::ledger::rules::isolation::Ids;
use crate::ledger::signature::PubKey;
use crate::ledger::state::{HeldRequest, Session, StateRead as _};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::{CoreId, Transaction};
use crate::primitives::BlockHash;

/// Blocks for which a request must have been open; none in an emergency.
pub const RELEASE_DEPTH_BLOCKS: u32 = 2;
/// Blocks for which what is not mined yet must still be valid, so that it can be mined after all.
pub const EMERGENCY_LIFE_BLOCKS: u32 = 144;
/// How deep a block must be that it names as its anchor, so that no reorganisation makes it invalid.
pub const EMERGENCY_ANCHOR_DEPTH_BLOCKS: u32 = 6;

/// Whether a share may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Release {
    /// Now.
    Now,
    /// The state does not know the request.
    Unknown,
    /// The request is not open: the first clause that fails, or none if only approvals are missing.
    NotOpen(Option<Reason>),
    /// It is open, and has to stay so up to a height.
    TooFresh {
        /// The height of the tip from which on a share may be sent.
        until: u32,
    },
    /// A block since the request was mined under relief, so cheaply, and is not settled.
    Relieved {
        /// Its height.
        height: u32,
    },
    /// It is no emergency: nothing counts that is not mined.
    NoEmergency,
    /// What is not mined yet could soon not be mined any more.
    ExpiresSoon {
        /// Its last height.
        to: u32,
        /// What it should be.
        least: u32,
    },
    /// What is not mined yet names a block that may still be abandoned.
    ShallowAnchor(BlockHash),
    /// Who signs what is not mined yet pays for it too, so that nobody else can have it mined.
    PaidBySigner(PubKey),
    /// The guardian's own approval could not be in the block, or soon not any more: its share would go out
    /// without a trace.
    Untraced,
    /// The witnesses have parted: an operator has to look first.
    Alarm(Alarm),
}

impl Chain {
    /// Whether a guardian who looks at this chain may send its share for a request: the request is open
    /// under all nine clauses, has been for [`RELEASE_DEPTH_BLOCKS`], still is on top of the tip, and no
    /// block since was cheap.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn may_release(&self, view: View<'_>, request: CoreId) -> Result<Release, StoreError> {
        if let Some(alarm) = view.alarm()? {
            return Ok(Release::Alarm(alarm));
        }
        let Some((held, answer)) = self.answer(view, request)? else {
            return Ok(Release::Unknown);
        };
        let Some(completed) = held.asked.completed.filter(|_| answer.is_open) else {
            return Ok(Release::NotOpen(answer.verdict.reason()));
        };
        let tip = view.expect_record(&view.tip()?)?.height;
        let asked = held.asked.at.height;
        let opened = completed.height.max(asked.saturating_add(held.leaf.delay));
        let depth = if held.leaf.is_emergency() { 0 } else { RELEASE_DEPTH_BLOCKS };
        let until = opened.saturating_add(depth);
        if tip < until {
            return Ok(Release::TooFresh { until });
        }
        // A delay is over, a window begins and a claim is live at moments that no approval marks.
        for height in (tip.saturating_add(1).saturating_sub(depth)..=tip).rev() {
            let then = self.answer_at(view, request, height)?;
            if !then.is_some_and(|(_, answer)| answer.is_open) {
                return Ok(Release::TooFresh { until: height.saturating_add(depth) });
            }
        }
        let settled = view.settled()?.map_or(0, |point| point.height);
        for height in asked.max(settled.saturating_add(1))..=tip {
            let hash = view.hash_at(height)?.ok_or_else(|| corrupt("a gap in the best chain"))?;
            let block = view.expect_record(&hash)?;
            let parent = view.expect_record(&block.parent())?;
            if relief_doublings(&self.spec, parent.latest_time, block.header.time) > 0 {
                return Ok(Release::Relieved { height });
            }
        }
        Ok(Release::Now)
    }

    /// Whether a guardian may send its share for an emergency before it is mined: the signed request and
    /// the approvals, which all wait for a block or stand in one, complete it in the next block, under
    /// all nine clauses, and can still be mined for a day.
    ///
    /// Approvals that could not be in the next block with the others, or not in one a day later, do not
    /// count; the guardian's `own` one must, or the share would leave no trace. `before` is what waits for the
    /// same block and goes first, its signatures verified: of two emergencies of which one can be mined, one
    /// is released.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn may_release_emergency(
        &self,
        view: View<'_>,
        before: &[&Transaction],
        request: &Transaction,
        approvals: &[&Transaction],
        own: Option<&Transaction>,
    ) -> Result<Release, StoreError> {
        if let Some(alarm) = view.alarm()? {
            return Ok(Release::Alarm(alarm));
        }
        let context = self.next_context(&view)?;
        if view.accepted_at(&request.core.id(&self.genesis))?.is_none()
            && let Some(unfit) = unfit_to_wait(&context, request)?
        {
            return Ok(unfit);
        }
        let mut session = Session::new(&view, context.height);
        begin_block(&context, &mut session)?;
        for transaction in before {
            if unfit_to_wait(&context, transaction)?.is_none() {
                self.apply_waiting(&context, &mut session, transaction, Signatures::Verified)?;
            }
        }
        let verify = Signatures::Verify;
        self.apply_waiting(&context, &mut session, request, verify)?;
        // Its own first: whichever order a miner chooses, it is among those that may count.
        for approval in own.iter().chain(approvals) {
            let is_own = own.is_some_and(|own| own.core == approval.core);
            let is_known = session.accepted_at(&approval.core.id(&self.genesis))?.is_some();
            let is_taken = is_known
                || (unfit_to_wait(&context, approval)?.is_none()
                    && self.apply_waiting(&context, &mut session, approval, verify)?);
            if is_own && !is_taken {
                return Ok(Release::Untraced);
            }
        }
        let core = request.core.id(&self.genesis);
        let Some((held, answer)) = access::answer(&context, &mut session, core)? else {
            return Ok(Release::Unknown);
        };
        Ok(match answer.is_open {
            _ if !held.leaf.is_emergency() => Release::NoEmergency,
            true => Release::Now,
            false => Release::NotOpen(answer.verdict.reason()),
        })
    }

    /// Whether the envelope of a transaction, and not its body, keeps it out of the next block: its payer has
    /// used the nonce or cannot pay, or it does not go without a fee. Then somebody else has to sponsor its
    /// core. `before` goes first.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn needs_sponsor(
        &self,
        view: &View<'_>,
        before: Option<&Transaction>,
        transaction: &Transaction,
    ) -> Result<bool, StoreError> {
        let context = self.next_context(view)?;
        let mut session = Session::new(view, context.height);
        begin_block(&context, &mut session)?;
        if let Some(before) = before {
            self.apply_waiting(&context, &mut session, before, Signatures::Verify)?;
        }
        let ids = Ids::of(&Included::new(transaction.clone()), &self.genesis);
        let verify = Signatures::Verify;
        match apply_transaction(&context, &mut session, transaction, &ids, verify) {
            Err(Refusal::Rule(error)) => Ok(match error {
                TransactionError::NonceGap { last, got } => got <= last,
                TransactionError::PayerCannotPay { .. } | TransactionError::FeeTooLow { .. } => {
                    true
                }
                _ => false,
            }),
            Ok(_) => Ok(false),
            Err(Refusal::Store(error)) => Err(error),
        }
    }

    /// Applies what waits for a block, unless one holds it; whether the state knows it now.
    fn apply_waiting(
        &self,
        context: &Context<'_>,
        session: &mut Session<'_>,
        transaction: &Transaction,
        signatures: Signatures,
    ) -> Result<bool, StoreError> {
        let ids = Ids::of(&Included::new(transaction.clone()), &self.genesis);
        if session.accepted_at(&ids.core)?.is_some() {
            return Ok(true);
        }
        match apply_transaction(context, session, transaction, &ids, signatures) {
            Ok(_) => Ok(true),
            Err(Refusal::Rule(_)) => Ok(false),
            Err(Refusal::Store(error)) => Err(error),
        }
    }

    /// What the predicate says of a request in the next block if that holds what is not mined yet of the
    /// request and its approvals, each signed and otherwise valid; `None` if the request could not be in
    /// it. Signatures are verified here, so that it does not matter who collected them.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn answer_pending(
        &self,
        view: View<'_>,
        request: &Transaction,
        approvals: &[&Transaction],
    ) -> Result<Option<(HeldRequest, Answer)>, StoreError> {
        let context = self.next_context(&view)?;
        let mut session = Session::new(&view, context.height);
        begin_block(&context, &mut session)?;
        for transaction in std::iter::once(&request).chain(approvals) {
            // Without the request the state will not know it; an approval that is refused does not count.
            self.apply_waiting(&context, &mut session, transaction, Signatures::Verify)?;
        }
        access::answer(&context, &mut session, request.core.id(&self.genesis))
    }
}

/// Why a transaction might never be mined although it could be now.
fn unfit_to_wait(
    context: &Context<'_>,
    transaction: &Transaction,
) -> Result<Option<Release>, StoreError> {
    let core = &transaction.core;
    // Section 2.1: such a core is signed by its id alone, so nobody else can sponsor it.
    if core.body.signers().contains(&transaction.payer) {
        return Ok(Some(Release::PaidBySigner(transaction.payer)));
    }
    let tip = context.height.saturating_sub(1);
    let least = tip.saturating_add(EMERGENCY_LIFE_BLOCKS);
    if core.valid_to < least {
        return Ok(Some(Release::ExpiresSoon { to: core.valid_to, least }));
    }
    let anchor = BlockHash(core.anchor);
    if anchor == BlockHash::ZERO {
        return Ok(None);
    }
    let depth = context.ancestors.height_of(&anchor)?.map(|height| tip.saturating_sub(height));
    let is_deep = depth.is_some_and(|depth| depth >= EMERGENCY_ANCHOR_DEPTH_BLOCKS);
    Ok((!is_deep).then_some(Release::ShallowAnchor(anchor)))
}
