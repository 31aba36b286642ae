//! Finality by witnesses: which block is settled, and what a node does about it.
//!
//! A witness attests blocks on a grid of heights, each checkpoint naming the one before. So its newest
//! checkpoint speaks for every ancestor of the block that it names, and a block is settled when the
//! newest checkpoints of k witnesses are at it or above it. What is settled stays: below it there is no
//! reorganisation, whatever work another branch has. Settlement enters fork choice only, never
//! validity: two nodes may settle at different moments and still judge every block alike.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::ledger::chain::branch::holds;
use crate::ledger::chain::ledger::{Ledger, SubmitError, Submitted};
use crate::ledger::chain::record::Record;
use crate::ledger::chain::view::{META_ALARM, META_SETTLED, corrupt};
use crate::ledger::rules::context::Ancestors;
use crate::ledger::signature::{PubKey, Sig, Signed};
use crate::ledger::spec::CHECKPOINT_INTERVAL_BLOCKS;
use crate::ledger::state::{EntryKey, StateRead};
use crate::ledger::store::{Batch, Store, StoreError, Table};
use crate::ledger::transaction::attest::{Checkpoint, Claim, Point};
use crate::ledger::transaction::{Body, Core};

/// A checkpoint as it travels outside blocks: the core that could be sponsored, with the witness's own
/// signature over the core id.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignedCheckpoint {
    /// An `Attest` core that claims a checkpoint.
    pub core: Core,
    /// The witness's signature over its id.
    pub sig: Sig,
}

/// Why a checkpoint is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The core claims something else, or for another chain.
    #[error("not a checkpoint of this chain")]
    NotACheckpoint,
    /// The issuer is not a witness of the specification.
    #[error("the issuer is no witness of this chain")]
    NotAWitness,
    /// Not on the grid, or not above the one that it names.
    #[error("a checkpoint at height {0} that names no earlier one on the grid")]
    OffGrid(u32),
    /// The signature does not verify.
    #[error("the witness's signature does not verify")]
    BadSig,
}

/// What a checkpoint changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Witnessed {
    /// Nothing: it is not newer than what is known of the witness, or not enough agree yet.
    Noted,
    /// This block is settled now.
    Settled(Point),
    /// The witness has signed two checkpoints of which neither is the other's ancestor. It counts no
    /// more; both are kept as proof.
    Equivocation(PubKey),
    /// The witnesses settle a block that conflicts with the one settled here: the first is kept, and an
    /// operator must look.
    Conflict(Alarm),
}

/// The witnesses stand behind a block that cannot be settled beside the one settled here: it is on
/// another branch, or its branch breaks a rule. Kept until an operator has looked; guardians stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Alarm {
    /// The block settled here, if any.
    pub kept: Option<Point>,
    /// The block that the witnesses stand behind.
    pub refused: Point,
}

/// What is kept of each witness.
#[derive(Debug, Clone, BorshSerialize, BorshDeserialize)]
struct Held {
    newest: Checkpoint,
    signed: Option<SignedCheckpoint>,
    /// Proof of equivocation: the two checkpoints.
    proof: Option<(Checkpoint, Checkpoint)>,
}

impl SignedCheckpoint {
    /// Judges everything that needs no chain: form, witness, grid, signature.
    ///
    /// # Errors
    ///
    /// See [`CheckpointError`].
    pub fn check<S: Store>(
        &self,
        ledger: &Ledger<S>,
    ) -> Result<(PubKey, Checkpoint), CheckpointError> {
        let chain = ledger.chain();
        let is_ours = crate::ledger::rules::structure::check_form(&self.core, &chain.chain_id)
            .and_then(|()| crate::ledger::rules::structure::check_canonical(&self.core))
            .is_ok();
        let Body::Attest(attest) = &self.core.body else {
            return Err(CheckpointError::NotACheckpoint);
        };
        let (Claim::Checkpoint(checkpoint), Some(witness), true) =
            (&attest.claim, attest.witness(), is_ours)
        else {
            return Err(CheckpointError::NotACheckpoint);
        };
        if !chain.spec.witnesses.keys.contains(&witness) {
            return Err(CheckpointError::NotAWitness);
        }
        let is_on_grid = |point: &Point| point.height.is_multiple_of(CHECKPOINT_INTERVAL_BLOCKS);
        let rises = checkpoint
            .previous
            .is_none_or(|previous| is_on_grid(&previous) && previous.height < checkpoint.at.height);
        if !is_on_grid(&checkpoint.at) || !rises {
            return Err(CheckpointError::OffGrid(checkpoint.at.height));
        }
        let id = self.core.id(&chain.genesis);
        if !(Signed { key: witness, sig: self.sig, message: &id.0 }).is_valid() {
            return Err(CheckpointError::BadSig);
        }
        Ok((witness, checkpoint.clone()))
    }
}

