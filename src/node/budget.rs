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

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    format: u32,
    /// Hashes that may be computed.
    left: u64,
    /// Hashes that came in, all in all.
    earned: u64,
    /// Hashes that were computed, or taken out for it.
    spent: u64,
    earnings: Vec<Earning>,
}

/// A budget file, open for one process.
#[derive(Debug)]
pub struct HashBudget {
    path: PathBuf,
    content: Content,
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
        let content = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Content { format: FORMAT, ..Content::default() }
            }
            Err(error) => return Err(failed(&error)),
            Ok(metadata) if metadata.len() > BYTES_MAX => {
                return Err(not(format!("{} bytes, at most {BYTES_MAX}", metadata.len())));
            }
            Ok(_) => {
                let bytes = fs::read(path).map_err(|error| failed(&error))?;
                serde_json::from_slice(&bytes).map_err(|error| not(error.to_string()))?
            }
        };
        if content.format != FORMAT {
            return Err(not(format!("format {}, expected {FORMAT}", content.format)));
        }
        if content.earned.checked_sub(content.spent).is_none_or(|rest| content.left > rest) {
            return Err(not("more is left than was earned".into()));
        }
        Ok(Self { path: path.to_owned(), content, _lock: lock })
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
        (t0, t1): (u32, u32),
        activity: Activity,
        assurance: Assurance,
        samples: [u8; 32],
    ) -> Result<u64, BudgetError> {
        let (device, samples) = (device.to_string(), hex::encode(samples));
        let earnings = &self.content.earnings;
        if earnings.iter().any(|earning| earning.samples == samples) {
            return Err(BudgetError::Replay);
        }
        let of_device = || earnings.iter().filter(|earning| earning.device == device);
        if let Some(until) = of_device().map(|earning| earning.t1).max().filter(|until| t0 < *until)
        {
            return Err(BudgetError::Overlap { until, t0 });
        }
        let mut day = Day::default();
        for earning in of_device() {
            day.credit(earning.t1, earning.hashes);
        }
        let earned = day.credit(t1, activity.hashes(assurance));
        let mut bucket = Bucket { hashes: self.content.left };
        let hashes = bucket.fill(earned);
        self.content.left = bucket.hashes;
        self.content.earned = self.content.earned.saturating_add(hashes);
        let steps = activity.steps;
        self.content.earnings.push(Earning { device, t0, t1, steps, samples, hashes });
        let excess = self.content.earnings.len().saturating_sub(EARNINGS_MAX);
        self.content.earnings.drain(..excess);
        Ok(hashes)
    }

    /// Takes hashes out, at most `most`; they are gone from the file when this returns.
    ///
    /// # Errors
    ///
    /// If the file cannot be written: then nothing was taken.
    pub fn take(&mut self, most: u64) -> Result<u64, BudgetError> {
        let taken = self.content.left.min(most);
        if taken == 0 {
            return Ok(0);
        }
        self.content.left -= taken;
        self.content.spent = self.content.spent.saturating_add(taken);
        self.save().inspect_err(|_| self.refund(taken))?;
        Ok(taken)
    }

    /// Puts back what was taken and not used.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn put_back(&mut self, hashes: u64) -> Result<(), BudgetError> {
        self.refund(hashes);
        self.save()
    }

    fn refund(&mut self, hashes: u64) {
        let hashes = hashes.min(self.content.spent);
        self.content.left = self.content.left.saturating_add(hashes);
        self.content.spent -= hashes;
    }

    /// Writes the file, whole and durable.
    ///
    /// # Errors
    ///
    /// If that fails.
    ///
    /// # Panics
    ///
    /// Never: every field has a JSON form.
    pub fn save(&self) -> Result<(), BudgetError> {
        let mut bytes = serde_json::to_vec_pretty(&self.content).expect("plain fields");
        bytes.push(b'\n');
        let written = WholeFile::create(&self.path).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.finish()
        });
        let path = || self.path.display().to_string();
        written.map_err(|error| BudgetError::File { path: path(), what: error.to_string() })
    }

    /// Hashes that came in, all in all.
    #[must_use]
    pub fn earned(&self) -> u64 {
        self.content.earned
    }

    /// Hashes that are used up or taken out.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.content.spent
    }

    /// Hashes that may be taken.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.content.left
    }

    /// What has earned, oldest first.
    #[must_use]
    pub fn earnings(&self) -> &[Earning] {
        &self.content.earnings
    }
}
