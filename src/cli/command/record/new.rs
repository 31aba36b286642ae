//! A record that did not exist: what `record add` and `wear import --record` have in common.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use super::guardians::{keep_and_send, parse_sets, policy_of_file};
use crate::cli::desk::{Desk, party_names};
use crate::cli::exit::Outcome;
use crate::cli::sending::{Proposal, SendArgs};
use proofward::ledger::transaction::Body;
use proofward::wallet::SecretKey;
use proofward::wallet::custody::Sealed;
use proofward::wallet::custody::sharing::RecordEpoch;
use proofward::wallet::record::{KeptEpoch, KeptRecord, Owners, RecordName};
use proofward::words::Done;

/// What may be said of a new record beside its guardians.
#[derive(Debug, clap::Args)]
#[group(requires = "guardians")]
pub(crate) struct Terms {
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
}

/// A record to be.
pub(crate) struct NewRecord<'a> {
    pub(crate) name: &'a RecordName,
    /// Who owns it, as it was typed.
    pub(crate) owner: &'a str,
    /// Who guards it, as it was typed.
    pub(crate) guardians: &'a str,
    pub(crate) terms: &'a Terms,
}

impl NewRecord<'_> {
    /// That there is none of this name yet.
    pub(crate) fn ensure_new(&self, desk: &Desk) -> anyhow::Result<()> {
        let path = desk.records().path(self.name);
        ensure!(!path.exists(), "{} exists: give the record another name", path.display());
        Ok(())
    }

    /// Encrypts the content, shares its key among the guardians, and announces the record.
    pub(crate) fn announce(
        &self,
        desk: &Desk,
        send: &SendArgs,
        content: &[u8],
    ) -> anyhow::Result<Outcome> {
        self.ensure_new(desk)?;
        let terms = self.terms;
        let owners = desk.party(self.owner).context("--owner")?;
        let payout = match &terms.payout {
            Some(payout) => desk.key(payout).context("--payout")?,
            None => owners.signers()[0],
        };
        let sets = parse_sets(desk, self.guardians, terms.emergency_guardians.as_deref())?;
        let policy = terms.policy.as_deref().map(|path| policy_of_file(desk, path)).transpose()?;

        let rid = SecretKey::generate()?;
        let of = RecordEpoch { rid: rid.public_key(), epoch: 0 };
        let sealed = Sealed::new(of, content, &sets)?;
        let kept_by = Owners::of(&owners);
        let mut epoch = KeptEpoch::new(rid, &sealed, kept_by, payout, terms.grant_delay);
        let policy_root = policy.map_or([0; 32], |(policy, root)| {
            epoch.policies.push(policy);
            root
        });
        let body = Body::Record(epoch.announcement(owners, policy_root, None));
        let kept = KeptRecord { genesis: desk.chain.genesis, epochs: vec![epoch] };
        let proposal = Proposal::new(body, party_names(self.owner)).held(&kept.latest().rid);
        let outgoing = send.sign(desk, proposal)?;
        let counts = [content.len(), sealed.share_sets.len()].map(|count| count.to_string());
        let values = [&*of.rid.to_string(), &counts[0], &counts[1]];
        let text = Done::Added.say(send.lang(), &values);
        keep_and_send(desk, send, self.name, &kept, &sealed, policy_root, outgoing, &text)
    }
}
