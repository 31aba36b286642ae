//! Goods judged a second time, naively: a graph of lots that knows its parents, walked to its ends for
//! every question. It shares no code with the rules.

use std::collections::{BTreeMap, BTreeSet};

use proofward::ledger::transaction::lot::Step;
use proofward::ledger::transaction::{LotId, PartyId};

#[derive(Clone)]
pub(crate) struct Lot {
    pub(crate) class: [u8; 32],
    pub(crate) quantity: u64,
    pub(crate) holder: PartyId,
    pub(crate) to: Option<(PartyId, u32)>,
    pub(crate) is_consumed: bool,
    pub(crate) has_ended: bool,
    parents: Vec<LotId>,
    maker: Option<PartyId>,
}

#[derive(Clone, Default)]
pub(crate) struct Twin {
    makers: Vec<PartyId>,
    pub(crate) lots: BTreeMap<LotId, Lot>,
    recalled: BTreeSet<LotId>,
}

impl Twin {
    pub(crate) fn of(makers: Vec<PartyId>) -> Self {
        Self { makers, ..Self::default() }
    }

    /// Every lot that a lot came from, itself included.
    fn ancestry(&self, lot: LotId) -> BTreeSet<LotId> {
        let (mut found, mut left) = (BTreeSet::new(), vec![lot]);
        while let Some(lot) = left.pop() {
            if found.insert(lot) {
                left.extend(&self.lots[&lot].parents);
            }
        }
        found
    }

    /// Those of them that were made.
    fn origins(&self, lot: LotId) -> BTreeSet<LotId> {
        let mut origins = self.ancestry(lot);
        origins.retain(|lot| self.lots[lot].maker.is_some());
        origins
    }

    fn makers_of(&self, lot: LotId) -> BTreeSet<PartyId> {
        self.origins(lot).iter().filter_map(|lot| self.lots[lot].maker).collect()
    }

    pub(crate) fn is_recalled(&self, lot: LotId) -> bool {
        self.ancestry(lot).iter().any(|lot| self.recalled.contains(lot))
    }

    /// Everything that came of a lot, itself included.
    pub(crate) fn descendants(&self, made: LotId) -> BTreeSet<LotId> {
        let comes_of = |lot: &&LotId| self.ancestry(**lot).contains(&made);
        self.lots.keys().filter(comes_of).copied().collect()
    }

