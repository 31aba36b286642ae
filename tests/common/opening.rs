//! A record with real guardians, and everything that opens it: shared by the tests of approvals and
//! receipts.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use proofward::ledger::policy::{
    Clause, Draft, Entry, Guardian, Leaf, Need, Path, Place, PolicyTree, Presence, Purpose,
    Purposes, Role, RoleRef, Roll, Tree,
};
use proofward::ledger::rules::access::Answer;
use proofward::ledger::signature::PubKey;
use proofward::ledger::state::{Account, EntryKey, HeldRequest, RequestStatus};
use proofward::ledger::transaction::approve::{Approver, GuardianProof};
use proofward::ledger::transaction::attest::Claim;
use proofward::ledger::transaction::receipt::Outcome;
use proofward::ledger::transaction::record::{Previous, ShareSet};
use proofward::ledger::transaction::{
    Approve, Body, CoreId, Party, Pay, PayKind, Receipt, Record, Request, Transaction,
};

use super::access::{
    BEACON, CLINICIAN, DOCTOR, ISSUER, NURSE, PATIENT, Policed, SIREN, SITE, World, terms,
};
use super::ledger::{Key, NOW, next_block};

/// A second physician, an escrow service, a second clinician and a nurse who is no guardian.
pub(crate) const DOCTOR_2: u32 = 120;
pub(crate) const ESCROW: u32 = 121;
pub(crate) const CLINICIAN_2: u32 = 122;
pub(crate) const NURSE_2: u32 = 123;
pub(crate) const RID: u32 = 600;
/// The record before it, if there is one.
pub(crate) const FORMER: u32 = 601;
pub(crate) const BLOB: [u8; 32] = [3; 32];

/// Guardians of both share sets, by index.
pub(crate) const GUARDIANS: [[u32; 4]; 2] =
    [[NURSE, PATIENT, ESCROW, DOCTOR_2], [ESCROW, CLINICIAN_2, PATIENT, NURSE]];

/// A hospital with a record whose leaf takes a nurse and two guardians, the patient among them.
pub(crate) struct Opening {
    pub(crate) world: World,
    pub(crate) policed: Policed,
    trees: [Tree; 2],
}

impl Opening {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// With a change to the leaf.
    pub(crate) fn with(change: impl FnOnce(&mut Draft)) -> Self {
        let mut world = World::hospital();
        let mut draft = Self::draft(&mut world);
        change(&mut draft);
        Self::found(world, draft, None)
    }

    /// With a record that has taken the place of another.
    pub(crate) fn rekeyed() -> Self {
        let mut world = World::hospital();
        let draft = Self::draft(&mut world);
        let former = world.founded_record(FORMER, PATIENT, [0; 32], 1);
        let prev = Previous { rid: former, owners: world.party(PATIENT) };
        let mut opening = Self::found(world, draft, Some(prev));
        opening.world.wait(2);
        opening
    }

    fn draft(world: &mut World) -> Draft {
        let mut draft = world.everyday();
        let nurse = RoleRef { role: Role::Nurse, issuer: world.id(SITE) };
        draft.terms.need = vec![Need { role: nurse, count: 1 }];
        draft
    }

    /// With a leaf for emergencies: two clinicians, or the reader and one more, at any emergency service.
    pub(crate) fn emergency() -> Self {
        let mut world = World::hospital();
        world.found_emergency();
        let issuer = world.id(ISSUER);
        let role = RoleRef { role: Role::EmergencyClinician, issuer };
        let draft = Draft {
            terms: Leaf {
                set: 1,
                purposes: Purposes::of(&[Purpose::BreakGlass]),
                need: vec![Need { role, count: 1 }],
                max_reads: 1,
                ..terms()
            },
            readers: vec![role],
            places: vec![Place::AnyEmergency],
        };
        let mut opening = Self::found(world, draft, None);
        opening.world.wait(144);
        opening
    }

