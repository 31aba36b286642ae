//! `cargo fuzz` entry of [`proofward::fuzzing::targets::signer_answer`], where the target is.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| proofward::fuzzing::targets::signer_answer(data));
