//! One approver's part of an approval, so that people with keys on different machines can approve in one
//! transaction: each writes a part, one of them puts the parts together, all sign.

use borsh::{BorshDeserialize, BorshSerialize};

use super::Handout;
use crate::ledger::transaction::approve::Approver;
use crate::primitives::BlockHash;

/// Who will approve which request, and how.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ApprovalPart {
    /// The core id of the request.
    pub request: [u8; 32],
    /// The approver.
    pub approver: Approver,
}

impl Handout for ApprovalPart {
    const FORMAT: &'static str = "proofward-approval-part";
    const NAME: &'static str = "part of an approval";

    fn fault(&self, _genesis: &BlockHash) -> Option<String> {
        let key = self.approver.key;
        key.check().err().map(|error| format!("approver {key}: {error}"))
    }
}
