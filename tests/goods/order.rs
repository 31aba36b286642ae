//! Of several broken rules the first in the order of the names is said, whatever the order of the lots.

use proofward::ledger::transaction::attest::Claim;
use proofward::ledger::transaction::lot::Step;
use proofward::ledger::transaction::{Body, LotId, Move};

use crate::access::*;
use crate::world::*;

#[test]
fn each_name_comes_before_the_next() {
    let mut goods = Goods::new();
    let [mine, taken, moving, gone] = [1, 2, 3, 4].map(|id| goods.make(MAKER, id));
    goods.hand_over(MAKER, taken, TRADER);
    goods.ship(MAKER, moving, TRADER).unwrap();
    goods.step(MAKER, Step::Destroy { lot: gone }).unwrap();
    let other =
        Step::Make { id: [5; 32], class: OTHER_DRUG, quantity: 10, inputs: vec![], min_witness: 0 };
    goods.step(MAKER, other).unwrap();
    let other = goods.made(MAKER, 5);
    let recalled = goods.make(MAKER, 6);
    goods.step(MAKER, Step::Recall { made: recalled }).unwrap();
    let ended = goods.make(MAKER, 7);
    goods.step(MAKER, Step::Destroy { lot: ended }).unwrap();
    goods.step(MAKER, Step::Recall { made: ended }).unwrap();
    let asking =
        Step::Make { id: [8; 32], class: DRUG, quantity: 10, inputs: vec![], min_witness: 1 };
    goods.witnessed(MAKER, asking, &[NURSE]).unwrap();
    let asking = goods.made(MAKER, 8);
    let site = goods.id(SITE);
    let many: Vec<LotId> = (20..36).map(|id| goods.make(MAKER, id)).collect();
    let all = Step::Pack { inputs: sorted(many.clone()), quantity: 160 };
    let all = LotId::output(&goods.step(MAKER, all).unwrap(), 0);

    let pack = |lots: &[LotId], quantity| Step::Pack { inputs: sorted(lots.to_vec()), quantity };
    let again = |inputs: &[LotId]| Step::Make {
        id: [1; 32],
        class: DRUG,
        quantity: 1,
        inputs: sorted(inputs.to_vec()),
        min_witness: 9,
    };
    let tip = goods.tip();
    // The presence is of somebody else: what a move without a site cannot carry.
    let wrong = goods.presence(BEACON, TRADER, tip);
    let cases: Vec<(&str, u32, Step, bool)> = vec![
        ("NotMaker", TRADER, again(&[taken, moving]), true),
        ("LotExists", MAKER, again(&[taken, moving]), true),
        ("NotHolder", MAKER, pack(&[taken, moving, asking], 1), true),
        ("InTransit", MAKER, pack(&[moving, asking, gone], 1), true),
        ("NotAddressee", MAKER, Step::Receive { lot: asking }, true),
        ("TooFewWitnesses", MAKER, pack(&[asking, other, gone], 1), true),
        ("NoPresence", MAKER, pack(&[mine, other, gone], 1), true),
        ("QuantityCreated", MAKER, pack(&[mine, other, recalled, gone], 1), false),
        ("ClassMixed", MAKER, pack(&[mine, other, recalled, gone], 40), false),
        ("Recalled", MAKER, pack(&[mine, recalled, gone, all], 190), false),
        ("Recalled", MAKER, Step::Dispense { lot: ended }, false),
        ("Destroyed", MAKER, pack(&[mine, gone, all], 180), false),
        ("TooManyOrigins", MAKER, pack(&[mine, all], 170), false),
    ];
    for (name, by, step, is_elsewhere) in cases {
        let body = goods.body(by, step, &[]);
        let body = match is_elsewhere {
            true => Move { site: Some(site), presence: Some(wrong.clone()), ..body },
            false => body,
        };
        assert_eq!(goods.act(Body::Move(body.clone())), Err(name), "{body:?}");
    }
}

#[test]
fn moves_in_one_block_are_judged_one_after_another() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    let to = goods.id(TRADER);
    let ship = goods.body(MAKER, Step::Ship { lot, to }, &[]);
    let receive = goods.body(TRADER, Step::Receive { lot }, &[]);
    let (ship, _) = goods.transaction(Body::Move(ship));
    let (receive, _) = goods.transaction(Body::Move(receive));
    // The sponsor's nonces leave room for both orders.
    assert_eq!(
        goods.mine(vec![receive.clone(), ship.clone()]),
        Err(("NotAddressee", 1)),
        "not yet on its way"
    );
    goods.mine(vec![ship, receive]).unwrap();
    assert_eq!(goods.holder(lot), to);
    let claim = goods.claim_of(MAKER, |claim| matches!(claim, Claim::Maker));
    let withdrawal = proofward::ledger::transaction::attest::Withdrawn::Claim(claim.0);
    let by = goods.party(ISSUER);
    let attest = proofward::ledger::transaction::Attest::withdrawal(by, withdrawal, [0; 32]);
    let (withdraw, _) = goods.transaction(Body::Attest(attest));
    let make = goods.body(MAKER, step_make(2, 1), &[]);
    let (make, _) = goods.transaction(Body::Move(make));
    assert_eq!(goods.mine(vec![withdraw, make]), Err(("NotMaker", 2)));
}
