//! Shares on their way: those that wait for a connection, and what answers say.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

use super::job::Share;
use super::wire::Refusal;
use crate::node::client::report::{Fate, ShareReport};
use crate::node::client::session::Action;
use crate::node::client::trouble::Trouble;

/// Shares that wait for a connection; the oldest gives way.
pub const KEPT_MAX: usize = 64;
/// Refusals in a row, other than stale ones, after which a server counts as lying.
pub const REFUSED_MAX: u32 = 10;

/// The shares of one server that have no fate yet.
#[derive(Debug, Default)]
pub(super) struct Shares {
    kept: VecDeque<Share>,
    refused_in_a_row: u32,
}

/// What an answer says.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) report: ShareReport,
    /// Why the server is left, if this was too much.
    pub(super) leave: Option<Trouble>,
}

impl Shares {
    /// Keeps a share until there is a connection; tells of the one that gave way.
    pub(super) fn keep(&mut self, share: Share) -> Option<Action> {
        self.kept.push_back(share);
        let first = (self.kept.len() > KEPT_MAX).then(|| self.kept.pop_front()).flatten()?;
        Some(Action::Share(first.lost("too many shares waited for the end of an outage")))
    }

    /// Takes at most that many of those kept, oldest first.
    pub(super) fn take(&mut self, count: usize) -> Vec<Share> {
        let count = count.min(self.kept.len());
        self.kept.drain(..count).collect()
    }

    pub(super) fn answered(
        &mut self,
        share: &Share,
        result: Result<Value, Refusal>,
        latency: Duration,
    ) -> Answered {
        let refusal = match result {
            Ok(Value::Bool(true)) => {
                self.refused_in_a_row = 0;
                let report = share.report(Fate::Accepted, None);
                let report = ShareReport { latency: Some(latency), ..report };
                return Answered { report, leave: None };
            }
            Ok(_) => Refusal { code: None, words: String::new() },
            Err(refusal) => refusal,
        };
        let reason = refusal.explained();
        let mut leave = None;
        let fate = if refusal.is_stale() {
            Fate::Stale
        } else {
            self.refused_in_a_row += 1;
            if self.refused_in_a_row >= REFUSED_MAX {
                let count = std::mem::take(&mut self.refused_in_a_row);
                leave = Some(Trouble::AllRefused { count, reason: reason.clone() });
            }
            Fate::Refused
        };
        let report = ShareReport { latency: Some(latency), ..share.report(fate, Some(reason)) };
        Answered { report, leave }
    }
}
