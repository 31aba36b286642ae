//! Sealing bytes to a key: HPKE (RFC 9180) in base mode with X25519, HKDF-SHA256 and ChaCha20-Poly1305.
//! A sealed message is the 32 bytes of the encapsulated key, then the ciphertext with its tag.
//!
//! A person is named by one Ed25519 key, so that key also says where to seal to: its image under the
//! birational map of RFC 7748 section 4.1, with the secret scalar of RFC 8032 section 5.1.5. Signatures
//! and HPKE separate their domains by their labels. A key behind a pipe cannot open what is sealed to
//! it, so it cannot be a guardian's.

use curve25519_dalek::edwards::CompressedEdwardsY;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use zeroize::Zeroizing;

use super::entropy::Entropy;
use crate::hash::sha512::sha512;
use crate::ledger::signature::PubKey;
use crate::wallet::{NoEntropy, SecretKey};

const KEY_BYTES: usize = 32;

/// What bytes are sealed for: binds them to one use.
#[derive(Debug, Clone, Copy)]
pub struct Use<'a> {
    /// What kind of message.
    pub info: &'static [u8],
    /// What it belongs to.
    pub of: &'a [u8],
}

/// A public key to seal to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealKey(pub [u8; KEY_BYTES]);

/// The secret that opens what was sealed to its [`SealKey`]; wiped when dropped.
pub struct SealSecret(Zeroizing<[u8; KEY_BYTES]>);

/// Why bytes are not sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The key is of small order: everybody knows what is sealed to it.
    #[error("the key to seal to is none")]
    BadKey,
    /// No random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl SealKey {
    /// Where to seal to for the person of this key; `None` if the key is refused as every key in a
    /// transaction is.
    #[must_use]
    pub fn of_person(key: &PubKey) -> Option<Self> {
        key.check().ok()?;
        let point = CompressedEdwardsY(key.0).decompress()?;
        Some(Self(point.to_montgomery().to_bytes()))
    }

    /// Seals bytes for one use.
    ///
    /// # Errors
    ///
    /// See [`SealError`].
    pub fn seal(&self, used: Use<'_>, message: &[u8]) -> Result<Vec<u8>, SealError> {
        let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&self.0)
            .map_err(|_| SealError::BadKey)?;
        let (encapped, sealed) =
            hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
                &OpModeS::Base,
                &key,
                used.info,
                message,
                used.of,
                &mut Entropy::new()?,
            )
            .map_err(|_| SealError::BadKey)?;
        Ok([&encapped.to_bytes()[..], &sealed].concat())
    }
}

impl SealSecret {
    /// A fresh one, for one use.
    ///
    /// # Errors
    ///
    /// If the system gives no random bytes.
    pub fn generate() -> Result<Self, NoEntropy> {
        Ok(Self(Zeroizing::new(Entropy::new()?.array())))
    }

    /// The one of a person's signing key.
    #[must_use]
    pub fn of_person(key: &SecretKey) -> Self {
        let expanded = Zeroizing::new(sha512([key.seed()]));
        Self(Zeroizing::new(*expanded.first_chunk().expect("64 bytes")))
    }

    /// The secret of these bytes: every 32 bytes are one.
    #[must_use]
    pub fn from_bytes(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        Self(bytes)
    }

    /// The bytes: whoever has them opens everything that is sealed to it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Its public key.
    #[must_use]
    pub fn public(&self) -> SealKey {
        let public = X25519HkdfSha256::sk_to_pk(&self.secret());
        SealKey(public.to_bytes().into())
    }

    /// Opens what was sealed to it for this use; `None` for anything else.
    #[must_use]
    pub fn open(&self, used: Use<'_>, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (encapped, sealed) = sealed.split_first_chunk::<KEY_BYTES>()?;
        let encapped = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapped).ok()?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.secret(),
            &encapped,
            used.info,
            sealed,
            used.of,
        )
        .ok()
        .map(Zeroizing::new)
    }

    fn secret(&self) -> <X25519HkdfSha256 as Kem>::PrivateKey {
        Deserializable::from_bytes(&*self.0).expect("every 32 bytes are a secret of X25519")
    }
}

impl std::fmt::Debug for SealSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealSecret(of {})", hex::encode(self.public().0))
    }
}
