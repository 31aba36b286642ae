//! Isolation: is it valid on its own? Ids, keys and signatures need no state, so blocks are prepared on
//! all cores; the serial judgement of [`super::context`] names the rule when one of them fails.

use crate::ledger::block::{Block, Included};
use crate::ledger::policy::{Asked, Guardian, Heard, LedGuardian};
use crate::ledger::rules::context::Signatures;
use crate::ledger::rules::error::TransactionError;
use crate::ledger::signature::Signed;
use crate::ledger::transaction::approve::{Approver, GuardianProof};
use crate::ledger::transaction::{Body, CoreId, Request, Transaction, TransactionId};
use crate::primitives::BlockHash;

/// What is hashed of a transaction on one chain, computed once: its names, what its beacons signed, what
/// its paths show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids {
    /// What the body's signers sign.
    pub core: CoreId,
    /// What the payer signs.
    pub transaction: TransactionId,
    /// Length of the canonical bytes, which the fee is for.
    pub bytes: usize,
    /// What the beacon of each presence signed, in the order of the body.
    pub presences: Vec<[u8; 32]>,
    /// What the paths of its body show.
    pub shown: Shown,
}

/// What the paths of a body about access show, whatever the state: every hash of theirs that needs none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// Another body, or nothing hashed yet.
    Nothing,
    /// A request, before it is accepted.
    Request(Box<Asked>),
    /// Approvals.
    Approve {
        /// The presence of each approver who carries one, its anchor not looked up.
        heard: Vec<Option<Heard>>,
        /// Whom the path of each approver shows who carries one, and where it leads; nothing of any where
        /// that was not foreseen, since it depends on the record and its epoch.
        guardians: Vec<Option<LedGuardian>>,
    },
}

impl Shown {
    /// Of a body.
    #[must_use]
    pub fn of(body: &Body) -> Self {
        match body {
            Body::Request(request) => Self::Request(Box::new(Asked::of(request))),
            Body::Approve(approve) => {
                let approvers = approve.approvers.iter();
                Self::Approve { heard: approvers.map(heard).collect(), guardians: Vec::new() }
            }
            _ => Self::Nothing,
        }
    }

    /// What this request says by itself.
    pub(super) fn asked(&self, request: &Request) -> Asked {
        match self {
            Self::Request(asked) => Asked::clone(asked),
            _ => Asked::of(request),
        }
    }

    /// The presence of an approver of this body, by index.
    pub(super) fn heard(&self, index: usize, approver: &Approver) -> Option<Heard> {
        match self {
            Self::Approve { heard: all, .. } => {
                all.get(index).copied().unwrap_or_else(|| heard(approver))
            }
            _ => heard(approver),
        }
    }

    /// Whether the path of an approver of this body shows this guardian under a root.
    pub(super) fn is_guardian(
        &self,
        approver: usize,
        guardian: &Guardian,
        proof: &GuardianProof,
        guardians_root: &[u8; 32],
    ) -> bool {
        if let Self::Approve { guardians, .. } = self
            && let Some(Some((foreseen, root))) = guardians.get(approver)
            && foreseen == guardian
        {
            return u16::from(guardian.index) == proof.path.index && *root == Some(*guardians_root);
        }
        guardian.is_shown(&proof.salt, &proof.path, guardians_root)
    }
}

fn heard(approver: &Approver) -> Option<Heard> {
    let presence = approver.presence.as_ref()?;
    Some(Heard::new(presence, approver.key))
}

impl Ids {
    /// Hashes the core and the envelope.
    #[must_use]
    pub fn of(included: &Included, genesis: &BlockHash) -> Self {
        let core = CoreId::of(included.core_bytes(), genesis);
        let transaction = included.transaction.id(&core);
        let presences = included.transaction.core.body.presences().into_iter();
        let presences = presences.map(|presence| presence.message(genesis)).collect();
        let shown = Shown::of(&included.transaction.core.body);
        Self { core, transaction, bytes: included.bytes.len(), presences, shown }
    }

    /// The ids of every transaction of a block, the coinbase left out.
    #[must_use]
    pub fn of_block(block: &Block, genesis: &BlockHash) -> Vec<Self> {
        block.transactions.iter().map(|included| Self::of(included, genesis)).collect()
    }

    /// What signer `index` signs: the payer the transaction id, all others the core id, so that anyone
    /// may sponsor a core again without gathering its signatures.
    #[must_use]
    pub fn signed_message(&self, index: usize) -> &[u8; 32] {
        if index == 0 { &self.transaction.0 } else { &self.core.0 }
    }

    /// Every signature of a transaction with its key and message, then those of its presences' beacons;
    /// `None` if the number of the signers' is wrong.
    #[must_use]
    pub fn signed<'a>(&'a self, transaction: &Transaction) -> Option<Vec<Signed<'a>>> {
        let signers = transaction.signers();
        (signers.len() == transaction.sigs.len()).then(|| {
            let pairs = signers.into_iter().zip(&transaction.sigs).enumerate();
            let signers = pairs.map(|(i, (key, sig))| Signed {
                key,
                sig: *sig,
                message: self.signed_message(i),
            });
            let presences = transaction.core.body.presences().into_iter().zip(&self.presences);
            let beacons = presences.map(|(presence, message)| Signed {
                key: presence.beacon,
                sig: presence.sig,
                message,
            });
            signers.chain(beacons).collect()
        })
    }
}

/// Keys, then signatures, in the order of the names.
///
/// # Errors
///
/// `BadKey`, `WrongSigners` or `BadSig`.
pub fn check_signatures(
    transaction: &Transaction,
    ids: &Ids,
    signatures: Signatures,
) -> Result<(), TransactionError> {
    if signatures == Signatures::Verified {
        return Ok(());
    }
    check_keys(transaction)?;
    let Some(signed) = ids.signed(transaction) else {
        let expected = transaction.signers().len();
        return Err(TransactionError::WrongSigners { expected, got: transaction.sigs.len() });
    };
    match signed.iter().position(|signed| !signed.is_valid()) {
        None => Ok(()),
        Some(index) => Err(TransactionError::BadSig(index)),
    }
}

/// Every key in every field must be canonical, decode, and not be of small order.
///
/// # Errors
///
/// `BadKey` with the first one that is refused: the payer is 0, then the keys of the body in order.
pub fn check_keys(transaction: &Transaction) -> Result<(), TransactionError> {
    let keys = std::iter::once(transaction.payer).chain(transaction.core.body.keys());
    for (index, key) in keys.enumerate() {
        key.check().map_err(|error| TransactionError::BadKey { index, error })?;
    }
    Ok(())
}