impl<S: Store> Ledger<S> {
    /// Takes note of a checkpoint that arrived outside a block.
    ///
    /// # Errors
    ///
    /// [`CheckpointError`] inside `Ok(Err)`; a failing store outside.
    pub fn witness(
        &self,
        signed: &SignedCheckpoint,
    ) -> Result<Result<Witnessed, CheckpointError>, SubmitError> {
        match signed.check(self) {
            Ok((witness, checkpoint)) => {
                self.note(witness, checkpoint, Some(signed.clone())).map(Ok)
            }
            Err(error) => Ok(Err(error)),
        }
    }

    /// Takes note of the checkpoints that the state of the tip holds and settles what they and those
    /// of gossip agree on: done after every block that is kept, since a block may also arrive after the
    /// checkpoints that name it.
    pub(super) fn follow_witnesses(&self) -> Result<(), SubmitError> {
        for witness in self.chain().spec.witnesses.keys.clone() {
            let Some(bytes) = self.view().entry(&EntryKey::Witness(witness))? else { continue };
            let at: Point = borsh::from_slice(&bytes)
                .map_err(|_| corrupt("a witness's checkpoint does not decode"))?;
            // Its ancestors stand on the same chain, so what it named before does not matter here.
            self.note(witness, Checkpoint { at, previous: None }, None)?;
        }
        self.settle().map(|_| ())
    }

