//! Goods: every named rule of `Move` with its nearest valid neighbour, the order of the checks, recalls
//! against a brute-force twin, quantity over random histories, hand-overs signed by several people.
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "../common/access.rs"]
mod access;
#[cfg(feature = "cli")]
#[path = "../common/binary.rs"]
mod binary;
#[cfg(feature = "cli")]
#[path = "../common/directory.rs"]
mod directory;
#[path = "../common/ledger.rs"]
mod ledger;
#[path = "../common/random.rs"]
mod random;
#[path = "../common/replay.rs"]
mod replay;

#[cfg(feature = "cli")]
#[path = "../common/stage.rs"]
mod stage;

mod blocks;
#[cfg(feature = "cli")]
mod cli;
mod code;
mod histories;
mod order;
mod rules;
mod signing;
mod trace;
mod twin;
mod world;

#[cfg(feature = "cli")]
use ledger as common;
