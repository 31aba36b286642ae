//! `proofward grant` and `proofward revoke`: the owners put a policy in force, or end all.

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::policy::policy_of;
use super::record::owners_of;
use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::sending::{Proposal, SendArgs};
use proofward::ledger::state::HeldRecord;
use proofward::ledger::transaction::{Body, Grant};
use proofward::wallet::record::{KeptRecord, RecordName};
use proofward::words::Done;

/// Blocks until somebody mines the grant: it would be too soon for a delay counted from now.
const MINED_WITHIN: u32 = 12;

/// Put a policy of a record in force, after the record's delay
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward grant finding
  proofward grant finding --policy 3fa9 --by alice,bob --out grant.tx")]
pub(crate) struct Args {
    /// Which record
    record: RecordName,
    /// Which policy, by the first digits of its root [default: the last that was made]
    #[arg(long, value_name = "ROOT")]
    policy: Option<String>,
    /// First height at which it holds [default: as soon as the delay lets it, if mined in 12 blocks]
    #[arg(long, value_name = "HEIGHT")]
    not_before: Option<u32>,
    /// Who signs of the owners, by their keys [default: every owner whose key is here]
    #[arg(long, value_name = "KEY,...", value_delimiter = ',')]
    by: Vec<String>,
    #[command(flatten)]
    send: SendArgs,
}

/// End every policy of a record at once, and all open requests with it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward revoke finding

Whoever has read keeps what they read. To end what a stolen share could open, see
`proofward record rekey`.")]
pub(crate) struct Revoke {
    /// Which record
    record: RecordName,
    /// Who signs of the owners, by their keys [default: every owner whose key is here]
    #[arg(long, value_name = "KEY,...", value_delimiter = ',')]
    by: Vec<String>,
    #[command(flatten)]
    send: SendArgs,
}

#[derive(Serialize)]
struct More {
    record: String,
    rid: String,
    seq: u32,
    policy_root: Option<String>,
    not_before_h: u32,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.send.desk()?;
        let kept = desk.kept(&self.record)?;
        let (at, held) = on_chain(&desk, &kept, &self.record)?;
        let epoch = &kept.epochs[at];
        let policy = policy_of(&desk, epoch, self.policy.as_deref())?;
        let root = policy.tree(desk.spec().spacing_s)?.root();
        let pending = held.pending.map(|pending| pending.policy);
        let known = [Some(held.policy), pending, held.former];
        if known.into_iter().flatten().any(|policy| policy.root == root) {
            bail!(
                "policy {} was granted before, and salts serve once: `proofward policy new` makes \
                 fresh ones",
                hex::encode(root)
            );
        }
        let earliest = desk.next()?.height.saturating_add(held.grant_delay);
        let not_before_h = self.not_before.unwrap_or(earliest.saturating_add(MINED_WITHIN));
        let values = [&*self.record.to_string(), &hex::encode(root)];
        let text = Done::Granted.say(self.send.lang(), &values);
        grant(
            &desk,
            &self.send,
            &self.record,
            &kept,
            (at, &held),
            root,
            not_before_h,
            &self.by,
            &text,
        )
    }
}

impl Revoke {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.send.desk()?;
        let kept = desk.kept(&self.record)?;
        let (at, held) = on_chain(&desk, &kept, &self.record)?;
        let text = Done::Revoked.say(self.send.lang(), &[&self.record.to_string()]);
        grant(&desk, &self.send, &self.record, &kept, (at, &held), [0; 32], 0, &self.by, &text)
    }
}

fn on_chain(
    desk: &Desk,
    kept: &KeptRecord,
    name: &RecordName,
) -> anyhow::Result<(usize, HeldRecord)> {
    desk.accepted(kept)?.with_context(|| format!("the chain has not accepted record {name} yet"))
}

#[expect(clippy::too_many_arguments, reason = "the fields of a grant, and where they come from")]
fn grant(
    desk: &Desk,
    send: &SendArgs,
    name: &RecordName,
    kept: &KeptRecord,
    (at, held): (usize, &HeldRecord),
    policy_root: [u8; 32],
    not_before_h: u32,
    by: &[String],
    text: &str,
) -> anyhow::Result<Outcome> {
    let epoch = &kept.epochs[at];
    let (owners, names) = owners_of(desk, &epoch.owners, by)?;
    let rid = epoch.rid.public_key();
    let seq = held.last_seq.checked_add(1).context("no number for another policy")?;
    let body = Body::Grant(Grant { rid, owners, seq, policy_root, not_before_h });
    let outgoing = send.sign(desk, Proposal::new(body, names))?;
    let more = More {
        record: name.to_string(),
        rid: rid.to_string(),
        seq,
        policy_root: (policy_root != [0; 32]).then(|| hex::encode(policy_root)),
        not_before_h,
    };
    outgoing.send(send, desk, text, more)
}
