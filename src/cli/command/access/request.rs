//! `proofward request`: a reader asks for a record under a branch of its policy.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::{NotSent, role_named, words};
use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::sending::{Proposal, SendArgs};
use crate::cli::settings::parse_tokens;
use proofward::ledger::policy::{Place, Presence, Purpose, RoleRef, Shown, Together};
use proofward::ledger::rules::access::Answer;
use proofward::ledger::rules::context::Refusal;
use proofward::ledger::state::{EntryKey, HeldRecord, HeldRequest, RequestStatus};
use proofward::ledger::store::Blobs;
use proofward::ledger::transaction::request::{PlaceProof, RoleProof};
use proofward::ledger::transaction::{Body, CORE_VERSION, Core, Request, VALIDITY_BLOCKS_MAX};
use proofward::primitives::BlockHash;
use proofward::wallet::KeptRequest;
use proofward::wallet::custody::SealSecret;
use proofward::wallet::handout::{HeardKeys, PolicyBranch};
use proofward::words::{Done, explain};

/// Ask for a record, under a branch of its policy that its owner handed over
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward request --branch ward.branch --as doctor --presence room.presence
  proofward request --branch glass.branch --as clinician --purpose BTG --presence siren.presence
  proofward request --branch ward.branch --as doctor --out visit.tx

The role and the place are those of the branch that fit, unless named. A request that would be refused is
not sent, because every attempt stays on the record: the ledger's reasons are printed, and the exit code
is 1; --anyway sends it. The key to which the guardians seal their shares is kept in the directory, for
this request alone; `proofward open` uses it.")]
pub(crate) struct Args {
    /// The branch of the policy
    #[arg(long, value_name = "FILE")]
    branch: PathBuf,
    /// Who reads: a key of the directory; with --signer also an address or 64 hex digits
    #[arg(long = "as", value_name = "KEY")]
    reader: String,
    /// What for: TREAT, ETREAT, BTG, PATRQT, HPAYMT, HOPERAT, HRESCH [default: the first that the leaf permits]
    #[arg(long, value_parser = parse_purpose)]
    purpose: Option<Purpose>,
    /// In which role, as nurse@ward [default: one that fits]
    #[arg(long, value_name = "ROLE@PARTY")]
    role: Option<String>,
    /// What a beacon said: `proofward beacon roll`
    #[arg(long, value_name = "FILE")]
    presence: Option<PathBuf>,
    /// The most that the reader pays for it, in tokens
    #[arg(long, value_name = "TOKENS", default_value = "0", value_parser = parse_tokens)]
    max_price: u64,
    /// A file that says why; only a commitment to it goes on chain
    #[arg(long, value_name = "FILE")]
    reason: Option<PathBuf>,
    /// Send it even if it would be refused, for the record
    #[arg(long)]
    anyway: bool,
    #[command(flatten)]
    send: SendArgs,
}

#[derive(Serialize)]
struct Asked {
    record: String,
    status: String,
    reply_key: String,
}

