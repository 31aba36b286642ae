//! Access by commands alone: claims, records, policies, on a chain of its own in a folder of its own.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "../common/binary.rs"]
mod binary;
#[path = "../common/ledger.rs"]
mod common;
#[path = "../common/directory.rs"]
mod directory;

mod audit;
mod claims;
mod guardian;
mod openers;
mod opening;
mod records;
#[path = "../common/stage.rs"]
mod stage;
mod story;
