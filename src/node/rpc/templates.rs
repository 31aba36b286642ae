//! The candidates that were handed out, so that a miner may send header and coinbase alone
//! (`submit/coinbase` of BIP23): as many as five minutes need, at most [`TEMPLATES_MAX`].

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::Coinbase as CutCoinbase;
use crate::ledger::coinbase::Coinbase;
use crate::node::candidate::Candidate;
use crate::primitives::codec::Reader;
use crate::primitives::{BlockHash, Header, HeaderBytes};

/// Candidates that are kept: their transactions are shared, so each costs some bytes a transaction.
pub const TEMPLATES_MAX: usize = 64;
/// Seconds for which one is kept after it was handed out.
pub const TEMPLATE_SECONDS: u64 = 300;

/// What was handed out, the oldest first.
#[derive(Debug, Default)]
pub struct Templates(Mutex<VecDeque<(u64, Arc<Candidate>)>>);

/// What a submission is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completed {
    /// A block, as it was sent or with the transactions of its template.
    Block(Vec<u8>),
    /// Header and coinbase of a template that is not known, or not any more.
    Unknown,
}

impl Templates {
    /// Keeps a candidate that is handed out at `now`, and says what it is called.
    pub fn keep(&self, candidate: &Arc<Candidate>, now: u64) -> String {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(at, other)| {
            other.serial != candidate.serial && at.saturating_add(TEMPLATE_SECONDS) >= now
        });
        while kept.len() >= TEMPLATES_MAX {
            kept.pop_front();
        }
        kept.push_back((now, Arc::clone(candidate)));
        format!("{:x}", candidate.serial)
    }

    /// How many are kept.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The block of a submission: if it ends after its coinbase but claims more transactions, those of the
    /// template that `workid` names, or of the one that its merkle root is of.
    #[must_use]
    pub fn complete(&self, sent: Vec<u8>, workid: Option<&str>, now: u64) -> Completed {
        let Some(submission) = Submission::read(&sent).filter(Submission::is_short) else {
            return Completed::Block(sent);
        };
        let named = workid.and_then(|workid| u64::from_str_radix(workid, 16).ok());
        let found = match named {
            // A named one is completed even if its root is wrong, so that the ledger says so.
            Some(serial) => self.find(now, |candidate| candidate.serial == serial),
            None => self.of_root(&submission, now),
        };
        match found {
            Some(candidate) => {
                let header = submission.header.encode();
                Completed::Block(candidate.block_bytes(&header, submission.coinbase_bytes))
            }
            None => Completed::Unknown,
        }
    }

    /// The template whose transactions, with the coinbase of a submission, have its merkle root.
    #[must_use]
    pub fn of_root(&self, submission: &Submission<'_>, now: u64) -> Option<Arc<Candidate>> {
        self.find(now, |candidate| submission.is_of(candidate))
    }

    /// Whether work on this parent was handed out.
    #[must_use]
    pub fn is_parent(&self, parent: &BlockHash, now: u64) -> bool {
        self.find(now, |candidate| candidate.tip() == *parent).is_some()
    }

    /// The latest of those that are alive.
    fn find(&self, now: u64, is_wanted: impl Fn(&Candidate) -> bool) -> Option<Arc<Candidate>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut alive =
            kept.iter().filter(|(at, _)| at.saturating_add(TEMPLATE_SECONDS) >= now).rev();
        alive.find(|(_, candidate)| is_wanted(candidate)).map(|(_, found)| Arc::clone(found))
    }
}

/// What stands at the front of every submission.
#[derive(Debug)]
pub struct Submission<'a> {
    /// The header.
    pub header: Header,
    /// The coinbase.
    pub coinbase: Coinbase,
    coinbase_bytes: &'a [u8],
    /// Transactions that are claimed, the coinbase counted.
    count: u64,
    /// Whether the bytes end after the coinbase.
    is_end: bool,
}

impl<'a> Submission<'a> {
    /// Reads header, count and coinbase; what follows is not looked at.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let header: HeaderBytes = reader.array().ok()?;
        let count = reader.compact_size().ok()?;
        let start = reader.position();
        let coinbase = Coinbase::decode(&mut reader).ok()?;
        Some(Self {
            header: Header::decode(&header),
            coinbase,
            coinbase_bytes: reader.since(start),
            count,
            is_end: reader.left() == 0,
        })
    }

    /// Whether it leaves out transactions that it claims.
    fn is_short(&self) -> bool {
        self.is_end && self.count > 1
    }

    fn is_of(&self, candidate: &Candidate) -> bool {
        let template = &candidate.template;
        let has_root = || {
            let cut = CutCoinbase {
                prefix: self.coinbase_bytes.to_vec(),
                suffix: Vec::new(),
                extranonce_bytes: 0,
                branch: template.merkle_branch().to_vec(),
            };
            cut.merkle_root(0) == self.header.merkle_root
        };
        self.header.prev_block == candidate.tip()
            && self.count == template.transactions.len() as u64 + 1
            && has_root()
    }
}
