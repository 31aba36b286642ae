//! Traces: where a lot came from, what each claim is worth, what speaks against it, and what a recall
//! reaches.

use std::collections::BTreeSet;

use proofward::fuzzing::forge::SplitMix64;
use proofward::ledger::goods::{Grade, Label, SignedMove, Trace};
use proofward::ledger::policy::Cell;
use proofward::ledger::transaction::attest::{Claim, Withdrawn};
use proofward::ledger::transaction::lot::Step;
use proofward::ledger::transaction::{Attest, Body, LotId, Move, Transaction};
use proofward::wallet::TransactionFile;
use proofward::wallet::lot::signed_move;
use proofward::words::{Lang, label, trace as told};

use crate::access::*;
use crate::random::choices;
use crate::signing::secret;
use crate::twin::Twin;
use crate::world::*;

/// Another place on the earth, as far as the test says.
const FAR: u32 = 800;
const FAR_CELL: Cell = Cell(0x0892_8308_2803_ffff);

/// Kilometres between the hospital and the other place, for one test or another.
fn apart(kilometres: u32) -> impl Fn(Cell, Cell) -> Option<u32> {
    move |a, b| Some(if a == b { 0 } else { kilometres })
}

fn traced(goods: &Goods, lot: LotId, others: &[SignedMove]) -> Trace {
    goods.ledger.view().trace(&lot, others, &apart(0)).unwrap()
}

fn grades(trace: &Trace) -> Vec<(&'static str, Grade)> {
    trace.steps.iter().map(|step| (step.moved.body().step.name(), step.grade)).collect()
}

fn labels(trace: &Trace) -> Vec<Vec<&'static str>> {
    let names = |labels: &Vec<Label>| labels.iter().map(Label::name).collect();
    trace.steps.iter().map(|step| names(&step.labels)).collect()
}

#[test]
fn each_claim_has_the_grade_of_those_who_stand_behind_it() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    let unrelated = goods.make(MAKER, 2);
    goods.hand_over(MAKER, unrelated, TRADER);
    goods.hand_over(MAKER, lot, TRADER);
    let parts = goods.split(TRADER, lot, &[4, 6]);
    let to = goods.id(PHARMACY);
    let (site, tip) = (goods.id(SITE), goods.tip());
    let ship = goods.body(TRADER, Step::Ship { lot: parts[0], to }, &[NURSE]);
    goods.act(Body::Move(ship)).unwrap();
    let presence = Some(goods.presence(BEACON, PHARMACY, tip));
    let receive = goods.body(PHARMACY, Step::Receive { lot: parts[0] }, &[NURSE, DOCTOR]);
    goods.act(Body::Move(Move { site: Some(site), presence, ..receive })).unwrap();
    let trace = traced(&goods, parts[0], &[]);
    assert_eq!(
        grades(&trace),
        [
            ("make", Grade::SelfClaimed),
            ("ship", Grade::CounterSigned),
            ("receive", Grade::CounterSigned),
            ("split", Grade::SelfClaimed),
            ("ship", Grade::Witnessed),
            ("receive", Grade::BeaconAndWitnessed),
        ]
    );
    assert_eq!(trace.grade(), Some(Grade::SelfClaimed), "worth its weakest claim");
    // The maker, the trader, the pharmacy, the nurse and the doctor.
    assert_eq!(trace.signers, 5);
    assert_eq!(trace.origins.len(), 1);
    assert_eq!((trace.origins[0].made, trace.origins[0].maker), (lot, goods.id(MAKER)));
    assert_eq!(trace.origins[0].recalled, None);
    assert!(Grade::ALL.is_sorted());
    for lang in Lang::ALL {
        let lines = told(lang, &trace);
        assert!(lines.iter().all(|line| !line.contains(['{', '}'])), "{lines:?}");
        let last = lines.last().unwrap();
        let claimed =
            if lang == Lang::En { "claimed by 5 signers" } else { "5 个签名者声明" };
        assert!(last.contains(claimed), "{last}");
    }
}

#[test]
fn a_lot_that_nobody_received_is_worth_the_givers_word() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    goods.ship(MAKER, lot, TRADER).unwrap();
    let shipped = |goods: &Goods| grades(&traced(goods, lot, &[]))[1].1;
    assert_eq!(shipped(&goods), Grade::SelfClaimed);
    // Who takes it back has signed both alone.
    goods.wait(100);
    goods.step(MAKER, Step::Receive { lot }).unwrap();
    assert!(
        grades(&traced(&goods, lot, &[])).iter().all(|(_, grade)| *grade == Grade::SelfClaimed)
    );
    assert!(traced(&goods, LotId([9; 32]), &[]).steps.is_empty());
}

