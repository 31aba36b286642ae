//! One connection, as a machine: `step(event, now)` appends what is to be sent and says what else is to
//! be done. It has no socket and no clock. What it shares with others is the [`Desk`].
//!
//! The order that every client can take: the reply to `mining.subscribe` is the first line after it;
//! difficulty and work come before the reply to `mining.authorize`, and nothing else in between, since
//! minerd, cpuminer-opt and cgminer read whatever comes then as that reply.

use std::sync::Arc;

use super::bucket::Bucket;
use super::desk::Desk;
use super::job::{Job, id_of, number_of};
use super::limits::{
    INVALID_ONLY_MS, JOBS_LEAST, LINES_AT_ONCE_MAX, LINES_PER_S_MAX, MALFORMED_LINES_MAX,
    SILENT_MS_MAX, UNAUTHORISED_MS_MAX, WORKERS_MAX,
};
use super::numbers::Extranonce1;
use super::protocol::{
    Call, Configure, LineError, Reject, Submit, Writer, agreed_mask, difficulty_of_password, parse,
};
use super::share::{self, Found};
use super::vardiff::Vardiff;
use crate::ledger::signature::PubKey;
use crate::node::accounting::Login;
use crate::node::call_id::Id;
use crate::node::clock::Moment;
use crate::node::difficulty::Difficulty;

/// What happens to a connection.
#[derive(Debug)]
pub enum Event<'a> {
    /// A line came, its end left out.
    Line(&'a [u8]),
    /// There is a job for everybody; `true` if it stands on another tip.
    Job(&'a Arc<Job>, bool),
    /// The block that [`Next::Submit`] handed out has been judged, and is durable if it was accepted.
    Submitted,
    /// Time passes.
    Tick,
}

/// What is to be done besides sending.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Nothing.
    Go,
    /// Bring this block to the ledger, and step on with [`Event::Submitted`] before the next line: its
    /// share is answered then, so that an accepted share never stands for a block that was lost.
    Submit(Found),
    /// Close the connection once everything is sent.
    Close(Ending),
}

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum Ending {
    /// Nobody logged in.
    #[error("nobody logged in for {} s", UNAUTHORISED_MS_MAX / 1000)]
    Unauthorised,
    /// No line came.
    #[error("no line for {} s", SILENT_MS_MAX / 1000)]
    Silent,
    /// Nothing but invalid shares.
    #[error("nothing but invalid shares for {} s", INVALID_ONLY_MS[2] / 1000)]
    InvalidOnly,
    /// Lines that are no messages.
    #[error("{MALFORMED_LINES_MAX} lines that are no message")]
    Malformed,
    /// More lines than any miner needs.
    #[error("more than {LINES_AT_ONCE_MAX} lines at once, or {LINES_PER_S_MAX} a second")]
    Flood,
    /// A browser.
    #[error("an HTTP request")]
    Http,
    /// There is no extranonce for it: the disk is full.
    #[error("no extranonce could be reserved")]
    NoExtranonce,
}

/// One connection.
#[derive(Debug)]
pub struct Session {
    desk: Arc<Desk>,
    extranonce1: Option<Extranonce1>,
    version_mask: u32,
    payout: Option<PubKey>,
    workers: Vec<Login>,
    vardiff: Vardiff,
    /// From which job on which difficulty was in force, the newest last.
    sent: Vec<(u32, Difficulty)>,
    last_job: Option<u32>,
    opened_ms: u64,
    line_ms: u64,
    bucket: Bucket,
    malformed: u32,
    invalid: Option<InvalidOnly>,
    /// The share whose block is being judged.
    pending: Option<Pending>,
}

#[derive(Debug)]
struct InvalidOnly {
    since_ms: u64,
    stage: usize,
}

#[derive(Debug)]
struct Pending {
    id: Id,
    verdict: Result<Difficulty, Reject>,
}

/// Difficulties of a connection that are remembered: no more jobs live that they could concern.
const DIFFICULTIES_MAX: usize = 2 * JOBS_LEAST;

impl Session {
    /// A connection that has just been opened.
    #[must_use]
    pub fn new(desk: Arc<Desk>, now: Moment) -> Self {
        Self {
            vardiff: Vardiff::new(desk.settings.start, now),
            desk,
            extranonce1: None,
            version_mask: 0,
            payout: None,
            workers: Vec::new(),
            sent: Vec::new(),
            last_job: None,
            opened_ms: now.ms,
            line_ms: now.ms,
            bucket: Bucket::full(now),
            malformed: 0,
            invalid: None,
            pending: None,
        }
    }

