//! From a guardian to a reader: a share sealed to the one-time key of one request. The chain carries the
//! hash of the key ([`ReplyKey::commitment`]) in the request and the hash of the ciphertext
//! ([`Release::hash`]) in the approval. Both are hashes of blobs, so that key and ciphertext travel as
//! every other blob does: by name, beside the chain.

use borsh::{BorshDeserialize, BorshSerialize};
use zeroize::Zeroizing;

use super::sealing::{SealError, SealKey, SealSecret, Use};
use super::sharing::{Share, Slip};
use crate::ledger::signature::PubKey;
use crate::ledger::store::Blobs;
use crate::ledger::transaction::CoreId;
use crate::wallet::SecretKey;

const SLIP_INFO: &[u8] = b"proofward/slip";
const RELEASE_INFO: &[u8] = b"proofward/share";
/// Bytes of a slip or share before it is sealed; the longest slip has 471.
const MESSAGE_BYTES: usize = 512;
/// Bytes of a sealed slip or release that anybody reads.
pub const SEALED_BYTES_MAX: usize = 4096;

/// The public half of a reader's one-time key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyKey(pub SealKey);

/// A share on its way to a reader.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Release {
    /// The request that it answers.
    pub request: [u8; 32],
    /// The sealed share.
    pub sealed: Vec<u8>,
}

impl ReplyKey {
    /// What the request says of it: the hash of its 32 bytes as a blob.
    #[must_use]
    pub fn commitment(&self) -> [u8; 32] {
        Blobs::hash(&self.0.0)
    }
}

impl Slip {
    /// Seals the slip to its guardian.
    ///
    /// # Errors
    ///
    /// The guardian's key is none, or the system gives no random bytes.
    pub fn seal(&self, guardian: &PubKey) -> Result<Vec<u8>, SealError> {
        let key = SealKey::of_person(guardian).ok_or(SealError::BadKey)?;
        key.seal(Use { info: SLIP_INFO, of: &[] }, &padded(self))
    }

    /// Opens a slip that was sealed to this guardian; `None` for anything else.
    #[must_use]
    pub fn open(guardian: &SecretKey, sealed: &[u8]) -> Option<Self> {
        let used = Use { info: SLIP_INFO, of: &[] };
        open(&SealSecret::of_person(guardian), used, sealed)
    }

    /// Seals the share to the reader of a request.
    ///
    /// # Errors
    ///
    /// The reply key is none, or the system gives no random bytes.
    pub fn release(&self, request: CoreId, reply: &ReplyKey) -> Result<Release, SealError> {
        let sealed =
            reply.0.seal(Use { info: RELEASE_INFO, of: &request.0 }, &padded(&self.share))?;
        Ok(Release { request: request.0, sealed })
    }
}

impl Release {
    /// What the approval says of it: the hash of the sealed share as a blob.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Blobs::hash(&self.sealed)
    }

    /// Opens it with the one-time key; `None` for anything else than a share sealed for this request.
    #[must_use]
    pub fn open(&self, secret: &SealSecret) -> Option<Share> {
        open(secret, Use { info: RELEASE_INFO, of: &self.request }, &self.sealed)
    }
}

/// The encoding, one byte 0x80, and zeros: all slips and shares are of one length, so that none tells
/// whether its guardian is required or how many there are.
fn padded(value: &impl BorshSerialize) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MESSAGE_BYTES));
    value.serialize(&mut *bytes).expect("writing to memory cannot fail");
    bytes.push(0x80);
    bytes.resize(MESSAGE_BYTES, 0);
    bytes
}

fn open<T: BorshDeserialize>(secret: &SealSecret, used: Use<'_>, sealed: &[u8]) -> Option<T> {
    if sealed.len() > SEALED_BYTES_MAX {
        return None;
    }
    let message = secret.open(used, sealed)?;
    let end = message.iter().rposition(|byte| *byte != 0)?;
    borsh::from_slice(&message[..end]).ok().filter(|_| message[end] == 0x80)
}
