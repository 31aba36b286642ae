//! `proofward wear import`: a recording becomes readings on the chain, hashes in a budget file, or a look
//! at what it would be worth.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use jiff::tz::TimeZone;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::command::record::{NewRecord, Terms};
use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::{json_line, text_line};
use crate::cli::sending::{Proposal, SendArgs};
use crate::cli::settings::{address_prefix, key_named, read_input};
use proofward::interop::activity::{self, ACTIVITY_BYTES_MAX, ActivityError, Day, Reader};
use proofward::ledger::credit;
use proofward::ledger::signature::PubKey;
use proofward::ledger::state::{EntryKey, HeldWearable};
use proofward::ledger::transaction::reading::Assurance;
use proofward::ledger::transaction::{Body, Reading};
use proofward::node::budget::{BudgetError, HashBudget};
use proofward::node::dir::ChainDir;
use proofward::node::unix_now;
use proofward::wallet::custody::{SealKey, Use};
use proofward::wallet::record::RecordName;
use proofward::words::Done;

/// What sealed samples are sealed for.
pub(super) const SAMPLES_INFO: &[u8] = b"proofward samples";

/// Import what a wearable has recorded: FIT, CSV or FHIR
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The recording; - for standard input
    file: PathBuf,
    /// Whose sensors: a key of the directory, which signs; without a chain also an address or 64 hex digits
    #[arg(long, value_name = "KEY")]
    device: String,
    /// Whose activity, and credits; the samples are sealed to this key [default: the device's]
    #[arg(long, value_name = "KEY")]
    wearer: Option<String>,
    /// The zone of times that say none: a POSIX zone such as CET-1CEST,M3.5.0,M10.5.0/3
    #[arg(long, value_name = "ZONE", default_value = "UTC0", value_parser = parse_zone)]
    zone: TimeZone,
    /// Whose rows count in a file about several people
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Only say what the file holds and what it is worth
    #[arg(long)]
    dry_run: bool,
    /// Put the hashes into a budget file for `mine --budget`, and nothing on the chain
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    budget: Option<PathBuf>,
    /// Keep the samples as a record of the wearer with this name, instead of sealing each day to the wearer
    #[arg(
        long = "record", id = "name", value_name = "NAME",
        requires = "guardians", conflicts_with_all = ["budget", "dry_run", "out"],
    )]
    record: Option<RecordName>,
    /// Who guards that record: K:KEY,KEY!,... of whom K together give its key, and none without those marked !
    #[arg(long, value_name = "K:KEY,...", requires = "name")]
    guardians: Option<String>,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    send: SendArgs,
}

/// A day as programs are told of it.
#[derive(Serialize)]
struct DayLine {
    t0: u32,
    t1: u32,
    samples: usize,
    wear_s: u32,
    active_s: u32,
    steps: u32,
    root: String,
    hashes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob: Option<String>,
}

#[derive(Serialize)]
struct RefusedLine {
    refused: &'static str,
    row: Option<u64>,
    detail: String,
}

