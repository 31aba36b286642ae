//! Claims: an issuer says something about a key, and withdraws it. One file for each kind that has words
//! of its own; what all of them share stands here.

mod beacon;
mod device;
mod issuer;
mod plain;
mod role;
mod site;

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use serde::Serialize;

use crate::cli::desk::{Desk, party_names};
use crate::cli::exit::Outcome;
use crate::cli::sending::{NoMore, Proposal, SendArgs};
use crate::cli::settings::read_input;
use proofward::ledger::policy::ReadClaims as _;
use proofward::ledger::state::{EntryKey, HeldClaim, Session};
use proofward::ledger::store::{BLOB_BYTES_MAX, Blobs};
use proofward::ledger::transaction::attest::{Claim, Withdrawn};
use proofward::ledger::transaction::{Attest, Body, CoreId, Party, PartyId};
use proofward::wallet::SecretKey;
use proofward::words::Done;

pub(crate) use beacon::Args as BeaconArgs;
pub(crate) use device::Args as DeviceArgs;
pub(crate) use issuer::Issuer;
pub(crate) use plain::{Anchor, Auditor, Custodian, Emergency, Maker};
pub(crate) use role::Role;
pub(crate) use site::Site;

/// Seconds for which a claim holds unless something else is said.
const YEAR_S: u32 = 365 * 86_400;

/// A kind of claim, with what it takes besides issuer and subject.
pub(crate) trait Kind: clap::Args + std::fmt::Debug {
    /// Its number.
    const NUMBER: u8;
    /// How it is used.
    const EXAMPLES: &'static str;
    /// Whether it is about a person, who gets a tag.
    const OF_PERSON: bool = false;

    /// What is claimed of the subject.
    fn claim(&self, desk: &Desk, subject: &Party) -> anyhow::Result<Claim>;
}

/// What can be done with claims of a kind.
#[derive(Debug, clap::Args)]
#[command(after_help = K::EXAMPLES)]
pub(crate) struct Args<K: Kind> {
    #[command(subcommand)]
    what: What<K>,
}

#[derive(Debug, clap::Subcommand)]
enum What<K: Kind> {
    Attest(Box<Make<K>>),
    Withdraw(Box<Withdraw>),
}

/// Claim it: issuer and subject sign
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A party is a key (an address, 64 hex digits, or a key of the directory) or a group K:KEY,KEY,... of
which the first K sign. Keys of the directory sign at once; for others write --out FILE and see
`proofward tx`.")]
pub(crate) struct Make<K: Kind> {
    /// About whom
    subject: String,
    #[command(flatten)]
    kind: K,
    /// Who says so
    #[arg(long, value_name = "PARTY")]
    issuer: String,
    /// First height at which it holds [default: as soon as the chain lets it]
    #[arg(long, value_name = "HEIGHT", default_value_t = 0)]
    from: u32,
    /// First height at which it holds no more [default: a year from now]
    #[arg(long, value_name = "HEIGHT")]
    until: Option<u32>,
    /// The subject's pseudonym with this issuer, 32 hex digits: one for a person, whatever their roles
    /// [default for people: the one that they have, or a fresh one]
    #[arg(long, value_name = "TAG", value_parser = parse_tag)]
    tag: Option<[u8; 16]>,
    /// Commits to evidence that is kept elsewhere: a file, or 64 hex digits
    #[arg(long, value_name = "FILE")]
    evidence: Option<String>,
    /// The claim that it renews, by its core id
    #[arg(long, value_name = "CORE")]
    prev: Option<CoreId>,
    #[command(flatten)]
    send: SendArgs,
}

/// Withdraw a claim: it ends with the block that takes this
#[derive(Debug, clap::Args)]
pub(crate) struct Withdraw {
    /// Which: its core id, or its subject if there is one such claim only
    claim: String,
    /// Who withdraws: its issuer, or whoever stands above that one
    #[arg(long, value_name = "PARTY")]
    by: String,
    /// Commits to evidence that is kept elsewhere: a file, or 64 hex digits
    #[arg(long, value_name = "FILE")]
    evidence: Option<String>,
    #[command(flatten)]
    send: SendArgs,
}

#[derive(Serialize)]
struct More {
    issuer: String,
    subject: String,
    claim: u8,
    from_h: u32,
    to_h: u32,
    tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cells: Option<usize>,
}

impl<K: Kind> Args<K> {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.what {
            What::Attest(make) => make.run(),
            What::Withdraw(withdraw) => withdraw.run(K::NUMBER),
        }
    }
}

