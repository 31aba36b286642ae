//! `proofward loan accept`: the debtor's half.

use std::path::PathBuf;

use anyhow::{bail, ensure};

use crate::cli::command::tx;
use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::{LangArg, text_line, write_file};
use crate::cli::settings::tokens;
use crate::cli::signing::SigningArgs;
use proofward::ledger::transaction::{Body, PayKind};
use proofward::words::Shown;

/// Accept a loan that somebody else has offered in a file, and send it
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file; - for standard input
    file: PathBuf,
    /// Who owes from now on: a key of the directory; with --signer also an address or 64 hex digits
    #[arg(long, value_name = "KEY")]
    key: String,
    /// Write the signed loan to FILE instead of the inbox; - for standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// In which language
    #[arg(long, value_enum, default_value_t)]
    lang: LangArg,
    #[command(flatten)]
    signing: SigningArgs,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let mut file = tx::read(&self.file)?;
        let desk = Desk::open(&self.signing.place)?;
        tx::check_chain(&file, desk.spec(), &desk.dir)?;
        let Body::Pay(pay) = file.unsigned().core.body.clone() else {
            bail!("{}: no loan; see `proofward tx show`", self.file.display());
        };
        let PayKind::Loan(terms) = pay.kind else {
            bail!("{}: no loan that can be accepted: ask the lender for one", self.file.display());
        };
        let prefix = desk.spec().address_prefix.parse()?;
        let signer = self.signing.signer_of(&self.key, desk.dir.path(), prefix)?;
        ensure!(
            signer.public_key() == pay.to,
            "the loan is offered to {}, --key {} is {}",
            pay.to,
            self.key,
            signer.public_key()
        );
        if !self.signing.format.is_json() {
            let [amount, owed] =
                [pay.amount, terms.total_owed].map(|units| tokens(units).to_string());
            let values = [&*amount, &pay.from.to_string(), &owed, &terms.due_h.to_string()];
            eprintln!("proofward: {}", Shown::Offered.say(self.lang.into(), &values));
        }
        file.sign(&*signer)?;
        match (&self.out, file.complete()) {
            (Some(out), _) => {
                if write_file(out, file.to_text().as_bytes())? {
                    tx::print(&file, self.signing.format)?;
                }
            }
            (None, Some(complete)) => {
                desk.dir.inbox()?.leave(&complete.encode())?;
                tx::print(&file, self.signing.format)?;
                if !self.signing.format.is_json() {
                    let core = file.ids().core.to_string();
                    text_line(Shown::DebtToBe.say(self.lang.into(), &[&core]))?;
                }
            }
            (None, None) => bail!(
                "{} more signatures are missing: write the loan to a file with --out FILE and pass it on",
                file.missing().len()
            ),
        }
        Ok(Outcome::Yes)
    }
}
