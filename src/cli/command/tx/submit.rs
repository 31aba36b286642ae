//! `proofward tx submit`: a complete transaction, judged as the next block would and left for the miner.

use std::path::PathBuf;

use serde::Serialize;

use super::{check_chain, read};
use crate::cli::exit::Outcome;
use crate::cli::output::{json_line, text_line};
use crate::cli::sending::{Judged, judge};
use crate::cli::settings::LookArgs;
use proofward::ledger::mempool::Refused;
use proofward::ledger::rules::TransactionError;
use proofward::words::{Done, refusal};

/// Judge a transaction by the rules of the next block and leave it in the inbox
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file; - for standard input
    file: PathBuf,
    #[command(flatten)]
    look: LookArgs,
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
        let (desk, lang) = (self.look.desk()?, self.look.lang());
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
        let later = match judge(&desk, &transaction)? {
            Judged::Taken(later) => later,
            Judged::Refused(refused) => return self.refuse(submitted, &refused),
        };
        submitted.rule = later.as_ref().map(Refused::name);
        submitted.detail = later.as_ref().map(Refused::to_string);
        desk.dir.inbox()?.leave(&transaction.encode())?;
        submitted.submitted = true;
        if self.look.format.is_json() {
            json_line(&submitted)?;
        } else {
            text_line(match &later {
                None => Done::Left.say(lang, &[&submitted.transaction]),
                Some(refused) => {
                    let values = [&*submitted.transaction, &refusal(lang, refused)];
                    Done::LeftForLater.say(lang, &values)
                }
            })?;
        }
        Ok(Outcome::Yes)
    }

    fn refuse(&self, submitted: Submitted, error: &Refused) -> anyhow::Result<Outcome> {
        if self.look.format.is_json() {
            let (rule, detail) = (Some(error.name()), Some(error.to_string()));
            json_line(&Submitted { rule, detail, ..submitted })?;
        } else {
            let lang = self.look.lang();
            text_line(Done::Refused.say(lang, &[&refusal(lang, error)]))?;
        }
        Ok(Outcome::No)
    }
}
