//! How far two cells of the grid are from each other: what may speak against a claim, and decides nothing.

use h3o::{CellIndex, LatLng};

use crate::ledger::policy::Cell;

/// Kilometres between the centres of two cells along the earth's surface, less what the cells' own size
/// could make up for; none if one of them is no cell.
#[must_use]
#[expect(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "no verdict depends on it, and the earth is small"
)]
pub fn kilometres(a: Cell, b: Cell) -> Option<u32> {
    let cell = |cell: Cell| CellIndex::try_from(cell.0).ok();
    let (a, b) = (cell(a)?, cell(b)?);
    let apart = LatLng::from(a).distance_km(LatLng::from(b));
    // No point of a cell is further from its centre than twice the mean edge of its resolution.
    let reach = 2.0 * (a.resolution().edge_length_km() + b.resolution().edge_length_km());
    Some((apart - reach).max(0.0) as u32)
}
