//! Random histories from a printed seed, with blocks taken back and others put in their place: every
//! verdict is the twin's, quantity is conserved, and a recall reaches exactly what came of its Make.

use std::collections::BTreeMap;

use proofward::fuzzing::forge::SplitMix64;
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::Spec;
use proofward::ledger::state::{Delta, EntryKey, HeldLot, LotStatus};
use proofward::ledger::transaction::attest::{Claim, IssuerSet};
use proofward::ledger::transaction::lot::Step;
use proofward::ledger::transaction::{Attest, Body, LotId, Move, PartyId};

use crate::ledger::{Key, easy_spec};
use crate::random::{choices, number_from};
use crate::replay::{Base, judge_block, unsigned};
use crate::twin::Twin;

const ACTORS: usize = 5;
const MAKERS: usize = 2;
const CLASSES: u8 = 2;

/// Goods of each class that were made, and those that are gone, by the moves that were accepted.
#[derive(Clone, Default)]
struct Books(BTreeMap<[u8; 32], (u128, u128)>);

struct History<'a> {
    spec: &'a Spec,
    keys: &'a [PubKey],
    base: Base,
    twin: Twin,
    books: Books,
    height: u32,
    nonce: u64,
    /// To take blocks back: what each changed, and how everything was before.
    undo: Vec<(Delta, Base, Twin, Books, u32)>,
}

/// A state in which two of the actors are makers.
fn founded(spec: &Spec, keys: &[PubKey]) -> (Base, u32, u64) {
    let mut base = Base::default();
    let (anchor, issuer) = (spec.anchors.keys[0], Key::new(399).public());
    let attest = |by: PubKey, about: PubKey, claim| {
        Body::Attest(Attest {
            issuer: by.into(),
            subject: about.into(),
            claim,
            from_h: 0,
            to_h: 1_000_000,
            subject_tag: [0; 16],
            evidence: [0; 32],
            prev: None,
        })
    };
    let mut claims = vec![attest(anchor, issuer, Claim::Issuer(IssuerSet::ALL))];
    claims.extend(keys[..MAKERS].iter().map(|maker| attest(issuer, *maker, Claim::Maker)));
    let (mut height, mut nonce) = (0, 0);
    // Until the payer owns something.
    while height < 10 {
        height += 1;
        let (delta, _) = judge_block(&base, spec, height, keys[0], vec![]);
        base.apply(&delta);
    }
    for body in claims {
        height += 1;
        nonce += 1;
        let transaction = unsigned(spec, height, body, keys[0], nonce);
        let (delta, outcomes) = judge_block(&base, spec, height, keys[0], vec![transaction]);
        assert!(outcomes[0].1.is_ok(), "{outcomes:?}");
        base.apply(&delta);
    }
    (base, height, nonce)
}

