//! Why a server is left, in words for people: what happened, and what to do where that is known.

use std::time::Duration;

use thiserror::Error;

/// Why a server is left, for now.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Trouble {
    /// No connection came about.
    #[error("cannot connect: {0}")]
    Unreachable(String),
    /// The name of the server leads nowhere.
    #[error("no such host: {0}")]
    NoSuchHost(String),
    /// The encrypted connection was not agreed on.
    #[error("no secure connection: {0}")]
    Tls(String),
    /// The other end closed the connection.
    #[error("the server closed the connection")]
    Closed,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// Nobody answered in time.
    #[error("no answer to {what} for {} s", .after.as_secs())]
    NoAnswer {
        /// To what.
        what: &'static str,
        /// How long it was waited for.
        after: Duration,
    },
    /// Connected, but without work.
    #[error("connected, but no new job for {} s", .0.as_secs())]
    NoJob(Duration),
    /// The user may not mine here.
    #[error("the server refuses the user: {0}; see --user and --pass")]
    Unauthorized(String),
    /// Whatever is submitted is refused.
    #[error("the last {count} shares were all refused: {reason}; is --algorithm right?")]
    AllRefused {
        /// How many.
        count: u32,
        /// The last reason.
        reason: String,
    },
    /// What it says makes no sense.
    #[error("not understood: {0}")]
    Protocol(String),
    /// It asks to connect again, perhaps elsewhere.
    #[error("the server asks to reconnect{}", .address.as_ref().map(|(host, port)| format!(" to {host}:{port}")).unwrap_or_default())]
    Reconnect {
        /// Another host and port, if it names one.
        address: Option<(String, u16)>,
        /// How long to wait first.
        after: Duration,
    },
    /// HTTP without a result.
    #[error("HTTP status {status}{}", hint(*.status))]
    Http {
        /// The status.
        status: u16,
    },
    /// The server has no block to offer now.
    #[error("not ready: {0}")]
    NotReady(String),
    /// It answers with an error.
    #[error("error {code}: {message}")]
    Rpc {
        /// The code.
        code: i64,
        /// Its words.
        message: String,
    },
    /// Its blocks cannot be mined by this miner.
    #[error("cannot mine its blocks: {0}")]
    Unsuitable(String),
    /// A file that the connection needs cannot be read.
    #[error("{0}")]
    File(String),
    /// A better server is back.
    #[error("no longer needed")]
    NotNeeded,
}

fn hint(status: u16) -> &'static str {
    match status {
        401 => ": wrong user or password; name the node's cookie file with --cookie",
        403 => ": this machine is not allowed; see rpcallowip of the node",
        404 => ": nothing at this path",
        503 => ": the node is too busy",
        _ => "",
    }
}

impl Trouble {
    /// Whether to ask again soon is of no use: a person has to change something, or the other end time.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::Unauthorized(_)
                | Self::AllRefused { .. }
                | Self::Unsuitable(_)
                | Self::Http { status: 401 | 403 | 404 }
                | Self::File(_)
        )
    }
}
