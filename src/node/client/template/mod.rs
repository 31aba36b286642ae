//! The client of a node by getblocktemplate and submitblock (BIP22, BIP23, BIP145), as a machine: requests
//! out, answers in. Every request is a connection of its own, so nothing is open but what is asked.
//!
//! A long poll waits for the next tip; a plain request every half minute brings fresh transactions and
//! shows whether the node is still there.
//!
//! Where the template's `target` is easier than its nBits (BIP23), what meets the first only is a share:
//! it is submitted like a block, and the search goes on. After a block nothing is searched until there is
//! work on another one, unless the node refuses it.

mod finds;
mod job;
mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::payout::PayoutScript;
use super::report::{Fate, ShareReport};
use super::session::{Action, Event};
use super::trouble::Trouble;
use crate::engine::Solution;
use crate::primitives::BlockHash;
use finds::{Find, Finds, Judged};
use job::Job;
pub use wire::{BlockTemplate, Transaction};
use wire::{INVALID_PARAMETER, ask_submit, ask_template};

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
/// Shares on their way at once, each on a connection of its own; others wait. Blocks do not.
pub const SUBMITS_MAX: usize = 16;
/// Templates whose solutions are still known.
const JOBS_KEPT: usize = 8;

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
    Submit(Box<Find>),
}

/// A parent on which a block was found, by us or by others.
#[derive(Debug)]
struct Solved {
    parent: BlockHash,
    /// Once the node knows the block: the first request that was asked after. A template on the same
    /// parent that answers it is what the node wants all the same; one that answers an earlier request is
    /// late.
    known_from: Option<u64>,
}

impl Solved {
    /// Whether a template on `parent`, answered to this request, is worthless.
    fn covers(&self, parent: BlockHash, request: u64) -> bool {
        self.parent == parent && self.known_from.is_none_or(|first| request < first)
    }
}

/// The client of one node.
#[derive(Debug)]
pub struct TemplateClient {
    payout: Option<PayoutScript>,
    seed: u64,
    is_open: bool,
    knows_signet: bool,
    next_number: u64,
    open: BTreeMap<u64, (Open, Duration)>,
    next_poll: Duration,
    next_long_poll: Duration,
    long_poll_id: Option<String>,
    /// The parent of the latest template.
    tip: Option<BlockHash>,
    jobs: VecDeque<Arc<Job>>,
    finds: Finds,
    solved: Option<Solved>,
    /// Whether the next template is searched even if it is the one that was searched last.
    wants_any: bool,
}

impl TemplateClient {
    /// A client that has asked nothing yet. With `payout` it builds the coinbase itself where it may;
    /// miners with the same payout need different seeds, or they search the same.
    #[must_use]
    pub fn new(payout: Option<PayoutScript>, seed: u64) -> Self {
        Self {
            payout,
            seed,
            is_open: false,
            knows_signet: false,
            next_number: 1,
            open: BTreeMap::new(),
            next_poll: Duration::ZERO,
            next_long_poll: Duration::ZERO,
            long_poll_id: None,
            tip: None,
            jobs: VecDeque::new(),
            finds: Finds::default(),
            solved: None,
            wants_any: true,
        }
    }

