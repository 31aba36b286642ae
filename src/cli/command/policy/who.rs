//! `proofward policy who-can-open`: the exact minimal sets of keys that open a record, with what they do.

use anyhow::{Context as _, bail};

use super::openers::{Known, Teller, WITHIN_MAX};
use crate::cli::exit::Outcome;
use crate::cli::settings::LookArgs;
use proofward::ledger::policy::who_can_open;
use proofward::wallet::record::RecordName;

/// Say who can open a record, as policies and claims stand: every minimal set of keys
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which record
    record: RecordName,
    /// Up to how many blocks after the next
    #[arg(long, value_name = "BLOCKS", default_value_t = 144)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=i64::from(WITHIN_MAX)))]
    within: u32,
    #[command(flatten)]
    look: LookArgs,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.look.desk()?;
        let kept = desk.kept(&self.record)?;
        let Some((at, held)) = desk.accepted(&kept)? else {
            bail!("the chain has not accepted record {} yet", self.record);
        };
        let (next, spacing_s) = (desk.next()?, desk.spec().spacing_s);
        let epoch = &kept.epochs[at];
        let in_force = [Some(held.policy), held.pending.map(|pending| pending.policy)];
        let mut policies = Vec::new();
        for policy in in_force.into_iter().flatten().filter(|policy| policy.root != [0; 32]) {
            let (kept, tree) = epoch.policy_of(&policy.root, spacing_s).with_context(|| {
                format!("policy {} is not kept here: only who made it can tell", policy.seq)
            })?;
            policies.push((policy.seq, kept, tree));
        }
        let known = Known::gather(&desk, epoch, &policies, self.within)?;
        let openers = who_can_open(&known.world, next, self.within)?;
        let last = next.height.saturating_add(self.within);
        let teller = Teller { desk: &desk, lang: self.look.lang(), format: self.look.format };
        teller.tell(&known, &openers, last)?;
        Ok(if openers.ways.is_empty() { Outcome::No } else { Outcome::Yes })
    }
}