impl<K: Kind> Make<K> {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.send.desk()?;
        let issuer = desk.party(&self.issuer).context("--issuer")?;
        let subject = desk.party(&self.subject).context("the subject")?;
        let claim = self.kind.claim(&desk, &subject)?;
        let next = desk.next()?.height;
        let year = YEAR_S / desk.spec().spacing_s.max(1);
        let until = self.until.unwrap_or(next.max(self.from).saturating_add(year));
        ensure!(
            self.from < until && next < until,
            "--until {until}: the claim holds at no height to come (the next block is {next})"
        );
        let tag = match self.tag {
            Some(tag) => tag,
            None if K::OF_PERSON => tag_of(&desk, issuer.id(), subject.id())?,
            None => [0; 16],
        };
        let attest = Attest {
            issuer,
            subject,
            claim,
            from_h: self.from,
            to_h: until,
            subject_tag: tag,
            evidence: commitment(self.evidence.as_deref())?,
            prev: self.prev.map(|core| core.0),
        };
        let more = More {
            issuer: attest.issuer.id().to_string(),
            subject: attest.subject.id().to_string(),
            claim: K::NUMBER,
            from_h: self.from,
            to_h: until,
            tag: (tag != [0; 16]).then(|| hex::encode(tag)),
            cells: match &attest.claim {
                Claim::Site(cells) => Some(cells.len()),
                _ => None,
            },
        };
        let values = [&*self.issuer, &self.subject, &until.to_string()];
        let text = Done::Claimed.say(self.send.lang(), &values);
        let names = party_names(&self.issuer).into_iter().chain(party_names(&self.subject));
        let outgoing = self.send.sign(&desk, Proposal::new(Body::Attest(attest), names))?;
        outgoing.send(&self.send, &desk, &text, more)
    }
}

impl Withdraw {
    pub(crate) fn run(self, number: u8) -> anyhow::Result<Outcome> {
        let desk = self.send.desk()?;
        let core = self.core(&desk, number)?;
        let text = Done::WithdrawnClaim.say(self.send.lang(), &[&core.to_string()]);
        send_withdrawal(
            &self.send,
            &desk,
            &self.by,
            Withdrawn::Claim(core.0),
            self.evidence.as_deref(),
            &text,
        )
    }

    /// The claim that is meant.
    fn core(&self, desk: &Desk, number: u8) -> anyhow::Result<CoreId> {
        if let Ok(core) = self.claim.parse::<CoreId>()
            && let Some(held) = desk.entry::<HeldClaim>(&EntryKey::Claim(core))?
        {
            ensure!(held.claim.number() == number, "claim {core} is of another kind");
            ensure!(held.withdrawn.is_none(), "claim {core} is withdrawn already");
            return Ok(core);
        }
        let subject = desk.party_id(&self.claim).context("neither a claim nor a subject")?;
        let found: Vec<CoreId> = claims_about(desk, subject)?
            .into_iter()
            .filter(|(_, held)| held.claim.number() == number && held.withdrawn.is_none())
            .map(|(core, _)| core)
            .collect();
        match found.as_slice() {
            [core] => Ok(*core),
            [] => bail!("there is no such claim about {} that is not withdrawn", self.claim),
            several => {
                let list: Vec<String> = several.iter().map(CoreId::to_string).collect();
                bail!("which of the claims about {}: {}", self.claim, list.join(", "))
            }
        }
    }
}

/// Signs and sends a withdrawal.
fn send_withdrawal(
    send: &SendArgs,
    desk: &Desk,
    by: &str,
    withdrawn: Withdrawn,
    evidence: Option<&str>,
    text: &str,
) -> anyhow::Result<Outcome> {
    let party = desk.party(by).context("--by")?;
    let body = Body::Attest(Attest::withdrawal(party, withdrawn, commitment(evidence)?));
    let outgoing = send.sign(desk, Proposal::new(body, party_names(by)))?;
    outgoing.send(send, desk, text, NoMore {})
}

/// The claims about a party.
fn claims_about(desk: &Desk, party: PartyId) -> anyhow::Result<Vec<(CoreId, HeldClaim)>> {
    let view = desk.view();
    let mut session = Session::new(&view, desk.next()?.height);
    let mut claims = Vec::new();
    for core in session.holdings(party)?.iter().copied() {
        claims.extend(session.claim(&core)?.map(|held| (core, HeldClaim::clone(&held))));
    }
    Ok(claims)
}

/// The tag that a person has with an issuer; a fresh one for somebody new.
fn tag_of(desk: &Desk, issuer: PartyId, subject: PartyId) -> anyhow::Result<[u8; 16]> {
    let known = claims_about(desk, subject)?.into_iter();
    let mut tags = known.filter(|(_, held)| held.issuer == issuer).map(|(_, held)| held.tag);
    if let Some(tag) = tags.find(|tag| *tag != [0; 16]) {
        return Ok(tag);
    }
    let fresh = SecretKey::generate()?;
    Ok(*fresh.seed().first_chunk().expect("16 of 32 bytes"))
}

/// What stands for evidence on chain: nothing, 64 hex digits as they are, or the hash of a file.
pub(crate) fn commitment(evidence: Option<&str>) -> anyhow::Result<[u8; 32]> {
    let mut digest = [0; 32];
    let Some(text) = evidence else { return Ok(digest) };
    if hex::decode_to_slice(text, &mut digest).is_ok() {
        return Ok(digest);
    }
    let bytes = read_input(&PathBuf::from(text), BLOB_BYTES_MAX).context("--evidence")?;
    ensure!(bytes.len() <= BLOB_BYTES_MAX, "--evidence {text}: over {BLOB_BYTES_MAX} bytes");
    Ok(Blobs::hash(&bytes))
}

fn parse_tag(text: &str) -> Result<[u8; 16], String> {
    let mut tag = [0; 16];
    hex::decode_to_slice(text, &mut tag)
        .map_err(|_| format!("{text:?}: expected 32 hex digits"))?;
    Ok(tag)
}
