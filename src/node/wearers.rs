//! Garments that mine: what the chain has credited to a wearer, less what its shares on this node stood
//! for. What is earned is the chain's business; what is spent is ours, and kept in a file in the
//! directory, one `key hashes` a line. A node that is killed forgets the spending of the last seconds,
//! in the wearer's favour.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fmt, fs};

use crate::ledger::signature::PubKey;
use crate::ledger::store::WholeFile;

use super::clock::Moment;
use super::handle::Handle;
use super::stratum::desk::Budget;

/// The file of what was spent, in the directory of a chain.
pub const SPENT_FILE: &str = "wearers-spent";
/// Keys whose credit is remembered until the next tip.
const CREDITS_KEPT: usize = 4096;

/// What a key has earned; none if the chain knows it for no wearer.
type Earned = dyn Fn(&PubKey) -> Option<u64> + Send + Sync;

/// The accounts of all wearers.
pub struct Wearers {
    earned: Box<Earned>,
    /// Rises with each tip: only a block changes what is earned.
    tip_serial: Box<dyn Fn() -> u64 + Send + Sync>,
    file: PathBuf,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    spent: BTreeMap<PubKey, u64>,
    is_saved: bool,
    /// What was looked up at this tip.
    credits: HashMap<PubKey, Option<u64>>,
    tip_serial: u64,
}

impl Wearers {
    /// Of a node's chain, with what was spent before.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is something else.
    pub fn of(handle: &Handle, dir: &Path) -> io::Result<Self> {
        let (reader, serials) = (handle.clone(), handle.clone());
        let earned = move |key: &PubKey| {
            let looked = reader.with_view(|view| {
                let is_wearer = !view.credits(*key)?.is_empty();
                Ok(if is_wearer { Some(view.hashes_earned(*key)?) } else { None })
            });
            looked.unwrap_or_else(|error| {
                tracing::warn!(%error, "a wearer's credit cannot be read");
                Some(0)
            })
        };
        let tip_serial = move || serials.current().tip_serial;
        Self::new(Box::new(earned), Box::new(tip_serial), &dir.join(SPENT_FILE))
    }

    /// By what is earned, which may change with the number that `tip_serial` tells.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is something else.
    pub fn new(
        earned: Box<Earned>,
        tip_serial: Box<dyn Fn() -> u64 + Send + Sync>,
        file: &Path,
    ) -> io::Result<Self> {
        let spent = match fs::read_to_string(file) {
            Ok(text) => parse(&text).ok_or_else(|| {
                let what = format!("{}: expected a key and a number a line", file.display());
                io::Error::new(io::ErrorKind::InvalidData, what)
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        let books = Books { spent, is_saved: true, ..Books::default() };
        Ok(Self { earned, tip_serial, file: file.to_owned(), books: Mutex::new(books) })
    }

    /// Hashes that a key has spent here.
    #[must_use]
    pub fn spent(&self, key: &PubKey) -> u64 {
        self.books().spent.get(key).copied().unwrap_or(0)
    }

    /// Writes down what was spent, if anything was since the last time. It waits for the disk.
    ///
    /// # Errors
    ///
    /// If the disk refuses; the next call tries again.
    pub fn save(&self) -> io::Result<()> {
        let mut text = String::new();
        {
            let mut books = self.books();
            if books.is_saved {
                return Ok(());
            }
            for (key, hashes) in &books.spent {
                writeln!(text, "{} {hashes}", hex::encode(key.0)).expect("a string");
            }
            books.is_saved = true;
        }
        let write = || {
            let mut file = WholeFile::create(&self.file)?;
            file.write_all(text.as_bytes())?;
            file.finish()
        };
        write().inspect_err(|_| self.books().is_saved = false)
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Budget for Wearers {
    fn spend(&self, key: &PubKey, hashes: f64, _: Moment) -> bool {
        let tip_serial = (self.tip_serial)();
        let mut books = self.books();
        if books.tip_serial != tip_serial || books.credits.len() >= CREDITS_KEPT {
            books.credits.clear();
            books.tip_serial = tip_serial;
        }
        let earned = *books.credits.entry(*key).or_insert_with(|| (self.earned)(key));
        let Some(earned) = earned else { return true };
        let spent = books.spent.get(key).copied().unwrap_or(0);
        match spent.checked_add(whole(hashes)).filter(|sum| *sum <= earned) {
            Some(sum) => {
                books.spent.insert(*key, sum);
                books.is_saved = false;
                true
            }
            None => false,
        }
    }
}

impl fmt::Debug for Wearers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wearers").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Expected hashes as a number to sum up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of hashes: at the ends `as` saturates"
)]
fn whole(hashes: f64) -> u64 {
    hashes.ceil() as u64
}

fn parse(text: &str) -> Option<BTreeMap<PubKey, u64>> {
    let line = |line: &str| {
        let (key, hashes) = line.split_once(' ')?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(key, &mut bytes).ok()?;
        Some((PubKey(bytes), hashes.parse().ok()?))
    };
    text.lines().map(line).collect()
}
