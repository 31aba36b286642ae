//! What arguments and environment mean together: each default stands here, once.

use std::env;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use proofward::ledger::address::{Address, Prefix};
use proofward::ledger::policy::Role;
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::{Spec, UNITS_PER_TOKEN};
use proofward::node::dir::ChainDir;
use proofward::wallet::{KeyName, Keyring};
use proofward::words::Lang;

use super::desk::Desk;
use super::output::{Format, LangArg};

/// First part of the addresses of local chains.
const LOCAL_ADDRESS_PREFIX: &str = "lpw";

/// Where chain and keys are kept.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Place {
    /// Directory of chain and keys [default: $PROOFWARD_DIR, or proofward in the user's data folder]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Place {
    /// The argument, `PROOFWARD_DIR`, or `proofward` below the data folder of the XDG base directory
    /// specification: `XDG_DATA_HOME` if absolute, else `~/.local/share`.
    pub(crate) fn resolve(self) -> anyhow::Result<PathBuf> {
        let from_env = |name| env::var_os(name).filter(|value| !value.is_empty());
        if let Some(dir) = self.dir.or_else(|| from_env("PROOFWARD_DIR").map(PathBuf::from)) {
            return Ok(dir);
        }
        let data = from_env("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || from_env("HOME").map(|home| PathBuf::from(home).join(".local/share"));
        let Some(data) = data.or_else(home) else {
            bail!("no home directory: name one with --dir or PROOFWARD_DIR");
        };
        Ok(data.join("proofward"))
    }
}

/// Which chain a command looks at, and how it tells what it sees: what every one takes that has words in
/// more than one language and signs nothing.
#[derive(Debug, clap::Args)]
pub(crate) struct LookArgs {
    /// In which language
    #[arg(long, value_enum, default_value_t)]
    lang: LangArg,
    #[command(flatten)]
    pub(crate) place: Place,
    /// How to print the result; json: one object a line
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

impl LookArgs {
    pub(crate) fn lang(&self) -> Lang {
        self.lang.into()
    }

    /// The chain that is looked at.
    pub(crate) fn desk(&self) -> anyhow::Result<Desk> {
        Desk::open(&self.place)
    }
}

/// First part of the addresses of the chain in a directory; of a local chain where there is none yet.
pub(crate) fn address_prefix(dir: &Path) -> anyhow::Result<Prefix> {
    let chain = ChainDir::new(dir);
    let prefix = match chain.holds_chain() {
        true => chain.spec()?.address_prefix,
        false => LOCAL_ADDRESS_PREFIX.to_owned(),
    };
    Ok(prefix.parse()?)
}

/// A key as people name it: an address of the chain, 64 hex digits, or a key of the directory.
pub(crate) fn key_or_address(text: &str, dir: &Path, spec: &Spec) -> anyhow::Result<PubKey> {
    key_named(text, dir, spec.address_prefix.parse()?)
}

/// The same where addresses begin with `prefix`.
pub(crate) fn key_named(text: &str, dir: &Path, prefix: Prefix) -> anyhow::Result<PubKey> {
    let mut bytes = [0; 32];
    if hex::decode_to_slice(text, &mut bytes).is_ok() {
        let key = PubKey(bytes);
        key.check()?;
        return Ok(key);
    }
    if text.starts_with(&format!("{prefix}1")) {
        return Ok(Address::parse_for(prefix, text)?);
    }
    let name: KeyName = text.parse().with_context(|| {
        format!("{text:?} is no address, no 64 hex digits and no name of a key")
    })?;
    Ok(Keyring::in_dir(dir).read(&name)?.public_key())
}

/// Reads a file of at most `bytes_max`, and one byte more of a longer one, which its parser refuses; `-`
/// is standard input.
pub(crate) fn read_input(path: &Path, bytes_max: usize) -> anyhow::Result<Vec<u8>> {
    let (mut bytes, most) = (Vec::new(), bytes_max as u64 + 1);
    let read = match path == Path::new("-") {
        true => io::stdin().lock().take(most).read_to_end(&mut bytes),
        false => File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)),
    };
    read.with_context(|| path.display().to_string())?;
    Ok(bytes)
}

/// A role by its name.
pub(crate) fn parse_role(text: &str) -> Result<Role, String> {
    Role::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| {
        let names = Role::ALL.map(Role::name).join(", ");
        format!("{text:?} is no role: expected {names}")
    })
}

/// Units as tokens: `12.5`, without trailing zeros.
pub(crate) fn tokens(units: u64) -> String {
    let (whole, rest) = (units / UNITS_PER_TOKEN, units % UNITS_PER_TOKEN);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{rest:08}").trim_end_matches('0').to_owned()
}

/// Tokens as units: digits with at most eight decimals.
pub(crate) fn parse_tokens(text: &str) -> Result<u64, String> {
    let refuse =
        || format!("{text:?} is no amount: expected tokens such as 12.5, at most 8 decimals");
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || decimals.len() > 8 || !digits(whole) || !digits(decimals) {
        return Err(refuse());
    }
    let whole: u64 = whole.parse().map_err(|_| refuse())?;
    let decimals: u64 = format!("{decimals:0<8}").parse().map_err(|_| refuse())?;
    let units = whole.checked_mul(UNITS_PER_TOKEN).and_then(|units| units.checked_add(decimals));
    units.ok_or_else(refuse)
}