impl History<'_> {
    fn step(&self, random: &mut SplitMix64) -> (usize, Step) {
        // Mostly of those that are still there.
        let any = random.index(8) == 0;
        let lots: Vec<(LotId, u64)> = self
            .twin
            .lots
            .iter()
            .filter(|(_, lot)| any || !(lot.is_consumed || lot.has_ended))
            .map(|(id, lot)| (*id, lot.quantity))
            .collect();
        let mut by = random.index(ACTORS);
        let class = [u8::try_from(random.number(CLASSES.into())).unwrap(); 32];
        if lots.is_empty() || random.index(5) == 0 {
            let inputs = if random.index(4) == 0 { some_of(random, &lots) } else { vec![] };
            let id = [u8::try_from(random.number(12)).unwrap(); 32];
            let quantity = 1 + random.below(20);
            by = if random.index(8) == 0 { by } else { random.index(MAKERS) };
            let inputs = inputs.into_iter().map(|(lot, _)| lot).collect();
            return (by, Step::Make { id, class, quantity, inputs, min_witness: 0 });
        }
        let (lot, quantity) = lots[random.index(lots.len())];
        let held = &self.twin.lots[&lot];
        // Mostly by somebody who may.
        let right = held.to.filter(|_| random.index(3) > 0).map_or(held.holder, |(to, _)| to);
        if random.index(6) > 0 {
            by = self.keys.iter().position(|key| right == (*key).into()).unwrap();
        }
        let is_right = random.index(6) > 0;
        let divide = |random: &mut SplitMix64, quantity: u64| {
            let first = random.below(quantity.max(1)).max(1).min(quantity);
            let mut outputs = vec![first];
            outputs.extend((quantity > first).then(|| quantity - first));
            if !is_right {
                outputs[0] += 1;
            }
            outputs
        };
        let kind = if held.to.is_some() && random.index(4) > 0 { 2 } else { random.index(12) };
        let step = match kind {
            0 | 1 => {
                let to = (by + 1 + random.index(ACTORS - 1)) % ACTORS;
                Step::Ship { lot, to: self.keys[to].into() }
            }
            2 | 3 => Step::Receive { lot },
            4..8 => {
                let mut inputs = some_of(random, &lots);
                if random.index(4) > 0 {
                    let holder = self.keys[by].into();
                    inputs.retain(|(lot, _)| self.twin.lots[lot].holder == holder);
                    inputs.extend(inputs.is_empty().then_some((lot, quantity)));
                }
                let total = inputs.iter().map(|(_, quantity)| quantity).sum();
                let inputs: Vec<LotId> = inputs.into_iter().map(|(lot, _)| lot).collect();
                match random.index(2) {
                    0 => Step::Pack { inputs, quantity: total + u64::from(!is_right) },
                    _ => Step::Split { inputs, outputs: divide(random, total) },
                }
            }
            8 => Step::Unpack { lot, outputs: divide(random, quantity) },
            9 => Step::Dispense { lot },
            10 => Step::Destroy { lot },
            _ => Step::Recall { made: lot },
        };
        (by, step)
    }

    /// A block with a few moves; or the last few blocks taken back.
    fn go_on(&mut self, random: &mut SplitMix64, seen: &mut BTreeMap<&'static str, u32>) {
        if random.index(4) == 0 && !self.undo.is_empty() {
            for _ in 0..=random.index(self.undo.len().min(4)) {
                self.take_back();
            }
            return;
        }
        self.height += if random.index(6) == 0 { 100 } else { 1 };
        let before = (self.base.clone(), self.twin.clone(), self.books.clone(), self.height);
        let (mut moves, mut transactions) = (Vec::new(), Vec::new());
        for _ in 0..random.index(4) {
            self.nonce += 1;
            let (by, step) = self.step(random);
            let body = Move {
                by: self.keys[by].into(),
                step,
                event: [0; 32],
                site: None,
                presence: None,
                witnesses: vec![],
            };
            let body_of = Body::Move(body.clone());
            let payer = self.keys[0];
            transactions.push(unsigned(self.spec, self.height, body_of, payer, self.nonce));
            moves.push(body);
        }
        let payout = self.keys[0];
        let (delta, outcomes) =
            judge_block(&self.base, self.spec, self.height, payout, transactions);
        self.base.apply(&delta);
        for (body, (core, outcome)) in moves.iter().zip(outcomes) {
            let by = body.by.id();
            let expected = self.twin.judge(by, &body.step, self.height);
            let name = outcome.as_ref().map(|_| ()).map_err(|error| error.name());
            assert_eq!(name, expected, "height {}: {body:?}", self.height);
            *seen.entry(name.err().unwrap_or(body.step.name())).or_default() += 1;
            if outcome.is_ok() {
                self.books.note(&self.twin, &body.step);
                self.twin.apply(by, &body.step, self.height, &body.created(&core));
            }
        }
        let (base, twin, books, height) = before;
        self.undo.push((delta, base, twin, books, height));
    }

    /// By the undo record, as a node does.
    fn take_back(&mut self) {
        let Some((delta, base, twin, books, height)) = self.undo.pop() else { return };
        self.base.undo(&delta.undo_record());
        assert_eq!((&self.base.entries, &self.base.cores), (&base.entries, &base.cores));
        (self.twin, self.books, self.height) = (twin, books, height - 1);
    }

    /// The state says of every lot what the twin says, and no quantity has come or gone.
    fn check(&self) {
        let lots: BTreeMap<LotId, HeldLot> = self
            .base
            .entries
            .iter()
            .filter_map(|(key, value)| match key {
                EntryKey::Lot(lot) => Some((*lot, borsh::from_slice(value).unwrap())),
                _ => None,
            })
            .collect();
        let mut books = Books::default();
        for (id, twin) in &self.twin.lots {
            let Some(held) = lots.get(id) else {
                assert!(twin.is_consumed || twin.has_ended, "{id}");
                continue;
            };
            let to = match held.status {
                LotStatus::InTransit(transit) => Some((transit.to, transit.since.height)),
                _ => None,
            };
            let is_consumed = held.status == LotStatus::Consumed;
            assert_eq!((held.holder, to, is_consumed), (twin.holder, twin.to, twin.is_consumed));
            assert_eq!(held.has_ended(), twin.has_ended);
            assert_eq!((held.class, held.quantity), (twin.class, twin.quantity));
            let is_recalled = held
                .origins
                .iter()
                .any(|origin| lots[origin].made.is_some_and(|made| made.recalled.is_some()));
            assert_eq!(is_recalled, self.twin.is_recalled(*id), "{id}");
            if !is_consumed && !twin.has_ended {
                books.0.entry(held.class).or_default().0 += u128::from(held.quantity);
            }
        }
        for (class, (made, gone)) in &self.books.0 {
            let there = books.0.get(class).map_or(0, |(there, _)| *there);
            assert_eq!(there, made - gone, "what is there is what was made and is not gone");
        }
        assert!(lots.keys().all(|lot| self.twin.lots.contains_key(lot)));
    }
}