    /// One step. What is to be sent is appended to `out`, whole lines.
    pub fn step(&mut self, event: Event<'_>, now: Moment, out: &mut Vec<u8>) -> Next {
        match event {
            Event::Line(line) => self.line(line, now, out),
            Event::Job(job, is_clean) => {
                self.job(job, is_clean, out);
                Next::Go
            }
            Event::Submitted => {
                if let Some(Pending { id, verdict }) = self.pending.take() {
                    answer(&id, verdict, out);
                }
                Next::Go
            }
            Event::Tick => self.tick(now),
        }
    }

    /// Whether somebody has logged in.
    #[must_use]
    pub fn is_authorised(&self) -> bool {
        !self.workers.is_empty()
    }

    /// Who logged in first, as people call it.
    #[must_use]
    pub fn label(&self) -> Option<Arc<str>> {
        self.workers.first().map(|worker| Arc::clone(&worker.label))
    }

    /// Whether it needs another job than the one that it works on: its difficulty is to change, and
    /// clients take a new one on with the next job only.
    #[must_use]
    pub fn wants_job(&self, current: &Job) -> bool {
        self.is_authorised()
            && self.extranonce1.is_some()
            && (self.last_job.is_none()
                || self.invalid.as_ref().is_some_and(|invalid| invalid.stage == 1)
                || self.sent.last().map(|(_, sent)| *sent) != Some(self.fitting(current)))
    }

    /// The number of the job that it works on.
    #[must_use]
    pub fn last_job(&self) -> Option<u32> {
        self.last_job
    }

    fn line(&mut self, line: &[u8], now: Moment, out: &mut Vec<u8>) -> Next {
        if !self.bucket.take(now) {
            if self.is_authorised() {
                Writer(out).show_message(&Ending::Flood.to_string());
            }
            return Next::Close(Ending::Flood);
        }
        let line = line.trim_ascii();
        if line.is_empty() {
            return Next::Go;
        }
        let request = match parse(line) {
            Ok(request) => request,
            Err(LineError::Http) => {
                Writer(out).http();
                return Next::Close(Ending::Http);
            }
            Err(LineError::NotAMessage(_)) => {
                self.malformed += 1;
                let is_end = self.malformed >= MALFORMED_LINES_MAX;
                return if is_end { Next::Close(Ending::Malformed) } else { Next::Go };
            }
        };
        self.line_ms = now.ms;
        let id = request.id;
        match request.call {
            Call::Subscribe { session } => return self.subscribe(&id, session, out),
            Call::Configure(asked) => self.configure(&id, &asked, now, out),
            Call::Authorize { user, password } => self.authorise(&id, &user, &password, now, out),
            Call::Submit(submit) => return self.submit(id, submit, now, out),
            Call::Suggest(asked) => match asked {
                Some(asked) => {
                    self.vardiff.suggest(asked, now);
                    Writer(out).result(&id, "true");
                }
                None => Writer(out).reject(&id, Reject::Malformed("not a difficulty")),
            },
            // Without an answer within three seconds cpuminer-opt stops after 2^32 nonces.
            Call::ExtranonceSubscribe => Writer(out).result(&id, "true"),
            Call::Transactions => Writer(out).reject(&id, Reject::NoTransactions),
            Call::Ping => Writer(out).result(&id, "\"pong\""),
            Call::Answer => {}
            Call::Unknown => Writer(out).reject(&id, Reject::UnknownMethod),
        }
        Next::Go
    }

    fn subscribe(&mut self, id: &Id, session: Option<u32>, out: &mut Vec<u8>) -> Next {
        if self.extranonce1.is_none() {
            let numbers = &self.desk.numbers;
            let resumed = session.and_then(|session| numbers.resume(session));
            match resumed.map_or_else(|| numbers.extranonce1(), Ok) {
                Ok(extranonce1) => self.extranonce1 = Some(extranonce1),
                Err(_) => return Next::Close(Ending::NoExtranonce),
            }
        }
        if let Some(extranonce1) = &self.extranonce1 {
            Writer(out).subscribed(id, extranonce1.bytes());
        }
        // Subscribing puts the client's difficulty back to 1.
        self.last_job = None;
        self.give_current(out);
        Next::Go
    }

