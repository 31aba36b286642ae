//! Guardians as people type them, and what is the same whenever a record is sealed.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::command::policy::read_policy;
use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::sending::{Outgoing, SendArgs};
use crate::cli::settings::read_input;
use proofward::ledger::transaction::record::{GUARDIANS_MAX, ShareSet};
use proofward::wallet::custody::content::CONTENT_BYTES_MAX;
use proofward::wallet::custody::sharing::Member;
use proofward::wallet::custody::{Guardians, Sealed};
use proofward::wallet::record::{KeptEpoch, KeptPolicy, KeptRecord, RecordName};

/// What a command says that has announced a record.
#[derive(Serialize)]
pub(super) struct Announced {
    name: String,
    rid: String,
    epoch: u32,
    blob: String,
    package: String,
    policy_root: Option<String>,
    share_sets: Vec<SetLine>,
}

#[derive(Serialize)]
struct SetLine {
    n: u8,
    k: u8,
    required: u32,
}

/// `K:KEY,KEY!,...`: K shares give the key, and none without those marked `!`.
pub(super) fn parse(desk: &Desk, text: &str) -> anyhow::Result<Guardians> {
    let form = || format!("{text:?}: expected K:KEY,KEY!,... with ! at those who are required");
    let (k, members) = text.split_once(':').with_context(form)?;
    let k: u8 = k.parse().with_context(form)?;
    let mut guardians = Guardians { k, members: Vec::new() };
    for name in members.split(',') {
        let is_required = name.ends_with('!');
        let key = desk.key(name.trim_end_matches('!'))?;
        guardians.members.push(Member { key, is_required });
    }
    let required = guardians.members.iter().filter(|member| member.is_required).count();
    ensure!(
        guardians.members.len() <= usize::from(GUARDIANS_MAX) && required <= usize::from(k),
        "{text:?}: at most {GUARDIANS_MAX} guardians, and at most K of them required"
    );
    Ok(guardians)
}

/// The sets of a record: the everyday one, and the one for emergencies, in which nobody is required.
pub(super) fn parse_sets(
    desk: &Desk,
    everyday: &str,
    emergency: Option<&str>,
) -> anyhow::Result<Vec<Guardians>> {
    let mut sets = vec![parse(desk, everyday).context("--guardians")?];
    if let Some(text) = emergency {
        let set = parse(desk, text).context("--emergency-guardians")?;
        if set.members.iter().any(|member| member.is_required) {
            bail!("--emergency-guardians {text:?}: nobody is required in an emergency");
        }
        sets.push(set);
    }
    Ok(sets)
}

/// The file to be kept.
pub(super) fn read_content(path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let content = Zeroizing::new(read_input(path, CONTENT_BYTES_MAX)?);
    ensure!(
        content.len() <= CONTENT_BYTES_MAX,
        "{}: over {CONTENT_BYTES_MAX} bytes, more than a record holds",
        path.display()
    );
    Ok(content)
}

/// The policy of a file, and its root on this chain.
pub(super) fn policy_of_file(desk: &Desk, path: &Path) -> anyhow::Result<(KeptPolicy, [u8; 32])> {
    let policy = KeptPolicy::new(read_policy(desk, path)?)?;
    let tree = policy.tree(desk.spec().spacing_s);
    let root = tree.with_context(|| path.display().to_string())?.root();
    Ok((policy, root))
}

/// Keeps what there is to keep, then sends the announcement: nothing on chain without its secrets.
#[expect(clippy::too_many_arguments, reason = "everything that a record leaves behind, in order")]
pub(super) fn keep_and_send(
    desk: &Desk,
    args: &SendArgs,
    name: &RecordName,
    kept: &KeptRecord,
    sealed: &Sealed,
    policy_root: [u8; 32],
    outgoing: Outgoing,
    text: &str,
) -> anyhow::Result<Outcome> {
    if outgoing.is_refused(args, desk)? {
        return Ok(Outcome::No);
    }
    let blobs = desk.blobs()?;
    blobs.put(&sealed.blob)?;
    blobs.put(&sealed.package)?;
    let folder = desk.records();
    match kept.epochs.len() {
        1 => folder.create(name, kept)?,
        _ => folder.replace(name, kept)?,
    };
    outgoing.deliver(args, desk, text, Announced::of(name, kept.latest(), policy_root))
}

impl Announced {
    fn of(name: &RecordName, epoch: &KeptEpoch, policy_root: [u8; 32]) -> Self {
        let line = |set: &ShareSet| SetLine { n: set.n, k: set.k, required: set.required };
        Self {
            name: name.to_string(),
            rid: epoch.rid.public_key().to_string(),
            epoch: epoch.epoch,
            blob: hex::encode(epoch.blob),
            package: hex::encode(epoch.pointer),
            policy_root: (policy_root != [0; 32]).then(|| hex::encode(policy_root)),
            share_sets: epoch.sets.iter().map(|kept| line(&kept.set)).collect(),
        }
    }
}
