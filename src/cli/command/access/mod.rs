//! Asking for a record, agreeing, sending shares, opening, objecting, reviewing: each step of an attempt
//! to read, and what it looks like to those who have a part in it.

mod approve;
mod audit;
mod explain;
mod guardian;
mod open;
mod receipt;
mod release;
mod request;

pub(crate) use approve::Args as ApproveArgs;
pub(crate) use audit::Args as AuditArgs;
pub(crate) use explain::Args as ExplainArgs;
pub(crate) use guardian::Args as GuardianArgs;
pub(crate) use open::Args as OpenArgs;
pub(crate) use receipt::{ReviewArgs, VetoArgs, WithdrawArgs};
pub(crate) use release::Args as ReleaseArgs;
pub(crate) use request::Args as RequestArgs;

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::{json_line, text_line};
use crate::cli::sending::SendArgs;
use proofward::ledger::mempool::{Mempool, Refused};
use proofward::ledger::policy::RoleRef;
use proofward::ledger::rules::access::Answer;
use proofward::ledger::signature::PubKey;
use proofward::ledger::state::{EntryKey, HeldClaim, HeldRecord, HeldRequest};
use proofward::ledger::transaction::CoreId;
use proofward::ledger::transaction::attest::Claim;
use proofward::node::feed::pool_of;
use proofward::wallet::attempt::Attempt;
use proofward::wallet::custody::SealKey;
use proofward::wallet::guardian::Look;
use proofward::words::{Done, Lang, explain, refusal, status};

/// The chain and what waits for it, as an attempt is seen from here.
struct Scene<'a> {
    desk: &'a Desk,
    pool: Mempool,
}

impl<'a> Scene<'a> {
    fn new(desk: &'a Desk) -> anyhow::Result<Self> {
        let pool = pool_of(&desk.chain, &desk.view(), &desk.dir.inbox()?)?;
        Ok(Self { desk, pool })
    }

    fn look(&self) -> Look<'_> {
        Look { chain: &self.desk.chain, view: self.desk.view(), pool: &self.pool }
    }

    fn attempt(&self, request: CoreId) -> anyhow::Result<Attempt> {
        self.look().attempt(request)?.with_context(|| {
            format!(
                "no request {request} on the chain of {}, in its last 1000 blocks, or in its inbox",
                self.desk.dir.path().display()
            )
        })
    }

    /// What the predicate says of it in the next block.
    fn answer(&self, attempt: &Attempt) -> anyhow::Result<Option<(HeldRequest, Answer)>> {
        let approvals: Vec<_> = attempt.approvals.iter().collect();
        let view = self.desk.view();
        Ok(self.desk.chain.answer_pending(view, attempt.transaction(), &approvals)?)
    }

    fn record(&self, attempt: &Attempt) -> anyhow::Result<HeldRecord> {
        let rid = attempt.request().rid;
        self.look().record(&rid)?.with_context(|| format!("no record {rid}"))
    }

    /// The reader's one-time key, which travels as a blob.
    fn reply_key(&self, attempt: &Attempt) -> anyhow::Result<SealKey> {
        let hash = attempt.request().reply_commit;
        let blob = self.desk.blobs()?.get(&hash)?;
        let key = blob.and_then(|blob| <[u8; 32]>::try_from(blob).ok());
        let key = key.with_context(|| {
            format!(
                "the reader's one-time key is not in the blobs: ask the reader for blob {}",
                hex::encode(hash)
            )
        })?;
        Ok(SealKey(key))
    }

    /// Every role that a key has had, by every word that a policy may name it by.
    fn roles(&self, key: &PubKey) -> anyhow::Result<Vec<RoleRef>> {
        let holdings: Option<Vec<CoreId>> = self.desk.entry(&EntryKey::Holdings((*key).into()))?;
        let mut roles = Vec::new();
        for core in holdings.unwrap_or_default() {
            let held: Option<HeldClaim> = self.desk.entry(&EntryKey::Claim(core))?;
            let Some(HeldClaim { issuer, claim: Claim::Role { role, site }, .. }) = held else {
                continue;
            };
            let by = |issuer| RoleRef { role, issuer };
            roles.extend(site.map(by));
            roles.push(by(issuer));
        }
        Ok(roles)
    }
}

/// The ledger's words for an answer: how it stands, then clause by clause.
fn words(lang: Lang, held: &HeldRequest, answer: &Answer) -> Vec<String> {
    let mut lines = vec![status(lang, held.status)];
    lines.extend(explain(&answer.findings).lines(lang));
    lines
}

/// What a command says that has not sent what the chain would refuse.
#[derive(Serialize)]
struct NotSent {
    sent: bool,
    rule: Option<&'static str>,
    clause: Option<u8>,
    words: Vec<String>,
}

impl NotSent {
    fn new(words: Vec<String>) -> Self {
        Self { sent: false, rule: None, clause: None, words }
    }

    /// By a rule.
    fn by_rule(lang: Lang, refused: &Refused) -> Self {
        Self { rule: Some(refused.name()), ..Self::new(vec![refusal(lang, refused)]) }
    }

    fn tell(&self, send: &SendArgs, last: Done) -> anyhow::Result<Outcome> {
        if send.signing.format.is_json() {
            json_line(self)?;
        } else {
            print_lines(&self.words)?;
            text_line(last.say(send.lang(), &[]))?;
        }
        Ok(Outcome::No)
    }
}

fn print_lines(lines: &[String]) -> anyhow::Result<()> {
    lines.iter().try_for_each(text_line)
}

/// A request by its core id.
fn parse_request(text: &str) -> Result<CoreId, String> {
    text.parse().map_err(|_| format!("{text:?} is no core id of a request: expected 64 hex digits"))
}

/// `ROLE@PARTY`: a role by somebody's word.
fn role_named(desk: &Desk, text: &str) -> anyhow::Result<RoleRef> {
    let Some((role, issuer)) = text.split_once('@') else {
        bail!("{text:?} is no role: expected one such as nurse@ward");
    };
    let role = crate::cli::settings::parse_role(role).map_err(anyhow::Error::msg)?;
    Ok(RoleRef { role, issuer: desk.party_id(issuer)? })
}
