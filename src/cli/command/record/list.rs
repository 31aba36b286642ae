//! `proofward record list`: every record of the directory, and how it stands on the chain.

use serde::Serialize;

use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line};
use crate::cli::settings::Place;
use proofward::wallet::record::RecordName;

/// List the records that are kept here
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
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
        let desk = Desk::open(&self.place)?;
        let mut is_whole = true;
        for name in desk.records().list()? {
            let line = match Line::of(&desk, &name) {
                Ok(line) => line,
                Err(error) => {
                    is_whole = false;
                    let state = format!("{error:#}");
                    Line { name: name.to_string(), rid: None, epoch: None, seq: None, state }
                }
            };
            if self.format.is_json() {
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
    fn of(desk: &Desk, name: &RecordName) -> anyhow::Result<Self> {
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
                state: "announced, in no block yet".into(),
            });
        };
        let policy = held.policy_at(next, spacing_s);
        let opens = policy.root != [0; 32];
        let state = match (held.is_retired(next, spacing_s), opens, held.pending) {
            (true, ..) => "another record has taken its place".to_owned(),
            (_, true, Some(pending)) if pending.policy.seq != policy.seq => {
                format!("policy {} in force, {} waits", policy.seq, pending.policy.seq)
            }
            (_, true, _) => format!("policy {} in force", policy.seq),
            (_, false, Some(pending)) => format!("policy {} waits", pending.policy.seq),
            (_, false, None) if held.begins.is_some() => "waits for the record before".to_owned(),
            (_, false, None) => "opens for nobody".to_owned(),
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
