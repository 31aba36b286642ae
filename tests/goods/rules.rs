//! Each name: the smallest move that breaks exactly it, beside its nearest valid neighbour.

use proofward::ledger::policy::{Role, RoleRef};
use proofward::ledger::spec::{CLOSED_BLOCKS, ORIGINS_MAX, TAKE_BACK_BLOCKS};
use proofward::ledger::state::LotStatus;
use proofward::ledger::transaction::attest::{Claim, IssuerSet};
use proofward::ledger::transaction::lot::{Step, WITNESSES_MAX, Witness};
use proofward::ledger::transaction::{Body, LotId, Move};

use crate::access::*;
use crate::world::*;

const UNKNOWN: LotId = LotId([77; 32]);

#[test]
fn not_maker_without_a_live_makers_claim() {
    let mut goods = Goods::new();
    assert_eq!(goods.step(TRADER, step_make(1, 1)), Err("NotMaker"));
    goods.step(MAKER, step_make(1, 1)).unwrap();
    let claim = goods.claim_of(MAKER, |claim| matches!(claim, Claim::Maker));
    goods.withdraw(ISSUER, claim).unwrap();
    assert_eq!(goods.step(MAKER, step_make(2, 1)), Err("NotMaker"));
    // What was made before goes on, and can still be recalled by its maker.
    let lot = goods.made(MAKER, 1);
    goods.hand_over(MAKER, lot, TRADER);
    goods.step(MAKER, Step::Recall { made: lot }).unwrap();
}

#[test]
fn not_maker_unless_the_maker_or_an_ancestor_of_its_claim_recalls() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    let parts = goods.split(MAKER, lot, &[4, 6]);
    let region = goods.party(REGION);
    goods.claim(ANCHOR, region, Claim::Issuer(IssuerSet::ALL), 0).unwrap();
    for other in [OTHER_MAKER, TRADER, REGION, SITE] {
        assert_eq!(goods.step(other, Step::Recall { made: lot }), Err("NotMaker"), "{other}");
    }
    for odd in [UNKNOWN, parts[0]] {
        assert_eq!(goods.step(MAKER, Step::Recall { made: odd }), Err("NotMaker"));
    }
    goods.step(MAKER, Step::Recall { made: lot }).unwrap();
    for (id, by) in [(2, ISSUER), (3, ANCHOR)] {
        let lot = goods.make(MAKER, id);
        goods.step(by, Step::Recall { made: lot }).unwrap();
        assert_eq!(goods.step(MAKER, Step::Recall { made: lot }), Err("Recalled"), "once");
    }
}

#[test]
fn lot_exists_for_ever_and_for_its_maker_only() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    assert_eq!(goods.step(MAKER, step_make(1, 10)), Err("LotExists"));
    goods.step(OTHER_MAKER, step_make(1, 10)).unwrap();
    goods.step(MAKER, Step::Destroy { lot }).unwrap();
    goods.wait(CLOSED_BLOCKS + 1);
    assert_eq!(goods.step(MAKER, step_make(1, 10)), Err("LotExists"));
    goods.step(MAKER, step_make(2, 10)).unwrap();
}

#[test]
fn not_holder_of_a_lot_that_is_anothers_unknown_or_consumed() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    assert_eq!(goods.step(TRADER, Step::Dispense { lot }), Err("NotHolder"));
    for lot in [UNKNOWN, LotId([0; 32])] {
        assert_eq!(goods.step(MAKER, Step::Dispense { lot }), Err("NotHolder"));
        assert_eq!(goods.step(MAKER, Step::Receive { lot }), Err("NotHolder"));
    }
    let parts = goods.split(MAKER, lot, &[4, 6]);
    assert_eq!(goods.lot(lot).unwrap().status, LotStatus::Consumed);
    let step = Step::Split { inputs: vec![lot], outputs: vec![10] };
    assert_eq!(goods.step(MAKER, step), Err("NotHolder"), "two contradictory moves");
    let halves = goods.split(MAKER, parts[0], &[2, 2]);
    assert_eq!(goods.lot(parts[0]), None, "a derived name never comes again");
    assert_eq!(goods.step(MAKER, Step::Dispense { lot: parts[0] }), Err("NotHolder"));
    goods.hand_over(MAKER, halves[0], TRADER);
    assert_eq!(goods.step(MAKER, Step::Dispense { lot: halves[0] }), Err("NotHolder"));
    goods.step(TRADER, Step::Dispense { lot: halves[0] }).unwrap();
}

