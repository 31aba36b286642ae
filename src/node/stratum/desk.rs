//! What all connections of a port share: jobs, numbers, the shares of the tip, the accounts.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::job::{Book, Job, Lookup};
use super::limits::{JOB_MS_LEAST, JOB_MS_MAX};
use super::numbers::Numbers;
use crate::hash::Algorithm;
use crate::ledger::address::{Address, Prefix};
use crate::ledger::signature::PubKey;
use crate::ledger::spec::Spec;
use crate::node::accounting::Accounts;
use crate::node::candidate::Candidate;
use crate::node::clock::Moment;
use crate::node::difficulty::Difficulty;
use crate::node::seen::Seen;

/// How a port is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What headers are hashed with.
    pub algorithm: Algorithm,
    /// How addresses of the chain begin.
    pub prefix: Prefix,
    /// Seconds that a stamp may be ahead of the clock.
    pub future_limit_s: u32,
    /// Who is paid for workers whose name is no address; without it they are refused.
    pub default_payout: Option<PubKey>,
    /// The difficulty of a connection that has shown nothing yet.
    pub start: Difficulty,
}

impl Settings {
    /// Those of a chain.
    ///
    /// # Panics
    ///
    /// Never: the specification has been checked.
    #[must_use]
    pub fn of(spec: &Spec, default_payout: Option<PubKey>) -> Self {
        Self {
            algorithm: spec.algorithm,
            prefix: spec.address_prefix.parse().expect("checked with the specification"),
            future_limit_s: spec.future_limit_s,
            default_payout,
            start: Difficulty::at_least(super::vardiff::START).expect("it is positive"),
        }
    }
}

/// Whether somebody may still mine. Wearers of a garment have a credit of hashes on the chain.
pub trait Budget: Send + Sync {
    /// Takes the hashes that a share stands for out of the credit behind a key; false if it is spent.
    /// Keys that need no credit are never refused.
    fn spend(&self, key: &PubKey, hashes: f64, now: Moment) -> bool;
}

/// A job for everybody.
#[derive(Debug, Clone)]
pub struct Issue {
    /// The job.
    pub job: Arc<Job>,
    /// It stands on another tip: what came before is worth nothing.
    pub is_clean: bool,
}

/// What the connections share.
pub struct Desk {
    /// How the port is run.
    pub settings: Settings,
    /// What each worker did.
    pub accounts: Arc<Accounts>,
    /// Extranonces and job ids.
    pub numbers: Arc<Numbers>,
    /// The shares of the tip.
    pub seen: Seen,
    /// Who may mine, if that is limited.
    pub budget: Option<Arc<dyn Budget>>,
    book: RwLock<Book>,
    /// The candidate that jobs are made of.
    candidate: Mutex<Option<Arc<Candidate>>>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Desk {
    /// A desk without a job.
    #[must_use]
    pub fn new(
        settings: Settings,
        numbers: Arc<Numbers>,
        budget: Option<Arc<dyn Budget>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            settings,
            accounts: Arc::default(),
            numbers,
            seen: Seen::default(),
            budget,
            book: RwLock::default(),
            candidate: Mutex::default(),
        })
    }

    /// Takes a candidate, and makes a job of it unless the clock is too far behind the chain; then
    /// [`Desk::tick`] does it later.
    ///
    /// # Errors
    ///
    /// If no number can be reserved.
    pub fn offer(&self, candidate: Arc<Candidate>, now: Moment) -> io::Result<Option<Issue>> {
        let mut latest = self.candidate();
        *latest = Some(Arc::clone(&candidate));
        self.issue(candidate, now)
    }

    /// Makes a job if the last is old, or could not be made.
    ///
    /// # Errors
    ///
    /// If no number can be reserved.
    pub fn tick(&self, now: Moment) -> io::Result<Option<Issue>> {
        let latest = self.candidate();
        let Some(candidate) = latest.as_ref() else { return Ok(None) };
        let is_due = self.current().is_none_or(|job| {
            job.candidate.serial != candidate.serial
                || now.ms.saturating_sub(job.made_ms) >= JOB_MS_MAX
        });
        if is_due { self.issue(Arc::clone(candidate), now) } else { Ok(None) }
    }

    /// A job that is newer than the one with this number: the current one, or one made for whoever asks,
    /// at most one for each second of the clock.
    ///
    /// # Errors
    ///
    /// If no number can be reserved.
    pub fn newer_than(&self, number: Option<u32>, now: Moment) -> io::Result<Option<Arc<Job>>> {
        let latest = self.candidate();
        let Some(current) = self.current() else { return Ok(None) };
        if number != Some(current.number) {
            return Ok(Some(current));
        }
        if current.time >= now.stamp() {
            return Ok(None);
        }
        let candidate = latest.as_ref().unwrap_or(&current.candidate);
        // Work on another tip is for everybody, and clean: `tick` makes it.
        if candidate.tip_serial != current.candidate.tip_serial {
            return Ok(None);
        }
        Ok(self.issue(Arc::clone(candidate), now)?.map(|issue| issue.job))
    }

    /// The job that is given out.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Job>> {
        self.book.read().unwrap_or_else(PoisonError::into_inner).current().cloned()
    }

    /// The job with this number.
    #[must_use]
    pub fn find(&self, number: u32, now: Moment) -> Lookup {
        self.book.read().unwrap_or_else(PoisonError::into_inner).find(number, now)
    }

    /// Whom a worker with this name mines for.
    ///
    /// # Errors
    ///
    /// What the worker is told.
    pub fn payout_of(&self, user: &str) -> Result<PubKey, String> {
        let address = user.split('.').next().unwrap_or_default();
        let prefix = self.settings.prefix;
        Address::parse_for(prefix, address).or_else(|error| {
            self.settings.default_payout.ok_or_else(|| {
                format!(
                    "Unauthorized worker: {error}. The user name must be an address of this chain, \
                     {prefix}1..., and may go on with .NAME: whoever finds a block is paid there"
                )
            })
        })
    }

    /// Every job has a stamp of its own, so that no two are the same work: NerdMiner begins each at the
    /// same nonce.
    fn issue(&self, candidate: Arc<Candidate>, now: Moment) -> io::Result<Option<Issue>> {
        let previous = self.current();
        let is_clean =
            previous.as_ref().is_none_or(|job| job.candidate.tip_serial != candidate.tip_serial);
        // Candidates may come faster: at most one job a second for the same tip.
        let is_soon = |job: &Arc<Job>| now.ms.saturating_sub(job.made_ms) < JOB_MS_LEAST;
        if !is_clean && previous.as_ref().is_some_and(is_soon) {
            return Ok(None);
        }
        let after = previous.filter(|_| !is_clean).map_or(0, |job| job.time.saturating_add(1));
        let time = now.stamp().max(candidate.template.time_least).max(after);
        if time > now.stamp().saturating_add(self.settings.future_limit_s) {
            return Ok(None);
        }
        let tip = candidate.tip_serial;
        let job = Arc::new(Job::new(self.numbers.job()?, candidate, time, now));
        self.book.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&job));
        self.seen.turn_to(tip);
        Ok(Some(Issue { job, is_clean }))
    }

    /// Held while a job is made, so that they are made one after another.
    fn candidate(&self) -> MutexGuard<'_, Option<Arc<Candidate>>> {
        self.candidate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
