//! `proofward record amend` and `rekey`: another epoch takes the place of a record, under a new name, a
//! new key and new shares, when the old one's delay is over. The old shares open the old ciphertext for
//! ever: whoever has read keeps what they read.

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};

use super::guardians::{keep_and_send, parse_sets, policy_of_file, read_content};
use crate::cli::desk::{Desk, party_names};
use crate::cli::exit::Outcome;
use crate::cli::sending::{Proposal, SendArgs};
use proofward::ledger::signature::PubKey;
use proofward::ledger::state::HeldRecord;
use proofward::ledger::transaction::record::Previous;
use proofward::ledger::transaction::{Body, Party};
use proofward::wallet::SecretKey;
use proofward::wallet::custody::Sealed;
use proofward::wallet::custody::sharing::RecordEpoch;
use proofward::wallet::record::{EPOCHS_MAX, KeptEpoch, KeptPolicy, Owners, RecordName};
use proofward::words::Done;

/// Put new content in the place of a record
#[derive(Debug, clap::Args)]
pub(crate) struct Amend {
    #[command(flatten)]
    replace: Replace,
}

/// Encrypt a record anew under a new key, with new shares
///
/// The content key is forgotten when a record is sealed, so it takes the file again.
#[derive(Debug, clap::Args)]
pub(crate) struct Rekey {
    #[command(flatten)]
    replace: Replace,
}

#[derive(Debug, clap::Args)]
struct Replace {
    /// Which record
    name: RecordName,
    /// The file; - for standard input
    file: PathBuf,
    /// Who guards from now on [default: those who do]
    #[arg(long, value_name = "K:KEY,...")]
    guardians: Option<String>,
    /// Who guards for emergencies from now on [default: those who do, unless --guardians is given]
    #[arg(long, value_name = "K:KEY,...", requires = "guardians")]
    emergency_guardians: Option<String>,
    /// Who owns it from now on and signs too [default: those who do]
    #[arg(long, value_name = "PARTY")]
    owner: Option<String>,
    /// Who signs of those who own it now, by their keys [default: every owner whose key is here]
    #[arg(long, value_name = "KEY,...", value_delimiter = ',')]
    by: Vec<String>,
    /// The policy of the new epoch [default: the latest that was granted, under fresh salts]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    send: SendArgs,
}

impl Amend {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        self.replace.run(Done::Amended)
    }
}

impl Rekey {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        self.replace.run(Done::Rekeyed)
    }
}

impl Replace {
    fn run(self, done: Done) -> anyhow::Result<Outcome> {
        let desk = self.send.desk()?;
        let mut kept = desk.kept(&self.name)?;
        let Some((at, held)) = desk.accepted(&kept)? else {
            bail!("the chain has not accepted record {} yet", self.name);
        };
        // What was announced after it and never accepted comes to nothing.
        kept.epochs.truncate(at + 1);
        ensure!(kept.epochs.len() < EPOCHS_MAX, "a record has at most {EPOCHS_MAX} epochs");
        let old = kept.latest();
        let content = read_content(&self.file)?;
        let (signers, names) = owners_of(&desk, &old.owners, &self.by)?;
        let new_owner = self.owner.as_deref();
        let owners = match new_owner {
            Some(owner) => desk.party(owner).context("--owner")?,
            None => signers.clone(),
        };
        let sets = match &self.guardians {
            None => old.guardians(),
            Some(text) => parse_sets(&desk, text, self.emergency_guardians.as_deref())?,
        };
        let (policy, policy_root) = match &self.policy {
            Some(path) => policy_of_file(&desk, path).map(|(policy, root)| (Some(policy), root))?,
            None => carried(&desk, old, &held)?,
        };

        let rid = SecretKey::generate()?;
        let epoch = old.epoch.checked_add(1).context("no epoch after this one")?;
        let of = RecordEpoch { rid: rid.public_key(), epoch };
        let sealed = Sealed::new(of, &content, &sets)?;
        let mut epoch =
            KeptEpoch::new(rid, &sealed, Owners::of(&owners), old.payout, old.grant_delay);
        epoch.policies.extend(policy);
        let prev = Previous { rid: old.rid.public_key(), owners: signers };
        let body = Body::Record(epoch.announcement(owners, policy_root, Some(prev)));
        let (bytes, delay) = (content.len().to_string(), old.grant_delay.to_string());
        let values = [&*self.name.to_string(), &of.rid.to_string(), &bytes, &delay];
        let text = done.say(self.send.lang(), &values);
        kept.epochs.push(epoch);
        let names = names
            .into_iter()
            .chain(new_owner.into_iter().flat_map(|owner| party_names(owner)).map(str::to_owned));
        let outgoing =
            self.send.sign(&desk, Proposal::new(body, names).held(&kept.latest().rid))?;
        keep_and_send(&desk, &self.send, &self.name, &kept, &sealed, policy_root, outgoing, &text)
    }
}

/// The owners as they sign, with the names of those who do: the ones given, or those whose keys are here
/// before others.
pub(crate) fn owners_of(
    desk: &Desk,
    owners: &Owners,
    by: &[String],
) -> anyhow::Result<(Party, Vec<String>)> {
    let mut named: Vec<(PubKey, String)> = Vec::new();
    for text in by {
        let key = desk.key(text).context("--by")?;
        ensure!(owners.keys.contains(&key), "--by {text}: no owner of the record");
        named.push((key, text.clone()));
    }
    if by.is_empty() {
        let here =
            owners.keys.iter().filter_map(|key| Some((*key, desk.name_of(key)?.to_string())));
        named.extend(here);
        let rest = owners.keys.iter().filter(|key| named.iter().all(|(known, _)| known != *key));
        let rest: Vec<_> = rest.map(|key| (*key, key.to_string())).collect();
        named.extend(rest);
        named.truncate(owners.k.into());
    }
    let party = owners.party(|key| named.iter().any(|(known, _)| known == key));
    let party = party
        .with_context(|| format!("{} owners have to sign, --by names {}", owners.k, named.len()))?;
    let signs = party.signers();
    named.retain(|(key, _)| signs.contains(key));
    Ok((party, named.into_iter().map(|(_, name)| name).collect()))
}

/// The leaves of the latest policy that was granted, under fresh salts; nothing if all is revoked.
fn carried(
    desk: &Desk,
    old: &KeptEpoch,
    held: &HeldRecord,
) -> anyhow::Result<(Option<KeptPolicy>, [u8; 32])> {
    let root = held.pending.map_or(held.policy, |pending| pending.policy).root;
    if root == [0; 32] {
        return Ok((None, root));
    }
    let spacing_s = desk.spec().spacing_s;
    let (policy, _) = old.policy_of(&root, spacing_s).context(
        "the policy that was granted is not kept here: give the new one with --policy FILE",
    )?;
    let fresh = KeptPolicy::new(policy.leaves.clone())?;
    let root = fresh.tree(spacing_s)?.root();
    Ok((Some(fresh), root))
}
