//! The audit of a record by commands, and its proof in another language.

use std::fs;
use std::process::Command;

use crate::opening::{asked, granted};
use crate::stage::path;

/// Each new content or key is another record on the chain, with logs of its own.
#[test]
fn every_epoch_of_a_record_is_audited() {
    let stage = granted();
    stage.mine(1);
    let file = stage.path("finding-2.txt");
    fs::write(&file, "something else").unwrap();
    let first = stage.ok(&["audit", "finding"]);
    stage.act(&["record", "amend", "finding", path(&file)]);
    // In a block, but in no state that one commits to yet.
    let (code, text, told) = stage.run(&["audit", "finding"]);
    assert_eq!((code, text.matches("complete up to").count()), (0, 1), "{text}");
    assert!(told.contains("after one more block"), "{told}");
    stage.mine(1);
    let epochs = stage.ok_lines(&["audit", "finding"]);
    let numbers: Vec<_> = epochs.iter().map(|epoch| epoch["epoch"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [0, 1]);
    assert_eq!(epochs[0]["record"], first["record"]);
    assert_ne!(epochs[1]["record"], first["record"]);
    let old = epochs[0]["access"].as_array().unwrap();
    let before = first["access"].as_array().unwrap();
    assert_eq!(old[..before.len()], before[..], "what happened before is listed still");
    assert_eq!(epochs[1]["access"][0]["kind"], "record");
    // By the first key the chain leads to the second, and not back.
    let key = |at: usize| epochs[at]["record"].as_str().unwrap();
    assert_eq!(stage.ok_lines(&["audit", key(0)]), epochs);
    assert_eq!(stage.ok_lines(&["audit", key(1)]), epochs[1..]);
    for at in [0, 1] {
        let proof = stage.path("one.audit");
        let number = at.to_string();
        let one = ["audit", "finding", "--epoch", &number, "--proof", path(&proof)];
        assert_eq!(stage.ok_lines(&one), epochs[at..=at]);
        assert!(fs::read_to_string(&proof).unwrap().contains(key(at)));
    }
    let (_, text, _) = stage.run(&["audit", "finding"]);
    assert!(text.contains(&format!("epoch 1, record {}", key(1))), "{text}");
    assert_eq!(text.matches("complete up to").count(), 2, "{text}");
    assert!(stage.refused(&["audit", "finding", "--epoch", "2"]).contains("its last one is 1"));
}

#[test]
fn an_audit_is_complete_and_its_file_is_proven_elsewhere() {
    let stage = granted();
    let branch = stage.path("ward.branch");
    let request = ["request", "--branch", path(&branch), "--as", "doctor", "--anyway"];
    stage.act(&request);
    let (request, room) = asked(&stage);
    stage.act(&["approve", &request, "--as", "nurse", "--presence", path(&room)]);
    stage.mine(1);
    let (proof, headers) = (stage.path("finding.audit"), stage.path("headers.bin"));
    let audit = stage.ok(&["audit", "finding", "--proof", path(&proof)]);
    let kinds = |of: &str| -> Vec<String> {
        let events = audit[of].as_array().unwrap().iter();
        events.map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds("access"), ["record", "request", "approval"]);
    assert_eq!(kinds("refusals"), ["refusal"]);
    assert_eq!(audit["refusals"][0]["note"], 6);
    assert_eq!(audit["access"][1]["core"], request);
    let by_key = stage.ok(&["audit", audit["record"].as_str().unwrap()]);
    assert_eq!(by_key, audit);
    let (_, chinese, _) = stage.run(&["audit", "finding", "--lang", "zh"]);
    assert!(chinese.contains("批准") && chinese.contains("拒绝"), "{chinese}");
    assert!(stage.refused(&["audit", "nothing"]).contains("no record of that name"));

    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: there is no python3 to run tests/audit_verifier.py");
        return;
    }
    assert_eq!(stage.run(&["proof", "headers", "--out", path(&headers)]).0, 0);
    let good = fs::read_to_string(&proof).unwrap();
    let changed = stage.path("changed.audit");
    let core = audit["access"][2]["core"].as_str().unwrap();
    // The core id stands in the event as it is displayed or turned round.
    let swapped: String =
        core.as_bytes().rchunks(2).map(|byte| std::str::from_utf8(byte).unwrap()).collect();
    let found = [core.to_owned(), swapped].into_iter().find(|core| good.contains(core.as_str()));
    let found = found.expect("the event is in the file");
    fs::write(&changed, good.replacen(&found, &"00".repeat(32), 1)).unwrap();
    let verifier = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/audit_verifier.py");
    let output =
        Command::new("python3").arg(verifier).args([&headers, &proof, &changed]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("ok {} 3 1", audit["state_height"]), "{text}");
    assert!(lines[1].starts_with("bad "), "{text}");
}
