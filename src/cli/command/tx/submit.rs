//! `proofward tx submit`: a complete transaction, judged as the next block would and left for the miner.

use std::path::PathBuf;

use serde::Serialize;

use super::{check_chain, read};
use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line};
use crate::cli::sending::{Judged, judge};
use crate::cli::settings::Place;
use proofward::ledger::mempool::Refused;
use proofward::ledger::rules::TransactionError;

/// Judge a transaction by the rules of the next block and leave it in the inbox
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file; - for standard input
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Submitted {
    submitted: bool,
    transaction: String,
    core: String,
    rule: Option<&'static str>,
    detail: Option<String>,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let file = read(&self.file)?;
        let desk = Desk::open(&self.place)?;
        check_chain(&file, desk.spec(), &desk.dir)?;
        let mut submitted = Submitted {
            submitted: false,
            transaction: file.ids().transaction.to_string(),
            core: file.ids().core.to_string(),
            rule: None,
            detail: None,
        };
        let Some(transaction) = file.complete() else {
            let signers = file.signers().count();
            let got = signers - file.missing().len();
            let error = TransactionError::WrongSigners { expected: signers, got };
            return self.refuse(submitted, &error.into());
        };
        match judge(&desk, &transaction)? {
            Judged::Taken(None) => {}
            Judged::Taken(Some(refused)) => {
                submitted.rule = Some(refused.name());
                submitted.detail = Some(refused.to_string());
            }
            Judged::Refused(refused) => return self.refuse(submitted, &refused),
        }
        desk.dir.inbox()?.leave(&transaction.encode())?;
        submitted.submitted = true;
        if self.format.is_json() {
            json_line(&submitted)?;
        } else {
            let later = submitted.detail.map_or(String::new(), |why| format!(" (later: {why})"));
            text_line(format!("left for the miner: transaction {}{later}", submitted.transaction))?;
        }
        Ok(Outcome::Yes)
    }

    fn refuse(&self, submitted: Submitted, error: &Refused) -> anyhow::Result<Outcome> {
        if self.format.is_json() {
            let (rule, detail) = (Some(error.name()), Some(error.to_string()));
            json_line(&Submitted { rule, detail, ..submitted })?;
        } else {
            text_line(format!("refused: {}: {error}", error.name()))?;
        }
        Ok(Outcome::No)
    }
}
