//! `proofward lot`: goods, from their making to their end. One file for each group of steps; what all of
//! them share stands here.

mod ending;
mod handing;
mod label;
mod make;
mod regroup;
mod trace;
mod verify;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::cli::desk::{Desk, party_names};
use crate::cli::exit::Outcome;
use crate::cli::sending::{Outgoing, Proposal, SendArgs};
use proofward::ledger::policy::{Presence, RoleRef};
use proofward::ledger::state::Session;
use proofward::ledger::transaction::attest::Claim;
use proofward::ledger::transaction::lot::{Step, Witness};
use proofward::ledger::transaction::{Body, LotId, Move, Party};
use proofward::wallet::handout::HeardKeys;
use proofward::wallet::lot::LotCode;
use proofward::words::{self, Done};

/// Move goods and trace them: who claims to have made, had and given what
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward lot make --by maker --gtin 09506000134352 --batch A-17 --quantity 1000
  proofward lot ship 'https://id.gs1.org/01/...' pharmacy --by maker --witness nurse --out handover.tx
  proofward lot receive LOT --by pharmacy
  proofward lot split LOT --into 10,10,980 --by pharmacy
  proofward lot label CODE --lot LOT --svg package.svg
  proofward lot trace CODE --evidence
  proofward lot recall LOT --by maker

LOT is the code on the package or the 64 hex digits of the lot. Whoever acts signs, and every witness;
keys that are elsewhere sign the file of --out: see `proofward tx`.")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Make(Box<make::Args>),
    Ship(Box<handing::Ship>),
    Receive(Box<handing::Receive>),
    Pack(Box<regroup::Pack>),
    Unpack(Box<regroup::Unpack>),
    Split(Box<regroup::Split>),
    Dispense(Box<ending::Dispense>),
    Destroy(Box<ending::Destroy>),
    Recall(Box<ending::Recall>),
    Trace(trace::Args),
    Label(label::Args),
    Verify(verify::Args),
}

/// What every step takes.
#[derive(Debug, clap::Args)]
struct MoveArgs {
    /// Who acts: a key, or a group K:KEY,KEY,...
    #[arg(long, value_name = "PARTY")]
    by: String,
    /// A person who says so too and signs, by the first role that holds; once for each
    #[arg(long, value_name = "KEY")]
    witness: Vec<String>,
    /// At which site
    #[arg(long, value_name = "PARTY")]
    site: Option<String>,
    /// That a beacon of the site heard who acts: the file of `proofward beacon roll`
    #[arg(long, value_name = "FILE", requires = "site")]
    presence: Option<PathBuf>,
    /// The event as it was reported elsewhere: 64 hex digits, or EPCIS's ni:///sha-256;...
    #[arg(long, value_name = "HASH", value_parser = parse_event, default_value = "none")]
    event: EventHash,
    #[command(flatten)]
    send: SendArgs,
}

/// 32 bytes that commit to an event; zero for none.
#[derive(Debug, Clone, Copy)]
struct EventHash([u8; 32]);

#[derive(Serialize)]
struct Lots {
    step: &'static str,
    lots: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.what {
            What::Make(args) => args.run(),
            What::Ship(args) => args.run(),
            What::Receive(args) => args.run(),
            What::Pack(args) => args.run(),
            What::Unpack(args) => args.run(),
            What::Split(args) => args.run(),
            What::Dispense(args) => args.run(),
            What::Destroy(args) => args.run(),
            What::Recall(args) => args.run(),
            What::Trace(args) => args.run(),
            What::Label(args) => args.run(),
            What::Verify(args) => args.run(),
        }
    }
}

