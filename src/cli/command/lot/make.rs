//! `proofward lot make`: goods come on record, under a name that hides what they are.

use anyhow::Context as _;

use super::{MoveArgs, lots_named};
use crate::cli::exit::Outcome;
use proofward::ledger::transaction::LotId;
use proofward::ledger::transaction::lot::Step;
use proofward::wallet::lot::{LotCode, Number, Unit};

/// Make a lot, out of nothing on record or out of lots at hand, and print the code for its package
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The product: a GTIN of 8, 12, 13 or 14 digits
    #[arg(long, value_name = "GTIN")]
    gtin: String,
    /// Number of the batch
    #[arg(long, value_name = "BATCH", required_unless_present = "serial")]
    batch: Option<Number>,
    /// Serial number of a single unit
    #[arg(long, value_name = "SERIAL", conflicts_with = "batch")]
    serial: Option<Number>,
    /// How many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    quantity: u64,
    /// A lot that goes into it; once for each
    #[arg(long, value_name = "LOT")]
    input: Vec<String>,
    /// Witnesses that every move of it needs, this one included
    #[arg(long, value_name = "N", default_value_t = 0)]
    min_witness: u8,
    /// The key that the package itself can sign with: see `proofward lot verify --tag`
    #[arg(long, value_name = "KEY")]
    tag: Option<String>,
    #[command(flatten)]
    step: MoveArgs,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.step.send.desk()?;
        let tag = self.tag.as_deref().map(|tag| desk.key(tag)).transpose().context("--tag")?;
        let unit = match (self.batch, self.serial) {
            (_, Some(serial)) => Unit::Serial(serial),
            (Some(batch), None) => Unit::Batch(batch),
            (None, None) => unreachable!("one of them is required"),
        };
        let code = LotCode::new(&self.gtin, unit, tag).context("--gtin")?;
        let maker = desk.party(&self.step.by).context("--by")?.id();
        let code = code.of_lot(LotId::made(maker, &code.id()));
        let step = Step::Make {
            id: code.id(),
            class: code.class(),
            quantity: self.quantity,
            inputs: lots_named(&self.input).context("--input")?,
            min_witness: self.min_witness,
        };
        self.step.act(&desk, step, Some(&code))
    }
}
