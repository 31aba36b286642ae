//! A transaction on its way from signer to signer: text that survives mail, with the signatures gathered
//! so far. Each signer adds theirs on their own machine, in any order; copies are combined.
//!
//! ```json
//! {
//!   "format": "proofward-transaction",
//!   "version": 1,
//!   "genesis": "<genesis hash of the chain, as it is displayed>",
//!   "unsigned": ["<64 hex digits>", "<the last ones>"],
//!   "signatures": [{"key": "<64 hex digits>", "signature": ["<64 hex digits>", "<64 hex digits>"]}]
//! }
//! ```
//!
//! `unsigned` holds the canonical bytes of the transaction without signatures, cut into lines; the other
//! signatures follow the order of the signers. Whoever reads the file computes the ids from genesis and
//! bytes and verifies every signature against them, so one that was made for another transaction, or on
//! another chain, is refused where it is met.

use serde::{Deserialize, Serialize};

use crate::ledger::block::Included;
use crate::ledger::rules::TransactionError;
use crate::ledger::rules::isolation::{Ids, check_keys};
use crate::ledger::signature::{PubKey, Sig, Signed};
use crate::ledger::transaction::{
    CoreId, SIGNATURES_MAX, TRANSACTION_BYTES_MAX, Transaction, TransactionDecodeError,
};
use crate::primitives::BlockHash;
use crate::wallet::hex_lines;
use crate::wallet::signer::{Purpose, Signer, SignerError};

/// Bytes of a transaction file: hex doubles the transaction, and people may indent it.
pub const TRANSACTION_FILE_BYTES_MAX: usize = 8 * TRANSACTION_BYTES_MAX;

const FORMAT: &str = "proofward-transaction";
const VERSION: u32 = 1;

/// A transaction with the signatures that have been gathered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionFile {
    genesis: BlockHash,
    /// Invariant: no signatures.
    transaction: Transaction,
    ids: Ids,
    /// In the order of the signers. Invariant: each one verifies.
    signatures: Vec<(PubKey, Option<Sig>)>,
}

