//! How a whole Bitcoin block breaks a rule, in Bitcoin Core's words.

use crate::consensus::Violation;
use crate::primitives::codec::DecodeError;
use crate::primitives::{Digest, MerkleRoot};

/// Why a block is invalid. The order is that of the checks: those of the bytes, then `CheckBlock`, then
/// what `ContextualCheckBlock` can say without the chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockViolation {
    /// The bytes are no block.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The header is invalid.
    #[error(transparent)]
    Header(#[from] Violation),
    /// The header's merkle root is not that of the transactions.
    #[error("expected the merkle root {expected}, got {actual}")]
    MerkleRoot {
        /// Root of the transactions.
        expected: MerkleRoot,
        /// Root in the header.
        actual: MerkleRoot,
    },
    /// The list of transactions repeats its end (CVE-2012-2459). The header may be that of a valid block.
    #[error("transactions are repeated without a change of the merkle root")]
    Mutated,
    /// No transactions, or too many bytes without witnesses.
    #[error("{transactions} transactions of {stripped_bytes} bytes without witnesses")]
    Length {
        /// How many transactions.
        transactions: usize,
        /// Bytes of the block without witness data.
        stripped_bytes: usize,
    },
    /// The first transaction is not a coinbase.
    #[error("the first transaction is not a coinbase")]
    CoinbaseMissing,
    /// There is another coinbase.
    #[error("transaction {transaction} is a second coinbase")]
    CoinbaseMultiple {
        /// Its position.
        transaction: usize,
    },
    /// A transaction is invalid on its own.
    #[error("transaction {transaction}: {fault}")]
    Transaction {
        /// Its position.
        transaction: usize,
        /// What is wrong with it.
        fault: TransactionFault,
    },
    /// Too many signature operations.
    #[error("{sigops} signature operations, {sigops_max} allowed")]
    Sigops {
        /// How many, counted as before segregated witness.
        sigops: u64,
        /// How many may be.
        sigops_max: u64,
    },
    /// The coinbase's witness is not one element of 32 bytes.
    #[error("the coinbase's witness is not one element of 32 bytes")]
    WitnessNonceSize,
    /// The witness commitment is not that of the transactions.
    #[error(
        "expected the witness commitment {}, got {}",
        hex::encode(expected),
        hex::encode(actual)
    )]
    WitnessCommitment {
        /// Commitment to the transactions with their witnesses.
        expected: Digest,
        /// Commitment in the coinbase.
        actual: Digest,
    },
    /// There is witness data without a commitment.
    #[error("transaction {transaction} has a witness, and the coinbase commits to none")]
    UnexpectedWitness {
        /// Position of the first such transaction.
        transaction: usize,
    },
    /// Too heavy.
    #[error("weight {weight}, {weight_max} allowed")]
    Weight {
        /// Its weight (BIP141).
        weight: u64,
        /// What it may be.
        weight_max: u64,
    },
}

/// What is wrong with a transaction on its own (`CheckTransaction`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionFault {
    /// It spends nothing.
    #[error("no inputs")]
    NoInputs,
    /// It pays nobody.
    #[error("no outputs")]
    NoOutputs,
    /// It is larger than a block may be.
    #[error("{stripped_bytes} bytes without witnesses")]
    Oversize {
        /// Its size.
        stripped_bytes: usize,
    },
    /// An output's amount is negative.
    #[error("output {output} is negative")]
    NegativeOutput {
        /// Its position.
        output: usize,
    },
    /// An output's amount is above all money there will be.
    #[error("output {output} of {amount} is above {AMOUNT_MAX}")]
    OutputTooLarge {
        /// Its position.
        output: usize,
        /// Its amount.
        amount: i64,
    },
    /// The sum of the outputs is above all money there will be.
    #[error("the sum of outputs up to {output} is above {AMOUNT_MAX}")]
    SumTooLarge {
        /// Position of the output that is too much.
        output: usize,
    },
    /// It spends an output twice (CVE-2018-17144).
    #[error("two inputs spend the same output")]
    DuplicateInputs,
    /// The coinbase's script is shorter than 2 or longer than 100 bytes.
    #[error("a coinbase script of {bytes} bytes")]
    CoinbaseScriptLength {
        /// Its length.
        bytes: usize,
    },
    /// It spends the null output without being a coinbase.
    #[error("input {input} spends the null output")]
    NullPrevout {
        /// Its position.
        input: usize,
    },
}

/// All money there will ever be, in units of 10^-8 (`MAX_MONEY`).
pub const AMOUNT_MAX: i64 = 2_100_000_000_000_000;

impl BlockViolation {
    /// The reject reason in Bitcoin Core's words. Bytes that do not decode have none there: it is what
    /// `submitblock` answers, as one word.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Decode(_) => "block-decode-failed",
            Self::Header(violation) => violation.rule().name(),
            Self::MerkleRoot { .. } => "bad-txnmrklroot",
            Self::Mutated => "bad-txns-duplicate",
            Self::Length { .. } => "bad-blk-length",
            Self::CoinbaseMissing => "bad-cb-missing",
            Self::CoinbaseMultiple { .. } => "bad-cb-multiple",
            Self::Transaction { fault, .. } => fault.rule(),
            Self::Sigops { .. } => "bad-blk-sigops",
            Self::WitnessNonceSize => "bad-witness-nonce-size",
            Self::WitnessCommitment { .. } => "bad-witness-merkle-match",
            Self::UnexpectedWitness { .. } => "unexpected-witness",
            Self::Weight { .. } => "bad-blk-weight",
        }
    }

    /// Whether the fault may lie in the copy and not in the block: the header names a block that may be
    /// valid with other bytes, so its hash must not be remembered as invalid (`BLOCK_MUTATED`).
    #[must_use]
    pub fn is_mutation(&self) -> bool {
        matches!(
            self,
            Self::Decode(_)
                | Self::MerkleRoot { .. }
                | Self::Mutated
                | Self::WitnessNonceSize
                | Self::WitnessCommitment { .. }
                | Self::UnexpectedWitness { .. }
        )
    }
}

impl TransactionFault {
    /// The reject reason in Bitcoin Core's words.
    #[must_use]
    pub fn rule(self) -> &'static str {
        match self {
            Self::NoInputs => "bad-txns-vin-empty",
            Self::NoOutputs => "bad-txns-vout-empty",
            Self::Oversize { .. } => "bad-txns-oversize",
            Self::NegativeOutput { .. } => "bad-txns-vout-negative",
            Self::OutputTooLarge { .. } => "bad-txns-vout-toolarge",
            Self::SumTooLarge { .. } => "bad-txns-txouttotal-toolarge",
            Self::DuplicateInputs => "bad-txns-inputs-duplicate",
            Self::CoinbaseScriptLength { .. } => "bad-cb-length",
            Self::NullPrevout { .. } => "bad-txns-prevout-null",
        }
    }
}
