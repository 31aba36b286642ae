//! Who can open a record: the exact minimal sets of keys that, acting together and nobody else, lead to
//! an open request by some height, as policies and claims stand.
//!
//! A set holds the reader, the approvers, and the beacon where one has to speak. What the answer rests
//! on, besides the lists of the [`World`]:
//!
//! - no claim is made or withdrawn and nothing is granted meanwhile: those who may do that (issuers,
//!   sites, owners after their delay) stand behind every answer and are not repeated in it;
//! - every block takes the nominal spacing, so that windows can be placed in time;
//! - the reader has the price, and no beacon or block is late.

use std::collections::BTreeSet;

use super::allow::{EMERGENCY_CLAIM_BLOCKS, role_fault};
use super::asked::{Holding, Site, Threshold};
use super::world::{KnownBranch, World};
use super::{Moment, Place, RoleRef, Together};
use crate::ledger::signature::PubKey;
use crate::ledger::state::Person;

/// Sets that are looked at before the answer is given up as too long.
pub const SETS_MAX: usize = 20_000;

/// One minimal set, with the transactions by which it opens the record first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Everybody who has to act, ascending.
    pub keys: Vec<PubKey>,
    /// Index of the branch.
    pub branch: usize,
    /// Who sends the request.
    pub reader: PubKey,
    /// As what.
    pub role: RoleRef,
    /// Where.
    pub place: Place,
    /// Who says that they are there.
    pub beacon: Option<PubKey>,
    /// Who approves, as what.
    pub approvers: Vec<(PubKey, RoleRef)>,
    /// Height of the block that takes the request.
    pub request_h: u32,
    /// Height of the block that takes the approval.
    pub approve_h: u32,
    /// Height from which it is open.
    pub open_h: u32,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Openers {
    /// The minimal sets, in the order of their keys; none contains another.
    pub ways: Vec<Way>,
    /// Keys in every set: without any one of them nobody opens the record.
    pub single_points: Vec<PubKey>,
    /// What may lock everybody out.
    pub risks: Vec<Risk>,
}

/// What may lock everybody out of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Risk {
    /// No set of keys opens it in this time.
    LockedOut,
    /// Fewer guardians of a share set hold a role at the end than it takes to rebuild the key, so not
    /// even another policy opens it.
    TooFewGuardians {
        /// The share set.
        set: u8,
        /// Guardians that hold a live role.
        live: u8,
        /// How many it takes.
        k: u8,
    },
    /// A guardian without whom no combination gives the key holds no live role at the end.
    RequiredNotLive {
        /// The share set.
        set: u8,
        /// Index of the guardian.
        index: u8,
    },
    /// After this height, which lies within the time asked about, no request opens.
    EndsAt(u32),
}

/// More sets than anybody would read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {SETS_MAX} sets of keys")]
pub struct TooMany;

/// The minimal sets of keys that can open the record at a height up to `within` blocks after `now`, the
/// moment of the next block.
///
/// # Errors
///
/// If there are too many to tell.
pub fn who_can_open(world: &World, now: Moment, within: u32) -> Result<Openers, TooMany> {
    let mut search =
        Search { world, now, last: now.height.saturating_add(within), found: Vec::new() };
    let mut last_open = None;
    for (index, branch) in world.branches.iter().enumerate() {
        if !is_usable(world, branch) {
            continue;
        }
        for times in search.times(branch) {
            if search.branch(index, branch, times)? {
                last_open = last_open.max(Some(times.open_until));
            }
        }
    }
    let ways = minimal(search.found);
    let single_points = match ways.split_first() {
        None => Vec::new(),
        Some((first, rest)) => {
            let in_all = |key: &&PubKey| rest.iter().all(|way| way.keys.binary_search(key).is_ok());
            first.keys.iter().filter(in_all).copied().collect()
        }
    };
    let last = now.height.saturating_add(within);
    let risks = risks(world, last, last_open, !ways.is_empty());
    Ok(Openers { ways, single_points, risks })
}

/// When a request is accepted, completed and open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Times {
    request: u32,
    approve: u32,
    open: u32,
    /// Last height of the stretch of `open`.
    open_until: u32,
}

/// Somebody who may approve, at the time of the approval.
#[derive(Debug, Clone)]
struct Candidate {
    key: PubKey,
    guardian: Option<u8>,
    /// Roles that count as this person, first those that the leaf needs.
    roles: Vec<(RoleRef, Person)>,
}

struct Search<'a> {
    world: &'a World,
    now: Moment,
    last: u32,
    found: Vec<Way>,
}

