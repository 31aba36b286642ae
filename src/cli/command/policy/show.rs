//! `proofward policy show`: a policy in words, or one branch of it for a reader.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::People;
use crate::cli::command::record::{PolicyState, state_of};
use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line, write_file, write_stdout};
use crate::cli::settings::Place;
use proofward::ledger::policy::Draft;
use proofward::ledger::state::{EntryKey, HeldRecord};
use proofward::wallet::handout;
use proofward::wallet::policy_file;
use proofward::wallet::record::{KeptEpoch, KeptPolicy, RecordName};
use proofward::words::Lang;

/// Show a policy that is kept, or write one branch of it for a reader
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Of which record
    record: RecordName,
    /// Which policy, by the first digits of its root [default: the last that was made]
    #[arg(long, value_name = "ROOT")]
    policy: Option<String>,
    /// One leaf only, by its name
    #[arg(long, value_name = "NAME")]
    leaf: Option<String>,
    /// Write the branch of that leaf to FILE: what a reader needs to ask, and nothing of other leaves
    #[arg(long, value_name = "FILE", requires = "leaf")]
    out: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// How to print the result: one object for each leaf
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Line<'a> {
    record: String,
    rid: String,
    policy_root: String,
    seq: Option<u32>,
    state: PolicyState,
    leaf: &'a str,
    leaf_hash: String,
    terms: String,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let desk = Desk::open(&self.place)?;
        let kept = desk.kept(&self.record)?;
        let at = desk.accepted(&kept)?.map_or(kept.epochs.len() - 1, |(at, _)| at);
        let epoch = &kept.epochs[at];
        let policy = policy_of(&desk, epoch, self.policy.as_deref())?;
        let tree = policy.tree(desk.spec().spacing_s)?;
        let chosen = match &self.leaf {
            None => (0..policy.leaves.len()).collect(),
            Some(name) => vec![policy.leaf_named(name).with_context(|| {
                let known: Vec<&str> = policy.leaves.iter().map(|(name, _)| &**name).collect();
                format!("no leaf {name:?}: the policy has {}", known.join(", "))
            })?],
        };
        if let Some(path) = &self.out {
            let branch = epoch.handout(&tree.branches()[chosen[0]]);
            let text = handout::to_text(&desk.chain.genesis, &branch);
            if !write_file(path, text.as_bytes())? {
                return Ok(Outcome::Yes);
            }
        }
        let rid = epoch.rid.public_key();
        let held: Option<HeldRecord> = desk.entry(&EntryKey::Record(rid))?;
        let (next, spacing_s) = (desk.next()?, desk.spec().spacing_s);
        let (seq, state) =
            state_of(held.as_ref(), &tree.root(), |held| held.policy_at(next, spacing_s));
        let terms =
            |(name, draft): (&str, &Draft)| policy_file::to_text([(name, draft)], &People(&desk));
        if !self.format.is_json() {
            let number = seq.map_or(String::new(), |seq| format!(" {seq}"));
            // The rest is a policy file, which is in English.
            let state = state.words().say(Lang::En, &[]);
            text_line(format!("# policy{number} {}: {state}", hex::encode(tree.root())))?;
        }
        for at in chosen {
            let (name, draft) = &policy.leaves[at];
            let terms = terms((name, draft));
            if !self.format.is_json() {
                write_stdout(format!("\n{terms}").as_bytes())?;
                continue;
            }
            json_line(&Line {
                record: self.record.to_string(),
                rid: rid.to_string(),
                policy_root: hex::encode(tree.root()),
                seq,
                state,
                leaf: name,
                leaf_hash: hex::encode(tree.branches()[at].leaf.hash()),
                terms,
            })?;
        }
        Ok(Outcome::Yes)
    }
}

/// The policy whose root begins so; the last one unless said.
pub(crate) fn policy_of<'a>(
    desk: &Desk,
    epoch: &'a KeptEpoch,
    root: Option<&str>,
) -> anyhow::Result<&'a KeptPolicy> {
    let Some(begin) = root else {
        return epoch.policies.last().context("no policy is kept: `proofward policy new`");
    };
    let mut found = None;
    for policy in &epoch.policies {
        let root = hex::encode(policy.tree(desk.spec().spacing_s)?.root());
        if root.starts_with(begin) && found.replace(policy).is_some() {
            bail!("several policies have a root that begins with {begin}");
        }
    }
    found.with_context(|| format!("no policy has a root that begins with {begin}"))
}
