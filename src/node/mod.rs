//! L5, the outside world: the directory of a chain, the clock, what other processes leave for it, the
//! servers for miners and those who watch, and mining on one's own or for others. It decides no validity;
//! it asks the ledger.
//!
//! A thread owns the chain ([`service`]); everybody else has a [`handle`]: the servers [`stratum`], [`rpc`]
//! and [`http`], and the [`miner`], which know nothing of one another; the first two count shares by
//! [`accounting`] and [`seen`]. [`daemon`] opens and closes them
//! all. [`client`] is the other side: a miner for other people's servers.

pub mod budget;
pub mod call_id;
pub mod client;
pub mod difficulty;
pub mod dir;
pub mod duty_file;
pub mod feed;
pub mod job;
pub mod proof_file;

#[cfg(feature = "net")]
pub mod accounting;
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
pub mod seen;
#[cfg(feature = "net")]
pub mod service;
#[cfg(feature = "net")]
pub mod stop;
#[cfg(feature = "net")]
pub mod stratum;
#[cfg(feature = "net")]
pub mod wearers;

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 by this machine's clock; 0 before that.
#[must_use]
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