#[test]
fn in_transit_until_it_is_received() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    goods.ship(MAKER, lot, TRADER).unwrap();
    let to = goods.id(PHARMACY);
    for step in [
        Step::Ship { lot, to },
        Step::Dispense { lot },
        Step::Destroy { lot },
        Step::Unpack { lot, outputs: vec![10] },
        Step::Pack { inputs: vec![lot], quantity: 10 },
    ] {
        assert_eq!(goods.step(MAKER, step.clone()), Err("InTransit"), "{step:?}");
        assert_eq!(goods.step(TRADER, step.clone()), Err("NotHolder"), "{step:?}");
    }
    goods.step(TRADER, Step::Receive { lot }).unwrap();
    assert_eq!(goods.holder(lot), goods.id(TRADER));
    goods.step(TRADER, Step::Destroy { lot }).unwrap();
}

#[test]
fn not_addressee_and_the_giver_takes_back_after_a_hundred_blocks() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    assert_eq!(goods.step(MAKER, Step::Receive { lot }), Err("NotAddressee"), "not on its way");
    let shipped = goods.next();
    goods.ship(MAKER, lot, TRADER).unwrap();
    assert_eq!(goods.step(PHARMACY, Step::Receive { lot }), Err("NotAddressee"));
    let left = shipped + TAKE_BACK_BLOCKS - 1 - goods.next();
    goods.wait(left);
    assert_eq!(goods.step(MAKER, Step::Receive { lot }), Err("NotAddressee"));
    goods.wait(1);
    goods.step(MAKER, Step::Receive { lot }).unwrap();
    assert_eq!(goods.step(TRADER, Step::Receive { lot }), Err("NotAddressee"), "too late");
    // The addressee may come late as long as nobody took it back.
    goods.ship(MAKER, lot, TRADER).unwrap();
    goods.wait(TAKE_BACK_BLOCKS + 1);
    goods.step(TRADER, Step::Receive { lot }).unwrap();
}

#[test]
fn a_burst_of_blocks_does_not_let_the_giver_take_back() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    let shipped = goods.next();
    goods.ship(MAKER, lot, TRADER).unwrap();
    goods.burst(150);
    assert!(goods.next() > shipped + TAKE_BACK_BLOCKS, "the blocks are there, the time is not");
    assert_eq!(goods.step(MAKER, Step::Receive { lot }), Err("NotAddressee"));
    goods.wait(TAKE_BACK_BLOCKS);
    goods.step(MAKER, Step::Receive { lot }).unwrap();
}

/// A Make that asks for so many witnesses.
fn asking(id: u8, min_witness: u8) -> Step {
    Step::Make { id: [id; 32], class: DRUG, quantity: 10, inputs: vec![], min_witness }
}

#[test]
fn too_few_witnesses_for_any_step_of_the_lot() {
    let mut goods = Goods::new();
    assert_eq!(goods.witnessed(MAKER, asking(1, 2), &[DOCTOR]), Err("TooFewWitnesses"));
    goods.witnessed(MAKER, asking(1, 2), &[DOCTOR, NURSE]).unwrap();
    let (lot, to) = (goods.made(MAKER, 1), goods.id(TRADER));
    let both: &[u32] = &[NURSE, DOCTOR];
    for (by, step) in [
        (MAKER, Step::Ship { lot, to }),
        (TRADER, Step::Receive { lot }),
        (TRADER, Step::Dispense { lot }),
    ] {
        assert_eq!(goods.witnessed(by, step.clone(), &[DOCTOR]), Err("TooFewWitnesses"));
        goods.witnessed(by, step, both).unwrap();
    }
    // A recall is held up by nobody.
    goods.step(MAKER, Step::Recall { made: lot }).unwrap();
}

