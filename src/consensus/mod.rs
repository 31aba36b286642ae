//! What a valid header is, for our chains and for Bitcoin's: pure functions of headers and a chain
//! specification. No clock (now is an argument), no thread, no disk.
//!
//! [`check_header`] is the only judge: it goes through [`Rule::ALL`] in order, with what a [`Context`]
//! knows, and reports the rest as not judged. Faster paths may skip it only where they have shown that
//! it would find nothing.

mod ancestry;
pub mod block;
pub mod difficulty;
mod header;
pub mod merkle;
mod rule;
mod spec;
pub mod time;

pub use ancestry::Ancestry;
pub use header::{Context, Parent, check_hashed_header, check_header};
pub use rule::{Rule, RuleSet, Violation};
pub use spec::{ChainSpec, UnknownChain, VersionFloor};
