//! The audit of a record by commands, and its proof in another language.

use std::fs;
use std::process::Command;

use crate::opening::{asked, granted};
use crate::stage::path;

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