#[test]
fn the_largest_number_of_witnesses_is_inherited() {
    let mut goods = Goods::new();
    goods.step(MAKER, asking(1, 0)).unwrap();
    goods.witnessed(MAKER, asking(2, 1), &[DOCTOR]).unwrap();
    let inputs = vec![goods.made(MAKER, 1), goods.made(MAKER, 2)];
    let pack = Step::Pack { inputs: sorted(inputs), quantity: 20 };
    assert_eq!(goods.step(MAKER, pack.clone()), Err("TooFewWitnesses"));
    let packed = LotId::output(&goods.witnessed(MAKER, pack, &[NURSE]).unwrap(), 0);
    assert_eq!(goods.lot(packed).unwrap().min_witness, 1);
    let inputs = vec![packed];
    let make = Step::Make { id: [3; 32], class: DRUG, quantity: 1, inputs, min_witness: 0 };
    assert_eq!(goods.step(MAKER, make.clone()), Err("TooFewWitnesses"));
    goods.witnessed(MAKER, make, &[NURSE]).unwrap();
    let made = goods.made(MAKER, 3);
    assert_eq!(goods.lot(made).unwrap().min_witness, 1);
}

#[test]
fn every_witness_counts_or_the_move_is_refused() {
    let mut goods = Goods::new();
    let site = goods.id(SITE);
    // The doctor is a nurse too: the same tag by the same issuer.
    let (party, maker) = (goods.party(DOCTOR), goods.party(MAKER));
    let nurse = Claim::Role { role: Role::Nurse, site: Some(site) };
    goods.claim(ISSUER, party, nurse.clone(), 1).unwrap();
    // Persons who are concerned: the maker, and a trader who ships to a pharmacy.
    goods.claim(ISSUER, maker, nurse.clone(), 51).unwrap();
    for (person, tag) in [(TRADER, 52), (PHARMACY, 53)] {
        let person = goods.party(person);
        goods.claim(ISSUER, person, nurse.clone(), tag).unwrap();
    }
    let lot = goods.make(MAKER, 1);
    let as_nurse = Witness { key: goods.key(DOCTOR), ..goods.witness(NURSE) };
    let stranger = Witness { key: goods.key(999), ..goods.witness(NURSE) };
    let patient = Witness {
        key: goods.key(PATIENT),
        role: RoleRef { role: Role::Nurse, issuer: goods.id(ISSUER) },
    };
    let (doctor, nurse) = (goods.witness(DOCTOR), goods.witness(NURSE));
    let wrong: Vec<Vec<Witness>> =
        vec![vec![doctor, as_nurse], vec![nurse, nurse], vec![stranger], vec![patient]];
    let to = goods.id(PHARMACY);
    for witnesses in wrong {
        let body = Move { witnesses, ..goods.body(MAKER, Step::Ship { lot, to }, &[]) };
        assert_eq!(goods.act(Body::Move(body.clone())), Err("TooFewWitnesses"), "{body:?}");
    }
    goods.hand_over(MAKER, lot, TRADER);
    for concerned in [MAKER, TRADER, PHARMACY] {
        let step = Step::Ship { lot, to };
        assert_eq!(goods.witnessed(TRADER, step, &[concerned]), Err("TooFewWitnesses"));
    }
    goods.witnessed(TRADER, Step::Ship { lot, to }, &[DOCTOR, NURSE]).unwrap();
    // The giver is no witness of the receipt; a withdrawn nurse is none of anything.
    let step = Step::Receive { lot };
    assert_eq!(goods.witnessed(PHARMACY, step.clone(), &[TRADER]), Err("TooFewWitnesses"));
    let claim = goods.claim_of(NURSE, |claim| matches!(claim, Claim::Role { .. }));
    goods.withdraw(ISSUER, claim).unwrap();
    assert_eq!(goods.witnessed(PHARMACY, step.clone(), &[NURSE]), Err("TooFewWitnesses"));
    goods.witnessed(PHARMACY, step, &[DOCTOR]).unwrap();
}

#[test]
fn members_of_a_group_are_not_witnesses_beside_it() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    let group = goods.group(2, &[DOCTOR, TRADER, PHARMACY]);
    goods.step(MAKER, Step::Ship { lot, to: group.id() }).unwrap();
    let body = |goods: &mut Goods, witness| {
        Body::Move(Move { by: group.clone(), ..goods.body(0, Step::Receive { lot }, &[witness]) })
    };
    let odd = body(&mut goods, DOCTOR);
    assert_eq!(goods.act(odd), Err("TooFewWitnesses"));
    let sound = body(&mut goods, NURSE);
    goods.act(sound).unwrap();
    assert_eq!(goods.holder(lot), group.id());
}

