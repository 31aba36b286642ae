//! `proofward beacon`: what stands in a room and says whose devices it hears.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use serde::Serialize;

use super::{Kind, Make, Withdraw};
use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::{json_line, text_line, write_file};
use crate::cli::signing::SigningArgs;
use proofward::ledger::signature::PubKey;
use proofward::ledger::transaction::Party;
use proofward::ledger::transaction::attest::Claim;
use proofward::wallet::handout::{self, HeardKeys};

/// Is a beacon of a site
#[derive(Debug, clap::Args)]
pub(crate) struct Beacon {
    /// Of which site
    #[arg(long, value_name = "PARTY")]
    site: String,
}

/// What can be done with beacons.
#[derive(Debug, clap::Args)]
#[command(after_help = Beacon::EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Attest(Box<Make<Beacon>>),
    Withdraw(Box<Withdraw>),
    Roll(Box<RollArgs>),
}

/// Sign, as a beacon, which keys are in the room now
///
/// Nothing goes on chain: the file is for requests and approvals, which take it with --presence.
/// It is good for as many blocks as the policy says, three unless it says something else.
#[derive(Debug, clap::Args)]
pub(crate) struct RollArgs {
    /// The beacon: a key of the directory; with --signer also an address or 64 hex digits
    beacon: String,
    /// A key that it hears; once for each
    #[arg(long, value_name = "KEY", required = true)]
    key: Vec<String>,
    /// Number of the round [default: the height of the next block]
    #[arg(long, value_name = "N")]
    round: Option<u64>,
    /// Write the presences to FILE; - for standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Write a file for each key, FILE.<first 8 digits of the key>, so that nobody learns who else is there
    #[arg(long)]
    each: bool,
    #[command(flatten)]
    signing: SigningArgs,
}

#[derive(Serialize)]
struct Rolled {
    beacon: String,
    round: u64,
    anchor: String,
    keys: Vec<String>,
    files: Vec<String>,
}

impl Kind for Beacon {
    const NUMBER: u8 = 5;
    const EXAMPLES: &'static str = "\
Examples:
  proofward beacon attest ward-beacon --site ward --issuer hospital
  proofward beacon roll ward-beacon --key doctor --key nurse --key patient --out room.presence
  proofward beacon withdraw ward-beacon --by hospital";

    fn claim(&self, desk: &Desk, _subject: &Party) -> anyhow::Result<Claim> {
        Ok(Claim::Beacon { site: desk.party_id(&self.site).context("--site")? })
    }
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.what {
            What::Attest(make) => make.run(),
            What::Withdraw(withdraw) => withdraw.run(Beacon::NUMBER),
            What::Roll(roll) => roll.run(),
        }
    }
}

impl RollArgs {
    fn run(self) -> anyhow::Result<Outcome> {
        let desk = Desk::open(&self.signing.place)?;
        let prefix = desk.spec().address_prefix.parse()?;
        let beacon = self.signing.signer_of(&self.beacon, desk.dir.path(), prefix)?;
        let mut keys: Vec<PubKey> = Vec::with_capacity(self.key.len());
        for text in &self.key {
            let key = desk.key(text).with_context(|| format!("--key {text}"))?;
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        let (anchor, genesis) = (desk.tip()?, desk.chain.genesis);
        let round = match self.round {
            Some(round) => round,
            None => desk.next()?.height.into(),
        };
        let heard = HeardKeys::sign(&*beacon, &genesis, round, anchor, &keys)?;
        let mut files = Vec::new();
        if self.each {
            ensure!(self.out.as_os_str() != "-", "--each writes several files: name --out FILE");
            for key in &keys {
                let mut path = self.out.clone().into_os_string();
                path.push(format!(".{}", &key.to_string()[..8]));
                let alone = heard.only(key).expect("every key was heard");
                files.push((PathBuf::from(path), alone));
            }
        } else {
            files.push((self.out.clone(), heard));
        }
        for (path, heard) in &files {
            if !write_file(path, handout::to_text(&genesis, heard).as_bytes())? {
                return Ok(Outcome::Yes);
            }
        }
        let rolled = Rolled {
            beacon: beacon.public_key().to_string(),
            round,
            anchor: anchor.to_string(),
            keys: keys.iter().map(PubKey::to_string).collect(),
            files: files.iter().map(|(path, _)| path.display().to_string()).collect(),
        };
        if self.signing.format.is_json() {
            json_line(&rolled)?;
        } else {
            let (count, files) = (rolled.keys.len(), rolled.files.join(", "));
            text_line(format!("{} heard {count} keys in round {round}: {files}", self.beacon))?;
        }
        Ok(Outcome::Yes)
    }
}
