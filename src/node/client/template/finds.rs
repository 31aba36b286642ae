//! What was found: a share or a block on its way to the node, those that wait for their turn or for the
//! end of an outage, and what answers say.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::job::Job;
use super::wire::{is_late, meaning, result};
use crate::engine::Solution;
use crate::node::client::report::{Fate, ShareReport};
use crate::node::client::stratum::shorten;
use crate::node::client::trouble::Trouble;
use crate::node::difficulty::of_target;
use crate::primitives::BlockHash;

/// Those that wait; the oldest share gives way, and a block only to blocks.
const KEPT_MAX: usize = 64;
/// Refusals in a row, other than late ones, after which a node counts as lying.
const REFUSED_MAX: u32 = 10;

/// A solution with the job that it is of.
#[derive(Debug, Clone)]
pub(super) struct Find {
    job: Arc<Job>,
    solution: Solution,
    /// Whether it was submitted before, and the answer lost.
    was_sent: bool,
}

impl Find {
    pub(super) fn new(job: Arc<Job>, solution: Solution) -> Self {
        Self { job, solution, was_sent: false }
    }

    /// The parent that it stands on.
    pub(super) fn parent(&self) -> BlockHash {
        self.job.template.prev_block
    }

    /// Whether after it nothing on the same parent is worth anything: it is a block, or all that the node
    /// wants.
    pub(super) fn is_final(&self) -> bool {
        self.job.is_ended_by(&self.solution.digest)
    }

    /// What it is to people.
    pub(super) fn name(&self) -> &'static str {
        if self.is_final() { "a block" } else { "a share" }
    }

    /// As it is submitted.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.job.block(&self.solution)
    }

    pub(super) fn work_id(&self) -> Option<&str> {
        self.job.template.work_id.as_deref()
    }

    pub(super) fn report(&self, fate: Fate, reason: Option<String>) -> ShareReport {
        let Solution { digest, .. } = self.solution;
        let block = self.job.is_block(&digest).then_some(BlockHash(digest));
        let difficulty = of_target(&self.job.template.target);
        ShareReport { fate, reason, difficulty, latency: None, block }
    }

    pub(super) fn late(&self) -> ShareReport {
        self.report(Fate::Stale, Some("another block was found first".into()))
    }
}

/// What an answer says.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) report: ShareReport,
    /// Why the node is left, if this was too much.
    pub(super) leave: Option<Trouble>,
}

/// The finds of one node that are not on their way.
#[derive(Debug, Default)]
pub(super) struct Finds {
    kept: VecDeque<Find>,
    refused_in_a_row: u32,
}

impl Finds {
    /// Keeps one whose answer was lost: whether it arrived is unknown, and a second time it would be a
    /// duplicate at worst. Gives back the one that had to go for it.
    pub(super) fn keep_sent(&mut self, find: Find) -> Option<Find> {
        self.keep(Find { was_sent: true, ..find })
    }

    /// Keeps one that was not submitted. Gives back the one that had to go for it.
    pub(super) fn keep(&mut self, find: Find) -> Option<Find> {
        self.kept.push_back(find);
        if self.kept.len() <= KEPT_MAX {
            return None;
        }
        let share = self.kept.iter().position(|find| !find.is_final());
        self.kept.remove(share.unwrap_or(0))
    }

    /// The oldest.
    pub(super) fn next(&mut self) -> Option<Find> {
        self.kept.pop_front()
    }

    /// What the answer to a submission means; the find again if it was lost.
    pub(super) fn answered(
        &mut self,
        find: Find,
        answer: Result<(u16, Vec<u8>), Trouble>,
        latency: Duration,
    ) -> Result<(Find, Judged), (Find, Trouble)> {
        let word = match answer {
            Ok((status, body)) => match result::<Value>(status, &body) {
                Ok(None | Some(Value::Null)) => None,
                Ok(Some(Value::String(word))) => Some(shorten(&word)),
                Ok(Some(other)) => Some(shorten(&other.to_string())),
                Err(trouble) => Some(trouble.to_string()),
            },
            Err(trouble) => return Err((find, trouble)),
        };
        let explained = word.as_deref().map(|word| match meaning(word) {
            "" => word.to_owned(),
            meaning => format!("{word} ({meaning})"),
        });
        let fate = match word.as_deref() {
            None => Fate::Accepted,
            Some("duplicate") if find.was_sent => Fate::Accepted,
            Some(word) if is_late(word) => Fate::Stale,
            Some(_) => Fate::Refused,
        };
        match fate {
            Fate::Refused => self.refused_in_a_row += 1,
            _ => self.refused_in_a_row = 0,
        }
        let reason = explained.clone().filter(|_| fate != Fate::Accepted);
        let report = ShareReport { latency: Some(latency), ..find.report(fate, reason) };
        let leave = (self.refused_in_a_row >= REFUSED_MAX).then(|| {
            let count = std::mem::take(&mut self.refused_in_a_row);
            Trouble::AllRefused { count, reason: explained.unwrap_or_default() }
        });
        Ok((find, Judged { report, leave }))
    }
}
