//! `proofward record show`: everything that is kept of a record, secrets excepted.

use serde::Serialize;

use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line};
use crate::cli::settings::Place;
use proofward::ledger::signature::PubKey;
use proofward::ledger::state::{EntryKey, HeldRecord};
use proofward::wallet::record::{KeptEpoch, RecordName};

/// Show what is kept of a record: owners, guardians, policies
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which
    name: RecordName,
    #[command(flatten)]
    place: Place,
    /// How to print the result: one object for each epoch
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Shown {
    name: String,
    rid: String,
    epoch: u32,
    accepted: bool,
    owners_k: u8,
    owners: Vec<String>,
    blob: String,
    package: String,
    payout: String,
    grant_delay: u32,
    share_sets: Vec<SetLine>,
    policies: Vec<PolicyLine>,
}

#[derive(Serialize)]
struct SetLine {
    k: u8,
    guardians: Vec<GuardianLine>,
}

#[derive(Serialize)]
struct GuardianLine {
    key: String,
    name: Option<String>,
    required: bool,
}

#[derive(Serialize)]
struct PolicyLine {
    root: String,
    leaves: Vec<String>,
    seq: Option<u32>,
    state: &'static str,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let desk = Desk::open(&self.place)?;
        for epoch in &desk.kept(&self.name)?.epochs {
            let shown = Shown::of(&desk, &self.name, epoch)?;
            if self.format.is_json() {
                json_line(&shown)?;
            } else {
                shown.print()?;
            }
        }
        Ok(Outcome::Yes)
    }
}

impl Shown {
    fn of(desk: &Desk, name: &RecordName, epoch: &KeptEpoch) -> anyhow::Result<Self> {
        let rid = epoch.rid.public_key();
        let held: Option<HeldRecord> = desk.entry(&EntryKey::Record(rid))?;
        let next = desk.next()?;
        let spacing_s = desk.spec().spacing_s;
        let guardian = |key: PubKey, required| GuardianLine {
            key: key.to_string(),
            name: desk.name_of(&key).map(|name| name.to_string()),
            required,
        };
        let mut policies = Vec::new();
        for policy in &epoch.policies {
            let root = policy.tree(spacing_s)?.root();
            let (seq, state) =
                state_of(held.as_ref(), &root, |held| held.policy_at(next, spacing_s));
            policies.push(PolicyLine {
                root: hex::encode(root),
                leaves: policy.leaves.iter().map(|(name, _)| name.clone()).collect(),
                seq,
                state,
            });
        }
        let sets = epoch.sets.iter().map(|kept| SetLine {
            k: kept.set.k,
            guardians: kept
                .seats
                .iter()
                .map(|seat| guardian(seat.member.key, seat.member.is_required))
                .collect(),
        });
        Ok(Self {
            name: name.to_string(),
            rid: rid.to_string(),
            epoch: epoch.epoch,
            accepted: held.is_some(),
            owners_k: epoch.owners.k,
            owners: epoch.owners.keys.iter().map(PubKey::to_string).collect(),
            blob: hex::encode(epoch.blob),
            package: hex::encode(epoch.pointer),
            payout: epoch.payout.to_string(),
            grant_delay: epoch.grant_delay,
            share_sets: sets.collect(),
            policies,
        })
    }

    fn print(&self) -> anyhow::Result<()> {
        let accepted = if self.accepted { "on the chain" } else { "in no block yet" };
        text_line(format!("record      {} (epoch {}, {accepted})", self.rid, self.epoch))?;
        for owner in &self.owners {
            text_line(format!("owner       {owner} ({} must sign)", self.owners_k))?;
        }
        text_line(format!("ciphertext  {}", self.blob))?;
        text_line(format!("shares      {}", self.package))?;
        text_line(format!("delay       {} blocks for every new policy", self.grant_delay))?;
        for (set, line) in self.share_sets.iter().enumerate() {
            let kind = if set == 0 { "every day" } else { "in emergencies" };
            text_line(format!("guardians   {} of {} {kind}", line.k, line.guardians.len()))?;
            for GuardianLine { key, name, required } in &line.guardians {
                let name = name.as_deref().map_or(String::new(), |name| format!(" ({name})"));
                let required = if *required { ", required" } else { "" };
                text_line(format!("            {key}{name}{required}"))?;
            }
        }
        for PolicyLine { root, leaves, seq, state } in &self.policies {
            let seq = seq.map_or(String::new(), |seq| format!(" {seq}"));
            text_line(format!("policy{seq:5} {root}: {state}; {}", leaves.join(", ")))?;
        }
        Ok(())
    }
}

/// The number of a policy on the chain, and how it stands there.
pub(crate) fn state_of(
    held: Option<&HeldRecord>,
    root: &[u8; 32],
    in_force: impl Fn(&HeldRecord) -> proofward::ledger::state::Policy,
) -> (Option<u32>, &'static str) {
    let Some(held) = held else { return (None, "not granted") };
    let now = in_force(held);
    let pending = held.pending.map(|pending| pending.policy);
    if now.root == *root {
        (Some(now.seq), "in force")
    } else if let Some(policy) = pending.filter(|policy| policy.root == *root) {
        (Some(policy.seq), "waits")
    } else if held.policy.root == *root {
        (Some(held.policy.seq), "waits for its record")
    } else if let Some(policy) = held.former.filter(|policy| policy.root == *root) {
        (Some(policy.seq), "over")
    } else {
        (None, "not granted")
    }
}
