//! Everything around one record as plain lists, for whoever asks who can open it: claims flattened to the
//! heights at which they hold, with whatever they rest on, as the state stands and every block on time.

use std::collections::BTreeSet;

use super::read::Eyes;
use crate::ledger::policy::{
    AccessRead as _, BeaconClaim, Judge, KnownBranch, RoleClaim, RoleRef, World, is_role,
};
use crate::ledger::rules::context::Context;
use crate::ledger::signature::PubKey;
use crate::ledger::state::{HeldClaim, Person, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::attest::Claim;

/// What is asked about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    /// The record.
    pub rid: PubKey,
    /// The branches that the asker knows; how often each was used is looked up.
    pub branches: Vec<KnownBranch>,
    /// The guardians that the asker knows, by share set and index.
    pub guardians: [Vec<PubKey>; 2],
    /// Up to how many blocks after the next.
    pub within: u32,
}

/// Gathers the world of a record, of all `claims` those that can matter.
///
/// # Errors
///
/// If the store cannot be read.
pub fn world(
    context: &Context<'_>,
    session: &mut Session<'_>,
    claims: &[HeldClaim],
    mut around: Around,
) -> Result<World, StoreError> {
    let (now, judge) = (context.now(), context.judge());
    let spacing_s = context.spec.spacing_s;
    let last = now.height.saturating_add(around.within);
    let changes = changes(claims, &judge, last);

    let mut roles = Vec::new();
    for held in claims.iter().filter(|held| matters(held, &around)) {
        roles.extend(holdings(session, &judge, held, &changes)?);
    }
    let eyes = Eyes::new(context, session);
    let mut standings = Vec::new();
    for height in now.height..=last {
        let standing = eyes.standing(&around.rid, now.at(height, spacing_s))?;
        let known = standings.last().map(|(_, standing)| *standing);
        standings.extend(standing.filter(|new| known != Some(*new)).map(|new| (height, new)));
    }
    for branch in &mut around.branches {
        branch.reads = eyes.reads(&around.rid, branch.seq, &branch.leaf.hash())?;
    }
    let is_beacon = |held: &&HeldClaim| matches!(held.claim, Claim::Beacon { .. });
    let keys: BTreeSet<PubKey> =
        claims.iter().filter(is_beacon).map(|held| PubKey(held.subject.0)).collect();
    let mut beacons: Vec<BeaconClaim> = Vec::new();
    for key in keys {
        let begin = beacons.len();
        for (from_h, to_h) in stretches(&changes) {
            for site in eyes.sites(&key, now.at(from_h, spacing_s))?.iter() {
                let same = beacons[begin..]
                    .iter_mut()
                    .find(|claim| claim.to_h == from_h && claim.site == *site);
                match same {
                    Some(claim) => claim.to_h = to_h,
                    None => {
                        let site = site.clone();
                        beacons.push(BeaconClaim { key, site, from_h, to_h });
                    }
                }
            }
        }
    }
    let people: BTreeSet<Person> = roles.iter().map(|claim: &RoleClaim| claim.person).collect();
    let mut owing = Vec::new();
    for person in people {
        if eyes.owes_review(&person, now)? {
            owing.push(person);
        }
    }
    let Around { rid, branches, guardians, .. } = around;
    Ok(World { rid, spacing_s, standings, roles, beacons, branches, guardians, owing })
}

/// Whether a claim gives a role by which somebody may read, is needed, or guards.
fn matters(held: &HeldClaim, around: &Around) -> bool {
    if !matches!(held.claim, Claim::Role { .. }) {
        return false;
    }
    let is_guardian =
        around.guardians.iter().flatten().any(|guardian| guardian.0 == held.subject.0);
    let named = |role: &RoleRef| is_role(held, *role);
    is_guardian
        || around.branches.iter().any(|branch| {
            branch.readers.iter().any(named)
                || branch.leaf.need.iter().any(|need| named(&need.role))
        })
}

/// The heights, the next block's first, at which a claim may begin or end to hold.
fn changes(claims: &[HeldClaim], judge: &Judge, last: u32) -> Vec<u32> {
    let now = judge.now;
    let mut heights = BTreeSet::from([now.height]);
    for held in claims {
        let delayed = held.at.height.saturating_add(judge.claim_delay);
        let by_time = now.first_after_wait(held.at, judge.claim_delay, judge.spacing_s);
        heights.extend([held.from_h, held.to_h, delayed, by_time]);
    }
    heights.retain(|height| (now.height..=last).contains(height));
    heights.into_iter().collect()
}

/// From each change to the next; the last stretch has no end.
fn stretches(changes: &[u32]) -> impl Iterator<Item = (u32, u32)> {
    let ends = changes.iter().skip(1).copied().chain([u32::MAX]);
    changes.iter().copied().zip(ends)
}

/// The stretches of heights at which a claim about a role holds.
fn holdings(
    session: &mut Session<'_>,
    judge: &Judge,
    held: &HeldClaim,
    changes: &[u32],
) -> Result<Vec<RoleClaim>, StoreError> {
    let Claim::Role { role, site } = held.claim else { return Ok(Vec::new()) };
    let mut found: Vec<RoleClaim> = Vec::new();
    for (from_h, to_h) in stretches(changes) {
        let then = Judge { now: judge.now.at(from_h, judge.spacing_s), ..*judge };
        if !then.is_live(session, held)? {
            continue;
        }
        match found.last_mut().filter(|claim| claim.to_h == from_h) {
            Some(claim) => claim.to_h = to_h,
            None => found.push(RoleClaim {
                key: PubKey(held.subject.0),
                person: Person { issuer: held.issuer, tag: held.tag },
                role,
                site,
                from_h,
                to_h,
                since: held.at,
            }),
        }
    }
    Ok(found)
}
