//! A key as text: what a key file holds, and what export prints. Version 1, JSON:
//!
//! ```json
//! {
//!   "format": "proofward-key",
//!   "version": 1,
//!   "public_key": "<32 bytes, hex>",
//!   "protection": {
//!     "kind": "passphrase",
//!     "kdf": "argon2id", "memory_kib": 65536, "passes": 3, "lanes": 4, "salt": "<16 bytes, hex>",
//!     "cipher": "xchacha20poly1305", "nonce": "<24 bytes, hex>"
//!   },
//!   "secret": "<the 32 bytes of the seed, encrypted, and the cipher's 16 bytes; hex>"
//! }
//! ```
//!
//! The cipher authenticates the fields before `secret` too (associated data: `proofward-key 1 <public
//! key>`; the others enter the key or the nonce). A file without a passphrase says
//! `"protection": { "kind": "none" }` and holds the seed itself. Unknown fields are refused.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::ledger::signature::{KeyError, PubKey};
use crate::wallet::passphrase::{Cost, CostError, Passphrase, Seal, TAG_BYTES};
use crate::wallet::secret::{NoEntropy, SecretKey};

/// Bytes of a key file that anybody reads.
pub const KEY_FILE_BYTES_MAX: usize = 4096;

const FORMAT: &str = "proofward-key";
const VERSION: u32 = 1;
const KDF: &str = "argon2id";
const CIPHER: &str = "xchacha20poly1305";
const SEED_BYTES: usize = 32;

/// A key at rest: the public key in clear, the secret protected or not.
pub struct KeyFile {
    public_key: PubKey,
    secret: Secret,
}

enum Secret {
    Plain(Zeroizing<[u8; SEED_BYTES]>),
    Sealed(Seal, [u8; SEED_BYTES + TAG_BYTES]),
}

