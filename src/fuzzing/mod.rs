//! For those who fuzz: this crate, through targets and a second, naive opinion; or another verifier,
//! through an oracle to compare it with and forged input to try on it. Nothing in the crate depends on it.
//!
//! The targets are plain functions so that `cargo fuzz` (`fuzz/`), a test over the committed corpus
//! (`tests/fuzz_corpus.rs`) and any other fuzzer run the same code.

pub mod forge;
pub mod naive;
pub mod oracle;
pub mod targets;
