//! `proofward balance`: what a key owns.

use anyhow::Context as _;
use serde::Serialize;

use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line};
use crate::cli::settings::{Place, key_or_address, tokens};
use proofward::ledger::chain::View;
use proofward::ledger::coinbase::Payout;
use proofward::ledger::state::{Account, EntryKey, StateRead};
use proofward::node::dir::ChainDir;

/// Show what a key owns, and what it has mined that cannot be spent yet
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward balance miner
  proofward balance lpw1... --format json")]
pub(crate) struct Args {
    /// An address, 64 hex digits, or the name of a key of the directory
    key: String,
    #[command(flatten)]
    place: Place,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Balance {
    key: String,
    balance_units: u64,
    maturing_units: u64,
    nonce: u64,
    height: u32,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let dir = ChainDir::new(self.place.clone().resolve()?);
        let (spec, reader) = dir.read()?;
        let key = key_or_address(&self.key, dir.path(), &spec)?;
        let snapshot = reader.snapshot()?;
        let view = View(&*snapshot);
        let height = view.expect_record(&view.tip()?)?.height;
        let account: Account = match view.entry(&EntryKey::Account(key))? {
            Some(bytes) => borsh::from_slice(&bytes).context("an account")?,
            None => Account::default(),
        };
        let mut maturing: u64 = 0;
        for mined in height.saturating_sub(spec.maturity_blocks)..=height {
            let Some(bytes) = view.entry(&EntryKey::Maturing(mined))? else { continue };
            let payouts: Vec<Payout> = borsh::from_slice(&bytes).context("rewards")?;
            let own = payouts.iter().filter(|payout| payout.key == key);
            maturing = maturing.saturating_add(own.map(|payout| payout.value).sum());
        }
        let balance = Balance {
            key: hex::encode(key.0),
            balance_units: account.balance,
            maturing_units: maturing,
            nonce: account.nonce,
            height,
        };
        if self.format.is_json() {
            json_line(&balance)?;
        } else {
            text_line(format!("{} tokens", tokens(balance.balance_units)))?;
            if maturing > 0 {
                text_line(format!("{} tokens mined, not spendable yet", tokens(maturing)))?;
            }
        }
        Ok(Outcome::Yes)
    }
}
