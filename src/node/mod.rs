//! L5, the outside world: the directory of a chain, the clock, what other processes
//! leave for it, and the loop that mines on it. It decides
//! no validity; it asks the ledger.

pub mod client;
pub mod difficulty;
pub mod dir;
pub mod duty_file;
pub mod feed;
pub mod job;
pub mod proof_file;

#[cfg(feature = "net")]
pub mod candidate;
#[cfg(feature = "net")]
pub mod clock;
#[cfg(feature = "net")]
pub mod config;
#[cfg(feature = "net")]
pub mod daemon;
#[cfg(feature = "net")]
pub mod handle;
#[cfg(feature = "net")]
pub mod http;
#[cfg(feature = "net")]
pub mod miner;
#[cfg(feature = "net")]
pub mod rpc;
#[cfg(feature = "net")]
pub mod service;
#[cfg(feature = "net")]
pub mod stop;
#[cfg(feature = "net")]
pub mod stratum;

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 by this machine's clock; 0 before that.
#[must_use]
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
