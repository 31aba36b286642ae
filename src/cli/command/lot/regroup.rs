//! `proofward lot pack`, `unpack` and `split`: as much comes out as goes in.

use anyhow::{Context as _, ensure};

use super::{MoveArgs, lot_named, lots_named};
use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use proofward::ledger::state::{EntryKey, HeldLot};
use proofward::ledger::transaction::LotId;
use proofward::ledger::transaction::lot::Step;

/// Make one lot of several of one class
#[derive(Debug, clap::Args)]
pub(super) struct Pack {
    /// Which lots
    #[arg(required = true)]
    lots: Vec<String>,
    #[command(flatten)]
    step: MoveArgs,
}

/// Make several lots of one
#[derive(Debug, clap::Args)]
pub(super) struct Unpack {
    /// Which lot
    lot: String,
    /// How many into each
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', required = true)]
    into: Vec<u64>,
    #[command(flatten)]
    step: MoveArgs,
}

/// Divide lots of one class anew
#[derive(Debug, clap::Args)]
pub(super) struct Split {
    /// Which lots
    #[arg(required = true)]
    lots: Vec<String>,
    /// How many into each
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', required = true)]
    into: Vec<u64>,
    #[command(flatten)]
    step: MoveArgs,
}

impl Pack {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.step.send.desk()?;
        let inputs = lots_named(&self.lots)?;
        let quantity = total(&desk, &inputs)?;
        self.step.act(&desk, Step::Pack { inputs, quantity }, None)
    }
}

impl Unpack {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.step.send.desk()?;
        let lot = lot_named(&self.lot)?;
        check(&desk, &[lot], &self.into)?;
        self.step.act(&desk, Step::Unpack { lot, outputs: self.into }, None)
    }
}

impl Split {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.step.send.desk()?;
        let inputs = lots_named(&self.lots)?;
        check(&desk, &inputs, &self.into)?;
        self.step.act(&desk, Step::Split { inputs, outputs: self.into }, None)
    }
}

/// What is in some lots together.
fn total(desk: &Desk, lots: &[LotId]) -> anyhow::Result<u64> {
    let mut total: u64 = 0;
    for lot in lots {
        let held: Option<HeldLot> = desk.entry(&EntryKey::Lot(*lot))?;
        let held = held.with_context(|| format!("lot {lot}: not on the chain, or consumed"))?;
        total = total.checked_add(held.quantity).context("more than a lot holds")?;
    }
    Ok(total)
}

/// Says before anybody signs what the rules would say after.
fn check(desk: &Desk, lots: &[LotId], into: &[u64]) -> anyhow::Result<()> {
    let (inside, outside) = (u128::from(total(desk, lots)?), into.iter().copied().map(u128::from));
    let outside: u128 = outside.sum();
    ensure!(
        inside == outside,
        "--into: {outside} come out of {inside}; what is gone is split off and destroyed"
    );
    Ok(())
}