impl MoveArgs {
    /// Signs a step. `code` stands on the package, if it is new.
    fn act(self, desk: &Desk, step: Step, code: Option<&LotCode>) -> anyhow::Result<Outcome> {
        let by = desk.party(&self.by).context("--by")?;
        let mut witnesses = Vec::with_capacity(self.witness.len());
        for name in &self.witness {
            witnesses.push(witness(desk, name).with_context(|| format!("--witness {name}"))?);
        }
        let site = self.site.as_deref().map(|site| desk.party_id(site)).transpose();
        let body = Move {
            presence: self.presence.as_ref().map(|path| presence(desk, path, &by)).transpose()?,
            by,
            step,
            event: self.event.0,
            site: site.context("--site")?,
            witnesses,
        };
        let names =
            party_names(&self.by).into_iter().chain(self.witness.iter().map(String::as_str));
        let outgoing = self.send.sign(desk, Proposal::new(Body::Move(body.clone()), names))?;
        let lots = lots_of(&body, &outgoing);
        let (step, lang) = (body.step.name(), self.send.lang());
        let said = words::step(lang, &body.step);
        let text = match code {
            Some(code) => Done::MovedWithCode.say(lang, &[said, &code.to_string()]),
            None => Done::Moved.say(lang, &[said, &lots.join(" ")]),
        };
        let more = Lots { step, lots, code: code.map(LotCode::to_string) };
        outgoing.send(&self.send, desk, &text, more)
    }
}

/// The lots that come out, or else those that are moved.
fn lots_of(body: &Move, outgoing: &Outgoing) -> Vec<String> {
    let created = body.created(&outgoing.core());
    let lots = match (&body.step, created.is_empty()) {
        (Step::Recall { made }, _) => vec![*made],
        (_, false) => created,
        (step, true) => step.lots().to_vec(),
    };
    lots.iter().map(LotId::to_string).collect()
}

/// A lot as people name it.
fn lot_named(text: &str) -> anyhow::Result<LotId> {
    match text.parse() {
        Ok(lot) => Ok(lot),
        Err(_) => Ok(code_named(text)?.lot),
    }
}

fn code_named(text: &str) -> anyhow::Result<LotCode> {
    text.parse().with_context(|| {
        format!("{text:?} is neither the code of a package nor the 64 hex digits of a lot")
    })
}

/// Several lots, in the order in which a move names them.
fn lots_named(texts: &[String]) -> anyhow::Result<Vec<LotId>> {
    let mut lots = texts.iter().map(|text| lot_named(text)).collect::<anyhow::Result<Vec<_>>>()?;
    lots.sort_unstable();
    lots.dedup();
    Ok(lots)
}

/// A witness by the first role that the key holds now.
fn witness(desk: &Desk, name: &str) -> anyhow::Result<Witness> {
    let key = desk.key(name)?;
    let view = desk.view();
    let context = desk.chain.next_context(&view)?;
    let mut session = Session::new(&view, context.height);
    let is_role =
        |held: &proofward::ledger::state::HeldClaim| matches!(held.claim, Claim::Role { .. });
    match context.judge().live_claim(&mut session, key.into(), &is_role)? {
        Some((_, held)) => match held.claim {
            Claim::Role { role, .. } => {
                Ok(Witness { key, role: RoleRef { role, issuer: held.issuer } })
            }
            _ => unreachable!("picked by its kind"),
        },
        None => bail!("no role of this key holds now, and only persons are witnesses"),
    }
}

/// What a beacon said of one of those who act.
fn presence(desk: &Desk, path: &std::path::Path, by: &Party) -> anyhow::Result<Presence> {
    let heard: HeardKeys = desk.handout(path)?;
    let found = by.signers().into_iter().find_map(|key| heard.of(&key).cloned());
    found.with_context(|| format!("{}: the beacon did not hear who acts", path.display()))
}

/// `none`, hex digits, or the `ni` address of a hash (RFC 6920) as EPCIS 2.0 writes it.
fn parse_event(text: &str) -> Result<EventHash, String> {
    if text == "none" {
        return Ok(EventHash([0; 32]));
    }
    let digits = text.strip_prefix("ni:///sha-256;").unwrap_or(text);
    let digits = digits.split('?').next().unwrap_or(digits);
    let mut hash = [0; 32];
    hex::decode_to_slice(digits, &mut hash)
        .map_err(|_| format!("{text:?}: expected 64 hex digits, or ni:///sha-256; and them"))?;
    Ok(EventHash(hash))
}
