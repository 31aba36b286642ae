//! `proofward guardian`: a guardian without people, which agrees to what its own policy file names and
//! sends its share when the chain says so.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

use super::Scene;
use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::{json_line, text_line};
use crate::cli::sending::{Proposal, SendArgs};
use crate::cli::signing::SigningArgs;
use proofward::ledger::signature::PubKey;
use proofward::ledger::transaction::{Approve, Body, CoreId, Request, Transaction};
use proofward::node::duty_file::{DUTY_FILE_BYTES_MAX, DutyFile};
use proofward::wallet::guardian::{
    AGREE_WINDOW_BLOCKS, Acted, Agree, Duty, PartError, Seen, Step, part,
};
use proofward::wallet::{PrivateFolder, SecretKey};

/// How long between two looks at the chain.
const PAUSE: Duration = Duration::from_secs(1);

/// Guard shares without people: agree to what a policy file names, send shares when the chain says so
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward guardian --policy escrow.toml
  proofward guardian --policy escrow.toml --once --format json

The policy file:
  key = \"escrow\"                          a key of the directory
  role = \"escrow\"
  issuer = \"region\"                       whose word it is that makes it one
  [[agree]]
  purposes = [\"BTG\", \"ETREAT\"]
  readers = [\"emergency-clinician@clinic\"]   everybody whom the policy lets read, unless given
  records = []                            every record that it guards, unless given
  at_most = 8                             in any 144 blocks; then people have to look

It reads the chain beside its writer, leaves approvals in the inbox, and keeps what it acted on, so that a
reorganisation cannot erase an access. Emergencies are answered before they are mined.")]
pub(crate) struct Args {
    /// What it agrees to
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Look once and end
    #[arg(long)]
    once: bool,
    /// Who pays for approvals that are not free [default: the guardian]
    #[arg(long, value_name = "KEY")]
    payer: Option<String>,
    #[command(flatten)]
    signing: SigningArgs,
}

#[derive(Serialize)]
struct Done {
    did: &'static str,
    request: String,
    why: Option<String>,
}

/// The guardian at work.
struct Service {
    duty: Duty,
    secret: SecretKey,
    send: SendArgs,
    folder: PrivateFolder<Acted>,
    seen: Option<Seen>,
    /// Requests that could not be answered, so that each is told once.
    told: Vec<CoreId>,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let desk = Desk::open(&self.signing.place)?;
        let text = crate::cli::settings::read_input(&self.policy, DUTY_FILE_BYTES_MAX)?;
        let name = || self.policy.display().to_string();
        let file = DutyFile::parse(&text).with_context(name)?;
        let duty = duty(&desk, &file).with_context(name)?;
        let secret = self.signing.secret(&file.key, desk.dir.path())?;
        let mut service = Service {
            folder: Acted::folder(desk.dir.path(), &duty.guardian),
            duty,
            secret,
            send: SendArgs::to_inbox(self.payer, self.signing),
            seen: None,
            told: Vec::new(),
        };
        drop(desk);
        loop {
            service.look_once()?;
            if self.once {
                return Ok(Outcome::Yes);
            }
            std::thread::sleep(PAUSE);
        }
    }
}

impl Service {
    fn look_once(&mut self) -> anyhow::Result<()> {
        let desk = self.send.desk()?;
        let scene = Scene::new(&desk)?;
        let look = scene.look();
        let tip = desk.next()?.height.saturating_sub(1);
        let from = look.unseen_from(self.seen)?;
        for request in look.requests_since(from)? {
            if self.folder.read(&desk.chain.genesis, request)?.is_none()
                && !self.told.contains(&request)
            {
                self.consider(&scene, request, tip)?;
            }
        }
        self.seen = Some(Seen { height: tip, hash: desk.tip()? });
        // What was left in the inbox just now belongs to the look.
        let scene = Scene::new(&desk)?;
        for request in self.folder.list()? {
            let Some(acted) = self.folder.read(&desk.chain.genesis, request)? else { continue };
            for step in scene.look().steps(&acted)? {
                self.take(&desk, acted.clone(), step)?;
            }
        }
        Ok(())
    }

    /// Agrees to a request, if its policy does and it waits for that.
    fn consider(&mut self, scene: &Scene<'_>, request: CoreId, tip: u32) -> anyhow::Result<()> {
        let (look, desk) = (scene.look(), scene.desk);
        let Some(attempt) = look.attempt(request)? else { return Ok(()) };
        let recent = self.recent(desk, tip)?;
        if !self.duty.agrees_to(attempt.request(), &recent) || !look.waits_for_approval(&attempt)? {
            return Ok(());
        }
        let blobs = desk.blobs()?;
        let Some(record) = look.record(&attempt.request().rid)? else { return Ok(()) };
        let Some(package) = blobs.get(&record.pointer)? else { return Ok(()) };
        let slip = match look.slip(&self.secret, &record, &attempt, &package) {
            Ok(Some(slip)) => slip,
            Ok(None) => return Ok(()),
            Err(PartError::Store(error)) => return Err(error.into()),
            Err(error) => return self.tell_once(request, error.to_string()),
        };
        let made = scene.reply_key(&attempt).and_then(|reply| {
            Ok(part(&attempt, &self.secret, self.duty.role, None, &slip, reply)?)
        });
        let (approver, release) = match made {
            Ok(made) => made,
            Err(error) => return self.tell_once(request, format!("{error:#}")),
        };
        let body = Body::Approve(Approve { request: request.0, approvers: vec![approver] });
        let actor = [self.duty.guardian.to_string()];
        let mut proposal = Proposal::new(body, actor).held(&self.secret);
        if attempt.request().leaf.is_emergency() {
            proposal = proposal.free();
        }
        let outgoing = self.send.sign(desk, proposal)?;
        let acted = Acted {
            guardian: self.duty.guardian,
            request: attempt.transaction().encode(),
            approval: outgoing.complete(),
            releases: vec![release],
            at: tip,
            is_sent: false,
        };
        // First kept, then said: a promise that is lost could not be held.
        self.folder.keep(&desk.chain.genesis, request, &acted)?;
        outgoing.leave(desk)?;
        self.tell("agreed", request, None)
    }

    fn take(&mut self, desk: &Desk, mut acted: Acted, step: Step) -> anyhow::Result<()> {
        match step {
            Step::Submit { request, bytes } => {
                desk.dir.inbox()?.leave(&bytes)?;
                self.tell("submitted again", request, None)
            }
            Step::Sponsor { request, bytes } => {
                let transaction = Transaction::decode(&bytes)?;
                match self.send.sponsor(desk, transaction, &self.secret)? {
                    Ok(sponsored) => {
                        desk.dir.inbox()?.leave(&sponsored.encode())?;
                        self.tell("sponsored", request, None)
                    }
                    Err(_) if self.told.contains(&request) => Ok(()),
                    Err(why) => self.tell_once(request, why),
                }
            }
            Step::Send { request, sealed } => {
                desk.blobs()?.put(&sealed)?;
                acted.is_sent = true;
                self.folder.keep(&desk.chain.genesis, request, &acted)?;
                self.tell("sent", request, None)
            }
            Step::Forget { request } => {
                self.folder.remove(request)?;
                self.tell("forgot", request, None)
            }
        }
    }

    /// What it agreed to in the last blocks.
    fn recent(&self, desk: &Desk, tip: u32) -> anyhow::Result<Vec<Request>> {
        let mut recent = Vec::new();
        for request in self.folder.list()? {
            let acted = self.folder.read(&desk.chain.genesis, request)?;
            let acted = acted.filter(|acted| acted.at.saturating_add(AGREE_WINDOW_BLOCKS) > tip);
            recent.extend(acted.and_then(|acted| acted.request_body()));
        }
        Ok(recent)
    }

    fn tell_once(&mut self, request: CoreId, why: String) -> anyhow::Result<()> {
        self.told.push(request);
        self.tell("could not", request, Some(why))
    }

    fn tell(&self, did: &'static str, request: CoreId, why: Option<String>) -> anyhow::Result<()> {
        if self.send.signing.format.is_json() {
            return json_line(&Done { did, request: request.to_string(), why });
        }
        let why = why.map_or(String::new(), |why| format!(": {why}"));
        text_line(format!("{did} {request}{why}"))
    }
}

fn duty(desk: &Desk, file: &DutyFile) -> anyhow::Result<Duty> {
    let guardian: PubKey = desk.key(&file.key).context("key")?;
    let role = super::role_named(desk, &format!("{}@{}", file.role, file.issuer))?;
    let mut agree = Vec::with_capacity(file.agree.len());
    for line in &file.agree {
        let readers = line.readers.iter().map(|reader| super::role_named(desk, reader));
        let records = line.records.iter().map(|record| desk.key(record));
        agree.push(Agree {
            purposes: line.purposes()?,
            records: records.collect::<anyhow::Result<_>>().context("records")?,
            readers: readers.collect::<anyhow::Result<_>>().context("readers")?,
            at_most: line.at_most,
        });
    }
    Ok(Duty { guardian, role, agree })
}
