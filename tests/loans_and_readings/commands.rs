//! Loans and wearables by commands alone, on a chain of its own in a folder of its own.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::binary::{json_lines, run};
use crate::data::data;
use crate::directory::text;
use crate::stage::Stage;

/// Two people who own something.
fn village() -> Stage {
    let stage = Stage::new();
    for name in ["alice", "bob", "carol"] {
        stage.key(name);
        stage.act(&["pay", name, "10", "--from", "miner"]);
    }
    stage
}

fn shown(stage: &Stage, debt: &str) -> Value {
    stage.ok(&["loan", "show", debt])
}

#[test]
fn a_loan_is_offered_in_a_file_accepted_handed_on_and_repaid() {
    let stage = village();
    let file = stage.path("loan.tx");
    let due = (stage.height() + 50).to_string();
    let offer = ["loan", "offer", "bob", "2", "--owed", "2.5", "--due", &due, "--from", "alice"];
    let sent = stage.ok(&[&offer[..], &["--out", text(&file)]].concat());
    assert_eq!(sent["missing"], 1, "alice has signed, bob has not");
    let debt = sent["core"].as_str().unwrap();
    assert_eq!(stage.run(&["loan", "show", debt]).0, 2, "nobody owes anything yet");
    assert!(
        stage.refused(&["loan", "accept", text(&file), "--key", "carol"]).contains("offered to")
    );
    stage.ok(&["loan", "accept", text(&file), "--key", "bob"]);
    stage.mine(1);
    let open = shown(&stage, debt);
    assert_eq!((&open["standing"], &open["left_units"]), (&"open".into(), &250_000_000_u64.into()));

    stage.act(&["loan", "repay", debt, "1", "--from", "bob"]);
    stage.act(&["loan", "transfer", debt, "--to", "carol", "--from", "alice"]);
    let before = stage.ok(&["balance", "carol"])["balance_units"].as_u64().unwrap();
    stage.act(&["loan", "repay", debt, "--from", "bob"]);
    let after = stage.ok(&["balance", "carol"])["balance_units"].as_u64().unwrap();
    assert_eq!(after - before, 150_000_000, "who holds the claim is paid");
    assert_eq!(shown(&stage, debt)["standing"], "repaid");
    let (_, en, _) = stage.run(&["loan", "show", debt]);
    assert!(en.contains("standing   repaid") && en.contains("owed       0 of 2.5 tokens"), "{en}");
    let (_, zh, _) = stage.run(&["loan", "show", debt, "--lang", "zh"]);
    assert!(zh.contains("已还清") && zh.lines().count() == en.lines().count(), "{zh}");
}

#[test]
fn a_loan_in_one_transaction_grows_overdue_and_is_forgiven() {
    let stage = village();
    let due = (stage.height() + 1).to_string();
    let offer = ["loan", "offer", "bob", "2", "--owed", "2", "--due", &due, "--from", "alice"];
    stage.act(&[&offer[..], &["--announce"]].concat());
    let due = (stage.height() + 1).to_string();
    let offer = ["loan", "offer", "bob", "2", "--owed", "2", "--due", &due, "--from", "alice"];
    let debt = stage.act(&offer);
    assert_eq!(shown(&stage, &debt)["standing"], "open");
    stage.mine(1);
    assert_eq!(shown(&stage, &debt)["standing"], "overdue");
    stage.act(&["loan", "transfer", &debt, "--to", "bob", "--from", "alice"]);
    assert_eq!(shown(&stage, &debt)["standing"], "forgiven");
    let late = ["loan", "offer", "bob", "2", "--owed", "2", "--due", "1", "--from", "alice"];
    assert!(stage.refused(&late).contains("--due 1"));
}

