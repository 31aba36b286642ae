//! A work source that rolls the extranonce: a counter inside the first transaction, which changes the
//! merkle root. It knows no more of that transaction than the bytes around the counter.

use std::ops::RangeInclusive;

use super::work::Template;
use crate::hash::sha256::sha256d;
use crate::primitives::{Digest, MerkleRoot};

/// The first transaction of a block around its extranonce, and its way up the merkle tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coinbase {
    /// The bytes before the extranonce, in the form that is hashed (without witness).
    pub prefix: Vec<u8>,
    /// The bytes after it.
    pub suffix: Vec<u8>,
    /// Width of the extranonce: 1 to 8 bytes.
    pub extranonce_bytes: usize,
    /// The sibling hashes from the leaf to the root, internal byte order; the first transaction is the
    /// left child everywhere.
    pub branch: Vec<Digest>,
}

impl Coinbase {
    /// The extranonce as it stands in the transaction: little-endian, cut to its width.
    #[must_use]
    pub fn extranonce(&self, extranonce: u64) -> Vec<u8> {
        extranonce.to_le_bytes().into_iter().take(self.extranonce_bytes).collect()
    }

    /// The transaction with this extranonce.
    #[must_use]
    pub fn with_extranonce(&self, extranonce: u64) -> Vec<u8> {
        [&*self.prefix, &self.extranonce(extranonce), &self.suffix].concat()
    }

    /// The merkle root with this extranonce. SHA-256d whatever the proof of work is.
    #[must_use]
    pub fn merkle_root(&self, extranonce: u64) -> MerkleRoot {
        let leaf = sha256d(&self.with_extranonce(extranonce));
        let root = self.branch.iter().fold(leaf, |left, right| sha256d(&[left, *right].concat()));
        MerkleRoot(root)
    }
}

/// Why there is no such source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtranonceError {
    /// The width is not 1 to 8 bytes.
    #[error("expected an extranonce of 1 to 8 bytes, got {0}")]
    Width(usize),
    /// The range is empty or does not fit the width.
    #[error("expected extranonces from 0 to {max} in ascending order, got {first}..={last}")]
    Range {
        /// First of the range.
        first: u64,
        /// Last of the range.
        last: u64,
        /// What the width allows.
        max: u64,
    },
}

/// The same header template for each extranonce of a range, with the merkle root that follows from it.
#[derive(Debug, Clone)]
pub struct ExtranonceSource {
    template: Template,
    coinbase: Coinbase,
    extranonces: RangeInclusive<u64>,
}

impl ExtranonceSource {
    /// Rolls through `extranonces`, or all that fit if `None`: several machines can share a template by
    /// taking a part each.
    ///
    /// # Errors
    ///
    /// If the width is not 1 to 8 bytes, or the range is empty or does not fit it.
    pub fn new(
        template: Template,
        coinbase: Coinbase,
        extranonces: Option<RangeInclusive<u64>>,
    ) -> Result<Self, ExtranonceError> {
        let max = match coinbase.extranonce_bytes {
            bytes @ 1..=8 => u64::MAX >> (64 - 8 * bytes),
            bytes => return Err(ExtranonceError::Width(bytes)),
        };
        let extranonces = extranonces.unwrap_or(0..=max);
        let (first, last) = (*extranonces.start(), *extranonces.end());
        if extranonces.is_empty() || last > max {
            return Err(ExtranonceError::Range { first, last, max });
        }
        Ok(Self { template, coinbase, extranonces })
    }
}

/// Every iterator of templates is a [`WorkSource`](super::WorkSource).
impl Iterator for ExtranonceSource {
    type Item = Template;

    fn next(&mut self) -> Option<Template> {
        let extranonce = self.extranonces.next()?;
        let root = self.coinbase.merkle_root(extranonce);
        Some(self.template.clone().with_extranonce(extranonce).with_merkle_root(root))
    }
}
