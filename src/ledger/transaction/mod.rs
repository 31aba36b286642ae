//! A transaction: the envelope that every kind shares, its ids, its signers, its canonical bytes. One
//! file for each kind of body. What a body may do stands in [`crate::ledger::rules`].
//!
//! # Bytes
//!
//! Borsh (integers little-endian, an enumeration as one byte, a list as a 32-bit count and its
//! elements, an option as 0 or 1), in the order of the fields below. There is one encoding of each
//! transaction: decoding refuses trailing bytes, and `encode(decode(bytes)) == bytes`.

pub mod approve;
pub mod attest;
pub mod grant;
pub mod id;
pub(in crate::ledger) mod list;
pub mod lot;
pub mod party;
pub mod pay;
pub mod reading;
pub mod receipt;
pub mod record;
pub mod request;

use std::io;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::hash::tagged::Tag;
use crate::ledger::policy::Presence;
use crate::ledger::signature::{PubKey, Sig};
use crate::primitives::BlockHash;

pub use approve::Approve;
pub use attest::Attest;
pub use grant::Grant;
pub use id::{CoreId, LotId, TransactionId};
pub use lot::Move;
pub use party::{Group, Party, PartyId};
pub use pay::{Pay, PayKind};
pub use reading::Reading;
pub use receipt::Receipt;
pub use record::Record;
pub use request::Request;

/// The only version of the core.
pub const CORE_VERSION: u8 = 1;
/// Bytes of a transaction, signatures included.
pub const TRANSACTION_BYTES_MAX: usize = 32 * 1024;
/// Signatures of a transaction.
pub const SIGNATURES_MAX: usize = 64;
/// Blocks between `valid_from` and `valid_to`, and how long an accepted core id is remembered: so a
/// core cannot come back while it is valid.
pub const VALIDITY_BLOCKS_MAX: u32 = 1000;
/// How far above the account's last nonce the next may be.
pub const NONCE_STEP_MAX: u64 = 64;
/// How many blocks an anchor may lie back: an ancestor at a height in `h - 144 ..= h - 1`.
pub const ANCHOR_DEPTH_BLOCKS_MAX: u32 = 144;

/// Core without its body's fields, payer, nonce, fee, count of signatures.
const FIXED_BYTES: usize = (1 + 4 + 4 + 4 + 32 + 1) + 32 + 8 + 8 + 4;

const CORE_TAG: Tag = Tag::new("core");
const TRANSACTION_TAG: Tag = Tag::new("tx");

/// What happens, and when it may: everything that the signers of the body sign.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Core {
    /// [`CORE_VERSION`].
    pub version: u8,
    /// First four bytes of the chain's specification commitment: a cheap refusal; the core id binds
    /// the genesis block itself.
    pub chain: [u8; 4],
    /// First height at which a block may include it.
    pub valid_from: u32,
    /// Last height, at most [`VALIDITY_BLOCKS_MAX`] above the first.
    pub valid_to: u32,
    /// An ancestor of the including block, or [`BlockHash::ZERO`]: binds the core to one branch.
    pub anchor: [u8; 32],
    /// What happens.
    pub body: Body,
}

/// The kinds of transaction. The numbers are consensus and never reused; an unknown one is invalid.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
#[non_exhaustive]
pub enum Body {
    /// Moves tokens.
    Pay(Pay) = 1,
    /// Claims something about a key.
    Attest(Attest) = 2,
    /// Commits to a record.
    Record(Record) = 3,
    /// Puts a policy in force.
    Grant(Grant) = 4,
    /// Asks to read.
    Request(Box<Request>) = 5,
    /// Agrees to a request.
    Approve(Approve) = 6,
    /// Says what came of a request.
    Receipt(Receipt) = 7,
    /// Moves lots of goods.
    Move(Move) = 8,
    /// Says what a wearable has seen.
    Reading(Reading) = 9,
}

/// A core, who pays for it, and the signatures.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Transaction {
    /// What the body's signers sign.
    pub core: Core,
    /// Who pays the fee; always signer 0.
    pub payer: PubKey,
    /// Above the payer's last by 1 to [`NONCE_STEP_MAX`].
    pub nonce: u64,
    /// Units paid to the miner.
    pub fee: u64,
    /// One for each of [`Transaction::signers`], in that order.
    pub sigs: Vec<Sig>,
}

/// Why bytes are not a transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionDecodeError {
    /// More than [`TRANSACTION_BYTES_MAX`] bytes or [`SIGNATURES_MAX`] signatures.
    #[error("transaction too large: {what}")]
    TooLarge {
        /// Which limit.
        what: &'static str,
    },
    /// The bytes are no canonical encoding.
    #[error("not a canonical transaction: {what}")]
    NonCanonical {
        /// What the decoder met.
        what: String,
    },
}

impl Core {
    /// The bytes that the core id commits to.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// tagged("core", genesis hash || core): what the body's signers sign, and the name by which later
    /// transactions refer to this one.
    #[must_use]
    pub fn id(&self, genesis: &BlockHash) -> CoreId {
        CoreId::of(&self.encode(), genesis)
    }
}

impl CoreId {
    /// Of the core with these bytes.
    pub(in crate::ledger) fn of(core: &[u8], genesis: &BlockHash) -> Self {
        Self(CORE_TAG.start().update(&genesis.0).update(core).finish())
    }
}