/// Approvers chosen so far, by index of the candidate and of its role.
type Chosen = Vec<(usize, usize)>;

fn is_usable(world: &World, branch: &KnownBranch) -> bool {
    branch.leaf.check(world.spacing_s).is_ok() && branch.reads < branch.leaf.max_reads
}

impl Search<'_> {
    /// The moment of a height, every block on time.
    fn moment(&self, height: u32) -> Moment {
        self.now.at(height, self.world.spacing_s)
    }

    /// Every combination of times that can make a difference: heights between which nothing changes for
    /// the branch stand for one another, so of each stretch the first that does is enough.
    fn times(&self, branch: &KnownBranch) -> Vec<Times> {
        let leaf = &branch.leaf;
        let mut stretches: Vec<(u32, u32)> = Vec::new();
        let mut stretch_of = Vec::new();
        let mut before = None;
        for height in self.now.height..=self.last {
            let snapshot = self.snapshot(branch, height);
            match stretches.last_mut().filter(|_| before.as_ref() == Some(&snapshot)) {
                Some((_, end)) => *end = height,
                None => stretches.push((height, height)),
            }
            stretch_of.push(stretches.len() - 1);
            before = Some(snapshot);
        }
        let stretch = |height: u32| stretch_of.get((height - self.now.height) as usize).copied();
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for request in self.now.height..=self.last {
            let mut answer_by = request.saturating_add(leaf.answer_within).min(self.last);
            if leaf.together != Together::Apart {
                // At best the reader signs on top of the block before the one that takes the request.
                let signed = request.saturating_sub(1);
                answer_by = answer_by.min(signed.saturating_add(leaf.together_within));
            }
            let waited = request.saturating_add(leaf.delay);
            for (start, end) in &stretches {
                let (first, last) = ((*start).max(request), (*end).min(answer_by));
                // Approved at once, and approved when the delay is over.
                for approve in [first, first.max(waited)] {
                    let open = approve.max(waited);
                    if approve > last || open > self.last {
                        continue;
                    }
                    let kind = (stretch(request), stretch(approve), stretch(open));
                    if seen.insert(kind) {
                        let open_until = stretch(open).map_or(open, |at| stretches[at].1);
                        all.push(Times { request, approve, open, open_until });
                    }
                }
            }
        }
        all.sort_by_key(|times| times.open);
        all
    }

    /// Everything that depends on the height.
    fn snapshot(&self, branch: &KnownBranch, height: u32) -> (Option<[u32; 2]>, Vec<bool>) {
        let at = self.moment(height);
        let standing = self.world.standing_at(height);
        let number = standing.map(|standing| [standing.seq, u32::from(standing.is_active)]);
        let roles = self.world.roles.iter().flat_map(|claim| {
            let wait = EMERGENCY_CLAIM_BLOCKS;
            [claim.is_live(height), at.has_waited(claim.since, wait, self.world.spacing_s)]
        });
        let beacons = self.world.beacons.iter();
        let beacons = beacons.map(|claim| (claim.from_h..claim.to_h).contains(&height));
        let window = branch.leaf.is_within(at.median_time);
        (number, roles.chain(beacons).chain([window]).collect())
    }

    /// Notes every minimal choice of approvers for every reader and place; whether there is any.
    fn branch(
        &mut self,
        index: usize,
        branch: &KnownBranch,
        times: Times,
    ) -> Result<bool, TooMany> {
        let heights = [times.request, times.approve, times.open];
        let in_force = |height: u32| {
            self.world.standing_at(height).is_some_and(|standing| {
                standing.is_active && standing.seq == branch.seq && standing.root != [0; 32]
            }) && branch.leaf.is_within(self.moment(height).median_time)
        };
        let set = self.world.standing_at(times.approve);
        let set = set.and_then(|standing| standing.sets.get(usize::from(branch.leaf.set)).copied());
        let Some(set) = set.flatten().filter(|set| fits(branch, *set)) else { return Ok(false) };
        if !heights.into_iter().all(in_force) {
            return Ok(false);
        }
        let mut any = false;
        let keys: BTreeSet<PubKey> = self.world.roles.iter().map(|claim| claim.key).collect();
        for reader in &keys {
            for role in &branch.readers {
                let lives =
                    heights.iter().all(|h| self.effective(branch, reader, role, *h).is_some());
                let holding = self.effective(branch, reader, role, times.request);
                let Some(holding) = holding.filter(|_| lives) else { continue };
                if branch.leaf.is_emergency() && self.world.owing.contains(&holding.person) {
                    continue;
                }
                let candidates = self.candidates(branch, *reader, holding.person, times);
                let mut choices = BTreeSet::new();
                choose(branch, set, &candidates, &mut Vec::new(), &mut choices)?;
                if choices.is_empty() {
                    continue;
                }
                for (place, beacon) in self.places(branch, holding.person, times) {
                    any = true;
                    for choice in &choices {
                        let approvers: Vec<_> = choice
                            .iter()
                            .map(|(who, role)| {
                                (candidates[*who].key, candidates[*who].roles[*role].0)
                            })
                            .collect();
                        let mut keys: Vec<PubKey> = approvers.iter().map(|(key, _)| *key).collect();
                        keys.push(*reader);
                        keys.extend(beacon);
                        keys.sort_unstable();
                        keys.dedup();
                        self.found.push(Way {
                            keys,
                            branch: index,
                            reader: *reader,
                            role: *role,
                            place,
                            beacon,
                            approvers,
                            request_h: times.request,
                            approve_h: times.approve,
                            open_h: times.open,
                        });
                    }
                    if self.found.len() > SETS_MAX {
                        self.found = minimal(std::mem::take(&mut self.found));
                    }
                    if self.found.len() > SETS_MAX {
                        return Err(TooMany);
                    }
                }
            }
        }
        Ok(any)
    }

    /// The holding of a key in a role, if it counts under the leaf at a height.
    fn effective(
        &self,
        branch: &KnownBranch,
        key: &PubKey,
        role: &RoleRef,
        height: u32,
    ) -> Option<Holding> {
        let (at, spacing_s) = (self.moment(height), self.world.spacing_s);
        let holding = self.world.holding_at(key, role, height);
        let fault = role_fault(holding.as_ref(), *role, &branch.leaf, at, spacing_s);
        holding.filter(|_| fault.is_none())
    }

    /// Places where the reader can be, each with the beacon that has to speak.
    fn places(
        &self,
        branch: &KnownBranch,
        reader: Person,
        times: Times,
    ) -> Vec<(Place, Option<PubKey>)> {
        let round = branch.leaf.together == Together::OneRound;
        let beacons: BTreeSet<PubKey> = self.world.beacons.iter().map(|claim| claim.key).collect();
        let mut found = Vec::new();
        for place in &branch.places {
            if *place == Place::Anywhere && !round {
                found.push((*place, None));
                continue;
            }
            for beacon in &beacons {
                let is_at = |height: u32| {
                    self.world.beacons.iter().any(|claim| {
                        claim.key == *beacon
                            && (claim.from_h..claim.to_h).contains(&height)
                            && stands_at(&claim.site, *place, reader)
                    })
                };
                let heights = [times.request, times.approve, times.open];
                // A round anywhere needs the beacon only while it is judged.
                let needed = if *place == Place::Anywhere { &heights[1..2] } else { &heights[..] };
                if needed.iter().all(|height| is_at(*height)) {
                    found.push((*place, Some(*beacon)));
                }
            }
        }
        found
    }

    /// Everybody but the reader who can count as an approver from the approval until it is open.
    fn candidates(
        &self,
        branch: &KnownBranch,
        reader: PubKey,
        person: Person,
        times: Times,
    ) -> Vec<Candidate> {
        let keys: BTreeSet<PubKey> = self.world.roles.iter().map(|claim| claim.key).collect();
        let guardians = self.world.guardians.get(usize::from(branch.leaf.set));
        let guardians = guardians.map_or(&[][..], Vec::as_slice);
        let mut candidates = Vec::new();
        for key in keys.into_iter().filter(|key| *key != reader) {
            let needed = branch.leaf.need.iter().map(|need| need.role);
            let own = self.world.roles.iter().filter(|claim| claim.key == key).flat_map(|claim| {
                let by = |issuer| RoleRef { role: claim.role, issuer };
                [Some(by(claim.person.issuer)), claim.site.map(by)].into_iter().flatten()
            });
            let mut roles: Vec<(RoleRef, Person)> = Vec::new();
            for role in needed.chain(own) {
                if roles.iter().any(|(known, _)| *known == role) {
                    continue;
                }
                let [then, later] = [times.approve, times.open]
                    .map(|height| self.effective(branch, &key, &role, height));
                if let (Some(then), Some(later)) = (then, later)
                    && then.person == later.person
                    && then.person != person
                {
                    roles.push((role, then.person));
                }
            }
            let index = guardians.iter().position(|guardian| *guardian == key);
            let guardian = index.and_then(|index| u8::try_from(index).ok());
            if !roles.is_empty() {
                candidates.push(Candidate { key, guardian, roles });
            }
        }
        candidates
    }
}

