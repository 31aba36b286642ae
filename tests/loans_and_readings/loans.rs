//! Every named rule of loans: the smallest transaction that breaks exactly it, beside its nearest valid
//! neighbour; who signs, who is paid, and what is forgotten.

use proofward::ledger::mempool::{Limits, Mempool, Source};
use proofward::ledger::rules::isolation::Ids;
use proofward::ledger::signature::PubKey;
use proofward::ledger::state::{Account, DebtStanding, EntryKey, HeldDebt};
use proofward::ledger::transaction::pay::LoanTerms;
use proofward::ledger::transaction::{Body, CoreId, Pay, PayKind};

use crate::access::World;

const LENDER: u32 = 1;
const DEBTOR: u32 = 50;
const OTHER: u32 = 51;
const DOCUMENT: [u8; 32] = [7; 32];

struct Lending {
    world: World,
}

impl Lending {
    /// The lender is the sponsor, who mines; the others own a little.
    fn new() -> Self {
        let mut lending = Self { world: World::new() };
        for number in [DEBTOR, OTHER] {
            lending.pay(LENDER, number, 1_000_000, PayKind::Plain).unwrap();
        }
        lending
    }

    fn terms(&self, due_in: u32, total_owed: u64) -> LoanTerms {
        LoanTerms { due_h: self.world.next() + due_in, total_owed, document: DOCUMENT }
    }

    fn pay(
        &mut self,
        from: u32,
        to: u32,
        amount: u64,
        kind: PayKind,
    ) -> Result<CoreId, &'static str> {
        let body = self.body(from, to, amount, kind);
        self.world.act(body)
    }

    fn body(&mut self, from: u32, to: u32, amount: u64, kind: PayKind) -> Body {
        let (from, to) = (self.world.key(from), self.world.key(to));
        Body::Pay(Pay { from, to, amount, kind })
    }

    fn lend(&mut self, amount: u64, due_in: u32, total_owed: u64) -> Result<CoreId, &'static str> {
        let terms = self.terms(due_in, total_owed);
        self.pay(LENDER, DEBTOR, amount, PayKind::Loan(terms))
    }

    fn repay(&mut self, debt: CoreId, amount: u64) -> Result<CoreId, &'static str> {
        self.pay(DEBTOR, LENDER, amount, PayKind::Repay { debt: debt.0 })
    }

    fn assign(&mut self, debt: CoreId, from: u32, to: u32) -> Result<CoreId, &'static str> {
        self.pay(from, to, 0, PayKind::Assign { debt: debt.0 })
    }

    fn held(&self, debt: CoreId) -> HeldDebt {
        self.world.entry(&EntryKey::Debt(debt)).unwrap()
    }

    fn balance(&mut self, number: u32) -> u64 {
        let key = self.world.key(number);
        self.world.entry::<Account>(&EntryKey::Account(key)).map_or(0, |account| account.balance)
    }
}

#[test]
fn a_loan_moves_the_amount_and_opens_a_debt_that_repayments_close() {
    let mut lending = Lending::new();
    let debt = lending.lend(500, 20, 550).unwrap();
    assert_eq!(lending.balance(DEBTOR), 1_000_500);
    assert_eq!((lending.held(debt).left(), lending.held(debt).lent), (550, 500));
    lending.repay(debt, 200).unwrap();
    assert_eq!(lending.held(debt).left(), 350);
    assert_eq!(lending.held(debt).closed_h, None);
    lending.repay(debt, 350).unwrap();
    let held = lending.held(debt);
    assert_eq!((held.left(), held.repaid, lending.balance(DEBTOR)), (0, 550, 999_950));
    assert_eq!(held.standing_at(u32::MAX), DebtStanding::Repaid);
}

#[test]
fn zero_amount() {
    let mut lending = Lending::new();
    assert_eq!(lending.lend(0, 9, 1), Err("ZeroAmount"));
    assert_eq!(lending.lend(1, 9, 0), Err("ZeroAmount"));
    let debt = lending.lend(1, 9, 1).unwrap();
    assert_eq!(lending.repay(debt, 0), Err("ZeroAmount"));
    let terms = lending.terms(9, 0);
    assert_eq!(lending.pay(LENDER, DEBTOR, 1, PayKind::LoanOffer(terms)), Err("ZeroAmount"));
    assert!(lending.repay(debt, 1).is_ok());
}

