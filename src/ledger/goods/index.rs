//! The index of moves by lot: written and taken back with each block of the best chain, so that a lot is
//! traced without reading blocks.
//!
//! | table | key | value |
//! |---|---|---|
//! | lots | lot, height big-endian, index big-endian | core id of a move that the lot goes through |
//! | moves | core id | [`Moved`] |

use borsh::{BorshDeserialize, BorshSerialize};

use crate::ledger::block::Block;
use crate::ledger::chain::View;
use crate::ledger::policy::Moment;
use crate::ledger::rules::isolation::Ids;
use crate::ledger::store::{Overlay, StoreError, Table};
use crate::ledger::transaction::lot::Step;
use crate::ledger::transaction::{Body, CoreId, LotId, Move, Transaction};

/// Entries read at a time.
const PAGE_ENTRIES: usize = 256;

/// A move as a block holds it.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Moved {
    /// When.
    pub at: Moment,
    /// Its place in the block; the coinbase is 0.
    pub index: u32,
    /// The transaction, with its signatures.
    pub transaction: Transaction,
}

impl Moved {
    /// What it does.
    ///
    /// # Panics
    ///
    /// Never: the index holds moves only.
    #[must_use]
    pub fn body(&self) -> &Move {
        match &self.transaction.core.body {
            Body::Move(body) => body,
            _ => unreachable!("read as a move"),
        }
    }
}

/// The moves of a block, each with its core id and its place.
fn moves<'a>(
    block: &'a Block,
    ids: &'a [Ids],
) -> impl Iterator<Item = (u32, CoreId, &'a Transaction, &'a Move)> {
    let places = (1..).zip(block.transactions.iter().zip(ids));
    places.filter_map(|(index, (included, ids))| match &included.transaction.core.body {
        Body::Move(body) => Some((index, ids.core, &included.transaction, body)),
        _ => None,
    })
}

/// Every lot that goes through a move: in, out, or recalled.
fn touched(body: &Move, core: &CoreId) -> Vec<LotId> {
    let mut lots = body.created(core);
    lots.extend(body.step.lots());
    if let Step::Recall { made } = body.step {
        lots.push(made);
    }
    lots
}

fn key(lot: &LotId, height: u32, index: u32) -> Vec<u8> {
    [&lot.0[..], &height.to_be_bytes(), &index.to_be_bytes()].concat()
}

/// Enters the moves of a block that joins the best chain.
pub(in crate::ledger) fn write(overlay: &mut Overlay<'_>, at: Moment, block: &Block, ids: &[Ids]) {
    for (index, core, transaction, body) in moves(block, ids) {
        for lot in touched(body, &core) {
            overlay.put(Table::Lots, key(&lot, at.height, index), core.0);
        }
        let moved = Moved { at, index, transaction: transaction.clone() };
        let moved = borsh::to_vec(&moved).expect("writing to memory cannot fail");
        overlay.put(Table::Moves, core.0, moved);
    }
}

/// Takes them back when it leaves.
pub(in crate::ledger) fn remove(
    overlay: &mut Overlay<'_>,
    height: u32,
    block: &Block,
    ids: &[Ids],
) {
    for (index, core, _, body) in moves(block, ids) {
        for lot in touched(body, &core) {
            overlay.delete(Table::Lots, key(&lot, height, index));
        }
        overlay.delete(Table::Moves, core.0);
    }
}

impl View<'_> {
    /// A move on the best chain.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or holds something else.
    pub fn moved(&self, core: &CoreId) -> Result<Option<Moved>, StoreError> {
        let Some(bytes) = self.0.get(Table::Moves, &core.0)? else { return Ok(None) };
        let moved: Option<Moved> = borsh::from_slice(&bytes).ok();
        let is_move = |moved: &Moved| matches!(moved.transaction.core.body, Body::Move(_));
        let corrupt = || StoreError::Corrupt { what: format!("move {core} of the index") };
        moved.filter(is_move).map(Some).ok_or_else(corrupt)
    }

    /// The moves that a lot went through on the best chain, in order.
    ///
    /// # Errors
    ///
    /// As [`View::moved`], and if one of them is missing.
    pub fn moves_of(&self, lot: &LotId) -> Result<Vec<(CoreId, Moved)>, StoreError> {
        let mut moves = Vec::new();
        let mut from = lot.0.to_vec();
        loop {
            let page = self.0.range(Table::Lots, &from, PAGE_ENTRIES)?;
            for (key, value) in &page {
                if !key.starts_with(&lot.0) {
                    return Ok(moves);
                }
                let corrupt = || StoreError::Corrupt { what: format!("the moves of lot {lot}") };
                let core = CoreId(value[..].try_into().map_err(|_| corrupt())?);
                moves.push((core, self.moved(&core)?.ok_or_else(corrupt)?));
            }
            match page.last() {
                Some((key, _)) if page.len() == PAGE_ENTRIES => {
                    from.clone_from(key);
                    from.push(0);
                }
                _ => return Ok(moves),
            }
        }
    }
}
