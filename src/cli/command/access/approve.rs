//! `proofward approve`: guardians and people whose role is needed agree to a request.

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use serde::Serialize;

use super::{NotSent, Scene, parse_request, role_named, words};
use crate::cli::exit::Outcome;
use crate::cli::output::{json_line, text_line, write_file};
use crate::cli::sending::{Proposal, SendArgs};
use proofward::ledger::mempool::Source;
use proofward::ledger::policy::{Presence, RoleRef, Together};
use proofward::ledger::rules::context::Refusal;
use proofward::ledger::signature::PubKey;
use proofward::ledger::transaction::approve::Approver;
use proofward::ledger::transaction::{Approve, Body, CoreId};
use proofward::primitives::BlockHash;
use proofward::wallet::SecretKey;
use proofward::wallet::attempt::Attempt;
use proofward::wallet::custody::Release;
use proofward::wallet::guardian::{Acted, part};
use proofward::wallet::handout::{self, ApprovalPart, HeardKeys};
use proofward::words::Done;

/// Agree to a request, as a guardian or in a role that its policy needs
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward approve REQUEST --as nurse --presence room.presence
  proofward approve REQUEST --as nurse --as patient --presence room.presence --payer doctor
  proofward approve REQUEST --as nurse --part-out nurse.part --presence room.presence
  proofward approve REQUEST --part nurse.part --part patient.part --payer doctor --out approve.tx

A guardian's share is sealed to the reader now and kept in the directory; only its hash goes on chain.
`proofward release` sends it when the chain says so. People with keys on different machines write a part
each, one puts the parts together with --out, and all sign by `proofward tx sign`.")]
pub(crate) struct Args {
    /// The core id of the request
    #[arg(value_parser = parse_request)]
    request: CoreId,
    /// Who agrees: a key of the directory; once for each
    #[arg(long = "as", value_name = "KEY", required_unless_present = "part")]
    by: Vec<String>,
    /// The part of somebody else
    #[arg(long, value_name = "FILE")]
    part: Vec<PathBuf>,
    /// Write the part of the one who agrees to FILE, for somebody else to put together
    #[arg(long, value_name = "FILE", conflicts_with_all = ["part", "out", "unsigned"])]
    part_out: Option<PathBuf>,
    /// In which role, as nurse@ward [default: one that the policy needs]
    #[arg(long, value_name = "ROLE@PARTY")]
    role: Option<String>,
    /// What a beacon said: `proofward beacon roll`
    #[arg(long, value_name = "FILE")]
    presence: Option<PathBuf>,
    #[command(flatten)]
    send: SendArgs,
}

#[derive(Serialize)]
struct Agreed {
    request: String,
    approvers: Vec<String>,
    guardians: usize,
}

