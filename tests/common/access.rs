//! A world for tests of access: a chain with people on it, founded step by step.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use std::cell::RefCell;
use std::collections::BTreeMap;

use proofward::ledger::chain::{Ledger, Submitted};
use proofward::ledger::policy::{
    Branch, Cell, Draft, Leaf, Moment, Place, PolicyTree, Presence, Purpose, Purposes, Role,
    RoleRef, Roll, Together, Window,
};
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::Spec;
use proofward::ledger::state::{
    EntryKey, EntryValue, HeldClaim, HeldRequest, Logs, RequestStatus, StateRead,
};
use proofward::ledger::store::MemoryStore;
use proofward::ledger::transaction::attest::{Claim, IssuerSet, Withdrawn};
use proofward::ledger::transaction::record::ShareSet;
use proofward::ledger::transaction::request::{PlaceProof, RoleProof};
use proofward::ledger::transaction::{
    Attest, Body, Core, CoreId, Grant, Group, Party, PartyId, Record, Request, Transaction,
    TransactionDecodeError,
};
use proofward::primitives::BlockHash;

use super::ledger::{
    Key, NOW, core, easy_spec, memory_ledger, next_block, next_block_at, sign, verdict,
};

pub(crate) const ANCHOR: u32 = 1_000_000;
pub(crate) const ISSUER: u32 = 100;
pub(crate) const SITE: u32 = 101;
pub(crate) const BEACON: u32 = 102;
pub(crate) const DOCTOR: u32 = 103;
pub(crate) const NURSE: u32 = 104;
pub(crate) const PATIENT: u32 = 105;
/// Another issuer, its emergency service with a beacon, and a clinician of [`ISSUER`].
pub(crate) const REGION: u32 = 110;
pub(crate) const SERVICE: u32 = 111;
pub(crate) const SIREN: u32 = 112;
pub(crate) const CLINICIAN: u32 = 113;
/// A cell of resolution 9.
pub(crate) const CELL: Cell = Cell(0x0892_8308_280f_ffff);

/// A body that was judged: its kind, and the rule that it breaks.
pub(crate) type Judged = (&'static str, Result<(), &'static str>);

thread_local! {
    static JUDGED: RefCell<Vec<Judged>> = const { RefCell::new(Vec::new()) };
}

/// What the blocks of this thread's worlds took and refused since this was last asked, in order.
pub(crate) fn judged() -> Vec<Judged> {
    JUDGED.take()
}

