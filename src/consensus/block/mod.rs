//! Whole Bitcoin blocks: what can be judged without the coins they spend. No script is executed.
//!
//! [`Block::read`] goes through the bytes once and keeps what the rules need; [`Block::check`] judges in
//! Bitcoin Core's order. The merkle root is asked of the caller, who may have kernels.

mod rule;
mod script;
mod transaction;

pub use rule::{AMOUNT_MAX, BlockViolation, TransactionFault};

use super::merkle::Merkle;
use super::{ChainSpec, Context, RuleSet, check_hashed_header};
use crate::hash::sha256::sha256d;
use crate::primitives::codec::{DecodeError, Reader};
use crate::primitives::limits::{
    BITCOIN_BLOCK_SIGOPS_MAX, BITCOIN_BLOCK_WEIGHT_MAX, BITCOIN_WITNESS_SCALE, HEADER_BYTES,
};
use crate::primitives::{Digest, Header, HeaderBytes, MerkleRoot, Work};
use transaction::{Transaction, read_size};

/// What the rules need to know of a block. Memory is a small multiple of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    header: HeaderBytes,
    txids: Vec<Digest>,
    /// Hashes with witnesses, the coinbase's as zero; empty if there is no witness.
    wtxids: Vec<Digest>,
    bytes: usize,
    stripped_bytes: usize,
    sigops: u64,
    first_witness: Option<usize>,
    is_first_coinbase: bool,
    second_coinbase: Option<usize>,
    commitment: Option<Digest>,
    nonce: Option<Digest>,
    /// The first transaction that is invalid on its own.
    fault: Option<(usize, TransactionFault)>,
}

