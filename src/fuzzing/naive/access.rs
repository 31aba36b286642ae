//! Who may open a record, from the text of the nine clauses alone: sets and searches where
//! [`crate::ledger::policy`] counts bits, and every subset of keys where that one searches.

use std::collections::BTreeSet;

use crate::ledger::policy::{
    Approval, Asked, KnownBranch, Leaf, Moment, Place, RoleClaim, RoleRef, Site, Together, World,
};
use crate::ledger::signature::PubKey;

/// The number of the first clause that fails; `None` if the record is open.
#[must_use]
pub fn first_failed_clause(world: &World, asked: &Asked, leaf: &Leaf, at: Moment) -> Option<u8> {
    let done = asked.completed.is_some();
    (1..=9).find(|clause| {
        let holds = match clause {
            1 => world.standings.iter().rev().find(|(from, _)| *from <= at.height).is_some_and(
                |(_, standing)| {
                    asked.rid == world.rid
                        && standing.is_active
                        && standing.root.iter().any(|byte| *byte != 0)
                        && standing.seq == asked.seq
                },
            ),
            2 => done || leaf_is_in_policy(world, asked, leaf, at),
            3 => {
                let deadline = match asked.completed {
                    None => u64::from(asked.at.height) + u64::from(leaf.answer_within),
                    Some(completed) => {
                        let delay = u64::from(asked.at.height) + u64::from(leaf.delay);
                        delay.max(u64::from(completed.height)) + u64::from(leaf.read_within)
                    }
                };
                in_windows(leaf, at.median_time) && u64::from(at.height) <= deadline
            }
            4 => leaf.purposes.bits() & asked.purpose.code() != 0,
            5 => asked.role.is_some_and(|role| {
                role.root == Some(leaf.readers)
                    && counts(world, leaf, &asked.reader, &role.value, at).is_some()
            }),
            6 => asked.place.is_some_and(|place| {
                place.root == Some(leaf.places) && is_there(world, asked, leaf, place.value, at)
            }),
            7 => enough(world, asked, leaf, at, &voices(world, asked, leaf, at)),
            8 => done || are_together(world, asked, leaf, at),
            _ => {
                let waited = waited(asked.at, at, leaf.delay, world.spacing_s);
                let used = world
                    .branches
                    .iter()
                    .find(|known| known.seq == asked.seq && known.leaf.hash() == asked.leaf);
                let is_left = used.is_none_or(|known| known.reads < leaf.max_reads);
                waited && !asked.vetoed && (done || is_left)
            }
        };
        !holds
    })
}

/// Whether the keys, and nobody else, can open the record at a height from `now` to `within` blocks
/// later, every block on time: every request, approval and opening is tried.
#[must_use]
pub fn can_open(world: &World, keys: &BTreeSet<PubKey>, now: Moment, within: u32) -> bool {
    let moment = |ahead: u32| Moment {
        height: now.height + ahead,
        median_time: now.median_time + ahead * world.spacing_s,
    };
    let beacons: BTreeSet<PubKey> = world.beacons.iter().map(|claim| claim.key).collect();
    let speaking: Vec<Option<PubKey>> =
        std::iter::once(None).chain(keys.intersection(&beacons).copied().map(Some)).collect();
    world.branches.iter().any(|branch| {
        keys.iter().any(|reader| {
            branch.readers.iter().any(|role| {
                branch.places.iter().any(|place| {
                    speaking.iter().any(|beacon| {
                        (0..=within).any(|asked_after| {
                            let asked = ask(
                                world,
                                branch,
                                reader,
                                role,
                                place,
                                *beacon,
                                moment(asked_after),
                            );
                            let Some(asked) = asked else { return false };
                            (asked_after..=within).any(|approved_after| {
                                opens(
                                    world,
                                    branch,
                                    &asked,
                                    keys,
                                    moment(approved_after),
                                    |from| (from..=within).map(moment).collect(),
                                    approved_after,
                                )
                            })
                        })
                    })
                })
            })
        })
    })
}

