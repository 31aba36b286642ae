//! Random histories of claims, records, grants, requests, approvals and receipts from printed seeds: what a
//! block changes can be undone exactly, the root is that of all entries, and every way of judging blocks agrees.
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "common/access.rs"]
mod access;
#[path = "common/ledger.rs"]
mod ledger;
#[path = "common/replay.rs"]
mod replay;

use std::collections::BTreeMap;

use access::*;
use ledger::*;
use proofward::engine::nodes::NodeKernel;
use proofward::fuzzing::forge::SplitMix64;
use proofward::fuzzing::naive::state_root;
use proofward::ledger::policy::{
    Draft, Entry as _, Guardian, Leaf, Place, PolicyTree, Presence, Purpose, Purposes, Role,
    RoleRef, Roll, Tree,
};
use proofward::ledger::signature::{PubKey, Sig};
use proofward::ledger::spec::Spec;
use proofward::ledger::state::{
    EntryKey, EntryValue, HeldClaim, HeldRequest, RequestStatus, StateRead as _,
};
use proofward::ledger::transaction::approve::{Approver, GuardianProof};
use proofward::ledger::transaction::attest::{Claim, IssuerSet, Withdrawn};
use proofward::ledger::transaction::receipt::Outcome;
use proofward::ledger::transaction::record::{Previous, ShareSet};
use proofward::ledger::transaction::request::{PlaceProof, RoleProof};
use proofward::ledger::transaction::{
    Approve, Attest, Body, CoreId, Grant, Receipt, Record, Request, Transaction,
};
use proofward::ledger::tree::{MemoryPages, ValueHash, update};
use replay::{Base, hash_of, judge_block, unsigned};

/// A record with what its owner knows.
struct Known {
    rid: PubKey,
    epoch: u32,
    last_seq: u32,
    policies: Vec<(u32, PolicyTree)>,
    guardians: Vec<PubKey>,
    /// Their places in the two share sets.
    trees: [Tree; 2],
}

/// Makes transactions that often hold.
struct Actors {
    random: SplitMix64,
    spec: Spec,
    keys: Vec<PubKey>,
    claims: Vec<CoreId>,
    records: Vec<Known>,
    /// Requests that were accepted, refused or not.
    requests: Vec<CoreId>,
    nonce: u64,
}

const PEOPLE: u32 = 12;
const SITES: std::ops::Range<usize> = 12..15;
const BEACONS: std::ops::Range<usize> = 15..18;
const ISSUERS: std::ops::Range<usize> = 18..21;

impl Actors {
    fn anchor(&self) -> PubKey {
        self.spec.anchors.keys[0]
    }

    fn one_of(&mut self, range: std::ops::Range<usize>) -> PubKey {
        *self.random.pick(&self.keys[range]).unwrap()
    }

    fn person(&mut self) -> (PubKey, u8) {
        let at = self.random.number(PEOPLE);
        (self.keys[usize::try_from(at).unwrap()], u8::try_from(at + 1).unwrap())
    }

    fn attest(&mut self, height: u32) -> Body {
        let (person, tag) = self.person();
        let (site, beacon) = (self.one_of(SITES), self.one_of(BEACONS));
        let issuer = self.one_of(ISSUERS);
        let roles = [Role::Physician, Role::Nurse, Role::EmergencyClinician];
        let role = *self.random.pick(&roles).unwrap();
        let (by, about, claim, tag) = match self.random.number(10) {
            0 => (self.anchor(), issuer, Claim::Issuer(IssuerSet::ALL), 0),
            1 => (issuer, self.one_of(ISSUERS), Claim::Issuer(IssuerSet::ALL), 0),
            2 => (issuer, site, Claim::Site(vec![CELL]), 0),
            3 => (issuer, beacon, Claim::Beacon { site: site.into() }, 0),
            4 => (site, site, Claim::Emergency { site: site.into() }, 0),
            5 => (issuer, person, Claim::Role { role, site: Some(site.into()) }, tag),
            _ => (issuer, person, Claim::Role { role, site: None }, tag),
        };
        let (from_h, to_h) = (height.saturating_sub(5), height + 1 + self.random.number(600));
        Body::Attest(Attest {
            issuer: by.into(),
            subject: about.into(),
            claim,
            from_h,
            to_h,
            subject_tag: [tag; 16],
            evidence: [0; 32],
            prev: None,
        })
    }