#[test]
fn self_pay() {
    let mut lending = Lending::new();
    let terms = lending.terms(9, 1);
    assert_eq!(lending.pay(LENDER, LENDER, 1, PayKind::Loan(terms)), Err("SelfPay"));
    let debt = lending.lend(1, 9, 1).unwrap();
    assert_eq!(lending.assign(debt, LENDER, LENDER), Err("SelfPay"));
    assert!(lending.assign(debt, LENDER, OTHER).is_ok());
}

#[test]
fn insufficient() {
    let mut lending = Lending::new();
    let terms = lending.terms(9, 1);
    let whole = PayKind::Loan(terms);
    assert_eq!(lending.pay(OTHER, DEBTOR, 1_000_001, whole.clone()), Err("Insufficient"));
    assert!(lending.pay(OTHER, DEBTOR, 1_000_000, whole).is_ok());
    // An offer moves nothing: whether it is covered is judged when it is taken.
    assert!(lending.pay(OTHER, DEBTOR, 1, PayKind::LoanOffer(terms)).is_ok());
    assert_eq!(lending.balance(OTHER), 0);
}

#[test]
fn due_in_past() {
    let mut lending = Lending::new();
    let past = LoanTerms { due_h: lending.world.next() - 1, total_owed: 1, document: DOCUMENT };
    for kind in [PayKind::Loan(past), PayKind::LoanOffer(past)] {
        assert_eq!(lending.pay(LENDER, DEBTOR, 1, kind), Err("DueInPast"));
    }
    assert!(lending.lend(1, 0, 1).is_ok());
}

#[test]
fn debt_unknown() {
    let mut lending = Lending::new();
    let debt = lending.lend(5, 9, 5).unwrap();
    assert_eq!(lending.repay(CoreId([1; 32]), 5), Err("DebtUnknown"));
    assert_eq!(lending.assign(CoreId([1; 32]), LENDER, OTHER), Err("DebtUnknown"));
    // An announced offer is no debt.
    let terms = lending.terms(9, 5);
    let offer = lending.pay(LENDER, DEBTOR, 5, PayKind::LoanOffer(terms)).unwrap();
    assert_eq!(lending.repay(offer, 5), Err("DebtUnknown"));
    assert!(lending.repay(debt, 5).is_ok());
}

#[test]
fn debt_closed_and_forgotten_after_a_thousand_blocks() {
    let mut lending = Lending::new();
    let debt = lending.lend(5, 9, 5).unwrap();
    lending.repay(debt, 4).unwrap();
    lending.repay(debt, 1).unwrap();
    let closed = lending.held(debt).closed_h.unwrap();
    assert_eq!(lending.repay(debt, 1), Err("DebtClosed"));
    assert_eq!(lending.assign(debt, LENDER, OTHER), Err("DebtClosed"));
    let open = lending.lend(5, 9, 5).unwrap();
    lending.world.wait(closed + 999 - lending.world.next());
    assert_eq!(lending.repay(debt, 1), Err("DebtClosed"), "the last block that knows it");
    lending.world.wait(1);
    assert_eq!(lending.repay(debt, 1), Err("DebtUnknown"));
    lending.world.wait(1);
    assert_eq!(lending.world.entry::<HeldDebt>(&EntryKey::Debt(debt)), None);
    assert_eq!(lending.held(open).left(), 5, "one that is owed stays");
}

#[test]
fn not_debtor() {
    let mut lending = Lending::new();
    let debt = lending.lend(5, 9, 5).unwrap();
    let repay = PayKind::Repay { debt: debt.0 };
    assert_eq!(lending.pay(OTHER, LENDER, 5, repay.clone()), Err("NotDebtor"));
    assert!(lending.pay(DEBTOR, LENDER, 5, repay).is_ok());
}

#[test]
fn over_repay() {
    let mut lending = Lending::new();
    let debt = lending.lend(5, 9, 7).unwrap();
    lending.repay(debt, 3).unwrap();
    assert_eq!(lending.repay(debt, 5), Err("OverRepay"));
    assert!(lending.repay(debt, 4).is_ok());
}

