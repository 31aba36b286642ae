//! A ledger of 1,000 records of twenty patients, with real ciphertexts and real shares, two unattended
//! guardians, and a thief who collects whatever reaches him.

use std::collections::BTreeMap;

use proofward::ledger::mempool::{Limits, Mempool};
use proofward::ledger::policy::{
    Branch, Draft, Leaf, Need, Place, PolicyTree, Presence, Purpose, Purposes, Role, RoleRef, Roll,
    Together,
};
use proofward::ledger::spec::{KeySet, Spec};
use proofward::ledger::transaction::approve::Approver;
use proofward::ledger::transaction::attest::{Claim, IssuerSet};
use proofward::ledger::transaction::request::{PlaceProof, RoleProof};
use proofward::ledger::transaction::{
    Approve, Attest, Body, CoreId, Party, PartyId, Record, Request, Transaction,
};
use proofward::wallet::SecretKey;
use proofward::wallet::custody::sharing::{Member, RecordEpoch, combine};
use proofward::wallet::custody::{
    Guardians, Package, Release, ReplyKey, SealKey, SealSecret, Sealed, Share, Slip,
};
use proofward::wallet::guardian::{AGREE_WINDOW_BLOCKS, Acted, Agree, Duty, Look, Step, part};

use super::access::*;
use super::ledger::{Key, easy_spec};

pub(crate) const RECORDS: usize = 1_000;
const PATIENTS: u32 = 20;
/// A record of a group of owners, and how often the second emergency leaf is there: one in ten each.
const ONE_IN: usize = 10;
pub(crate) const ANCHORS: [u32; 3] = [900, 901, 902];
pub(crate) const OWNERS: [u32; 3] = [910, 911, 912];
pub(crate) const CLINICIAN_2: u32 = 122;
pub(crate) const ESCROW: u32 = 121;
pub(crate) const REGISTRY: u32 = 124;
pub(crate) const DOCTOR_2: u32 = 120;
const FIRST_PATIENT: u32 = 20_000;
const FIRST_RECORD: u32 = 30_000;
const CONTENT: &[u8] = b"{\"resourceType\":\"DocumentReference\"}";
/// What an unattended guardian agrees to in 144 blocks.
pub(crate) const AT_MOST: u32 = 8;

pub(crate) struct Kept {
    pub(crate) policed: Policed,
    pub(crate) owners: Party,
    of: RecordEpoch,
    sets: Vec<proofward::ledger::transaction::record::ShareSet>,
    blob: Vec<u8>,
    package: Vec<u8>,
}

/// A guardian without people.
struct Unattended {
    secret: SecretKey,
    duty: Duty,
    acted: Vec<Acted>,
}

pub(crate) struct Hospital {
    pub(crate) world: World,
    pub(crate) records: Vec<Kept>,
    services: Vec<Unattended>,
    /// Secrets of one-time keys, all of them the thief's, by the hash in the request.
    replies: BTreeMap<[u8; 32], SealSecret>,
    /// Shares that were sent to the thief, with their record.
    sent: Vec<(usize, Share)>,
    seen: u32,
}

