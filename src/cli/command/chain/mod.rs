//! `proofward chain`: the chain of a directory, looked at from outside.

mod status;

use crate::cli::exit::Outcome;

/// Look at the chain of a directory
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Status(status::Args),
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.what {
            What::Status(args) => args.run(),
        }
    }
}
