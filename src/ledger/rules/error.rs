//! The names of broken rules. Block rules use Bitcoin Core's words where Core has the rule; transaction
//! rules use the names of the transaction table.

use super::access::{
    ApproveError, AttestError, GrantError, ReceiptError, RecordError, RequestError,
};
use super::goods::MoveError;
use super::pay::PayError;
use super::reading::ReadingError;
use crate::ledger::block::BlockDecodeError;
use crate::ledger::coinbase::CoinbaseError;
use crate::ledger::signature::KeyError;
use crate::ledger::transaction::TransactionDecodeError;
use crate::primitives::{BlockHash, CompactTarget};

/// Why a block is refused: where, and by which rule. The lowest height is named, in it the lowest
/// transaction, in that the first rule in the order of the checks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("block {height} ({hash}){}: {}: {rule}", .transaction.map_or(String::new(), |index| format!(", transaction {index}")), rule.name())]
pub struct Verdict {
    /// Height of the block.
    pub height: u32,
    /// Its hash.
    pub hash: BlockHash,
    /// Index of the transaction (the coinbase is 0); none if the block as a whole is at fault.
    pub transaction: Option<u32>,
    /// The rule.
    pub rule: BlockRule,
}

/// What a block breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockRule {
    /// The bytes are not a block.
    #[error("{0}")]
    Decode(BlockDecodeError),
    /// A version bit outside the rolling mask differs.
    #[error("version {0:08x}, expected 20000000 outside the mask 1fffe000")]
    BadVersion(u32),
    /// The parent is not the block before.
    #[error("parent {got}, expected {expected}")]
    BadPrevBlock {
        /// The block before.
        expected: BlockHash,
        /// What the header names.
        got: BlockHash,
    },
    /// The parent is known to be invalid.
    #[error("the parent {0} is invalid")]
    InvalidParent(BlockHash),
    /// It was found invalid before and is not judged again.
    #[error("found invalid before")]
    KnownInvalid,
    /// nBits is not what the difficulty rule asks.
    #[error("nBits {got}, expected {expected}")]
    BadDiffBits {
        /// What the rule gives for this parent and time.
        expected: CompactTarget,
        /// What the header says.
        got: CompactTarget,
    },
    /// The hash does not meet the target.
    #[error("the hash is above the target of nBits {0}")]
    HighHash(CompactTarget),
    /// The time is not above the median of the last eleven.
    #[error("time {got} is not above the median time past {median}")]
    TimeTooOld {
        /// Median of the blocks before.
        median: u32,
        /// What the header says.
        got: u32,
    },
    /// The time is ahead of the node's clock by more than the chain allows. Not final: it may pass later.
    #[error("time {got} is more than {limit} s ahead of {now}")]
    TimeTooNew {
        /// The node's clock.
        now: u64,
        /// Seconds allowed.
        limit: u32,
        /// What the header says.
        got: u32,
    },
    /// The merkle root is not that of the transactions.
    #[error("the merkle root is not that of the transactions")]
    BadMerkleRoot,
    /// The transaction list repeats its end in a way that keeps the root (CVE-2012-2459). The block's
    /// hash says nothing about it: the untouched block may still be valid.
    #[error("transactions repeated so that the merkle root stays the same")]
    Mutated,
    /// The coinbase names another height.
    #[error("the coinbase names height {0}")]
    BadCoinbaseHeight(u32),
    /// The coinbase commits to another state.
    #[error("the coinbase commits to state {got}, expected {expected}")]
    BadStateRoot {
        /// Root after the parent.
        expected: String,
        /// What the coinbase says.
        got: String,
    },
    /// The coinbase pays a key that the rules refuse.
    #[error("the coinbase pays a refused key: {0}")]
    BadCoinbaseKey(KeyError),
    /// The coinbase creates more than subsidy and fees.
    #[error("the coinbase pays {paid}, at most {allowed}")]
    BadCoinbaseAmount {
        /// Sum of its outputs.
        paid: u128,
        /// Subsidy and fees.
        allowed: u64,
    },
    /// A transaction breaks a rule.
    #[error("{0}")]
    Transaction(TransactionError),
}

