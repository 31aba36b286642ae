//! `proofward record show`: everything that is kept of a record, secrets excepted.

use serde::Serialize;

use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::{json_line, text_line};
use crate::cli::settings::LookArgs;
use proofward::ledger::signature::PubKey;
use proofward::ledger::state::{EntryKey, HeldRecord};
use proofward::wallet::record::{KeptEpoch, RecordName};
use proofward::words::{Lang, Shown};

/// Show what is kept of a record: owners, guardians, policies
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which
    name: RecordName,
    #[command(flatten)]
    look: LookArgs,
}

#[derive(Serialize)]
struct Epoch {
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
    state: PolicyState,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.look.desk()?;
        for epoch in &desk.kept(&self.name)?.epochs {
            let shown = Epoch::of(&desk, &self.name, epoch)?;
            if self.look.format.is_json() {
                json_line(&shown)?;
            } else {
                shown.print(self.look.lang())?;
            }
        }
        Ok(Outcome::Yes)
    }
}

impl Epoch {
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

    fn print(&self, lang: Lang) -> anyhow::Result<()> {
        let say = |of: Shown, values: &[&str]| text_line(of.say(lang, values));
        let accepted = if self.accepted { Shown::OnChain } else { Shown::InNoBlock };
        say(Shown::Record, &[&self.rid, &self.epoch.to_string(), &accepted.say(lang, &[])])?;
        for owner in &self.owners {
            say(Shown::Owner, &[owner, &self.owners_k.to_string()])?;
        }
        say(Shown::Ciphertext, &[&self.blob])?;
        say(Shown::Package, &[&self.package])?;
        say(Shown::GrantDelay, &[&self.grant_delay.to_string()])?;
        for (set, line) in self.share_sets.iter().enumerate() {
            let of = if set == 0 { Shown::GuardiansDaily } else { Shown::GuardiansEmergency };
            say(of, &[&line.k.to_string(), &line.guardians.len().to_string()])?;
            for GuardianLine { key, name, required } in &line.guardians {
                let name = name.as_deref().map_or(String::new(), |name| format!(" ({name})"));
                let required =
                    if *required { Shown::Required.say(lang, &[]) } else { String::new() };
                say(Shown::Guardian, &[key, &name, &required])?;
            }
        }
        for PolicyLine { root, leaves, seq, state } in &self.policies {
            let seq = seq.map_or(String::new(), |seq| format!(" {seq}"));
            let state = state.words().say(lang, &[]);
            say(Shown::Policy, &[&format!("{seq:5}"), root, &state, &leaves.join(", ")])?;
        }
        Ok(())
    }
}

/// How a policy stands on the chain.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) enum PolicyState {
    #[serde(rename = "in force")]
    InForce,
    #[serde(rename = "waits")]
    Waits,
    #[serde(rename = "waits for its record")]
    WaitsForRecord,
    #[serde(rename = "over")]
    Over,
    #[serde(rename = "not granted")]
    NotGranted,
}

impl PolicyState {
    pub(crate) const fn words(self) -> Shown {
        match self {
            Self::InForce => Shown::InForce,
            Self::Waits => Shown::Waits,
            Self::WaitsForRecord => Shown::WaitsForRecord,
            Self::Over => Shown::Over,
            Self::NotGranted => Shown::NotGranted,
        }
    }
}

/// The number of a policy on the chain, and how it stands there.
pub(crate) fn state_of(
    held: Option<&HeldRecord>,
    root: &[u8; 32],
    in_force: impl Fn(&HeldRecord) -> proofward::ledger::state::Policy,
) -> (Option<u32>, PolicyState) {
    let Some(held) = held else { return (None, PolicyState::NotGranted) };
    let now = in_force(held);
    let pending = held.pending.map(|pending| pending.policy);
    if now.root == *root {
        (Some(now.seq), PolicyState::InForce)
    } else if let Some(policy) = pending.filter(|policy| policy.root == *root) {
        (Some(policy.seq), PolicyState::Waits)
    } else if held.policy.root == *root {
        (Some(held.policy.seq), PolicyState::WaitsForRecord)
    } else if let Some(policy) = held.former.filter(|policy| policy.root == *root) {
        (Some(policy.seq), PolicyState::Over)
    } else {
        (None, PolicyState::NotGranted)
    }
}
