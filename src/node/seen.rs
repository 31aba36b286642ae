//! The shares of the current tip, so that none counts twice.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::primitives::Digest;

/// Shares that are remembered of one tip, 16 bytes each, to know a second copy.
pub const SHARES_REMEMBERED_MAX: usize = 1 << 21;

/// Why a share does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotFirst {
    /// It was seen before.
    #[error("a share that was seen before")]
    Duplicate,
    /// Another tip has come.
    #[error("a share of an earlier tip")]
    Stale,
    /// No more are remembered.
    #[error("more than {SHARES_REMEMBERED_MAX} shares since the last block")]
    TooMany,
}

/// The shares of the current tip, whatever connection, job or worker they came by, each by the hash of its
/// header: how a number was spelled makes no difference, and another connection's share is another
/// header.
#[derive(Debug, Default)]
pub struct Seen(Mutex<Shares>);

#[derive(Debug, Default)]
struct Shares {
    tip: u64,
    /// The low half of each hash, in which no work shows.
    hashes: HashSet<u128>,
    /// The latest blocks, so that a copy of one does not burden the ledger.
    blocks: VecDeque<Digest>,
}

/// Blocks of which copies are known.
const BLOCKS_REMEMBERED: usize = 256;
/// A set that had to hold more gives its memory back.
const SET_KEPT: usize = 1 << 16;

impl Seen {
    /// Remembers a share of this tip.
    ///
    /// # Errors
    ///
    /// See [`NotFirst`].
    pub fn first(&self, tip: u64, digest: &Digest) -> Result<(), NotFirst> {
        let mut shares = self.lock();
        shares.turn_to(tip);
        if shares.tip != tip {
            return Err(NotFirst::Stale);
        }
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        let half = u128::from_le_bytes(half);
        if shares.hashes.contains(&half) {
            return Err(NotFirst::Duplicate);
        }
        if shares.hashes.len() >= SHARES_REMEMBERED_MAX {
            return Err(NotFirst::TooMany);
        }
        shares.hashes.insert(half);
        Ok(())
    }

    /// Forgets the shares of earlier tips.
    pub fn turn_to(&self, tip: u64) {
        self.lock().turn_to(tip);
    }

    /// Remembers a block, and says whether it was not known.
    pub fn is_first_block(&self, digest: Digest) -> bool {
        let mut shares = self.lock();
        let is_first = !shares.blocks.contains(&digest);
        if is_first {
            if shares.blocks.len() == BLOCKS_REMEMBERED {
                shares.blocks.pop_front();
            }
            shares.blocks.push_back(digest);
        }
        is_first
    }

    fn lock(&self) -> MutexGuard<'_, Shares> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shares {
    fn turn_to(&mut self, tip: u64) {
        if tip > self.tip {
            self.tip = tip;
            if self.hashes.capacity() > SET_KEPT {
                self.hashes = HashSet::new();
            }
            self.hashes.clear();
        }
    }
}
