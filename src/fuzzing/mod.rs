//! For those who fuzz: this crate, through targets and a second, naive opinion; or another verifier,
//! through an oracle to compare it with and forged input to try on it. Nothing in the crate depends on it.
//!
//! # Targets
//!
//! [`targets`] are plain functions, so that `cargo fuzz` (folder `fuzz/`), a test over the committed corpus
//! (`tests/fuzz_corpus.rs`) and any other fuzzer run the same code. On stable Rust, without a sanitizer:
//!
//! ```text
//! cargo install cargo-fuzz
//! cargo fuzz run -s none headers -- -max_total_time=60
//! ```
//!
//! With the address sanitizer, which wants unstable flags: `RUSTC_BOOTSTRAP=1 cargo fuzz run headers`. An
//! input that fails goes into `fuzz/corpus/<target>/` under a name that says what it is.
//!
//! # Another verifier
//!
//! [`oracle`] (`proofward oracle`) answers a stream of cases with a verdict a line; [`forge`]
//! (`proofward fuzz make`) makes solved headers and blocks that break one rule at one known place, or
//! none.

pub mod forge;
pub mod naive;
pub mod oracle;
pub mod targets;
