//! Who else says so: witnesses whose word counts, and a beacon.

use super::ending::Sources;
use super::{MoveError, Verdict, refuse};
use crate::ledger::policy::TOGETHER_WITHIN_DEFAULT;
use crate::ledger::rules::context::{Context, anchor_height};
use crate::ledger::state::{HeldLot, Person, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::attest::Claim;
use crate::ledger::transaction::lot::Step;
use crate::ledger::transaction::{LotId, Move, PartyId};
use crate::primitives::BlockHash;

pub(super) fn check(
    context: &Context<'_>,
    session: &mut Session<'_>,
    body: &Move,
    lots: &[(LotId, HeldLot)],
    sources: &Sources,
) -> Verdict {
    let inherited = lots.iter().map(|(_, held)| held.min_witness).max().unwrap_or(0);
    let least = match &body.step {
        Step::Make { min_witness, .. } => inherited.max(*min_witness),
        _ => inherited,
    };
    let needed = usize::from(least).max(body.witnesses.len());
    let counted = count(context, session, body, &concerned(body, lots, sources))?;
    if counted < needed {
        return refuse(MoveError::TooFewWitnesses { needed, counted });
    }
    if is_present(context, session, body)? { Ok(()) } else { refuse(MoveError::NoPresence) }
}

/// Giver, receiver and the makers of every origin: none of them is a witness.
fn concerned(body: &Move, lots: &[(LotId, HeldLot)], sources: &Sources) -> Vec<PartyId> {
    let mut concerned = vec![body.by.id()];
    // Members of a group that acts are not beside it.
    concerned.extend(body.by.keys().into_iter().map(PartyId::from));
    concerned.extend(lots.iter().map(|(_, held)| held.holder));
    concerned.extend(sources.makers());
    if let Step::Ship { to, .. } = &body.step {
        concerned.push(*to);
    }
    concerned
}

/// How many witnesses are live persons, each counted once, who are not concerned.
fn count(
    context: &Context<'_>,
    session: &mut Session<'_>,
    body: &Move,
    concerned: &[PartyId],
) -> Result<usize, StoreError> {
    let (mut keys, mut persons) = (Vec::new(), Vec::new());
    for witness in &body.witnesses {
        let party = PartyId::from(witness.key);
        if concerned.contains(&party) || keys.contains(&party) {
            continue;
        }
        let Some((_, held)) = context.judge().live_role(session, party, witness.role)? else {
            continue;
        };
        let person = Person { issuer: held.issuer, tag: held.tag };
        if !persons.contains(&person) {
            keys.push(party);
            persons.push(person);
        }
    }
    Ok(persons.len())
}

/// Whether the presence, if there is one, says that a live beacon of the site has just heard who acts.
fn is_present(
    context: &Context<'_>,
    session: &mut Session<'_>,
    body: &Move,
) -> Result<bool, StoreError> {
    let Some(presence) = &body.presence else { return Ok(true) };
    let Some(at) = body.site else { return Ok(false) };
    let oldest = context.height.saturating_sub(TOGETHER_WITHIN_DEFAULT);
    let anchor = anchor_height(context, &BlockHash(presence.anchor))?;
    if anchor.is_none_or(|height| height < oldest)
        || !body.by.signers().into_iter().any(|key| presence.is_of(key))
    {
        return Ok(false);
    }
    let judge = context.judge();
    let beacon = judge.live_claim(
        session,
        presence.beacon.into(),
        &|held| matches!(held.claim, Claim::Beacon { site } if site == at),
    )?;
    Ok(beacon.is_some())
}