    pub(crate) fn judge(&self, by: PartyId, step: &Step, height: u32) -> Result<(), &'static str> {
        let open = |lot: &LotId| self.lots.get(lot).filter(|lot| !lot.is_consumed);
        let ended = |lots: &[LotId]| lots.iter().any(|lot| self.lots[lot].has_ended);
        let recalled = |lots: &[LotId]| lots.iter().any(|lot| self.is_recalled(*lot));
        let held_by = |lots: &[LotId]| {
            if lots.iter().any(|lot| open(lot).is_none_or(|lot| lot.holder != by)) {
                return Err("NotHolder");
            }
            if lots.iter().any(|lot| self.lots[lot].to.is_some()) {
                return Err("InTransit");
            }
            Ok(())
        };
        let behind = |lots: &[LotId]| {
            let all: BTreeSet<LotId> = lots.iter().flat_map(|lot| self.origins(*lot)).collect();
            all.len()
        };
        match step {
            Step::Make { id, inputs, .. } => {
                if !self.makers.contains(&by) {
                    return Err("NotMaker");
                }
                if self.lots.contains_key(&LotId::made(by, id)) {
                    return Err("LotExists");
                }
                held_by(inputs)?;
                if recalled(inputs) {
                    return Err("Recalled");
                }
                if ended(inputs) {
                    return Err("Destroyed");
                }
                if behind(inputs) + 1 > 16 {
                    return Err("TooManyOrigins");
                }
            }
            Step::Pack { inputs, .. } | Step::Split { inputs, .. } => {
                held_by(inputs)?;
                self.judge_regrouping(inputs, step.outputs())?;
            }
            Step::Unpack { lot, outputs } => {
                held_by(&[*lot])?;
                self.judge_regrouping(&[*lot], outputs)?;
            }
            Step::Ship { lot, to } => {
                held_by(&[*lot])?;
                if recalled(&[*lot]) && !self.makers_of(*lot).contains(to) {
                    return Err("Recalled");
                }
                if ended(&[*lot]) {
                    return Err("Destroyed");
                }
            }
            Step::Receive { lot } => {
                let Some(held) = open(lot) else { return Err("NotHolder") };
                let takes_back = held.to.is_some_and(|(_, since)| height - since >= 100);
                let may =
                    held.to.is_some_and(|(to, _)| to == by) || (held.holder == by && takes_back);
                if !may {
                    return Err("NotAddressee");
                }
                if recalled(&[*lot]) && held.holder != by && !self.makers_of(*lot).contains(&by) {
                    return Err("Recalled");
                }
            }
            Step::Dispense { lot } | Step::Destroy { lot } => {
                held_by(&[*lot])?;
                if matches!(step, Step::Dispense { .. }) && recalled(&[*lot]) {
                    return Err("Recalled");
                }
                if ended(&[*lot]) {
                    return Err("Destroyed");
                }
            }
            Step::Recall { made } => {
                if self.lots.get(made).and_then(|lot| lot.maker) != Some(by) {
                    return Err("NotMaker");
                }
                if self.recalled.contains(made) {
                    return Err("Recalled");
                }
            }
        }
        Ok(())
    }

    fn judge_regrouping(&self, inputs: &[LotId], outputs: &[u64]) -> Result<(), &'static str> {
        let total: u128 = inputs.iter().map(|lot| u128::from(self.lots[lot].quantity)).sum();
        if total != outputs.iter().map(|quantity| u128::from(*quantity)).sum() {
            return Err("QuantityCreated");
        }
        let classes: BTreeSet<[u8; 32]> = inputs.iter().map(|lot| self.lots[lot].class).collect();
        if classes.len() > 1 {
            return Err("ClassMixed");
        }
        if inputs.iter().any(|lot| self.is_recalled(*lot)) {
            return Err("Recalled");
        }
        if inputs.iter().any(|lot| self.lots[lot].has_ended) {
            return Err("Destroyed");
        }
        let behind: BTreeSet<LotId> = inputs.iter().flat_map(|lot| self.origins(*lot)).collect();
        if behind.len() > 16 { Err("TooManyOrigins") } else { Ok(()) }
    }

    /// `created` are the lots that come out.
    pub(crate) fn apply(&mut self, by: PartyId, step: &Step, height: u32, created: &[LotId]) {
        let lot = |class, quantity, parents: &[LotId], maker| Lot {
            class,
            quantity,
            holder: by,
            to: None,
            is_consumed: false,
            has_ended: false,
            parents: parents.to_vec(),
            maker,
        };
        match step {
            Step::Ship { lot, to } => self.at(lot).to = Some((*to, height)),
            Step::Receive { lot } => {
                self.at(lot).holder = by;
                self.at(lot).to = None;
            }
            Step::Dispense { lot } | Step::Destroy { lot } => self.at(lot).has_ended = true,
            Step::Recall { made } => {
                self.recalled.insert(*made);
            }
            Step::Make { class, quantity, inputs, .. } => {
                self.consume(inputs);
                self.lots.insert(created[0], lot(*class, *quantity, inputs, Some(by)));
            }
            Step::Pack { .. } | Step::Unpack { .. } | Step::Split { .. } => {
                let inputs = step.lots();
                self.consume(inputs);
                let class = self.lots[&inputs[0]].class;
                for (id, quantity) in created.iter().zip(step.outputs()) {
                    self.lots.insert(*id, lot(class, *quantity, inputs, None));
                }
            }
        }
    }

    fn at(&mut self, lot: &LotId) -> &mut Lot {
        self.lots.get_mut(lot).unwrap()
    }

    fn consume(&mut self, lots: &[LotId]) {
        for lot in lots {
            self.at(lot).is_consumed = true;
        }
    }
}