/// A walk of ten minutes that has just ended.
fn walk() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let minute = |ago: u64| {
        let at = jiff::Timestamp::from_second(i64::try_from(now / 60 * 60 - ago * 60).unwrap());
        let at = at.unwrap().to_zoned(jiff::tz::TimeZone::UTC);
        format!("1,{},100\n", at.strftime("%m/%d/%Y %I:%M:%S %p"))
    };
    let rows: String = (0..10).map(|i| minute(20 - i)).collect();
    format!("Id,ActivityMinute,Steps\n{rows}")
}

/// Of the watch.
const MODEL: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// A watch that somebody vouches for, and what it has recorded.
fn village_with_a_walk() -> (Stage, PathBuf) {
    let stage = village();
    stage.key("watch");
    let claim = ["device", "attest", "watch", "--issuer", "anchor", "--model", MODEL];
    stage.act(&[&claim[..], &["--firmware", MODEL]].concat());
    let file = stage.path("walk.csv");
    std::fs::write(&file, walk()).unwrap();
    (stage, file)
}

#[test]
fn a_walk_goes_onto_the_chain_and_its_samples_stay_with_the_wearer() {
    let (stage, file) = village_with_a_walk();
    let dir = stage.dir();
    let import = ["wear", "import", text(&file), "--device", "watch", "--format", "json"];
    let dry = run(&[&import[..], &["--dry-run", "--dir", text(&dir)]].concat());
    let hashes: u64 = json_lines(&dry.1).iter().map(|day| day["hashes"].as_u64().unwrap()).sum();
    // Ten minutes of motion and a thousand steps, a quarter of it since it is a file.
    assert_eq!(hashes, (600 * 10_000 + 600 * 500 + 1000 * 5_000) / 4);
    // A pace of an hour a block lets the median time past lag behind: let it come up.
    stage.mine(12);
    let real = ["--wearer", "alice", "--payer", "miner", "--dir", text(&dir)];
    let (code, said, why) = run(&[&import[..], &real].concat());
    assert_eq!(code, 0, "{why}");
    let lines = json_lines(&said);
    let blob = lines[0]["blob"].as_str().unwrap().to_owned();
    stage.mine(1);
    stage.mine(1);
    let earned = stage.ok(&["wear", "show", "alice"]);
    assert_eq!(earned["hashes"], hashes, "{said}{earned}");

    let out = stage.path("samples.csv");
    let (code, _, _) =
        stage.run(&["wear", "samples", &blob, "--wearer", "alice", "--out", text(&out)]);
    let samples = std::fs::read_to_string(out).unwrap();
    assert_eq!((code, samples.lines().next().unwrap().ends_with(",60,60,100,")), (0, true));
    assert!(
        stage.refused(&["wear", "samples", &blob, "--wearer", "bob"]).contains("not sealed to")
    );
    let again = run(&[&import[..], &real].concat());
    assert_eq!((again.0, &json_lines(&again.1)[0]["refused"]), (1, &"Overlap".into()));

    stage.act(&["device", "withdraw-model", MODEL, "--issuer", "anchor", "--by", "anchor"]);
    let tainted = stage.ok(&["wear", "show", "alice"]);
    assert_eq!((&tainted["hashes"], tainted["models"][0]["tainted_h"].is_u64()), (&0.into(), true));
    let (_, zh, _) = stage.run(&["wear", "show", "alice", "--lang", "zh"]);
    assert!(zh.starts_with("共赚得 0 次哈希") && zh.trim_end().ends_with("不再有效"), "{zh}");
}

