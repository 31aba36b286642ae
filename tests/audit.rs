//! The audit of a record is complete: nothing dropped, changed or added goes unnoticed, neither by this
//! program nor by a small verifier in another language that has the headers and the file alone.

#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "common/access.rs"]
mod access;
#[path = "common/ledger.rs"]
mod ledger;

use std::fs;
use std::process::Command;

use access::*;
use proofward::ledger::audit::{Audit, AuditError};
use proofward::ledger::chain::Chain;
use proofward::ledger::rules::context::Ancestors;
use proofward::ledger::signature::PubKey;
use proofward::ledger::state::{Event, EventKind, LogKind};
use proofward::ledger::transaction::CoreId;
use proofward::wallet::audit_file::{self, AuditFileError};

const TRIALS: u64 = 1_000;

/// A record with a history, one block on top so that all of it can be shown, and an unrelated record.
fn world() -> (World, PubKey) {
    let mut world = World::hospital();
    let rid = world.founded_record(500, PATIENT, [1; 32], 1);
    world.founded_record(501, PATIENT, [1; 32], 1);
    for seq in 1..=40 {
        let root = if seq % 3 == 0 { [0; 32] } else { [u8::try_from(seq).unwrap(); 32] };
        let not_before = if seq % 3 == 0 { 0 } else { world.next() + 1 };
        world.grant(rid, PATIENT, seq, root, not_before).unwrap();
    }
    world.wait(1);
    (world, rid)
}

fn audit(world: &World, rid: PubKey) -> Audit {
    Audit::read(world.ledger.chain(), world.ledger.store(), rid).unwrap().unwrap()
}

struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// One event dropped, changed, added or moved.
fn tampered(good: &Audit, draws: &mut Draws) -> Audit {
    let mut bad = good.clone();
    let events = &mut bad.access;
    let at = draws.below(events.len());
    let invented = Event {
        height: u32::try_from(draws.below(100)).unwrap(),
        core: CoreId([9; 32]),
        kind: EventKind::Request,
        note: 0,
    };
    match draws.below(7) {
        0 => drop(events.remove(at)),
        1 => events.insert(at, invented),
        2 => events[at].height ^= 1 << draws.below(20),
        3 => events[at].core.0[draws.below(32)] ^= 1 << draws.below(8),
        4 => events[at].note ^= 1,
        5 => {
            let other = (at + 1 + draws.below(events.len() - 1)) % events.len();
            events.swap(at, other);
        }
        _ => bad.refusals.push(invented),
    }
    bad
}

#[test]
fn an_audit_lists_everything_up_to_the_tips_parent() {
    let (mut world, rid) = world();
    let full = audit(&world, rid);
    let chain: Chain = world.ledger.chain().clone();
    let shown = full.check(&chain).unwrap();
    let (tip, record) = world.ledger.tip().unwrap();
    assert_eq!((shown.block, shown.state_height), (tip, record.height - 1));
    assert_eq!((full.access.len(), full.refusals.len()), (41, 0));
    assert_eq!(full.access[0].kind, EventKind::Record);
    assert!(full.access[1..].iter().all(|event| event.kind == EventKind::Grant));
    // What the tip itself did takes one more block.
    world.grant(rid, PATIENT, 41, [0; 32], 0).unwrap();
    assert_eq!(audit(&world, rid).access.len(), 41);
    world.wait(1);
    assert_eq!(audit(&world, rid).access.len(), 42);
    let unknown = world.key(999);
    assert_eq!(Audit::read(&chain, world.ledger.store(), unknown).unwrap(), None);
}

#[test]
fn every_change_is_noticed_here() {
    let (world, rid) = world();
    let good = audit(&world, rid);
    let chain = world.ledger.chain();
    let mut draws = Draws(1);
    for trial in 0..TRIALS {
        let bad = tampered(&good, &mut draws);
        let error = bad.check(chain).expect_err("the audit was changed");
        let is_named = matches!(error, AuditError::Count { .. } | AuditError::Head { .. });
        assert!(is_named, "trial {trial}: {error}");
    }
    // The logs of another record prove nothing about this one.
    let other = Audit { rid: PubKey([1; 32]), ..good.clone() };
    assert_eq!(other.check(chain), Err(AuditError::OtherEntry(PubKey([1; 32]))));
    let mut dropped = good;
    dropped.access.pop();
    let count = AuditError::Count { kind: LogKind::Access, expected: 41, found: 40 };
    assert_eq!(dropped.check(chain), Err(count));
}

#[test]
fn an_audit_travels_as_text() {
    let (world, rid) = world();
    let good = audit(&world, rid);
    let text = audit_file::to_json(&good);
    assert_eq!(audit_file::from_json(text.as_bytes()).unwrap(), good);
    let refused = |text: &str| audit_file::from_json(text.as_bytes()).unwrap_err();
    assert!(matches!(refused("{}"), AuditFileError::Malformed(_)));
    assert_eq!(refused(&text.replacen(": 1,", ": 2,", 1)), AuditFileError::Version(2));
    for cut in (0..text.len()).step_by(211) {
        refused(&text[..cut]);
    }
}

#[test]
fn another_program_agrees() {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: there is no python3 to run tests/audit_verifier.py");
        return;
    }
    let (world, rid) = world();
    let good = audit(&world, rid);
    let dir = tempfile::tempdir().unwrap();
    let view = world.ledger.view();
    let headers: Vec<u8> = (0..world.next())
        .flat_map(|height| {
            let hash = view.hash_at(height).unwrap().unwrap();
            view.record(&hash).unwrap().unwrap().header.encode()
        })
        .collect();
    let headers_file = dir.path().join("headers");
    fs::write(&headers_file, &headers).unwrap();

    let mut draws = Draws(2);
    let mut command = Command::new("python3");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/audit_verifier.py")).arg(&headers_file);
    let mut write = |name: String, audit: &Audit| {
        let file = dir.path().join(name);
        fs::write(&file, audit_file::to_json(audit)).unwrap();
        command.arg(file);
    };
    write("good".into(), &good);
    for trial in 0..TRIALS {
        write(trial.to_string(), &tampered(&good, &mut draws));
    }
    let mut elsewhere = good.clone();
    elsewhere.evidence.header[70] ^= 1;
    write("elsewhere".into(), &elsewhere);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len() as u64, TRIALS + 2, "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(lines[0], format!("ok {} 41 0", world.next() - 2));
    assert!(lines[1..].iter().all(|line| line.starts_with("bad ")), "{text}");
    assert_eq!(output.status.code(), Some(1));
}