impl Body {
    /// The name in tables, JSON and logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pay(_) => "Pay",
            Self::Attest(_) => "Attest",
            Self::Record(_) => "Record",
            Self::Grant(_) => "Grant",
            Self::Request(_) => "Request",
            Self::Approve(_) => "Approve",
            Self::Receipt(_) => "Receipt",
            Self::Move(_) => "Move",
            Self::Reading(_) => "Reading",
        }
    }

    /// Who must sign the body, in order, before the payer is considered.
    #[must_use]
    pub fn signers(&self) -> Vec<PubKey> {
        match self {
            Self::Pay(pay) => pay.signers(),
            Self::Attest(attest) => attest.signers(),
            Self::Record(record) => record.signers(),
            Self::Grant(grant) => grant.signers(),
            Self::Request(request) => request.signers(),
            Self::Approve(approve) => approve.signers(),
            Self::Receipt(receipt) => receipt.signers(),
            Self::Move(body) => body.signers(),
            Self::Reading(reading) => reading.signers(),
        }
    }

    /// Every key that the body names, signers or not: each must be canonical and of full order.
    #[must_use]
    pub fn keys(&self) -> Vec<PubKey> {
        match self {
            Self::Pay(pay) => pay.keys(),
            Self::Attest(attest) => attest.keys(),
            Self::Record(record) => record.keys(),
            Self::Grant(grant) => grant.keys(),
            Self::Request(request) => request.keys(),
            Self::Approve(approve) => approve.keys(),
            Self::Receipt(receipt) => receipt.keys(),
            Self::Move(body) => body.keys(),
            Self::Reading(reading) => reading.keys(),
        }
    }

    /// The presences that the body carries, in order: each holds one more signature.
    #[must_use]
    pub fn presences(&self) -> Vec<&Presence> {
        match self {
            Self::Request(request) => request.presence.iter().collect(),
            Self::Approve(approve) => approve.presences().collect(),
            Self::Move(body) => body.presence.iter().collect(),
            Self::Pay(_)
            | Self::Attest(_)
            | Self::Record(_)
            | Self::Grant(_)
            | Self::Receipt(_)
            | Self::Reading(_) => Vec::new(),
        }
    }

    /// How many these are.
    fn presence_count(&self) -> usize {
        match self {
            Self::Request(request) => request.presence.iter().count(),
            Self::Approve(approve) => approve.presences().count(),
            Self::Move(body) => body.presence.iter().count(),
            Self::Pay(_)
            | Self::Attest(_)
            | Self::Record(_)
            | Self::Grant(_)
            | Self::Receipt(_)
            | Self::Reading(_) => 0,
        }
    }
}

impl Transaction {
    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads exactly one transaction.
    ///
    /// # Errors
    ///
    /// `TooLarge` above the limits, `NonCanonical` for anything that `encode` would not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, TransactionDecodeError> {
        let (transaction, used) = Self::decode_prefix(bytes)?;
        if used != bytes.len() {
            let what = format!("{} bytes after the end", bytes.len() - used);
            return Err(TransactionDecodeError::NonCanonical { what });
        }
        Ok(transaction)
    }

    /// Reads the transaction at the front of `bytes`, as blocks hold them, and says how many bytes it
    /// took. Never reads past [`TRANSACTION_BYTES_MAX`].
    ///
    /// # Errors
    ///
    /// As [`Transaction::decode`].
    pub fn decode_prefix(bytes: &[u8]) -> Result<(Self, usize), TransactionDecodeError> {
        let window = &bytes[..bytes.len().min(TRANSACTION_BYTES_MAX)];
        let mut rest = window;
        let transaction = match Self::deserialize(&mut rest) {
            Ok(transaction) => transaction,
            // The window ended before the transaction did: the limit, not the input, cut it short.
            Err(error)
                if error.kind() == io::ErrorKind::InvalidData
                    && rest.is_empty()
                    && window.len() < bytes.len() =>
            {
                return Err(TransactionDecodeError::TooLarge { what: "bytes" });
            }
            Err(error) => {
                return Err(TransactionDecodeError::NonCanonical { what: error.to_string() });
            }
        };
        if transaction.signature_count() > SIGNATURES_MAX {
            return Err(TransactionDecodeError::TooLarge { what: "signatures" });
        }
        Ok((transaction, window.len() - rest.len()))
    }

    /// tagged("tx", core id || payer || nonce || fee): what the payer signs.
    #[must_use]
    pub fn id(&self, core: &CoreId) -> TransactionId {
        let mut hash = TRANSACTION_TAG.start();
        hash.update(&core.0).update(&self.payer.0);
        hash.update(&self.nonce.to_le_bytes()).update(&self.fee.to_le_bytes());
        TransactionId(hash.finish())
    }

    /// Bytes of the encoding that come after the core's: payer, nonce, fee, the count of signatures, and
    /// these.
    pub(in crate::ledger) const fn envelope_bytes(&self) -> usize {
        size_of::<PubKey>()
            + 2 * size_of::<u64>()
            + size_of::<u32>()
            + self.sigs.len() * size_of::<Sig>()
    }

    /// Signatures to verify: those of the signers, then those of the beacons in its presences. Limits
    /// and fees count both.
    #[must_use]
    pub fn signature_count(&self) -> usize {
        self.sigs.len() + self.core.body.presence_count()
    }

    /// Who must sign, in order: the payer, then the body's signers, each once.
    #[must_use]
    pub fn signers(&self) -> Vec<PubKey> {
        let mut signers = vec![self.payer];
        for key in self.core.body.signers() {
            if !signers.contains(&key) {
                signers.push(key);
            }
        }
        signers
    }
}

fn encode(value: &impl BorshSerialize) -> Vec<u8> {
    borsh::to_vec(value).expect("writing to memory cannot fail, and no list is over 2^32 long")
}

// A leaf of 64 bytes could pose as an inner node of the merkle tree (CVE-2017-12842): the fixed fields
// alone are longer.
const _: () = assert!(FIXED_BYTES > 64);
