//! Why a transaction is not taken in, and why one that was goes again.

use crate::ledger::rules::isolation::Ids;
use crate::ledger::rules::{ReadingError, TransactionError};
use crate::ledger::transaction::TransactionId;

/// Why a transaction is not taken in: a rule of the chain, or what this pool does not do for anyone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// No block after the tip may hold it.
    #[error(transparent)]
    Rule(#[from] TransactionError),
    /// Its source has sent too much that is invalid.
    #[error("its source has a score of {score}, at most {max} is listened to")]
    Source {
        /// The score.
        score: u32,
        /// What is listened to.
        max: u32,
    },
    /// It is here.
    #[error("it is pending already")]
    Known,
    /// It could hardly be mined any more.
    #[error("valid to height {to}, from others at least {least}")]
    ExpiresSoon {
        /// Its last height.
        to: u32,
        /// What it should be.
        least: u32,
    },
    /// The pool is full of better ones, or was until a short time ago.
    #[error("fee {got} while the pool is full, at least {least}")]
    PoolFull {
        /// What it should be.
        least: u64,
        /// What it is.
        got: u64,
    },
    /// Another pending one holds its core, nonce or entry, and it does not pay enough to replace that.
    #[error("fee {got} to replace what is pending, at least {least}")]
    Underbid {
        /// What it should be.
        least: u64,
        /// What it is.
        got: u64,
    },
    /// As many approvals as may wait with a pending request do.
    #[error("{0} approvals wait with the request, no more are taken before it is mined")]
    RequestBusy(usize),
    /// As many as may debit this account do.
    #[error("{0} pending transactions debit the account, no more are taken")]
    AccountBusy(usize),
}

impl Refused {
    /// The rule in a word, for programs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rule(error) => error.name(),
            Self::Source { .. } => "source-refused",
            Self::Known => "pending",
            Self::ExpiresSoon { .. } => "expires-soon",
            Self::PoolFull { .. } => "pool-full",
            Self::Underbid { .. } => "underbid",
            Self::RequestBusy(_) => "request-busy",
            Self::AccountBusy(_) => "account-busy",
        }
    }

    /// Whether the same bytes may be taken in later, with nobody doing anything about them.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Rule(TransactionError::NonceGap { last, got }) => got > last,
            // The readings of a device come one after another, and end before the median time past does.
            Self::Rule(TransactionError::Reading(error)) => match error {
                ReadingError::SeqGap { expected, got } => {
                    expected.is_some_and(|expected| *got > expected)
                }
                ReadingError::FutureTime { .. } => true,
                _ => false,
            },
            Self::Rule(error) => matches!(error, TransactionError::NotYetValid { .. }),
            Self::Known => false,
            Self::Source { .. }
            | Self::ExpiresSoon { .. }
            | Self::PoolFull { .. }
            | Self::Underbid { .. }
            | Self::RequestBusy(_)
            | Self::AccountBusy(_) => true,
        }
    }
}

/// One that was taken in and is here no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// Which.
    pub ids: Ids,
    /// Why.
    pub why: Why,
}

/// Why one that was taken in goes again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The best chain holds its core.
    Included,
    /// A better paying one took its place.
    Replaced(TransactionId),
    /// The pool was full.
    Evicted,
    /// No coming block may hold it, or it has waited for too many.
    Expired,
    /// The chain has moved on: the rule that it would break now.
    Stale(TransactionError),
}