    /// Whether blocks or shares were submitted that are not answered.
    #[must_use]
    pub fn is_owed_answers(&self) -> bool {
        self.is_asking(|open| matches!(open, Open::Submit(_)))
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
                    if let Open::Submit(find) = open {
                        let gone = self.finds.keep_sent(*find);
                        self.lose(gone, &mut actions);
                    }
                }
            }
            Event::Found { offer, solution } => self.found(offer, solution, now, &mut actions),
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
            Open::Submit(find) => ask_submit(number, &find.bytes(), find.work_id()),
        };
        self.open.insert(number, (open, now));
        actions.push(Action::Request(Request { number, body }));
    }

    /// Asks for a template, unless an answer is on its way.
    fn ask_again(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.is_open && !self.is_asking(|open| matches!(open, Open::Template)) {
            self.ask(Open::Template, now, actions);
        }
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
            Open::Submit(find) => {
                self.judged(*find, answer, now.saturating_sub(since), now, actions);
            }
            Open::Template | Open::LongPoll => {
                let is_long = matches!(open, Open::LongPoll);
                let read = answer.and_then(|(status, body)| BlockTemplate::parse(status, &body));
                match read {
                    Ok(template) => self.received(request, template, now, actions),
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

    fn received(
        &mut self,
        request: u64,
        template: BlockTemplate,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let parent = template.prev_block;
        if self.solved.as_ref().is_some_and(|solved| solved.covers(parent, request)) {
            // A block among those that waited for a connection is what ended the search.
            self.submit_kept(now, actions);
            if self.solved.as_ref().is_some_and(|solved| solved.known_from.is_some()) {
                self.ask_again(now, actions);
            }
            if self.tip == Some(parent) {
                self.long_poll_id = template.long_poll;
            }
            self.long_poll(now, actions);
            return;
        }
        self.long_poll_id.clone_from(&template.long_poll);
        let before = self.tip.replace(parent);
        let is_new_tip = before != Some(parent);
        match before.filter(|_| is_new_tip) {
            Some(parent) => {
                self.solved = Some(Solved { parent, known_from: Some(self.next_number) });
            }
            None => _ = self.solved.take_if(|solved| solved.parent == parent),
        }
        self.submit_kept(now, actions);
        if let Err(trouble) = self.offer(template, is_new_tip, actions) {
            actions.push(Action::Leave(trouble));
            return;
        }
        self.long_poll(now, actions);
    }

    /// Has a template searched, unless it is what is searched already.
    fn offer(
        &mut self,
        template: BlockTemplate,
        is_new_tip: bool,
        actions: &mut Vec<Action>,
    ) -> Result<(), Trouble> {
        let is_last = |last: &&Arc<Job>| {
            // Names change from answer to answer; what is searched may not.
            let mut named = template.clone();
            named.long_poll.clone_from(&last.template.long_poll);
            named.work_id.clone_from(&last.template.work_id);
            named == *last.template
        };
        let last = self.jobs.back().filter(is_last).cloned();
        if last.is_some() && !self.wants_any {
            return Ok(());
        }
        let number = self.take_number();
        // Headers that were searched before are not searched again if there are others.
        let renewed = last.filter(|last| last.is_fixed()).and_then(|last| last.renewed(number));
        let job = match renewed {
            Some(job) => job,
            None => Job::new(number, template, self.payout.as_ref(), self.seed)?,
        };
        self.search(job, is_new_tip, actions);
        Ok(())
    }

    fn search(&mut self, job: Job, is_new_tip: bool, actions: &mut Vec<Action>) {
        self.wants_any = false;
        actions.push(Action::Search(Box::new(job.offer(is_new_tip))));
        if self.jobs.len() == JOBS_KEPT {
            self.jobs.pop_front();
        }
        self.jobs.push_back(Arc::new(job));
    }

    fn long_poll(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let is_due = now >= self.next_long_poll && self.long_poll_id.is_some();
        if is_due && !self.is_asking(|open| matches!(open, Open::LongPoll)) {
            self.ask(Open::LongPoll, now, actions);
        }
    }

    fn found(&mut self, offer: u64, solution: Solution, now: Duration, actions: &mut Vec<Action>) {
        let Some(job) = self.jobs.iter().find(|job| job.number == offer) else { return };
        let find = Find::new(Arc::clone(job), solution);
        let parent = find.parent();
        // Every worker may find one before it hears of a block.
        let is_solved = self.solved.as_ref().is_some_and(|solved| solved.parent == parent);
        if is_solved || self.tip != Some(parent) {
            actions.push(Action::Share(find.late()));
            return;
        }
        if find.is_final() {
            self.solved = Some(Solved { parent, known_from: None });
            self.wants_any = true;
            actions.push(Action::Rest);
        }
        self.submit(find, now, actions);
    }

    fn submit(&mut self, find: Find, now: Duration, actions: &mut Vec<Action>) {
        if self.is_open && (find.is_final() || self.has_room()) {
            self.ask(Open::Submit(Box::new(find)), now, actions);
        } else {
            let gone = self.finds.keep(find);
            self.lose(gone, actions);
        }
    }

    fn has_room(&self) -> bool {
        let submits = self.open.values().filter(|(open, _)| matches!(open, Open::Submit(_)));
        submits.count() < SUBMITS_MAX
    }

    fn submit_kept(&mut self, now: Duration, actions: &mut Vec<Action>) {
        while self.has_room()
            && let Some(find) = self.finds.next()
        {
            match self.tip == Some(find.parent()) {
                true => self.ask(Open::Submit(Box::new(find)), now, actions),
                false => actions.push(Action::Share(find.late())),
            }
        }
    }

    /// Tells of one that gave way to others.
    fn lose(&mut self, find: Option<Find>, actions: &mut Vec<Action>) {
        let Some(find) = find else { return };
        if find.is_final() {
            self.solved.take_if(|solved| solved.parent == find.parent());
        }
        let why = match self.is_open {
            true => "more were found than the node answers",
            false => "too many waited for the end of an outage",
        };
        actions.push(Action::Share(find.report(Fate::Lost, Some(why.to_owned()))));
    }

    fn judged(
        &mut self,
        find: Find,
        answer: Result<(u16, Vec<u8>), Trouble>,
        latency: Duration,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let (find, Judged { report, leave }) = match self.finds.answered(find, answer, latency) {
            Ok(judged) => judged,
            Err((find, trouble)) => {
                let gone = self.finds.keep_sent(find);
                self.lose(gone, actions);
                actions.push(Action::Leave(trouble));
                return;
            }
        };
        let ShareReport { fate, .. } = report;
        actions.push(Action::Share(report));
        if find.is_final()
            && let Some(solved) = self.solved.take_if(|solved| solved.parent == find.parent())
            && fate != Fate::Refused
        {
            self.solved = Some(Solved { known_from: Some(self.next_number), ..solved });
        }
        if let Some(trouble) = leave {
            actions.push(Action::Leave(trouble));
            return;
        }
        self.submit_kept(now, actions);
        // The tip is another now; a long poll may be slower than this answer.
        if find.is_final() || fate == Fate::Stale {
            self.ask_again(now, actions);
        }
    }

    fn exhausted(&mut self, offer: u64, now: Duration, actions: &mut Vec<Action>) {
        let Some(last) = self.jobs.back().filter(|last| last.number == offer) else { return };
        let parent = last.template.prev_block;
        if self.solved.as_ref().is_some_and(|solved| solved.parent == parent) {
            return;
        }
        if let Some(job) = last.renewed(self.next_number) {
            self.next_number += 1;
            self.search(job, false, actions);
        } else {
            self.ask_again(now, actions);
        }
    }

    fn tick(&mut self, now: Duration, actions: &mut Vec<Action>) {
        for (open, since) in self.open.values() {
            let after = now.saturating_sub(*since);
            let (wait, what) = match open {
                Open::Template => (TEMPLATE_WAIT, "getblocktemplate"),
                Open::Submit(find) => (SUBMIT_WAIT, find.name()),
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
        if now >= self.next_poll {
            self.ask_again(now, actions);
        }
        self.long_poll(now, actions);
    }
}
