//! A hospital's chain with makers, traders and witnesses on it.

use std::ops::{Deref, DerefMut};

use proofward::ledger::policy::{Role, RoleRef};
use proofward::ledger::state::{EntryKey, HeldLot};
use proofward::ledger::transaction::attest::Claim;
use proofward::ledger::transaction::lot::{Step, Witness};
use proofward::ledger::transaction::{Body, CoreId, LotId, Move, PartyId};

use crate::access::*;

pub(crate) const MAKER: u32 = 700;
pub(crate) const OTHER_MAKER: u32 = 701;
pub(crate) const TRADER: u32 = 702;
pub(crate) const PHARMACY: u32 = 703;
pub(crate) const DRUG: [u8; 32] = [1; 32];
pub(crate) const OTHER_DRUG: [u8; 32] = [2; 32];

pub(crate) struct Goods(World);

impl Deref for Goods {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

impl DerefMut for Goods {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.0
    }
}

pub(crate) fn step_make(id: u8, quantity: u64) -> Step {
    Step::Make { id: [id; 32], class: DRUG, quantity, inputs: vec![], min_witness: 0 }
}

pub(crate) fn sorted(mut lots: Vec<LotId>) -> Vec<LotId> {
    lots.sort_unstable();
    lots
}

impl Goods {
    /// With two makers.
    pub(crate) fn new() -> Self {
        let mut world = World::hospital();
        for maker in [MAKER, OTHER_MAKER] {
            let party = world.party(maker);
            world.claim(ISSUER, party, Claim::Maker, 0).unwrap();
        }
        Self(world)
    }

    /// A witness by the role that the site gave.
    pub(crate) fn witness(&mut self, number: u32) -> Witness {
        let role = if number == DOCTOR { Role::Physician } else { Role::Nurse };
        let issuer = self.id(SITE);
        Witness { key: self.key(number), role: RoleRef { role, issuer } }
    }

    pub(crate) fn body(&mut self, by: u32, step: Step, witnesses: &[u32]) -> Move {
        let witnesses = witnesses.iter().map(|number| self.witness(*number)).collect();
        let by = self.party(by);
        Move { by, step, event: [9; 32], site: None, presence: None, witnesses }
    }

    /// Mines a move.
    pub(crate) fn step(&mut self, by: u32, step: Step) -> Result<CoreId, &'static str> {
        self.witnessed(by, step, &[])
    }

    pub(crate) fn witnessed(
        &mut self,
        by: u32,
        step: Step,
        witnesses: &[u32],
    ) -> Result<CoreId, &'static str> {
        let body = self.body(by, step, witnesses);
        self.act(Body::Move(body))
    }

    pub(crate) fn made(&mut self, by: u32, id: u8) -> LotId {
        LotId::made(self.id(by), &[id; 32])
    }

    /// A lot of ten, made without witnesses.
    pub(crate) fn make(&mut self, by: u32, id: u8) -> LotId {
        self.step(by, step_make(id, 10)).unwrap();
        self.made(by, id)
    }

    pub(crate) fn split(&mut self, by: u32, lot: LotId, outputs: &[u64]) -> Vec<LotId> {
        let core = self.step(by, Step::Split { inputs: vec![lot], outputs: outputs.to_vec() });
        let core = core.unwrap();
        (0..).zip(outputs).map(|(at, _)| LotId::output(&core, at)).collect()
    }

    pub(crate) fn ship(&mut self, by: u32, lot: LotId, to: u32) -> Result<CoreId, &'static str> {
        let to = self.id(to);
        self.step(by, Step::Ship { lot, to })
    }

    /// Ships and receives.
    pub(crate) fn hand_over(&mut self, from: u32, lot: LotId, to: u32) {
        self.ship(from, lot, to).unwrap();
        self.step(to, Step::Receive { lot }).unwrap();
    }

    pub(crate) fn lot(&self, lot: LotId) -> Option<HeldLot> {
        self.entry(&EntryKey::Lot(lot))
    }

    pub(crate) fn holder(&self, lot: LotId) -> PartyId {
        self.lot(lot).unwrap().holder
    }
}