impl Block {
    /// Reads a block; bytes after it are an error.
    ///
    /// # Errors
    ///
    /// Where and why the bytes are no block.
    pub fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let header: HeaderBytes = reader.array()?;
        let count = read_size(&mut reader)?;
        let count_bytes = reader.position() - HEADER_BYTES;
        // Reserved by what is there, not by what is claimed.
        let room = count.min(reader.left() / TRANSACTION_BYTES_MIN);
        let mut block = Self {
            header,
            txids: Vec::with_capacity(room),
            wtxids: Vec::new(),
            bytes: bytes.len(),
            stripped_bytes: HEADER_BYTES + count_bytes,
            sigops: 0,
            first_witness: None,
            is_first_coinbase: false,
            second_coinbase: None,
            commitment: None,
            nonce: None,
            fault: None,
        };
        let mut outpoints = Vec::new();
        for index in 0..count {
            let transaction = Transaction::read(&mut reader, &mut outpoints)?;
            block.add(index, &transaction);
        }
        reader.finish()?;
        Ok(block)
    }

    fn add(&mut self, index: usize, transaction: &Transaction<'_>) {
        if index == 0 {
            self.is_first_coinbase = transaction.is_coinbase;
            self.commitment = transaction.commitment;
            self.nonce = transaction.nonce;
        } else if transaction.is_coinbase {
            self.second_coinbase.get_or_insert(index);
        }
        if transaction.has_witness && self.first_witness.is_none() {
            self.first_witness = Some(index);
            // So far both hashes were the same, except that the coinbase's counts as zero.
            self.wtxids.extend_from_slice(&self.txids);
            if let Some(first) = self.wtxids.first_mut() {
                *first = [0; 32];
            }
        }
        let txid = transaction.txid();
        if self.first_witness.is_some() {
            self.wtxids.push(match (index, transaction.has_witness) {
                (0, _) => [0; 32],
                (_, true) => transaction.wtxid(),
                (_, false) => txid,
            });
        }
        self.txids.push(txid);
        self.stripped_bytes += transaction.stripped_bytes();
        self.sigops = self.sigops.saturating_add(transaction.sigops);
        if let (None, Some(fault)) = (self.fault, transaction.fault) {
            self.fault = Some((index, fault));
        }
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &HeaderBytes {
        &self.header
    }

    /// Hashes of the transactions without witnesses, in order: the leaves of the merkle tree.
    #[must_use]
    pub fn txids(&self) -> &[Digest] {
        &self.txids
    }

    /// Weight as BIP141 counts it.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.stripped_bytes as u64 * (BITCOIN_WITNESS_SCALE - 1) + self.bytes as u64
    }

    /// Expected hashes behind the header; none if its nBits encode no target.
    #[must_use]
    pub fn work(&self) -> Work {
        Header::decode(&self.header).bits.to_target().map_or(Work::ZERO, |target| target.work())
    }

    /// Judges the block in Bitcoin Core's order; `digest` is its header's and `merkle` computes roots.
    /// `Ok` holds the header rules that could not be judged for want of context.
    ///
    /// Not judged are rules about the chain beyond the header (lock times, the coinbase's height, coins,
    /// scripts, a signet's signature). A commitment to witnesses is judged only if there are witnesses:
    /// without them it depends on the height whether one may stand there unused.
    ///
    /// # Errors
    ///
    /// The first rule that the block breaks.
    pub fn check(
        &self,
        spec: &ChainSpec,
        context: &Context,
        digest: &Digest,
        mut merkle: impl FnMut(&[Digest]) -> Merkle,
    ) -> Result<RuleSet, BlockViolation> {
        let not_judged = check_hashed_header(spec, context, &self.header, digest)?;
        self.check_merkle_root(merkle(&self.txids))?;
        self.check_structure()?;
        self.check_witnesses(&mut merkle)?;
        let (weight, weight_max) = (self.weight(), BITCOIN_BLOCK_WEIGHT_MAX);
        if weight > weight_max {
            return Err(BlockViolation::Weight { weight, weight_max });
        }
        Ok(not_judged)
    }

    fn check_merkle_root(&self, Merkle { root, mutated }: Merkle) -> Result<(), BlockViolation> {
        let actual: MerkleRoot = Header::decode(&self.header).merkle_root;
        if root != actual {
            return Err(BlockViolation::MerkleRoot { expected: root, actual });
        }
        if mutated {
            return Err(BlockViolation::Mutated);
        }
        Ok(())
    }

    fn check_structure(&self) -> Result<(), BlockViolation> {
        let (transactions, stripped_bytes) = (self.txids.len(), self.stripped_bytes);
        let scaled = |count: usize| count as u64 * BITCOIN_WITNESS_SCALE;
        if transactions == 0
            || scaled(transactions) > BITCOIN_BLOCK_WEIGHT_MAX
            || scaled(stripped_bytes) > BITCOIN_BLOCK_WEIGHT_MAX
        {
            return Err(BlockViolation::Length { transactions, stripped_bytes });
        }
        if !self.is_first_coinbase {
            return Err(BlockViolation::CoinbaseMissing);
        }
        if let Some(transaction) = self.second_coinbase {
            return Err(BlockViolation::CoinbaseMultiple { transaction });
        }
        if let Some((transaction, fault)) = self.fault {
            return Err(BlockViolation::Transaction { transaction, fault });
        }
        let (sigops, sigops_max) = (self.sigops, BITCOIN_BLOCK_SIGOPS_MAX);
        if sigops > sigops_max {
            return Err(BlockViolation::Sigops { sigops, sigops_max });
        }
        Ok(())
    }

    fn check_witnesses(
        &self,
        merkle: &mut impl FnMut(&[Digest]) -> Merkle,
    ) -> Result<(), BlockViolation> {
        let Some(transaction) = self.first_witness else { return Ok(()) };
        let Some(actual) = self.commitment else {
            return Err(BlockViolation::UnexpectedWitness { transaction });
        };
        let Some(nonce) = self.nonce else { return Err(BlockViolation::WitnessNonceSize) };
        let root = merkle(&self.wtxids).root;
        let expected = sha256d(&[root.0, nonce].concat());
        if actual != expected {
            return Err(BlockViolation::WitnessCommitment { expected, actual });
        }
        Ok(())
    }
}

/// Version, two counts, lock time: a transaction without inputs and outputs.
const TRANSACTION_BYTES_MIN: usize = 10;