    fn withdrawal(&mut self) -> Body {
        let by = if self.random.number(2) == 0 { self.anchor() } else { self.one_of(ISSUERS) };
        let claim = self.random.pick(&self.claims).map_or([0; 32], |claim| claim.0);
        Body::Attest(Attest::withdrawal(by.into(), Withdrawn::Claim(claim), [0; 32]))
    }

    fn policy(&mut self) -> PolicyTree {
        let issuer = self.one_of(ISSUERS);
        let site = self.one_of(SITES);
        let emergency = self.random.number(3) == 0;
        let (role, place, set, purpose) = if emergency {
            (Role::EmergencyClinician, Place::AnyEmergency, 1, Purpose::BreakGlass)
        } else if self.random.number(2) == 0 {
            (Role::Physician, Place::Anywhere, 0, Purpose::Treat)
        } else {
            (Role::Nurse, Place::Site(site.into()), 0, Purpose::Treat)
        };
        let terms = Leaf {
            set,
            purposes: Purposes::of(&[purpose]),
            answer_within: 1 + self.random.number(40),
            ..terms()
        };
        let readers = vec![RoleRef { role, issuer: issuer.into() }];
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.random.next_u64().to_le_bytes());
        PolicyTree::build(&seed, 1, &[Draft { terms, readers, places: vec![place] }]).unwrap()
    }

    fn record(&mut self, replaces: bool) -> Body {
        let number = 1000 + u32::try_from(self.nonce).unwrap();
        let rid = Key::new(number).public();
        let owner = self.keys[0];
        let policy = self.policy();
        let old = if replaces { self.random.pick(&self.records) } else { None };
        let prev = old.map(|old| Previous { rid: old.rid, owners: owner.into() });
        let epoch = old.map_or(0, |old| old.epoch + 1);
        let guardians: Vec<PubKey> = (0..3).map(|_| self.person().0).collect();
        let trees = [0, 1].map(|set| {
            let seats = (0_u8..).zip(&guardians);
            let leaves = seats.map(|(index, key)| {
                Guardian { rid, epoch, set, index, key: *key }.leaf(&[index; 16])
            });
            Tree::new(leaves.chain([[9; 32]]).collect()).unwrap()
        });
        let share_sets = trees.iter().map(|tree| {
            let guardians_root = tree.root();
            ShareSet { n: 3, k: 2, shares_root: [0; 32], guardians_root, required: 0 }
        });
        let share_sets = share_sets.collect();
        let (policy_root, policies) = (policy.root(), vec![(0, policy)]);
        self.records.push(Known { rid, epoch, last_seq: 0, policies, guardians, trees });
        Body::Record(Record {
            rid,
            owners: owner.into(),
            blob: [0; 32],
            pointer: [0; 32],
            epoch,
            share_sets,
            payout: owner,
            policy_root,
            grant_delay: 1 + self.random.number(6),
            prev,
        })
    }

    fn grant(&mut self, height: u32) -> Option<Body> {
        let (policy, revokes) = (self.policy(), self.random.number(3) == 0);
        let ahead = self.random.number(10);
        let at = self.random.number(u32::try_from(self.records.len().max(1)).unwrap());
        let owners = self.keys[0].into();
        let known = self.records.get_mut(usize::try_from(at).unwrap())?;
        known.last_seq += 1;
        let (rid, seq) = (known.rid, known.last_seq);
        let (policy_root, not_before_h) =
            if revokes { ([0; 32], 0) } else { (policy.root(), height + ahead) };
        known.policies.push((seq, policy));
        Some(Body::Grant(Grant { rid, owners, seq, policy_root, not_before_h }))
    }

    fn request(&mut self, base: &Base, height: u32) -> Option<Body> {
        let ((mut reader, _), beacon) = (self.person(), self.one_of(BEACONS));
        let known = self.random.pick(&self.records)?;
        let (seq, policy) = self.random.pick(&known.policies)?;
        let branch = policy.branches()[0].clone();
        if self.random.number(4) > 0 {
            // Mostly somebody who has once had the role, if there is anybody.
            let wanted = branch.readers[0].value;
            let people = self.keys[..12].iter();
            let able: Vec<_> = people.filter(|key| roles(base, key).contains(&wanted)).collect();
            reader = self.random.pick(&able).map_or(reader, |key| **key);
        }
        let anchor = hash_of(height.saturating_sub(1 + self.random.number(5)));
        let roll = Roll::new(beacon, self.nonce, anchor, vec![(reader, [0; 16])]).unwrap();
        let presence: Option<Presence> = roll.presence(reader, Sig([0; 64]));
        let is_odd = self.random.number(10) == 0;
        let purposes = [Purpose::Treat, Purpose::BreakGlass];
        let purpose = purposes.into_iter().find(|purpose| branch.leaf.purposes.holds(*purpose))?;
        let (role, place) = (branch.readers[0].clone(), branch.places[0].clone());
        Some(Body::Request(Box::new(Request {
            rid: known.rid,
            seq: *seq,
            leaf: branch.leaf,
            leaf_path: branch.path,
            purpose: if is_odd { Purpose::Research } else { purpose },
            reader,
            reply_commit: [0; 32],
            role: Some(RoleProof { role: role.value, salt: role.salt, path: role.path }),
            place: Some(PlaceProof { place: place.value, salt: place.salt, path: place.path }),
            presence,
            max_price: 0,
            reason: [0; 32],
        })))
    }

    /// One of the last requests that is as wanted.
    fn recent(
        &mut self,
        base: &Base,
        wanted: impl Fn(&HeldRequest) -> bool,
    ) -> Option<(CoreId, HeldRequest)> {
        let last = self.requests.iter().rev().take(60);
        let held = last.filter_map(|core| Some((*core, entry(base, &EntryKey::Request(*core))?)));
        let fitting: Vec<(CoreId, HeldRequest)> = held.filter(|(_, held)| wanted(held)).collect();
        self.random.pick(&fitting).cloned()
    }

    /// Two guardians of a request that waits, in roles that they have had, mostly with their paths.
    fn approval(&mut self, base: &Base, height: u32) -> Option<Body> {
        let waits = |held: &HeldRequest| {
            held.status == RequestStatus::Pending
                && held.asked.at.height + held.leaf.answer_within >= height
        };
        let (request, held) = self.recent(base, waits)?;
        let known = self.records.iter().find(|known| known.rid == held.asked.rid)?;
        let tree = &known.trees[usize::from(held.leaf.set)];
        let mut approvers = Vec::new();
        for (index, key) in known.guardians.iter().enumerate() {
            let roles = roles(base, key);
            let Some(role) = self.random.pick(&roles).copied() else { continue };
            let salt = [u8::try_from(index).unwrap(); 16];
            let guardian = GuardianProof { salt, path: tree.path(index).unwrap() };
            let is_guardian = self.random.number(8) > 0;
            let release = if is_guardian { [4; 32] } else { [0; 32] };
            let guardian = is_guardian.then_some(guardian);
            approvers.push(Approver { key: *key, guardian, role, presence: None, release });
        }
        let most = 1 + self.random.index(3);
        approvers.truncate(most);
        let is_any = !approvers.is_empty();
        is_any.then_some(Body::Approve(Approve { request: request.0, approvers }))
    }

    /// What somebody who may, or may not, says of a request.
    fn receipt(&mut self, base: &Base) -> Option<Body> {
        let (request, held) = self.recent(base, |_| true)?;
        let outcomes = [
            Outcome::Read,
            Outcome::Read,
            Outcome::BadShare,
            Outcome::Denied,
            Outcome::Denied,
            Outcome::Veto,
            Outcome::Reviewed,
        ];
        let outcome = *self.random.pick(&outcomes).unwrap();
        let approver = held.asked.approvals.first().map(|approval| approval.key);
        let by = match outcome {
            Outcome::Read | Outcome::BadShare => held.asked.reader,
            Outcome::Denied => approver.unwrap_or(held.asked.reader),
            _ => self.keys[0],
        };
        let by = if self.random.number(8) == 0 { self.person().0 } else { by };
        let (blob, detail) = ([0; 32], [0; 32]);
        Some(Body::Receipt(Receipt { request: request.0, outcome, by: by.into(), blob, detail }))
    }

    fn transaction(&mut self, base: &Base, height: u32) -> Option<Transaction> {
        self.nonce += 1;
        let body = match self.random.number(24) {
            0..6 => self.attest(height),
            6 => self.withdrawal(),
            7 => self.record(false),
            8 => {
                let replaces = self.random.number(3) == 0;
                self.record(replaces)
            }
            9 => self.grant(height)?,
            10..17 => self.request(base, height)?,
            17..22 => self.approval(base, height)?,
            _ => self.receipt(base)?,
        };
        let transaction = unsigned(&self.spec, height, body, self.keys[0], self.nonce);
        let fee = if self.random.number(8) == 0 { 0 } else { transaction.fee };
        Some(Transaction { fee, ..transaction })
    }
}