#[test]
fn not_creditor() {
    let mut lending = Lending::new();
    let debt = lending.lend(5, 9, 5).unwrap();
    assert_eq!(lending.assign(debt, OTHER, LENDER), Err("NotCreditor"));
    assert_eq!(lending.assign(debt, DEBTOR, OTHER), Err("NotCreditor"));
    assert!(lending.assign(debt, LENDER, OTHER).is_ok());
    assert_eq!(lending.assign(debt, LENDER, OTHER), Err("NotCreditor"), "handed on once");
    let repay = PayKind::Repay { debt: debt.0 };
    assert_eq!(lending.pay(DEBTOR, OTHER, 5, repay.clone()), Err("NotCreditor"));
    assert!(lending.pay(DEBTOR, LENDER, 5, repay).is_ok());
}

#[test]
fn an_assignment_carries_no_amount() {
    let mut lending = Lending::new();
    let debt = lending.lend(5, 9, 5).unwrap();
    let assign = PayKind::Assign { debt: debt.0 };
    assert_eq!(lending.pay(LENDER, OTHER, 5, assign), Err("NonCanonical"));
    assert!(lending.assign(debt, LENDER, OTHER).is_ok());
}

#[test]
fn a_claim_that_changes_hands_in_every_block_is_repaid_to_whoever_holds_it() {
    let mut lending = Lending::new();
    let debt = lending.lend(5, 9, 5).unwrap();
    lending.assign(debt, LENDER, OTHER).unwrap();
    // The creditor hands the claim on in the same block, before the repayment.
    let third = 52;
    let assign = lending.body(OTHER, third, 0, PayKind::Assign { debt: debt.0 });
    let repay = lending.body(DEBTOR, LENDER, 5, PayKind::Repay { debt: debt.0 });
    let transactions = [assign, repay].map(|body| lending.world.transaction(body).0);
    lending.world.mine(transactions.to_vec()).unwrap();
    assert_eq!((lending.balance(third), lending.balance(OTHER)), (5, 1_000_000));
    assert_eq!(lending.held(debt).standing_at(0), DebtStanding::Repaid);
}

#[test]
fn a_claim_that_comes_to_the_debtor_is_forgiven() {
    let mut lending = Lending::new();
    let debt = lending.lend(5, 9, 8).unwrap();
    lending.repay(debt, 3).unwrap();
    lending.assign(debt, LENDER, DEBTOR).unwrap();
    let held = lending.held(debt);
    assert_eq!((held.left(), held.standing_at(0)), (0, DebtStanding::Forgiven));
    assert_eq!(lending.repay(debt, 5), Err("DebtClosed"));
}

#[test]
fn overdue_is_what_the_height_says_and_a_late_repayment_is_valid() {
    let mut lending = Lending::new();
    let debt = lending.lend(5, 3, 5).unwrap();
    let held = lending.held(debt);
    assert_eq!(held.standing_at(held.due_h), DebtStanding::Open);
    assert_eq!(held.standing_at(held.due_h + 1), DebtStanding::Overdue);
    lending.world.wait(10);
    assert_eq!(lending.held(debt), held, "no block changes it");
    lending.repay(debt, 5).unwrap();
}

