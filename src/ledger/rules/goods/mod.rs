//! The rules of `Move`, one file a concern, and what a move changes.
//!
//! | file | names |
//! |---|---|
//! | `making` | `NotMaker`, `LotExists` |
//! | `holding` | `NotHolder`, `InTransit`, `NotAddressee` |
//! | `witnesses` | `TooFewWitnesses`, `NoPresence` |
//! | `quantity` | `QuantityCreated`, `ClassMixed` |
//! | `ending` | `Recalled`, `Destroyed`, `TooManyOrigins` |
//!
//! Where the design leaves room, the smallest safe rule holds:
//!
//! - What comes out of Pack, Unpack and Split is exactly as much as went in. A loss would be a theft
//!   without a trace; what is gone is split off and destroyed, by somebody's signature.
//! - Only a Make changes the class: it may cite lots of any class, and no quantity follows from theirs.
//! - Every witness that is named counts, or the move is refused: "claimed by N signers" is to be true.
//! - A presence that is carried must be true and young.
//! - A Recall needs no witness: whoever could call goods back must not be held up.
//! - Nobody ships to themselves, or hand-overs would look counter-signed.

mod ending;
mod error;
pub(super) mod form;
mod holding;
mod making;
mod quantity;
mod witnesses;

pub use error::MoveError;

use super::context::{Context, Refusal, impossible};
use super::error::TransactionError;
use crate::ledger::spec::CLOSED_BLOCKS;
use crate::ledger::state::{EntryKey, HeldLot, LotStatus, Made, Session, Transit};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::lot::Step;
use crate::ledger::transaction::{CoreId, LotId, Move};

type Verdict = Result<(), Refusal<TransactionError>>;

/// Judges a move in the state as it stands, name by name over all its lots.
pub(super) fn check(context: &Context<'_>, session: &mut Session<'_>, body: &Move) -> Verdict {
    making::check(context, session, body)?;
    let lots = holding::check(context, session, body)?;
    let sources = ending::sources(session, &lots)?;
    witnesses::check(context, session, body, &lots, &sources)?;
    quantity::check(body, &lots)?;
    ending::check(body, &lots, &sources)
}

/// Applies a move that [`check`] has passed.
pub(super) fn apply(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
    body: &Move,
) -> Result<(), StoreError> {
    let by = body.by.id();
    match &body.step {
        Step::Ship { lot, to } => {
            let transit = Transit { to: *to, since: context.now() };
            change(session, lot, |held| held.status = LotStatus::InTransit(transit))
        }
        Step::Receive { lot } => change(session, lot, |held| {
            held.holder = by;
            held.status = LotStatus::Held;
        }),
        Step::Dispense { lot } => end(context, session, lot, LotStatus::Dispensed),
        Step::Destroy { lot } => end(context, session, lot, LotStatus::Destroyed),
        Step::Recall { made } => change(session, made, |held| {
            held.made = held.made.map(|made| Made { recalled: Some(context.height), ..made });
        }),
        Step::Make { .. } | Step::Pack { .. } | Step::Unpack { .. } | Step::Split { .. } => {
            transform(session, core, body)
        }
    }
}

/// Entries that a move adds to the state for longer than its core id is remembered.
pub(super) fn new_entries(body: &Move) -> u64 {
    match &body.step {
        Step::Make { .. } => 1,
        step => step.outputs().len() as u64,
    }
}

/// Forgets a lot that ended long ago, unless its name is taken.
pub(super) fn forget(session: &mut Session<'_>, key: &EntryKey) -> Result<(), StoreError> {
    match session.get::<HeldLot>(key)? {
        Some(held) if held.made.is_none() && held.has_ended() => session.put::<HeldLot>(key, None),
        _ => Ok(()),
    }
}

/// Consumes the inputs and brings the outputs into being.
fn transform(session: &mut Session<'_>, core: CoreId, body: &Move) -> Result<(), StoreError> {
    let mut inputs = Vec::with_capacity(body.step.lots().len());
    for lot in body.step.lots() {
        inputs.push(load(session, lot)?.ok_or_else(impossible)?);
    }
    let by = body.by.id();
    let created = body.created(&core);
    let origins = ending::origins(&inputs);
    let most = inputs.iter().map(|input| input.min_witness).max().unwrap_or(0);
    let lot = |class, quantity, origins, min_witness, made| HeldLot {
        class,
        quantity,
        holder: by,
        status: LotStatus::Held,
        origins,
        min_witness,
        made,
    };
    for (id, input) in body.step.lots().iter().zip(&inputs) {
        // The name of a derived lot can never come again.
        let key = EntryKey::Lot(*id);
        let consumed = HeldLot { status: LotStatus::Consumed, ..input.clone() };
        session.put(&key, input.made.is_some().then_some(&consumed))?;
    }
    match (&body.step, &created[..]) {
        (Step::Make { class, quantity, min_witness, .. }, [id]) => {
            let origins = ending::with(origins, *id);
            let made = Some(Made { by, recalled: None });
            let made = lot(*class, *quantity, origins, most.max(*min_witness), made);
            session.put(&EntryKey::Lot(*id), Some(&made))
        }
        (step, created) => {
            let class = inputs.first().ok_or_else(impossible)?.class;
            for (id, quantity) in created.iter().zip(step.outputs()) {
                let output = lot(class, *quantity, origins.clone(), most, None);
                session.put(&EntryKey::Lot(*id), Some(&output))?;
            }
            Ok(())
        }
    }
}

fn end(
    context: &Context<'_>,
    session: &mut Session<'_>,
    lot: &LotId,
    status: LotStatus,
) -> Result<(), StoreError> {
    session.look_at(context.height.saturating_add(CLOSED_BLOCKS), EntryKey::Lot(*lot));
    change(session, lot, |held| held.status = status)
}

fn change(
    session: &mut Session<'_>,
    lot: &LotId,
    change: impl FnOnce(&mut HeldLot),
) -> Result<(), StoreError> {
    let mut held = load(session, lot)?.ok_or_else(impossible)?;
    change(&mut held);
    session.put(&EntryKey::Lot(*lot), Some(&held))
}

fn load(session: &mut Session<'_>, lot: &LotId) -> Result<Option<HeldLot>, StoreError> {
    session.get(&EntryKey::Lot(*lot))
}

fn refuse<T>(error: MoveError) -> Result<T, Refusal<TransactionError>> {
    Err(TransactionError::from(error).into())
}
