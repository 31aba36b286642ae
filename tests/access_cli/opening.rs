//! The whole way of a request by commands: asked, agreed to, released, opened; with keys on several
//! machines; objected to, taken back; a share that is not the promised one.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use proofward::ledger::store::Blobs;
use proofward::wallet::handout::{self, ApprovalPart};
use serde_json::Value;

use crate::binary::{json_lines, run};
use crate::directory::{ok, text};
use crate::stage::{Stage, path};

const CONTENT: &str = "a finding that nobody else may read";

const POLICY: &str = r#"
[[leaf]]
name = "ward"
readers = ["physician@ward"]
places = ["site:ward"]
until = "forever"
purposes = ["TREAT"]
need = ["1 patient@hospital", "1 nurse@ward"]
guardians = 2
together = "one-round"
max_reads = 4

[[leaf]]
name = "study"
readers = ["physician@ward"]
places = ["anywhere"]
until = "forever"
purposes = ["HRESCH"]
guardians = 2
delay = 5
max_reads = 4
"#;

/// A hospital with a record under a policy in force, and branches for the doctor.
pub(crate) fn granted() -> Stage {
    let stage = Stage::hospital();
    let (file, policy) = (stage.path("finding.txt"), stage.path("policy.toml"));
    fs::write(&file, CONTENT).unwrap();
    fs::write(&policy, POLICY).unwrap();
    let add = ["record", "add", path(&file), "--name", "finding", "--owner", "patient"];
    let guardians = ["--guardians", "2:nurse,patient!,escrow", "--policy", path(&policy)];
    stage.act(&[&add[..], &guardians].concat());
    for leaf in ["ward", "study"] {
        let out = stage.path(&format!("{leaf}.branch"));
        stage.ok(&["policy", "show", "finding", "--leaf", leaf, "--out", path(&out)]);
    }
    stage
}

/// What the beacon says of doctor, nurse and patient after the tip.
fn room(stage: &Stage) -> PathBuf {
    let out = stage.path("room.presence");
    let keys = ["--key", "doctor", "--key", "nurse", "--key", "patient"];
    let roll = ["beacon", "roll", "beacon", "--out", path(&out)];
    stage.ok(&[&roll[..], &keys].concat());
    out
}

/// The doctor's request in the ward, mined.
pub(crate) fn asked(stage: &Stage) -> (String, PathBuf) {
    let (room, branch) = (room(stage), stage.path("ward.branch"));
    let request = ["request", "--branch", path(&branch), "--as", "doctor"];
    (stage.act(&[&request[..], &["--presence", path(&room)]].concat()), room)
}

/// A command whose answer is no: its only line.
fn no(stage: &Stage, args: &[&str]) -> Value {
    let dir = stage.dir();
    let (code, stdout, stderr) = run(&[args, &["--dir", path(&dir), "--format", "json"]].concat());
    assert_eq!(code, 1, "{args:?}: {stdout}{stderr}");
    json_lines(&stdout).remove(0)
}

