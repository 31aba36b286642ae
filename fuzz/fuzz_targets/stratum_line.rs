//! `cargo fuzz` entry of [`proofward::fuzzing::targets::stratum_line`], where the target is.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| proofward::fuzzing::targets::stratum_line(data));
