//! `cargo fuzz` entry of [`proofward::fuzzing::targets::budget_file`], where the target is.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| proofward::fuzzing::targets::budget_file(data));
