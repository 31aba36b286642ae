//! Transactions as files: signed by several people on several machines, in any order, and by nobody for
//! anything else.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "common/binary.rs"]
mod binary;
#[path = "common/ledger.rs"]
mod common;
#[path = "common/directory.rs"]
mod directory;

use std::fs;
use std::path::Path;

use binary::{json_lines, run, usage_error};
use common::*;
use directory::{found, mine_in, ok, text};
use proofward::ledger::chain::{Ledger, Submitted};
use proofward::ledger::store::MemoryStore;
use proofward::ledger::transaction::{Body, Pay, PayKind, Transaction};
use proofward::primitives::BlockHash;
use proofward::wallet::{
    CombineError, Purpose, SecretKey, SignError, Signer, TransactionFile, TransactionFileError,
};
use serde_json::Value;

fn secret(number: u8) -> SecretKey {
    SecretKey::from_seed(&[number; 32])
}

/// A ledger on which key 1 pays, key 2 sponsors, and both own something.
fn funded() -> Ledger<MemoryStore> {
    let ledger = memory_ledger(easy_spec());
    for number in [1, 2, 1, 2, 3, 3, 3, 3] {
        mine(&ledger, secret(number).public_key(), vec![]);
    }
    ledger
}

fn sponsored(ledger: &Ledger<MemoryStore>, amount: u64, nonce: u64) -> Transaction {
    let (from, to) = (secret(1).public_key(), secret(9).public_key());
    let core = core(ledger, Body::Pay(Pay { from, to, amount, kind: PayKind::Plain }));
    Transaction { core, payer: secret(2).public_key(), nonce, fee: 50_000, sigs: Vec::new() }
}

fn genesis(ledger: &Ledger<MemoryStore>) -> BlockHash {
    ledger.chain().genesis
}

#[test]
fn signatures_come_in_any_order_and_combine() {
    let ledger = funded();
    let blank = TransactionFile::new(genesis(&ledger), sponsored(&ledger, 5, 1)).unwrap();
    assert_eq!(blank.missing(), [secret(2).public_key(), secret(1).public_key()]);
    assert_eq!(blank.complete(), None);
    let again = |file: &TransactionFile| TransactionFile::parse(file.to_text().as_bytes()).unwrap();
    assert_eq!(again(&blank), blank);

    let (mut by_payer, mut by_core) = (again(&blank), again(&blank));
    by_payer.sign(&secret(2)).unwrap();
    by_core.sign(&secret(1)).unwrap();
    assert_eq!(by_payer.missing(), [secret(1).public_key()]);
    let mut one = again(&by_payer);
    assert_eq!(one.combine(&again(&by_core)), Ok(1));
    assert_eq!(one.combine(&by_core), Ok(0), "nothing new");
    let mut other = by_core.clone();
    assert_eq!(other.combine(&by_payer), Ok(1));
    assert_eq!(one.to_text(), other.to_text());
    let transaction = one.complete().unwrap();
    assert_eq!(TransactionFile::new(genesis(&ledger), transaction.clone()).unwrap(), one);

    let block = next_block(&ledger, secret(3).public_key(), vec![transaction]);
    assert!(matches!(ledger.submit(&block.encode(), NOW), Ok(Submitted::Tip { .. })));
}

#[test]
fn a_core_may_be_sponsored_again_without_its_signatures() {
    let ledger = funded();
    let mut first = TransactionFile::new(genesis(&ledger), sponsored(&ledger, 5, 1)).unwrap();
    first.sign(&secret(1)).unwrap();
    first.sign(&secret(2)).unwrap();
    // The same core, another nonce: the payer has to sign again.
    let mut second = TransactionFile::new(genesis(&ledger), sponsored(&ledger, 5, 2)).unwrap();
    assert_eq!(second.combine(&first), Ok(1));
    assert_eq!(second.missing(), [secret(2).public_key()]);
}