pub(crate) fn secret(number: u32) -> SecretKey {
    let mut seed = [7; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    let secret = SecretKey::from_seed(&seed);
    assert_eq!(secret.public_key(), Key::new(number).public());
    secret
}

pub(crate) fn patient(record: usize) -> u32 {
    FIRST_PATIENT + u32::try_from(record).unwrap() % PATIENTS
}

impl Hospital {
    pub(crate) fn new() -> Self {
        let mut world = World::with(spec());
        found(&mut world);
        let services = [ESCROW, REGISTRY].map(|number| {
            let issuer = world.id(REGION);
            let clinicians = RoleRef { role: Role::EmergencyClinician, issuer: world.id(ISSUER) };
            let agree = Agree {
                purposes: Purposes::of(&[Purpose::BreakGlass]),
                records: Vec::new(),
                readers: vec![clinicians],
                at_most: Some(AT_MOST),
            };
            let role = RoleRef { role: Role::Escrow, issuer };
            let duty = Duty { guardian: world.key(number), role, agree: vec![agree] };
            Unattended { secret: secret(number), duty, acted: Vec::new() }
        });
        let mut hospital = Self {
            world,
            records: Vec::new(),
            services: services.into(),
            replies: BTreeMap::new(),
            sent: Vec::new(),
            seen: 0,
        };
        for _ in 0..RECORDS / 100 {
            let transactions = (0..100).map(|_| hospital.record()).collect();
            hospital.world.mine(transactions).unwrap();
        }
        hospital.world.wait(150);
        hospital.seen = hospital.world.next();
        hospital
    }

    /// One more record, not yet mined.
    fn record(&mut self) -> Transaction {
        let world = &mut self.world;
        let number = self.records.len();
        let rid = world.key(FIRST_RECORD + u32::try_from(number).unwrap());
        let of = RecordEpoch { rid, epoch: 0 };
        let mut members = |numbers: &[u32], required: u32| -> Vec<Member> {
            let member =
                |number: &u32| Member { key: world.key(*number), is_required: *number == required };
            numbers.iter().map(member).collect()
        };
        let patient = patient(number);
        let sets = [
            Guardians { k: 2, members: members(&[NURSE, patient, ESCROW, DOCTOR_2], patient) },
            Guardians { k: 2, members: members(&[ESCROW, REGISTRY, patient], 0) },
        ];
        let sealed = Sealed::new(of, CONTENT, &sets).unwrap();
        let is_shared = number.is_multiple_of(ONE_IN);
        let owners = if is_shared { world.group(2, &OWNERS) } else { world.party(patient) };
        let drafts = drafts(world, number % ONE_IN == 1);
        let seed = [u8::try_from(number % 251).unwrap(); 32];
        let policy =
            PolicyTree::build(&seed, world.ledger.chain().spec.spacing_s, &drafts).unwrap();
        let record = Record {
            rid,
            owners: owners.clone(),
            blob: sealed.blob_hash(),
            pointer: sealed.pointer(),
            epoch: 0,
            share_sets: sealed.share_sets.clone(),
            payout: world.key(patient),
            policy_root: policy.root(),
            grant_delay: 1,
            prev: None,
        };
        let (transaction, _) = world.transaction(Body::Record(record));
        let (blob, package) = (sealed.blob, sealed.package);
        let policed = Policed { rid, policy };
        self.records.push(Kept { policed, owners, of, sets: sealed.share_sets, blob, package });
        transaction
    }

    /// A request of the thief for a record under one of its leaves.
    pub(crate) fn ask(
        &mut self,
        record: usize,
        branch: &Branch,
        reader: u32,
        presence: Option<Presence>,
    ) -> Request {
        let reply = SealSecret::generate().unwrap();
        let commitment = ReplyKey(reply.public()).commitment();
        self.replies.insert(commitment, reply);
        let (role, place) = (branch.readers[0].clone(), branch.places[0].clone());
        let is_emergency = branch.leaf.is_emergency();
        Request {
            rid: self.records[record].policed.rid,
            seq: 0,
            leaf: branch.leaf.clone(),
            leaf_path: branch.path.clone(),
            purpose: if is_emergency { Purpose::BreakGlass } else { Purpose::Treat },
            reader: self.world.key(reader),
            reply_commit: commitment,
            role: Some(RoleProof { role: role.value, salt: role.salt, path: role.path }),
            place: Some(PlaceProof { place: place.value, salt: place.salt, path: place.path }),
            presence,
            max_price: 0,
            reason: [0; 32],
        }
    }

    pub(crate) fn branch(&self, record: usize, leaf: usize) -> Branch {
        self.records[record].policed.policy.branches()[leaf].clone()
    }

    /// Somebody without a share approves.
    pub(crate) fn approve(
        &mut self,
        request: CoreId,
        number: u32,
        role: RoleRef,
        presence: Option<Presence>,
    ) -> Result<CoreId, &'static str> {
        let key = self.world.key(number);
        let approver = Approver { key, guardian: None, role, presence, release: [0; 32] };
        let body = Approve { request: request.0, approvers: vec![approver] };
        self.world.act(Body::Approve(body))
    }

    /// What a beacon says of several keys in one round.
    pub(crate) fn round(&mut self, beacon: u32, numbers: &[u32]) -> Vec<Presence> {
        let beacon = Key::new(beacon);
        let keys: Vec<_> =
            (0_u8..).zip(numbers).map(|(i, number)| (self.world.key(*number), [i; 16])).collect();
        let (tip, round) = (self.world.tip(), u64::from(self.world.next()));
        let roll = Roll::new(beacon.public(), round, tip, keys.clone()).unwrap();
        let sig = beacon.sign(&roll.message(&self.world.ledger.chain().genesis));
        keys.iter().map(|(key, _)| roll.presence(*key, sig).unwrap()).collect()
    }

    /// The unattended guardians look at every request since the last time, agree to what their own policy
    /// names, and send what the chain lets them send.
    pub(crate) fn services_at_work(&mut self) {
        let mut approvals = Vec::new();
        {
            let chain = self.world.ledger.chain();
            let view = self.world.ledger.view();
            let pool = Mempool::new(chain, &view, Limits::default()).unwrap();
            let look = Look { chain, view, pool: &pool };
            let tip = self.world.next() - 1;
            for request in look.requests_since(self.seen).unwrap() {
                let attempt = look.attempt(request).unwrap().unwrap();
                let body = attempt.request();
                let number = self.records.iter().position(|kept| kept.of.rid == body.rid).unwrap();
                let record = look.record(&body.rid).unwrap().unwrap();
                for service in &mut self.services {
                    let recent: Vec<Request> = service
                        .acted
                        .iter()
                        .filter(|acted| acted.at + AGREE_WINDOW_BLOCKS > tip)
                        .filter_map(Acted::request_body)
                        .collect();
                    if !service.duty.agrees_to(body, &recent)
                        || !look.waits_for_approval(&attempt).unwrap()
                    {
                        continue;
                    }
                    let package = &self.records[number].package;
                    let slip = look.slip(&service.secret, &record, &attempt, package).unwrap();
                    let Some(slip) = slip else { continue };
                    let reply: SealKey = self.replies[&body.reply_commit].public();
                    let (approver, release) =
                        part(&attempt, &service.secret, service.duty.role, None, &slip, reply)
                            .unwrap();
                    approvals.push(Approve { request: request.0, approvers: vec![approver] });
                    service.acted.push(Acted {
                        guardian: service.duty.guardian,
                        request: attempt.transaction().encode(),
                        approval: None,
                        releases: vec![release],
                        at: tip,
                        is_sent: false,
                    });
                }
            }
        }
        self.seen = self.world.next();
        for approval in approvals {
            self.world.act(Body::Approve(approval)).unwrap();
        }
        self.send();
    }

    /// What the unattended guardians send now, opened by the thief.
    fn send(&mut self) {
        let chain = self.world.ledger.chain();
        let view = self.world.ledger.view();
        let pool = Mempool::new(chain, &view, Limits::default()).unwrap();
        let look = Look { chain, view, pool: &pool };
        for acted in self.services.iter_mut().flat_map(|service| &mut service.acted) {
            let steps = look.steps(acted).unwrap();
            let sealed = steps.into_iter().find_map(|step| match step {
                Step::Send { sealed, .. } => Some(sealed),
                _ => None,
            });
            let Some(sealed) = sealed else { continue };
            acted.is_sent = true;
            let request = acted.request_body().unwrap();
            let number = self.records.iter().position(|kept| kept.of.rid == request.rid).unwrap();
            let sent = Release { request: acted.core().0, sealed };
            let share = sent.open(&self.replies[&request.reply_commit]).unwrap();
            self.sent.push((number, share));
        }
    }

    /// Records that the thief opens with these keys and whatever reached him: every ciphertext and every
    /// package is public.
    pub(crate) fn opened(&self, stolen: &[u32]) -> usize {
        let stolen: Vec<SecretKey> = stolen.iter().map(|number| secret(*number)).collect();
        let numbered = self.records.iter().enumerate();
        numbered.filter(|(number, kept)| self.is_opened(*number, kept, &stolen)).count()
    }

    fn is_opened(&self, number: usize, kept: &Kept, stolen: &[SecretKey]) -> bool {
        let package = Package::decode(&kept.package).unwrap();
        let slips = stolen.iter().flat_map(|key| package.slips_of(key));
        let mut shares: Vec<Share> = slips.map(|slip: Slip| slip.share.clone()).collect();
        let sent = self.sent.iter().filter(|(of, _)| *of == number);
        shares.extend(sent.map(|(_, share)| share.clone()));
        (0..kept.sets.len()).any(|set| {
            let of_set = |share: &&Share| usize::from(share.set) == set;
            let shares: Vec<Share> = shares.iter().filter(of_set).cloned().collect();
            let Ok(key) = combine(&kept.of, &kept.sets[set], &shares) else { return false };
            key.open(&kept.of, &kept.blob).is_ok_and(|content| content.as_slice() == CONTENT)
        })
    }

    /// The next thief starts with nothing.
    pub(crate) fn forget(&mut self) {
        self.sent.clear();
        self.services.iter_mut().for_each(|service| service.acted.clear());
        self.seen = self.world.next();
    }

    pub(crate) fn role(&mut self, role: Role, issuer: u32) -> RoleRef {
        RoleRef { role, issuer: self.world.id(issuer) }
    }

    /// A claim with a tag of its own.
    pub(crate) fn claim(&mut self, issuer: u32, subject: u32, claim: Claim, tag: u32) {
        claim_as(&mut self.world, issuer, subject, claim, tag).unwrap();
    }
}

