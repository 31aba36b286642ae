//! Ten thousand small histories of loans with reorganisations: every verdict is that of a twin written
//! apart, no unit is made or lost, and what is owed is what was agreed less what was given back.

use std::collections::BTreeMap;

use proofward::fuzzing::forge::SplitMix64;
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::Spec;
use proofward::ledger::state::{Account, EntryKey, HeldDebt};
use proofward::ledger::transaction::pay::LoanTerms;
use proofward::ledger::transaction::{Body, CoreId, Pay, PayKind};

use crate::ledger::{Key, easy_spec};
use crate::random::choices;
use crate::replay::{Branch, FEE, accounts};

const OWNED: u64 = 1_000_000_000;

/// Who owes whom, by the words of the rules and nothing else.
#[derive(Clone, Default)]
struct Twin {
    units: BTreeMap<PubKey, u64>,
    debts: BTreeMap<CoreId, Debt>,
    fees: u64,
}

#[derive(Clone)]
struct Debt {
    lender: PubKey,
    creditor: PubKey,
    debtor: PubKey,
    agreed: u64,
    given: Vec<u64>,
    is_forgiven: bool,
}

impl Debt {
    fn left(&self) -> u64 {
        if self.is_forgiven { 0 } else { self.agreed - self.given.iter().sum::<u64>() }
    }
}

impl Twin {
    fn step(
        &mut self,
        height: u32,
        payer: PubKey,
        core: CoreId,
        pay: &Pay,
    ) -> Result<(), &'static str> {
        let before = self.clone();
        let verdict = self.judge_and_apply(height, payer, core, pay);
        if verdict.is_err() {
            *self = before;
        }
        verdict
    }

    fn judge_and_apply(
        &mut self,
        height: u32,
        payer: PubKey,
        core: CoreId,
        pay: &Pay,
    ) -> Result<(), &'static str> {
        let left = self.units[&payer].checked_sub(FEE).ok_or("PayerCannotPay")?;
        self.units.insert(payer, left);
        self.fees += FEE;
        let Pay { from, to, amount, ref kind } = *pay;
        let is_void = match kind {
            PayKind::Assign { .. } => false,
            PayKind::Loan(terms) | PayKind::LoanOffer(terms) => {
                amount == 0 || terms.total_owed == 0
            }
            _ => amount == 0,
        };
        if is_void {
            return Err("ZeroAmount");
        }
        if from == to {
            return Err("SelfPay");
        }
        let is_moved = !matches!(kind, PayKind::LoanOffer(_) | PayKind::Assign { .. });
        if is_moved && self.units[&from] < amount {
            return Err("Insufficient");
        }
        let mut paid = to;
        match kind {
            PayKind::Loan(terms) | PayKind::LoanOffer(terms) if terms.due_h < height => {
                return Err("DueInPast");
            }
            PayKind::Loan(terms) => {
                let (agreed, given) = (terms.total_owed, Vec::new());
                let is_forgiven = false;
                let debt =
                    Debt { lender: from, creditor: from, debtor: to, agreed, given, is_forgiven };
                self.debts.insert(core, debt);
            }
            PayKind::Repay { debt } => {
                let debt = self.debts.get_mut(&CoreId(*debt)).ok_or("DebtUnknown")?;
                match debt.left() {
                    0 => return Err("DebtClosed"),
                    _ if debt.debtor != from => return Err("NotDebtor"),
                    left if left < amount => return Err("OverRepay"),
                    _ if debt.lender != to => return Err("NotCreditor"),
                    _ => debt.given.push(amount),
                }
                paid = debt.creditor;
            }
            PayKind::Assign { debt } => {
                let debt = self.debts.get_mut(&CoreId(*debt)).ok_or("DebtUnknown")?;
                if debt.left() == 0 {
                    return Err("DebtClosed");
                }
                if debt.creditor != from {
                    return Err("NotCreditor");
                }
                debt.creditor = to;
                debt.is_forgiven = to == debt.debtor;
            }
            _ => {}
        }
        if is_moved {
            *self.units.get_mut(&from).unwrap() -= amount;
            *self.units.get_mut(&paid).unwrap() += amount;
        }
        Ok(())
    }
}

struct History<'a> {
    keys: &'a [PubKey],
    branch: Branch<'a>,
    twin: Twin,
    /// The twin before each block.
    past: Vec<Twin>,
}

impl<'a> History<'a> {
    fn new(spec: &'a Spec, keys: &'a [PubKey]) -> Self {
        let branch = Branch::new(spec, accounts(keys, OWNED));
        let units = keys.iter().map(|key| (*key, OWNED)).collect();
        Self { keys, branch, twin: Twin { units, ..Twin::default() }, past: Vec::new() }
    }

