//! Where a lot came from and what came of it, out of the index.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Moved;
use crate::ledger::chain::View;
use crate::ledger::store::StoreError;
use crate::ledger::transaction::{CoreId, LotId};

/// Moves of a lineage that are gathered: a lot that went through more is shown without its beginning.
pub const LINEAGE_MOVES_MAX: usize = 10_000;

/// A lot with everything that it came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lineage {
    /// The lot, then those that it came from, nearest first.
    pub lots: Vec<LotId>,
    /// Every move that one of them went through, in the order of the chain.
    pub moves: Vec<(CoreId, Moved)>,
    /// Whether it ends before the beginning, at [`LINEAGE_MOVES_MAX`].
    pub is_cut: bool,
}

impl View<'_> {
    /// The lineage of a lot on the best chain; empty if no move names it.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn lineage(&self, lot: &LotId) -> Result<Lineage, StoreError> {
        let mut lineage = Lineage::default();
        let mut moves = BTreeMap::new();
        let (mut seen, mut left) = (BTreeSet::from([*lot]), VecDeque::from([*lot]));
        while let Some(lot) = left.pop_front() {
            if moves.len() >= LINEAGE_MOVES_MAX {
                lineage.is_cut = true;
                break;
            }
            let of_lot = self.moves_of(&lot)?;
            // The first move brought it into being: its inputs are where it came from.
            if let Some((core, first)) = of_lot.first()
                && first.body().created(core).contains(&lot)
            {
                left.extend(first.body().step.lots().iter().filter(|input| seen.insert(**input)));
            }
            lineage.lots.push(lot);
            moves.extend(
                of_lot
                    .into_iter()
                    .map(|(core, moved)| ((moved.at.height, moved.index), (core, moved))),
            );
        }
        lineage.moves = moves.into_values().collect();
        Ok(lineage)
    }

    /// Tells `visit` of every lot that came of one, itself first, each once.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn descendants(
        &self,
        lot: &LotId,
        mut visit: impl FnMut(&LotId),
    ) -> Result<(), StoreError> {
        let (mut seen, mut left) = (BTreeSet::from([*lot]), VecDeque::from([*lot]));
        while let Some(lot) = left.pop_front() {
            visit(&lot);
            // What consumes a lot is the last move that it goes through, but for a recall.
            for (core, moved) in self.moves_of(&lot)? {
                if moved.body().step.lots().contains(&lot) {
                    let created = moved.body().created(&core);
                    left.extend(created.into_iter().filter(|output| seen.insert(*output)));
                }
            }
        }
        Ok(())
    }
}
