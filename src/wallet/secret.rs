//! A secret key in memory: wiped when dropped, never printed.

use std::fmt;

use ed25519_zebra::{SigningKey, VerificationKeyBytes};
use zeroize::Zeroizing;

use crate::hash::tagged::Tag;
use crate::ledger::signature::{PubKey, Sig};
use crate::wallet::Derivation;

const DERIVE: Tag = Tag::new("derive");

/// An Ed25519 secret key (RFC 8032: 32 bytes of seed).
pub struct SecretKey(Zeroizing<SigningKey>);

/// The operating system gave no random bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("the system gives no random bytes: {0}")]
pub struct NoEntropy(String);

impl SecretKey {
    /// A fresh key from the operating system's entropy.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn generate() -> Result<Self, NoEntropy> {
        let mut seed = Zeroizing::new([0; 32]);
        fill_random(seed.as_mut_slice())?;
        Ok(Self::from_seed(&seed))
    }

    /// The key of this seed: every 32 bytes are one.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Zeroizing::new(SigningKey::from(*seed)))
    }

    /// The seed: whoever has it can sign.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> PubKey {
        PubKey(VerificationKeyBytes::from(&*self.0).into())
    }

    /// Signs the bytes of an id. What is signed, and for what, is the business of
    /// [`crate::wallet::Signer`].
    pub(super) fn sign_id(&self, id: &[u8; 32]) -> Sig {
        Sig(self.0.sign(id).to_bytes())
    }

    /// The key at a path below this one. Each step replaces the seed by
    /// `tagged("derive", seed || index as 4 bytes, little-endian)`: from one backup come as many keys as
    /// wanted, and no one without the seed can tell that two of them belong together.
    #[must_use]
    pub fn derive(&self, path: &Derivation) -> Self {
        let mut seed = Zeroizing::new(*self.seed());
        for index in path.indices() {
            let mut hash = DERIVE.start();
            hash.update(seed.as_slice()).update(&index.to_le_bytes());
            *seed = hash.finish();
        }
        Self::from_seed(&seed)
    }
}

/// The public key only.
impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public_key())
    }
}

/// Bytes of the system's entropy.
///
/// # Errors
///
/// If the system has none.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    fill_random(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn fill_random(bytes: &mut [u8]) -> Result<(), NoEntropy> {
    getrandom::fill(bytes).map_err(|error| NoEntropy(error.to_string()))
}
