//! `proofward policy new`: a policy is kept with its salts, to be granted.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use serde::Serialize;

use super::read_policy;
use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line, write_stdout};
use crate::cli::settings::Place;
use proofward::wallet::policy_file::EXAMPLE;
use proofward::wallet::record::{KeptPolicy, POLICIES_MAX, RecordName};

/// Keep a policy for a record: nothing changes before `proofward grant`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which record
    #[arg(required_unless_present = "print_example")]
    record: Option<RecordName>,
    /// The policy, in TOML; - for standard input
    #[arg(required_unless_present = "print_example")]
    file: Option<PathBuf>,
    /// Print a policy in which every key is explained
    #[arg(long, exclusive = true)]
    print_example: bool,
    #[command(flatten)]
    place: Place,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Made {
    record: String,
    rid: String,
    policy_root: String,
    leaves: Vec<String>,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        if self.print_example {
            write_stdout(EXAMPLE.as_bytes())?;
            return Ok(Outcome::Yes);
        }
        let (name, file) = (self.record.context("which record")?, self.file.context("a policy")?);
        let desk = Desk::open(&self.place)?;
        let mut kept = desk.kept(&name)?;
        let policy = KeptPolicy::new(read_policy(&desk, &file)?)?;
        let root = policy.tree(desk.spec().spacing_s)?.root();
        let leaves = policy.leaves.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        // An epoch that no block has taken has no policies of its own to grant.
        let at = desk.accepted(&kept)?.map_or(kept.epochs.len() - 1, |(at, _)| at);
        let epoch = &mut kept.epochs[at];
        ensure!(
            epoch.policies.len() < POLICIES_MAX,
            "{POLICIES_MAX} policies are kept of this record: `proofward record rekey` begins anew"
        );
        epoch.policies.push(policy);
        let rid = epoch.rid.public_key().to_string();
        desk.records().replace(&name, &kept)?;
        let made = Made { record: name.to_string(), rid, policy_root: hex::encode(root), leaves };
        if self.format.is_json() {
            json_line(&made)?;
        } else {
            let leaves = made.leaves.join(", ");
            text_line(format!("policy {} of {name}: {leaves}", made.policy_root))?;
            text_line(format!("put it in force with `proofward grant {name}`"))?;
        }
        Ok(Outcome::Yes)
    }
}