#[derive(Serialize)]
struct BudgetLine {
    days: usize,
    hashes: u64,
    earned: u64,
    spent: u64,
    left: u64,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let bytes = read_input(&self.file, ACTIVITY_BYTES_MAX)?;
        let now = u32::try_from(unix_now()).unwrap_or(u32::MAX);
        let reader = Reader { zone: self.zone.clone(), id: self.id.clone(), now };
        let days = match reader.read(&bytes) {
            Ok(samples) => activity::days(&samples),
            Err(error) => {
                let row = match &error {
                    ActivityError::Row { row, .. } => Some(*row),
                    _ => None,
                };
                return self.refuse(error.name(), row, &error.to_string());
            }
        };
        if let Some(budget) = &self.budget {
            return self.fill_budget(budget, &days);
        }
        if self.dry_run {
            let mut of_day = credit::Day::default();
            for day in &days {
                let hashes = of_day.credit(day.t1, day.activity.hashes(Assurance::File));
                self.print(day, hashes, None)?;
            }
            return Ok(Outcome::Yes);
        }
        self.onto_chain(&days)
    }

    /// The device's key where no chain is needed.
    fn device_alone(&self) -> anyhow::Result<PubKey> {
        let dir = ChainDir::new(self.send.signing.place.clone().resolve()?);
        key_named(&self.device, dir.path(), address_prefix(dir.path())?).context("--device")
    }

    fn fill_budget(&self, path: &std::path::Path, days: &[Day]) -> anyhow::Result<Outcome> {
        let device = self.device_alone()?;
        let mut budget = HashBudget::open(path)?;
        let mut bought = 0;
        for day in days {
            let span = (day.t0, day.t1);
            match budget.credit(device, span, day.activity, Assurance::File, day.root) {
                Ok(hashes) => {
                    bought += hashes;
                    self.print(day, hashes, None)?;
                }
                Err(error @ (BudgetError::Replay | BudgetError::Overlap { .. })) => {
                    return self.refuse(error.name(), None, &error.to_string());
                }
                Err(error) => return Err(error.into()),
            }
        }
        budget.save()?;
        let account = budget.account();
        let (earned, spent, left) = (account.earned(), account.spent(), account.left());
        if self.send.signing.format.is_json() {
            json_line(&BudgetLine { days: days.len(), hashes: bought, earned, spent, left })?;
        } else {
            let values = [&*bought.to_string(), &path.display().to_string(), &left.to_string()];
            text_line(Done::Bought.say(self.send.lang(), &values))?;
        }
        Ok(Outcome::Yes)
    }

    fn onto_chain(&self, days: &[Day]) -> anyhow::Result<Outcome> {
        let desk = self.send.desk()?;
        let device = desk.key(&self.device).context("--device")?;
        let wearer = match &self.wearer {
            Some(wearer) => desk.key(wearer).context("--wearer")?,
            None => device,
        };
        if self.send.has_out() && days.len() > 1 {
            bail!("{} days make as many transactions: import them without --out", days.len());
        }
        let held: Option<HeldWearable> = desk.entry(&EntryKey::Wearable(device))?;
        let (mut seq, mut prev, until) = match held {
            None => (0, [0; 32], 0),
            Some(held) => (held.seq.saturating_add(1), held.last.0, held.until),
        };
        let mut of_day = held.map_or_else(credit::Day::default, |held| credit::Day {
            number: held.day,
            hashes: held.day_hashes,
        });
        if let Some(early) = days.iter().find(|day| day.t0 < until) {
            let what = format!("begins at {}, the reading before ends at {until}", early.t0);
            return self.refuse("Overlap", None, &what);
        }
        if self.record(&desk, days)? == Outcome::No {
            return Ok(Outcome::No);
        }
        for day in days {
            let blob = match self.record {
                Some(_) => None,
                None => Some(self.seal(&desk, &wearer, day)?),
            };
            let activity = day.activity;
            let reading = Reading {
                device,
                wearer,
                seq,
                prev,
                t0: day.t0,
                t1: day.t1,
                wear_s: activity.wear_s,
                active_s: activity.active_s,
                steps: activity.steps,
                samples: day.root,
                assurance: Assurance::File,
                co_witness: None,
            };
            let hashes = of_day.credit(day.t1, activity.hashes(Assurance::File));
            self.print(day, hashes, blob)?;
            let proposal = Proposal::new(Body::Reading(reading), [&self.device]);
            let outgoing = self.send.sign(&desk, proposal)?;
            prev = outgoing.core().0;
            seq = seq.saturating_add(1);
            let text = Done::Reading.say(self.send.lang(), &[]);
            let more = DaySent { samples: hex::encode(day.root) };
            outgoing.send(&self.send, &desk, &text, more)?;
        }
        Ok(Outcome::Yes)
    }

    /// Makes a record of all samples, if that was asked: theirs, and opened as every other is.
    fn record(&self, desk: &Desk, days: &[Day]) -> anyhow::Result<Outcome> {
        let (Some(name), Some(guardians)) = (&self.record, &self.guardians) else {
            return Ok(Outcome::Yes);
        };
        let owner = self.wearer.as_ref().unwrap_or(&self.device);
        let content = Zeroizing::new(days.iter().map(|day| day.text.as_str()).collect::<String>());
        let record = NewRecord { name, owner, guardians, terms: &self.terms };
        record.announce(desk, &self.send, content.as_bytes())
    }

    /// Seals the samples to the wearer, beside the chain.
    fn seal(&self, desk: &Desk, wearer: &PubKey, day: &Day) -> anyhow::Result<[u8; 32]> {
        let key =
            SealKey::of_person(wearer).context("--wearer: a key that nothing is sealed to")?;
        let used = Use { info: SAMPLES_INFO, of: &day.root };
        let sealed = key.seal(used, day.text.as_bytes())?;
        Ok(desk.blobs()?.put(&[&day.root[..], &sealed].concat())?)
    }

    fn print(&self, day: &Day, hashes: u64, blob: Option<[u8; 32]>) -> anyhow::Result<()> {
        let Day { t0, t1, activity, root, samples, .. } = day;
        let line = DayLine {
            t0: *t0,
            t1: *t1,
            samples: *samples,
            wear_s: activity.wear_s,
            active_s: activity.active_s,
            steps: activity.steps,
            root: hex::encode(root),
            hashes,
            blob: blob.map(hex::encode),
        };
        if self.send.signing.format.is_json() {
            return json_line(&line);
        }
        let lang = self.send.lang();
        let seen =
            [*t0, *t1, line.wear_s, line.active_s, line.steps].map(|value| value.to_string());
        let [t0, t1, worn, active, steps] = &seen;
        let values = [t0, t1, &samples.to_string(), worn, active, steps, &hashes.to_string()];
        text_line(Done::Worn.say(lang, &values.map(String::as_str)))?;
        match line.blob {
            Some(blob) => text_line(Done::SamplesSealed.say(lang, &[&blob])),
            None => Ok(()),
        }
    }

    fn refuse(&self, name: &'static str, row: Option<u64>, why: &str) -> anyhow::Result<Outcome> {
        if self.send.signing.format.is_json() {
            json_line(&RefusedLine { refused: name, row, detail: why.to_owned() })?;
        } else {
            text_line(Done::Refused.say(self.send.lang(), &[&format!("{name}: {why}")]))?;
        }
        Ok(Outcome::No)
    }
}

#[derive(Serialize)]
struct DaySent {
    samples: String,
}

fn parse_zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::posix(text).map_err(|error| {
        format!("{text:?} is no POSIX zone such as UTC0 or CET-1CEST,M3.5.0,M10.5.0/3: {error}")
    })
}
