//! `proofward lot ship` and `receive`: a hand-over is signed by both sides.

use anyhow::Context as _;

use super::{MoveArgs, lot_named};
use crate::cli::exit::Outcome;
use proofward::ledger::transaction::lot::Step;

/// Send a lot to somebody, who has to receive it
#[derive(Debug, clap::Args)]
pub(super) struct Ship {
    /// Which lot
    lot: String,
    /// To whom
    to: String,
    #[command(flatten)]
    step: MoveArgs,
}

/// Take over a lot that was sent; the giver takes it back after 100 blocks
#[derive(Debug, clap::Args)]
pub(super) struct Receive {
    /// Which lot
    lot: String,
    #[command(flatten)]
    step: MoveArgs,
}

impl Ship {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.step.send.desk()?;
        let to = desk.party_id(&self.to).context("to whom")?;
        self.step.act(&desk, Step::Ship { lot: lot_named(&self.lot)?, to }, None)
    }
}

impl Receive {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.step.send.desk()?;
        self.step.act(&desk, Step::Receive { lot: lot_named(&self.lot)? }, None)
    }
}