    fn found(mut world: World, draft: Draft, prev: Option<Previous>) -> Self {
        let site = world.id(SITE);
        let people = [
            (DOCTOR_2, Claim::Role { role: Role::Physician, site: Some(site) }, 20),
            (ESCROW, Claim::Role { role: Role::Escrow, site: None }, 21),
            (CLINICIAN_2, Claim::Role { role: Role::EmergencyClinician, site: None }, 22),
            (NURSE_2, Claim::Role { role: Role::Nurse, site: Some(site) }, 23),
        ];
        for (key, claim, tag) in people {
            let subject = world.party(key);
            world.claim(ISSUER, subject, claim, tag).unwrap();
        }
        let (rid, epoch) = (world.key(RID), u32::from(prev.is_some()));
        let trees = [0_u8, 1].map(|set| {
            let guardians = GUARDIANS[usize::from(set)];
            let leaves = (0_u8..).zip(guardians).map(|(index, number)| {
                let key = world.key(number);
                Guardian { rid, epoch, set, index, key }.leaf(&[index; 16])
            });
            Tree::new(leaves.collect()).unwrap()
        });
        let spacing_s = world.ledger.chain().spec.spacing_s;
        let policy = PolicyTree::build(&[9; 32], spacing_s, &[draft]).unwrap();
        let set = |tree: &Tree, required| ShareSet {
            n: 4,
            k: 2,
            shares_root: [5; 32],
            guardians_root: tree.root(),
            required,
        };
        let record = Record {
            policy_root: policy.root(),
            share_sets: vec![set(&trees[0], 0b10), set(&trees[1], 0)],
            epoch,
            prev,
            ..world.record_of(RID, PATIENT)
        };
        world.act(Body::Record(record)).unwrap();
        Self { world, policed: Policed { rid, policy }, trees }
    }

    /// The doctor's request, accepted and pending.
    pub(crate) fn asked(&mut self) -> CoreId {
        let request = self.world.ask(&self.policed);
        self.send(request)
    }

    /// The clinician's request in an emergency, accepted and pending.
    pub(crate) fn broken_glass(&mut self) -> CoreId {
        let request = self.world.break_glass(&self.policed, CLINICIAN);
        self.send(request)
    }

    pub(crate) fn send(&mut self, request: Request) -> CoreId {
        let core = self.world.act(Body::Request(Box::new(request))).unwrap();
        assert_eq!(self.held(core).status, RequestStatus::Pending);
        core
    }

    pub(crate) fn held(&self, request: CoreId) -> HeldRequest {
        self.world.entry(&EntryKey::Request(request)).unwrap()
    }

    /// What the predicate says in the next block.
    pub(crate) fn answer(&self, request: CoreId) -> Answer {
        let chain = self.world.ledger.chain();
        let (_, answer) = chain.answer(self.world.ledger.view(), request).unwrap().unwrap();
        answer
    }

    /// The number of the first clause that fails in the next block; 0 if the record is open.
    pub(crate) fn failed(&self, request: CoreId) -> u8 {
        let answer = self.answer(request);
        let clause = answer.verdict.reason().map_or(0, |reason| reason.clause().number());
        assert!(clause != 0 || answer.is_open);
        assert!(Clause::of_number(clause).is_some() || clause == 0);
        clause
    }

    /// Somebody's approval, with the guardian's path if there is one in the set.
    pub(crate) fn approver(&mut self, set: usize, number: u32) -> Approver {
        let key = self.world.key(number);
        let (site, issuer) = (self.world.id(SITE), self.world.id(ISSUER));
        let role = match number {
            NURSE | NURSE_2 => RoleRef { role: Role::Nurse, issuer: site },
            DOCTOR | DOCTOR_2 => RoleRef { role: Role::Physician, issuer: site },
            ESCROW => RoleRef { role: Role::Escrow, issuer },
            CLINICIAN | CLINICIAN_2 => RoleRef { role: Role::EmergencyClinician, issuer },
            _ => RoleRef { role: Role::Patient, issuer },
        };
        let index = GUARDIANS[set].iter().position(|guardian| *guardian == number);
        let guardian = index.map(|index| GuardianProof {
            salt: [u8::try_from(index).unwrap(); 16],
            path: self.path(set, index),
        });
        Approver { key, guardian, role, presence: None, release: [0; 32] }
    }

    pub(crate) fn path(&self, set: usize, index: usize) -> Path {
        self.trees[set].path(index).unwrap()
    }

    pub(crate) fn approvers(&mut self, numbers: &[u32]) -> Vec<Approver> {
        let set = usize::from(self.policed.branch().leaf.set);
        numbers.iter().map(|number| self.approver(set, *number)).collect()
    }

