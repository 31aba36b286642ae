//! A budget of hashes in a file: what activity has earned, and what mining has spent. It needs no chain and
//! nobody's trust: it governs one's own machine. What wearers have earned on the chain is a node's to serve.
//!
//! Hashes are taken out of the file before they are computed, some ahead, and what was not used is put
//! back: whoever kills the miner loses those, and never gains any.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::ledger::credit::{Activity, Bucket, Day};
use crate::ledger::signature::PubKey;
use crate::ledger::store::WholeFile;
use crate::ledger::transaction::reading::Assurance;

/// Bytes of a budget file.
const BYTES_MAX: u64 = 4 << 20;
/// Stretches of activity that are remembered; the oldest are forgotten.
const EARNINGS_MAX: usize = 4096;
/// The only version of the file.
const FORMAT: u32 = 1;

/// What earned hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earning {
    /// The device, in hex.
    pub device: String,
    /// First second.
    pub t0: u32,
    /// The second after the last.
    pub t1: u32,
    /// Steps.
    pub steps: u32,
    /// Root of the samples, in hex.
    pub samples: String,
    /// Hashes that it brought.
    pub hashes: u64,
}

/// What a budget file says: every step of a budget, without the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    format: u32,
    /// Hashes that may be computed.
    left: u64,
    /// Hashes that came in, all in all.
    earned: u64,
    /// Hashes that were computed, or taken out for it.
    spent: u64,
    earnings: Vec<Earning>,
}

impl Default for Account {
    fn default() -> Self {
        Self { format: FORMAT, left: 0, earned: 0, spent: 0, earnings: Vec::new() }
    }
}

impl Account {
    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// What is wrong with it: no JSON of these fields, another format, or more left than was earned.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let account: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if account.format != FORMAT {
            return Err(format!("format {}, expected {FORMAT}", account.format));
        }
        if account.earned.checked_sub(account.spent).is_none_or(|rest| account.left > rest) {
            return Err("more is left than was earned".into());
        }
        Ok(account)
    }

    /// The text of the file.
    ///
    /// # Panics
    ///
    /// Never: every field has a JSON form.
    #[must_use]
    pub fn to_text(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("plain fields");
        text.push(b'\n');
        text
    }

    /// As [`HashBudget::credit`].
    ///
    /// # Errors
    ///
    /// `Replay` or `Overlap`: the account is as it was.
    pub fn credit(
        &mut self,
        device: PubKey,
        (t0, t1): (u32, u32),
        activity: Activity,
        assurance: Assurance,
        samples: [u8; 32],
    ) -> Result<u64, BudgetError> {
        let (device, samples) = (device.to_string(), hex::encode(samples));
        if self.earnings.iter().any(|earning| earning.samples == samples) {
            return Err(BudgetError::Replay);
        }
        let of_device = || self.earnings.iter().filter(|earning| earning.device == device);
        if let Some(until) = of_device().map(|earning| earning.t1).max().filter(|until| t0 < *until)
        {
            return Err(BudgetError::Overlap { until, t0 });
        }
        let mut day = Day::default();
        for earning in of_device() {
            day.credit(earning.t1, earning.hashes);
        }
        let earned = day.credit(t1, activity.hashes(assurance));
        let mut bucket = Bucket { hashes: self.left };
        let hashes = bucket.fill(earned.min(u64::MAX - self.earned));
        self.left = bucket.hashes;
        self.earned += hashes;
        let steps = activity.steps;
        self.earnings.push(Earning { device, t0, t1, steps, samples, hashes });
        let excess = self.earnings.len().saturating_sub(EARNINGS_MAX);
        self.earnings.drain(..excess);
        Ok(hashes)
    }

    /// Takes hashes out, at most `most`, and says how many.
    pub fn take(&mut self, most: u64) -> u64 {
        let taken = self.left.min(most);
        self.left -= taken;
        self.spent = self.spent.saturating_add(taken);
        taken
    }

    /// Puts hashes back, never more than were taken out.
    pub fn put_back(&mut self, hashes: u64) {
        let hashes = hashes.min(self.spent);
        self.left = self.left.saturating_add(hashes);
        self.spent -= hashes;
    }

    /// Hashes that came in, all in all.
    #[must_use]
    pub fn earned(&self) -> u64 {
        self.earned
    }

    /// Hashes that are used up or taken out.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.spent
    }

    /// Hashes that may be taken.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// What has earned, oldest first.
    #[must_use]
    pub fn earnings(&self) -> &[Earning] {
        &self.earnings
    }
}

