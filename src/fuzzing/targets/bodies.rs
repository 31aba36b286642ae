//! Bodies that are mostly right, of bytes that leave little open: so the state has to decide, not the decoder.

use super::ledger::GENESIS_TIME;
use crate::ledger::signature::PubKey;
use crate::ledger::transaction::lot::Step;
use crate::ledger::transaction::pay::LoanTerms;
use crate::ledger::transaction::reading::Assurance;
use crate::ledger::transaction::{CoreId, LotId, Move, Pay, PayKind, Reading};
use crate::primitives::codec::Reader;

pub(super) fn moved(by: PubKey, step: Step) -> Move {
    let (site, presence, witnesses) = (None, None, Vec::new());
    Move { by: by.into(), step, event: [0; 32], site, presence, witnesses }
}

/// A move of lots that are there, mostly; what the bytes leave open is small.
pub(super) fn goods(
    lots: &[LotId],
    by: PubKey,
    to: PubKey,
    reader: &mut Reader<'_>,
) -> Option<Move> {
    let mut lot = || {
        let choice = usize::from(reader.u8().ok()?);
        lots.get(choice % lots.len()).copied()
    };
    let (first, second) = (lot()?, lot()?);
    let mut inputs = if first == second { vec![first] } else { vec![first, second] };
    inputs.sort_unstable();
    let (kind, number, other) = (reader.u8().ok()?, reader.u8().ok()?, reader.u8().ok()?);
    let outputs = vec![u64::from(number), u64::from(other)];
    let step = match kind % 9 {
        0 => Step::Make {
            id: [number; 32],
            class: [other; 32],
            quantity: number.into(),
            inputs,
            min_witness: other / 128,
        },
        1 => Step::Ship { lot: first, to: to.into() },
        2 => Step::Receive { lot: first },
        3 => Step::Pack { inputs, quantity: number.into() },
        4 => Step::Unpack { lot: first, outputs },
        5 => Step::Split { inputs, outputs },
        6 => Step::Dispense { lot: first },
        7 => Step::Destroy { lot: first },
        _ => Step::Recall { made: first },
    };
    Some(moved(by, step))
}

/// A loan, or what becomes of the one that there is.
pub(super) fn lending(
    debt: CoreId,
    from: PubKey,
    to: PubKey,
    reader: &mut Reader<'_>,
) -> Option<Pay> {
    let (kind, amount) = (reader.u8().ok()?, u64::from(reader.u32().ok()?));
    let terms = LoanTerms {
        due_h: u32::from(kind >> 2),
        total_owed: amount.saturating_add(1),
        document: [kind; 32],
    };
    let kind = match kind % 4 {
        0 => PayKind::LoanOffer(terms),
        1 => PayKind::Loan(terms),
        2 => PayKind::Repay { debt: debt.0 },
        _ => PayKind::Assign { debt: debt.0 },
    };
    Some(Pay { from, to, amount, kind })
}

/// A reading of the device, or of somebody who is none.
pub(super) fn reading(
    device: PubKey,
    wearer: PubKey,
    other: PubKey,
    reader: &mut Reader<'_>,
) -> Option<Reading> {
    let [seq, end, span, wear] = reader.u32().ok()?.to_le_bytes().map(u32::from);
    let [active, steps, samples, spoil] = reader.u32().ok()?.to_le_bytes();
    let t1 = GENESIS_TIME + end % 16;
    let assurance = Assurance::ALL[usize::from(spoil % 4)];
    Some(Reading {
        device: if spoil & 4 == 0 { device } else { other },
        wearer,
        seq: seq % 2,
        prev: [spoil >> 7; 32],
        t0: t1.saturating_sub(span),
        t1,
        wear_s: wear,
        active_s: active.into(),
        steps: steps.into(),
        samples: [samples; 32],
        assurance,
        co_witness: (assurance == Assurance::CoWitnessed).then_some(other),
    })
}
