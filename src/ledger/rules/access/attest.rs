//! The rules of `Attest`, and what it changes.
//!
//! Where the design leaves room, the smallest safe rule holds:
//!
//! - A tag is a key's for ever, and a key has one tag with an issuer: a person with two would count twice.
//! - `prev` only says which claim is renewed; the new one waits like any other.
//! - A withdrawal names a claim that is not withdrawn yet. Who withdraws must still be able to issue it.
//! - Of the claims about a party, ended ones are forgotten as soon as a new one of the same kind by the
//!   same issuer stands in their place, so that shifts do not fill the list and one always shows what the
//!   party once was. [`HOLDINGS_MAX`] bounds the list.

use super::checkpoint;
use crate::ledger::policy::{Authority, ReadClaims, site_of};
use crate::ledger::rules::access::AttestError;
use crate::ledger::rules::context::{Context, Refusal};
use crate::ledger::rules::error::TransactionError;
use crate::ledger::spec::{HOLDINGS_KIND_MAX, HOLDINGS_MAX};
use crate::ledger::state::{EntryKey, HeldClaim, Person, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::attest::{Claim, Point, Withdrawn};
use crate::ledger::transaction::{Attest, CoreId, Party, PartyId};

const NO_TAG: [u8; 16] = [0; 16];

type Verdict = Result<(), Refusal<TransactionError>>;

pub(super) fn check(context: &Context<'_>, session: &mut Session<'_>, attest: &Attest) -> Verdict {
    match (&attest.claim, attest.witness()) {
        (Claim::Checkpoint(body), Some(witness)) => {
            checkpoint::check(context, session, witness, body)
        }
        (Claim::Checkpoint(_), None) => refuse(AttestError::NotAllowedToIssue),
        (Claim::Withdrawal(withdrawn), _) => {
            check_withdrawal(context, session, attest.issuer.id(), withdrawn)
        }
        _ => check_claim(context, session, attest),
    }
}

fn check_claim(context: &Context<'_>, session: &mut Session<'_>, attest: &Attest) -> Verdict {
    let judge = context.judge();
    let (issuer, subject) = (attest.issuer.id(), attest.subject.id());

    // The issuer's live claim carries the set it may issue; who issues is a group where the chain asks it.
    if matches!(attest.claim, Claim::Anchor | Claim::Issuer(_))
        && members_needed(&attest.subject) < context.spec.issuer_k_least
    {
        return refuse(AttestError::NotAllowedToIssue);
    }
    check_authority(judge.authority(session, issuer, &attest.claim)?)?;
    if let Some(site) = site_of(&attest.claim) {
        match judge.live_site(session, site)? {
            Some(live) if issuer == site || issuer == live.issuer => {}
            Some(_) => return refuse(AttestError::NotAllowedToIssue),
            None => return refuse(AttestError::IssuerNotLive),
        }
    }
    if matches!(attest.claim, Claim::Site(_))
        && judge.live_site(session, subject)?.is_some_and(|live| live.issuer != issuer)
    {
        return refuse(AttestError::NotAllowedToIssue);
    }
    if let Some(prev) = attest.prev {
        let renews = session.claim(&CoreId(prev))?.is_some_and(|held| {
            held.issuer == issuer
                && held.subject == subject
                && held.claim.number() == attest.claim.number()
        });
        if !renews {
            return refuse(AttestError::NotAllowedToIssue);
        }
    }

    if attest.subject_tag != NO_TAG && !tag_fits(session, issuer, subject, attest.subject_tag)? {
        return refuse(AttestError::DuplicateSubject);
    }
    if attest.from_h >= attest.to_h || attest.to_h <= context.height {
        let (from, to, height) = (attest.from_h, attest.to_h, context.height);
        return refuse(AttestError::WindowEmpty { from, to, height });
    }
    let kept = kept_holdings(context, session, attest)?;
    if kept.len() >= HOLDINGS_MAX {
        return Err(TransactionError::TooLarge("claims about one party").into());
    }
    if !matches!(attest.claim, Claim::Role { .. }) {
        let mut alike = 0;
        for core in kept {
            alike += usize::from(session.claim(&core)?.is_some_and(|held| {
                !is_over(context, &held) && held.claim.number() == attest.claim.number()
            }));
        }
        if alike >= HOLDINGS_KIND_MAX {
            return Err(TransactionError::TooLarge("claims of one kind about one party").into());
        }
    }
    Ok(())
}

fn check_withdrawal(
    context: &Context<'_>,
    session: &mut Session<'_>,
    by: PartyId,
    withdrawn: &Withdrawn,
) -> Verdict {
    let (issuer, claim) = match withdrawn {
        Withdrawn::Claim(core) => match session.claim(&CoreId(*core))? {
            Some(held) if held.withdrawn.is_none() => (held.issuer, held.claim.clone()),
            _ => return refuse(AttestError::NotAllowedToIssue),
        },
        Withdrawn::Model { issuer, model } => {
            if session.model_withdrawn(*issuer, *model)?.is_some() {
                return refuse(AttestError::NotAllowedToIssue);
            }
            (*issuer, Claim::Device { model: *model, firmware: [0; 32] })
        }
    };
    check_authority(context.judge().ancestry(session, by, issuer, &claim)?)
}

pub(super) fn apply(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
    attest: &Attest,
) -> Result<(), StoreError> {
    match (&attest.claim, attest.witness()) {
        (Claim::Checkpoint(body), Some(witness)) => checkpoint::apply(session, witness, body),
        (Claim::Withdrawal(withdrawn), _) => apply_withdrawal(context, session, withdrawn),
        _ => apply_claim(context, session, core, attest),
    }
}

fn apply_claim(
    context: &Context<'_>,
    session: &mut Session<'_>,
    core: CoreId,
    attest: &Attest,
) -> Result<(), StoreError> {
    let mut holdings = kept_holdings(context, session, attest)?;
    let held = held(context, attest);
    holdings.push(core);
    if held.tag != NO_TAG {
        let person = Person { issuer: held.issuer, tag: held.tag };
        session.put(&EntryKey::Tag(person), Some(&held.subject))?;
    }
    session.put_claim(core, &held, Some(&holdings))
}

fn apply_withdrawal(
    context: &Context<'_>,
    session: &mut Session<'_>,
    withdrawn: &Withdrawn,
) -> Result<(), StoreError> {
    let height = context.height;
    match withdrawn {
        Withdrawn::Claim(core) => {
            let core = CoreId(*core);
            let Some(held) = session.get::<HeldClaim>(&EntryKey::Claim(core))? else {
                return Ok(());
            };
            session.put_claim(core, &HeldClaim { withdrawn: Some(height), ..held }, None)
        }
        Withdrawn::Model { issuer, model } => {
            session.put(&EntryKey::Model(*issuer, *model), Some(&height))
        }
    }
}

/// Entries that stay for longer than the core id is remembered.
pub(super) fn new_entries(session: &mut Session<'_>, attest: &Attest) -> Result<u64, StoreError> {
    match (&attest.claim, attest.witness()) {
        (Claim::Checkpoint(_), Some(witness)) => {
            Ok(u64::from(session.get::<Point>(&EntryKey::Witness(witness))?.is_none()))
        }
        (Claim::Withdrawal(Withdrawn::Model { .. }), _) => Ok(1),
        (Claim::Checkpoint(_) | Claim::Withdrawal(_), _) => Ok(0),
        _ => {
            let (issuer, tag) = (attest.issuer.id(), attest.subject_tag);
            let is_first = session.holdings(attest.subject.id())?.is_empty();
            let is_new_tag = tag != NO_TAG
                && session.get::<PartyId>(&EntryKey::Tag(Person { issuer, tag }))?.is_none();
            Ok(1 + u64::from(is_first) + u64::from(is_new_tag))
        }
    }
}

fn held(context: &Context<'_>, attest: &Attest) -> HeldClaim {
    HeldClaim {
        issuer: attest.issuer.id(),
        subject: attest.subject.id(),
        claim: attest.claim.clone(),
        from_h: attest.from_h,
        to_h: attest.to_h,
        tag: attest.subject_tag,
        at: context.now(),
        withdrawn: None,
    }
}

/// The claims about the subject that stay in its list beside the new one.
fn kept_holdings(
    context: &Context<'_>,
    session: &mut Session<'_>,
    attest: &Attest,
) -> Result<Vec<CoreId>, StoreError> {
    let new = held(context, attest);
    let kind = |held: &HeldClaim| match &held.claim {
        Claim::Role { role, site } => (3, role.code(), *site),
        claim => (claim.number(), 0, site_of(claim)),
    };
    let mut kept = Vec::new();
    for core in session.holdings(new.subject)?.iter().copied() {
        let is_replaced = session.claim(&core)?.is_none_or(|held| {
            is_over(context, &held) && held.issuer == new.issuer && kind(&held) == kind(&new)
        });
        if !is_replaced {
            kept.push(core);
        }
    }
    Ok(kept)
}

fn is_over(context: &Context<'_>, held: &HeldClaim) -> bool {
    held.withdrawn.is_some() || held.to_h <= context.height
}

/// Whether a tag is free or the subject's already, and the subject has no other with this issuer.
fn tag_fits(
    session: &mut Session<'_>,
    issuer: PartyId,
    subject: PartyId,
    tag: [u8; 16],
) -> Result<bool, StoreError> {
    let owner = session.get::<PartyId>(&EntryKey::Tag(Person { issuer, tag }))?;
    if owner.is_some_and(|owner| owner != subject) {
        return Ok(false);
    }
    for core in session.holdings(subject)?.iter() {
        let has_other = session
            .claim(core)?
            .is_some_and(|held| held.issuer == issuer && held.tag != NO_TAG && held.tag != tag);
        if has_other {
            return Ok(false);
        }
    }
    Ok(true)
}

fn members_needed(party: &Party) -> u8 {
    match party {
        Party::Key(_) => 1,
        Party::Group(group) => group.k,
    }
}

fn check_authority(authority: Authority) -> Verdict {
    match authority {
        Authority::None => refuse(AttestError::NotAllowedToIssue),
        Authority::TooDeep => refuse(AttestError::ChainTooDeep),
        Authority::NotLive => refuse(AttestError::IssuerNotLive),
        Authority::Live => Ok(()),
    }
}

fn refuse(error: AttestError) -> Verdict {
    Err(TransactionError::from(error).into())
}
