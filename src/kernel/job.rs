//! What a kernel is given and what it returns: a job prepared once, a range of nonces, a bounded list
//! of hits.

use crate::hash::{Algorithm, blake3, sha256};
use crate::primitives::{HeaderBytes, Target};

/// A header prepared for search: everything that does not depend on the nonce is done here, once.
#[derive(Debug, Clone)]
pub struct Job {
    algorithm: Algorithm,
    header: HeaderBytes,
    target: Target,
    /// State after the first 64 bytes (SHA-256) or their chaining value (BLAKE3).
    pub(super) midstate: [u32; 8],
    /// The three little-endian words between the first 64 bytes and the nonce.
    pub(super) tail: [u32; 3],
    /// Most significant word of the target: hashes above it cannot meet it.
    pub(super) target_top: u32,
}

impl Job {
    /// Prepares a search of `header`; its nonce is ignored.
    #[must_use]
    pub fn new(algorithm: Algorithm, header: &HeaderBytes, target: Target) -> Self {
        let (blocks, rest) = header.as_chunks::<64>();
        let words = rest.as_chunks::<4>().0;
        let midstate = match algorithm {
            Algorithm::Sha256d => sha256::midstate(&blocks[0]),
            Algorithm::Blake3 => blake3::midstate(&blocks[0]),
        };
        let tail = [0, 1, 2].map(|i| u32::from_le_bytes(words[i]));
        let target_top = target.top_word();
        Self { algorithm, header: *header, target, midstate, tail, target_top }
    }

    /// What it is hashed with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What a solution's hash must not exceed.
    #[must_use]
    pub fn target(&self) -> Target {
        self.target
    }

    /// The header with this nonce.
    #[must_use]
    pub fn header_with(&self, nonce: u32) -> HeaderBytes {
        let mut header = self.header;
        header[crate::primitives::limits::NONCE_OFFSET_BYTES..]
            .copy_from_slice(&nonce.to_le_bytes());
        header
    }
}

/// Nonces `first..=last`, never empty, so that `u32::MAX` can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NonceRange {
    first: u32,
    last: u32,
}

impl NonceRange {
    /// Every nonce.
    pub const ALL: Self = Self { first: 0, last: u32::MAX };

    /// The range, or `None` if `first` is above `last`.
    #[must_use]
    pub fn new(first: u32, last: u32) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// The first nonce.
    #[must_use]
    pub fn first(self) -> u32 {
        self.first
    }

    /// The last nonce, included.
    #[must_use]
    pub fn last(self) -> u32 {
        self.last
    }

    /// How many nonces: 1 to 2^32.
    #[must_use]
    pub fn count(self) -> u64 {
        u64::from(self.last - self.first) + 1
    }

    /// Whether it contains the nonce.
    #[must_use]
    pub fn contains(self, nonce: u32) -> bool {
        (self.first..=self.last).contains(&nonce)
    }

    /// The `count` nonces from `offset` on.
    ///
    /// # Panics
    ///
    /// If they are none or reach beyond the range.
    #[must_use]
    pub fn part(self, offset: u64, count: u64) -> Self {
        let end = offset.checked_add(count).expect("a part of the range");
        assert!(count > 0 && end <= self.count(), "part {offset}..{end} of {}", self.count());
        let nonce = |index| {
            let index = u32::try_from(index).expect("below the count, which is at most 2^32");
            self.first + index
        };
        Self { first: nonce(offset), last: nonce(end - 1) }
    }
}

/// Nonces that a kernel proposes, in ascending order: a fixed array, so that kernels allocate nothing.
#[derive(Debug, Clone)]
pub struct Hits {
    nonces: [u32; Self::CAPACITY],
    len: usize,
}

impl Hits {
    /// At most this many before the kernel returns.
    pub const CAPACITY: usize = 64;

    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { nonces: [0; Self::CAPACITY], len: 0 }
    }

    /// The nonces.
    #[must_use]
    pub fn as_slice(&self) -> &[u32] {
        &self.nonces[..self.len]
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Whether no further nonce fits.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len == Self::CAPACITY
    }

    /// Appends a nonce: for kernels, which check `is_full` first.
    ///
    /// # Panics
    ///
    /// If full.
    pub fn push(&mut self, nonce: u32) {
        self.nonces[self.len] = nonce;
        self.len += 1;
    }
}

impl Default for Hits {
    fn default() -> Self {
        Self::new()
    }
}