#[test]
fn no_presence_unless_a_live_beacon_of_the_site_has_just_heard_who_acts() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    let to = goods.id(TRADER);
    let (site, elsewhere) = (goods.id(SITE), goods.id(SERVICE));
    let old = goods.tip();
    goods.wait(3);
    let body = |goods: &mut Goods, beacon, heard, anchor, at| {
        let presence = Some(goods.presence(beacon, heard, anchor));
        Move { site: at, presence, ..goods.body(MAKER, Step::Ship { lot, to }, &[]) }
    };
    let tip = goods.tip();
    for (beacon, heard, anchor, at, expected) in [
        (BEACON, TRADER, tip, Some(site), "NoPresence"),
        (SIREN, MAKER, tip, Some(site), "NoPresence"),
        (BEACON, MAKER, tip, Some(elsewhere), "NoPresence"),
        (BEACON, MAKER, old, Some(site), "NoPresence"),
        (BEACON, MAKER, proofward::primitives::BlockHash([5; 32]), Some(site), "NoPresence"),
        (BEACON, MAKER, tip, None, "NonCanonical"),
    ] {
        let odd = body(&mut goods, beacon, heard, anchor, at);
        assert_eq!(goods.act(Body::Move(odd)), Err(expected));
    }
    let mut forged = body(&mut goods, BEACON, MAKER, tip, Some(site));
    if let Some(presence) = &mut forged.presence {
        presence.round += 1;
    }
    assert_eq!(goods.act(Body::Move(forged)), Err("BadSig"));
    let sound = body(&mut goods, BEACON, MAKER, tip, Some(site));
    goods.act(Body::Move(sound)).unwrap();
}

#[test]
fn quantity_created_or_lost() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    for outputs in [vec![10, 1], vec![11], vec![9], vec![4, 5], vec![u64::MAX, 11]] {
        let unpack = Step::Unpack { lot, outputs: outputs.clone() };
        assert_eq!(goods.step(MAKER, unpack), Err("QuantityCreated"), "{outputs:?}");
        let split = Step::Split { inputs: vec![lot], outputs: outputs.clone() };
        assert_eq!(goods.step(MAKER, split), Err("QuantityCreated"), "{outputs:?}");
    }
    for quantity in [9, 11] {
        let pack = Step::Pack { inputs: vec![lot], quantity };
        assert_eq!(goods.step(MAKER, pack), Err("QuantityCreated"));
    }
    let step = Step::Unpack { lot, outputs: vec![1, 2, 3, 4] };
    goods.step(MAKER, step).unwrap();
}

#[test]
fn sums_do_not_wrap() {
    let mut goods = Goods::new();
    for id in [1, 2] {
        goods.step(MAKER, step_make(id, u64::MAX)).unwrap();
    }
    let inputs = sorted(vec![goods.made(MAKER, 1), goods.made(MAKER, 2)]);
    // Twice 2^64 - 1 is 2^64 - 2 if it wraps.
    let pack = Step::Pack { inputs: inputs.clone(), quantity: u64::MAX - 1 };
    assert_eq!(goods.step(MAKER, pack), Err("QuantityCreated"));
    let outputs = vec![u64::MAX, u64::MAX - 1, 1];
    goods.step(MAKER, Step::Split { inputs, outputs }).unwrap();
}

#[test]
fn class_mixed_except_by_a_make() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    let make = |id, class, inputs| Step::Make {
        id: [id; 32],
        class,
        quantity: 10,
        inputs,
        min_witness: 0,
    };
    goods.step(MAKER, make(2, OTHER_DRUG, vec![])).unwrap();
    let inputs = sorted(vec![lot, goods.made(MAKER, 2)]);
    let pack = Step::Pack { inputs: inputs.clone(), quantity: 20 };
    assert_eq!(goods.step(MAKER, pack), Err("ClassMixed"));
    let split = Step::Split { inputs: inputs.clone(), outputs: vec![20] };
    assert_eq!(goods.step(MAKER, split), Err("ClassMixed"));
    goods.step(MAKER, make(3, [3; 32], inputs.clone())).unwrap();
    let made = goods.made(MAKER, 3);
    let held = goods.lot(made).unwrap();
    assert_eq!((held.class, held.quantity), ([3; 32], 10));
    assert_eq!(held.origins, sorted(vec![inputs[0], inputs[1], made]));
    // Of one class they may be packed.
    let (a, b) = (goods.make(MAKER, 4), goods.make(MAKER, 5));
    goods.step(MAKER, Step::Pack { inputs: sorted(vec![a, b]), quantity: 20 }).unwrap();
}

