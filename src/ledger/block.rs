//! A block: header, coinbase, transactions; its bytes and its merkle leaves. What makes it valid stands
//! in [`crate::ledger::rules`].
//!
//! ```text
//! header 80 | count of transactions, coinbase included (compact size) | coinbase | transaction ...
//! ```

use crate::hash::sha256::sha256d;
use crate::ledger::coinbase::{Coinbase, CoinbaseError};
use crate::ledger::transaction::{SIGNATURES_MAX, Transaction, TransactionDecodeError};
use crate::primitives::codec::{DecodeError, Reader, write_compact_size};
use crate::primitives::limits::HEADER_BYTES;
use crate::primitives::{Digest, Header, HeaderBytes};

/// Bytes of a block.
pub const BLOCK_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Signatures in a block.
pub const BLOCK_SIGNATURES_MAX: usize = 16_384;

/// A block whose bytes decode. Nothing else has been judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The header.
    pub header: Header,
    /// What the rules read out of the coinbase.
    pub coinbase: Coinbase,
    /// The coinbase as its miner wrote it: its hash is leaf 0.
    pub coinbase_bytes: Vec<u8>,
    /// The transactions, each with its bytes.
    pub transactions: Vec<Included>,
}

/// A transaction with the bytes that stand in the block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    /// The decoded transaction.
    pub transaction: Transaction,
    /// Its canonical bytes, signatures included: what the merkle leaf hashes.
    pub bytes: Vec<u8>,
}

impl Included {
    /// With its bytes.
    #[must_use]
    pub fn new(transaction: Transaction) -> Self {
        let bytes = transaction.encode();
        Self { transaction, bytes }
    }

    /// Those of its core, which stand first.
    #[must_use]
    pub fn core_bytes(&self) -> &[u8] {
        &self.bytes[..self.bytes.len() - self.transaction.envelope_bytes()]
    }

    /// The merkle leaf: SHA-256d of all bytes.
    #[must_use]
    pub fn leaf(&self) -> Digest {
        sha256d(&self.bytes)
    }
}

/// Why bytes are not a block, with the transaction where decoding stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockDecodeError {
    /// More than [`BLOCK_BYTES_MAX`].
    #[error("block of {0} bytes, at most {BLOCK_BYTES_MAX}")]
    TooLarge(usize),
    /// More than [`BLOCK_SIGNATURES_MAX`].
    #[error("block with more than {BLOCK_SIGNATURES_MAX} signatures")]
    TooManySignatures,
    /// Header or count.
    #[error("block: {0}")]
    Envelope(#[from] DecodeError),
    /// No transaction at all: not even a coinbase.
    #[error("block without a coinbase")]
    NoCoinbase,
    /// The first transaction.
    #[error(transparent)]
    Coinbase(#[from] CoinbaseError),
    /// A later one.
    #[error("transaction {index}: {error}")]
    Transaction {
        /// Its index; the coinbase is 0.
        index: u32,
        /// What is wrong.
        error: TransactionDecodeError,
    },
}

impl Block {
    /// Reads exactly one block. Memory is a small multiple of the input, whatever it claims.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, BlockDecodeError> {
        if bytes.len() > BLOCK_BYTES_MAX {
            return Err(BlockDecodeError::TooLarge(bytes.len()));
        }
        let mut reader = Reader::new(bytes);
        let header: HeaderBytes = reader.array()?;
        let count = reader.compact_size()?;
        if count == 0 {
            return Err(BlockDecodeError::NoCoinbase);
        }
        let start = reader.position();
        let coinbase = Coinbase::decode(&mut reader)?;
        let coinbase_bytes = reader.since(start).to_vec();
        let mut transactions = Vec::new();
        let mut signatures = 0;
        for index in 1..count {
            // A count beyond 32 bits fails here long before it wraps: the input is 2 MiB.
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let rest = &bytes[reader.position()..];
            let (transaction, used) = Transaction::decode_prefix(rest)
                .map_err(|error| BlockDecodeError::Transaction { index, error })?;
            signatures += transaction.signature_count();
            if signatures > BLOCK_SIGNATURES_MAX {
                return Err(BlockDecodeError::TooManySignatures);
            }
            let bytes = reader.take(used as u64)?.to_vec();
            transactions.push(Included { transaction, bytes });
        }
        reader.finish()?;
        Ok(Self { header: Header::decode(&header), coinbase, coinbase_bytes, transactions })
    }

    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_bytes());
        bytes.extend_from_slice(&self.header.encode());
        write_compact_size(&mut bytes, self.transactions.len() as u64 + 1);
        bytes.extend_from_slice(&self.coinbase_bytes);
        for included in &self.transactions {
            bytes.extend_from_slice(&included.bytes);
        }
        bytes
    }

    /// How long [`Block::encode`] is, at most eight bytes too many.
    #[must_use]
    pub fn encoded_bytes(&self) -> usize {
        let transactions: usize =
            self.transactions.iter().map(|included| included.bytes.len()).sum();
        HEADER_BYTES + 9 + self.coinbase_bytes.len() + transactions
    }

    /// The merkle leaves in order: coinbase first.
    #[must_use]
    pub fn leaves(&self) -> Vec<Digest> {
        let coinbase = sha256d(&self.coinbase_bytes);
        std::iter::once(coinbase).chain(self.transactions.iter().map(Included::leaf)).collect()
    }
}

const _: () = assert!(SIGNATURES_MAX <= BLOCK_SIGNATURES_MAX);
