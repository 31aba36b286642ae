//! `proofward lot dispense`, `destroy` and `recall`.

use super::{MoveArgs, lot_named};
use crate::cli::exit::Outcome;
use proofward::ledger::transaction::lot::Step;

/// Hand a lot to whom it was made for, who is not named
#[derive(Debug, clap::Args)]
pub(super) struct Dispense {
    /// Which lot
    lot: String,
    #[command(flatten)]
    step: MoveArgs,
}

/// Destroy a lot
#[derive(Debug, clap::Args)]
pub(super) struct Destroy {
    /// Which lot
    lot: String,
    #[command(flatten)]
    step: MoveArgs,
}

/// Call back a lot as it was made, with everything that came of it
#[derive(Debug, clap::Args)]
pub(super) struct Recall {
    /// The lot as it was made
    lot: String,
    #[command(flatten)]
    step: MoveArgs,
}

impl Dispense {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.step.send.desk()?;
        self.step.act(&desk, Step::Dispense { lot: lot_named(&self.lot)? }, None)
    }
}

impl Destroy {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.step.send.desk()?;
        self.step.act(&desk, Step::Destroy { lot: lot_named(&self.lot)? }, None)
    }
}

impl Recall {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.step.send.desk()?;
        self.step.act(&desk, Step::Recall { made: lot_named(&self.lot)? }, None)
    }
}
