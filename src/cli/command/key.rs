//! `proofward key`: signing keys in files, under a passphrase.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line, write_stdout};
use crate::cli::passphrase::PassphraseArgs;
use crate::cli::settings::{Place, address_prefix};
use proofward::ledger::address::{Address, Prefix};
use proofward::ledger::signature::PubKey;
use proofward::wallet::{
    Cost, Derivation, KEY_FILE_BYTES_MAX, KeyFile, KeyName, Keyring, KeyringError, Passphrase,
    SecretKey,
};

/// Make, list and move signing keys
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "\
Examples:
  proofward key new clinic
  proofward key list --format json
  proofward key derive clinic 0/7 --name visit-7
  proofward key export clinic > clinic.key
  proofward key import clinic clinic.key --dir backup

Key files are DIR/keys/NAME.key, mode 0600, never overwritten. The seed is encrypted by
XChaCha20-Poly1305 under argon2id of the passphrase; the public key stays readable.
Exit code: 0 done, 1 no such key, 2 usage, wrong passphrase, or a file that cannot be read.";

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a key from the system's entropy
    New {
        /// What to call it
        name: KeyName,
        #[command(flatten)]
        protection: Protection,
        #[command(flatten)]
        common: Common,
    },
    /// List the keys, without opening them
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Show a key, without opening it
    Show {
        /// Its name
        name: KeyName,
        #[command(flatten)]
        common: Common,
    },
    /// Print a key as text that import reads, encrypted
    Export {
        /// Its name
        name: KeyName,
        #[command(flatten)]
        protection: Protection,
        #[command(flatten)]
        place: Place,
    },
    /// Take a key from another place
    Import {
        /// What to call it
        name: KeyName,
        /// What export printed, or a seed as 64 hex digits; - for standard input
        file: PathBuf,
        #[command(flatten)]
        protection: Protection,
        #[command(flatten)]
        common: Common,
    },
    /// Compute the key at a path below another: one backup, as many keys as wanted
    ///
    /// Each number replaces the seed by the tagged hash `proofward/derive` of the seed and the number
    /// (4 bytes, little-endian). Nobody without the seed can tell that two such keys belong together.
    Derive {
        /// The key to start from
        name: KeyName,
        /// Numbers with / between, such as 0/7
        path: Derivation,
        /// Keep the new key under this name, protected as the first; without it, only show it
        #[arg(long = "name", value_name = "NEW")]
        new: Option<KeyName>,
        #[command(flatten)]
        protection: Protection,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Debug, clap::Args)]
struct Common {
    #[command(flatten)]
    place: Place,
    /// First part of the addresses shown [default: that of the chain in DIR, or of a local chain]
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<Prefix>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, clap::Args)]
struct Protection {
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Memory in KiB that each guess at the passphrase of a new file costs: 32 to 262144. Less than the
    /// default is for tests
    #[arg(long, value_name = "KIB", default_value_t = Cost::STANDARD.memory_kib())]
    kdf_memory: u32,
}

#[derive(Serialize)]
struct KeyLine {
    name: Option<String>,
    public_key: String,
    address: String,
    protected: Option<bool>,
    file: Option<String>,
}

#[derive(Serialize)]
struct BrokenLine {
    name: String,
    error: String,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.action.run() {
            Err(error) => match error.downcast_ref() {
                Some(KeyringError::Missing { .. }) => {
                    eprintln!("proofward: {error:#}: `proofward key list` shows what there is");
                    Ok(Outcome::No)
                }
                _ => Err(error),
            },
            done => done,
        }
    }
}

