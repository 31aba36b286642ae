//! The client of a node by getblocktemplate and submitblock (BIP22, BIP23, BIP145), as a machine: requests
//! out, answers in. Every request is a connection of its own, so nothing is open but what is asked.
//!
//! A long poll waits for the next tip; a plain request every half minute brings fresh transactions and
//! shows whether the node is still there.

mod job;
mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::Value;

use super::payout::PayoutScript;
use super::report::{Fate, ShareReport};
use super::session::{Action, Event};
use super::stratum::shorten;
use super::trouble::Trouble;
use crate::engine::Solution;
use crate::node::difficulty::of_target;
use crate::primitives::BlockHash;
use job::Job;
pub use wire::{BlockTemplate, Transaction};
use wire::{INVALID_PARAMETER, ask_submit, ask_template, is_late, meaning, result};

/// How long the answer to a plain request may take.
pub const TEMPLATE_WAIT: Duration = Duration::from_secs(30);
/// How long the answer to a block may take.
pub const SUBMIT_WAIT: Duration = Duration::from_secs(60);
/// Between two plain requests of a node that takes long polls.
pub const REFRESH: Duration = Duration::from_secs(30);
/// Between two of a node that does not, and after a long poll failed.
pub const POLL: Duration = Duration::from_secs(5);
/// After which a long poll is replaced: its connection may be dead without a word.
pub const LONG_POLL_MAX: Duration = Duration::from_secs(300);
/// Templates whose solutions are still known.
const JOBS_KEPT: usize = 8;
/// Blocks that wait for a connection.
const KEPT_MAX: usize = 16;
/// Refusals in a row, other than late ones, after which a node counts as lying.
const REFUSED_MAX: u32 = 10;

/// What to ask a node for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its number, to be named with the answer.
    pub number: u64,
    /// JSON.
    pub body: String,
}

#[derive(Debug)]
enum Open {
    Template,
    LongPoll,
    Submit(Box<Block>),
}

/// A block that was found.
#[derive(Debug, Clone)]
struct Block {
    bytes: Vec<u8>,
    work_id: Option<String>,
    hash: BlockHash,
    is_block: bool,
    difficulty: f64,
    prev_block: BlockHash,
}

impl Block {
    fn report(&self, fate: Fate, reason: Option<String>) -> ShareReport {
        let block = self.is_block.then_some(self.hash);
        ShareReport { fate, reason, difficulty: self.difficulty, latency: None, block }
    }
}

/// The client of one node.
#[derive(Debug)]
pub struct TemplateClient {
    payout: Option<PayoutScript>,
    is_open: bool,
    knows_signet: bool,
    next_number: u64,
    open: BTreeMap<u64, (Open, Duration)>,
    next_poll: Duration,
    next_long_poll: Duration,
    long_poll_id: Option<String>,
    jobs: VecDeque<Job>,
    kept: VecDeque<Block>,
    /// Whether the next template is searched even if it is the one that was searched last.
    wants_any: bool,
    refused_in_a_row: u32,
}

impl TemplateClient {
    /// A client that has asked nothing yet. With `payout` it builds the coinbase itself where it may.
    #[must_use]
    pub fn new(payout: Option<PayoutScript>) -> Self {
        Self {
            payout,
            is_open: false,
            knows_signet: false,
            next_number: 1,
            open: BTreeMap::new(),
            next_poll: Duration::ZERO,
            next_long_poll: Duration::ZERO,
            long_poll_id: None,
            jobs: VecDeque::new(),
            kept: VecDeque::new(),
            wants_any: true,
            refused_in_a_row: 0,
        }
    }

    /// Whether blocks were submitted that are not answered.
    #[must_use]
    pub fn is_owed_answers(&self) -> bool {
        self.open.values().any(|(open, _)| matches!(open, Open::Submit(_)))
    }