/// What a transaction breaks, in the order of the checks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionError {
    /// The core's version is not 1.
    #[error("core version {0}, expected 1")]
    BadVersion(u8),
    /// The core names another chain.
    #[error("for chain {}, this is {}", hex::encode(got), hex::encode(expected))]
    WrongChain {
        /// This chain.
        expected: [u8; 4],
        /// What the core names.
        got: [u8; 4],
    },
    /// The block comes before the validity window.
    #[error("valid from height {from}, this is {height}")]
    NotYetValid {
        /// First height.
        from: u32,
        /// Of the including block.
        height: u32,
    },
    /// The block comes after the validity window.
    #[error("valid to height {to}, this is {height}")]
    Expired {
        /// Last height.
        to: u32,
        /// Of the including block.
        height: u32,
    },
    /// The anchor is no ancestor within reach.
    #[error("anchor {0} is not one of the last 144 ancestors")]
    UnknownAnchor(BlockHash),
    /// The nonce is not 1 to 64 above the payer's last.
    #[error("nonce {got}, expected 1 to 64 above {last}")]
    NonceGap {
        /// The payer's last.
        last: u64,
        /// The transaction's.
        got: u64,
    },
    /// The fee is below bytes, signatures and new state entries.
    #[error("fee {got}, at least {least}")]
    FeeTooLow {
        /// What it must be.
        least: u64,
        /// What it is.
        got: u64,
    },
    /// The payer owns less than the fee.
    #[error("the payer owns {balance}, the fee is {fee}")]
    PayerCannotPay {
        /// What the payer owns.
        balance: u64,
        /// The fee.
        fee: u64,
    },
    /// A key in some field is refused.
    #[error("key {index}: {error}")]
    BadKey {
        /// The payer is 0, then the keys of the body in order.
        index: usize,
        /// Why.
        error: KeyError,
    },
    /// A signature does not verify.
    #[error("signature {0} does not verify")]
    BadSig(usize),
    /// The number of signatures is not the number of signers.
    #[error("{got} signatures for {expected} signers")]
    WrongSigners {
        /// Signers.
        expected: usize,
        /// Signatures.
        got: usize,
    },
    /// A field has more than one form and this is not the canonical one, or the bytes do not decode.
    #[error("not canonical: {0}")]
    NonCanonical(String),
    /// Over a size limit.
    #[error("too large: {0}")]
    TooLarge(&'static str),
    /// The core was accepted before.
    #[error("the core was accepted at height {0}")]
    Duplicate(u32),
    /// A rule of `Pay`.
    #[error(transparent)]
    Pay(#[from] PayError),
    /// A rule of `Attest`.
    #[error(transparent)]
    Attest(#[from] AttestError),
    /// A rule of `Record`.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A rule of `Grant`.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// A rule of `Request`.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A rule of `Approve`.
    #[error(transparent)]
    Approve(#[from] ApproveError),
    /// A rule of `Receipt`.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// A rule of `Move`.
    #[error(transparent)]
    Move(#[from] MoveError),
    /// A rule of `Reading`.
    #[error(transparent)]
    Reading(#[from] ReadingError),
}

impl BlockRule {
    /// The rule in a word, for programs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Decode(error) => decode_name(error),
            Self::BadVersion(_) => "bad-version",
            Self::BadPrevBlock { .. } | Self::InvalidParent(_) => "bad-prevblk",
            Self::KnownInvalid => "duplicate-invalid",
            Self::BadDiffBits { .. } => "bad-diffbits",
            Self::HighHash(_) => "high-hash",
            Self::TimeTooOld { .. } => "time-too-old",
            Self::TimeTooNew { .. } => "time-too-new",
            Self::BadMerkleRoot => "bad-txnmrklroot",
            Self::Mutated => "bad-txns-duplicate",
            Self::BadCoinbaseHeight(_) => "bad-cb-height",
            Self::BadStateRoot { .. } => "bad-state-root",
            Self::BadCoinbaseKey(_) => "bad-cb-key",
            Self::BadCoinbaseAmount { .. } => "bad-cb-amount",
            Self::Transaction(error) => error.name(),
        }
    }
}

fn decode_name(error: &BlockDecodeError) -> &'static str {
    match error {
        BlockDecodeError::TooLarge(_) => "bad-blk-length",
        BlockDecodeError::TooManySignatures => "bad-blk-sigops",
        BlockDecodeError::Envelope(_) => "malformed",
        BlockDecodeError::NoCoinbase => "bad-cb-missing",
        BlockDecodeError::Coinbase(error) => match error {
            CoinbaseError::Envelope(_) => "malformed",
            CoinbaseError::TooLarge => "bad-cb-size",
            CoinbaseError::Input => "bad-cb-input",
            CoinbaseError::ScriptLength(_) => "bad-cb-length",
            CoinbaseError::Height => "bad-cb-height",
            CoinbaseError::Output(_) => "bad-cb-output",
            CoinbaseError::Commitments(_) => "bad-cb-commitment",
        },
        BlockDecodeError::Transaction { error, .. } => match error {
            TransactionDecodeError::TooLarge { .. } => "TooLarge",
            TransactionDecodeError::NonCanonical { .. } => "NonCanonical",
        },
    }
}

impl TransactionError {
    /// The name in the transaction table.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::BadVersion(_) => "BadVersion",
            Self::WrongChain { .. } => "WrongChain",
            Self::NotYetValid { .. } => "NotYetValid",
            Self::Expired { .. } => "Expired",
            Self::UnknownAnchor(_) => "UnknownAnchor",
            Self::NonceGap { .. } => "NonceGap",
            Self::FeeTooLow { .. } => "FeeTooLow",
            Self::PayerCannotPay { .. } => "PayerCannotPay",
            Self::BadKey { .. } => "BadKey",
            Self::BadSig(_) => "BadSig",
            Self::WrongSigners { .. } => "WrongSigners",
            Self::NonCanonical(_) => "NonCanonical",
            Self::TooLarge(_) => "TooLarge",
            Self::Duplicate(_) => "Duplicate",
            Self::Pay(error) => error.name(),
            Self::Attest(error) => error.name(),
            Self::Record(error) => error.name(),
            Self::Grant(error) => error.name(),
            Self::Request(error) => error.name(),
            Self::Approve(error) => error.name(),
            Self::Receipt(error) => error.name(),
            Self::Move(error) => error.name(),
            Self::Reading(error) => error.name(),
        }
    }
}

impl From<TransactionDecodeError> for TransactionError {
    fn from(error: TransactionDecodeError) -> Self {
        match error {
            TransactionDecodeError::TooLarge { what } => Self::TooLarge(what),
            TransactionDecodeError::NonCanonical { what } => Self::NonCanonical(what),
        }
    }
}
