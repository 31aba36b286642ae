//! When a guardian may send its share: not a rule of validity, but of those who keep the chain's word
//! towards the owner. A share that was sent cannot be called back, so it waits until the answer is deep
//! enough to stay.

use super::connect::Chain;
use super::finality::Alarm;
use super::header::relief_doublings;
use super::view::{View, corrupt};
use crate::ledger::policy::Reason;
use crate::ledger::rules::context::Ancestors as _;
use crate::ledger::store::StoreError;
use crate::ledger::transaction::CoreId;

/// Blocks for which a request must have been open; none in an emergency.
pub const RELEASE_DEPTH_BLOCKS: u32 = 2;

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
}
