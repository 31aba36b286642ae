//! Goods as their moves tell of them: which moves a lot went through, where it came from, what came of
//! it, and how much each claim is worth. Nothing here decides validity; that is done by
//! [`crate::ledger::rules::goods`].

mod index;

pub use index::Moved;
pub(in crate::ledger) use index::{remove, write};