#[test]
fn recalled_lots_go_to_the_maker_of_an_origin_or_are_destroyed() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    let parts = goods.split(MAKER, lot, &[1, 1, 1, 1, 1, 1, 4]);
    for part in &parts[..6] {
        goods.hand_over(MAKER, *part, TRADER);
    }
    let other = goods.make(OTHER_MAKER, 1);
    goods.hand_over(OTHER_MAKER, other, TRADER);
    let pack = Step::Pack { inputs: sorted(vec![parts[5], other]), quantity: 11 };
    let both = LotId::output(&goods.step(TRADER, pack).unwrap(), 0);
    goods.ship(TRADER, parts[4], PHARMACY).unwrap();
    goods.step(MAKER, Step::Recall { made: lot }).unwrap();

    let (pharmacy, maker, second) = (goods.id(PHARMACY), goods.id(MAKER), goods.id(OTHER_MAKER));
    let [a, b, c] = [parts[0], parts[1], parts[2]];
    let make = Step::Make {
        id: [9; 32],
        class: DRUG,
        quantity: 1,
        inputs: vec![parts[6]],
        min_witness: 0,
    };
    for (by, step) in [
        (TRADER, Step::Ship { lot: a, to: pharmacy }),
        (TRADER, Step::Ship { lot: a, to: second }),
        (TRADER, Step::Dispense { lot: a }),
        (TRADER, Step::Unpack { lot: a, outputs: vec![1] }),
        (TRADER, Step::Split { inputs: vec![a], outputs: vec![1] }),
        (TRADER, Step::Pack { inputs: sorted(vec![a, b]), quantity: 2 }),
        (PHARMACY, Step::Receive { lot: parts[4] }),
        (MAKER, make),
    ] {
        assert_eq!(goods.step(by, step.clone()), Err("Recalled"), "{step:?}");
    }
    goods.step(TRADER, Step::Destroy { lot: b }).unwrap();
    goods.hand_over(TRADER, c, MAKER);
    // To the maker of any origin.
    goods.step(TRADER, Step::Ship { lot: both, to: second }).unwrap();
    goods.step(OTHER_MAKER, Step::Receive { lot: both }).unwrap();
    goods.step(OTHER_MAKER, Step::Ship { lot: both, to: maker }).unwrap();
    // What was on its way goes back, and from there to the maker.
    goods.wait(TAKE_BACK_BLOCKS);
    goods.step(TRADER, Step::Receive { lot: parts[4] }).unwrap();
    goods.hand_over(TRADER, parts[4], MAKER);
    goods.step(MAKER, Step::Destroy { lot: parts[4] }).unwrap();
}

#[test]
fn destroyed_and_dispensed_lots_are_over() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    let parts = goods.split(MAKER, lot, &[5, 4, 1]);
    goods.step(MAKER, Step::Destroy { lot: parts[0] }).unwrap();
    goods.step(MAKER, Step::Dispense { lot: parts[1] }).unwrap();
    let to = goods.id(TRADER);
    for lot in [parts[0], parts[1]] {
        for step in [
            Step::Ship { lot, to },
            Step::Dispense { lot },
            Step::Destroy { lot },
            Step::Pack { inputs: sorted(vec![lot, parts[2]]), quantity: 5 },
        ] {
            let error = goods.step(MAKER, step.clone()).unwrap_err();
            let quantity_is_wrong = lot == parts[0] && matches!(step, Step::Pack { .. });
            let expected = if quantity_is_wrong { "QuantityCreated" } else { "Destroyed" };
            assert_eq!(error, expected, "{step:?}");
        }
        assert_eq!(goods.step(MAKER, Step::Receive { lot }), Err("NotAddressee"));
    }
    goods.step(MAKER, Step::Ship { lot: parts[2], to }).unwrap();
    // What is over is forgotten when nobody can have meant it by mistake any more.
    goods.wait(CLOSED_BLOCKS);
    assert_eq!((goods.lot(parts[0]), goods.lot(parts[1])), (None, None));
    assert!(goods.lot(parts[2]).is_some() && goods.lot(lot).is_some());
    assert_eq!(goods.step(MAKER, Step::Destroy { lot: parts[0] }), Err("NotHolder"));
}

