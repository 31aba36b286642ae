//! The candidates that were handed out, so that a miner may send header and coinbase alone
//! (`submit/coinbase` of BIP23): as many as five minutes need, at most [`TEMPLATES_MAX`].

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::Coinbase as CutCoinbase;
use crate::ledger::coinbase::Coinbase;
use crate::node::candidate::Candidate;
use crate::primitives::codec::Reader;
use crate::primitives::{Header, HeaderBytes};

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
        let Some((header, count, coinbase)) = header_and_coinbase(&sent) else {
            return Completed::Block(sent);
        };
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let root = Header::decode(&header).merkle_root;
        let is_of = |candidate: &Candidate| {
            let template = &candidate.template;
            let cut = CutCoinbase {
                prefix: coinbase.to_vec(),
                suffix: Vec::new(),
                extranonce_bytes: 0,
                branch: template.merkle_branch().to_vec(),
            };
            template.transactions.len() as u64 + 1 == count && cut.merkle_root(0) == root
        };
        let mut alive =
            kept.iter().filter(|(at, _)| at.saturating_add(TEMPLATE_SECONDS) >= now).rev();
        let named = workid.and_then(|workid| u64::from_str_radix(workid, 16).ok());
        let found = match named {
            // A named one is completed even if its root is wrong, so that the ledger says so.
            Some(serial) => alive.find(|(_, candidate)| candidate.serial == serial),
            None => alive.find(|(_, candidate)| is_of(candidate)),
        };
        match found {
            Some((_, candidate)) => Completed::Block(candidate.block_bytes(&header, coinbase)),
            None => Completed::Unknown,
        }
    }
}

/// Header, claimed count and coinbase, if the bytes end there and claim more.
fn header_and_coinbase(bytes: &[u8]) -> Option<(HeaderBytes, u64, &[u8])> {
    let mut reader = Reader::new(bytes);
    let header: HeaderBytes = reader.array().ok()?;
    let count = reader.compact_size().ok()?;
    let start = reader.position();
    Coinbase::decode(&mut reader).ok()?;
    let coinbase = reader.since(start);
    (reader.left() == 0 && count > 1).then_some((header, count, coinbase))
}
