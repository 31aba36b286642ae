//! `proofward device`: what a device is; and a whole model that is not to be trusted any more.

use super::{Kind, Make, Withdraw, commitment, send_withdrawal};
use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::sending::SendArgs;
use proofward::ledger::transaction::Party;
use proofward::ledger::transaction::attest::{Claim, Withdrawn};
use proofward::words::Done;

/// Is a device
#[derive(Debug, clap::Args)]
pub(crate) struct Device {
    /// Commits to its model: a file, or 64 hex digits
    #[arg(long, value_name = "FILE")]
    model: String,
    /// Its firmware: a file, or 64 hex digits
    #[arg(long, value_name = "FILE")]
    firmware: String,
}

/// What can be done with claims about devices.
#[derive(Debug, clap::Args)]
#[command(after_help = Device::EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Attest(Box<Make<Device>>),
    Withdraw(Box<Withdraw>),
    WithdrawModel(Box<WithdrawModel>),
}

/// Withdraw every device of a model, and taint what they signed
#[derive(Debug, clap::Args)]
pub(crate) struct WithdrawModel {
    /// Which: a file, or 64 hex digits, as it was attested
    model: String,
    /// Who attested the devices
    #[arg(long, value_name = "PARTY")]
    issuer: String,
    /// Who withdraws: that issuer, or whoever stands above it
    #[arg(long, value_name = "PARTY")]
    by: String,
    /// Commits to evidence that is kept elsewhere: a file, or 64 hex digits
    #[arg(long, value_name = "FILE")]
    evidence: Option<String>,
    #[command(flatten)]
    send: SendArgs,
}

impl Kind for Device {
    const NUMBER: u8 = 8;
    const EXAMPLES: &'static str = "\
Examples:
  proofward device attest watch --issuer clinic --model model.txt --firmware firmware.bin
  proofward device withdraw-model model.txt --issuer clinic --by clinic";

    fn claim(&self, _desk: &Desk, _subject: &Party) -> anyhow::Result<Claim> {
        let (model, firmware) = (commitment(Some(&self.model))?, commitment(Some(&self.firmware))?);
        Ok(Claim::Device { model, firmware })
    }
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.what {
            What::Attest(make) => make.run(),
            What::Withdraw(withdraw) => withdraw.run(Device::NUMBER),
            What::WithdrawModel(withdraw) => withdraw.run(),
        }
    }
}

impl WithdrawModel {
    fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.send.desk()?;
        let (issuer, model) = (desk.party_id(&self.issuer)?, commitment(Some(&self.model))?);
        let text = Done::WithdrawnModel.say(self.send.lang(), &[&hex::encode(model)]);
        send_withdrawal(
            &self.send,
            &desk,
            &self.by,
            Withdrawn::Model { issuer, model },
            self.evidence.as_deref(),
            &text,
        )
    }
}