#[test]
fn samples_are_kept_as_a_record_of_the_wearer() {
    let (stage, file) = village_with_a_walk();
    stage.mine(12);
    let dir = stage.dir();
    let import = ["wear", "import", text(&file), "--device", "watch", "--wearer", "alice"];
    let how = ["--payer", "miner", "--format", "json", "--dir", text(&dir), "--record", "walk"];
    let import = [&import[..], &how].concat();
    let (code, _, why) = run(&import);
    assert_eq!((code, why.contains("--guardians")), (2, true), "{why}");
    let guarded = [&import[..], &["--guardians", "2:bob,alice"]].concat();
    let (code, said, why) = run(&guarded);
    assert_eq!(code, 0, "{why}");
    let lines = json_lines(&said);
    assert_eq!(
        (lines[0]["body"].as_str(), lines[0]["name"].as_str()),
        (Some("Record"), Some("walk"))
    );
    assert!(lines[1].get("blob").is_none(), "{said}");
    stage.mine(1);
    stage.mine(1);
    assert_eq!(stage.ok(&["wear", "show", "alice"])["hashes"], lines[1]["hashes"]);
    let shown = stage.ok(&["record", "show", "walk"]);
    assert_eq!(shown["rid"], lines[0]["rid"], "{shown}");
    let (code, _, why) = run(&guarded);
    assert_eq!(code, 1, "the walk has been told: {why}");
}

#[test]
fn a_walk_buys_hashes_that_mining_spends_to_the_last() {
    let stage = Stage::new();
    stage.key("watch");
    let (file, budget) = (stage.path("walk.csv"), stage.path("walks.json"));
    // Two minutes with a step each: some hundred thousand hashes.
    let rows = "ActivityMinute,Steps\n2/7/2022 1:00:00 AM,1\n2/7/2022 1:01:00 AM,1\n";
    std::fs::write(&file, rows).unwrap();
    let dir = stage.dir();
    let import = ["wear", "import", text(&file), "--device", "watch", "--budget", text(&budget)];
    let import = [&import[..], &["--format", "json", "--dir", text(&dir)]].concat();
    let (code, said, _) = run(&import);
    let line = json_lines(&said).pop().unwrap();
    let bought = (120 * 10_000 + 120 * 500 + 2 * 5_000) / 4;
    assert_eq!((code, &line["left"]), (0, &bought.into()));
    let (code, again, _) = run(&import);
    assert_eq!((code, &json_lines(&again)[0]["refused"]), (1, &"Replay".into()));

    let mine = ["mine", "--budget", text(&budget), "--threads", "1", "--kernel", "portable"];
    let mine = [&mine[..], &["--format", "json", "--dir", text(&dir)]].concat();
    let (code, said, why) = run(&mine);
    assert_eq!(code, 0, "{why}");
    let spent = json_lines(&said).into_iter().find(|line| line["bought"].is_array()).unwrap();
    assert_eq!((&spent["earned"], &spent["spent"]), (&bought.into(), &bought.into()), "{spent}");
    assert_eq!((&spent["left"], &spent["hashes"]), (&0.into(), &bought.into()), "not one more");
    assert_eq!(spent["bought"][0]["hashes"], bought);
    assert!(spent["bought"][0]["seconds"].as_f64().unwrap() > 0.0);
    // Nothing is left, so nothing is mined.
    let (code, said, _) = run(&mine);
    assert_eq!((code, &json_lines(&said).last().unwrap()["hashes"]), (0, &0.into()));
}

#[test]
fn the_real_recording_is_shown_and_a_refusal_names_its_row() {
    let dir = tempfile::tempdir().unwrap();
    let device = "9d".repeat(32);
    let tail = ["--device", &device, "--dry-run", "--format", "json", "--dir", text(dir.path())];
    let file = dir.path().join("bad.csv");
    std::fs::write(&file, "ActivityMinute,Steps\n2/7/2022 1:00:00 AM,-5\n").unwrap();
    let (code, said, _) = run(&[&["wear", "import", text(&file)], &tail[..]].concat());
    let line = json_lines(&said).pop().unwrap();
    assert_eq!((code, &line["refused"], &line["row"]), (1, &"NegativeSteps".into(), &2.into()));
    let Some(path) = data("activity/hrv-activity.fit") else { return };
    let (code, said, why) = run(&[&["wear", "import", text(&path)], &tail[..]].concat());
    assert_eq!(code, 0, "{why}");
    assert_eq!(json_lines(&said)[0]["samples"], 1072);
}
