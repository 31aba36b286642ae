//! The code on a package: read back as it was written, refused where it is none, and what it opens.

use proofward::ledger::signature::PubKey;
use proofward::ledger::transaction::LotId;
use proofward::ledger::transaction::lot::Step;
use proofward::primitives::BlockHash;
use proofward::wallet::lot::{CODE_CHARS_MAX, CodeError, LotCode, Number, Unit, tag_message};

use crate::world::*;

const GTIN: &str = "09506000134352";

fn batch(number: &str) -> Unit {
    Unit::Batch(number.parse().unwrap())
}

#[test]
fn a_code_reads_back_as_it_was_written() {
    let tag = Some(PubKey([7; 32]));
    let most = "ABCDEFGHIJKLMNOPQRST";
    for (unit, tag) in [
        (batch("A-17"), None),
        (Unit::Serial("12/3 %4".replace(' ', "+").parse().unwrap()), tag),
        (batch(most), None),
        (batch("\"!%&'()*+,-./_:;<=>?"), tag),
    ] {
        let code = LotCode::new(GTIN, unit.clone(), tag).unwrap().of_lot(LotId([5; 32]));
        let text = code.to_string();
        assert!(text.starts_with("https://id.gs1.org/01/09506000134352/"), "{text}");
        assert!(text.len() <= CODE_CHARS_MAX && text.is_ascii());
        let again: LotCode = text.parse().unwrap();
        assert_eq!(again, code);
        assert_eq!((again.id(), again.class(), again.unit()), (code.id(), code.class(), &unit));
        // Somebody else's resolver, and parameters of others.
        let other = text.replace("id.gs1.org", "example.org");
        assert_eq!(format!("{other}&17=261231").parse::<LotCode>().as_ref(), Ok(&code));
    }
}

#[test]
fn every_code_has_a_salt_of_its_own_and_every_part_counts() {
    let code = LotCode::new(GTIN, batch("A-17"), None).unwrap();
    let again = LotCode::new(GTIN, batch("A-17"), None).unwrap();
    assert_ne!(code.id(), again.id());
    assert_eq!(code.class(), again.class());
    let text = code.to_string();
    let id = |text: &str| text.parse::<LotCode>().unwrap().id();
    let tagged = format!("{text}&tag={}", "07".repeat(32));
    for other in [
        text.replace("A-17", "A-18"),
        text.replace("/10/", "/21/"),
        text.replace(GTIN, "00000000000017"),
        tagged,
    ] {
        assert_ne!(id(&other), code.id(), "{other}");
    }
    assert_eq!(id(&text.replace("/A-17", "/%41-17")), code.id(), "escapes are no other code");
}

#[test]
fn what_is_no_code_is_refused() {
    let salt = "0".repeat(32);
    let lot = "0".repeat(64);
    let query = format!("?salt={salt}&lot={lot}");
    let sound = format!("https://id.gs1.org/01/{GTIN}/10/A{query}");
    sound.parse::<LotCode>().unwrap();
    let refuse = |text: &str, expected: &CodeError| {
        assert_eq!(text.parse::<LotCode>().as_ref(), Err(expected), "{text}");
    };
    for odd in ["", "A-17", "https://", "ftp://h/01/1/10/A?salt=", "https:///01/1/10/A?salt="] {
        assert!(odd.parse::<LotCode>().is_err());
    }
    refuse(&sound.replace("/01/", "/02/"), &CodeError::Shape);
    refuse(&sound.replace("/10/", "/11/"), &CodeError::Shape);
    refuse(&sound.replace("/10/A", "/10/A/21/B"), &CodeError::Shape);
    refuse(&sound.replace("/10/A", "/10/%4"), &CodeError::Shape);
    for gtin in ["09506000134351", "0950600013435", "x9506000134352", ""] {
        refuse(&sound.replace(GTIN, gtin), &CodeError::Gtin(gtin.into()));
    }
    // Shorter codes are the same with zeros before.
    let short = sound.replace(GTIN, &GTIN[1..]);
    assert_eq!(short.parse::<LotCode>(), sound.parse::<LotCode>());
    refuse(&sound.replace("/10/A", "/10/"), &CodeError::Number(String::new()));
    refuse(&sound.replace("/10/A", "/10/%20"), &CodeError::Number(" ".into()));
    assert!("123456789012345678901".parse::<Number>().is_err());
    for (name, odd) in [
        ("salt", sound.replace(&salt, "00")),
        ("salt", sound.replace("salt", "salz")),
        ("salt", format!("{sound}&salt={salt}")),
        ("lot", sound.replace(&lot, &lot[2..])),
        ("tag", format!("{sound}&tag=1")),
    ] {
        refuse(&odd, &CodeError::Parameter(name));
    }
    let long = format!("{sound}&x={}", "y".repeat(CODE_CHARS_MAX));
    refuse(&long, &CodeError::TooLong(long.len()));
    // Cut anywhere it is refused or another code, and nothing falls over.
    for at in 0..sound.len() {
        let _ = sound[..at].parse::<LotCode>();
    }
}

#[test]
fn a_code_opens_the_make_of_its_lot_and_no_other() {
    let mut goods = Goods::new();
    let code = LotCode::new(GTIN, batch("A-17"), None).unwrap();
    let make = |code: &LotCode, quantity| Step::Make {
        id: code.id(),
        class: code.class(),
        quantity,
        inputs: vec![],
        min_witness: 0,
    };
    goods.step(MAKER, make(&code, 10)).unwrap();
    let made = LotId::made(goods.id(MAKER), &code.id());
    let parts = goods.split(MAKER, made, &[9, 1]);
    // On the package of one that came of it.
    let code = code.of_lot(parts[1]);
    let read: LotCode = code.to_string().parse().unwrap();
    let trace = goods.ledger.view().trace(&read.lot, &[], &|_, _| None).unwrap();
    assert_eq!(trace.origins.len(), 1);
    let opened: Vec<bool> = trace.steps.iter().map(|step| read.opens(step.moved.body())).collect();
    assert_eq!(opened, [true, false]);
    let other = LotCode::new(GTIN, batch("A-17"), None).unwrap();
    assert!(!trace.steps.iter().any(|step| other.opens(step.moved.body())));
}

#[test]
fn a_tag_answers_for_one_block_one_lot_and_one_chain() {
    let (genesis, tip, lot) = (BlockHash([1; 32]), BlockHash([2; 32]), LotId([3; 32]));
    let message = tag_message(&genesis, &tip, &lot);
    assert_ne!(message, tag_message(&BlockHash([9; 32]), &tip, &lot));
    assert_ne!(message, tag_message(&genesis, &BlockHash([9; 32]), &lot));
    assert_ne!(message, tag_message(&genesis, &tip, &LotId([9; 32])));
}
