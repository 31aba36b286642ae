//! A world for tests of access: a chain with people on it, founded step by step.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use std::collections::BTreeMap;

use proofward::ledger::chain::{Ledger, Submitted};
use proofward::ledger::policy::{Cell, Moment, Role};
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::Spec;
use proofward::ledger::state::{EntryKey, EntryValue, StateRead};
use proofward::ledger::store::MemoryStore;
use proofward::ledger::transaction::attest::{Claim, IssuerSet, Withdrawn};
use proofward::ledger::transaction::record::ShareSet;
use proofward::ledger::transaction::{
    Attest, Body, Core, CoreId, Grant, Group, Party, PartyId, Record, Transaction,
    TransactionDecodeError,
};

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
/// A cell of resolution 9.
pub(crate) const CELL: Cell = Cell(0x0892_8308_280f_ffff);

/// A chain, a sponsor who pays for everything, and the keys that were asked for.
pub(crate) struct World {
    pub(crate) ledger: Ledger<MemoryStore>,
    keys: BTreeMap<PubKey, Key>,
    sponsor: Key,
    nonce: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(easy_spec())
    }

    pub(crate) fn with(spec: Spec) -> Self {
        let sponsor = Key::new(1);
        let keys = BTreeMap::from([(sponsor.public(), sponsor.clone())]);
        let mut world = Self { ledger: memory_ledger(spec), keys, sponsor, nonce: 0 };
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
        let block = next_block(&self.ledger, self.sponsor.public(), transactions);
        match self.ledger.submit(&block.encode(), NOW) {
            Ok(Submitted::Tip { .. }) => Ok(()),
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                assert_eq!(self.ledger.view().root().unwrap(), before, "refused: nothing changes");
                let verdict = verdict(error);
                Err((verdict.rule.name(), verdict.transaction.unwrap_or(0)))
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
            fee: 100_000,
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

    /// An entry of the state after the tip.
    pub(crate) fn entry<T: EntryValue>(&self, key: &EntryKey) -> Option<T> {
        let bytes = self.ledger.view().entry(key).unwrap()?;
        Some(borsh::from_slice(&bytes).unwrap())
    }
}