    fn block(&mut self, random: &mut SplitMix64, named: &mut BTreeMap<&'static str, u32>) {
        self.past.push(self.twin.clone());
        let (keys, twin) = (self.keys, &mut self.twin);
        self.branch.block(1_700_000_000, |block| {
            for number in 0..random.below(4) {
                let pay = payment(keys, twin, block.height(), random);
                let payer = keys[random.index(keys.len())];
                let (core, judged) = block.act(payer, Body::Pay(pay.clone()), number);
                let expected = twin.step(block.height(), payer, core, &pay);
                assert_eq!(judged, expected, "{pay:?}");
                *named.entry(judged.err().unwrap_or("valid")).or_default() += 1;
            }
        });
        self.check();
    }

    /// Undoes up to three blocks; what comes after is another branch.
    fn reorganise(&mut self, random: &mut SplitMix64) {
        for _ in 0..random.below(4) {
            if self.branch.undo() {
                self.twin = self.past.pop().unwrap();
            }
        }
        self.check();
    }

    fn check(&self) {
        let (mut units, mut debts) = (0, 0);
        for (key, value) in &self.branch.base.entries {
            match key {
                EntryKey::Account(key) => {
                    let account: Account = borsh::from_slice(value).unwrap();
                    assert_eq!(account.balance, self.twin.units[key]);
                    units += account.balance;
                }
                EntryKey::Debt(core) => {
                    let held: HeldDebt = borsh::from_slice(value).unwrap();
                    let debt = &self.twin.debts[core];
                    assert_eq!((held.creditor, held.left()), (debt.creditor, debt.left()));
                    assert_eq!(held.repaid, debt.given.iter().sum::<u64>());
                    assert_eq!(held.closed_h.is_some(), debt.left() == 0);
                    debts += 1;
                }
                _ => {}
            }
        }
        let owned = OWNED * u64::try_from(self.keys.len()).unwrap();
        assert_eq!(units + self.twin.fees, owned, "no unit is made or lost");
        assert_eq!(debts, self.twin.debts.len());
    }
}

/// A payment that often holds.
fn payment(keys: &[PubKey], twin: &Twin, height: u32, random: &mut SplitMix64) -> Pay {
    let (mut from, mut to) = (keys[random.index(keys.len())], keys[random.index(keys.len())]);
    let mut amount = random.below(40);
    let debts: Vec<(&CoreId, &Debt)> = twin.debts.iter().collect();
    let one = (!debts.is_empty()).then(|| debts[random.index(debts.len())]);
    let named = one.map_or([3; 32], |(core, _)| core.0);
    let terms = LoanTerms {
        due_h: (height + random.number(6)).saturating_sub(1),
        total_owed: random.below(60),
        document: [0; 32],
    };
    let is_wild = random.below(4) == 0;
    let kind = match random.below(8) {
        0 => PayKind::Plain,
        1 => PayKind::LoanOffer(terms),
        2..=3 => PayKind::Loan(terms),
        4..=6 => {
            if let Some((_, debt)) = one.filter(|_| !is_wild) {
                (from, to) = (debt.debtor, debt.lender);
                amount = if random.below(2) == 0 { debt.left() } else { amount };
            }
            PayKind::Repay { debt: named }
        }
        _ => {
            from = one.filter(|_| !is_wild).map_or(from, |(_, debt)| debt.creditor);
            amount = 0;
            PayKind::Assign { debt: named }
        }
    };
    if from == to && random.below(8) > 0 {
        to = *keys.iter().find(|key| **key != from).unwrap();
    }
    if random.below(30) == 0 && amount > 0 {
        amount += OWNED;
    }
    Pay { from, to, amount, kind }
}

#[test]
fn units_and_debts_are_conserved_in_ten_thousand_histories_with_reorganisations() {
    let mut random = choices("loans");
    let spec = easy_spec();
    let keys: Vec<PubKey> = (0..4).map(|i| Key::new(300 + i).public()).collect();
    let mut named = BTreeMap::new();
    for _ in 0..10_000 {
        let mut history = History::new(&spec, &keys);
        for _ in 0..6 {
            history.block(&mut random, &mut named);
            if random.below(4) == 0 {
                history.reorganise(&mut random);
            }
        }
    }
    println!("{named:?}");
    let names = [
        "valid",
        "ZeroAmount",
        "SelfPay",
        "Insufficient",
        "DueInPast",
        "DebtUnknown",
        "DebtClosed",
        "NotDebtor",
        "OverRepay",
        "NotCreditor",
    ];
    for name in names {
        assert!(named.get(name).is_some_and(|count| *count >= 100), "{name}: {named:?}");
    }
}
