//! Where a passphrase comes from: a file, the environment, or the person at the terminal. Never the
//! command line, which every process on the machine can read.

use std::env;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use console::Term;
use proofward::wallet::{KeyFile, KeyName, Passphrase, SecretKey};
use zeroize::Zeroizing;

const VARIABLE: &str = "PROOFWARD_PASSPHRASE";
const FILE_BYTES_MAX: usize = 4096;

/// How keys are protected.
#[derive(Debug, clap::Args)]
pub(crate) struct PassphraseArgs {
    /// Read the passphrase from the first line of FILE [default: $PROOFWARD_PASSPHRASE, or ask]
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Use none: whoever reads the key file can sign. For chains where nothing is at stake
    #[arg(long, conflicts_with = "passphrase_file")]
    no_passphrase: bool,
}

impl PassphraseArgs {
    /// The passphrase for a new file, asked for twice; none if that was said.
    pub(crate) fn choose(&self) -> anyhow::Result<Option<Passphrase>> {
        if self.no_passphrase {
            return Ok(None);
        }
        if let Some(given) = self.given()? {
            return Ok(Some(given));
        }
        let passphrase = ask("Passphrase for the new key: ")?;
        ensure!(passphrase == ask("The same again: ")?, "the two passphrases differ");
        Ok(Some(passphrase))
    }

    /// Opens a key; gives the passphrase it took, if any.
    pub(crate) fn open(
        &self,
        name: &KeyName,
        key: &KeyFile,
    ) -> anyhow::Result<(SecretKey, Option<Passphrase>)> {
        if !key.is_protected() {
            return Ok((key.open(None).with_context(|| format!("key {name}"))?, None));
        }
        if self.no_passphrase {
            bail!("key {name} is protected by a passphrase: leave --no-passphrase out");
        }
        let passphrase = match self.given()? {
            Some(given) => given,
            None => ask(&format!("Passphrase of key {name}: "))?,
        };
        let secret = key.open(Some(&passphrase)).with_context(|| format!("key {name}"))?;
        Ok((secret, Some(passphrase)))
    }

    fn given(&self) -> anyhow::Result<Option<Passphrase>> {
        if let Some(path) = &self.passphrase_file {
            let from_file = || -> anyhow::Result<Passphrase> {
                let mut text = read(path)?;
                let end = text.find(['\n', '\r']).unwrap_or(text.len());
                text.truncate(end);
                passphrase(std::mem::take(&mut *text))
            };
            return from_file().map(Some).with_context(|| path.display().to_string());
        }
        match env::var(VARIABLE) {
            Ok(text) => passphrase(text).map(Some).context(VARIABLE),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(error) => Err(error).context(VARIABLE),
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX + 1));
    File::open(path)?.take(FILE_BYTES_MAX as u64 + 1).read_to_string(&mut text)?;
    ensure!(text.len() <= FILE_BYTES_MAX, "over {FILE_BYTES_MAX} bytes");
    Ok(text)
}

fn passphrase(text: String) -> anyhow::Result<Passphrase> {
    Passphrase::new(text).map_err(|empty| anyhow!("{empty}: to use none, say --no-passphrase"))
}

fn ask(question: &str) -> anyhow::Result<Passphrase> {
    let term = Term::stderr();
    if !term.is_term() {
        bail!(
            "no terminal to ask for a passphrase: use --passphrase-file, {VARIABLE}, \
             or --no-passphrase"
        );
    }
    term.write_str(question)?;
    passphrase(term.read_secure_line()?)
}