    /// Takes an event and says what to do.
    pub fn step(&mut self, event: Event, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Opened => {
                self.is_open = true;
                self.wants_any = true;
                self.long_poll_id = None;
                self.next_long_poll = now;
                self.ask(Open::Template, now, &mut actions);
            }
            Event::Answer { request, answer } => {
                self.answered(request, answer, now, &mut actions);
            }
            Event::Closed => {
                self.is_open = false;
                for (open, _) in std::mem::take(&mut self.open).into_values() {
                    if let Open::Submit(block) = open {
                        self.keep(*block, &mut actions);
                    }
                }
            }
            Event::Found { offer, solution } => self.found(offer, &solution, now, &mut actions),
            Event::Exhausted { offer } => self.exhausted(offer, now, &mut actions),
            Event::Tick if self.is_open => self.tick(now, &mut actions),
            Event::Tick | Event::Line(_) => {}
        }
        actions
    }

    fn ask(&mut self, open: Open, now: Duration, actions: &mut Vec<Action>) {
        let number = self.take_number();
        let rules: &[&str] = if self.knows_signet { &["segwit", "signet"] } else { &["segwit"] };
        let body = match &open {
            Open::Template => {
                self.next_poll = now + if self.long_poll_id.is_some() { REFRESH } else { POLL };
                ask_template(number, rules, None)
            }
            Open::LongPoll => ask_template(number, rules, self.long_poll_id.as_deref()),
            Open::Submit(block) => ask_submit(number, &block.bytes, block.work_id.as_deref()),
        };
        self.open.insert(number, (open, now));
        actions.push(Action::Request(Request { number, body }));
    }

    /// Requests and offers are numbered together.
    fn take_number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number - 1
    }

    fn is_asking(&self, wanted: fn(&Open) -> bool) -> bool {
        self.open.values().any(|(open, _)| wanted(open))
    }

    fn answered(
        &mut self,
        request: u64,
        answer: Result<(u16, Vec<u8>), Trouble>,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let Some((open, since)) = self.open.remove(&request) else { return };
        match open {
            Open::Submit(block) => {
                self.judged(*block, answer, now.saturating_sub(since), actions);
                // What was solved is no tip any more; a long poll may be slower than this answer.
                if self.is_open && !self.is_asking(|open| matches!(open, Open::Template)) {
                    self.ask(Open::Template, now, actions);
                }
            }
            Open::Template | Open::LongPoll => {
                let is_long = matches!(open, Open::LongPoll);
                let read = answer.and_then(|(status, body)| BlockTemplate::parse(status, &body));
                match read {
                    Ok(template) => self.received(template, now, actions),
                    // A plain request will show whether the node is in trouble.
                    Err(_) if is_long => self.next_long_poll = now + POLL,
                    Err(Trouble::Rpc { code: INVALID_PARAMETER, message })
                        if message.contains("signet") && !self.knows_signet =>
                    {
                        self.knows_signet = true;
                        self.ask(Open::Template, now, actions);
                    }
                    Err(trouble) => actions.push(Action::Leave(trouble)),
                }
            }
        }
    }

    fn received(&mut self, template: BlockTemplate, now: Duration, actions: &mut Vec<Action>) {
        self.long_poll_id.clone_from(&template.long_poll);
        let last = self.jobs.back().map(|job| &job.template);
        let is_new_tip = last.is_none_or(|last| last.prev_block != template.prev_block);
        let is_known = last.is_some_and(|last| {
            // Names change from answer to answer; what is searched may not.
            let names = (last.long_poll.clone(), last.work_id.clone());
            let mut named = template.clone();
            (named.long_poll, named.work_id) = names;
            named == *last
        });
        if self.wants_any || !is_known {
            let number = self.take_number();
            match Job::new(number, template, self.payout.as_ref()) {
                Ok(job) => self.search(job, is_new_tip, actions),
                Err(trouble) => {
                    actions.push(Action::Leave(trouble));
                    return;
                }
            }
        }
        for block in std::mem::take(&mut self.kept) {
            self.submit(block, now, actions);
        }
        self.long_poll(now, actions);
    }

    fn search(&mut self, job: Job, is_new_tip: bool, actions: &mut Vec<Action>) {
        self.wants_any = false;
        actions.push(Action::Search(Box::new(job.offer(is_new_tip))));
        if self.jobs.len() == JOBS_KEPT {
            self.jobs.pop_front();
        }
        self.jobs.push_back(job);
    }

    fn long_poll(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let is_due = now >= self.next_long_poll && self.long_poll_id.is_some();
        if is_due && !self.is_asking(|open| matches!(open, Open::LongPoll)) {
            self.ask(Open::LongPoll, now, actions);
        }
    }

    fn found(&mut self, offer: u64, solution: &Solution, now: Duration, actions: &mut Vec<Action>) {
        let Some(job) = self.jobs.iter_mut().find(|job| job.number == offer) else { return };
        // Every worker may find one before it hears of the first.
        if std::mem::replace(&mut job.is_solved, true) {
            return;
        }
        self.wants_any = true;
        let target = job.template.bits.to_target();
        let block = Block {
            bytes: job.block(solution),
            work_id: job.template.work_id.clone(),
            hash: BlockHash(solution.digest),
            is_block: target.is_ok_and(|target| target.is_met_by(&solution.digest)),
            difficulty: of_target(&job.template.target),
            prev_block: job.template.prev_block,
        };
        match self.is_open {
            true => self.submit(block, now, actions),
            false => self.keep(block, actions),
        }
    }

    fn submit(&mut self, block: Block, now: Duration, actions: &mut Vec<Action>) {
        let tip = self.jobs.back().map(|job| job.template.prev_block);
        if tip != Some(block.prev_block) {
            let why = "another block was found first".to_owned();
            actions.push(Action::Share(block.report(Fate::Stale, Some(why))));
            return;
        }
        self.ask(Open::Submit(Box::new(block)), now, actions);
    }

    fn keep(&mut self, block: Block, actions: &mut Vec<Action>) {
        self.kept.push_back(block);
        if self.kept.len() > KEPT_MAX
            && let Some(first) = self.kept.pop_front()
        {
            let why = "too many blocks waited for the end of an outage".to_owned();
            actions.push(Action::Share(first.report(Fate::Lost, Some(why))));
        }
    }

    fn judged(
        &mut self,
        block: Block,
        answer: Result<(u16, Vec<u8>), Trouble>,
        latency: Duration,
        actions: &mut Vec<Action>,
    ) {
        let word = match answer {
            Ok((status, body)) => match result::<Value>(status, &body) {
                Ok(None | Some(Value::Null)) => None,
                Ok(Some(Value::String(word))) => Some(shorten(&word)),
                Ok(Some(other)) => Some(shorten(&other.to_string())),
                Err(trouble) => Some(trouble.to_string()),
            },
            Err(trouble) => {
                // Whether it arrived is unknown; a second time it would be a duplicate at worst.
                self.keep(block, actions);
                actions.push(Action::Leave(trouble));
                return;
            }
        };
        let explained = word.as_deref().map(|word| match meaning(word) {
            "" => word.to_owned(),
            meaning => format!("{word} ({meaning})"),
        });
        let fate = match word.as_deref() {
            // Submitted twice over an outage.
            None | Some("duplicate") => Fate::Accepted,
            Some(word) if is_late(word) => Fate::Stale,
            Some(_) => Fate::Refused,
        };
        match fate {
            Fate::Refused => self.refused_in_a_row += 1,
            _ => self.refused_in_a_row = 0,
        }
        let reason = explained.clone().filter(|_| fate != Fate::Accepted);
        let report = block.report(fate, reason);
        actions.push(Action::Share(ShareReport { latency: Some(latency), ..report }));
        if self.refused_in_a_row >= REFUSED_MAX {
            let count = std::mem::take(&mut self.refused_in_a_row);
            let reason = explained.unwrap_or_default();
            actions.push(Action::Leave(Trouble::AllRefused { count, reason }));
        }
    }

    fn exhausted(&mut self, offer: u64, now: Duration, actions: &mut Vec<Action>) {
        let Some(last) = self.jobs.back().filter(|last| last.number == offer) else { return };
        if last.is_solved {
            return;
        }
        if let Some(job) = last.renewed(self.next_number) {
            self.next_number += 1;
            self.search(job, false, actions);
        } else if self.is_open && !self.is_asking(|open| matches!(open, Open::Template)) {
            self.ask(Open::Template, now, actions);
        }
    }

    fn tick(&mut self, now: Duration, actions: &mut Vec<Action>) {
        for (open, since) in self.open.values() {
            let after = now.saturating_sub(*since);
            let (wait, what) = match open {
                Open::Template => (TEMPLATE_WAIT, "getblocktemplate"),
                Open::Submit(_) => (SUBMIT_WAIT, "a block"),
                Open::LongPoll => continue,
            };
            if after >= wait {
                actions.push(Action::Leave(Trouble::NoAnswer { what, after }));
                return;
            }
        }
        self.open.retain(|_, (open, since)| {
            !matches!(open, Open::LongPoll) || now.saturating_sub(*since) < LONG_POLL_MAX
        });
        if now >= self.next_poll && !self.is_asking(|open| matches!(open, Open::Template)) {
            self.ask(Open::Template, now, actions);
        }
        self.long_poll(now, actions);
    }
}