/// Two of three anchors, as institutions would have it.
fn spec() -> Spec {
    let mut keys: Vec<_> = ANCHORS.iter().map(|number| Key::new(*number).public()).collect();
    keys.sort_unstable();
    Spec { anchors: KeySet { k: 2, keys }, ..easy_spec() }.check().unwrap()
}

pub(crate) fn claim_as(
    world: &mut World,
    issuer: u32,
    subject: u32,
    claim: Claim,
    tag: u32,
) -> Result<CoreId, &'static str> {
    let subject = world.party(subject);
    let mut attest = world.attest(issuer, subject, claim, 0);
    attest.subject_tag[..4].copy_from_slice(&tag.to_le_bytes());
    world.act(Body::Attest(attest))
}

fn found(world: &mut World) {
    for issuer in [ISSUER, REGION] {
        let (anchors, subject) = (world.group(2, &ANCHORS), world.party(issuer));
        let claim = Claim::Issuer(IssuerSet::ALL);
        let attest = Attest { issuer: anchors, ..world.attest(issuer, subject, claim, 0) };
        world.act(Body::Attest(attest)).unwrap();
    }
    let (site, service) = (world.id(SITE), world.id(SERVICE));
    let at_site = |role| Claim::Role { role, site: Some(site) };
    let of = |role| Claim::Role { role, site: None };
    let claims = [
        (ISSUER, SITE, Claim::Site(vec![CELL]), 0),
        (ISSUER, BEACON, Claim::Beacon { site }, 0),
        (REGION, SERVICE, Claim::Site(vec![CELL]), 0),
        (REGION, SERVICE, Claim::Emergency { site: service }, 0),
        (REGION, SIREN, Claim::Beacon { site: service }, 0),
        (ISSUER, DOCTOR, at_site(Role::Physician), 1),
        (ISSUER, NURSE, at_site(Role::Nurse), 2),
        (ISSUER, DOCTOR_2, at_site(Role::Physician), 3),
        (ISSUER, CLINICIAN, of(Role::EmergencyClinician), 4),
        (ISSUER, CLINICIAN_2, of(Role::EmergencyClinician), 5),
        (REGION, ESCROW, of(Role::Escrow), 6),
        (REGION, REGISTRY, of(Role::Escrow), 7),
    ];
    for (issuer, subject, claim, tag) in claims {
        claim_as(world, issuer, subject, claim, tag).unwrap();
    }
    for number in 0..PATIENTS {
        claim_as(world, ISSUER, FIRST_PATIENT + number, of(Role::Patient), 100 + number).unwrap();
    }
}

/// The leaf of every day; the one that breaks the glass: two clinicians, or one if the owner chose so.
fn drafts(world: &mut World, is_one_enough: bool) -> Vec<Draft> {
    let (site, issuer): (PartyId, PartyId) = (world.id(SITE), world.id(ISSUER));
    let role = |role, issuer| RoleRef { role, issuer };
    let mut need = vec![
        Need { role: role(Role::Nurse, site), count: 1 },
        Need { role: role(Role::Patient, issuer), count: 1 },
    ];
    need.sort_by_key(|need| need.role);
    let clinician = role(Role::EmergencyClinician, issuer);
    let everyday = Leaf { need, together: Together::OneRound, ..terms() };
    let second = Need { role: clinician, count: 1 };
    let emergency = Leaf {
        set: 1,
        purposes: Purposes::of(&[Purpose::BreakGlass]),
        need: if is_one_enough { Vec::new() } else { vec![second] },
        ..terms()
    };
    vec![
        Draft {
            terms: everyday,
            readers: vec![role(Role::Physician, site)],
            places: vec![Place::Site(site)],
        },
        Draft { terms: emergency, readers: vec![clinician], places: vec![Place::AnyEmergency] },
    ]
}
