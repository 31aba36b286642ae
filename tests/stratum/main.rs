//! The stratum server: its messages byte for byte, the machine of a connection with a stepped clock, what
//! real clients say over TCP, and what hostile ones do.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]
#![allow(clippy::float_arithmetic, reason = "difficulties and rates are floats")]

#[path = "../common/access.rs"]
mod access;
#[path = "../common/ledger.rs"]
mod ledger;

/// The name under which the helpers know it.
use ledger as common;

mod accounts;
mod client;
mod floods;
mod hostile;
mod lines;
mod process;
mod rig;
mod sessions;
mod shares;
mod sv1;
mod tcp;
mod transcripts;
mod vardiff;
mod vector;
mod wearers;
mod world;
