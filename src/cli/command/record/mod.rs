//! `proofward record`: an owner's records: added, given a new key, looked at.

mod add;
mod guardians;
mod list;
mod new;
mod replace;
mod show;

use crate::cli::exit::Outcome;

pub(crate) use new::{NewRecord, Terms};
pub(crate) use replace::owners_of;
pub(crate) use show::{PolicyState, state_of};

/// Add, change and look at the records that you own
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward record add finding.json --name finding --owner patient --guardians 2:nurse,patient!,escrow
  proofward record add scan.png --name scan --owner 2:alice,bob --guardians 2:alice,bob,escrow \\
      --emergency-guardians 2:escrow,registry --policy policy.toml
  proofward record list
  proofward record show finding
  proofward record amend finding finding-2.json
  proofward record rekey finding finding.json --guardians 2:patient!,escrow,relative

A file is encrypted here, under a key that is split among the guardians and forgotten; on the chain
stand commitments only. What you keep of it is DIR/records/NAME.json: whoever has that file can show
your policies, not read the record.
Exit code: 0 done, 1 the rules refuse it, 2 usage, or a file that cannot be read.")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Add(Box<add::Args>),
    Amend(Box<replace::Amend>),
    List(list::Args),
    Rekey(Box<replace::Rekey>),
    Show(show::Args),
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.what {
            What::Add(args) => args.run(),
            What::Amend(args) => args.run(),
            What::List(args) => args.run(),
            What::Rekey(args) => args.run(),
            What::Show(args) => args.run(),
        }
    }
}
