//! The block that everybody mines now: a template with its numbers. Front ends make jobs of it; whether a
//! block is valid they leave to the ledger.

use std::sync::Arc;

use crate::ledger::block::{Block, Included};
use crate::ledger::template::Template;
use crate::primitives::codec::write_compact_size;
use crate::primitives::limits::HEADER_BYTES;
use crate::primitives::{BlockHash, CompactTarget, HeaderBytes, Target};

use super::difficulty;

/// A block to mine on the tip. It never changes; a better one takes its place.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Parent, height, transactions, what the coinbase may pay and must commit to.
    pub template: Arc<Template>,
    /// Rises with every candidate, from 1; unique for the life of the process.
    pub serial: u64,
    /// Rises with every change of the tip, from 1: a job of an older one is stale.
    pub tip_serial: u64,
    /// When it was made, or the least time that the chain allows: the stamp to begin with. A miner may
    /// stamp later, within the chain's future limit, and is judged by its own stamp (`bits_at`).
    pub time: u32,
    /// nBits of a block that is stamped [`Candidate::time`].
    pub bits: CompactTarget,
    /// The same as a target.
    pub target: Target,
    /// The same as a difficulty ([`difficulty::of_target`]).
    pub difficulty: f64,
    /// The last stamp for which `bits` holds; a candidate with the next relief step follows by then.
    pub until: u32,
}

impl Candidate {
    /// A template stamped `time`, or the least time that the chain allows.
    ///
    /// # Panics
    ///
    /// Never: a template's nBits are a target.
    #[must_use]
    pub fn new(template: Arc<Template>, serial: u64, tip_serial: u64, time: u32) -> Self {
        let time = time.max(template.time_least);
        let bits = template.bits(time);
        let target = bits.to_target().expect("the difficulty rule gives a target");
        let (difficulty, until) = (difficulty::of_target(&target), template.bits_hold_until(time));
        Self { template, serial, tip_serial, time, bits, target, difficulty, until }
    }

    /// The block that it is mined on.
    #[must_use]
    pub fn tip(&self) -> BlockHash {
        self.template.parent_hash
    }

    /// Height of the block to mine.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.template.height
    }

    /// nBits of a block that is stamped `time`: after a long silence of the chain they grow easier with
    /// the stamp.
    #[must_use]
    pub fn bits_at(&self, time: u32) -> CompactTarget {
        if (self.time..=self.until).contains(&time) { self.bits } else { self.template.bits(time) }
    }

    /// What the hash of a block that is stamped `time` must not exceed.
    ///
    /// # Panics
    ///
    /// Never: a template's nBits are a target.
    #[must_use]
    pub fn target_at(&self, time: u32) -> Target {
        self.bits_at(time).to_target().expect("the difficulty rule gives a target")
    }

    /// The bytes of the block with this header and coinbase, neither of which is judged here.
    #[must_use]
    pub fn block_bytes(&self, header: &HeaderBytes, coinbase: &[u8]) -> Vec<u8> {
        let transactions = &self.template.transactions;
        let sizes = transactions.iter().map(|included| included.bytes.len());
        let mut bytes =
            Vec::with_capacity(HEADER_BYTES + 9 + coinbase.len() + sizes.sum::<usize>());
        bytes.extend_from_slice(header);
        write_compact_size(&mut bytes, transactions.len() as u64 + 1);
        bytes.extend_from_slice(coinbase);
        for included in transactions {
            bytes.extend_from_slice(&included.bytes);
        }
        bytes
    }
}

/// How many of these are about access, and how many only pay.
#[must_use]
pub fn count_access(transactions: &[Included]) -> (usize, usize) {
    use crate::ledger::transaction::Body;
    let is_payment = |included: &&Included| matches!(included.transaction.core.body, Body::Pay(_));
    let payments = transactions.iter().filter(is_payment).count();
    (transactions.len() - payments, payments)
}

/// Units that the coinbase of a block pays.
#[must_use]
pub fn paid_by(block: &Block) -> u64 {
    block.coinbase.payouts.iter().fold(0, |sum, payout| sum.saturating_add(payout.value))
}
