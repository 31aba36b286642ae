//! Goods: every named rule of `Move` with its nearest valid neighbour, the order of the checks, recalls
//! against a brute-force twin, quantity over random histories, hand-overs signed by several people.
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "../common/access.rs"]
mod access;
#[path = "../common/ledger.rs"]
mod ledger;
#[path = "../common/random.rs"]
mod random;
#[path = "../common/replay.rs"]
mod replay;

mod blocks;
mod code;
mod histories;
mod order;
mod rules;
mod signing;
mod trace;
mod twin;
mod world;