/// Why bytes are not a key file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// More than [`KEY_FILE_BYTES_MAX`].
    #[error("key file of {0} bytes, at most {KEY_FILE_BYTES_MAX}")]
    TooLong(usize),
    /// Not the JSON of a key file.
    #[error("not a key file: {0}")]
    Malformed(String),
    /// Written by a later version of this program.
    #[error("key file of version {0}, this program reads version {VERSION}")]
    Version(u32),
    /// A field holds something else than it should.
    #[error("key file: {field}: expected {expected}")]
    Field {
        /// Which.
        field: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// It asks for more work or memory than is given, or for too little.
    #[error("key file: {0}")]
    Cost(#[from] CostError),
    /// The public key is none.
    #[error("key file: {0}")]
    Key(#[from] KeyError),
}

/// Why a key file does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It is protected.
    #[error("the key is protected by a passphrase, and none was given")]
    PassphraseNeeded,
    /// The two cannot be told apart.
    #[error("wrong passphrase, or the key file was changed")]
    WrongPassphrase,
    /// The secret of an unprotected file is not that of its public key.
    #[error("the key file was changed: its secret is not that of its public key")]
    OtherKey,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    format: String,
    version: u32,
    public_key: String,
    protection: Protection,
    secret: Zeroizing<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Protection {
    None {},
    Passphrase {
        kdf: String,
        memory_kib: u32,
        passes: u32,
        lanes: u32,
        salt: String,
        cipher: String,
        nonce: String,
    },
}

impl KeyFile {
    /// A file that whoever reads it can sign with: for chains where nothing is at stake.
    #[must_use]
    pub fn unprotected(secret: &SecretKey) -> Self {
        let seed = Zeroizing::new(*secret.seed());
        Self { public_key: secret.public_key(), secret: Secret::Plain(seed) }
    }

    /// A file that opens with the passphrase.
    ///
    /// # Errors
    ///
    /// If the system gives no random bytes.
    pub fn protected(
        secret: &SecretKey,
        passphrase: &Passphrase,
        cost: Cost,
    ) -> Result<Self, NoEntropy> {
        let public_key = secret.public_key();
        let seal = Seal::fresh(cost)?;
        let sealed = seal.seal(passphrase, secret.seed(), header(&public_key).as_bytes());
        let sealed = sealed.try_into().expect("the cipher appends 16 bytes");
        Ok(Self { public_key, secret: Secret::Sealed(seal, sealed) })
    }

    /// Reads the text.
    ///
    /// # Errors
    ///
    /// The first thing wrong with it. Nothing is decrypted here.
    pub fn parse(text: &[u8]) -> Result<Self, KeyFileError> {
        if text.len() > KEY_FILE_BYTES_MAX {
            return Err(KeyFileError::TooLong(text.len()));
        }
        let wire: Wire = serde_json::from_slice(text)
            .map_err(|error| KeyFileError::Malformed(error.to_string()))?;
        if wire.format != FORMAT {
            return Err(KeyFileError::Field { field: "format", expected: FORMAT });
        }
        if wire.version != VERSION {
            return Err(KeyFileError::Version(wire.version));
        }
        let public_key = PubKey(bytes(&wire.public_key, "public_key", "32 bytes in hex")?);
        public_key.check()?;
        let secret = match wire.protection {
            Protection::None {} => {
                let seed = Zeroizing::new(bytes(&wire.secret, "secret", "32 bytes in hex")?);
                Secret::Plain(seed)
            }
            Protection::Passphrase { kdf, memory_kib, passes, lanes, salt, cipher, nonce } => {
                if kdf != KDF {
                    return Err(KeyFileError::Field { field: "kdf", expected: KDF });
                }
                if cipher != CIPHER {
                    return Err(KeyFileError::Field { field: "cipher", expected: CIPHER });
                }
                let seal = Seal {
                    cost: Cost::new(memory_kib, passes, lanes)?,
                    salt: bytes(&salt, "salt", "16 bytes in hex")?,
                    nonce: bytes(&nonce, "nonce", "24 bytes in hex")?,
                };
                Secret::Sealed(seal, bytes(&wire.secret, "secret", "48 bytes in hex")?)
            }
        };
        Ok(Self { public_key, secret })
    }

    /// The text, with a line feed at its end.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let (protection, secret) = match &self.secret {
            Secret::Plain(seed) => (Protection::None {}, hex::encode(seed.as_slice())),
            Secret::Sealed(Seal { cost, salt, nonce }, sealed) => {
                let protection = Protection::Passphrase {
                    kdf: KDF.to_owned(),
                    memory_kib: cost.memory_kib(),
                    passes: cost.passes(),
                    lanes: cost.lanes(),
                    salt: hex::encode(salt),
                    cipher: CIPHER.to_owned(),
                    nonce: hex::encode(nonce),
                };
                (protection, hex::encode(sealed))
            }
        };
        let wire = Wire {
            format: FORMAT.to_owned(),
            version: VERSION,
            public_key: self.public_key.to_string(),
            protection,
            secret: Zeroizing::new(secret),
        };
        let mut text = Zeroizing::new(String::with_capacity(1024));
        text.push_str(&Zeroizing::new(
            serde_json::to_string_pretty(&wire).expect("texts and numbers serialise"),
        ));
        text.push('\n');
        text
    }

    /// The public key: authenticated only once the file has been opened.
    #[must_use]
    pub fn public_key(&self) -> PubKey {
        self.public_key
    }

    /// Whether it takes a passphrase to open.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        matches!(self.secret, Secret::Sealed(..))
    }

    /// The secret key. A passphrase for an unprotected file is not used.
    ///
    /// # Errors
    ///
    /// If the passphrase is missing or wrong, or the file was changed.
    pub fn open(&self, passphrase: Option<&Passphrase>) -> Result<SecretKey, OpenError> {
        let secret = match &self.secret {
            Secret::Plain(seed) => SecretKey::from_seed(seed),
            Secret::Sealed(seal, sealed) => {
                let passphrase = passphrase.ok_or(OpenError::PassphraseNeeded)?;
                let seed = seal
                    .open(passphrase, sealed, header(&self.public_key).as_bytes())
                    .ok_or(OpenError::WrongPassphrase)?;
                let seed: &[u8; SEED_BYTES] =
                    seed.as_slice().try_into().expect("48 bytes less the cipher's 16");
                SecretKey::from_seed(seed)
            }
        };
        if secret.public_key() != self.public_key {
            return Err(OpenError::OtherKey);
        }
        Ok(secret)
    }
}

/// The public key and how it is kept.
impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let how = if self.is_protected() { "protected" } else { "unprotected" };
        write!(f, "KeyFile({}, {how})", self.public_key)
    }
}

fn header(public_key: &PubKey) -> String {
    format!("{FORMAT} {VERSION} {public_key}")
}

fn bytes<const N: usize>(
    text: &str,
    field: &'static str,
    expected: &'static str,
) -> Result<[u8; N], KeyFileError> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| KeyFileError::Field { field, expected })?;
    Ok(bytes)
}
