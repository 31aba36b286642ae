//! A witness's checkpoint, the one claim that needs no issuer: witnesses stand in the specification.

use crate::ledger::rules::access::AttestError;
use crate::ledger::rules::context::{Context, Refusal};
use crate::ledger::rules::error::TransactionError;
use crate::ledger::signature::PubKey;
use crate::ledger::spec::{CHECKPOINT_DEPTH_BLOCKS, CHECKPOINT_INTERVAL_BLOCKS};
use crate::ledger::state::{EntryKey, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::attest::{Checkpoint, Point};

/// Section "finality": on chain a checkpoint stands on the grid, is an ancestor at least 6 deep, and
/// names the witness's previous one, itself an ancestor.
pub(super) fn check(
    context: &Context<'_>,
    session: &mut Session<'_>,
    witness: PubKey,
    checkpoint: &Checkpoint,
) -> Result<(), Refusal<TransactionError>> {
    let refuse = |error: AttestError| Err(TransactionError::from(error).into());
    let Checkpoint { at, previous } = checkpoint;
    if !context.spec.witnesses.keys.contains(&witness) {
        return refuse(AttestError::NotAllowedToIssue);
    }
    if !at.height.is_multiple_of(CHECKPOINT_INTERVAL_BLOCKS) {
        return refuse(AttestError::CheckpointOffGrid(at.height));
    }
    if context.height.checked_sub(at.height).is_none_or(|depth| depth < CHECKPOINT_DEPTH_BLOCKS) {
        let error = AttestError::CheckpointTooShallow { at: at.height, height: context.height };
        return refuse(error);
    }
    if context.ancestors.hash_at(at.height)? != Some(at.block()) {
        return refuse(AttestError::CheckpointNotAncestor);
    }
    let on_chain = session.get::<Point>(&EntryKey::Witness(witness))?;
    let holds = match previous {
        None => on_chain.is_none(),
        Some(previous) => {
            previous.height < at.height
                && previous.height.is_multiple_of(CHECKPOINT_INTERVAL_BLOCKS)
                && on_chain.is_none_or(|last| last.height <= previous.height)
                && context.ancestors.hash_at(previous.height)? == Some(previous.block())
        }
    };
    if holds { Ok(()) } else { refuse(AttestError::CheckpointPrevious) }
}

pub(super) fn apply(
    session: &mut Session<'_>,
    witness: PubKey,
    checkpoint: &Checkpoint,
) -> Result<(), StoreError> {
    session.put(&EntryKey::Witness(witness), Some(&checkpoint.at))
}