#[test]
fn a_signature_serves_no_other_transaction_and_no_other_chain() {
    let ledger = funded();
    let mut file = TransactionFile::new(genesis(&ledger), sponsored(&ledger, 5, 1)).unwrap();
    file.sign(&secret(1)).unwrap();
    file.sign(&secret(2)).unwrap();
    let signed: Value = serde_json::from_str(&file.to_text()).unwrap();
    let keys = [secret(2).public_key(), secret(1).public_key()];

    // Into the file of another amount; into one of another chain; of one key under another.
    let other = TransactionFile::new(genesis(&ledger), sponsored(&ledger, 6, 1)).unwrap();
    let mut moved: Value = serde_json::from_str(&other.to_text()).unwrap();
    moved["signatures"] = signed["signatures"].clone();
    let mut abroad = signed.clone();
    abroad["genesis"] = BlockHash([7; 32]).to_string().into();
    let mut swapped = signed.clone();
    swapped["signatures"][0]["key"] = signed["signatures"][1]["key"].clone();
    swapped["signatures"][1]["key"] = signed["signatures"][0]["key"].clone();
    for (name, text, key) in
        [("moved", moved, keys[0]), ("abroad", abroad, keys[0]), ("swapped", swapped, keys[1])]
    {
        let error = TransactionFile::parse(text.to_string().as_bytes()).unwrap_err();
        assert_eq!(error, TransactionFileError::BadSignature(key), "{name}");
    }
    assert!(matches!(file.clone().combine(&other), Err(CombineError::OtherCore(..))));
    let abroad = TransactionFile::new(BlockHash([7; 32]), sponsored(&ledger, 5, 1)).unwrap();
    assert!(matches!(file.combine(&abroad), Err(CombineError::OtherChain(..))));

    // The rules say the same of the bytes.
    let mut forged = sponsored(&ledger, 6, 1);
    forged.sigs = file.complete().unwrap().sigs;
    let block = next_block(&ledger, secret(3).public_key(), vec![forged]);
    let refused = ledger.submit(&block.encode(), NOW).unwrap_err();
    assert_eq!(verdict(refused).rule.name(), "BadSig");
}

#[test]
fn who_has_nothing_to_sign_cannot() {
    let ledger = funded();
    let mut file = TransactionFile::new(genesis(&ledger), sponsored(&ledger, 5, 1)).unwrap();
    let stranger = secret(8);
    assert_eq!(file.sign(&stranger), Err(SignError::NotASigner(stranger.public_key())));
    let sig = stranger.sign(&file.ids().core.0, Purpose::Core).unwrap();
    let mut text: Value = serde_json::from_str(&file.to_text()).unwrap();
    let sig = sig.to_string();
    let entry = serde_json::json!({"key": stranger.public_key().to_string(), "signature": [sig]});
    text["signatures"] = Value::Array(vec![entry]);
    let error = TransactionFile::parse(text.to_string().as_bytes()).unwrap_err();
    assert_eq!(error, TransactionFileError::NotASigner(stranger.public_key()));
}

#[test]
fn changed_files_get_one_clear_error() {
    let ledger = funded();
    let mut file = TransactionFile::new(genesis(&ledger), sponsored(&ledger, 5, 1)).unwrap();
    file.sign(&secret(2)).unwrap();
    let text = file.to_text();
    assert!(text.lines().all(|line| line.len() <= 80), "lines survive mail:\n{text}");
    for at in 0..text.len() {
        assert!(TransactionFile::parse(&text.as_bytes()[..at]).is_err() || at + 1 == text.len());
        let mut changed = text.clone().into_bytes();
        changed[at] ^= 1;
        if let Ok(parsed) = TransactionFile::parse(&changed) {
            // Another transaction that nobody has signed, or the same in other white space.
            assert!(parsed.ids() == file.ids() || parsed.missing().len() == 2, "byte {at}");
        }
    }
    let twice =
        text.replace("\"signatures\": [", &format!("\"signatures\": [{},", signature_entry(&text)));
    let error = TransactionFile::parse(twice.as_bytes()).unwrap_err();
    assert_eq!(error, TransactionFileError::Twice(secret(2).public_key()));
    let huge = vec![b' '; 1 << 20];
    assert_eq!(TransactionFile::parse(&huge), Err(TransactionFileError::TooLarge(1 << 20)));
    let next = text.replace("\"version\": 1", "\"version\": 2");
    assert_eq!(TransactionFile::parse(next.as_bytes()), Err(TransactionFileError::Version(2)));
    let whole = text.replacen("\"format\"", "\"note\": 1, \"format\"", 1);
    assert!(matches!(TransactionFile::parse(whole.as_bytes()), Err(TransactionFileError::Json(_))));
}

fn signature_entry(text: &str) -> String {
    let value: Value = serde_json::from_str(text).unwrap();
    value["signatures"][0].to_string()
}

