//! What a body does to others that are pending: the one place that a new kind of body has to fill in.
//! Everything else asks the rules.

use super::entries::Entry;
use crate::ledger::signature::PubKey;
use crate::ledger::state::EntryKey;
use crate::ledger::transaction::lot::Step;
use crate::ledger::transaction::{Body, CoreId, LotId, Move, PayKind, Transaction};

/// What a body takes, gives and claims for itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// Accounts that lose units by it, with how many; the fee is not among them.
    pub debits: Vec<(PubKey, u64)>,
    /// Accounts that it would create if they were not there: their existence decides the fee.
    pub credits: Vec<PubKey>,
    /// Entries that only one of all pending may be about: another one for it replaces the first by the
    /// rules of replacement.
    pub exclusive: Vec<EntryKey>,
    /// Whether more of the state than accounts decides if it is valid. Then it is judged again after each
    /// block, and together with all others of its kind whenever a block is put together; so it may be
    /// taken in without knowing what it would do to them.
    pub is_dependent: bool,
}

impl Effects {
    /// The effects of a body.
    #[must_use]
    pub fn of(body: &Body) -> Self {
        match body {
            Body::Pay(pay) => Self {
                debits: match pay.debit() {
                    0 => Vec::new(),
                    units => vec![(pay.from, units)],
                },
                credits: match pay.kind {
                    PayKind::Plain | PayKind::Loan(_) => vec![pay.to],
                    // Who is repaid stands in the state, which is asked again after each block.
                    _ => Vec::new(),
                },
                // A loan is judged by the height that it is due at, all else by the debt.
                is_dependent: !matches!(pay.kind, PayKind::Plain),
                ..Self::default()
            },
            Body::Attest(attest) => Self {
                exclusive: attest.witness().map(EntryKey::Witness).into_iter().collect(),
                is_dependent: true,
                ..Self::default()
            },
            Body::Move(body) => Self {
                exclusive: lots(body).into_iter().map(EntryKey::Lot).collect(),
                is_dependent: true,
                ..Self::default()
            },
            _ => Self { is_dependent: true, ..Self::default() },
        }
    }
}

/// The lots of which a move decides: what it moves, consumes, makes or recalls.
fn lots(body: &Move) -> Vec<LotId> {
    let mut lots = body.step.lots().to_vec();
    match &body.step {
        Step::Make { id, .. } => lots.push(LotId::made(body.by.id(), id)),
        Step::Recall { made } => lots.push(*made),
        _ => {}
    }
    lots
}

/// Something that at most one pending transaction may hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Hold {
    /// A core: who sponsors it.
    Core(CoreId),
    /// An entry of [`Effects::exclusive`].
    Entry(EntryKey),
    /// The request without a fee of a reader.
    FreeRequest(PubKey),
    /// An approver's approval without a fee of a request.
    FreeApproval([u8; 32], PubKey),
}

impl Hold {
    /// Everything that a transaction holds, but for its place in its payer's sequence.
    pub(super) fn all(entry: &Entry) -> impl Iterator<Item = Self> {
        let entries = entry.effects.exclusive.iter().cloned().map(Self::Entry);
        std::iter::once(Self::Core(entry.ids.core)).chain(entries).chain(entry.free_holds())
    }
}

/// Everything that leaves accounts: the fee and the debits of the body, account by account.
pub(super) fn spends<'a>(
    transaction: &'a Transaction,
    effects: &'a Effects,
) -> impl Iterator<Item = (PubKey, u64)> + 'a {
    std::iter::once((transaction.payer, transaction.fee)).chain(effects.debits.iter().copied())
}