fn entry<T: EntryValue>(base: &Base, key: &EntryKey) -> Option<T> {
    base.entry(key).unwrap().map(|bytes| borsh::from_slice(&bytes).unwrap())
}

/// Every role that a key has had, as its issuer names it.
fn roles(base: &Base, key: &PubKey) -> Vec<RoleRef> {
    let holdings: Option<Vec<CoreId>> = entry(base, &EntryKey::Holdings((*key).into()));
    let held = holdings.into_iter().flatten().filter_map(|core| {
        let held: HeldClaim = entry(base, &EntryKey::Claim(core))?;
        let Claim::Role { role, .. } = held.claim else { return None };
        Some(RoleRef { role, issuer: held.issuer })
    });
    held.collect()
}

#[test]
fn ten_thousand_steps_are_undone_exactly_and_the_root_is_that_of_all_entries() {
    let seed = 23;
    println!("seed {seed}");
    let spec = easy_spec();
    let keys: Vec<PubKey> = (0..21).map(|i| Key::new(300 + i).public()).collect();
    let payer = keys[0];
    let (claims, records, requests) = (Vec::new(), Vec::new(), Vec::new());
    let random = SplitMix64::new(seed);
    let mut actors =
        Actors { random, spec: spec.clone(), keys, claims, records, requests, nonce: 0 };
    let mut base = Base::default();
    let mut pages = MemoryPages::default();
    let (mut steps, mut taken, mut height) = (0, BTreeMap::<&str, u32>::new(), 0);
    let mut refused = BTreeMap::<&str, u32>::new();
    let mut ends = BTreeMap::<CoreId, String>::new();
    while steps < 10_000 {
        height += 1;
        let transactions: Vec<Transaction> = (0..actors.random.number(8))
            .filter_map(|_| {
                steps += 1;
                actors.transaction(&base, height)
            })
            .collect();
        let names: Vec<&str> =
            transactions.iter().map(|transaction| transaction.core.body.name()).collect();
        let (delta, outcomes) = judge_block(&base, &spec, height, payer, transactions);
        let mut accepted = Vec::new();
        for ((core, outcome), name) in outcomes.iter().zip(names) {
            match outcome {
                Ok(_) => {
                    *taken.entry(name).or_default() += 1;
                    match name {
                        "Attest" => accepted.push(*core),
                        "Request" => actors.requests.push(*core),
                        _ => {}
                    }
                }
                Err(error) => *refused.entry(error.name()).or_default() += 1,
            }
        }
        actors.claims.extend(accepted);

        // Forwards, backwards by the undo record, and forwards again.
        let (before, before_cores) = (base.entries.clone(), base.cores.clone());
        base.apply(&delta);
        base.undo(&delta.undo_record());
        assert_eq!((&base.entries, &base.cores), (&before, &before_cores), "height {height}");
        base.apply(&delta);
        for core in actors.requests.iter().rev().take(60) {
            let held: Option<HeldRequest> = entry(&base, &EntryKey::Request(*core));
            let Some(status) = held.map(|held| held.status) else { continue };
            if !matches!(status, RequestStatus::Pending | RequestStatus::Refused(_)) {
                ends.insert(*core, format!("{status:?}"));
            }
        }

        let mut changes: Vec<_> = delta
            .changes()
            .iter()
            .map(|change| {
                assert_eq!(change.key().encode(), change.encoded());
                let key = change.key().state_key();
                (key, change.new.as_ref().map(|value| ValueHash::of(value)))
            })
            .collect();
        changes.sort_unstable_by_key(|change| change.0);
        let updated = update(NodeKernel::best(), &pages, &changes).unwrap();
        pages.apply(updated.pages);
        if height % 100 == 0 {
            let entries =
                base.entries.iter().map(|(key, value)| (key.state_key().0, value.clone()));
            assert_eq!(updated.root.0, state_root(&entries.collect()), "height {height}");
        }
    }
    let mut ended = BTreeMap::<&str, u32>::new();
    ends.values().for_each(|end| *ended.entry(end).or_default() += 1);
    println!(
        "{height} blocks, {} entries, taken {taken:?}, refused {refused:?}, requests {ended:?}",
        base.entries.len()
    );
    let least = [
        ("Attest", 1000),
        ("Record", 300),
        ("Grant", 100),
        ("Request", 500),
        ("Approve", 50),
        ("Receipt", 5),
    ];
    for (name, least) in least {
        assert!(taken.get(name).is_some_and(|count| *count >= least), "{name}: {taken:?}");
    }
    assert!(ended.get("Answered").is_some_and(|count| *count >= 10), "{ended:?}");
}

