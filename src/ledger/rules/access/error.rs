//! The names of broken rules of the bodies about access, each list in the order of the checks.

use crate::ledger::rules::names::names;

/// Rules of `Attest`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttestError {
    /// The issuer may not make this claim.
    #[error("the issuer may not make this claim")]
    NotAllowedToIssue,
    /// The issuer is further from a genesis anchor than three claims.
    #[error("more than 3 claims to a genesis anchor")]
    ChainTooDeep,
    /// No claim that lets the issuer do this holds now.
    #[error("no claim that lets the issuer do this holds now")]
    IssuerNotLive,
    /// The tag is another key's, or the key has another tag with this issuer.
    #[error("the tag or the key is bound to another with this issuer")]
    DuplicateSubject,
    /// The claim holds at no height to come.
    #[error("from height {from} to {to} in block {height}: no height to come")]
    WindowEmpty {
        /// First height.
        from: u32,
        /// First height after.
        to: u32,
        /// The including block.
        height: u32,
    },
    /// A checkpoint between the grid heights.
    #[error("checkpoint at height {0}, expected a multiple of 8")]
    CheckpointOffGrid(u32),
    /// A checkpoint of a block that is not deep enough.
    #[error("checkpoint at height {at} in block {height}: not 6 deep")]
    CheckpointTooShallow {
        /// The block attested.
        at: u32,
        /// The including block.
        height: u32,
    },
    /// A checkpoint of a block on another branch.
    #[error("checkpoint of a block that is no ancestor")]
    CheckpointNotAncestor,
    /// The previous checkpoint is missing, no ancestor, or older than one that is on chain.
    #[error("the previous checkpoint is missing, no ancestor, or not the witness's last")]
    CheckpointPrevious,
}

/// Rules of `Record`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A record has this key already.
    #[error("a record has this key already")]
    RidUsed,
    /// A share set that cannot be.
    #[error("share set {set}: {why}")]
    BadThreshold {
        /// Its index.
        set: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// The epoch is not the next, or another record has taken the place of the previous one.
    #[error("epoch {got}, expected {}", .expected.map_or("none after that record".into(), |epoch| epoch.to_string()))]
    EpochNotNext {
        /// The next; none if there is no such record, or it has a successor.
        expected: Option<u32>,
        /// What the body says.
        got: u32,
    },
    /// The signers are not the owners of the previous record.
    #[error("not the owners of the previous record")]
    NotOwner,
}

/// Rules of `Grant`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// Not one above the last.
    #[error("seq {got}, expected {expected}")]
    StaleSeq {
        /// One above the last.
        expected: u32,
        /// What the body says.
        got: u32,
    },
    /// There is no such record, or the signers do not own it.
    #[error("not the owners of this record")]
    NotOwner,
    /// Another record has taken its place.
    #[error("another record has taken its place")]
    RecordRetired,
    /// The policy would hold before the record's delay has passed.
    #[error("not before height {got}, expected at least {least}")]
    TooSoon {
        /// Height plus delay.
        least: u32,
        /// What the body says.
        got: u32,
    },
}

/// Rules of `Request`: of its validity. What makes it refused stands in its outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// There is no such record.
    #[error("no such record")]
    UnknownRecord,
    /// The policy that is meant is not the one in force.
    #[error("seq {got} is not the one in force")]
    StaleSeq {
        /// What the body says.
        got: u32,
    },
    /// The leaf is not in the policy.
    #[error("the leaf is not in the policy")]
    BranchNotInPolicy,
    /// The reader has an open request for this record.
    #[error("the reader has an open request for this record")]
    TooManyOpen,
    /// It would be refused, and the reader or the issuer has used up the refusals of this window.
    #[error("it would be refused by clause {clause}, and there were too many such in this window")]
    TooManyRefused {
        /// The clause that fails.
        clause: u8,
    },
    /// The reader has never held a role.
    #[error("the reader has never held a role")]
    RoleNotHeld,
}

/// Rules of `Approve`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApproveError {
    /// There is no such request, or it waits for no approval.
    #[error("no such request waits for approval")]
    NotPending,
    /// The time to answer is over.
    #[error("the request could be answered to height {to}, this is {height}")]
    Late {
        /// Last height.
        to: u32,
        /// The including block.
        height: u32,
    },
    /// A guardian path that does not lead to the record's guardians.
    #[error("approver {0} is no guardian")]
    NotGuardian(usize),
    /// The key has approved already.
    #[error("approver {0} has approved already")]
    DuplicateApprover(usize),
    /// Another key of the same person has approved, or it is the reader.
    #[error("approver {0} is a person who counts already, or the reader")]
    SamePerson(usize),
    /// No live claim of that role.
    #[error("approver {0} does not hold the role now")]
    RoleRevoked(usize),
    /// The leaf asks for a presence.
    #[error("approver {0} has no presence that the leaf accepts")]
    NoPresence(usize),
    /// The reader cannot pay the leaf's price.
    #[error("the reader holds {balance}, the price is {price}")]
    Insufficient {
        /// What the reader holds.
        balance: u64,
        /// The price.
        price: u64,
    },
}

/// Rules of `Receipt`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// The veto comes when the record is open, or on an emergency leaf.
    #[error("too late to veto")]
    TooLateToVeto,
    /// There is no such request.
    #[error("no such request")]
    UnknownRequest,
    /// The signer has no part in this.
    #[error("the signer has no part in this")]
    NotParty,
    /// It is not open.
    #[error("the request is not open")]
    NotOpen,
    /// Another blob than the record's.
    #[error("not the blob of the record")]
    BlobMismatch,
}

names! {
    AttestError: NotAllowedToIssue ChainTooDeep IssuerNotLive DuplicateSubject WindowEmpty
        CheckpointOffGrid CheckpointTooShallow CheckpointNotAncestor CheckpointPrevious;
    RecordError: RidUsed BadThreshold EpochNotNext NotOwner;
    GrantError: StaleSeq NotOwner RecordRetired TooSoon;
    RequestError: UnknownRecord StaleSeq BranchNotInPolicy TooManyOpen TooManyRefused RoleNotHeld;
    ApproveError: NotPending Late NotGuardian DuplicateApprover SamePerson RoleRevoked NoPresence
        Insufficient;
    ReceiptError: TooLateToVeto UnknownRequest NotParty NotOpen BlobMismatch;
}