fn fits(branch: &KnownBranch, set: Threshold) -> bool {
    let leaf = &branch.leaf;
    leaf.k >= set.k && leaf.k <= set.n && (!leaf.is_emergency() || set.required == 0)
}

fn stands_at(site: &Site, place: Place, reader: Person) -> bool {
    match place {
        Place::Anywhere => true,
        Place::Site(key) => site.key == key,
        Place::Cell(cell, issuer) => {
            site.issuer == issuer
                && !site.cells.is_empty()
                && site.cells.iter().all(|inner| cell.contains(*inner))
        }
        Place::AnyEmergency => site.is_emergency_besides(reader.issuer),
    }
}

/// Collects choices of approvers, every minimal one among them: whatever is missing first is supplied by
/// everybody who can.
fn choose(
    branch: &KnownBranch,
    set: Threshold,
    candidates: &[Candidate],
    chosen: &mut Chosen,
    choices: &mut BTreeSet<Chosen>,
) -> Result<(), TooMany> {
    let guardians = chosen.iter().filter_map(|(who, _)| candidates[*who].guardian);
    let guardians =
        guardians.fold(0_u32, |all, index| all | 1_u32.checked_shl(index.into()).unwrap_or(0));
    let count = |role: RoleRef| {
        chosen.iter().filter(|(who, as_)| candidates[*who].roles[*as_].0 == role).count()
    };
    let missing = set.required & !guardians;
    let short = branch.leaf.need.iter().find(|need| count(need.role) < usize::from(need.count));
    let wants = |candidate: &Candidate, role: RoleRef| -> bool {
        if missing != 0 {
            let first = missing.trailing_zeros();
            candidate.guardian.is_some_and(|index| u32::from(index) == first)
        } else if let Some(short) = short {
            role == short.role
        } else {
            candidate.guardian.is_some()
        }
    };
    if missing == 0 && short.is_none() && guardians.count_ones() >= u32::from(branch.leaf.k) {
        let mut choice = chosen.clone();
        choice.sort_unstable();
        choices.insert(choice);
        return if choices.len() > SETS_MAX { Err(TooMany) } else { Ok(()) };
    }
    for (who, candidate) in candidates.iter().enumerate() {
        if chosen.iter().any(|(other, _)| *other == who) {
            continue;
        }
        for (role, (as_, person)) in candidate.roles.iter().enumerate() {
            let is_new = chosen.iter().all(|(w, r)| candidates[*w].roles[*r].1 != *person);
            if is_new && wants(candidate, *as_) {
                chosen.push((who, role));
                choose(branch, set, candidates, chosen, choices)?;
                chosen.pop();
            }
        }
    }
    Ok(())
}

