//! What people and programs are told.

use std::time::Duration;

use super::trouble::Trouble;
use crate::primitives::BlockHash;

/// What became of a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The server counts it.
    Accepted,
    /// Too late: the server has moved on, by its own word or by what it sent before.
    Stale,
    /// Refused for another reason.
    Refused,
    /// Never submitted, or never answered.
    Lost,
}

/// A share and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ShareReport {
    /// What became of it.
    pub fate: Fate,
    /// Why, unless accepted.
    pub reason: Option<String>,
    /// Its difficulty as the job asked for it.
    pub difficulty: f64,
    /// From submission to the answer.
    pub latency: Option<Duration>,
    /// Its hash, if it is a block by the nBits of its header.
    pub block: Option<BlockHash>,
}

/// Something to tell. Servers are numbered in the order in which they were named.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Report {
    /// A connection is tried.
    Connecting {
        /// Which server.
        server: usize,
    },
    /// From now on this server is mined for.
    Active {
        /// Which server.
        server: usize,
    },
    /// New work is searched.
    Job {
        /// Which server.
        server: usize,
        /// The server's name for it.
        job: String,
        /// Height of the block, if known.
        height: Option<u32>,
        /// Share difficulty.
        difficulty: f64,
        /// Whether work before it is stale.
        is_new_tip: bool,
    },
    /// A share met its fate.
    Share {
        /// Which server.
        server: usize,
        /// The share.
        share: ShareReport,
    },
    /// A server was left.
    Left {
        /// Which server.
        server: usize,
        /// Why.
        trouble: Trouble,
        /// When it is tried again.
        retry_in: Duration,
    },
    /// No server has given work for too long: the search rests.
    Idle,
    /// Words of a server, or about one.
    Message {
        /// Which server.
        server: usize,
        /// The words.
        text: String,
    },
    /// The search rests on request.
    Paused {
        /// Whose.
        reason: &'static str,
    },
    /// It goes on.
    Resumed,
}
