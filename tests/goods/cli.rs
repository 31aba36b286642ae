//! Goods by commands alone: a batch from its maker to a pharmacy, its code, its trace and its recall.

use std::path::Path;

use proofward::ledger::chain::View;
use proofward::node::dir::ChainDir;
use proofward::wallet::lot::{LotCode, tag_message};
use proofward::wallet::{Purpose, SecretKey, Signer as _};
use serde_json::Value;

use crate::binary::{json_lines, run};
use crate::stage::{Stage, path};

const GTIN: &str = "09506000134352";

/// A hospital with a maker and a pharmacy.
fn founded() -> Stage {
    let stage = Stage::hospital();
    for name in ["factory", "pharmacy", "chip"] {
        stage.key(name);
    }
    stage.act(&["maker", "attest", "factory", "--issuer", "hospital"]);
    stage
}

/// A step paid for by the miner, and the block that takes it.
fn step(stage: &Stage, args: &[&str]) -> Value {
    let sent = stage.ok(&[&["lot"], args, &["--payer", "miner"]].concat());
    assert_eq!(sent["missing"], 0, "{args:?}");
    stage.mine(1);
    let shown = stage.ok(&["lot", "trace", text(&sent["lots"][0])]);
    let cores = shown["steps"].as_array().unwrap().iter().map(|step| &step["core"]);
    assert!(cores.into_iter().any(|core| *core == sent["core"]), "{args:?} is in no block");
    sent
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn make(stage: &Stage, more: &[&str]) -> (String, String) {
    let args = ["make", "--by", "factory", "--gtin", GTIN, "--quantity", "100"];
    let made = step(stage, &[&args[..], more].concat());
    (text(&made["code"]).to_owned(), text(&made["lots"][0]).to_owned())
}

/// Exit code and the only line.
fn asked(stage: &Stage, args: &[&str]) -> (i32, Value) {
    let (code, stdout, stderr) = stage.run(&[args, &["--format", "json"]].concat());
    let mut lines = json_lines(&stdout);
    assert_eq!(lines.len(), 1, "{args:?}: {stderr}");
    (code, lines.remove(0))
}

#[test]
fn a_batch_is_made_handed_over_divided_dispensed_and_recalled() {
    let stage = founded();
    let (code, lot) = make(&stage, &["--batch", "A-17"]);
    assert!(code.starts_with("https://id.gs1.org/01/09506000134352/10/A-17?salt="), "{code}");
    step(&stage, &["ship", &code, "pharmacy", "--by", "factory", "--witness", "nurse"]);
    step(&stage, &["receive", &lot, "--by", "pharmacy"]);
    let refused = stage.refused(&["lot", "split", &lot, "--into", "1,98", "--by", "pharmacy"]);
    assert!(refused.contains("99 come out of 100"), "{refused}");
    let split = step(&stage, &["split", &lot, "--into", "1,99", "--by", "pharmacy"]);
    let unit = text(&split["lots"][0]);
    step(&stage, &["dispense", unit, "--by", "pharmacy"]);

    // The label of the unit, and what the patient reads in it.
    let svg = stage.path("unit.svg");
    let (exit, printed, stderr) = run(&["lot", "label", &code, "--lot", unit, "--svg", path(&svg)]);
    assert_eq!(exit, 0, "{stderr}");
    let unit_code = printed.lines().next().unwrap();
    assert!(unit_code.ends_with(unit), "{unit_code}");
    let block = |c: char| ('\u{2580}'..='\u{2588}').contains(&c);
    assert!(printed.lines().filter(|line| line.contains(block)).count() > 20, "{printed}");
    assert!(std::fs::read_to_string(&svg).unwrap().contains("<svg"));

    let (exit, traced) = asked(&stage, &["lot", "trace", unit_code]);
    assert_eq!((exit, &traced["code_opens"], &traced["found"]), (0, &true.into(), &true.into()));
    assert_eq!((text(&traced["status"]), text(&traced["grade"])), ("dispensed", "self-claimed"));
    let steps: Vec<(&str, &str)> = traced["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (text(&step["step"]), text(&step["grade"])))
        .collect();
    assert_eq!(
        steps,
        [
            ("make", "self-claimed"),
            ("ship", "witnessed"),
            ("receive", "counter-signed"),
            ("split", "self-claimed"),
            ("dispense", "self-claimed"),
        ]
    );
    assert_eq!(traced["origins"][0]["maker"], stage.public("factory").to_string());
    for (lang, words) in [("en", "claimed by 3 signers"), ("zh", "由 3 个签名者声明")] {
        let (exit, told, _) = stage.run(&["lot", "trace", unit_code, "--lang", lang]);
        assert_eq!(exit, 0);
        assert!(told.contains(words), "{told}");
    }

    step(&stage, &["recall", &lot, "--by", "factory"]);
    let (exit, traced) = asked(&stage, &["lot", "trace", unit_code]);
    assert_eq!((exit, &traced["recalled"]), (0, &true.into()));
    let (exit, verified) = asked(&stage, &["lot", "verify", unit_code]);
    assert_eq!((exit, &verified["recalled"], &verified["opens"]), (1, &true.into(), &true.into()));
}

#[test]
fn a_code_of_something_else_and_an_unknown_lot_are_answered_no() {
    let stage = founded();
    let (code, lot) = make(&stage, &["--batch", "A-17"]);
    let (exit, verified) = asked(&stage, &["lot", "verify", &code]);
    assert_eq!((exit, &verified["valid"], text(&verified["tag"])), (0, &true.into(), "no-key"));
    let other = code.replace("A-17", "A-18");
    for command in ["trace", "verify"] {
        let (exit, _) = asked(&stage, &["lot", command, &other]);
        assert_eq!(exit, 1, "{command}");
    }
    let unknown = "77".repeat(32);
    let (exit, traced) = asked(&stage, &["lot", "trace", &unknown]);
    assert_eq!((exit, &traced["found"]), (1, &false.into()));
    assert!(stage.refused(&["lot", "trace", "A-17"]).contains("neither the code"));
    let bad = ["lot", "make", "--by", "factory", "--gtin", "1", "--batch", "A", "--quantity", "1"];
    assert!(stage.refused(&bad).contains("check digit"));
    let ship = ["lot", "ship", &lot, "pharmacy", "--by", "factory", "--witness", "pharmacy"];
    assert!(stage.refused(&ship).contains("no role of this key"));
}

#[test]
fn a_hand_over_is_signed_in_copies_and_combined() {
    let stage = founded();
    let (_, lot) = make(&stage, &["--batch", "A-17", "--min-witness", "1", "--witness", "doctor"]);
    let [blank, giver, nurse, whole] = ["blank", "giver", "nurse", "whole"].map(|n| stage.path(n));
    let nurse_key = stage.public("nurse").to_string();
    let ship = ["lot", "ship", &lot, "pharmacy", "--by", "factory", "--witness", &nurse_key];
    let out = ["--payer", "miner", "--unsigned", "--out", path(&blank)];
    stage.ok(&[&ship[..], &out].concat());
    let sign = |key: &str, out: &Path| {
        let (exit, _, stderr) =
            stage.run(&["tx", "sign", path(&blank), "--key", key, "--out", path(out)]);
        assert_eq!(exit, 0, "{stderr}");
    };
    sign("factory", &giver);
    sign("nurse", &nurse);
    sign("miner", &whole);
    let combine = ["tx", "combine", path(&whole), path(&nurse), path(&giver), "--out"];
    let (exit, _, stderr) = run(&[&combine[..], &[path(&whole)]].concat());
    assert_eq!(exit, 0, "{stderr}");
    let (exit, told, _) = run(&["tx", "show", path(&whole)]);
    assert_eq!(exit, 0);
    assert!(told.contains("goods: ship") && told.contains("complete"), "{told}");
    let (exit, _, stderr) = stage.run(&["tx", "submit", path(&whole)]);
    assert_eq!(exit, 0, "{stderr}");
    stage.mine(1);
    let (_, traced) = asked(&stage, &["lot", "trace", &lot]);
    assert_eq!(text(&traced["status"]), "in-transit");

    // The factory signs the lot away a second time: whoever is shown the file has evidence.
    let second = stage.path("second");
    let again = ["lot", "ship", &lot, "doctor", "--by", "factory", "--out", path(&second)];
    stage.ok(&again);
    let (exit, traced) = asked(&stage, &["lot", "trace", &lot, "--evidence", path(&second)]);
    assert_eq!((exit, text(&traced["steps"][1]["labels"][0]["label"])), (0, "double-hold"));
    assert_eq!(text(&traced["steps"][1]["grade"]), "self-claimed");
    let (_, told, _) = stage.run(&["lot", "trace", &lot, "--evidence", path(&second)]);
    assert!(told.contains("against it: the holder also signed another move"), "{told}");
    assert!(told.lines().any(|line| line.starts_with("double-hold: ")), "{told}");
}

#[test]
fn the_key_of_a_package_answers_for_the_latest_block() {
    let stage = founded();
    let chip = SecretKey::from_seed(&[9; 32]);
    let key = chip.public_key().to_string();
    let (code, _) = make(&stage, &["--serial", "0001", "--tag", &key]);
    let (exit, verified) = asked(&stage, &["lot", "verify", &code]);
    assert_eq!((exit, text(&verified["tag"])), (0, "not-asked"));

    // What the chip signs, played by a shell command.
    let lot = code.parse::<LotCode>().unwrap().lot;
    let answer = |chip: &SecretKey| {
        let (spec, reader) = ChainDir::new(stage.dir()).read().unwrap();
        let tip = View(&*reader.snapshot().unwrap()).tip().unwrap();
        let message = tag_message(&spec.genesis_hash(), &tip, &lot);
        let sig = chip.sign(&message, Purpose::LotTag).unwrap();
        format!("echo '{{\"signature\":\"{sig}\"}}'")
    };
    let good = answer(&chip);
    let (exit, verified) = asked(&stage, &["lot", "verify", &code, "--tag", &good]);
    assert_eq!((exit, text(&verified["tag"])), (0, "answered"));
    let other = answer(&SecretKey::from_seed(&[8; 32]));
    stage.mine(1);
    for (tag, why) in [
        (good, "an answer for an earlier block"),
        (other, "another key"),
        ("echo '{}'".into(), "no answer"),
    ] {
        let (exit, verified) = asked(&stage, &["lot", "verify", &code, "--tag", &tag]);
        assert_eq!((exit, text(&verified["tag"])), (1, "silent"), "{why}");
    }
    let copied = code.split("&tag=").next().unwrap();
    let (exit, verified) = asked(&stage, &["lot", "verify", copied]);
    assert_eq!((exit, &verified["opens"]), (1, &false.into()), "the key is part of the name");
}
