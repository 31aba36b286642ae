//! What a person holds and the ledger never sees: signing keys, in files or behind a pipe. It uses the
//! public face of the ledger and decides nothing about validity; the ledger never imports it.

pub mod attempt;
pub mod audit_file;
pub mod custody;
pub mod guardian;
pub mod handout;
pub mod lot;
pub mod policy_file;
pub mod record;

mod asked;
mod derivation;
mod key_file;
mod keyring;
mod passphrase;
pub mod pipe;
mod private_file;
mod private_folder;
mod secret;
mod signer;
mod transaction_file;

pub use asked::KeptRequest;
pub use derivation::{Derivation, DerivationError};
pub use key_file::{KEY_FILE_BYTES_MAX, KeyFile, KeyFileError, OpenError};
pub use keyring::{KeyName, Keyring, KeyringError, Listed, NameError};
pub use passphrase::{Cost, CostError, EmptyPassphrase, Passphrase};
pub use pipe::PipeSigner;
pub use private_folder::{FolderError, PrivateFolder};
pub use secret::{NoEntropy, SecretKey, random_bytes};
pub use signer::{Purpose, Signer, SignerError};
pub use transaction_file::{
    CombineError, SignError, TRANSACTION_FILE_BYTES_MAX, TransactionFile, TransactionFileError,
};

/// Hex digits on a line of a file.
const LINE_DIGITS: usize = 64;

/// Bytes as text that people can paste: hex, cut into lines.
fn hex_lines(bytes: &[u8]) -> Vec<String> {
    bytes.chunks(LINE_DIGITS / 2).map(hex::encode).collect()
}
