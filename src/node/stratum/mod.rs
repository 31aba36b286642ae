//! The Stratum V1 server: work for the miners of this world, and what they find brought to the ledger.
//!
//! | file | what | not |
//! |---|---|---|
//! | [`protocol`] | a line read, a message written | what either means |
//! | [`bucket`] | how many lines a connection may send | what is done about it |
//! | [`vardiff`] | how hard a connection's shares should be | how a share is judged |
//! | [`job`] | a candidate as `mining.notify` sends it, and the jobs that are alive | to whom it is sent |
//! | [`share`] | what a submission is worth | what is answered |
//! | [`numbers`] | extranonces and job ids that no connection and no restart repeats | |
//! | [`desk`] | what all connections of a port share | sockets |
//! | [`session`] | one connection: `step(event, now)` to bytes and orders | sockets, clock |
//! | [`connection`] | one socket around a session | what is said on it |
//! | [`server`] | who may come in, the clock's ticks, one job for everybody | the protocol |
//! | `watched` | numbers for those who watch | |
//!
//! Written after the sources of the clients themselves: minerd, cpuminer-opt, cgminer, BFGMiner,
//! ESP-Miner and NerdMiner. Where a line looks odd, one of them is named beside it.

pub mod bucket;
pub mod connection;
pub mod desk;
pub mod job;
pub mod limits;
pub mod numbers;
pub mod protocol;
pub mod server;
pub mod session;
pub mod share;
pub mod vardiff;
mod watched;