#[test]
fn too_many_origins_at_both_sides() {
    let mut goods = Goods::new();
    let lots: Vec<LotId> = (1..=17).map(|id| goods.make(MAKER, id)).collect();
    let pack = |lots: &[LotId]| Step::Pack {
        inputs: sorted(lots.to_vec()),
        quantity: 10 * lots.len() as u64,
    };
    let first = LotId::output(&goods.step(MAKER, pack(&lots[..15])).unwrap(), 0);
    let more = |lots: &[LotId]| Step::Pack {
        inputs: sorted([&[first], lots].concat()),
        quantity: 150 + 10 * lots.len() as u64,
    };
    assert_eq!(goods.step(MAKER, more(&lots[15..])), Err("TooManyOrigins"));
    let most = LotId::output(&goods.step(MAKER, more(&lots[15..16])).unwrap(), 0);
    assert_eq!(goods.lot(most).unwrap().origins, sorted(lots[..16].to_vec()));
    assert_eq!(goods.lot(most).unwrap().origins.len(), ORIGINS_MAX);
    // A Make adds its own.
    let make = |inputs| Step::Make {
        id: [99; 32],
        class: OTHER_DRUG,
        quantity: 1,
        inputs,
        min_witness: 0,
    };
    assert_eq!(goods.step(MAKER, make(vec![most])), Err("TooManyOrigins"));
    goods.step(MAKER, make(vec![lots[16]])).unwrap();
    // Dividing adds none.
    goods.split(MAKER, most, &[80, 80]);
}

#[test]
fn fields_have_one_form() {
    let mut goods = Goods::new();
    let (a, b) = (goods.make(MAKER, 1), goods.make(MAKER, 2));
    let (low, high) = (a.min(b), a.max(b));
    let to = goods.id(MAKER);
    let make = |quantity, inputs, min_witness| Step::Make {
        id: [8; 32],
        class: DRUG,
        quantity,
        inputs,
        min_witness,
    };
    let most = u8::try_from(WITNESSES_MAX).unwrap();
    for step in [
        make(0, vec![], 0),
        make(1, vec![high, low], 0),
        make(1, vec![low, low], 0),
        make(1, vec![], most + 1),
        Step::Ship { lot: a, to },
        Step::Pack { inputs: vec![], quantity: 1 },
        Step::Pack { inputs: vec![low], quantity: 0 },
        // The same goods twice.
        Step::Pack { inputs: vec![low, low], quantity: 20 },
        Step::Split { inputs: vec![low, low], outputs: vec![20] },
        Step::Split { inputs: vec![high, low], outputs: vec![20] },
        Step::Split { inputs: vec![low], outputs: vec![10, 0] },
        Step::Split { inputs: vec![low], outputs: vec![] },
        Step::Unpack { lot: low, outputs: vec![0, 10] },
        Step::Unpack { lot: low, outputs: vec![] },
        Step::Unpack { lot: low, outputs: [vec![1; 9], vec![1; 8]].concat() },
        Step::Pack { inputs: (0..17).map(|i| LotId([i; 32])).collect(), quantity: 1 },
    ] {
        let body = goods.body(MAKER, step.clone(), &[]);
        assert_eq!(goods.act_decoded(Body::Move(body)), Err("NonCanonical"), "{step:?}");
    }
    let mut outputs = vec![1; 9];
    outputs.push(11);
    let body = goods.body(MAKER, Step::Split { inputs: vec![low, high], outputs }, &[]);
    goods.act_decoded(Body::Move(body)).unwrap();
    let body = goods.body(MAKER, make(1, vec![], most), &[]);
    assert_eq!(goods.act(Body::Move(body)), Err("TooFewWitnesses"));
}

#[test]
fn the_fee_counts_the_lots_that_come_out() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    let body = goods.body(MAKER, Step::Split { inputs: vec![lot], outputs: vec![1; 10] }, &[]);
    let (transaction, _) = goods.transaction(Body::Move(body));
    let bytes = transaction.encode().len() as u64;
    let least = bytes + 100 * transaction.sigs.len() as u64 + 10 * 10_000;
    let with = |goods: &Goods, fee| {
        goods.signed(proofward::ledger::transaction::Transaction { fee, ..transaction.clone() })
    };
    let low = with(&goods, least - 1);
    assert_eq!(goods.mine(vec![low]), Err(("FeeTooLow", 1)));
    let enough = with(&goods, least);
    goods.mine(vec![enough]).unwrap();
}