#[test]
fn doctor_nurse_and_patient_open_a_record() {
    let stage = granted();
    let (request, room) = asked(&stage);
    let kept = stage.dir().join("requests").join(format!("{request}.json"));
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    let waits = no(&stage, &["explain", &request]);
    assert_eq!((&waits["open"], &waits["first_failed"]), (&false.into(), &7.into()));
    let (code, chinese, _) = stage.run(&["explain", &request, "--lang", "zh"]);
    assert_eq!(code, 1);
    assert!(chinese.contains("等待批准"), "{chinese}");

    let approve = ["approve", &request, "--as", "nurse", "--as", "patient"];
    stage.act(&[&approve[..], &["--presence", path(&room)]].concat());
    let open = stage.ok(&["explain", &request]);
    assert_eq!(open["met"].as_array().unwrap().len(), 9);
    // Open, but not for long enough.
    let early = no(&stage, &["release", &request, "--as", "nurse"]);
    assert!(early["words"].as_str().unwrap().contains("waits until block"), "{early}");
    let to = stage.path("read.txt");
    let nothing = no(&stage, &["open", &request, "--to", path(&to)]);
    assert_eq!(nothing["awaited"].as_array().unwrap().len(), 2);
    assert!(!to.exists());

    stage.mine(2);
    let sent = stage.ok(&["release", &request, "--as", "nurse"]);
    assert_eq!(sent["sent"], true);
    let one = no(&stage, &["open", &request, "--to", path(&to)]);
    assert_eq!((&one["shares"], &one["opened"]), (&1.into(), &false.into()));
    stage.ok(&["release", &request, "--as", "patient"]);
    let opened = stage.ok(&["open", &request, "--to", path(&to)]);
    assert_eq!((&opened["shares"], &opened["bytes"]), (&2.into(), &CONTENT.len().into()));
    assert_eq!(fs::read_to_string(&to).unwrap(), CONTENT);
    let (code, stdout, _) = stage.run(&["open", &request, "--to", "-"]);
    assert_eq!((code, &*stdout), (0, CONTENT), "nothing but the record");
    // Who did not ask has no key to open with.
    fs::remove_file(kept).unwrap();
    assert!(stage.refused(&["open", &request, "--to", "-"]).contains("was not made here"));
}

#[test]
fn an_attempt_that_would_be_refused_is_told_and_logged_only_on_demand() {
    let stage = granted();
    let branch = stage.path("ward.branch");
    let request = ["request", "--branch", path(&branch), "--as", "doctor"];
    let told = no(&stage, &request);
    assert_eq!((&told["sent"], &told["clause"]), (&false.into(), &6.into()));
    // What is told names the leaf that is shown, and no other.
    let words = told["words"].to_string();
    assert!(words.contains("no beacon spoke for the reader"), "{words}");
    assert!(!words.contains("research") && !words.contains("study"), "{words}");
    let core = stage.act(&[&request[..], &["--anyway"]].concat());
    let refused = no(&stage, &["explain", &core]);
    assert!(refused["words"][0].as_str().unwrap().contains("refused when it was asked: clause 6"));
    // A nurse is no reader of this branch.
    let by_nurse = no(&stage, &["request", "--branch", path(&branch), "--as", "nurse"]);
    assert_eq!(by_nurse["clause"], 5);
    let purpose = stage.refused(&[&request[..], &["--purpose", "FUN"]].concat());
    assert!(purpose.contains("is no purpose"), "{purpose}");
}

/// A machine with one key, and the chain of the others.
fn machine(stage: &Stage, name: &str) -> PathBuf {
    let (dir, home) = (stage.dir(), stage.path(&format!("{name}-home")));
    fs::create_dir(&home).unwrap();
    for shared in ["chain.toml", "store", "inbox", "blobs"] {
        symlink(dir.join(shared), home.join(shared)).unwrap();
    }
    fs::create_dir(home.join("keys")).unwrap();
    let key = format!("keys/{name}.key");
    fs::rename(dir.join(&key), home.join(&key)).unwrap();
    home
}

fn at(home: &Path, args: &[&str]) -> Value {
    ok(&[args, &["--dir", text(home)]].concat()).remove(0)
}

