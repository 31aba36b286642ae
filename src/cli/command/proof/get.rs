//! `proofward proof get`: a proof file.

use std::path::PathBuf;

use anyhow::{Context as _, bail};

use crate::cli::exit::Outcome;
use crate::cli::output::{text_line, write_file};
use crate::cli::settings::{Place, key_or_address};
use proofward::engine::nodes::NodeKernel;
use proofward::ledger::chain::Chain;
use proofward::ledger::state::EntryKey;
use proofward::ledger::transaction::TransactionId;
use proofward::node::dir::ChainDir;
use proofward::node::proof_file::{ProofFile, Proved};

/// Write a proof that something is in the chain, or is not
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Of what
    #[arg(value_enum)]
    what: What,
    /// The account's key (an address, 64 hex digits, or a key of the directory), the id of the
    /// transaction, any key of the state in hex, or a height: which cores a block accepted
    of: String,
    /// Write the proof to FILE; - for standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// What a key owns, or that it owns nothing
    Account,
    /// That a transaction is in a block
    Transaction,
    /// The cores that the block at a height accepted, or that it accepted none
    Cores,
    /// Any entry of the state, or its absence
    Entry,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let dir = ChainDir::new(self.place.resolve()?);
        let (spec, reader) = dir.read()?;
        let key = match self.what {
            What::Account => Some(EntryKey::Account(key_or_address(&self.of, dir.path(), &spec)?)),
            What::Cores => Some(EntryKey::Accepted(self.of.parse().context("expected a height")?)),
            What::Entry => {
                let key = hex::decode(&self.of).ok().and_then(|bytes| EntryKey::decode(&bytes));
                Some(key.with_context(|| format!("{:?} is no key of a state entry", self.of))?)
            }
            What::Transaction => None,
        };
        let chain = Chain::new(spec, NodeKernel::best());
        let snapshot = reader.snapshot()?;
        let proof = match key {
            Some(key) => Some(ProofFile::of_entry(&chain, &*snapshot, &key)?),
            None => {
                let Ok(id) = self.of.parse::<TransactionId>() else {
                    bail!("{:?} is no id of a transaction: expected 64 hex digits", self.of);
                };
                ProofFile::of_transaction(&chain, &*snapshot, &id)?
            }
        };
        let Some(proof) = proof else {
            eprintln!("proofward: no block of the chain holds transaction {}", self.of);
            return Ok(Outcome::No);
        };
        if write_file(&self.out, proof.to_text().as_bytes())? {
            let shows = match &proof.proved {
                Proved::Entry(evidence) if evidence.value.is_none() => "absence",
                _ => "presence",
            };
            text_line(format!("a proof of {shows} in {}", self.out.display()))?;
        }
        Ok(Outcome::Yes)
    }
}
