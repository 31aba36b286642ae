//! What each worker did. Counts are exact; a rate is an estimate from the work that its shares stand for.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a rate is an estimate, for people to read"
)]

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::clock::Moment;
use super::difficulty::Difficulty;

/// Names of workers without a connection that are remembered.
pub const IDLE_WORKERS_MAX: usize = 4096;

/// Milliseconds after which a share counts for a third in the rate.
const RATE_MS: f64 = 300_000.0;

/// Why a share does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncounted {
    /// It is for work that was over.
    Stale,
    /// Another reason, in a word.
    Rejected(&'static str),
}

/// The difficulty that a share counts for, or why it does not count.
pub type Verdict = Result<Difficulty, Uncounted>;

/// What one worker did, on all its connections.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Shares accepted.
    pub accepted: u64,
    /// The sum of their difficulties.
    pub difficulty: f64,
    /// Shares for a job that was over.
    pub stale: u64,
    /// Other shares that were refused, by reason.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Shares that were blocks.
    pub blocks: u64,
    /// When the last share was accepted, in seconds since 1970.
    pub last_share_s: Option<u64>,
    /// Connections on which it is logged in.
    pub connections: u32,
    rate: Rate,
}

impl Tally {
    /// Hashes a second.
    #[must_use]
    pub fn hashes_per_second(&self, now: Moment) -> f64 {
        self.rate.at(now)
    }

    fn count(&mut self, verdict: Verdict, is_block: bool, now: Moment) {
        self.blocks += u64::from(is_block);
        match verdict {
            Ok(difficulty) => {
                self.accepted += 1;
                self.difficulty += difficulty.value();
                self.last_share_s = Some(now.unix_s);
                self.rate.add(difficulty.hashes(), now);
            }
            Err(Uncounted::Stale) => self.stale += 1,
            Err(Uncounted::Rejected(reason)) => *self.rejected.entry(reason).or_default() += 1,
        }
    }

    /// All shares that were refused, stale ones left out.
    #[must_use]
    pub fn rejected_total(&self) -> u64 {
        self.rejected.values().sum()
    }
}

/// Work that fades.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Rate {
    began_ms: Option<u64>,
    at_ms: u64,
    hashes: f64,
}

impl Rate {
    fn add(&mut self, hashes: f64, now: Moment) {
        let began_ms = *self.began_ms.get_or_insert(now.ms);
        self.at_ms = self.at_ms.max(began_ms);
        self.hashes = self.faded(now) + hashes;
        self.at_ms = now.ms;
    }

    fn faded(&self, now: Moment) -> f64 {
        self.hashes * (-(now.ms.saturating_sub(self.at_ms) as f64) / RATE_MS).exp()
    }

    fn at(&self, now: Moment) -> f64 {
        let Some(began_ms) = self.began_ms else { return 0.0 };
        // What a window that has just begun can hold; never less than a second of it.
        let age = now.ms.saturating_sub(began_ms).max(1000) as f64;
        let window_s = RATE_MS * (1.0 - (-age / RATE_MS).exp()) / 1000.0;
        self.faded(now) / window_s
    }
}

/// One worker.
#[derive(Debug)]
pub struct Worker {
    /// The name that it logs in with.
    pub name: Arc<str>,
    /// What people call it: what follows the first dot of the name, or all of it.
    pub label: Arc<str>,
    tally: Mutex<Tally>,
}

impl Worker {
    /// What it did.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker that is logged in on a connection, until this is dropped.
#[derive(Debug)]
pub struct Login {
    worker: Arc<Worker>,
    accounts: Arc<Accounts>,
}

impl Login {
    /// Counts a verdict.
    pub fn count(&self, verdict: Verdict, is_block: bool, now: Moment) {
        self.worker.lock().count(verdict, is_block, now);
        self.accounts.lock_total().count(verdict, is_block, now);
    }
}

impl std::ops::Deref for Login {
    type Target = Worker;

    fn deref(&self) -> &Worker {
        &self.worker
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        self.accounts.leave(&self.worker);
    }
}

/// Every worker that is connected, and the latest of those that were.
#[derive(Debug, Default)]
pub struct Accounts {
    book: Mutex<Book>,
    /// All workers together, also those that are forgotten.
    total: Mutex<Tally>,
}

#[derive(Debug, Default)]
struct Book {
    workers: HashMap<Arc<str>, Entry>,
    /// Names of those without a connection, by when they lost their last.
    idle: BTreeMap<u64, Arc<str>>,
    /// Rises with every worker that becomes idle.
    next_idle: u64,
}

#[derive(Debug)]
struct Entry {
    worker: Arc<Worker>,
    /// Its place among the idle.
    idle_at: Option<u64>,
}

impl Accounts {
    /// Logs a worker in.
    #[must_use]
    pub fn login(self: &Arc<Self>, name: &str) -> Login {
        let mut book = self.lock();
        let Book { workers, idle, .. } = &mut *book;
        let worker = match workers.get_mut(name) {
            Some(entry) => {
                if let Some(at) = entry.idle_at.take() {
                    idle.remove(&at);
                }
                Arc::clone(&entry.worker)
            }
            None => {
                let label = name.split_once('.').map_or(name, |(_, label)| label);
                let label = if label.is_empty() { name } else { label };
                let worker = Arc::new(Worker {
                    name: name.into(),
                    label: label.into(),
                    tally: Mutex::default(),
                });
                let entry = Entry { worker: Arc::clone(&worker), idle_at: None };
                workers.insert(Arc::clone(&worker.name), entry);
                worker
            }
        };
        worker.lock().connections += 1;
        Login { worker, accounts: Arc::clone(self) }
    }

    /// What all workers did, also those that are forgotten; its connections are not counted.
    #[must_use]
    pub fn total(&self) -> Tally {
        self.lock_total().clone()
    }

    /// Every worker, in the order of their names.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Worker>> {
        let mut all: Vec<_> =
            self.lock().workers.values().map(|entry| Arc::clone(&entry.worker)).collect();
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        all
    }

    fn leave(&self, worker: &Arc<Worker>) {
        let mut book = self.lock();
        let connections = {
            let mut tally = worker.lock();
            tally.connections = tally.connections.saturating_sub(1);
            tally.connections
        };
        if connections > 0 {
            return;
        }
        let Book { workers, idle, next_idle } = &mut *book;
        if let Some(entry) = workers.get_mut(&worker.name) {
            entry.idle_at = Some(*next_idle);
            idle.insert(*next_idle, Arc::clone(&worker.name));
            *next_idle += 1;
        }
        while idle.len() > IDLE_WORKERS_MAX
            && let Some((_, name)) = idle.pop_first()
        {
            workers.remove(&name);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_total(&self) -> MutexGuard<'_, Tally> {
        self.total.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
