//! A hand-over on paper's way: the receiver, two witnesses and a sponsor sign copies of one file in any
//! order, and nobody can sign for another or change what is signed.

use proofward::ledger::transaction::lot::Step;
use proofward::ledger::transaction::{Body, Transaction};
use proofward::wallet::{SecretKey, SignError, TransactionFile};

use crate::access::*;
use crate::world::*;

/// The key of [`crate::ledger::Key`] with this number.
pub(crate) fn secret(number: u32) -> SecretKey {
    let mut seed = [7; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    SecretKey::from_seed(&seed)
}

fn permutations<T: Clone>(of: &[T]) -> Vec<Vec<T>> {
    if of.is_empty() {
        return vec![vec![]];
    }
    (0..of.len())
        .flat_map(|at| {
            let mut rest = of.to_vec();
            let first = rest.remove(at);
            permutations(&rest).into_iter().map(move |tail| [vec![first.clone()], tail].concat())
        })
        .collect()
}

#[test]
fn a_hand_over_is_signed_in_any_order() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    goods.ship(MAKER, lot, PHARMACY).unwrap();
    let body = goods.body(PHARMACY, Step::Receive { lot }, &[DOCTOR, NURSE]);
    let (whole, _) = goods.transaction(Body::Move(body));
    let blank = Transaction { sigs: Vec::new(), ..whole.clone() };
    let genesis = goods.ledger.chain().genesis;
    let blank = TransactionFile::new(genesis, blank).unwrap();
    // 1 sponsors.
    let signers = [1, PHARMACY, DOCTOR, NURSE];
    assert_eq!(blank.signers().count(), signers.len());
    for order in permutations(&signers) {
        // One file passed on.
        let mut passed = blank.clone();
        for number in &order {
            assert_eq!(passed.complete(), None);
            passed = TransactionFile::parse(passed.to_text().as_bytes()).unwrap();
            passed.sign(&secret(*number)).unwrap();
        }
        assert_eq!(passed.complete().as_ref(), Some(&whole));
        // Copies signed apart and combined.
        let mut combined = blank.clone();
        for number in &order {
            let mut copy = blank.clone();
            copy.sign(&secret(*number)).unwrap();
            assert_eq!(combined.combine(&copy), Ok(1));
        }
        assert_eq!(combined.complete().as_ref(), Some(&whole));
    }
    let mut copy = blank.clone();
    let stranger = secret(TRADER);
    assert!(matches!(copy.sign(&stranger), Err(SignError::NotASigner(_))));
    goods.mine(vec![whole]).unwrap();
    assert_eq!(goods.holder(lot), goods.id(PHARMACY));
}

#[test]
fn a_witness_can_be_neither_added_nor_dropped_nor_swapped() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    let to = goods.id(PHARMACY);
    let body = goods.body(MAKER, Step::Ship { lot, to }, &[DOCTOR]);
    let (whole, _) = goods.transaction(Body::Move(body.clone()));
    let nurse = goods.witness(NURSE);
    for witnesses in [vec![], vec![nurse], vec![body.witnesses[0], nurse]] {
        let mut forged = whole.clone();
        if let Body::Move(body) = &mut forged.core.body {
            body.witnesses = witnesses;
        }
        forged.sigs.truncate(forged.signers().len());
        let missing = forged.signers().len() - forged.sigs.len();
        forged.sigs.extend(vec![whole.sigs[1]; missing]);
        assert_eq!(goods.mine(vec![forged]), Err(("BadSig", 1)));
    }
    goods.mine(vec![whole]).unwrap();
}