/// The minimal sets of keys that can open the record: every subset of everybody is tried.
#[must_use]
pub fn who_can_open(world: &World, now: Moment, within: u32) -> Vec<Vec<PubKey>> {
    let everybody: BTreeSet<PubKey> = world
        .roles
        .iter()
        .map(|claim| claim.key)
        .chain(world.beacons.iter().map(|claim| claim.key))
        .collect();
    // More keys never hurt: nobody has to act.
    if !can_open(world, &everybody, now, within) {
        return Vec::new();
    }
    let everybody: Vec<PubKey> = everybody.into_iter().collect();
    let mut masks: Vec<u32> = (0..1_u32 << everybody.len()).collect();
    masks.sort_by_key(|mask| mask.count_ones());
    let mut minimal: Vec<u32> = Vec::new();
    for mask in masks {
        if minimal.iter().any(|smaller| smaller & mask == *smaller) {
            continue;
        }
        let members = everybody.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1);
        if can_open(world, &members.map(|(_, key)| *key).collect(), now, within) {
            minimal.push(mask);
        }
    }
    let mut sets: Vec<Vec<PubKey>> = minimal
        .into_iter()
        .map(|mask| {
            let members = everybody.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1);
            members.map(|(_, key)| *key).collect()
        })
        .collect();
    sets.sort();
    sets
}

fn leaf_is_in_policy(world: &World, asked: &Asked, leaf: &Leaf, at: Moment) -> bool {
    let begun = world.standings.iter().filter(|(from, _)| *from <= at.height);
    let Some((_, standing)) = begun.max_by_key(|(from, _)| *from) else { return false };
    let set = match leaf.set {
        0 => standing.sets[0],
        1 => standing.sets[1],
        _ => None,
    };
    asked.rid == world.rid
        && asked.root == Some(standing.root)
        && leaf.hash() == asked.leaf
        && leaf.check(world.spacing_s).is_ok()
        && set.is_some_and(|set| {
            (set.k..=set.n).contains(&leaf.k) && (leaf.set == 0 || set.required == 0)
        })
}

fn in_windows(leaf: &Leaf, time: u32) -> bool {
    let in_window = leaf.window.is_none_or(|window| window.from <= time && time < window.to);
    let in_day = leaf.daily.is_none_or(|daily| {
        // Walk from the first minute to the last, over midnight if need be.
        let minute = u16::try_from(time % 86_400 / 60).expect("below 1440");
        let mut at = daily.from;
        while at != daily.to {
            if at == minute {
                return true;
            }
            at = (at + 1) % 1440;
        }
        false
    });
    in_window && in_day
}

fn waited(start: Moment, at: Moment, blocks: u32, spacing_s: u32) -> bool {
    let half_seconds = i64::from(blocks) * i64::from(spacing_s);
    i64::from(at.height) - i64::from(start.height) >= i64::from(blocks)
        && (2 * (i64::from(at.median_time) - i64::from(start.median_time)) >= half_seconds
            || half_seconds == 0)
}

/// The claim by which a key counts in a role under a leaf.
fn counts<'a>(
    world: &'a World,
    leaf: &Leaf,
    key: &PubKey,
    role: &RoleRef,
    at: Moment,
) -> Option<&'a RoleClaim> {
    let mut live: Vec<&RoleClaim> = world
        .roles
        .iter()
        .filter(|claim| {
            claim.key == *key
                && claim.role == role.role
                && (claim.person.issuer == role.issuer || claim.site == Some(role.issuer))
                && claim.from_h <= at.height
                && at.height < claim.to_h
        })
        .collect();
    live.sort_by_key(|claim| claim.since);
    let oldest = *live.first()?;
    (leaf.set == 0 || waited(oldest.since, at, 144, world.spacing_s)).then_some(oldest)
}

fn live_sites<'a>(world: &'a World, beacon: &PubKey, at: Moment) -> Vec<&'a Site> {
    let here = world.beacons.iter().filter(|claim| claim.key == *beacon);
    let live = here.filter(|claim| claim.from_h <= at.height && at.height < claim.to_h);
    live.map(|claim| &claim.site).collect()
}