    fn configure(&mut self, id: &Id, asked: &Configure, now: Moment, out: &mut Vec<u8>) {
        if let Some(mask) = asked.version_rolling {
            self.version_mask = agreed_mask(mask);
        }
        if let Some(Some(minimum)) = asked.minimum_difficulty {
            self.vardiff.suggest(minimum, now);
        }
        Writer(out).configured(id, asked, self.version_mask);
    }

    fn authorise(&mut self, id: &Id, user: &str, password: &str, now: Moment, out: &mut Vec<u8>) {
        let user: String = user.chars().filter(|c| !c.is_control()).collect();
        let user = user.trim();
        let is_known = self.workers.iter().any(|worker| &*worker.name == user);
        if !is_known {
            let payout = match self.desk.payout_of(user) {
                Ok(payout) => payout,
                Err(words) => return Writer(out).error(id, Reject::Unauthorised.code(), &words),
            };
            if self.payout.is_some_and(|first| first != payout) {
                let words = "Unauthorized worker: one connection mines for one address";
                return Writer(out).error(id, Reject::Unauthorised.code(), words);
            }
            if self.workers.len() == WORKERS_MAX {
                let words = "Unauthorized worker: too many workers on one connection";
                return Writer(out).error(id, Reject::Unauthorised.code(), words);
            }
            self.payout = Some(payout);
            self.workers.push(self.desk.accounts.login(user));
        }
        if let Some(asked) = difficulty_of_password(password) {
            self.vardiff.fix(asked, now);
        }
        self.give_current(out);
        Writer(out).result(id, "true");
    }

    fn submit(
        &mut self,
        id: Id,
        submit: Result<Submit, Reject>,
        now: Moment,
        out: &mut Vec<u8>,
    ) -> Next {
        let (Some(payout), Some(extranonce1)) = (self.payout, &self.extranonce1) else {
            let is_subscribed = self.extranonce1.is_some();
            let reject = if is_subscribed { Reject::Unauthorised } else { Reject::NotSubscribed };
            Writer(out).reject(&id, reject);
            return Next::Go;
        };
        let submit = match submit {
            Ok(submit) => submit,
            Err(reject) => {
                if let Some(worker) = self.workers.first() {
                    worker.count(Err(reject.counted()), false, now);
                }
                return self.refuse(&id, reject, now, out);
            }
        };
        let number = submit.job.map(|job| number_of(job, extranonce1.get()));
        let lookup = number.map_or(super::job::Lookup::Unknown, |job| self.desk.find(job, now));
        let named = submit.worker.trim();
        let worker = self.workers.iter().position(|worker| &*worker.name == named);
        let settings = &self.desk.settings;
        let terms = share::Terms {
            algorithm: settings.algorithm,
            future_limit_s: settings.future_limit_s,
            payout,
            extranonce1: extranonce1.bytes(),
            version_mask: self.version_mask,
            difficulty: number
                .and_then(|number| self.least_since(number))
                .unwrap_or_else(|| self.vardiff.wanted()),
            is_authorised: worker.is_some(),
        };
        let mut judged = share::judge(&lookup, &submit, &terms, &self.desk.seen, now);
        if let (Ok(difficulty), Some(budget)) = (judged.verdict, &self.desk.budget)
            && !budget.spend(&payout, difficulty.hashes(), now)
        {
            judged.verdict = Err(Reject::BudgetSpent);
        }
        if let Some(worker) = worker.or(Some(0)).and_then(|index| self.workers.get(index)) {
            let verdict = judged.verdict.map_err(Reject::counted);
            worker.count(verdict, judged.found.is_some(), now);
        }
        if let Ok(difficulty) = judged.verdict {
            self.vardiff.accepted(difficulty, now);
            self.invalid = None;
        }
        match (judged.found, judged.verdict) {
            (Some(found), verdict) => {
                self.pending = Some(Pending { id, verdict });
                Next::Submit(found)
            }
            (None, Ok(_)) => {
                Writer(out).result(&id, "true");
                Next::Go
            }
            (None, Err(reject)) => self.refuse(&id, reject, now, out),
        }
    }

