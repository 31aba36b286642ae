//! L5, the outside world: the directory of a chain, the clock, what other processes
//! leave for it, and the loop that mines on it. It decides
//! no validity; it asks the ledger.

pub mod difficulty;
pub mod dir;
pub mod feed;
pub mod miner;
pub mod proof_file;

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 by this machine's clock; 0 before that.
#[must_use]
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