    pub(crate) fn body(request: CoreId, approvers: Vec<Approver>) -> Body {
        Body::Approve(Approve { request: request.0, approvers })
    }

    /// Mines one approval by these, or says which rule it breaks.
    pub(crate) fn approve(
        &mut self,
        request: CoreId,
        numbers: &[u32],
    ) -> Result<CoreId, &'static str> {
        let approvers = self.approvers(numbers);
        self.world.act(Self::body(request, approvers))
    }

    pub(crate) fn approve_as(
        &mut self,
        request: CoreId,
        approvers: Vec<Approver>,
    ) -> Result<CoreId, &'static str> {
        self.world.act(Self::body(request, approvers))
    }

    /// A signed approval, not yet mined.
    pub(crate) fn approval(&mut self, request: CoreId, numbers: &[u32]) -> Transaction {
        let approvers = self.approvers(numbers);
        self.world.transaction(Self::body(request, approvers)).0
    }

    /// A request that the nurse and the patient have answered.
    pub(crate) fn answered(&mut self) -> CoreId {
        let request = self.asked();
        self.approve(request, &[NURSE, PATIENT]).unwrap();
        request
    }

    pub(crate) fn heard(&mut self, beacon: u32, number: u32) -> Presence {
        let tip = self.world.tip();
        self.world.presence(beacon, number, tip)
    }

    pub(crate) fn receipt(
        &mut self,
        request: CoreId,
        outcome: Outcome,
        by: u32,
        blob: [u8; 32],
    ) -> Result<CoreId, &'static str> {
        let by = self.world.party(by);
        self.receipt_by(request, outcome, by, blob)
    }

    pub(crate) fn receipt_by(
        &mut self,
        request: CoreId,
        outcome: Outcome,
        by: Party,
        blob: [u8; 32],
    ) -> Result<CoreId, &'static str> {
        let receipt = Receipt { request: request.0, outcome, by, blob, detail: [0; 32] };
        self.world.act(Body::Receipt(receipt))
    }

    pub(crate) fn withdraw_role(&mut self, number: u32) {
        let claim = self.world.claim_of(number, |claim| matches!(claim, Claim::Role { .. }));
        self.world.withdraw(ISSUER, claim).unwrap();
    }

    pub(crate) fn withdraw_beacon(&mut self, number: u32) {
        let claim = self.world.claim_of(number, |claim| matches!(claim, Claim::Beacon { .. }));
        let by = if number == SIREN { super::access::REGION } else { ISSUER };
        self.world.withdraw(by, claim).unwrap();
    }

    pub(crate) fn key(&mut self, number: u32) -> PubKey {
        self.world.key(number)
    }

    /// The doctor's next request, when the one before is over.
    pub(crate) fn asked_again(&mut self) -> CoreId {
        self.world.wait(30);
        self.asked()
    }

    /// What a beacon said of several keys in one round.
    pub(crate) fn round(&mut self, round: u64, numbers: &[u32]) -> Vec<Presence> {
        let beacon = Key::new(AT);
        let keys: Vec<_> =
            (0_u8..).zip(numbers).map(|(i, number)| (self.world.key(*number), [i; 16])).collect();
        let tip = self.world.tip();
        let roll = Roll::new(beacon.public(), round, tip, keys.clone()).unwrap();
        let sig = beacon.sign(&roll.message(&self.world.ledger.chain().genesis));
        keys.iter().map(|(key, _)| roll.presence(*key, sig).unwrap()).collect()
    }

    pub(crate) fn give(&mut self, to: PubKey, amount: u64) {
        let from = self.world.key(1);
        self.world.act(Body::Pay(Pay { from, to, amount, kind: PayKind::Plain })).unwrap();
    }

    pub(crate) fn balance(&self, key: PubKey) -> u64 {
        self.world.entry::<Account>(&EntryKey::Account(key)).map_or(0, |account| account.balance)
    }

    /// Mines blocks that nobody else mines; their bytes.
    pub(crate) fn mine_apart(&mut self, blocks: u32) -> Vec<Vec<u8>> {
        let payout = self.world.key(777);
        let mine = |_| {
            let block = next_block(&self.world.ledger, payout, vec![]).encode();
            self.world.ledger.submit(&block, NOW).unwrap();
            block
        };
        (0..blocks).map(mine).collect()
    }
}

/// The doctor's beacon.
pub(crate) const AT: u32 = BEACON;