/// The sets that contain no other, of equal ones the first to open.
fn minimal(mut ways: Vec<Way>) -> Vec<Way> {
    ways.sort_by(|a, b| (a.keys.len(), &a.keys, a.open_h).cmp(&(b.keys.len(), &b.keys, b.open_h)));
    ways.dedup_by(|b, a| a.keys == b.keys);
    let mut kept: Vec<Way> = Vec::new();
    for way in ways {
        let contains =
            |other: &Way| other.keys.iter().all(|key| way.keys.binary_search(key).is_ok());
        if !kept.iter().any(contains) {
            kept.push(way);
        }
    }
    kept.sort_by(|a, b| a.keys.cmp(&b.keys));
    kept
}

fn risks(world: &World, last: u32, last_open: Option<u32>, any: bool) -> Vec<Risk> {
    let mut risks = Vec::new();
    if !any {
        risks.push(Risk::LockedOut);
    }
    let sets = world.standing_at(last).map_or([None; 2], |standing| standing.sets);
    for ((number, set), guardians) in (0_u8..).zip(sets).zip(&world.guardians) {
        let Some(set) = set else { continue };
        let is_live =
            |key: &PubKey| world.roles.iter().any(|claim| claim.key == *key && claim.is_live(last));
        let live = guardians.iter().filter(|key| is_live(key)).count();
        let live = u8::try_from(live).unwrap_or(u8::MAX);
        if live < set.k {
            risks.push(Risk::TooFewGuardians { set: number, live, k: set.k });
        }
        for index in 0..32_u8 {
            let is_held = guardians.get(usize::from(index)).is_some_and(is_live);
            if set.required >> index & 1 == 1 && !is_held {
                risks.push(Risk::RequiredNotLive { set: number, index });
            }
        }
    }
    if let Some(end) = last_open.filter(|end| *end < last) {
        risks.push(Risk::EndsAt(end));
    }
    risks
}