/// A file with the move of a core that is not on the chain, signed by who acts.
fn aside(goods: &mut Goods, by: u32, step: Step) -> SignedMove {
    let body = goods.body(by, step, &[]);
    let core = goods.core(Body::Move(body));
    let payer = goods.key(DOCTOR);
    let blank = Transaction { core, payer, nonce: 1, fee: 0, sigs: Vec::new() };
    let mut file = TransactionFile::new(goods.ledger.chain().genesis, blank).unwrap();
    assert_eq!(signed_move(&file), None, "nobody has signed");
    file.sign(&secret(by)).unwrap();
    let file = TransactionFile::parse(file.to_text().as_bytes()).unwrap();
    signed_move(&file).expect("who acts has signed, the payer need not")
}

#[test]
fn a_second_make_of_the_same_name_speaks_against_the_first() {
    let mut goods = Goods::new();
    let same = aside(&mut goods, MAKER, step_make(1, 10));
    let more = aside(&mut goods, MAKER, step_make(1, 11));
    let other_name = aside(&mut goods, MAKER, step_make(2, 11));
    let other_maker = aside(&mut goods, OTHER_MAKER, step_make(1, 11));
    let lot = goods.make(MAKER, 1);
    goods.hand_over(MAKER, lot, TRADER);
    for innocent in [same, other_name, other_maker] {
        assert_eq!(labels(&traced(&goods, lot, &[innocent])), [[""; 0]; 3]);
    }
    let trace = traced(&goods, lot, std::slice::from_ref(&more));
    assert_eq!(labels(&trace), [vec!["double-make"], vec![], vec![]]);
    assert_eq!(trace.steps[0].labels, [Label::DoubleMake(more.core)]);
}

#[test]
fn a_holder_who_signs_the_lot_away_twice_is_found_out() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    let (trader, pharmacy) = (goods.id(TRADER), goods.id(PHARMACY));
    let same = aside(&mut goods, MAKER, Step::Ship { lot, to: trader });
    let twice = aside(&mut goods, MAKER, Step::Ship { lot, to: pharmacy });
    let eaten = aside(&mut goods, MAKER, Step::Dispense { lot });
    let taken = aside(&mut goods, TRADER, Step::Receive { lot });
    let foreign = aside(&mut goods, TRADER, Step::Dispense { lot });
    goods.witnessed(MAKER, Step::Ship { lot, to: trader }, &[NURSE]).unwrap();
    goods.step(TRADER, Step::Receive { lot }).unwrap();
    assert_eq!(grades(&traced(&goods, lot, &[]))[1].1, Grade::Witnessed);
    for innocent in [same, taken, foreign] {
        assert_eq!(labels(&traced(&goods, lot, &[innocent])), [[""; 0]; 3]);
    }
    for guilty in [&twice, &eaten] {
        let trace = traced(&goods, lot, std::slice::from_ref(guilty));
        assert_eq!(trace.steps[1].labels, [Label::DoubleHold(guilty.core)]);
        assert_eq!(trace.steps[1].grade, Grade::SelfClaimed, "it lowers the grade");
        assert_eq!(trace.steps[2].grade, Grade::CounterSigned, "of what it touches only");
    }
    // One that had expired by then was a plan that was given up.
    let expired = SignedMove { valid_to: 1, ..twice.clone() };
    assert_eq!(labels(&traced(&goods, lot, &[expired])), [[""; 0]; 3]);
    // Once the lot has come back, nobody can tell for which time it was signed.
    goods.hand_over(TRADER, lot, MAKER);
    assert!(labels(&traced(&goods, lot, &[twice])).iter().all(Vec::is_empty));
}

#[test]
fn goods_that_travel_faster_than_goods_do() {
    let mut goods = Goods::new();
    let (far, site) = (goods.party(FAR), goods.id(SITE));
    let far_id = far.id();
    goods.claim(ISSUER, far, Claim::Site(vec![FAR_CELL]), 0).unwrap();
    let lot = goods.make(MAKER, 1);
    let to = goods.id(TRADER);
    let ship = goods.body(MAKER, Step::Ship { lot, to }, &[]);
    goods.act(Body::Move(Move { site: Some(site), ..ship })).unwrap();
    let receive = goods.body(TRADER, Step::Receive { lot }, &[]);
    goods.act(Body::Move(Move { site: Some(far_id), ..receive })).unwrap();
    let at = |kilometres| {
        let trace = goods.ledger.view().trace(&lot, &[], &apart(kilometres)).unwrap();
        labels(&trace)
    };
    // A second between the blocks, and an hour of grace at 1,000 km an hour.
    assert_eq!(at(1000), [[""; 0]; 3]);
    assert_eq!(at(1001), [vec![], vec!["impossible-travel"], vec!["impossible-travel"]]);
    let trace = goods.ledger.view().trace(&lot, &[], &|_, _| None).unwrap();
    assert!(labels(&trace).iter().all(Vec::is_empty), "an unknown distance says nothing");
    let trace = goods.ledger.view().trace(&lot, &[], &apart(5000)).unwrap();
    for lang in Lang::ALL {
        assert!(label(lang, &trace.steps[1].labels[0]).contains("5000"));
    }
}

