//! The miner as a client of other people's servers: share difficulty, the protocol machines with a stepped
//! clock, and the program against scripted servers on loopback.
#![cfg(feature = "cli")]

#[path = "../common/ledger.rs"]
mod common;
mod difficulties;
mod failover;
mod machine_shares;
mod machine_stratum;
mod machine_template;
mod ours;
mod parser_of_others;
mod scripted;
mod servers;
mod talk;
mod texts;
mod vector;