#[test]
fn several_people_sign_on_several_machines() {
    let room = tempfile::tempdir().unwrap();
    let at = |name: &str| room.path().join(name);
    let (chain, clinic, sponsor) = (at("chain"), at("clinic"), at("sponsor"));
    found(&chain);
    mine_in(&chain, "6");
    // Keys in folders of their own, the clinic's behind a program.
    let key_of = |dir: &Path, name: &str| {
        let made = ok(&["key", "new", name, "--no-passphrase", "--dir", text(dir)]);
        made[0]["public_key"].as_str().unwrap().to_owned()
    };
    let sponsor_key = key_of(&sponsor, "s");
    let clinic_secret = secret(42);
    let clinic_key = clinic_secret.public_key().to_string();
    for key in [&sponsor_key, &clinic_key] {
        ok(&["pay", key, "3", "--from", "miner", "--dir", text(&chain)]);
    }
    mine_in(&chain, "1");

    let blank = at("blank.tx");
    let friend = secret(7).public_key().to_string();
    ok(&[
        "pay",
        &friend,
        "1.5",
        "--from",
        &clinic_key,
        "--payer",
        &sponsor_key,
        "--unsigned",
        "--out",
        text(&blank),
        "--dir",
        text(&chain),
    ]);
    let shown = &ok(&["tx", "show", text(&blank)])[0];
    assert_eq!((&shown["missing"], &shown["body"]), (&2.into(), &"Pay".into()));
    let does = shown["does"].as_str().unwrap();
    assert!(does.contains("1.5 tokens") && does.contains(&friend), "{does}");
    let (code, stdout, _) = run(&["tx", "submit", text(&blank), "--dir", text(&chain)]);
    assert_eq!(code, 1);
    assert!(stdout.starts_with("refused: WrongSigners: 0 signatures for 2 signers"), "{stdout}");

    // The sponsor signs with a key file, on a machine without a chain.
    let by_sponsor = at("by-sponsor.tx");
    let args = ["tx", "sign", text(&blank), "--key", "s", "--dir", text(&sponsor)];
    ok(&[&args[..], &["--out", text(&by_sponsor)]].concat());
    // The clinic by a program: it is asked for the core.
    let file = TransactionFile::parse(&fs::read(&blank).unwrap()).unwrap();
    let sig = clinic_secret.sign(&file.ids().core.0, Purpose::Core).unwrap();
    let program = format!("grep -q '\"purpose\":\"core\"' && echo '{{\"signature\":\"{sig}\"}}'");
    let by_clinic = at("by-clinic.tx");
    fs::copy(&blank, &by_clinic).unwrap();
    let args = ["tx", "sign", text(&by_clinic), "--key", &clinic_key, "--dir", text(&clinic)];
    ok(&[&args[..], &["--signer", &program]].concat());

    let all = at("all.tx");
    let args = ["tx", "combine", text(&by_sponsor), text(&by_clinic), "--out", text(&all)];
    assert_eq!(ok(&args)[0]["missing"], 0);
    let submitted = &ok(&["tx", "submit", text(&all), "--dir", text(&chain)])[0];
    assert_eq!(submitted["submitted"], true);
    mine_in(&chain, "1");
    let balance = &ok(&["balance", &friend, "--dir", text(&chain)])[0];
    assert_eq!(balance["balance_units"], 150_000_000_u64);
    // Once more is once too often.
    let args = ["tx", "submit", text(&all), "--dir", text(&chain), "--format", "json"];
    let (code, stdout, _) = run(&args);
    assert_eq!((code, &json_lines(&stdout)[0]["rule"]), (1, &"NonceGap".into()));

    // Another chain refuses the file before anybody signs.
    let elsewhere = at("elsewhere");
    ok(&["init", "--chain", "test", "--dir", text(&elsewhere)]);
    for command in ["sign", "submit"] {
        let key: &[&str] = if command == "sign" { &["--key", "s"] } else { &[] };
        let args = [&["tx", command, text(&all), "--dir", text(&elsewhere)], key].concat();
        let line = usage_error(&args);
        assert!(line.contains("is for the chain with genesis"), "{line}");
    }
    let line = usage_error(&["tx", "sign", text(&all), "--key", "miner", "--dir", text(&chain)]);
    assert!(line.contains("has nothing to sign"), "{line}");
}
