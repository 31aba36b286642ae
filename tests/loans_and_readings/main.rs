//! The rest of life on the chain: loans that both sides announce, and what wearables say.
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "../common/access.rs"]
mod access;
#[path = "../common/ledger.rs"]
mod ledger;
#[path = "../common/random.rs"]
mod random;
#[path = "../common/replay.rs"]
mod replay;

mod loans;
mod loans_random;
mod readings;
mod readings_random;