#[test]
fn the_withdrawal_of_a_devices_model_taints_what_it_signed() {
    let mut goods = Goods::new();
    let (scanner, model) = (900, [4; 32]);
    let device = goods.party(scanner);
    goods.claim(ISSUER, device, Claim::Device { model, firmware: [0; 32] }, 0).unwrap();
    let lot = goods.make(MAKER, 1);
    goods.hand_over(MAKER, lot, scanner);
    goods.hand_over(scanner, lot, TRADER);
    assert!(labels(&traced(&goods, lot, &[])).iter().all(Vec::is_empty));
    let (by, issuer) = (goods.party(ISSUER), goods.id(ISSUER));
    let height = goods.next();
    let withdrawn = Withdrawn::Model { issuer, model };
    goods.act(Body::Attest(Attest::withdrawal(by, withdrawn, [0; 32]))).unwrap();
    let trace = traced(&goods, lot, &[]);
    let tainted = vec!["tainted"];
    assert_eq!(labels(&trace), [vec![], vec![], tainted.clone(), tainted, vec![]]);
    let device = goods.key(scanner);
    assert_eq!(trace.steps[2].labels, [Label::Tainted { device, height }]);
    assert_eq!(trace.steps[2].grade, Grade::SelfClaimed);
}

#[test]
fn a_recall_reaches_exactly_what_came_of_its_make() {
    let mut random: SplitMix64 = choices("recall closure");
    let mut goods = Goods::new();
    let makers = vec![goods.id(MAKER), goods.id(OTHER_MAKER)];
    let mut twin = Twin::of(makers);
    let mut lots: Vec<(LotId, u64)> = Vec::new();
    let mut made = Vec::new();
    for round in 0..60_u8 {
        let by = if random.number(5) == 0 || lots.len() < 3 { None } else { Some(MAKER) };
        let inputs: BTreeSet<(LotId, u64)> =
            (0..1 + random.number(3)).filter_map(|_| random.pick(&lots).copied()).collect();
        let total: u64 = inputs.iter().map(|(_, quantity)| quantity).sum();
        let inputs: Vec<LotId> = inputs.into_iter().map(|(lot, _)| lot).collect();
        let step = match (by, random.number(3)) {
            (Some(_), 0) => Step::Pack { inputs, quantity: total },
            (Some(_), 1) if total > 1 => {
                let first = 1 + random.below(total - 1);
                Step::Split { inputs, outputs: vec![first, total - first] }
            }
            (Some(_), _) => {
                Step::Make { id: [round; 32], class: DRUG, quantity: 5, inputs, min_witness: 0 }
            }
            (None, _) => step_make(round, 10),
        };
        let body = goods.body(MAKER, step.clone(), &[]);
        let (by, height) = (body.by.id(), goods.next());
        let judged = twin.judge(by, &step, height);
        let core = goods.act(Body::Move(body.clone()));
        assert_eq!(core.map(|_| ()), judged);
        let Ok(core) = core else { continue };
        let created = body.created(&core);
        twin.apply(by, &step, height, &created);
        lots.retain(|(lot, _)| !step.lots().contains(lot));
        lots.extend(created.iter().map(|lot| (*lot, twin.lots[lot].quantity)));
        if let Step::Make { .. } = step {
            made.push(created[0]);
        }
    }
    let mut reached = 0;
    for lot in &made {
        let mut found = BTreeSet::new();
        let mut visit = |lot: &LotId| assert!(found.insert(*lot), "each once");
        goods.ledger.view().descendants(lot, &mut visit).unwrap();
        assert_eq!(found, twin.descendants(*lot));
        reached += found.len();
    }
    assert!(reached > 100, "{reached}");
    // Recalled, the state says so of the same lots, and of no others.
    let (first, second) = (made[0], made[made.len() / 2]);
    for lot in [first, second] {
        let step = Step::Recall { made: lot };
        goods.step(MAKER, step.clone()).unwrap();
        let by = goods.id(MAKER);
        twin.apply(by, &step, 0, &[]);
    }
    for (lot, _) in &lots {
        let trace = traced(&goods, *lot, &[]);
        let is_recalled = trace.origins.iter().any(|origin| origin.recalled.is_some());
        assert_eq!(is_recalled, twin.is_recalled(*lot));
        let expected = if is_recalled { Err("Recalled") } else { Ok(()) };
        let dispensed = goods.step(MAKER, Step::Dispense { lot: *lot }).map(|_| ());
        assert_eq!(dispensed, expected);
    }
}
