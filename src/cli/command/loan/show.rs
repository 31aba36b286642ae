//! `proofward loan show`: who owes whom.

use serde::Serialize;

use super::debt;
use crate::cli::exit::Outcome;
use crate::cli::output::{json_line, text_line};
use crate::cli::settings::{LookArgs, tokens};
use proofward::ledger::state::DebtStanding;
use proofward::ledger::transaction::CoreId;
use proofward::words::Shown;

/// Show a debt: who owes whom, how much, and whether it is overdue
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The debt: the core id of its loan
    debt: CoreId,
    #[command(flatten)]
    look: LookArgs,
}

#[derive(Serialize)]
struct Line {
    debt: String,
    standing: &'static str,
    lender: String,
    creditor: String,
    debtor: String,
    lent_units: u64,
    owed_units: u64,
    repaid_units: u64,
    left_units: u64,
    due_h: u32,
    since_h: u32,
    closed_h: Option<u32>,
    document: Option<String>,
    height: u32,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.look.desk()?;
        let held = debt(&desk, self.debt)?;
        let height = desk.next()?.height.saturating_sub(1);
        let standing = held.standing_at(height);
        let shown = Line {
            debt: self.debt.to_string(),
            standing: standing.name(),
            lender: held.lender.to_string(),
            creditor: held.creditor.to_string(),
            debtor: held.debtor.to_string(),
            lent_units: held.lent,
            owed_units: held.owed,
            repaid_units: held.repaid,
            left_units: held.left(),
            due_h: held.due_h,
            since_h: held.since_h,
            closed_h: held.closed_h,
            document: (held.document != [0; 32]).then(|| hex::encode(held.document)),
            height,
        };
        if self.look.format.is_json() {
            json_line(&shown)?;
            return Ok(Outcome::Yes);
        }
        let lang = self.look.lang();
        let say = |of: Shown, values: &[&str]| text_line(of.say(lang, values));
        let stands = match standing {
            DebtStanding::Open => Shown::Open,
            DebtStanding::Overdue => Shown::Overdue,
            DebtStanding::Repaid => Shown::Repaid,
            DebtStanding::Forgiven => Shown::Forgiven,
        };
        say(Shown::Debt, &[&shown.debt])?;
        say(Shown::Standing, &[&stands.say(lang, &[]), &height.to_string()])?;
        say(Shown::Debtor, &[&shown.debtor])?;
        say(Shown::Creditor, &[&shown.creditor])?;
        if shown.lender != shown.creditor {
            say(Shown::Lender, &[&shown.lender])?;
        }
        let [left, owed, lent] = [shown.left_units, shown.owed_units, shown.lent_units]
            .map(|units| tokens(units).to_string());
        say(Shown::Owed, &[&left, &owed, &lent, &shown.since_h.to_string()])?;
        say(Shown::Due, &[&shown.due_h.to_string()])?;
        if let Some(closed) = shown.closed_h {
            say(Shown::Closed, &[&closed.to_string()])?;
        }
        Ok(Outcome::Yes)
    }
}
