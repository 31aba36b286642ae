//! Goods as their moves tell of them: which moves a lot went through, where it came from, what came of
//! it, and how much each claim is worth. Nothing here decides validity; that is done by
//! [`crate::ledger::rules::goods`].

mod grade;
mod index;
mod lineage;
mod trace;

pub use grade::{Grade, Label, SignedMove, TRAVEL_KMH_MAX, TRAVEL_SLACK_S};
pub use index::Moved;
pub(in crate::ledger) use index::{remove, write};
pub use lineage::{LINEAGE_MOVES_MAX, Lineage};
pub use trace::{Origin, Trace, TracedStep};
