//! What every protocol machine takes and gives. No input, output or clock here: time is an argument, since
//! the start of the miner.

use std::time::Duration;

use super::offer::Offer;
use super::report::ShareReport;
use super::stratum::Stratum;
use super::template::{Request, TemplateClient};
use super::trouble::Trouble;
use crate::engine::Solution;

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The way to the server is open.
    Opened,
    /// A line arrived (stratum).
    Line(String),
    /// A request was answered, or not (getblocktemplate).
    Answer {
        /// The number of the request.
        request: u64,
        /// HTTP status and body.
        answer: Result<(u16, Vec<u8>), Trouble>,
    },
    /// The connection is gone. Nothing was asked for.
    Closed,
    /// The engine solved an offer.
    Found {
        /// Number of the offer.
        offer: u64,
        /// The solution.
        solution: Solution,
    },
    /// All of an offer was searched.
    Exhausted {
        /// Number of the offer.
        offer: u64,
    },
    /// Time passed.
    Tick,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Send this line; a line feed is to follow (stratum).
    Send(String),
    /// Send this request (getblocktemplate).
    Request(Request),
    /// Search this from now on; what was offered before is stale or will soon be.
    Search(Box<Offer>),
    /// Search nothing of this server until its next offer: a block was found, and nothing beside it is
    /// worth a hash.
    Rest,
    /// Tell what became of a share.
    Share(ShareReport),
    /// Tell people.
    Message(String),
    /// Leave the server.
    Leave(Trouble),
}

/// One server's protocol. It lives as long as the miner, over any number of connections.
#[derive(Debug)]
pub enum Session {
    /// Stratum V1.
    Stratum(Box<Stratum>),
    /// getblocktemplate.
    Template(Box<TemplateClient>),
}

impl Session {
    /// Takes an event and says what to do. `now` never goes back.
    pub fn step(&mut self, event: Event, now: Duration) -> Vec<Action> {
        match self {
            Self::Stratum(stratum) => stratum.step(event, now),
            Self::Template(template) => template.step(event, now),
        }
    }

    /// Whether answers to shares are still to come.
    #[must_use]
    pub fn is_owed_answers(&self) -> bool {
        match self {
            Self::Stratum(stratum) => stratum.is_owed_answers(),
            Self::Template(template) => template.is_owed_answers(),
        }
    }
}
