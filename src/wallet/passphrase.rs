//! From a passphrase to a key that encrypts: argon2id (RFC 9106), then XChaCha20-Poly1305. The cost is
//! written in the file that was encrypted, and bounded, so that no file can ask for more than this
//! machine should give.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use zeroize::Zeroizing;

use crate::wallet::secret::{NoEntropy, fill_random};

/// Memory that a file may ask for.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
/// Passes over that memory that a file may ask for.
const PASSES_MAX: u32 = 16;
/// Lanes that a file may ask for.
const LANES_MAX: u32 = 16;
/// Least memory of a lane (RFC 9106, section 3.1).
const LANE_KIB_MIN: u32 = 8;

pub(super) const SALT_BYTES: usize = 16;
pub(super) const NONCE_BYTES: usize = 24;
/// What the cipher appends.
pub(super) const TAG_BYTES: usize = 16;

/// A passphrase, wiped when dropped, never printed.
pub struct Passphrase(Zeroizing<String>);

/// A passphrase without a character protects nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the passphrase is empty")]
pub struct EmptyPassphrase;

impl Passphrase {
    /// Takes the bytes as they are: no case folding, no Unicode normalisation.
    ///
    /// # Errors
    ///
    /// If empty.
    pub fn new(text: String) -> Result<Self, EmptyPassphrase> {
        if text.is_empty() {
            return Err(EmptyPassphrase);
        }
        Ok(Self(Zeroizing::new(text)))
    }
}

impl PartialEq for Passphrase {
    fn eq(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase")
    }
}

/// What guessing one passphrase costs: the parameters of argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Parameters outside of what is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CostError {
    /// Too little for the lanes, or more than a file may ask for.
    #[error("argon2id over {memory_kib} KiB, expected {min} to {MEMORY_KIB_MAX}")]
    Memory {
        /// What was asked for.
        memory_kib: u32,
        /// The least for that many lanes.
        min: u32,
    },
    /// None or too many.
    #[error("argon2id with {0} passes, expected 1 to {PASSES_MAX}")]
    Passes(u32),
    /// None or too many.
    #[error("argon2id with {0} lanes, expected 1 to {LANES_MAX}")]
    Lanes(u32),
}

impl Cost {
    /// 64 MiB, three passes, four lanes: the second recommendation of RFC 9106, section 4.
    pub const STANDARD: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };
    /// The least there is: for keys of test chains.
    pub const LEAST: Self = Self { memory_kib: LANE_KIB_MIN, passes: 1, lanes: 1 };

    /// Other parameters.
    ///
    /// # Errors
    ///
    /// If one is out of its bounds.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, CostError> {
        if !(1..=LANES_MAX).contains(&lanes) {
            return Err(CostError::Lanes(lanes));
        }
        if !(1..=PASSES_MAX).contains(&passes) {
            return Err(CostError::Passes(passes));
        }
        let min = LANE_KIB_MIN * lanes;
        if !(min..=MEMORY_KIB_MAX).contains(&memory_kib) {
            return Err(CostError::Memory { memory_kib, min });
        }
        Ok(Self { memory_kib, passes, lanes })
    }

    /// KiB of memory.
    #[must_use]
    pub fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over it.
    #[must_use]
    pub fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes.
    #[must_use]
    pub fn lanes(self) -> u32 {
        self.lanes
    }
}

/// Salt and nonce of one encryption, drawn anew for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) cost: Cost,
    pub(super) salt: [u8; SALT_BYTES],
    pub(super) nonce: [u8; NONCE_BYTES],
}

impl Seal {
    pub(super) fn fresh(cost: Cost) -> Result<Self, NoEntropy> {
        let mut seal = Self { cost, salt: [0; SALT_BYTES], nonce: [0; NONCE_BYTES] };
        fill_random(&mut seal.salt)?;
        fill_random(&mut seal.nonce)?;
        Ok(seal)
    }

    /// Encrypts `secret` and binds it to `header`, which stays readable.
    pub(super) fn seal(&self, passphrase: &Passphrase, secret: &[u8], header: &[u8]) -> Vec<u8> {
        self.cipher(passphrase)
            .encrypt(&self.nonce.into(), Payload { msg: secret, aad: header })
            .expect("a short message can be encrypted")
    }

    /// Decrypts; `None` if the passphrase is another one or anything was changed.
    pub(super) fn open(
        &self,
        passphrase: &Passphrase,
        sealed: &[u8],
        header: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let payload = Payload { msg: sealed, aad: header };
        self.cipher(passphrase).decrypt(&self.nonce.into(), payload).ok().map(Zeroizing::new)
    }

    fn cipher(&self, passphrase: &Passphrase) -> XChaCha20Poly1305 {
        let Cost { memory_kib, passes, lanes } = self.cost;
        let params = Params::new(memory_kib, passes, lanes, Some(32))
            .expect("the bounds of a cost are within those of argon2");
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.0.as_bytes(), &self.salt, key.as_mut_slice())
            .expect("salt, output and passphrase have lengths that argon2 takes");
        XChaCha20Poly1305::new((&*key).into())
    }
}