fn is_there(world: &World, asked: &Asked, leaf: &Leaf, place: Place, at: Moment) -> bool {
    if place == Place::Anywhere {
        return true;
    }
    let Some(heard) = asked.heard else { return false };
    let fresh = heard.anchor_h.is_some_and(|anchor| {
        u64::from(anchor) + u64::from(leaf.together_within) >= u64::from(asked.at.height)
    });
    heard.is_signer
        && fresh
        && live_sites(world, &heard.beacon, at).into_iter().any(|site| match place {
            Place::Anywhere => true,
            Place::Site(key) => key == site.key,
            Place::Cell(cell, issuer) => {
                let outside = site.cells.iter().filter(|inner| !cell.contains(**inner));
                site.issuer == issuer && outside.count() == 0 && !site.cells.is_empty()
            }
            Place::AnyEmergency => asked.person.is_some_and(|reader| {
                let vouched = site.emergency.iter().filter(|by| !by.contains(&reader.issuer));
                let behind = site.above.iter().chain([&site.issuer, &site.key]);
                vouched.count() > 0 && behind.filter(|by| **by == reader.issuer).count() == 0
            }),
        })
}

/// Approvals that count, the earlier of two by one person.
fn voices(world: &World, asked: &Asked, leaf: &Leaf, at: Moment) -> Vec<Approval> {
    let mut keys = BTreeSet::from([asked.reader]);
    let mut people: BTreeSet<_> = asked.person.into_iter().collect();
    let mut voices = Vec::new();
    for approval in &asked.approvals {
        let refused =
            approval.guardian.is_some_and(|index| index < 32 && asked.denied & (1 << index) != 0);
        let claim = counts(world, leaf, &approval.key, &approval.role, at);
        let is_live = claim.is_some_and(|claim| claim.person == approval.person);
        let is_new = !keys.contains(&approval.key) && !people.contains(&approval.person);
        if is_live && is_new && !refused {
            keys.insert(approval.key);
            people.insert(approval.person);
            voices.push(*approval);
        }
    }
    voices
}

fn enough(world: &World, asked: &Asked, leaf: &Leaf, at: Moment, voices: &[Approval]) -> bool {
    let guardians: BTreeSet<u8> =
        voices.iter().filter_map(|voice| voice.guardian).filter(|index| *index < 32).collect();
    let begun = world.standings.iter().filter(|(from, _)| *from <= at.height);
    let standing = begun.max_by_key(|(from, _)| *from).filter(|_| asked.rid == world.rid);
    let required = standing
        .and_then(|(_, standing)| *standing.sets.get(usize::from(leaf.set))?)
        .map_or(0, |set| set.required);
    leaf.need.iter().all(|need| {
        voices.iter().filter(|voice| voice.role == need.role).count() >= usize::from(need.count)
    }) && (0..32).all(|index| required & (1 << index) == 0 || guardians.contains(&index))
        && guardians.len() >= usize::from(leaf.k)
}

fn are_together(world: &World, asked: &Asked, leaf: &Leaf, at: Moment) -> bool {
    let voices = voices(world, asked, leaf, at);
    let fresh =
        |after: Option<u32>| after.is_some_and(|height| height + leaf.together_within >= at.height);
    let young: Vec<Approval> =
        voices.iter().copied().filter(|voice| fresh(voice.after_h)).collect();
    let enough = |voices: &[Approval]| enough(world, asked, leaf, at, voices);
    match leaf.together {
        Together::Apart => enough(&voices),
        Together::Within => fresh(asked.after_h) && enough(&young),
        Together::OneTransaction => {
            fresh(asked.after_h)
                && young.iter().any(|one| {
                    let same: Vec<Approval> =
                        young.iter().copied().filter(|other| other.core == one.core).collect();
                    enough(&same)
                })
        }
        Together::OneRound => asked.heard.is_some_and(|heard| {
            let same: Vec<Approval> =
                young.iter().copied().filter(|v| v.round == Some(heard.round)).collect();
            heard.is_signer
                && fresh(heard.anchor_h)
                && fresh(asked.after_h)
                && !live_sites(world, &heard.beacon, at).is_empty()
                && enough(&same)
        }),
    }
}