/// A budget file, open for one process.
#[derive(Debug)]
pub struct HashBudget {
    path: PathBuf,
    account: Account,
    /// Held as long as the budget is open.
    _lock: File,
}

/// What is wrong with a budget, or with what should be added to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// The file cannot be read or written.
    #[error("budget {path}: {what}")]
    File {
        /// Which.
        path: String,
        /// Why.
        what: String,
    },
    /// Another process has it open.
    #[error("budget {0} is in use by another process")]
    Locked(String),
    /// The file is no budget.
    #[error("{path} is no budget file: {what}")]
    NotABudget {
        /// Which.
        path: String,
        /// Why.
        what: String,
    },
    /// The same samples have earned already.
    #[error("the same samples have earned already")]
    Replay,
    /// The device has told of this time already.
    #[error("begins at {t0}, the device has told of the time until {until}")]
    Overlap {
        /// Where what it told ends.
        until: u32,
        /// Where this begins.
        t0: u32,
    },
}

impl BudgetError {
    /// The error in a word, for programs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::File { .. } => "File",
            Self::Locked(_) => "Locked",
            Self::NotABudget { .. } => "NotABudget",
            Self::Replay => "Replay",
            Self::Overlap { .. } => "Overlap",
        }
    }
}

impl HashBudget {
    /// Opens the budget at `path`; an empty one where there is no file.
    ///
    /// # Errors
    ///
    /// See [`BudgetError`].
    pub fn open(path: &Path) -> Result<Self, BudgetError> {
        let name = || path.display().to_string();
        let failed =
            |error: &io::Error| BudgetError::File { path: name(), what: error.to_string() };
        let mut lock_name = path.as_os_str().to_owned();
        lock_name.push(".lock");
        let options = OpenOptions::new().create(true).truncate(false).write(true).to_owned();
        let lock = options.open(PathBuf::from(lock_name)).map_err(|error| failed(&error))?;
        if lock.try_lock().is_err() {
            return Err(BudgetError::Locked(name()));
        }
        let not = |what: String| BudgetError::NotABudget { path: name(), what };
        let account = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Account::default(),
            Err(error) => return Err(failed(&error)),
            Ok(metadata) if metadata.len() > BYTES_MAX => {
                return Err(not(format!("{} bytes, at most {BYTES_MAX}", metadata.len())));
            }
            Ok(_) => {
                let text = fs::read(path).map_err(|error| failed(&error))?;
                Account::parse(&text).map_err(not)?
            }
        };
        Ok(Self { path: path.to_owned(), account, _lock: lock })
    }

    /// Adds what a stretch of activity is worth: the formula of the chain, the cap of the device's day and
    /// of the bucket. Says how many hashes came in; nothing is written yet.
    ///
    /// # Errors
    ///
    /// `Replay` or `Overlap`: the budget is as it was.
    pub fn credit(
        &mut self,
        device: PubKey,
        span: (u32, u32),
        activity: Activity,
        assurance: Assurance,
        samples: [u8; 32],
    ) -> Result<u64, BudgetError> {
        self.account.credit(device, span, activity, assurance, samples)
    }

    /// Takes hashes out, at most `most`; they are gone from the file when this returns.
    ///
    /// # Errors
    ///
    /// If the file cannot be written: then nothing was taken.
    pub fn take(&mut self, most: u64) -> Result<u64, BudgetError> {
        let taken = self.account.take(most);
        if taken > 0 {
            self.save().inspect_err(|_| self.account.put_back(taken))?;
        }
        Ok(taken)
    }

    /// Puts back what was taken and not used.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn put_back(&mut self, hashes: u64) -> Result<(), BudgetError> {
        self.account.put_back(hashes);
        self.save()
    }

    /// What the file says.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Writes the file, whole and durable.
    ///
    /// # Errors
    ///
    /// If that fails.
    pub fn save(&self) -> Result<(), BudgetError> {
        let written = WholeFile::create(&self.path).and_then(|mut file| {
            file.write_all(&self.account.to_text())?;
            file.finish()
        });
        let path = || self.path.display().to_string();
        written.map_err(|error| BudgetError::File { path: path(), what: error.to_string() })
    }
}
