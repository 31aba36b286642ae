//! A record is opened by commands alone; doctor, nurse and patient sign with separate key folders, by
//! passing files, in every order.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::binary::run;
use crate::directory::ok;
use crate::records::{CONTENT, with_record};
use crate::stage::{Stage, path};

const PEOPLE: [&str; 3] = ["doctor", "nurse", "patient"];
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// A folder with one key and no chain.
fn home(stage: &Stage, name: &str) -> PathBuf {
    let home = stage.path(&format!("home-{name}"));
    fs::create_dir_all(home.join("keys")).unwrap();
    let file = format!("keys/{name}.key");
    fs::copy(stage.dir().join(&file), home.join(&file)).unwrap();
    home
}

/// A hospital whose record is open to the ward, and what the beacon said of the three in the room.
fn in_the_room() -> (Stage, PathBuf, PathBuf) {
    let stage = with_record();
    stage.ok(&["policy", "new", "finding", path(&stage.path("policy.toml"))]);
    stage.act(&["grant", "finding"]);
    stage.mine(20);
    let (branch, room) = (stage.path("ward.branch"), stage.path("room"));
    stage.ok(&["policy", "show", "finding", "--leaf", "ward", "--out", path(&branch)]);
    let roll = ["beacon", "roll", "beacon", "--key", "doctor", "--key", "nurse"];
    stage.ok(&[&roll[..], &["--key", "patient", "--out", path(&room)]].concat());
    (stage, branch, room)
}

#[test]
fn three_people_open_a_record_by_passing_files() {
    let (stage, branch, room) = in_the_room();
    let ask = ["request", "--branch", path(&branch), "--as", "doctor", "--presence", path(&room)];
    let request = stage.act(&ask);

    // The doctor pays for what nurse and patient agree to. Here their keys are at hand, so they sign at
    // once; a copy without signatures is what each would pass on.
    let blank = stage.path("approve.tx");
    let approve = ["approve", &request, "--as", "nurse", "--as", "patient", "--presence"];
    let by = [path(&room), "--payer", "doctor", "--unsigned", "--out", path(&blank)];
    let funds = ["pay", "doctor", "1", "--from", "miner"];
    // First the same for another payer. Shares are sealed anew each time, so it is another core, and the
    // guardians keep what they promised last.
    let other = stage.path("other.tx");
    let by_miner = [path(&room), "--payer", "miner", "--unsigned", "--out", path(&other)];
    stage.ok(&[&approve[..], &by_miner].concat());
    stage.ok(&[&approve[..], &by].concat());
    let mut bare: Value = serde_json::from_str(&fs::read_to_string(&blank).unwrap()).unwrap();
    bare["signatures"] = serde_json::json!([]);
    fs::write(&blank, bare.to_string()).unwrap();
    let shown = &ok(&["tx", "show", path(&blank)])[0];
    assert_eq!(shown["missing"], 3, "{shown}");
    assert!(shown["does"].as_str().unwrap().contains(&request), "{shown}");

    // In every order the same transaction comes out.
    let homes = PEOPLE.map(|name| home(&stage, name));
    let mut whole: Option<String> = None;
    for order in ORDERS {
        let file = stage.path("passed.tx");
        fs::copy(&blank, &file).unwrap();
        for person in order {
            let sign = ["tx", "sign", path(&file), "--key", PEOPLE[person], "--dir"];
            ok(&[&sign[..], &[path(&homes[person])]].concat());
        }
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(*whole.get_or_insert(text.clone()), text, "order {order:?}");
    }
    let passed = stage.path("passed.tx");

    // A signature serves no other transaction: not even the same people's approval of the same request.
    let mixed = stage.path("mixed.tx");
    let combine = ["tx", "combine", path(&other), path(&passed), "--out", path(&mixed)];
    let (code, _, stderr) = run(&combine);
    assert_eq!(code, 2);
    assert!(stderr.contains("different transactions"), "{stderr}");
    let mut forged: Value = serde_json::from_str(&fs::read_to_string(&other).unwrap()).unwrap();
    let signed: Value = serde_json::from_str(whole.as_ref().unwrap()).unwrap();
    let of = |name: &str| {
        let key = stage.public(name).to_string();
        let all = signed["signatures"].as_array().unwrap().iter();
        all.clone().find(|entry| entry["key"] == key).unwrap().clone()
    };
    forged["signatures"] = serde_json::json!([of("nurse")]);
    fs::write(&other, forged.to_string()).unwrap();
    let (code, _, stderr) = run(&["tx", "show", path(&other)]);
    assert_eq!(code, 2);
    assert!(stderr.contains("is not for this transaction on this chain"), "{stderr}");

    // None on another chain.
    let mut abroad = signed.clone();
    abroad["genesis"] = "11".repeat(32).into();
    fs::write(&other, abroad.to_string()).unwrap();
    let (code, _, stderr) = run(&["tx", "show", path(&other)]);
    assert_eq!(code, 2);
    assert!(stderr.contains("is not for this transaction on this chain"), "{stderr}");

    // The doctor needs something to pay with; then the next block takes it.
    let (code, stdout, _) = stage.run(&["tx", "submit", path(&passed)]);
    assert_eq!(code, 1);
    assert!(stdout.contains("PayerCannotPay"), "{stdout}");
    stage.ok(&funds);
    stage.mine(1);
    stage.ok(&["tx", "submit", path(&passed)]);
    stage.mine(1);
    let (code, words, _) = stage.run(&["explain", &request]);
    assert_eq!(code, 0, "{words}");
    assert!(words.contains("every clause holds"), "{words}");
    let (code, words, _) = stage.run(&["release", &request, "--as", "nurse"]);
    assert_eq!(code, 1, "guardians wait two blocks: {words}");
    stage.mine(2);
    for guardian in ["nurse", "patient"] {
        assert_eq!(stage.ok(&["release", &request, "--as", guardian])["sent"], true);
    }
    let out = stage.path("read.txt");
    let opened = stage.ok(&["open", &request, "--to", path(&out)]);
    assert_eq!(opened["opened"], true);
    assert_eq!(fs::read_to_string(out).unwrap(), CONTENT);
}

#[test]
fn who_can_open_tells_what_then_opens_it() {
    let (stage, branch, room) = in_the_room();
    let told = stage.ok_lines(&["policy", "who-can-open", "finding", "--within", "4"]);
    let way = told.iter().find(|line| line["kind"] == "way").unwrap();
    let keys = way["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 4);
    let ask = ["request", "--branch", path(&branch), "--as", "doctor", "--presence", path(&room)];
    let request = stage.act(&ask);
    // Exactly those whom the answer names; without the patient it stays closed.
    let approve = ["approve", &request, "--presence", path(&room), "--as"];
    stage.act(&[&approve[..], &["nurse"]].concat());
    assert_eq!(stage.run(&["explain", &request]).0, 1);
    stage.act(&[&approve[..], &["patient"]].concat());
    assert_eq!(stage.run(&["explain", &request]).0, 0);
    let (_, _, said) = stage.run(&["revoke", "finding", "--payer", "miner"]);
    assert_eq!(said, "");
    stage.mine(1);
    assert_eq!(stage.run(&["explain", &request]).0, 1, "a revocation ends what is open");
}