/// The request of a reader, if nothing refuses it.
fn ask(
    world: &World,
    branch: &KnownBranch,
    reader: &PubKey,
    role: &RoleRef,
    place: &Place,
    beacon: Option<PubKey>,
    at: Moment,
) -> Option<Asked> {
    use crate::ledger::policy::{Heard, Led};
    let leaf = &branch.leaf;
    let person = counts(world, leaf, reader, role, at)?.person;
    let (_, standing) = world.standings.iter().rev().find(|(from, _)| *from <= at.height)?;
    let heard = beacon.map(|beacon| Heard {
        beacon,
        round: [7; 32],
        is_signer: true,
        anchor_h: Some(at.height - 1),
    });
    let asked = Asked {
        rid: world.rid,
        seq: branch.seq,
        leaf: leaf.hash(),
        root: Some(standing.root),
        purpose: leaf.purposes.iter().next()?,
        reader: *reader,
        person: Some(person),
        role: Some(Led { value: *role, root: Some(leaf.readers) }),
        place: Some(Led { value: *place, root: Some(leaf.places) }),
        heard,
        after_h: Some(at.height - 1),
        at,
        approvals: Vec::new(),
        denied: 0,
        completed: None,
        vetoed: false,
    };
    let owes = leaf.set == 1 && world.owing.contains(&person);
    let failed = first_failed_clause(world, &asked, leaf, at);
    (!owes && failed.is_none_or(|clause| clause > 6)).then_some(asked)
}

/// Whether an approval by some of the keys at a moment completes the request, and it is open later.
fn opens(
    world: &World,
    branch: &KnownBranch,
    asked: &Asked,
    keys: &BTreeSet<PubKey>,
    at: Moment,
    from: impl Fn(u32) -> Vec<Moment>,
    after: u32,
) -> bool {
    let others: Vec<PubKey> = keys.iter().copied().filter(|key| *key != asked.reader).collect();
    let mut roles: BTreeSet<RoleRef> = BTreeSet::new();
    for claim in &world.roles {
        roles.insert(RoleRef { role: claim.role, issuer: claim.person.issuer });
        roles.extend(claim.site.map(|issuer| RoleRef { role: claim.role, issuer }));
    }
    let roles: Vec<RoleRef> = roles.into_iter().collect();
    let guardians = &world.guardians[usize::from(branch.leaf.set)];
    // Everybody approves as anything they are, or not at all.
    let options: Vec<Vec<Option<Approval>>> = others
        .iter()
        .map(|key| {
            let held = roles.iter().filter_map(|role| {
                let claim = counts(world, &branch.leaf, key, role, at)?;
                let index = guardians.iter().position(|guardian| guardian == key);
                Some(Some(Approval {
                    key: *key,
                    person: claim.person,
                    role: *role,
                    guardian: index.and_then(|index| u8::try_from(index).ok()),
                    round: Some([7; 32]),
                    after_h: Some(at.height - 1),
                    core: crate::ledger::transaction::CoreId([1; 32]),
                }))
            });
            std::iter::once(None).chain(held).collect()
        })
        .collect();
    // A fresh signature of the reader cannot be had later: the request is what it is.
    let fresh = Asked { approvals: Vec::new(), ..asked.clone() };
    let mut pick = vec![0; options.len()];
    loop {
        let approvals = pick.iter().zip(&options).filter_map(|(i, all)| all[*i]).collect();
        let complete = Asked { approvals, ..fresh.clone() };
        let failed = first_failed_clause(world, &complete, &branch.leaf, at);
        let is_waiting = failed == Some(9)
            && !waited(asked.at, at, branch.leaf.delay, world.spacing_s)
            && branch.reads < branch.leaf.max_reads;
        if failed.is_none() || is_waiting {
            let completed = Asked { completed: Some(at), ..complete };
            if from(after)
                .into_iter()
                .any(|later| first_failed_clause(world, &completed, &branch.leaf, later).is_none())
            {
                return true;
            }
        }
        let Some(next) = (0..pick.len()).find(|i| pick[*i] + 1 < options[*i].len()) else {
            return false;
        };
        pick[..next].fill(0);
        pick[next] += 1;
    }
}
