//! `proofward policy`: under what conditions a record opens, written, kept, handed over, examined.

mod check;
mod new;
mod openers;
mod show;
mod wait;
mod who;

use std::path::Path;

use anyhow::Context as _;

use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::settings::{parse_tokens, read_input, tokens};
use proofward::ledger::policy::Draft;
use proofward::ledger::signature::PubKey;
use proofward::ledger::transaction::PartyId;
use proofward::wallet::policy_file::{self, Names, POLICY_FILE_BYTES_MAX, Spell};

pub(crate) use show::policy_of;

/// Write, show and examine policies: under what conditions a record opens
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward policy new --print-example > policy.toml
  proofward policy new finding policy.toml
  proofward policy show finding
  proofward policy show finding --leaf ward --out ward.branch       for a reader, who needs it to ask
  proofward policy check finding policy.toml                        before it is kept or granted
  proofward policy who-can-open finding --within 1000 --lang zh

Exit code: 0 done, or somebody can open it; 1 nobody can; 2 usage, or a file that cannot be read.")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Check(check::Args),
    New(new::Args),
    Show(show::Args),
    WhoCanOpen(who::Args),
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.what {
            What::Check(args) => args.run(),
            What::New(args) => args.run(),
            What::Show(args) => args.run(),
            What::WhoCanOpen(args) => args.run(),
        }
    }
}

/// Reads the leaves of a policy file; every leaf must make sense on the chain.
pub(crate) fn read_policy(desk: &Desk, path: &Path) -> anyhow::Result<Vec<(String, Draft)>> {
    let name = || path.display().to_string();
    let text = String::from_utf8(read_input(path, POLICY_FILE_BYTES_MAX)?);
    let text = text.ok().with_context(|| format!("{}: not a text", name()))?;
    let leaves = policy_file::parse(&text, &People(desk)).with_context(name)?;
    for (leaf, draft) in &leaves {
        let check = draft.terms.check(desk.spec().spacing_s);
        check.with_context(|| format!("{}: leaf {leaf:?}", name()))?;
    }
    Ok(leaves)
}

/// Names as they are typed on this machine, times as RFC 3339 has them.
pub(crate) struct People<'a>(pub(crate) &'a Desk);

impl Names for People<'_> {
    fn party(&self, text: &str) -> Result<PartyId, String> {
        self.0.party_id(text).map_err(|error| format!("{error:#}"))
    }

    fn time(&self, text: &str) -> Result<u32, String> {
        let form = || format!("{text:?}: expected a time such as 2026-12-01T08:00:00+01:00");
        let time: jiff::Timestamp = text.parse().map_err(|_| form())?;
        u32::try_from(time.as_second()).map_err(|_| form())
    }

    fn amount(&self, text: &str) -> Result<u64, String> {
        parse_tokens(text)
    }
}

impl Spell for People<'_> {
    fn party(&self, party: &PartyId) -> String {
        let name = self.0.name_of(&PubKey(party.0));
        name.map_or_else(|| party.to_string(), |name| name.to_string())
    }

    fn time(&self, seconds: u32) -> String {
        let time = jiff::Timestamp::from_second(seconds.into());
        time.map_or_else(|_| seconds.to_string(), |time| time.to_string())
    }

    fn amount(&self, units: u64) -> String {
        tokens(units)
    }
}
