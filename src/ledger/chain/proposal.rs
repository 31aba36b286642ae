//! A block that nobody has worked for yet, held to every rule but that one: what whoever builds blocks asks
//! before hash power is spent on one (BIP23). Nothing is kept of it, whatever the verdict.

use crate::ledger::chain::connect::Chain;
use crate::ledger::chain::header::{check_clock, check_unproven};
use crate::ledger::chain::record::Status;
use crate::ledger::chain::run::judge_isolated;
use crate::ledger::chain::view::{View, corrupt};
use crate::ledger::rules::Verdict;
use crate::ledger::rules::context::{Refusal, Signatures};
use crate::ledger::store::StoreError;
use crate::primitives::limits::HEADER_BYTES;
use crate::primitives::{BlockHash, Header};

/// Why a proposed block would not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProposalError {
    /// It is no proposal: a block with this header has arrived before, and this is known of it.
    #[error("a block with this header is known")]
    Known(Status),
    /// Only on top of the tip is there a state to judge it by.
    #[error("the block follows {parent}, and the tip is {tip}")]
    NotOnTip {
        /// Its parent.
        parent: BlockHash,
        /// The tip.
        tip: BlockHash,
    },
    /// It breaks a rule.
    #[error(transparent)]
    Rule(#[from] Verdict),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refusal<Verdict>> for ProposalError {
    fn from(refusal: Refusal<Verdict>) -> Self {
        match refusal {
            Refusal::Rule(verdict) => Self::Rule(verdict),
            Refusal::Store(error) => Self::Store(error),
        }
    }
}

impl Chain {
    /// Judges a block on top of the tip of `view` at time `now` as [`Ledger::submit`](super::Ledger::submit)
    /// would, its proof of work left out. Nothing but the caller's thread pays for it, and no more than a
    /// block of the largest size costs.
    ///
    /// # Errors
    ///
    /// The first rule broken; see [`ProposalError`].
    pub fn judge_proposal(
        &self,
        view: View<'_>,
        bytes: &[u8],
        now: u64,
    ) -> Result<(), ProposalError> {
        let tip = view.tip()?;
        let parent = view.expect_record(&tip)?;
        let height =
            parent.height.checked_add(1).ok_or_else(|| corrupt("no height above the tip"))?;
        let (Some(header), Some(hash)) =
            (bytes.first_chunk::<HEADER_BYTES>().map(Header::decode), self.header_hash(bytes))
        else {
            judge_isolated(self, height, bytes)?;
            return Err(corrupt("a block without a header was judged sound").into());
        };
        if let Some(record) = view.record(&hash)? {
            return Err(ProposalError::Known(record.status));
        }
        if header.prev_block != tip {
            return Err(ProposalError::NotOnTip { parent: header.prev_block, tip });
        }
        let refuse = |rule| Verdict { height, hash, transaction: None, rule };
        check_unproven(&self.spec, &parent, view.median_time_after(&parent)?, &header)
            .map_err(refuse)?;
        check_clock(&self.spec, &header, now).map_err(refuse)?;
        let prepared = judge_isolated(self, height, bytes)?;
        self.judge(view, height, &prepared, Signatures::Verify)?;
        Ok(())
    }
}
