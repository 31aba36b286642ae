//! **proofward**: a proof-of-work engine with a purpose.
//!
//! # Layers
//!
//! Imports point down this list only; `tests/tidy.rs` holds it.
//!
//! | layer | folder | what |
//! |---|---|---|
//! | L5 | `node` | the outside world: the directory of a chain, the clock, servers for miners, mining for others (features `ledger`, `net`) |
//! | - | `wallet` | signing keys in files or behind a pipe; never imported by the ledger (feature `ledger`) |
//! | - | `interop` | other people's formats; never imported by the ledger (feature `interop`) |
//! | - | `words` | what the ledger's answers are called, in English and Chinese (feature `ledger`) |
//! | L4 | `ledger` | what is true: blocks of transactions and the state they lead to (feature `ledger`) |
//! | - | [`fuzzing`] | for those who fuzz: targets, and a naive second opinion; above all it tests |
//! | L3 | [`engine`] | every core busy: search, batch verification, merkle roots |
//! | L2 | [`kernel`] | one row for each algorithm and instruction set; the only `unsafe` |
//! | - | [`consensus`] | what a valid header is, as pure functions |
//! | L1 | [`hash`] | the scalar truth |
//! | L0 | [`primitives`] | values on the wire |

pub mod primitives;

pub mod hash;

pub mod consensus;

#[expect(unsafe_code, reason = "vector instructions; every block says why it is sound")]
pub mod kernel;

pub mod engine;

pub mod fuzzing;

#[cfg(feature = "ledger")]
pub mod ledger;

#[cfg(feature = "ledger")]
pub mod words;

#[cfg(feature = "ledger")]
pub mod wallet;

#[cfg(feature = "interop")]
pub mod interop;

#[cfg(feature = "ledger")]
pub mod node;
