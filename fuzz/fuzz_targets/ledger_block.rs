//! `cargo fuzz` entry of [`proofward::fuzzing::targets::ledger_block`], where the target is.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| proofward::fuzzing::targets::ledger_block(data));
