//! `cargo fuzz` entry of [`proofward::fuzzing::targets::signature_batch`], where the target is.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| proofward::fuzzing::targets::signature_batch(data));
