//! Random choices that a test can make again: from a seed that is printed and that `PROOFWARD_SEED` sets.
#![allow(dead_code, reason = "each test binary uses its part")]

use proofward::fuzzing::forge::SplitMix64;

/// The choices of a test.
pub(crate) fn choices(test: &str) -> SplitMix64 {
    let seed = number_from("PROOFWARD_SEED", 0x5eed);
    println!("{test}: seed {seed}");
    SplitMix64::new(seed)
}

/// A number from the environment.
pub(crate) fn number_from(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}