fn parse_purpose(text: &str) -> Result<Purpose, String> {
    let found = Purpose::ALL.into_iter().find(|purpose| purpose.name().eq_ignore_ascii_case(text));
    let names = Purpose::ALL.map(Purpose::name).join(", ");
    found.ok_or_else(|| format!("{text:?} is no purpose: expected one of {names}"))
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.send.desk()?;
        let reader = desk.key(&self.reader).context("--as")?;
        let handed: PolicyBranch = desk.handout(&self.branch)?;
        let record: Option<HeldRecord> = desk.entry(&EntryKey::Record(handed.rid))?;
        let record = record.with_context(|| format!("no record {} on this chain", handed.rid))?;
        let presence = self.presence.as_deref().map(|path| {
            let heard: HeardKeys = desk.handout(path)?;
            let of_reader = heard.of(&reader).cloned();
            of_reader.with_context(|| format!("{}: no word of {}", path.display(), self.reader))
        });
        let presence = presence.transpose()?;
        let is_anchored = handed.branch.leaf.together != Together::Apart
            && presence.is_none()
            && !handed.branch.leaf.is_emergency();
        let anchor = if is_anchored { desk.tip()? } else { BlockHash::ZERO };
        let reply = SealSecret::generate()?;
        let plain = self.plain(&desk, &handed, &record, reader, &reply, presence)?;
        let (request, answer) = self.best(&desk, &handed, plain, anchor)?;
        let status = match &answer {
            Ok((HeldRequest { status: RequestStatus::Pending, .. }, _)) => "pending",
            _ if self.anyway => "refused",
            _ => return self.not_sent(answer),
        };
        let is_free = request.leaf.is_emergency() && status == "pending";
        let proposal = Proposal::new(Body::Request(Box::new(request)), [&self.reader]);
        let proposal = proposal.anchored(anchor);
        let outgoing = self.send.sign(&desk, if is_free { proposal.free() } else { proposal })?;
        // First what only we have: a request whose key is lost can never be opened.
        let kept = KeptRequest::new(handed.rid, reader, &reply);
        let folder = KeptRequest::folder(desk.dir.path());
        folder.keep(&desk.chain.genesis, outgoing.core(), &kept)?;
        desk.blobs()?.put(&reply.public().0)?;
        let asked = Asked {
            record: handed.rid.to_string(),
            status: status.to_owned(),
            reply_key: hex::encode(reply.public().0),
        };
        let text = Done::Asks.say(self.send.lang(), &[&self.reader, &asked.record]);
        outgoing.send(&self.send, &desk, &text, asked)
    }

    /// The request without role and place.
    fn plain(
        &self,
        desk: &Desk,
        handed: &PolicyBranch,
        record: &HeldRecord,
        reader: proofward::ledger::signature::PubKey,
        reply: &SealSecret,
        presence: Option<Presence>,
    ) -> anyhow::Result<Request> {
        let leaf = handed.branch.leaf.clone();
        let in_force = record.policy_at(desk.next()?, desk.spec().spacing_s);
        let root = handed.branch.root();
        let pending = record.pending.map(|pending| pending.policy);
        let known = [Some(in_force), Some(record.policy), record.former, pending];
        // Under a policy that is not in force the chain says so.
        let seq = known.into_iter().flatten().find(|policy| Some(policy.root) == root);
        let reason = match &self.reason {
            None => [0; 32],
            Some(path) => {
                let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
                Blobs::hash(&bytes)
            }
        };
        let purpose = self.purpose.or_else(|| leaf.purposes.iter().next());
        Ok(Request {
            rid: handed.rid,
            seq: seq.unwrap_or(in_force).seq,
            leaf_path: handed.branch.path.clone(),
            purpose: purpose.context("the branch permits no purpose")?,
            leaf,
            reader,
            reply_commit: proofward::wallet::custody::ReplyKey(reply.public()).commitment(),
            role: None,
            place: None,
            presence,
            max_price: self.max_price,
            reason,
        })
    }

    /// The request with the role and the place by which it gets furthest, and what the ledger says of it.
    fn best(
        &self,
        desk: &Desk,
        handed: &PolicyBranch,
        plain: Request,
        anchor: BlockHash,
    ) -> anyhow::Result<(Request, Judged)> {
        let named = self.role.as_deref().map(|role| role_named(desk, role)).transpose()?;
        let roles: Vec<&Shown<RoleRef>> = handed
            .branch
            .readers
            .iter()
            .filter(|shown| named.is_none_or(|named| named == shown.value))
            .collect();
        if let (Some(role), true) = (&self.role, roles.is_empty()) {
            bail!("the branch names no reader as {role}");
        }
        let mut best: Option<(u8, Request, Judged)> = None;
        for role in roles {
            for place in &handed.branch.places {
                let mut request = plain.clone();
                request.role = Some(role_proof(role));
                request.place = Some(place_proof(place));
                let judged = judge(desk, &request, anchor)?;
                let rank = rank(&judged);
                if best.as_ref().is_none_or(|(before, ..)| rank > *before) {
                    best = Some((rank, request, judged));
                }
            }
        }
        let (_, request, judged) = best.context("the branch names no reader or no place")?;
        Ok((request, judged))
    }

    fn not_sent(&self, judged: Judged) -> anyhow::Result<Outcome> {
        let lang = self.send.lang();
        let not_sent = match judged {
            Err(error) => NotSent::by_rule(lang, &error.into()),
            Ok((held, answer)) => {
                let clause = match held.status {
                    RequestStatus::Refused(clause) => Some(clause),
                    _ => None,
                };
                NotSent { clause, ..NotSent::new(words(lang, &held, &answer)) }
            }
        };
        not_sent.tell(&self.send, Done::WouldBeRefused)
    }
}

/// What the ledger says of a request that was not sent.
type Judged = Result<(HeldRequest, Answer), proofward::ledger::rules::TransactionError>;

fn judge(desk: &Desk, request: &Request, anchor: BlockHash) -> anyhow::Result<Judged> {
    let tip = desk.next()?.height.saturating_sub(1);
    let core = Core {
        version: CORE_VERSION,
        chain: desk.chain.chain_id,
        valid_from: tip,
        valid_to: tip.saturating_add(VALIDITY_BLOCKS_MAX),
        anchor: anchor.0,
        body: Body::Request(Box::new(request.clone())),
    };
    match desk.chain.answer_unsent(desk.view(), &core, request) {
        Ok(found) => Ok(Ok(found)),
        Err(Refusal::Rule(error)) => Ok(Err(error)),
        Err(Refusal::Store(error)) => Err(error.into()),
    }
}

/// How far a request gets: the number of its first failed clause, above all one that waits.
fn rank(judged: &Judged) -> u8 {
    match judged {
        Err(_) => 0,
        Ok((HeldRequest { status: RequestStatus::Pending, .. }, _)) => u8::MAX,
        Ok((_, answer)) => {
            explain(&answer.findings).first_failed.map_or(1, |reason| reason.clause().number())
        }
    }
}

fn role_proof(shown: &Shown<RoleRef>) -> RoleProof {
    RoleProof { role: shown.value, salt: shown.salt, path: shown.path.clone() }
}

fn place_proof(shown: &Shown<Place>) -> PlaceProof {
    PlaceProof { place: shown.value, salt: shown.salt, path: shown.path.clone() }
}
