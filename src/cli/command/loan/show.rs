//! `proofward loan show`: who owes whom.

use serde::Serialize;

use super::debt;
use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line};
use crate::cli::settings::{Place, tokens};
use proofward::ledger::transaction::CoreId;

/// Show a debt: who owes whom, how much, and whether it is overdue
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The debt: the core id of its loan
    debt: CoreId,
    #[command(flatten)]
    place: Place,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Shown {
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
        let desk = Desk::open(&self.place)?;
        let held = debt(&desk, self.debt)?;
        let height = desk.next()?.height.saturating_sub(1);
        let shown = Shown {
            debt: self.debt.to_string(),
            standing: held.standing_at(height).name(),
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
        if self.format.is_json() {
            json_line(&shown)?;
            return Ok(Outcome::Yes);
        }
        text_line(format!("debt       {}", shown.debt))?;
        text_line(format!("standing   {} at height {height}", shown.standing))?;
        text_line(format!("debtor     {}", shown.debtor))?;
        text_line(format!("creditor   {}", shown.creditor))?;
        if shown.lender != shown.creditor {
            text_line(format!("lender     {}", shown.lender))?;
        }
        text_line(format!(
            "owed       {} of {} tokens, {} were lent in block {}",
            tokens(shown.left_units),
            tokens(shown.owed_units),
            tokens(shown.lent_units),
            shown.since_h
        ))?;
        text_line(format!("due        in block {}", shown.due_h))?;
        if let Some(closed) = shown.closed_h {
            text_line(format!("closed     in block {closed}"))?;
        }
        Ok(Outcome::Yes)
    }
}
