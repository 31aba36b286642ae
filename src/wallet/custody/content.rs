//! The content key and what it encrypts: any file becomes a blob that anybody may keep.
//!
//! A blob is version 1, 24 bytes of nonce, then the XChaCha20-Poly1305 ciphertext with its tag;
//! authenticated with it are the record's name and epoch, so that a blob serves no other record. The
//! file is padded first, so that a blob's length tells a size class instead of a size: one byte 0x80,
//! then zeros, to the next length of the form that [`padded_length`] gives.

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use zeroize::Zeroizing;

use super::entropy::Entropy;
use super::sharing::RecordEpoch;
use crate::ledger::store::BLOB_BYTES_MAX;
use crate::wallet::NoEntropy;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const KEY_BYTES: usize = 32;
const OVERHEAD: usize = 1 + NONCE_BYTES + TAG_BYTES;
/// The shortest padded length.
const LEAST_BYTES: usize = 4096;

/// Bytes of the largest file that a record holds.
pub const CONTENT_BYTES_MAX: usize = BLOB_BYTES_MAX / 2;

/// Encrypts one epoch of one record; wiped when dropped.
pub struct ContentKey(Zeroizing<[u8; KEY_BYTES]>);

/// Why content is not encrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// It is too long.
    #[error("a record has at most {CONTENT_BYTES_MAX} bytes, this one has {0}")]
    TooLong(usize),
    /// No random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// Why a blob does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlobOpenError {
    /// Not a blob of this version.
    #[error("not an encrypted record that this program reads")]
    Malformed,
    /// The key is another one, or the blob was changed, or it is another record's.
    #[error("the key does not open this blob")]
    WrongKey,
}

impl ContentKey {
    /// A fresh key.
    ///
    /// # Errors
    ///
    /// If the system gives no random bytes.
    pub fn generate() -> Result<Self, NoEntropy> {
        Ok(Self(Zeroizing::new(Entropy::new()?.array())))
    }

    /// The key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        Self(bytes)
    }

    /// The bytes: whoever has them can read.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Encrypts a file as the content of one epoch of a record.
    ///
    /// # Errors
    ///
    /// It is too long, or the system gives no random bytes.
    ///
    /// # Panics
    ///
    /// Never: the length is far below the cipher's limit.
    pub fn seal(&self, of: &RecordEpoch, content: &[u8]) -> Result<Vec<u8>, ContentError> {
        if content.len() > CONTENT_BYTES_MAX {
            return Err(ContentError::TooLong(content.len()));
        }
        let nonce: [u8; NONCE_BYTES] = Entropy::new()?.array();
        let mut padded = Zeroizing::new(Vec::with_capacity(padded_length(content.len())));
        padded.extend_from_slice(content);
        padded.push(0x80);
        padded.resize(padded_length(content.len()), 0);
        let payload = Payload { msg: &padded, aad: &of.encode() };
        let sealed = self.cipher().encrypt(&nonce.into(), payload).expect("below 2^38 bytes");
        Ok([&[VERSION][..], &nonce, &sealed].concat())
    }

    /// Decrypts a blob of this record and epoch.
    ///
    /// # Errors
    ///
    /// See [`BlobOpenError`].
    pub fn open(&self, of: &RecordEpoch, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, BlobOpenError> {
        if blob.len() < OVERHEAD + LEAST_BYTES || blob[0] != VERSION {
            return Err(BlobOpenError::Malformed);
        }
        let (nonce, sealed) =
            blob[1..].split_first_chunk::<NONCE_BYTES>().ok_or(BlobOpenError::Malformed)?;
        let payload = Payload { msg: sealed, aad: &of.encode() };
        let content = self.cipher().decrypt(nonce.into(), payload);
        let mut content = Zeroizing::new(content.map_err(|_| BlobOpenError::WrongKey)?);
        let end = content.iter().rposition(|byte| *byte != 0);
        let end = end.filter(|end| content[*end] == 0x80).ok_or(BlobOpenError::Malformed)?;
        content.truncate(end);
        Ok(content)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }
}

/// Length after padding: at least 4 KiB, else a multiple of an eighth of the power of two above the
/// length, so that at most a seventh is padding and few files share a class with no other.
#[must_use]
pub fn padded_length(content: usize) -> usize {
    let length = content + 1;
    if length <= LEAST_BYTES {
        return LEAST_BYTES;
    }
    length.next_multiple_of(length.next_power_of_two() / 8)
}

impl std::fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContentKey").finish_non_exhaustive()
    }
}
