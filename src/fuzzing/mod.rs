//! For those who fuzz: targets over this crate, and a second, naive opinion to compare with. Nothing
//! in the crate depends on it.
//!
//! The targets are plain functions so that `cargo fuzz` (`fuzz/`), a test over the committed corpus
//! (`tests/fuzz_corpus.rs`) and any other fuzzer run the same code.

pub mod naive;
pub mod targets;
