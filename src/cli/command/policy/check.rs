//! `proofward policy check`: how long an opening takes, what it hangs on, and what may lock everybody out,
//! before a policy is granted.

use std::path::PathBuf;

use serde::Serialize;

use super::openers::{Known, Teller, WITHIN_MAX};
use super::wait::{quantile_s, spoken};
use super::{policy_of, read_policy};
use crate::cli::exit::Outcome;
use crate::cli::output::{json_line, text_line};
use crate::cli::settings::LookArgs;
use proofward::ledger::chain::RELEASE_DEPTH_BLOCKS;
use proofward::ledger::policy::{Leaf, Standing, Threshold, who_can_open};
use proofward::ledger::spec::Spec;
use proofward::wallet::record::{KeptEpoch, KeptPolicy, RecordName};
use proofward::words::Opening;

/// Blocks that take the request, and those that take the approvals if nothing else is waited for.
const REQUEST_BLOCKS: u32 = 1;
const APPROVE_BLOCKS: u32 = 1;

/// Say how long an opening takes under a policy, what it hangs on, and what may lock everybody out
///
/// As if the policy were in force now. Times come from the spacing alone: intervals between blocks are
/// exponential, and an opening takes a number of them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Of which record
    record: RecordName,
    /// A policy file that has not been kept
    file: Option<PathBuf>,
    /// Which policy, by the first digits of its root [default: the last that was made]
    #[arg(long, value_name = "ROOT", conflicts_with = "file")]
    policy: Option<String>,
    /// Up to how many blocks after the next
    #[arg(long, value_name = "BLOCKS", default_value_t = 144)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=i64::from(WITHIN_MAX)))]
    within: u32,
    #[command(flatten)]
    look: LookArgs,
}

#[derive(Serialize)]
struct TimeLine<'a> {
    kind: &'static str,
    leaf: &'a str,
    emergency: bool,
    chain: &'a str,
    spacing_s: u32,
    blocks: u32,
    median_s: f64,
    p99_s: f64,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.look.desk()?;
        let kept = desk.kept(&self.record)?;
        let at = desk.accepted(&kept)?.map_or(kept.epochs.len() - 1, |(at, _)| at);
        let epoch = &kept.epochs[at];
        let unkept;
        let policy = match &self.file {
            None => policy_of(&desk, epoch, self.policy.as_deref())?,
            Some(path) => {
                unkept = KeptPolicy::new(read_policy(&desk, path)?)?;
                &unkept
            }
        };
        let teller = Teller { desk: &desk, lang: self.look.lang(), format: self.look.format };
        for (name, draft) in &policy.leaves {
            Self::times(&teller, name, &draft.terms)?;
        }
        if !self.look.format.is_json() && !policy.leaves.iter().any(|(_, d)| d.terms.is_emergency())
        {
            text_line(teller.say(Opening::NoEmergency, &[]))?;
        }

        let next = desk.next()?;
        let tree = policy.tree(desk.spec().spacing_s)?;
        let root = tree.root();
        let mut known = Known::gather(&desk, epoch, &[(0, policy, tree)], self.within)?;
        known.world.standings = vec![(next.height, as_if_granted(epoch, root))];
        let openers = who_can_open(&known.world, next, self.within)?;
        teller.tell(&known, &openers, next.height.saturating_add(self.within))?;
        Ok(if openers.ways.is_empty() { Outcome::No } else { Outcome::Yes })
    }

    /// How long a leaf takes on this chain and on those that the program knows.
    fn times(teller: &Teller<'_>, name: &str, leaf: &Leaf) -> anyhow::Result<()> {
        let waited = leaf.delay.max(APPROVE_BLOCKS);
        let depth = RELEASE_DEPTH_BLOCKS;
        let is_emergency = leaf.is_emergency();
        let blocks = match is_emergency {
            true => REQUEST_BLOCKS,
            false => REQUEST_BLOCKS.saturating_add(waited).saturating_add(depth),
        };
        if !teller.format.is_json() {
            let (all, waited, depth) = (blocks.to_string(), waited.to_string(), depth.to_string());
            let (sentence, values) = match is_emergency {
                true => (Opening::AtOnce, vec![name]),
                false => (Opening::Blocks, vec![name, &all, &waited, &depth]),
            };
            text_line(teller.say(sentence, &values))?;
        }
        let own = teller.desk.spec();
        let presets = [
            ("local", Spec::LOCAL_SPACING_S),
            ("test", Spec::test().spacing_s),
            ("main", Spec::main().spacing_s),
        ];
        // This chain first, each once.
        let others = presets.into_iter().filter(|(chain, _)| *chain != own.name);
        for (chain, spacing_s) in [(&*own.name, own.spacing_s)].into_iter().chain(others) {
            let quantile = |percent| quantile_s(blocks, spacing_s, percent);
            let (median_s, p99_s) = (quantile(50), quantile(99));
            if teller.format.is_json() {
                json_line(&TimeLine {
                    kind: "time",
                    leaf: name,
                    emergency: is_emergency,
                    chain,
                    spacing_s,
                    blocks,
                    median_s,
                    p99_s,
                })?;
            } else {
                let spacing = spacing_s.to_string();
                let values = [chain, &spacing, &spoken(median_s), &spoken(p99_s)];
                text_line(teller.say(Opening::Times, &values))?;
            }
        }
        Ok(())
    }
}

/// The record with this policy in force.
fn as_if_granted(epoch: &KeptEpoch, root: [u8; 32]) -> Standing {
    let mut sets = epoch.sets.iter().map(|kept| {
        let set = &kept.set;
        Threshold { n: set.n, k: set.k, required: set.required }
    });
    Standing { is_active: true, seq: 0, root, sets: [sets.next(), sets.next()] }
}
