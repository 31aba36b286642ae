//! `proofward node` as miners, pools and strangers meet it: RPC, long polls, blocks built by code of
//! others, limits; and the process with its ready line, its signals and its death.
#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "../common/binary.rs"]
mod binary;
#[path = "../common/ledger.rs"]
mod common;
#[path = "../common/directory.rs"]
mod directory;

mod calls;
mod candidates;
mod hostile;
mod http;
mod miner;
mod process;
mod shares;
mod templates;
mod wearers;
mod world;