#[test]
fn parallel_and_serial_verification_name_the_same_rule_of_access() {
    let seed = 29;
    println!("seed {seed}");
    let mut random = SplitMix64::new(seed);
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    let request = world.ask(&policed);
    world.status(request).unwrap();
    let request = world.ask(&policed);
    let odd = Request { purpose: Purpose::Research, seq: 0, rid: policed.rid, ..request };
    let _ = world.status(odd);
    world.grant(policed.rid, PATIENT, 1, [0; 32], 0).unwrap();
    let blocks = world.blocks.clone();
    let tip = world.tip();
    assert_eq!(serially(&blocks), Ok(tip));
    assert_eq!(in_parallel(&blocks), Ok(tip));

    // A bit of the last ten blocks flipped, the beacon's signature among them, and the block solved
    // again where its header does not say so: rules of transactions are reached.
    let mut reached = BTreeMap::<&str, u32>::new();
    for _ in 0..300 {
        let mut mixed = blocks.clone();
        let at = blocks.len() - 1 - random.index(10);
        let block = &mut mixed[at];
        let byte = random.index(block.len() - 80);
        block[80 + byte] ^= 1 << random.number(8);
        resolve(&mut mixed[at]);
        let serial = serially(&mixed);
        let parallel = in_parallel(&mixed);
        assert_eq!(serial, parallel, "block {at}, byte {byte}");
        let Err((_, _, rule)) = serial else { continue };
        *reached.entry(rule).or_default() += 1;
    }
    println!("{reached:?}");
    assert!(reached.contains_key("BadSig"), "{reached:?}");
}

/// Gives a block that decodes the merkle root of its transactions, and solves it.
fn resolve(bytes: &mut Vec<u8>) {
    use proofward::engine::merkle::MerkleHasher;
    use proofward::ledger::block::Block;
    let Ok(mut block) = Block::decode(bytes) else { return };
    block.header.merkle_root = MerkleHasher::new(NodeKernel::best()).root(&block.leaves()).root;
    let solved = solve(easy_spec().algorithm, block);
    *bytes = solved.encode();
}