    /// The alarm that stands, if any.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn alarm(&self) -> Result<Option<Alarm>, StoreError> {
        self.view().alarm()
    }

    /// The newest signed checkpoint of each witness, to hand over to another node.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn signed_checkpoints(&self) -> Result<Vec<SignedCheckpoint>, StoreError> {
        let mut signed = Vec::new();
        for witness in &self.chain().spec.witnesses.keys {
            signed.extend(self.held(witness)?.and_then(|held| held.signed));
        }
        Ok(signed)
    }

    /// Both checkpoints of a witness that signed two branches, if it did.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn equivocation(
        &self,
        witness: &PubKey,
    ) -> Result<Option<(Checkpoint, Checkpoint)>, StoreError> {
        Ok(self.held(witness)?.and_then(|held| held.proof))
    }

    fn held(&self, witness: &PubKey) -> Result<Option<Held>, StoreError> {
        let Some(bytes) = self.store().get(Table::Checkpoints, &witness.0)? else {
            return Ok(None);
        };
        let held = borsh::from_slice(&bytes);
        held.map(Some).map_err(|_| corrupt("a checkpoint in the store does not decode"))
    }

    fn note(
        &self,
        witness: PubKey,
        checkpoint: Checkpoint,
        signed: Option<SignedCheckpoint>,
    ) -> Result<Witnessed, SubmitError> {
        let keep = |held: &Held| -> Result<(), StoreError> {
            let mut batch = Batch::new();
            let bytes = borsh::to_vec(held).expect("writing to memory cannot fail");
            batch.put(Table::Checkpoints, witness.0, bytes);
            self.store().commit(&batch)
        };
        if let Some(mut held) = self.held(&witness)? {
            if held.proof.is_some() {
                return Ok(Witnessed::Equivocation(witness));
            }
            if self.conflict(&held.newest, &checkpoint)? {
                held.proof = Some((held.newest.clone(), checkpoint));
                keep(&held)?;
                return Ok(Witnessed::Equivocation(witness));
            }
            let is_newer = checkpoint.at.height > held.newest.at.height;
            if is_newer || (checkpoint.at == held.newest.at && held.signed.is_none()) {
                keep(&Held { newest: checkpoint, signed: signed.or(held.signed), proof: None })?;
            }
        } else {
            keep(&Held { newest: checkpoint, signed, proof: None })?;
        }
        self.settle()
    }

    /// Whether two checkpoints of one witness prove that it signed two branches. Unknown blocks prove
    /// nothing, except at one height.
    fn conflict(&self, a: &Checkpoint, b: &Checkpoint) -> Result<bool, StoreError> {
        let (low, high) = if a.at.height <= b.at.height { (a, b) } else { (b, a) };
        if low.at.height == high.at.height {
            return Ok(low.at.hash != high.at.hash);
        }
        // What the higher one itself names as its ancestor.
        if let Some(previous) = high.previous
            && previous.height == low.at.height
        {
            return Ok(previous.hash != low.at.hash);
        }
        let view = self.view();
        match (view.record(&low.at.block())?, view.record(&high.at.block())?) {
            (Some(_), Some(record)) => Ok(!holds(view, &record, &high.at.block(), &low.at)?),
            _ => Ok(false),
        }
    }

    /// Settles the highest block that k witnesses stand behind, if it is above the settled one.
    fn settle(&self) -> Result<Witnessed, SubmitError> {
        let view = self.view();
        let k = usize::from(self.chain().spec.witnesses.k);
        let mut known: Vec<(Point, Record)> = Vec::new();
        for witness in &self.chain().spec.witnesses.keys {
            let Some(held) = self.held(witness)? else { continue };
            if held.proof.is_none()
                && let Some(record) = view.record(&held.newest.at.block())?
            {
                known.push((held.newest.at, record));
            }
        }
        let mut best: Option<Point> = None;
        for (candidate, _) in &known {
            let mut behind = 0;
            for (point, record) in &known {
                behind += usize::from(holds(view, record, &point.block(), candidate)?);
            }
            if k > 0 && behind >= k && best.is_none_or(|best| candidate.height > best.height) {
                best = Some(*candidate);
            }
        }
        let Some(point) = best else { return Ok(Witnessed::Noted) };
        let settled = view.settled()?;
        if let Some(kept) = settled {
            let record = view.expect_record(&point.block())?;
            if point.height <= kept.height {
                let kept_record = view.expect_record(&kept.block())?;
                if holds(view, &kept_record, &kept.block(), &point)? {
                    return Ok(Witnessed::Noted);
                }
                return self.raise(Alarm { kept: Some(kept), refused: point });
            }
            if !holds(view, &record, &point.block(), &kept)? {
                return self.raise(Alarm { kept: Some(kept), refused: point });
            }
        }
        // Only what has been validated can be settled: move there first, whatever the work.
        if view.hash_at(point.height)? != Some(point.block()) {
            match self.move_to(&point.block()) {
                Err(SubmitError::Rule(_)) => {
                    return self.raise(Alarm { kept: settled, refused: point });
                }
                // It waits for what the disk had no room for.
                Ok(Submitted::Incomplete { .. }) => return Ok(Witnessed::Noted),
                moved => moved?,
            };
        }
        let mut batch = Batch::new();
        let bytes = borsh::to_vec(&point).expect("writing to memory cannot fail");
        batch.put(Table::Meta, META_SETTLED, bytes);
        self.store().commit(&batch)?;
        Ok(Witnessed::Settled(point))
    }

    fn raise(&self, alarm: Alarm) -> Result<Witnessed, SubmitError> {
        // The first one stays: it says where the witnesses parted.
        if self.alarm()?.is_none() {
            let mut batch = Batch::new();
            let bytes = borsh::to_vec(&alarm).expect("writing to memory cannot fail");
            batch.put(Table::Meta, META_ALARM, bytes);
            self.store().commit(&batch)?;
        }
        Ok(Witnessed::Conflict(alarm))
    }
}