/// Somebody who agrees here: the approver, the key, and the share that is promised.
struct Here {
    approver: Approver,
    secret: Option<SecretKey>,
    release: Option<Release>,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let (desk, lang) = (self.send.desk()?, self.send.lang());
        let scene = Scene::new(&desk)?;
        let attempt = scene.attempt(self.request)?;
        if !scene.look().waits_for_approval(&attempt)? {
            let answer = scene.answer(&attempt)?;
            let lines = answer.map(|(held, answer)| words(lang, &held, &answer));
            let not_sent = NotSent::new(lines.unwrap_or_default());
            return not_sent.tell(&self.send, Done::NothingWaits);
        }
        let here = self.by.iter().map(|by| self.here(&scene, &attempt, by));
        let here = here.collect::<anyhow::Result<Vec<Here>>>()?;
        if let Some(path) = &self.part_out {
            return self.write_part(&scene, &attempt, &here, path);
        }
        let mut approvers: Vec<Approver> = here.iter().map(|here| here.approver.clone()).collect();
        for path in &self.part {
            let part: ApprovalPart = desk.handout(path)?;
            ensure!(part.request == self.request.0, "{}: for another request", path.display());
            approvers.push(part.approver);
        }
        let guardians = approvers.iter().filter(|by| by.guardian.is_some()).count();
        let agreed = Agreed {
            request: self.request.to_string(),
            approvers: approvers.iter().map(|by| by.key.to_string()).collect(),
            guardians,
        };
        let leaf = &attempt.request().leaf;
        let is_anchored = leaf.together != Together::Apart
            && !leaf.is_emergency()
            && approvers.iter().any(|by| by.presence.is_none());
        let names: Vec<String> = match approvers.first() {
            // A key file that is open already is not opened again.
            Some(first) if here.first().is_none_or(|here| here.secret.is_some()) => {
                vec![first.key.to_string()]
            }
            _ => self.by.clone(),
        };
        let body = Body::Approve(Approve { request: self.request.0, approvers });
        let mut proposal = Proposal::new(body, names);
        let signing = here.iter().filter(|_| !self.send.is_unsigned());
        for secret in signing.filter_map(|here| here.secret.as_ref()) {
            proposal = proposal.held(secret);
        }
        if leaf.is_emergency() {
            proposal = proposal.free();
        }
        if is_anchored {
            proposal = proposal.anchored(desk.tip()?);
        }
        let outgoing = self.send.sign(&desk, proposal)?;
        if let Some(bytes) = outgoing.complete() {
            let admitted = scene.pool.clone().admit(&desk.view(), &bytes, Source::Own);
            match admitted {
                Err(Refusal::Rule(refused)) if !refused.is_passing() => {
                    return NotSent::by_rule(lang, &refused).tell(&self.send, Done::NoBlock);
                }
                Err(Refusal::Store(error)) => return Err(error.into()),
                Ok(_) | Err(Refusal::Rule(_)) => {}
            }
        }
        self.keep(&scene, &attempt, &here, outgoing.complete())?;
        let count = agreed.approvers.len().to_string();
        let text = Done::Agree.say(lang, &[&count, &agreed.request]);
        outgoing.deliver(&self.send, &desk, &text, agreed)
    }

    /// Somebody's part, with the share if it is a guardian whose key is here.
    fn here(&self, scene: &Scene<'_>, attempt: &Attempt, by: &str) -> anyhow::Result<Here> {
        let desk = scene.desk;
        let key = desk.key(by).with_context(|| format!("--as {by}"))?;
        let role = self.role_of(scene, attempt, &key, by)?;
        let presence = self.presence_of(scene, &key, by)?;
        let plain = Approver {
            key,
            guardian: None,
            role,
            presence: presence.clone(),
            release: BlockHash::ZERO.0,
        };
        if self.send.signing.has_program() {
            return Ok(Here { approver: plain, secret: None, release: None });
        }
        let secret = self.send.signing.secret(by, desk.dir.path())?;
        let record = scene.record(attempt)?;
        let slip = match desk.blobs()?.get(&record.pointer)? {
            None => None,
            Some(package) => scene.look().slip(&secret, &record, attempt, &package)?,
        };
        let Some(slip) = slip else {
            ensure!(
                attempt.request().leaf.need.iter().any(|need| need.role == role),
                "{by} guards no share of this record, and has no role that its policy needs"
            );
            return Ok(Here { approver: plain, secret: Some(secret), release: None });
        };
        let reply = scene.reply_key(attempt)?;
        let (approver, release) = part(attempt, &secret, role, presence, &slip, reply)?;
        Ok(Here { approver, secret: Some(secret), release: Some(release) })
    }

    fn role_of(
        &self,
        scene: &Scene<'_>,
        attempt: &Attempt,
        key: &PubKey,
        by: &str,
    ) -> anyhow::Result<RoleRef> {
        if let Some(role) = &self.role {
            return role_named(scene.desk, role);
        }
        let roles = scene.roles(key)?;
        let needed =
            |role: &&RoleRef| attempt.request().leaf.need.iter().any(|need| need.role == **role);
        let found = roles.iter().find(needed).or(roles.first()).copied();
        found.with_context(|| format!("{by} has no role on this chain: name one with --role"))
    }

    fn presence_of(
        &self,
        scene: &Scene<'_>,
        key: &PubKey,
        by: &str,
    ) -> anyhow::Result<Option<Presence>> {
        let Some(path) = &self.presence else { return Ok(None) };
        let heard: HeardKeys = scene.desk.handout(path)?;
        let presence = heard.of(key).cloned();
        presence.with_context(|| format!("{}: no word of {by}", path.display())).map(Some)
    }

    fn write_part(
        &self,
        scene: &Scene<'_>,
        attempt: &Attempt,
        here: &[Here],
        path: &std::path::Path,
    ) -> anyhow::Result<Outcome> {
        let [one] = here else { bail!("--part-out: a part is of one: give --as once") };
        self.keep(scene, attempt, here, None)?;
        let approver = one.approver.clone();
        let part = ApprovalPart { request: self.request.0, approver };
        let text = handout::to_text(&scene.desk.chain.genesis, &part);
        if !write_file(path, text.as_bytes())? {
            return Ok(Outcome::Yes);
        }
        let agreed = Agreed {
            request: self.request.to_string(),
            approvers: vec![part.approver.key.to_string()],
            guardians: usize::from(part.approver.guardian.is_some()),
        };
        if self.send.signing.format.is_json() {
            json_line(&agreed)?;
        } else {
            let values = [&*self.by[0], &path.display().to_string()];
            text_line(Done::PartIn.say(self.send.lang(), &values))?;
        }
        Ok(Outcome::Yes)
    }

    /// Keeps what was promised: without it the share would be lost.
    fn keep(
        &self,
        scene: &Scene<'_>,
        attempt: &Attempt,
        here: &[Here],
        approval: Option<Vec<u8>>,
    ) -> anyhow::Result<()> {
        let at = scene.desk.next()?.height.saturating_sub(1);
        for Here { approver, release, .. } in here {
            let Some(release) = release else { continue };
            let acted = Acted {
                guardian: approver.key,
                request: attempt.transaction().encode(),
                approval: approval.clone(),
                releases: vec![release.clone()],
                at,
                is_sent: false,
            };
            let folder = Acted::folder(scene.desk.dir.path(), &approver.key);
            let genesis = &scene.desk.chain.genesis;
            // What was promised before may still be what the chain takes.
            let acted = acted.after(folder.read(genesis, self.request)?);
            folder.keep(genesis, self.request, &acted)?;
        }
        Ok(())
    }
}
