//! Who signs: a key file of the directory, or another program.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use proofward::ledger::address::Prefix;
use proofward::ledger::spec::Spec;
use proofward::wallet::{KeyName, Keyring, PipeSigner, Signer};

use crate::cli::passphrase::PassphraseArgs;
use crate::cli::settings::key_named;

/// Long enough to find a card and type its PIN.
const SIGNER_TIMEOUT: Duration = Duration::from_secs(120);

/// How keys sign.
#[derive(Debug, clap::Args)]
pub(crate) struct SigningArgs {
    /// Sign by COMMAND, run by sh, instead of a key file: it gets a line of JSON with key, message and
    /// purpose, and answers {"signature":"..."}
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["passphrase_file", "no_passphrase"])]
    signer: Option<String>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl SigningArgs {
    /// What signs for `key`: the name of a key of the directory; for a command also an address or 64 hex
    /// digits.
    pub(crate) fn signer(
        &self,
        key: &str,
        dir: &Path,
        spec: &Spec,
    ) -> anyhow::Result<Box<dyn Signer>> {
        self.signer_of(key, dir, spec.address_prefix.parse()?)
    }

    /// The same where there may be no chain: addresses have the prefix given.
    pub(crate) fn signer_of(
        &self,
        key: &str,
        dir: &Path,
        prefix: Prefix,
    ) -> anyhow::Result<Box<dyn Signer>> {
        if let Some(command) = &self.signer {
            let key = key_named(key, dir, prefix)?;
            return Ok(Box::new(PipeSigner::new(command.clone(), key, SIGNER_TIMEOUT)));
        }
        let name: KeyName = key.parse().with_context(|| {
            format!("{key:?} names no key file: its holder signs by --signer COMMAND")
        })?;
        let (secret, _) = self.passphrase.open(&name, &Keyring::in_dir(dir).read(&name)?)?;
        Ok(Box::new(secret))
    }
}
