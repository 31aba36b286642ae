//! `proofward record add`: a file becomes a record.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use super::guardians::{keep_and_send, parse_sets, policy_of_file, read_content};
use crate::cli::desk::party_names;
use crate::cli::exit::Outcome;
use crate::cli::sending::{Proposal, SendArgs};
use proofward::ledger::transaction::Body;
use proofward::wallet::SecretKey;
use proofward::wallet::custody::Sealed;
use proofward::wallet::custody::sharing::RecordEpoch;
use proofward::wallet::record::{KeptEpoch, KeptRecord, Owners, RecordName};

/// Encrypt a file, share its key among guardians, and announce it
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file, whatever is in it; - for standard input
    file: PathBuf,
    /// What to call the record; the name stays on this machine
    #[arg(long)]
    name: RecordName,
    /// Who owns it and signs: a key, or K:KEY,KEY,... of whom the first K sign
    #[arg(long, value_name = "PARTY")]
    owner: String,
    /// Who guards the key: K:KEY,KEY!,... of whom K together give it, and none without those marked !
    #[arg(long, value_name = "K:KEY,...")]
    guardians: String,
    /// Who guards it for emergencies; without them the glass cannot be broken
    #[arg(long, value_name = "K:KEY,...")]
    emergency_guardians: Option<String>,
    /// A policy that is in force at once [default: none, so that nobody reads before `proofward grant`]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Blocks that every later policy waits before it is in force
    #[arg(long, value_name = "BLOCKS", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..))]
    grant_delay: u32,
    /// Who is paid where a policy has a price [default: the first owner]
    #[arg(long, value_name = "KEY")]
    payout: Option<String>,
    #[command(flatten)]
    send: SendArgs,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.send.desk()?;
        let path = desk.records().path(&self.name);
        ensure!(!path.exists(), "{} exists: give the record another --name", path.display());
        let owners = desk.party(&self.owner).context("--owner")?;
        let payout = match &self.payout {
            Some(payout) => desk.key(payout).context("--payout")?,
            None => owners.signers()[0],
        };
        let sets = parse_sets(&desk, &self.guardians, self.emergency_guardians.as_deref())?;
        let policy = self.policy.as_deref().map(|path| policy_of_file(&desk, path)).transpose()?;
        let content = read_content(&self.file)?;

        let rid = SecretKey::generate()?;
        let of = RecordEpoch { rid: rid.public_key(), epoch: 0 };
        let sealed = Sealed::new(of, &content, &sets)?;
        let mut epoch = KeptEpoch::new(rid, &sealed, Owners::of(&owners), payout, self.grant_delay);
        let policy_root = policy.map_or([0; 32], |(policy, root)| {
            epoch.policies.push(policy);
            root
        });
        let body = Body::Record(epoch.announcement(owners, policy_root, None));
        let kept = KeptRecord { genesis: desk.chain.genesis, epochs: vec![epoch] };
        let proposal = Proposal::new(body, party_names(&self.owner)).held(&kept.latest().rid);
        let outgoing = self.send.sign(&desk, proposal)?;
        let text = format!(
            "record {}: {} bytes encrypted, {} share sets",
            of.rid,
            content.len(),
            sealed.share_sets.len()
        );
        keep_and_send(&desk, &self.send, &self.name, &kept, &sealed, policy_root, outgoing, &text)
    }
}