#[test]
fn an_approval_is_put_together_from_files_in_any_order() {
    let stage = granted();
    let (request, room) = asked(&stage);
    let names = ["nurse", "patient"];
    let homes = names.map(|name| machine(&stage, name));
    let parts = names.map(|name| stage.path(&format!("{name}.part")));
    for ((name, home), part) in names.iter().zip(&homes).zip(&parts) {
        let approve = ["approve", &request, "--as", name, "--presence", path(&room)];
        at(home, &[&approve[..], &["--part-out", path(part)]].concat());
    }
    let blank = stage.path("approve.tx");
    let approve = ["approve", &request, "--part", path(&parts[0]), "--part", path(&parts[1])];
    let sent = stage.ok(&[&approve[..], &["--payer", "miner", "--out", path(&blank)]].concat());
    assert_eq!((&sent["missing"], &sent["guardians"]), (&2.into(), &2.into()));
    for (name, home) in names.iter().zip(&homes) {
        let out = stage.path(&format!("{name}.tx"));
        at(home, &["tx", "sign", path(&blank), "--key", name, "--out", path(&out)]);
    }
    let combined = [["nurse", "patient"], ["patient", "nurse"]].map(|[first, second]| {
        let files = [first, second].map(|name| stage.path(&format!("{name}.tx")));
        let out = stage.path(&format!("{first}-first.tx"));
        ok(&["tx", "combine", path(&files[0]), path(&files[1]), "--out", path(&out)]);
        fs::read_to_string(out).unwrap()
    });
    assert_eq!(combined[0], combined[1]);
    let whole = stage.path("nurse-first.tx");
    stage.ok(&["tx", "submit", path(&whole)]);
    stage.mine(3);
    for (name, home) in names.iter().zip(&homes) {
        assert_eq!(at(home, &["release", &request, "--as", name])["sent"], true);
    }
    let to = stage.path("read.txt");
    assert_eq!(stage.ok(&["open", &request, "--to", path(&to)])["opened"], true);
    assert_eq!(fs::read_to_string(&to).unwrap(), CONTENT);
}

#[test]
fn a_share_that_was_not_dealt_is_named() {
    let stage = granted();
    let (request, room) = asked(&stage);
    let part = stage.path("nurse.part");
    let approve = ["approve", &request, "--as", "nurse", "--presence", path(&room)];
    stage.ok(&[&approve[..], &["--part-out", path(&part)]].concat());
    // The nurse promises something else than her share.
    let junk = [7; 600];
    Blobs::open(&stage.dir()).unwrap().put(&junk).unwrap();
    let (genesis, honest) = handout::parse::<ApprovalPart>(&fs::read(&part).unwrap()).unwrap();
    let mut lie = honest;
    lie.approver.release = Blobs::hash(&junk);
    fs::write(&part, handout::to_text(&genesis, &lie)).unwrap();
    let blank = stage.path("approve.tx");
    let approve = ["approve", &request, "--as", "patient", "--presence", path(&room)];
    let rest = ["--part", path(&part), "--payer", "miner", "--out", path(&blank)];
    stage.ok(&[&approve[..], &rest].concat());
    stage.ok(&["tx", "sign", path(&blank), "--key", "nurse"]);
    stage.ok(&["tx", "submit", path(&blank)]);
    stage.mine(3);
    stage.ok(&["release", &request, "--as", "patient"]);
    let to = stage.path("read.txt");
    let bad = no(&stage, &["open", &request, "--to", path(&to)]);
    assert_eq!(bad["bad"], serde_json::json!([stage.public("nurse").to_string()]));
    assert_eq!(bad["shares"], 1);
    // The chain is told.
    let tell = ["open", &request, "--to", path(&to), "--receipt", "--as", "doctor"];
    let (code, stdout, stderr) = stage.run(&[&tell[..], &["--payer", "miner"]].concat());
    assert_eq!(code, 1, "{stdout}{stderr}");
    assert!(stdout.contains("receipt: bad share"), "{stdout}");
    stage.mine(2);
    let audit = stage.ok(&["audit", "finding"]);
    let last = audit["access"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["kind"], &last["note"]), (&"receipt".into(), &3.into()));
}

#[test]
fn owners_object_and_guardians_change_their_minds() {
    let stage = granted();
    let branch = stage.path("study.branch");
    let request = ["request", "--branch", path(&branch), "--as", "doctor"];
    let core = stage.act(&request);
    stage.act(&["approve", &core, "--as", "nurse"]);
    stage.act(&["withdraw", &core, "--as", "nurse"]);
    let again = no(&stage, &["approve", &core, "--as", "nurse", "--payer", "miner"]);
    assert_eq!((&again["sent"], &again["rule"]), (&false.into(), &"NotGuardian".into()));
    stage.act(&["veto", &core, "--as", "patient"]);
    let ended = no(&stage, &["explain", &core]);
    assert_eq!(ended["words"][0], "the owners have objected");
    let gone = stage.refused(&["review", &"0".repeat(64), "--as", "patient"]);
    assert!(gone.contains("no request"), "{gone}");
}
