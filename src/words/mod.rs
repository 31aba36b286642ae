//! What the ledger's answers are called, in English and Chinese: one table, so that no sentence exists in
//! one language only. For people at a terminal or a page; nothing that decides validity reads it.
//!
//! A sentence says what the request and the leaf it reveals say, and nothing of leaves that are not
//! revealed.

mod attempt;
mod done;
mod explain;
mod goods;
mod opening;
mod rules;
mod shown;
mod story;
mod table;

pub use attempt::{event, receipt, release, status};
pub use done::Done;
pub use explain::{Explanation, explain};
pub use goods::{Checked, code_opens, grade, label, package, step, trace, unknown_lot};
pub use opening::{Opening, risk};
pub use rules::refusal;
pub use shown::Shown;
pub use story::Told;
pub use table::{Lang, clause, help, purpose, reason, role};
