//! `proofward tx show`: what a transaction does, and who has signed it.

use std::path::PathBuf;

use serde::Serialize;

use super::deed::deed;
use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line};
use crate::cli::settings::tokens;
use proofward::wallet::TransactionFile;

/// Show what a transaction does, who has signed it and who is missing
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file; - for standard input
    file: PathBuf,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
pub(super) struct Shown {
    transaction: String,
    core: String,
    genesis: String,
    body: &'static str,
    does: String,
    payer: String,
    nonce: u64,
    fee_units: u64,
    valid_from: u32,
    valid_to: u32,
    anchor: Option<String>,
    signers: Vec<SignerLine>,
    missing: usize,
}

#[derive(Serialize)]
struct SignerLine {
    key: String,
    signs: &'static str,
    signed: bool,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        print(&super::read(&self.file)?, self.format)?;
        Ok(Outcome::Yes)
    }
}

/// Shows a transaction: also what the other commands print of the file they wrote.
pub(in crate::cli::command) fn print(file: &TransactionFile, format: Format) -> anyhow::Result<()> {
    let shown = Shown::of(file);
    if format.is_json() {
        return json_line(&shown);
    }
    text_line(format!("transaction  {}", shown.transaction))?;
    text_line(format!("core         {}", shown.core))?;
    text_line(format!("genesis      {}", shown.genesis))?;
    text_line(format!("does         {}", shown.does))?;
    text_line(format!(
        "fee          {} tokens by {}, nonce {}",
        tokens(shown.fee_units),
        shown.payer,
        shown.nonce
    ))?;
    text_line(format!("valid        in blocks {} to {}", shown.valid_from, shown.valid_to))?;
    if let Some(anchor) = &shown.anchor {
        text_line(format!("anchor       {anchor}"))?;
    }
    for SignerLine { key, signs, signed } in &shown.signers {
        let done = if *signed { "signed" } else { "missing" };
        text_line(format!("{done:11}  {key} (the {signs})"))?;
    }
    match shown.missing {
        0 => text_line("complete: leave it for the miner with `proofward tx submit`"),
        missing => text_line(format!(
            "{missing} of {} signatures missing: `proofward tx sign`",
            shown.signers.len()
        )),
    }
}

impl Shown {
    fn of(file: &TransactionFile) -> Self {
        let transaction = file.unsigned();
        let core = &transaction.core;
        let signers = file.signers().enumerate().map(|(at, (key, signed))| SignerLine {
            key: key.to_string(),
            signs: if at == 0 { "transaction" } else { "core" },
            signed,
        });
        Self {
            transaction: file.ids().transaction.to_string(),
            core: file.ids().core.to_string(),
            genesis: file.genesis().to_string(),
            body: core.body.name(),
            does: deed(&core.body),
            payer: transaction.payer.to_string(),
            nonce: transaction.nonce,
            fee_units: transaction.fee,
            valid_from: core.valid_from,
            valid_to: core.valid_to,
            anchor: (core.anchor != [0; 32])
                .then(|| proofward::primitives::BlockHash(core.anchor).to_string()),
            signers: signers.collect(),
            missing: file.missing().len(),
        }
    }
}
