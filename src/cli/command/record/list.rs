//! `proofward record list`: every record of the directory, and how it stands on the chain.

use serde::Serialize;

use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::{json_line, text_line};
use crate::cli::settings::LookArgs;
use proofward::wallet::record::RecordName;
use proofward::words::{Lang, Shown};

/// List the records that are kept here
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    look: LookArgs,
}

#[derive(Serialize)]
struct Line {
    name: String,
    rid: Option<String>,
    epoch: Option<u32>,
    /// The number of the policy in force; none if nothing opens.
    seq: Option<u32>,
    state: String,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.look.desk()?;
        // Programs get one language.
        let lang = if self.look.format.is_json() { Lang::En } else { self.look.lang() };
        let mut is_whole = true;
        for name in desk.records().list()? {
            let line = match Line::of(&desk, &name, lang) {
                Ok(line) => line,
                Err(error) => {
                    is_whole = false;
                    let state = format!("{error:#}");
                    Line { name: name.to_string(), rid: None, epoch: None, seq: None, state }
                }
            };
            if self.look.format.is_json() {
                json_line(&line)?;
            } else {
                let rid = line.rid.as_deref().map_or("-", |rid| &rid[..16]);
                text_line(format!("{:16} {rid:16}  {}", line.name, line.state))?;
            }
        }
        Ok(if is_whole { Outcome::Yes } else { Outcome::No })
    }
}

impl Line {
    fn of(desk: &Desk, name: &RecordName, lang: Lang) -> anyhow::Result<Self> {
        let kept = desk.kept(name)?;
        let next = desk.next()?;
        let spacing_s = desk.spec().spacing_s;
        let Some((at, held)) = desk.accepted(&kept)? else {
            let (rid, epoch) = (kept.latest().rid.public_key(), kept.latest().epoch);
            return Ok(Self {
                name: name.to_string(),
                rid: Some(rid.to_string()),
                epoch: Some(epoch),
                seq: None,
                state: Shown::Announced.say(lang, &[]),
            });
        };
        let policy = held.policy_at(next, spacing_s);
        let opens = policy.root != [0; 32];
        let seq = policy.seq.to_string();
        let state = match (held.is_retired(next, spacing_s), opens, held.pending) {
            (true, ..) => Shown::Replaced.say(lang, &[]),
            (_, true, Some(pending)) if pending.policy.seq != policy.seq => {
                Shown::TwoPolicies.say(lang, &[&seq, &pending.policy.seq.to_string()])
            }
            (_, true, _) => Shown::PolicyInForce.say(lang, &[&seq]),
            (_, false, Some(pending)) => {
                Shown::PolicyWaits.say(lang, &[&pending.policy.seq.to_string()])
            }
            (_, false, None) if held.begins.is_some() => Shown::WaitsForFormer.say(lang, &[]),
            (_, false, None) => Shown::OpensForNobody.say(lang, &[]),
        };
        Ok(Self {
            name: name.to_string(),
            rid: Some(kept.epochs[at].rid.public_key().to_string()),
            epoch: Some(held.epoch),
            seq: opens.then_some(policy.seq),
            state,
        })
    }
}
