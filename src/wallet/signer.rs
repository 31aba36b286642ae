//! Whatever can sign: a key in memory, or a program that guards one.

use std::fmt;

use crate::ledger::signature::{PubKey, Sig};
use crate::wallet::SecretKey;

/// What a signature is for. The ids are tagged hashes, so a signature for one purpose is none for
/// another; a signer is told so that it can show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// The id of a core: a signer of its body agrees to it.
    Core,
    /// The id of a transaction: the payer pays.
    Transaction,
    /// The message of a round: a beacon says whom it heard.
    Presence,
    /// A block's hash with a lot: the key on a package says that it is there.
    LotTag,
}

/// Why there is no signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The program could not be started.
    #[error("signer {command:?} does not start: {why}")]
    Start {
        /// The command line.
        command: String,
        /// What the system said.
        why: String,
    },
    /// No answer in time; the program was ended.
    #[error("signer {command:?} gave no answer in {seconds} s")]
    Timeout {
        /// The command line.
        command: String,
        /// How long it was given.
        seconds: u64,
    },
    /// It ended without an answer.
    #[error("signer {command:?} ended without an answer ({status})")]
    NoAnswer {
        /// The command line.
        command: String,
        /// How it ended.
        status: String,
    },
    /// Its answer is not one line of JSON with a signature.
    #[error(
        "signer {command:?} answered {answer:?}: expected {{\"signature\":\"<64 bytes, hex>\"}}"
    )]
    BadAnswer {
        /// The command line.
        command: String,
        /// The beginning of the answer.
        answer: String,
    },
    /// It said why it does not sign.
    #[error("signer {command:?} refuses: {why}")]
    Refused {
        /// The command line.
        command: String,
        /// What it said.
        why: String,
    },
    /// The signature does not verify.
    #[error("signer {command:?} gave a signature that is not by {key} over this message")]
    WrongSignature {
        /// The command line.
        command: String,
        /// The key that should have signed.
        key: PubKey,
    },
}

/// A holder of one key.
pub trait Signer {
    /// The key.
    fn public_key(&self) -> PubKey;

    /// Signs the 32 bytes of an id.
    ///
    /// # Errors
    ///
    /// If the holder does not sign. A key in memory always does.
    fn sign(&self, id: &[u8; 32], purpose: Purpose) -> Result<Sig, SignerError>;
}

impl Purpose {
    /// The name that a signer is told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Transaction => "transaction",
            Self::Presence => "presence",
            Self::LotTag => "lot-tag",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Signer for SecretKey {
    fn public_key(&self) -> PubKey {
        Self::public_key(self)
    }

    fn sign(&self, id: &[u8; 32], _purpose: Purpose) -> Result<Sig, SignerError> {
        Ok(self.sign_id(id))
    }
}
