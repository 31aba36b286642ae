//! L4, what is true: a deterministic state machine over blocks of transactions. Synchronous; no clock
//! (time is an argument), float, socket or thread count in any verdict.
//!
//! | folder | what |
//! |---|---|
//! | [`chain`] | the header tree, the best branch, what moves its tip; finality |
//! | [`mempool`], [`template`] | what waits for a block, and the next block to mine |
//! | [`rules`] | what makes a block and a transaction valid, level by level, by name |
//! | [`state`] | what the chain knows after a block, applied and undone |
//! | [`block`], [`coinbase`], [`transaction`] | the bytes |
//! | [`policy`] | what a policy says and when it allows |
//! | [`audit`] | what happened to a record, provably complete |
//! | [`goods`] | what moves tell of goods: where a lot came from, what came of it |
//! | [`credit`] | what activity is worth |
//! | [`spec`] | what makes one chain: its constants and keys |
//! | [`archive`] | the blocks of a chain in one file |
//! | [`address`] | how people write a key |
//! | [`signature`] | keys and signatures, singly and in batches |
//! | [`tree`] | the authenticated map whose root every coinbase commits to |
//! | [`store`] | numbered tables of bytes, written in batches |
//! | [`bytes`] | keys and values in memory |

pub mod address;
pub mod archive;
pub mod audit;
pub mod block;
pub mod bytes;
pub mod chain;
pub mod coinbase;
pub mod credit;
pub mod goods;
mod map;
pub mod mempool;
pub mod policy;
pub mod rules;
pub mod signature;
pub mod spec;
pub mod state;
pub mod store;
pub mod template;
pub mod transaction;
pub mod tree;
