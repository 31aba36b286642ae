//! `proofward init`: founds a chain in a directory.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line};
use crate::cli::settings::Place;
use proofward::ledger::chain::Ledger;
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::Spec;
use proofward::ledger::store::DiskStore;
use proofward::node::dir::ChainDir;
use proofward::node::unix_now;
use proofward::wallet::{KeyFile, KeyName, Keyring, KeyringError, SecretKey};

/// Found a chain in a directory
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward init                          a local chain in the default directory
  proofward init --chain clinic.toml --dir clinic

A local chain is founded now, with a fresh anchor key kept in the directory's keys under the name
anchor, without a passphrase. The chains test and main are known to the program; their keys are
published, so nothing of value belongs there. A chain file sets every field itself.")]
pub(crate) struct Args {
    /// Which chain: local, test, main, or a TOML file
    #[arg(long, value_name = "CHAIN", default_value = "local")]
    chain: String,
    #[command(flatten)]
    place: Place,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Founded {
    chain: String,
    dir: String,
    genesis_hash: String,
    chain_id: String,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let dir = ChainDir::new(self.place.resolve()?);
        let ledger = found(&dir, &self.chain)?;
        let chain = ledger.chain();
        let founded = Founded {
            chain: chain.spec.name.clone(),
            dir: dir.path().display().to_string(),
            genesis_hash: chain.genesis.to_string(),
            chain_id: hex::encode(chain.chain_id),
        };
        if self.format.is_json() {
            json_line(&founded)?;
        } else {
            text_line(format!("founded chain {} in {}", founded.chain, founded.dir))?;
            text_line(format!("genesis {}", founded.genesis_hash))?;
        }
        Ok(Outcome::Yes)
    }
}

/// Founds `chain` (a name or the path of a chain file) in a directory.
pub(crate) fn found(dir: &ChainDir, chain: &str) -> anyhow::Result<Ledger<DiskStore>> {
    if dir.holds_chain() {
        bail!("{} holds a chain already: name another --dir", dir.path().display());
    }
    let spec = match chain {
        "local" => {
            let anchor = key_for_local_chain(dir, "anchor")?;
            let now = u32::try_from(unix_now()).context("the clock is beyond the year 2106")?;
            Spec::local(now, anchor)?
        }
        "test" => Spec::test(),
        "main" => Spec::main(),
        file => ChainDir::spec_file(&PathBuf::from(file))
            .with_context(|| format!("--chain {file}: expected local, test, main or a file"))?,
    };
    Ok(dir.found(spec, NonZeroUsize::MIN)?)
}

/// The key of this name in the directory; made without a passphrase if there is none.
pub(crate) fn key_for_local_chain(dir: &ChainDir, name: &str) -> anyhow::Result<PubKey> {
    let keyring = Keyring::in_dir(dir.path());
    let name: KeyName = name.parse().expect("a valid name of ours");
    match keyring.read(&name) {
        Ok(key) => Ok(key.public_key()),
        Err(KeyringError::Missing { .. }) => {
            let secret = SecretKey::generate()?;
            keyring.create(&name, &KeyFile::unprotected(&secret))?;
            Ok(secret.public_key())
        }
        Err(error) => Err(error.into()),
    }
}
