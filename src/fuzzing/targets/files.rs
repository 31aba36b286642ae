//! Files that people keep, write by hand or pass on: records, proofs, settings, packages of sealed shares.
//! What parses must read the same when it is written again, and what it says must be safe to work out.

use crate::engine::proof::read_proofs;
use crate::ledger::credit::Activity;
use crate::ledger::signature::PubKey;
use crate::ledger::spec::Spec;
use crate::ledger::transaction::reading::Assurance;
use crate::node::budget::Account;
use crate::node::duty_file::DutyFile;
use crate::node::proof_file::ProofFile;
use crate::wallet::custody::{Package, Release, SealSecret};
use crate::wallet::{audit_file, pipe, record};

/// Any bytes are a kept record or none. One that is has a tree for each of its policies, or an error.
///
/// # Panics
///
/// If it reads otherwise the second time.
pub fn record_file(data: &[u8]) {
    let Ok(record) = record::parse(data) else { return };
    assert_eq!(record::parse(record::to_text(&record).as_bytes()).as_ref(), Ok(&record));
    for epoch in &record.epochs {
        assert_eq!(epoch.guardians().len(), epoch.sets.len());
        for policy in &epoch.policies {
            for spacing_s in [1, u32::MAX] {
                let _ = policy.tree(spacing_s);
            }
        }
    }
}

/// Any bytes are an audit, a proof of an entry or a transaction, proofs of work, or nothing. Whether they
/// prove anything is worked out without trusting them.
///
/// # Panics
///
/// If one reads otherwise the second time.
pub fn proof_file(data: &[u8]) {
    if let Ok(audit) = audit_file::from_json(data) {
        assert_eq!(audit_file::from_json(audit_file::to_json(&audit).as_bytes()), Ok(audit));
    }
    if let Ok(proof) = ProofFile::parse(data) {
        let text = proof.to_text();
        let again = ProofFile::parse(text.as_bytes()).expect("what was written can be read");
        assert_eq!(again.to_text(), text);
        assert_eq!(again.check().is_ok(), proof.check().is_ok());
    }
    if let Ok(proofs) = read_proofs(data) {
        let text: String = proofs.iter().map(ToString::to_string).collect();
        assert_eq!(text.as_bytes(), data, "one way to write each proof");
    }
}

/// Any text is the specification of a chain, the configuration of a node, the policy of a guardian, or
/// none of them.
///
/// # Panics
///
/// If one says something else when it is written and read again.
pub fn settings_file(data: &[u8]) {
    if let Ok(duty) = DutyFile::parse(data) {
        let _: Vec<_> = duty.agree.iter().map(|line| line.purposes()).collect();
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(spec) = Spec::from_toml(text) {
        assert_eq!(Spec::from_toml(&spec.to_toml()), Ok(spec));
    }
    #[cfg(feature = "net")]
    if let Ok(config) = crate::node::config::Config::from_toml(text) {
        assert_eq!(crate::node::config::Config::from_toml(&config.to_toml()), Ok(config));
    }
}

/// Any bytes are a package of sealed shares or none; the seals themselves open to nobody by chance.
///
/// # Panics
///
/// If a package has two encodings, or bytes open to a key that they were not sealed to.
pub fn package(data: &[u8]) {
    if let Some(package) = Package::decode(data) {
        assert_eq!(package.encode(), data, "one encoding");
    }
    let release = Release { request: [7; 32], sealed: data.to_vec() };
    let reply = SealSecret::from_bytes([9; 32].into());
    assert!(release.open(&reply).is_none(), "a seal that nobody made");
}

/// Any bytes are what a budget file says or not; what is earned, taken and put back then leaves it one.
///
/// # Panics
///
/// If the account cannot be read again, or gives more than it had.
pub fn budget_file(data: &[u8]) {
    let Ok(mut account) = Account::parse(data) else { return };
    let is_whole =
        |account: &Account| assert_eq!(Account::parse(&account.to_text()).as_ref(), Ok(account));
    is_whole(&account);
    let until = account.earnings().iter().map(|earning| earning.t1).max().unwrap_or(0);
    let activity = Activity { wear_s: u32::MAX, active_s: u32::MAX, steps: u32::MAX };
    let device = PubKey([3; 32]);
    let had = account.left();
    let earned = account.credit(device, (until, until), activity, Assurance::CoWitnessed, [5; 32]);
    let held = account.left();
    assert_eq!(held - had, earned.unwrap_or(0));
    is_whole(&account);
    let taken = account.take(u64::MAX);
    assert_eq!((taken, account.left()), (held, 0));
    is_whole(&account);
    account.put_back(u64::MAX);
    assert!(account.left() >= held && account.spent() == 0);
    is_whole(&account);
}

/// Any line is a signature, a refusal or no answer of a signer behind a pipe.
///
/// # Panics
///
/// If a signature is not read as it is written.
pub fn signer_answer(data: &[u8]) {
    let Some(Ok(sig)) = pipe::answer_in(data) else { return };
    let line = format!("{{\"signature\":\"{sig}\"}}");
    assert_eq!(pipe::answer_in(line.as_bytes()), Some(Ok(sig)));
}