    /// The lowest difficulty that was in force from this job on.
    fn least_since(&self, number: u32) -> Option<Difficulty> {
        let newest = self.last_job?;
        let age = |of: u32| newest.wrapping_sub(of);
        let mut least: Option<Difficulty> = None;
        for (from, difficulty) in self.sent.iter().rev() {
            let is_less = least.is_none_or(|least| *difficulty < least);
            least = if is_less { Some(*difficulty) } else { least };
            // A number that is newer than the newest wraps to a great age: then all of them count.
            if age(*from) >= age(number) {
                break;
            }
        }
        least
    }

    /// ckpool's patience with clients all of whose shares are invalid: fresh work, then an invitation to
    /// reconnect, then the end. A stale share is nobody's fault.
    fn refuse(&mut self, id: &Id, reject: Reject, now: Moment, out: &mut Vec<u8>) -> Next {
        Writer(out).reject(id, reject);
        if matches!(reject, Reject::Stale | Reject::BudgetSpent) {
            return Next::Go;
        }
        let invalid = self.invalid.get_or_insert(InvalidOnly { since_ms: now.ms, stage: 0 });
        let lasted_ms = now.ms.saturating_sub(invalid.since_ms);
        let [work, reconnect, end] = INVALID_ONLY_MS;
        if lasted_ms >= end {
            return Next::Close(Ending::InvalidOnly);
        }
        if lasted_ms >= reconnect && invalid.stage < 3 {
            invalid.stage = 3;
            Writer(out).reconnect();
        } else if lasted_ms >= work && invalid.stage < 1 {
            invalid.stage = 1;
        }
        Next::Go
    }

    fn tick(&mut self, now: Moment) -> Next {
        let since = |ms: u64| now.ms.saturating_sub(ms);
        if !self.is_authorised() {
            let is_over = since(self.opened_ms) >= UNAUTHORISED_MS_MAX;
            return if is_over { Next::Close(Ending::Unauthorised) } else { Next::Go };
        }
        self.vardiff.tick(now);
        // Who fixed a difficulty that it can hardly meet is not dropped for it; TCP finds out if it is gone.
        if since(self.line_ms) >= SILENT_MS_MAX && !self.vardiff.is_fixed() {
            return Next::Close(Ending::Silent);
        }
        Next::Go
    }

    fn give_current(&mut self, out: &mut Vec<u8>) {
        if let Some(job) = self.desk.current()
            && self.last_job != Some(job.number)
        {
            self.job(&job, true, out);
        }
    }

    /// Difficulty, if it changes, and work. To nobody who has not logged in.
    fn job(&mut self, job: &Job, is_clean: bool, out: &mut Vec<u8>) {
        let (Some(payout), Some(extranonce1)) = (self.payout, &self.extranonce1) else { return };
        let is_first = self.last_job.is_none();
        // The connection may have fetched a newer one while this one was on its way.
        let is_newer = |last: u32| (1..=u32::MAX / 2).contains(&job.number.wrapping_sub(last));
        if !self.last_job.is_none_or(is_newer) {
            return;
        }
        let id = id_of(job.number, extranonce1.get());
        let difficulty = self.fitting(job);
        if is_first || self.sent.last().map(|(_, sent)| *sent) != Some(difficulty) {
            if self.sent.len() == DIFFICULTIES_MAX {
                self.sent.remove(0);
            }
            self.sent.push((job.number, difficulty));
            Writer(out).set_difficulty(difficulty);
        }
        if let Some(invalid) = &mut self.invalid
            && invalid.stage == 1
        {
            invalid.stage = 2;
        }
        self.last_job = Some(job.number);
        job.work.notify(id, &payout, is_clean || is_first, out);
    }

    /// What is wanted, but never more than the network asks. There what was sent stays as long as it is
    /// near enough, or every block would change every client's difficulty.
    #[expect(clippy::float_arithmetic, reason = "the unit of pools is a float")]
    fn fitting(&self, job: &Job) -> Difficulty {
        let wanted = self.vardiff.wanted();
        let network = job.network_difficulty;
        if wanted.value() <= network {
            return wanted;
        }
        match self.sent.last() {
            Some((_, sent)) if (network / 2.0..=network).contains(&sent.value()) => *sent,
            _ => wanted.capped_by(&job.network),
        }
    }
}

fn answer(id: &Id, verdict: Result<Difficulty, Reject>, out: &mut Vec<u8>) {
    match verdict {
        Ok(_) => Writer(out).result(id, "true"),
        Err(reject) => Writer(out).reject(id, reject),
    }
}
