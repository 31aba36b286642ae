//! Keys at rest and in use: derivation, key files, the folder of keys, signers behind a pipe, addresses,
//! and `proofward key`.
#![cfg(all(feature = "cli", unix))]

mod addresses;
mod command;
mod key_files;
mod keyrings;
mod secrets;
mod signers;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use proofward::hash::sha256::sha256;
use proofward::ledger::address::{Address, AddressError, Prefix};
use proofward::ledger::signature::{KeyError, PubKey, Signed};
use proofward::wallet::{
    Cost, CostError, Derivation, EmptyPassphrase, KeyFile, KeyFileError, KeyName, Keyring,
    KeyringError, OpenError, Passphrase, PipeSigner, Purpose, SecretKey, Signer, SignerError,
};
use serde_json::{Value, json};

/// RFC 8032, section 7.1, test 1.
const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

fn secret() -> SecretKey {
    let mut seed = [0; 32];
    hex::decode_to_slice(SEED, &mut seed).expect("hex");
    SecretKey::from_seed(&seed)
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned()).expect("not empty")
}

fn name(text: &str) -> KeyName {
    text.parse().expect("a name")
}

fn protected() -> KeyFile {
    KeyFile::protected(&secret(), &passphrase("horse"), Cost::LEAST).expect("entropy")
}

fn json_of(key: &KeyFile) -> Value {
    serde_json::from_str(&key.to_text()).expect("JSON")
}

fn parse(value: &Value) -> Result<KeyFile, KeyFileError> {
    KeyFile::parse(value.to_string().as_bytes())
}