#[test]
fn both_sign_a_loan_and_whoever_relays_it_can_alter_nothing() {
    let mut lending = Lending::new();
    let terms = lending.terms(9, 12);
    let body = lending.body(LENDER, DEBTOR, 10, PayKind::Loan(terms));
    assert_eq!(body.signers(), [lending.world.key(LENDER), lending.world.key(DEBTOR)]);
    let core = lending.world.core(body);
    let signed = lending.world.sponsor(core);
    let genesis = lending.world.ledger.chain().genesis;

    // Without the debtor's signature, or with another's in its place.
    let mut alone = signed.clone();
    alone.sigs.pop();
    assert_eq!(lending.world.mine(vec![alone]), Err(("WrongSigners", 1)));
    let mut forged = signed.clone();
    forged.sigs[1] = forged.sigs[0];
    assert_eq!(lending.world.mine(vec![forged]), Err(("BadSig", 1)));

    // Every field of it, altered by who relays it, who can sign for the fee only.
    let alter: [fn(&mut Pay, PubKey); 5] = [
        |pay, _| pay.amount += 1,
        |pay, relay| pay.to = relay,
        |pay, _| pay.kind = PayKind::Plain,
        |pay, _| change(pay, |terms| terms.due_h += 1),
        |pay, _| change(pay, |terms| terms.total_owed -= 1),
    ];
    let relay = crate::ledger::Key::new(OTHER);
    for (i, alter) in alter.into_iter().enumerate() {
        let mut altered = signed.clone();
        let Body::Pay(pay) = &mut altered.core.body else { unreachable!() };
        alter(pay, relay.public());
        altered.payer = relay.public();
        altered.nonce = 1;
        altered.fee = 50_000;
        let ids = Ids::of(&proofward::ledger::block::Included::new(altered.clone()), &genesis);
        altered.sigs.resize(altered.signers().len(), signed.sigs[0]);
        altered.sigs[0] = relay.sign(ids.signed_message(0));
        assert_eq!(lending.world.mine(vec![altered]), Err(("BadSig", 1)), "{i}");
    }

    // The same core, both signatures as they are, paid for by somebody who is no part of it.
    let mut relayed = signed.clone();
    relayed.payer = relay.public();
    relayed.nonce = 1;
    relayed.fee = 50_000;
    let ids = Ids::of(&proofward::ledger::block::Included::new(relayed.clone()), &genesis);
    relayed.sigs = vec![relay.sign(ids.signed_message(0))];
    for number in [LENDER, DEBTOR] {
        relayed.sigs.push(crate::ledger::Key::new(number).sign(&ids.core.0));
    }
    assert_eq!(relayed.sigs[2], signed.sigs[1], "the debtor's signature is the one before");
    lending.world.mine(vec![relayed]).unwrap();
    assert_eq!(lending.held(ids.core).left(), 12);
    assert_eq!(lending.world.mine(vec![signed]), Err(("Duplicate", 1)), "accepted once");
}

fn change(pay: &mut Pay, change: fn(&mut LoanTerms)) {
    let PayKind::Loan(terms) = &mut pay.kind else { unreachable!() };
    change(terms);
}

#[test]
fn the_mempool_reserves_what_is_lent_and_drops_what_can_no_longer_be_due() {
    let mut lending = Lending::new();
    let source = Source::Own;
    let (chain, next) = (lending.world.ledger.chain().clone(), lending.world.next());
    let mut pool = Mempool::new(&chain, &lending.world.ledger.view(), Limits::default()).unwrap();
    let terms = LoanTerms { due_h: next, total_owed: 600_000, document: DOCUMENT };
    let mut sent = |lending: &mut Lending, from, to, amount, kind| {
        let body = lending.body(from, to, amount, kind);
        let transaction = lending.world.transaction(body).0;
        pool.admit(&lending.world.ledger.view(), &transaction.encode(), source).map(|_| ())
    };
    sent(&mut lending, OTHER, DEBTOR, 600_000, PayKind::Loan(terms)).unwrap();
    let more = sent(&mut lending, OTHER, DEBTOR, 400_001, PayKind::Plain);
    assert!(more.is_err(), "600,000 of it are promised");
    sent(&mut lending, OTHER, DEBTOR, 400_000, PayKind::Plain).unwrap();
    let other = lending.world.key(OTHER);
    assert_eq!(pool.reserved()[&other], 1_000_000);
    lending.world.wait(1);
    let dropped = pool.follow(&lending.world.ledger.view(), None).unwrap();
    assert_eq!(dropped.len(), 1, "due in a block that is past: {dropped:?}");
    assert_eq!(pool.reserved()[&other], 400_000);
}

#[test]
fn a_block_holds_no_more_repayments_than_are_owed() {
    let mut lending = Lending::new();
    let debt = lending.lend(5, 90, 5).unwrap();
    let chain = lending.world.ledger.chain().clone();
    let mut pool = Mempool::new(&chain, &lending.world.ledger.view(), Limits::default()).unwrap();
    for _ in 0..2 {
        let body = lending.body(DEBTOR, LENDER, 4, PayKind::Repay { debt: debt.0 });
        let repay = lending.world.transaction(body).0;
        pool.admit(&lending.world.ledger.view(), &repay.encode(), Source::Own).unwrap();
    }
    let template = pool.template(&lending.world.ledger.view()).unwrap();
    assert_eq!((template.transactions.len(), pool.totals().count), (1, 2));
}
