//! Who signs: a key file of the directory, or another program.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use proofward::ledger::address::Prefix;
use proofward::wallet::{KeyName, Keyring, PipeSigner, SecretKey, Signer};

use crate::cli::output::Format;
use crate::cli::passphrase::PassphraseArgs;
use crate::cli::settings::{Place, key_named};

/// Long enough to find a card and type its PIN.
const SIGNER_TIMEOUT: Duration = Duration::from_secs(120);

/// How keys sign, where they are, and how the result is told: what every command that signs takes.
#[derive(Debug, clap::Args)]
pub(crate) struct SigningArgs {
    /// Sign by COMMAND, run by sh, instead of a key file: it gets a line of JSON with key, message and
    /// purpose, and answers {"signature":"..."}
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["passphrase_file", "no_passphrase"])]
    signer: Option<String>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    pub(crate) place: Place,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

impl SigningArgs {
    /// Whether a program signs.
    pub(crate) fn has_program(&self) -> bool {
        self.signer.is_some()
    }

    /// What signs for `key`: the name of a key of the directory; for a command also an address, beginning
    /// with `prefix`, or 64 hex digits.
    pub(crate) fn signer_of(
        &self,
        key: &str,
        dir: &Path,
        prefix: Prefix,
    ) -> anyhow::Result<Box<dyn Signer>> {
        let Some(command) = &self.signer else { return self.key_file(key, dir) };
        let key = key_named(key, dir, prefix)?;
        Ok(Box::new(PipeSigner::new(command.clone(), key, SIGNER_TIMEOUT)))
    }

    /// The key of this name in the directory, opened.
    pub(crate) fn key_file(&self, key: &str, dir: &Path) -> anyhow::Result<Box<dyn Signer>> {
        Ok(Box::new(self.secret(key, dir)?))
    }

    /// The same for what only a key itself can do: a program opens nothing that is sealed to its key.
    pub(crate) fn secret(&self, key: &str, dir: &Path) -> anyhow::Result<SecretKey> {
        let name: KeyName = key.parse().with_context(|| {
            format!("{key:?} names no key file: its holder signs by --signer COMMAND")
        })?;
        Ok(self.passphrase.open(&name, &Keyring::in_dir(dir).read(&name)?)?.0)
    }
}
