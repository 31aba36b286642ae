//! L4, what is true: a deterministic state machine over blocks of transactions. Synchronous; no clock
//! (time is an argument), float, socket or thread count in any verdict.

pub mod signature;
pub mod store;
pub mod tree;
