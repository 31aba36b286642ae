//! Proofs as files: made beside the chain, checked with headers alone, and worth nothing with a bit
//! changed.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "common/binary.rs"]
mod binary;
#[path = "common/ledger.rs"]
mod common;
#[path = "common/directory.rs"]
mod directory;

use std::fs;

use binary::{json_lines, run, usage_error};
use common::*;
use directory::{found, mine_in, ok, text};
use proofward::ledger::rules::isolation::Ids;
use proofward::ledger::state::EntryKey;
use proofward::ledger::transaction::TransactionId;
use proofward::node::proof_file::{ProofFile, ProofFileError, Proved};
use serde_json::Value;

/// Proofs of a transaction at each place of blocks of every small size, and of entries there and not.
#[test]
fn every_proof_checks_and_no_changed_one_does() {
    let ledger = memory_ledger(easy_spec());
    let rich = Key::new(0);
    for _ in 0..6 {
        mine(&ledger, rich.public(), vec![]);
    }
    let mut nonce = 0;
    let mut proofs = Vec::new();
    for count in 1..=6u32 {
        let payments: Vec<_> = (0..count)
            .map(|i| {
                nonce += 1;
                pay(&ledger, &rich, Key::new(1 + i).public(), 1_000, nonce)
            })
            .collect();
        let block = mine(&ledger, rich.public(), payments);
        let hash = ledger.chain().spec.hash_header(&block.header);
        for ids in Ids::of_block(&block, &ledger.chain().genesis) {
            let proof = ProofFile::of_transaction(ledger.chain(), ledger.store(), &ids.transaction);
            let proof = proof.unwrap().unwrap();
            let shown = proof.check().unwrap();
            assert_eq!((shown.block, shown.height), (hash, 6 + count));
            assert_eq!(shown.transaction, Some(ids.transaction));
            proofs.push(proof);
        }
    }
    let none = ProofFile::of_transaction(ledger.chain(), ledger.store(), &TransactionId([9; 32]));
    assert_eq!(none, Ok(None));
    let keys = [
        EntryKey::Account(rich.public()),
        EntryKey::Account(Key::new(99).public()),
        EntryKey::Accepted(11),
        EntryKey::Accepted(3),
    ];
    for (key, is_there) in keys.iter().zip([true, false, true, false]) {
        let proof = ProofFile::of_entry(ledger.chain(), ledger.store(), key).unwrap();
        let Proved::Entry(evidence) = &proof.proved else { panic!("an entry") };
        assert_eq!(evidence.value.is_some(), is_there, "{key:?}");
        assert_eq!(proof.check().unwrap().height, 12);
        proofs.push(proof);
    }

    for proof in &proofs {
        let text = proof.to_text();
        assert_eq!(ProofFile::parse(text.as_bytes()).as_ref(), Ok(proof));
        let expected = proof.check().unwrap();
        let start = text
            .find("\"coinbase\"")
            .unwrap()
            .min(text.find("\"transaction\"").unwrap_or(usize::MAX));
        let start = start.min(text.find("\"entry\"").unwrap_or(usize::MAX));
        for at in (start..text.len()).step_by(7) {
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1;
            let Ok(parsed) = ProofFile::parse(&changed) else { continue };
            // White space or the case of a digit, or it no longer shows the same about the same block.
            if parsed == *proof {
                continue;
            }
            if let Ok(shown) = parsed.check() {
                // Where nothing is, other keys have no entry either: that is as true as it was.
                let is_other_absence = match (&parsed.proved, &proof.proved) {
                    (Proved::Entry(now), Proved::Entry(then)) => {
                        now.value.is_none() && then.value.is_none() && now.key != then.key
                    }
                    _ => false,
                };
                let is_other_block = shown.block != expected.block;
                assert!(is_other_block || is_other_absence, "byte {at} of {text}");
            }
        }
    }
    let huge = vec![b' '; 7 << 20];
    assert_eq!(ProofFile::parse(&huge), Err(ProofFileError::TooLarge(7 << 20)));
}

#[test]
fn a_proof_file_is_checked_with_headers_alone() {
    let room = tempfile::tempdir().unwrap();
    let at = |name: &str| room.path().join(name);
    let chain = at("chain");
    found(&chain);
    mine_in(&chain, "6");
    let friend = Key::new(3).public().to_string();
    let paid = ok(&["pay", &friend, "2", "--from", "miner", "--dir", text(&chain)]);
    let id = paid[0]["transaction"].as_str().unwrap().to_owned();
    mine_in(&chain, "2");

    let headers = at("headers.bin");
    let headers = text(&headers);
    assert_eq!(run(&["proof", "headers", "--out", headers, "--dir", text(&chain)]).0, 0);
    assert_eq!(fs::metadata(headers).unwrap().len(), 9 * 80);
    let status = &ok(&["chain", "status", "--dir", text(&chain)])[0];
    let tip = status["tip_hash"].as_str().unwrap().to_owned();
    let nobody = Key::new(4).public().to_string();
    let cases = [
        ("account", friend.as_str(), true, 8, "owned 2 tokens"),
        ("account", nobody.as_str(), false, 8, "owned nothing"),
        ("transaction", id.as_str(), true, 7, "is in block 7"),
        ("cores", "7", true, 8, "had accepted the cores"),
        ("cores", "5", false, 8, "had accepted no core"),
    ];
    for (what, of, present, height, words) in cases {
        let file = at("a.proof");
        let file = text(&file);
        let args = ["proof", "get", what, of, "--out", file, "--dir", text(&chain)];
        let (code, stdout, stderr) = run(&args);
        assert_eq!(code, 0, "{args:?}: {stdout}{stderr}");
        let checked = &ok(&["proof", "check", file, "--headers", headers])[0];
        assert_eq!((&checked["present"], &checked["height"]), (&present.into(), &height.into()));
        assert!(checked["shows"].as_str().unwrap().contains(words), "{checked}");

        let root = checked["root"].as_str().unwrap();
        ok(&["proof", "check", file, "--root", root]);
        let other = "00".repeat(32);
        for trust in [["--root", &other], ["--block", &other]] {
            let args = [&["proof", "check", file, "--format", "json"], &trust[..]].concat();
            let (code, stdout, _) = run(&args);
            assert_eq!((code, &json_lines(&stdout)[0]["valid"]), (1, &Value::Bool(false)));
        }
        // Headers that stop short say no.
        let cut = at("cut.bin");
        fs::write(&cut, &fs::read(headers).unwrap()[..80 * 7]).unwrap();
        assert_eq!(run(&["proof", "check", file, "--headers", text(&cut)]).0, 1);
    }
    let file = at("a.proof");
    let args = ["proof", "get", "account", "miner", "--out", text(&file), "--dir", text(&chain)];
    assert_eq!(run(&args).0, 0);
    ok(&["proof", "check", text(&file), "--block", &tip]);
    assert!(usage_error(&["proof", "check", text(&file)]).contains("--headers"));
    let unknown = "11".repeat(32);
    let (code, _, stderr) = run(&["proof", "get", "transaction", &unknown, "--dir", text(&chain)]);
    assert_eq!(code, 1, "{stderr}");
    let line = usage_error(&["proof", "get", "transaction", "11", "--dir", text(&chain)]);
    assert!(line.contains("64 hex digits"), "{line}");
}
