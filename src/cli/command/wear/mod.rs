//! `proofward wear`: what wearables have recorded, and what it is worth.

mod import;
mod samples;
mod show;

use crate::cli::exit::Outcome;

/// Import what a wearable has recorded, and see what it has earned
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward wear import walk.fit --device watch --dry-run             what it says, and what it is worth
  proofward wear import walk.fit --device watch --budget walks.json   hashes for `mine --budget walks.json`
  proofward wear import minutes.csv --device watch --wearer alice --zone CET-1CEST,M3.5.0,M10.5.0/3
  proofward wear import walk.fit --device watch --wearer alice --record walk --guardians 2:nurse,alice,escrow
  proofward wear samples BLOB --wearer alice --out samples.csv        what was sealed to alice
  proofward wear show alice                                           what the chain has credited

FIT activities, CSV by the minute (Id,ActivityMinute,Steps) and FHIR Observations of steps. Each refusal
names the row. A file proves nothing: it has the least assurance and earns a quarter.")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Import(Box<import::Args>),
    Samples(Box<samples::Args>),
    Show(show::Args),
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.what {
            What::Import(args) => args.run(),
            What::Samples(args) => args.run(),
            What::Show(args) => args.run(),
        }
    }
}