/// Why a text is no transaction file, or a transaction fits none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionFileError {
    /// Over [`TRANSACTION_FILE_BYTES_MAX`].
    #[error("transaction file of {0} bytes, at most {TRANSACTION_FILE_BYTES_MAX}")]
    TooLarge(usize),
    /// No JSON, or not these fields.
    #[error("not a transaction file: {0}")]
    Json(String),
    /// Another version.
    #[error("transaction file of version {0}, this program reads version {VERSION}")]
    Version(u32),
    /// A field that is no hexadecimal of the right length.
    #[error("transaction file: {field}: expected {expected}")]
    Field {
        /// Which.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The bytes are no transaction.
    #[error("transaction file: {0}")]
    Transaction(#[from] TransactionDecodeError),
    /// The transaction holds signatures, or a key that the rules refuse, or is too large once signed.
    #[error("transaction file: {0}")]
    Rule(#[from] TransactionError),
    /// A signature of somebody who has nothing to sign.
    #[error("transaction file: {0} has nothing to sign")]
    NotASigner(PubKey),
    /// Two signatures of one key.
    #[error("transaction file: two signatures of {0}")]
    Twice(PubKey),
    /// A signature that was made for something else.
    #[error("transaction file: the signature of {0} is not for this transaction on this chain")]
    BadSignature(PubKey),
}

/// Why a signature was not added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The key has nothing to sign.
    #[error("{0} has nothing to sign: `proofward tx show` says who has")]
    NotASigner(PubKey),
    /// The signer does not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

/// Why two copies do not combine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CombineError {
    /// They are of two chains.
    #[error("the files are of two chains: genesis {0} and {1}")]
    OtherChain(BlockHash, BlockHash),
    /// They do different things.
    #[error("the files hold different transactions: cores {0} and {1}")]
    OtherCore(CoreId, CoreId),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    version: u32,
    genesis: String,
    unsigned: Vec<String>,
    signatures: Vec<FileSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSignature {
    key: String,
    signature: Vec<String>,
}

impl TransactionFile {
    /// A transaction of the chain with this genesis; signatures that it has are verified and kept if
    /// there is one for each signer.
    ///
    /// # Errors
    ///
    /// A key that the rules refuse, more than a transaction may hold, or a signature that does not
    /// verify.
    pub fn new(
        genesis: BlockHash,
        mut transaction: Transaction,
    ) -> Result<Self, TransactionFileError> {
        check_keys(&transaction)?;
        let signers = transaction.signers();
        let sigs = std::mem::take(&mut transaction.sigs);
        let bytes = transaction.encode().len() + signers.len() * size_of::<Sig>();
        if bytes > TRANSACTION_BYTES_MAX {
            return Err(TransactionError::TooLarge("bytes").into());
        }
        if signers.len() > SIGNATURES_MAX {
            return Err(TransactionError::TooLarge("signatures").into());
        }
        if !sigs.is_empty() && sigs.len() != signers.len() {
            let (expected, got) = (signers.len(), sigs.len());
            return Err(TransactionError::WrongSigners { expected, got }.into());
        }
        let ids = Ids::of(&Included::new(transaction.clone()), &genesis);
        let signatures = signers.iter().map(|key| (*key, None)).collect();
        let mut file = Self { genesis, transaction, ids, signatures };
        for (key, sig) in signers.into_iter().zip(sigs) {
            file.add(key, sig)?;
        }
        Ok(file)
    }

    /// Reads a file, without trusting it.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn parse(text: &[u8]) -> Result<Self, TransactionFileError> {
        if text.len() > TRANSACTION_FILE_BYTES_MAX {
            return Err(TransactionFileError::TooLarge(text.len()));
        }
        let file: File = serde_json::from_slice(text)
            .map_err(|error| TransactionFileError::Json(error.to_string()))?;
        if file.format != FORMAT {
            let why = format!("format {:?}, expected {FORMAT:?}", shortened(&file.format));
            return Err(TransactionFileError::Json(why));
        }
        if file.version != VERSION {
            return Err(TransactionFileError::Version(file.version));
        }
        let field = |field, expected| TransactionFileError::Field { field, expected };
        let digits = "64 hex digits";
        let genesis = file.genesis.parse().map_err(|_| field("genesis", digits))?;
        let bytes = hex::decode(file.unsigned.concat())
            .map_err(|_| field("unsigned", "hex digits, two a byte"))?;
        let transaction = Transaction::decode(&bytes)?;
        if !transaction.sigs.is_empty() {
            return Err(field("unsigned", "a transaction without signatures"));
        }
        let mut read = Self::new(genesis, transaction)?;
        for FileSignature { key, signature } in &file.signatures {
            let mut bytes = [0; 32];
            hex::decode_to_slice(key, &mut bytes).map_err(|_| field("key", digits))?;
            let sig = signature.concat().parse();
            let sig = sig.map_err(|_| field("signature", "128 hex digits"))?;
            read.add(PubKey(bytes), sig)?;
        }
        Ok(read)
    }

    /// The file's text.
    ///
    /// # Panics
    ///
    /// Never: texts and numbers serialise.
    #[must_use]
    pub fn to_text(&self) -> String {
        let signed = self.signatures.iter().filter_map(|(key, sig)| Some((key, sig.as_ref()?)));
        let file = File {
            format: FORMAT.into(),
            version: VERSION,
            genesis: self.genesis.to_string(),
            unsigned: hex_lines(&self.transaction.encode()),
            signatures: signed
                .map(|(key, sig)| FileSignature {
                    key: hex::encode(key.0),
                    signature: hex_lines(&sig.0),
                })
                .collect(),
        };
        let mut text = serde_json::to_string_pretty(&file).expect("texts and numbers serialise");
        text.push('\n');
        text
    }

    /// Genesis of the chain that it is for.
    #[must_use]
    pub fn genesis(&self) -> BlockHash {
        self.genesis
    }

    /// The transaction without signatures.
    #[must_use]
    pub fn unsigned(&self) -> &Transaction {
        &self.transaction
    }

    /// Its ids.
    #[must_use]
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Who signs, the payer first, and whether they have.
    pub fn signers(&self) -> impl Iterator<Item = (PubKey, bool)> {
        self.signatures.iter().map(|(key, sig)| (*key, sig.is_some()))
    }

    /// Those who have not signed.
    #[must_use]
    pub fn missing(&self) -> Vec<PubKey> {
        self.signers().filter(|(_, has_signed)| !has_signed).map(|(key, _)| key).collect()
    }

    /// Adds the signature of one key: over the transaction id for the payer, over the core id for all
    /// others.
    ///
    /// # Errors
    ///
    /// If it has nothing to sign, or its holder does not sign.
    pub fn sign(&mut self, signer: &dyn Signer) -> Result<(), SignError> {
        let key = signer.public_key();
        let at = self.place_of(&key).ok_or(SignError::NotASigner(key))?;
        let purpose = if at == 0 { Purpose::Transaction } else { Purpose::Core };
        let sig = signer.sign(self.ids.signed_message(at), purpose)?;
        self.signatures[at].1 = Some(sig);
        Ok(())
    }

    /// Takes over the signatures of another copy; says how many were new. Of a copy with the same core
    /// but another payer, nonce or fee those that sign the core serve here too.
    ///
    /// # Errors
    ///
    /// If the other is of another chain or does something else.
    pub fn combine(&mut self, other: &Self) -> Result<usize, CombineError> {
        if self.genesis != other.genesis {
            return Err(CombineError::OtherChain(self.genesis, other.genesis));
        }
        if self.ids.core != other.ids.core {
            return Err(CombineError::OtherCore(self.ids.core, other.ids.core));
        }
        let mut added = 0;
        for (key, sig) in &other.signatures {
            let (Some(sig), Some(at)) = (sig, self.place_of(key)) else { continue };
            // What verifies here serves here: a signature says by itself what it is for.
            let signed = Signed { key: *key, sig: *sig, message: self.ids.signed_message(at) };
            if self.signatures[at].1.is_none() && signed.is_valid() {
                self.signatures[at].1 = Some(*sig);
                added += 1;
            }
        }
        Ok(added)
    }

    /// The whole transaction, if everybody has signed.
    #[must_use]
    pub fn complete(&self) -> Option<Transaction> {
        let sigs = self.signatures.iter().map(|(_, sig)| *sig).collect::<Option<Vec<_>>>()?;
        Some(Transaction { sigs, ..self.transaction.clone() })
    }

    fn place_of(&self, key: &PubKey) -> Option<usize> {
        self.signatures.iter().position(|(signer, _)| signer == key)
    }

    fn add(&mut self, key: PubKey, sig: Sig) -> Result<(), TransactionFileError> {
        let at = self.place_of(&key).ok_or(TransactionFileError::NotASigner(key))?;
        if self.signatures[at].1.is_some() {
            return Err(TransactionFileError::Twice(key));
        }
        if !(Signed { key, sig, message: self.ids.signed_message(at) }).is_valid() {
            return Err(TransactionFileError::BadSignature(key));
        }
        self.signatures[at].1 = Some(sig);
        Ok(())
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