impl Action {
    fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::New { name, protection, common } => {
                let (keyring, shown) = common.resolve()?;
                refuse_existing(&keyring, &name)?;
                let secret = SecretKey::generate()?;
                let passphrase = protection.passphrase.choose()?;
                let key = protection.protect(&secret, passphrase.as_ref())?;
                shown.key(Some(&name), &key, Some(&keyring.create(&name, &key)?))
            }
            Self::List { common } => {
                let (keyring, shown) = common.resolve()?;
                for (name, key) in keyring.list()? {
                    match key {
                        Ok(key) => shown.key(Some(&name), &key, Some(&keyring.path(&name)))?,
                        Err(error) => shown.broken(&name, &error)?,
                    };
                }
                Ok(Outcome::Yes)
            }
            Self::Show { name, common } => {
                let (keyring, shown) = common.resolve()?;
                shown.key(Some(&name), &keyring.read(&name)?, Some(&keyring.path(&name)))
            }
            Self::Export { name, protection, place } => {
                let mut key = Keyring::in_dir(&place.resolve()?).read(&name)?;
                if !key.is_protected() {
                    let passphrase = protection.passphrase.choose()?;
                    key = protection.protect(&key.open(None)?, passphrase.as_ref())?;
                }
                write_stdout(key.to_text().as_bytes())?;
                Ok(Outcome::Yes)
            }
            Self::Import { name, file, protection, common } => {
                let (keyring, shown) = common.resolve()?;
                refuse_existing(&keyring, &name)?;
                let text = read(&file).with_context(|| file.display().to_string())?;
                let key = match seed(&text) {
                    Some(seed) => {
                        let secret = SecretKey::from_seed(&seed);
                        let passphrase = protection.passphrase.choose()?;
                        protection.protect(&secret, passphrase.as_ref())?
                    }
                    None => {
                        let key =
                            KeyFile::parse(&text).with_context(|| file.display().to_string())?;
                        // A copy that does not open is found now, not on the day it is needed.
                        protection.passphrase.open(&name, &key)?;
                        key
                    }
                };
                shown.key(Some(&name), &key, Some(&keyring.create(&name, &key)?))
            }
            Self::Derive { name, path, new, protection, common } => {
                let (keyring, shown) = common.resolve()?;
                if let Some(new) = &new {
                    refuse_existing(&keyring, new)?;
                }
                let (secret, passphrase) =
                    protection.passphrase.open(&name, &keyring.read(&name)?)?;
                let derived = secret.derive(&path);
                let Some(new) = new else {
                    return shown.public_key(derived.public_key());
                };
                let key = protection.protect(&derived, passphrase.as_ref())?;
                shown.key(Some(&new), &key, Some(&keyring.create(&new, &key)?))
            }
        }
    }
}

impl Protection {
    fn protect(
        &self,
        secret: &SecretKey,
        passphrase: Option<&Passphrase>,
    ) -> anyhow::Result<KeyFile> {
        let Some(passphrase) = passphrase else {
            return Ok(KeyFile::unprotected(secret));
        };
        let cost = Cost::new(self.kdf_memory, Cost::STANDARD.passes(), Cost::STANDARD.lanes())
            .context("--kdf-memory")?;
        Ok(KeyFile::protected(secret, passphrase, cost)?)
    }
}

impl Common {
    fn resolve(self) -> anyhow::Result<(Keyring, Shown)> {
        let dir = self.place.resolve()?;
        let prefix = match self.prefix {
            Some(prefix) => prefix,
            None => address_prefix(&dir)?,
        };
        Ok((Keyring::in_dir(&dir), Shown { prefix, format: self.format }))
    }
}

/// How keys are shown.
struct Shown {
    prefix: Prefix,
    format: Format,
}

impl Shown {
    fn key(
        &self,
        name: Option<&KeyName>,
        key: &KeyFile,
        file: Option<&Path>,
    ) -> anyhow::Result<Outcome> {
        self.line(KeyLine {
            name: name.map(ToString::to_string),
            protected: Some(key.is_protected()),
            file: file.map(|file| file.display().to_string()),
            ..self.of(key.public_key())
        })
    }

    fn public_key(&self, key: PubKey) -> anyhow::Result<Outcome> {
        self.line(self.of(key))
    }

    fn of(&self, key: PubKey) -> KeyLine {
        KeyLine {
            name: None,
            public_key: key.to_string(),
            address: Address { prefix: self.prefix, key }.to_string(),
            protected: None,
            file: None,
        }
    }

    fn line(&self, line: KeyLine) -> anyhow::Result<Outcome> {
        if self.format.is_json() {
            json_line(&line)?;
            return Ok(Outcome::Yes);
        }
        let KeyLine { name, public_key, address, protected, file } = line;
        if let Some(name) = name {
            let note = if protected == Some(false) { "  (no passphrase)" } else { "" };
            text_line(format!("{name}{note}"))?;
        }
        text_line(format!("  key      {public_key}\n  address  {address}"))?;
        if let Some(file) = file {
            text_line(format!("  file     {file}"))?;
        }
        Ok(Outcome::Yes)
    }

    fn broken(&self, name: &KeyName, error: &KeyringError) -> anyhow::Result<Outcome> {
        let (name, error) = (name.to_string(), error.to_string());
        if self.format.is_json() {
            json_line(&BrokenLine { name, error })?;
        } else {
            text_line(format!("{name}\n  cannot be used: {error}"))?;
        }
        Ok(Outcome::Yes)
    }
}

/// Says so before anybody types a passphrase.
fn refuse_existing(keyring: &Keyring, name: &KeyName) -> anyhow::Result<()> {
    let path = keyring.path(name);
    if path.symlink_metadata().is_ok() {
        bail!(KeyringError::Exists { path });
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::with_capacity(KEY_FILE_BYTES_MAX + 1));
    let most = KEY_FILE_BYTES_MAX as u64 + 1;
    if path == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut text)?;
    } else {
        File::open(path)?.take(most).read_to_end(&mut text)?;
    }
    Ok(text)
}

/// A seed in hex, if that is what the text is.
fn seed(text: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim_ascii(), seed.as_mut_slice()).ok()?;
    Some(seed)
}
