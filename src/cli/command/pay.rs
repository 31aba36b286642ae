//! `proofward pay`: a transfer, signed and left for whoever holds the chain.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line, write_file};
use crate::cli::settings::{Place, key_or_address, parse_tokens, tokens};
use crate::cli::signing::SigningArgs;
use proofward::ledger::chain::View;
use proofward::ledger::rules::context::fee_least;
use proofward::ledger::signature::Sig;
use proofward::ledger::spec::FEE_PER_STATE_ENTRY;
use proofward::ledger::state::{Account, EntryKey, StateRead};
use proofward::ledger::transaction::{
    Body, CORE_VERSION, Core, Pay, PayKind, Transaction, VALIDITY_BLOCKS_MAX,
};
use proofward::node::dir::ChainDir;
use proofward::primitives::BlockHash;
use proofward::wallet::TransactionFile;

/// Pay tokens to a key
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward pay clinic 12.5 --from miner
  proofward pay clinic 3 --from lpw1... --signer card-sign
  proofward pay lpw1... 1 --from miner --out payment.tx
  proofward pay clinic 2 --from alice --payer sponsor --out visit.tx
  proofward pay clinic 2 --from lpw1... --unsigned --out visit.tx

The transaction is left in the inbox of the directory, where a miner finds it; with --out it goes to
a file instead, which others may sign: see `proofward tx`. The fee is what the rules ask unless given.")]
pub(crate) struct Args {
    /// Who is paid: an address, 64 hex digits, or the name of a key of the directory
    to: String,
    /// How many tokens, at most 8 decimals
    #[arg(value_parser = parse_tokens)]
    amount: u64,
    /// Which key of the directory pays; with --signer also an address or 64 hex digits
    #[arg(long, value_name = "KEY")]
    from: String,
    /// Who pays the fee and has to sign too: an address, 64 hex digits, or a key [default: that of --from]
    #[arg(long, value_name = "KEY", requires = "out")]
    payer: Option<String>,
    /// Do not sign: for keys that are elsewhere
    #[arg(long, requires = "out", conflicts_with = "signer")]
    unsigned: bool,
    /// Tokens for the miner [default: what the rules ask]
    #[arg(long, value_name = "TOKENS", value_parser = parse_tokens)]
    fee: Option<u64>,
    /// Write the transaction to FILE instead of the inbox; - for standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    signing: SigningArgs,
    #[command(flatten)]
    place: Place,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Sent {
    transaction: String,
    core: String,
    amount_units: u64,
    fee_units: u64,
    nonce: u64,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let dir = ChainDir::new(self.place.clone().resolve()?);
        let (spec, reader) = dir.read()?;
        let to = key_or_address(&self.to, dir.path(), &spec)?;
        let signer = match self.unsigned {
            true => None,
            false => Some(self.signing.signer(&self.from, dir.path(), &spec)?),
        };
        let from = match &signer {
            Some(signer) => signer.public_key(),
            None => key_or_address(&self.from, dir.path(), &spec).context("--from")?,
        };
        let payer = match &self.payer {
            Some(payer) => key_or_address(payer, dir.path(), &spec).context("--payer")?,
            None => from,
        };

        let snapshot = reader.snapshot()?;
        let view = View(&*snapshot);
        let height = view.expect_record(&view.tip()?)?.height;
        let account = |key| -> anyhow::Result<Option<Account>> {
            let bytes = view.entry(&EntryKey::Account(key))?;
            bytes.map(|bytes| borsh::from_slice(&bytes).context("an account")).transpose()
        };
        let last_nonce = account(payer)?.unwrap_or_default().nonce;
        let body = Body::Pay(Pay { from, to, amount: self.amount, kind: PayKind::Plain });
        let (chain_id, genesis) = (spec.chain_id(), spec.genesis_hash());
        let mut transaction = Transaction {
            core: Core {
                version: CORE_VERSION,
                chain: chain_id,
                valid_from: height,
                valid_to: height.saturating_add(VALIDITY_BLOCKS_MAX),
                anchor: BlockHash::ZERO.0,
                body,
            },
            payer,
            nonce: last_nonce + 1 + dir.waiting_of(&payer)?,
            fee: 0,
            sigs: Vec::new(),
        };
        transaction.sigs = vec![Sig([0; 64]); transaction.signers().len()];
        let new_entries = u64::from(account(to)?.is_none());
        let least = fee_least(transaction.encode().len(), &transaction, new_entries);
        transaction.fee = self.fee.unwrap_or(least);
        if transaction.fee < least {
            bail!(
                "--fee {}: the rules ask at least {} tokens, {} of them for the new account",
                tokens(transaction.fee),
                tokens(least),
                tokens(new_entries * FEE_PER_STATE_ENTRY)
            );
        }
        transaction.sigs.clear();
        let mut file = TransactionFile::new(genesis, transaction)?;
        if let Some(signer) = signer {
            file.sign(&*signer)?;
        }
        match (&self.out, file.complete()) {
            (Some(path), _) => {
                if !write_file(path, file.to_text().as_bytes())? {
                    return Ok(Outcome::Yes);
                }
            }
            (None, Some(complete)) => dir.inbox()?.leave(&complete.encode())?,
            (None, None) => unreachable!("without --out there is one signer, who has signed"),
        }
        let (ids, transaction) = (file.ids(), file.unsigned());
        let sent = Sent {
            transaction: ids.transaction.to_string(),
            core: ids.core.to_string(),
            amount_units: self.amount,
            fee_units: transaction.fee,
            nonce: transaction.nonce,
        };
        if self.format.is_json() {
            json_line(&sent)?;
        } else {
            text_line(format!(
                "{} tokens to {}, fee {}: transaction {}",
                tokens(self.amount),
                self.to,
                tokens(sent.fee_units),
                sent.transaction
            ))?;
        }
        Ok(Outcome::Yes)
    }
}