/// A chain, a sponsor who pays for everything, and the keys that were asked for.
pub(crate) struct World {
    pub(crate) ledger: Ledger<MemoryStore>,
    keys: BTreeMap<PubKey, Key>,
    sponsor: Key,
    nonce: u64,
    /// Every block so far.
    pub(crate) blocks: Vec<Vec<u8>>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(easy_spec())
    }

    pub(crate) fn with(spec: Spec) -> Self {
        let sponsor = Key::new(1);
        let keys = BTreeMap::from([(sponsor.public(), sponsor.clone())]);
        let mut world =
            Self { ledger: memory_ledger(spec), keys, sponsor, nonce: 0, blocks: Vec::new() };
        world.wait(8);
        world
    }

    /// A chain with an issuer, a site with a beacon, a doctor, a nurse and a patient.
    pub(crate) fn hospital() -> Self {
        let mut world = Self::new();
        world.found_hospital();
        world
    }

    pub(crate) fn found_hospital(&mut self) {
        let issuer = self.party(ISSUER);
        self.claim(ANCHOR, issuer, Claim::Issuer(IssuerSet::ALL), 0).unwrap();
        let site = self.id(SITE);
        let claims = [
            (SITE, Claim::Site(vec![CELL]), 0),
            (BEACON, Claim::Beacon { site }, 0),
            (DOCTOR, Claim::Role { role: Role::Physician, site: Some(site) }, 1),
            (NURSE, Claim::Role { role: Role::Nurse, site: Some(site) }, 2),
            (PATIENT, Claim::Role { role: Role::Patient, site: None }, 3),
        ];
        for (subject, claim, tag) in claims {
            let subject = self.party(subject);
            self.claim(ISSUER, subject, claim, tag).unwrap();
        }
    }

    /// A key pair, from now on able to sign.
    pub(crate) fn key(&mut self, number: u32) -> PubKey {
        let key = Key::new(number);
        let public = key.public();
        self.keys.insert(public, key);
        public
    }

    pub(crate) fn id(&mut self, number: u32) -> PartyId {
        self.key(number).into()
    }

    pub(crate) fn party(&mut self, number: u32) -> Party {
        self.key(number).into()
    }

    /// k of these keys; the first k of them sign.
    pub(crate) fn group(&mut self, k: u8, numbers: &[u32]) -> Party {
        let mut keys: Vec<PubKey> = numbers.iter().map(|number| self.key(*number)).collect();
        keys.sort_unstable();
        Party::Group(Group { k, keys, signed_by: (1 << k) - 1 })
    }

    /// Height of the next block.
    pub(crate) fn next(&self) -> u32 {
        self.ledger.tip().unwrap().1.height + 1
    }

    pub(crate) fn wait(&mut self, blocks: u32) {
        for _ in 0..blocks {
            self.mine(vec![]).unwrap();
        }
    }

    /// Mines a block; the name of the rule that it breaks, with the transaction.
    pub(crate) fn mine(
        &mut self,
        transactions: Vec<Transaction>,
    ) -> Result<(), (&'static str, u32)> {
        let before = self.ledger.view().root().unwrap();
        let kinds: Vec<_> = transactions.iter().map(|of| of.core.body.name()).collect();
        let block = next_block(&self.ledger, self.sponsor.public(), transactions);
        match self.ledger.submit(&block.encode(), NOW) {
            Ok(Submitted::Tip { .. }) => {
                self.blocks.push(block.encode());
                JUDGED
                    .with_borrow_mut(|judged| judged.extend(kinds.iter().map(|of| (*of, Ok(())))));
                Ok(())
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                assert_eq!(self.ledger.view().root().unwrap(), before, "refused: nothing changes");
                let verdict = verdict(error);
                let (rule, at) = (verdict.rule.name(), verdict.transaction.unwrap_or(0));
                if let Some(of) = at.checked_sub(1).and_then(|at| kinds.get(at as usize)) {
                    JUDGED.with_borrow_mut(|judged| judged.push((*of, Err(rule))));
                }
                Err((rule, at))
            }
        }
    }

    /// A core that no other equals.
    pub(crate) fn core(&mut self, body: Body) -> Core {
        self.nonce += 1;
        let mut core = core(&self.ledger, body);
        core.valid_to -= u32::try_from(self.nonce % 800).unwrap();
        core
    }

    /// A core signed by everybody, paid for by the sponsor.
    pub(crate) fn sponsor(&mut self, core: Core) -> Transaction {
        self.nonce += 1;
        let transaction = Transaction {
            core,
            payer: self.sponsor.public(),
            nonce: self.nonce,
            fee: 400_000,
            sigs: Vec::new(),
        };
        let keys: Vec<&Key> = self.keys.values().collect();
        sign(&self.ledger.chain().genesis, transaction, &keys)
    }

    pub(crate) fn transaction(&mut self, body: Body) -> (Transaction, CoreId) {
        let core = self.core(body);
        let id = core.id(&self.ledger.chain().genesis);
        (self.sponsor(core), id)
    }

    /// Mines a block with one body: its core id, or the name of the rule that it breaks.
    pub(crate) fn act(&mut self, body: Body) -> Result<CoreId, &'static str> {
        let nonce = self.nonce;
        let (transaction, id) = self.transaction(body);
        match self.mine(vec![transaction]) {
            Ok(()) => Ok(id),
            Err((rule, at)) => {
                assert_eq!(at, 1, "{rule}");
                self.nonce = nonce + 1;
                Err(rule)
            }
        }
    }

    /// A claim that holds for long.
    pub(crate) fn claim(
        &mut self,
        issuer: u32,
        subject: Party,
        claim: Claim,
        tag: u8,
    ) -> Result<CoreId, &'static str> {
        let attest = self.attest(issuer, subject, claim, tag);
        self.act(Body::Attest(attest))
    }

    pub(crate) fn attest(&mut self, issuer: u32, subject: Party, claim: Claim, tag: u8) -> Attest {
        Attest {
            issuer: self.party(issuer),
            subject,
            claim,
            from_h: 0,
            to_h: 1_000_000,
            subject_tag: [tag; 16],
            evidence: [0; 32],
            prev: None,
        }
    }

    pub(crate) fn withdraw(&mut self, by: u32, claim: CoreId) -> Result<CoreId, &'static str> {
        let by = self.party(by);
        self.act(Body::Attest(Attest::withdrawal(by, Withdrawn::Claim(claim.0), [0; 32])))
    }

    /// As [`World::act`], through the bytes: what does not decode is refused by that name.
    pub(crate) fn act_decoded(&mut self, body: Body) -> Result<CoreId, &'static str> {
        let (transaction, _) = self.transaction(body.clone());
        self.nonce -= 2;
        match Transaction::decode(&transaction.encode()) {
            Ok(decoded) => {
                assert_eq!(decoded, transaction);
                self.act(body)
            }
            Err(TransactionDecodeError::NonCanonical { .. }) => Err("NonCanonical"),
            Err(error) => panic!("{error}"),
        }
    }

    /// A record with one share set and no policy.
    pub(crate) fn record_of(&mut self, rid: u32, owner: u32) -> Record {
        Record {
            rid: self.key(rid),
            owners: self.party(owner),
            blob: [3; 32],
            pointer: [4; 32],
            epoch: 0,
            share_sets: vec![ShareSet {
                n: 3,
                k: 2,
                shares_root: [5; 32],
                guardians_root: [6; 32],
                required: 0,
            }],
            payout: self.key(owner),
            policy_root: [0; 32],
            grant_delay: 1,
            prev: None,
        }
    }

    pub(crate) fn founded_record(
        &mut self,
        rid: u32,
        owner: u32,
        policy_root: [u8; 32],
        grant_delay: u32,
    ) -> PubKey {
        let record = Record { policy_root, grant_delay, ..self.record_of(rid, owner) };
        let rid = record.rid;
        self.act(Body::Record(record)).unwrap();
        rid
    }

    pub(crate) fn grant(
        &mut self,
        rid: PubKey,
        owner: u32,
        seq: u32,
        policy_root: [u8; 32],
        not_before_h: u32,
    ) -> Result<CoreId, &'static str> {
        let owners = self.party(owner);
        self.act(Body::Grant(Grant { rid, owners, seq, policy_root, not_before_h }))
    }

    /// Height and median time past of the next block.
    pub(crate) fn now(&self) -> Moment {
        let view = self.ledger.view();
        let tip = view.expect_record(&view.tip().unwrap()).unwrap();
        Moment { height: tip.height + 1, median_time: view.median_time_after(&tip).unwrap() }
    }

    /// Blocks one after another, each stamped as early as it may be.
    pub(crate) fn burst(&mut self, blocks: u32) {
        for _ in 0..blocks {
            let time = self.now().median_time + 1;
            let block = next_block_at(&self.ledger, self.sponsor.public(), vec![], time);
            self.ledger.submit(&block.encode(), NOW).unwrap();
        }
    }

    pub(crate) fn tip(&self) -> BlockHash {
        self.ledger.view().tip().unwrap()
    }

    /// A record under a policy in force, which opens to the doctor at the site, for treatment.
    pub(crate) fn treated(&mut self, rid: u32, change: impl FnOnce(&mut Draft)) -> Policed {
        let mut draft = self.everyday();
        change(&mut draft);
        self.policed(rid, draft)
    }

    /// The leaf by which the doctor reads at the site, for treatment.
    pub(crate) fn everyday(&mut self) -> Draft {
        let site = self.id(SITE);
        Draft {
            terms: terms(),
            readers: vec![RoleRef { role: Role::Physician, issuer: site }],
            places: vec![Place::Site(site)],
        }
    }

    /// A record that opens in emergencies to clinicians of the issuer at any emergency service.
    pub(crate) fn emergency(&mut self, rid: u32) -> Policed {
        let draft = Draft {
            terms: Leaf {
                set: 1,
                purposes: Purposes::of(&[Purpose::BreakGlass]),
                max_reads: 1,
                ..terms()
            },
            readers: vec![RoleRef { role: Role::EmergencyClinician, issuer: self.id(ISSUER) }],
            places: vec![Place::AnyEmergency],
        };
        self.policed(rid, draft)
    }

    pub(crate) fn policed(&mut self, rid: u32, draft: Draft) -> Policed {
        let spacing_s = self.ledger.chain().spec.spacing_s;
        let seed = [u8::try_from(rid % 251).unwrap(); 32];
        let policy = PolicyTree::build(&seed, spacing_s, &[draft]).unwrap();
        let mut record = self.record_of(rid, PATIENT);
        record.policy_root = policy.root();
        record.share_sets.push(record.share_sets[0].clone());
        let rid = record.rid;
        self.act(Body::Record(record)).unwrap();
        Policed { rid, policy }
    }

    /// An emergency service of another issuer, and a clinician whose claim is old enough.
    pub(crate) fn found_emergency(&mut self) {
        let (region, site, beacon) = (self.party(REGION), self.party(SERVICE), self.party(SIREN));
        let (site_id, clinician) = (self.id(SERVICE), self.party(CLINICIAN));
        self.claim(ANCHOR, region, Claim::Issuer(IssuerSet::ALL), 0).unwrap();
        self.claim(REGION, site.clone(), Claim::Site(vec![CELL]), 0).unwrap();
        self.claim(REGION, site, Claim::Emergency { site: site_id }, 0).unwrap();
        self.claim(REGION, beacon, Claim::Beacon { site: site_id }, 0).unwrap();
        let role = Claim::Role { role: Role::EmergencyClinician, site: None };
        self.claim(ISSUER, clinician, role, 40).unwrap();
        self.wait(144);
    }

    /// The clinician's request, heard at the emergency service after the tip.
    pub(crate) fn break_glass(&mut self, policed: &Policed, reader: u32) -> Request {
        let tip = self.tip();
        let presence = self.presence(SIREN, reader, tip);
        let mut request = self.request(policed, reader, Some(presence));
        request.purpose = Purpose::BreakGlass;
        request
    }

    /// That a beacon heard a key after a block.
    pub(crate) fn presence(&mut self, beacon: u32, key: u32, anchor: BlockHash) -> Presence {
        self.room(beacon, &[key, 1], anchor).swap_remove(0)
    }

    /// That a beacon heard several keys in one round, for each.
    pub(crate) fn room(&mut self, beacon: u32, keys: &[u32], anchor: BlockHash) -> Vec<Presence> {
        self.nonce += 1;
        let beacon = self.key(beacon);
        let salted = keys.iter().zip(1..).map(|(number, salt)| (self.key(*number), [salt; 16]));
        let keys: Vec<_> = salted.collect();
        let roll = Roll::new(beacon, self.nonce, anchor, keys.clone()).unwrap();
        let sig = self.keys[&beacon].sign(&roll.message(&self.ledger.chain().genesis));
        keys.iter().map(|(key, _)| roll.presence(*key, sig).unwrap()).collect()
    }

    /// A request under the only leaf, by the only role and place.
    pub(crate) fn request(
        &mut self,
        policed: &Policed,
        reader: u32,
        presence: Option<Presence>,
    ) -> Request {
        let branch = policed.branch();
        let (role, place) = (branch.readers[0].clone(), branch.places[0].clone());
        Request {
            rid: policed.rid,
            seq: 0,
            leaf: branch.leaf.clone(),
            leaf_path: branch.path.clone(),
            purpose: Purpose::Treat,
            reader: self.key(reader),
            reply_commit: [0; 32],
            role: Some(RoleProof { role: role.value, salt: role.salt, path: role.path }),
            place: Some(PlaceProof { place: place.value, salt: place.salt, path: place.path }),
            presence,
            max_price: 0,
            reason: [0; 32],
        }
    }

    /// The doctor's request, heard at the site after the tip.
    pub(crate) fn ask(&mut self, policed: &Policed) -> Request {
        let tip = self.tip();
        let presence = self.presence(BEACON, DOCTOR, tip);
        self.request(policed, DOCTOR, Some(presence))
    }

    /// Mines a request and says how it stands, or which rule it breaks.
    pub(crate) fn status(&mut self, request: Request) -> Result<RequestStatus, &'static str> {
        let core = self.act(Body::Request(Box::new(request)))?;
        let held: HeldRequest = self.entry(&EntryKey::Request(core)).unwrap();
        Ok(held.status)
    }

    /// Mines a request without a fee, sponsored by somebody who owns nothing.
    pub(crate) fn status_free(&mut self, request: Request) -> Result<RequestStatus, &'static str> {
        let transaction = self.free(Body::Request(Box::new(request)));
        let core = transaction.core.id(&self.ledger.chain().genesis);
        self.mine(vec![transaction]).map_err(|(rule, _)| rule)?;
        let held: HeldRequest = self.entry(&EntryKey::Request(core)).unwrap();
        Ok(held.status)
    }

    /// Paid for, without a fee, by a key that has never paid.
    pub(crate) fn free(&mut self, body: Body) -> Transaction {
        let core = self.core(body);
        let payer = self.key(10_000 + u32::try_from(self.nonce).unwrap());
        let transaction = Transaction { core, payer, nonce: 1, fee: 0, sigs: Vec::new() };
        let keys: Vec<&Key> = self.keys.values().collect();
        sign(&self.ledger.chain().genesis, transaction, &keys)
    }

    /// Clinicians and emergency services beside the first ones.
    pub(crate) fn crowd(&mut self, clinicians: u32, sites: u32) {
        for i in 0..clinicians {
            let person = self.party(2000 + i);
            let role = Claim::Role { role: Role::EmergencyClinician, site: None };
            self.claim(ISSUER, person, role, 100 + u8::try_from(i).unwrap()).unwrap();
        }
        for i in 0..sites {
            let (site, id) = (self.party(3000 + i), self.id(3000 + i));
            let beacon = self.party(4000 + i);
            self.claim(REGION, site.clone(), Claim::Site(vec![CELL]), 0).unwrap();
            self.claim(REGION, site, Claim::Emergency { site: id }, 0).unwrap();
            self.claim(REGION, beacon, Claim::Beacon { site: id }, 0).unwrap();
        }
        self.wait(144);
    }

    /// A free emergency request of one of the crowd's clinicians at one of its sites.
    pub(crate) fn free_at(&mut self, policed: &Policed, i: u32, site: u32) -> Transaction {
        let tip = self.tip();
        let presence = self.presence(4000 + site, 2000 + i, tip);
        let request = self.break_glass(policed, 2000 + i);
        let request = Request { presence: Some(presence), ..request };
        self.free(Body::Request(Box::new(request)))
    }

    pub(crate) fn logs(&self, rid: PubKey) -> Logs {
        self.entry(&EntryKey::Logs(rid)).unwrap()
    }

    /// Signed again after a change.
    pub(crate) fn signed(&self, transaction: Transaction) -> Transaction {
        let keys: Vec<&Key> = self.keys.values().collect();
        sign(&self.ledger.chain().genesis, transaction, &keys)
    }

    /// The first claim about a key that is wanted.
    pub(crate) fn claim_of(&mut self, key: u32, wanted: impl Fn(&Claim) -> bool) -> CoreId {
        self.held_of(key, |held| wanted(&held.claim))
    }

    /// The claim about a key that is wanted for whatever it says.
    pub(crate) fn held_of(&mut self, key: u32, wanted: impl Fn(&HeldClaim) -> bool) -> CoreId {
        let party = self.id(key);
        let holdings: Vec<CoreId> = self.entry(&EntryKey::Holdings(party)).unwrap();
        let is_wanted = |core: &&CoreId| wanted(&self.entry(&EntryKey::Claim(**core)).unwrap());
        *holdings.iter().find(is_wanted).unwrap()
    }

    /// An entry of the state after the tip.
    pub(crate) fn entry<T: EntryValue>(&self, key: &EntryKey) -> Option<T> {
        let bytes = self.ledger.view().entry(key).unwrap()?;
        Some(borsh::from_slice(&bytes).unwrap())
    }
}

/// A record and its policy of one leaf.
pub(crate) struct Policed {
    pub(crate) rid: PubKey,
    pub(crate) policy: PolicyTree,
}

impl Policed {
    pub(crate) fn branch(&self) -> &Branch {
        &self.policy.branches()[0]
    }
}

/// The terms of an ordinary leaf.
pub(crate) fn terms() -> Leaf {
    Leaf {
        salt: [0; 16],
        set: 0,
        readers: [0; 32],
        places: [0; 32],
        window: Some(Window { from: 0, to: u32::MAX }),
        daily: None,
        purposes: Purposes::of(&[Purpose::Treat]),
        need: vec![],
        k: 2,
        together: Together::Apart,
        together_within: 3,
        answer_within: 20,
        read_within: 10,
        delay: 0,
        max_reads: 1,
        price: 0,
        scope: [0; 32],
    }
}