impl Books {
    /// Before the move is applied.
    fn note(&mut self, twin: &Twin, step: &Step) {
        let mut note = |class, made: u64, gone: u64| {
            let of = self.0.entry(class).or_default();
            of.0 += u128::from(made);
            of.1 += u128::from(gone);
        };
        match step {
            Step::Make { class, quantity, inputs, .. } => {
                note(*class, *quantity, 0);
                for lot in inputs {
                    note(twin.lots[lot].class, 0, twin.lots[lot].quantity);
                }
            }
            Step::Dispense { lot } | Step::Destroy { lot } => {
                note(twin.lots[lot].class, 0, twin.lots[lot].quantity);
            }
            _ => {}
        }
    }
}

/// One to four lots, ascending.
fn some_of(random: &mut SplitMix64, lots: &[(LotId, u64)]) -> Vec<(LotId, u64)> {
    let count = 1 + random.index(4);
    let mut some: Vec<_> =
        (0..count).filter_map(|_| lots.get(random.index(lots.len().max(1)))).collect();
    some.sort_unstable();
    some.dedup();
    some.into_iter().copied().collect()
}

#[test]
fn ten_thousand_histories_conserve_quantity_and_agree_with_the_twin() {
    let mut random = choices("goods");
    let spec = easy_spec();
    let keys: Vec<PubKey> = (0..5).map(|i| Key::new(300 + i).public()).collect();
    assert_eq!(keys.len(), ACTORS);
    let (base, height, nonce) = founded(&spec, &keys);
    let makers: Vec<PartyId> = keys[..MAKERS].iter().map(|key| (*key).into()).collect();
    let mut seen = BTreeMap::new();
    for _ in 0..number_from("PROOFWARD_HISTORIES", 10_000) {
        let mut history = History {
            spec: &spec,
            keys: &keys,
            base: base.clone(),
            twin: Twin::of(makers.clone()),
            books: Books::default(),
            height,
            nonce,
            undo: Vec::new(),
        };
        for _ in 0..8 + random.index(16) {
            history.go_on(&mut random, &mut seen);
        }
        history.check();
    }
    println!("{seen:?}");
    for name in [
        "make",
        "ship",
        "receive",
        "pack",
        "unpack",
        "split",
        "dispense",
        "destroy",
        "recall",
        "NotMaker",
        "LotExists",
        "NotHolder",
        "InTransit",
        "NotAddressee",
        "QuantityCreated",
        "ClassMixed",
        "Recalled",
        "Destroyed",
    ] {
        assert!(seen.get(name).is_some_and(|count| *count >= 20), "{name}: {seen:?}");
    }
}
