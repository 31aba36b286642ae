//! Evidence of state entries: shown with a coinbase, its branch and a header, to who has headers alone.

#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "common/ledger.rs"]
mod common;

use common::*;
use proofward::ledger::chain::{EvidenceError, Ledger, StateEvidence};
use proofward::ledger::rules::context::Ancestors;
use proofward::ledger::state::{Account, EntryKey};
use proofward::ledger::store::MemoryStore;

/// A chain whose tip carries several transactions, so that the coinbase has a branch.
fn busy() -> Ledger<MemoryStore> {
    let ledger = memory_ledger(easy_spec());
    let miner = Key::new(1);
    for _ in 0..8 {
        mine(&ledger, miner.public(), vec![]);
    }
    for round in 0..3 {
        let payments = (1..=5)
            .map(|i| pay(&ledger, &miner, Key::new(i + 1).public(), 7, u64::from(round * 5 + i)));
        let payments = payments.collect();
        mine(&ledger, miner.public(), payments);
    }
    ledger
}

fn evidence(ledger: &Ledger<MemoryStore>, key: EntryKey) -> StateEvidence {
    ledger.chain().evidence(ledger.store(), &key).unwrap()
}

#[test]
fn an_entry_is_shown_as_it_was_after_the_tips_parent() {
    let ledger = busy();
    let key = EntryKey::Account(Key::new(3).public());
    let shown = evidence(&ledger, key);
    let account: Account = borsh::from_slice(shown.value.as_ref().unwrap()).unwrap();
    assert_eq!(account.balance, 14, "the third payment is in the tip");
    let checked = shown.check(ledger.chain()).unwrap();
    let (tip, record) = ledger.tip().unwrap();
    assert_eq!((checked.state_height, checked.block), (record.height - 1, tip));
    assert_eq!(ledger.view().hash_at(record.height).unwrap(), Some(tip));
    // Making evidence changes nothing.
    assert_eq!(ledger.tip().unwrap().0, tip);
    mine(&ledger, Key::new(1).public(), vec![]);
}

#[test]
fn every_changed_byte_is_noticed() {
    let ledger = busy();
    let good = evidence(&ledger, EntryKey::Account(Key::new(2).public()));
    let tip = ledger.tip().unwrap().0;
    assert!(good.branch.len() >= 3, "a branch of several steps");
    let is_refused = |bad: &StateEvidence| {
        // A header with another hash is not among one's own.
        bad.check(ledger.chain()).map_or(true, |shown| shown.block != tip)
    };
    assert!(!is_refused(&good));
    let mut bad = good.clone();
    for at in 0..good.value.as_ref().unwrap().len() {
        bad.value.as_mut().unwrap()[at] ^= 1;
        assert!(matches!(bad.check(ledger.chain()), Err(EvidenceError::Proof(_))));
        bad = good.clone();
    }
    bad.value = None;
    assert!(matches!(bad.check(ledger.chain()), Err(EvidenceError::Proof(_))));
    bad = good.clone();
    for at in 0..good.coinbase.len() {
        bad.coinbase[at] ^= 1;
        assert!(is_refused(&bad), "byte {at} of the coinbase");
        bad = good.clone();
    }
    for at in 0..good.branch.len() {
        bad.branch[at][9] ^= 1;
        assert!(matches!(bad.check(ledger.chain()), Err(EvidenceError::Branch { .. })));
        bad = good.clone();
    }
    for at in 0..80 {
        bad.header[at] ^= 1;
        assert!(is_refused(&bad), "byte {at} of the header");
        bad = good.clone();
    }
    let proof = good.proof.encode();
    for at in 0..proof.len() {
        let mut changed = proof.clone();
        changed[at] ^= 1;
        if let Ok(decoded) = proofward::ledger::tree::Proof::decode(&changed) {
            bad.proof = decoded;
            assert!(is_refused(&bad), "byte {at} of the proof");
        }
    }
    bad = good.clone();
    bad.key = vec![250, 1];
    assert_eq!(bad.check(ledger.chain()), Err(EvidenceError::Key(vec![250, 1])));
    bad.key = EntryKey::Account(Key::new(3).public()).encode();
    assert!(matches!(bad.check(ledger.chain()), Err(EvidenceError::Proof(_))));
}

#[test]
fn genesis_shows_nothing() {
    let ledger = memory_ledger(easy_spec());
    let key = EntryKey::Account(Key::new(1).public());
    assert!(ledger.chain().evidence(ledger.store(), &key).is_err());
}
