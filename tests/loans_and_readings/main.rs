//! The rest of life on the chain: loans that both sides announce, and what wearables say.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "../common/access.rs"]
mod access;
#[path = "../common/binary.rs"]
mod binary;
#[path = "../common/mod.rs"]
mod data;
#[path = "../common/directory.rs"]
mod directory;
#[path = "../common/ledger.rs"]
mod ledger;
#[path = "../common/random.rs"]
mod random;
#[path = "../common/replay.rs"]
mod replay;
#[path = "../common/stage.rs"]
mod stage;

/// The name under which the helpers know it.
use ledger as common;

mod budget;
mod commands;
mod fit;
mod import;
mod loans;
mod loans_random;
mod readings;
mod readings_random;
