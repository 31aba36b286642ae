//! Records: added, granted, shown, handed over, amended, revoked; owners who sign on several machines.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use proofward::ledger::policy::Role;
use proofward::wallet::handout::{self, PolicyBranch};

use crate::directory::ok;
use crate::stage::{Stage, path};

pub(crate) const CONTENT: &str = "a finding that nobody else may read";

const POLICY: &str = r#"
[[leaf]]
name = "ward"
readers = ["physician@ward", "nurse@ward"]
places = ["site:ward"]
until = "forever"
purposes = ["TREAT"]
need = ["1 patient@hospital", "1 nurse@ward"]
guardians = 2
together = "one-round"
max_reads = 4

[[leaf]]
name = "research"
readers = ["researcher@hospital"]
places = ["anywhere"]
from = "2026-01-01T00:00:00+01:00"
daily = "22:00-06:00"
purposes = ["HRESCH"]
guardians = 2
price = "0.5"
"#;

/// A hospital with a record that the patient has added.
pub(crate) fn with_record() -> Stage {
    let stage = Stage::hospital();
    let (file, policy) = (stage.path("finding.txt"), stage.path("policy.toml"));
    fs::write(&file, CONTENT).unwrap();
    fs::write(policy, POLICY).unwrap();
    let add = ["record", "add", path(&file), "--name", "finding", "--owner", "patient"];
    let guardians = ["--guardians", "2:nurse,patient!,escrow", "--grant-delay", "1"];
    stage.act(&[&add[..], &guardians].concat());
    stage
}

#[test]
fn a_record_is_added_granted_and_revoked() {
    let stage = with_record();
    let file = stage.dir().join("records/finding.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let kept = fs::read_to_string(&file).unwrap();
    assert!(!kept.contains(CONTENT) && !kept.contains(&hex(CONTENT.as_bytes())));
    let listed = stage.ok(&["record", "list"]);
    assert_eq!((&listed["state"], &listed["seq"]), (&"opens for nobody".into(), &().into()));
    let line = stage.refused(&["grant", "finding"]);
    assert!(line.contains("no policy is kept"), "{line}");

    let policy = stage.path("policy.toml");
    let made = stage.ok(&["policy", "new", "finding", path(&policy)]);
    assert_eq!(made["leaves"], serde_json::json!(["ward", "research"]));
    stage.act(&["grant", "finding"]);
    assert_eq!(stage.ok(&["record", "list"])["state"], "policy 1 waits");
    let line = stage.refused(&["grant", "finding"]);
    assert!(line.contains("was granted before"), "{line}");
    stage.mine(20);
    assert_eq!(stage.ok(&["record", "list"])["seq"], 1);
    let shown = stage.ok(&["record", "show", "finding"]);
    assert_eq!(shown["policies"][0]["state"], "in force");
    assert_eq!(shown["share_sets"][0]["guardians"][1]["required"], true);
    assert_eq!(shown["share_sets"][0]["guardians"][1]["name"], "patient");
    let (_, en, _) = stage.run(&["record", "show", "finding"]);
    assert!(en.contains("in force; ward, research"), "{en}");
    let (_, zh, _) = stage.run(&["record", "show", "finding", "--lang", "zh"]);
    assert!(
        zh.contains("生效中；ward, research") && zh.lines().count() == en.lines().count(),
        "{zh}"
    );
    let (_, zh, _) = stage.run(&["record", "list", "--lang", "zh"]);
    assert!(zh.trim_end().ends_with("策略 1 生效中"), "{zh}");

    // What is shown can be written again: the same leaves under other salts.
    let (_, text, _) = stage.run(&["policy", "show", "finding"]);
    let again = stage.path("again.toml");
    fs::write(&again, &text).unwrap();
    let other = stage.ok(&["policy", "new", "finding", path(&again)]);
    assert_ne!(other["policy_root"], made["policy_root"]);
    let (_, twice, _) = stage.run(&["policy", "show", "finding"]);
    let leaves = |text: &str| text.split_once('\n').unwrap().1.to_owned();
    assert_eq!(leaves(&twice), leaves(&text));

    stage.act(&["revoke", "finding"]);
    assert_eq!(stage.ok(&["record", "list"])["state"], "opens for nobody");
    stage.act(&["grant", "finding"]);
    let (code, stdout, _) = stage.run(&["record", "show", "nothing"]);
    assert_eq!((code, &*stdout), (2, ""));
}

#[test]
fn a_reader_gets_one_branch_and_nothing_of_the_others() {
    let stage = with_record();
    stage.ok(&["policy", "new", "finding", path(&stage.path("policy.toml"))]);
    let out = stage.path("ward.branch");
    let show = ["policy", "show", "finding", "--leaf", "ward", "--out", path(&out)];
    let line = stage.ok(&show);
    let text = fs::read(&out).unwrap();
    let (_, branch) = handout::parse::<PolicyBranch>(&text).unwrap();
    assert_eq!(hex(&branch.branch.root().unwrap()), line["policy_root"].as_str().unwrap());
    assert_eq!(branch.rid.to_string(), line["rid"].as_str().unwrap());
    let roles: Vec<Role> = branch.branch.readers.iter().map(|shown| shown.value.role).collect();
    assert_eq!(roles, [Role::Physician, Role::Nurse]);
    let research = ["policy", "show", "finding", "--leaf", "research"];
    let hash = stage.ok(&research)["leaf_hash"].as_str().unwrap().to_owned();
    // The hash of the other leaf is a sibling on the path, its terms are nowhere.
    let researcher = stage.public("hospital").to_string();
    let hex_digits = String::from_utf8(text).unwrap().replace(['"', ',', '\n', ' '], "");
    assert!(hex_digits.contains(&hash) && !hex_digits.contains(&format!("0900{researcher}")));
    let line = stage.refused(&["policy", "show", "finding", "--leaf", "moon"]);
    assert!(line.contains("the policy has ward, research"), "{line}");
}

#[test]
fn a_record_gets_new_content_and_a_new_key() {
    let stage = with_record();
    stage.ok(&["policy", "new", "finding", path(&stage.path("policy.toml"))]);
    stage.act(&["grant", "finding"]);
    stage.mine(20);
    let first = stage.ok(&["record", "show", "finding"]);
    let file = stage.path("finding-2.txt");
    fs::write(&file, "something else").unwrap();
    stage.act(&["record", "amend", "finding", path(&file)]);
    let dir = stage.dir();
    let epochs = ok(&["record", "show", "finding", "--dir", path(&dir)]);
    assert_eq!(epochs.len(), 2);
    assert_eq!(epochs[1]["epoch"], 1);
    assert_ne!(epochs[1]["rid"], first["rid"]);
    assert_ne!(epochs[1]["policies"][0]["root"], first["policies"][0]["root"], "fresh salts");
    assert_eq!(epochs[1]["policies"][0]["leaves"], first["policies"][0]["leaves"]);
    assert_eq!(epochs[0]["policies"][0]["state"], "in force", "the old delay is kept");
    stage.mine(20);
    let epochs = ok(&["record", "show", "finding", "--dir", path(&dir)]);
    assert_eq!(epochs[1]["policies"][0]["state"], "in force");

    let rekey = ["record", "rekey", "finding", path(&file), "--guardians", "2:doctor,patient"];
    stage.act(&rekey);
    let epochs = ok(&["record", "show", "finding", "--dir", path(&dir)]);
    assert_eq!(epochs[2]["share_sets"][0]["guardians"].as_array().unwrap().len(), 2);
    // The blobs are there by their hashes.
    for epoch in &epochs {
        for hash in [&epoch["blob"], &epoch["package"]] {
            let hash = hash.as_str().unwrap();
            assert!(dir.join("blobs").join(&hash[..2]).join(hash).exists());
        }
    }
}

#[test]
fn two_of_three_owners_sign_on_their_own_machines() {
    let stage = Stage::hospital();
    let homes = ["alice", "bob"].map(|name| stage.path(name));
    let keys = [("alice", &homes[0]), ("bob", &homes[1])].map(|(name, home)| {
        let made = ok(&["key", "new", name, "--no-passphrase", "--dir", path(home)]);
        made[0]["public_key"].as_str().unwrap().to_owned()
    });
    let file = stage.path("scan.png");
    fs::write(&file, [0x89, b'P', b'N', b'G']).unwrap();
    let owner = format!("2:{},{},patient", keys[0], keys[1]);
    let add = ["record", "add", path(&file), "--name", "scan", "--owner", &owner];
    let guardians = ["--guardians", "2:nurse,patient", "--payer", "miner"];
    let line = stage.refused(&[&add[..], &guardians].concat());
    assert!(line.contains("2 of 4 signatures are missing"), "{line}");

    let blank = stage.path("blank.tx");
    let sent = stage.ok(&[&add[..], &guardians, &["--out", path(&blank)]].concat());
    assert_eq!(sent["missing"], 2);
    // Each signs a copy of the same file, in any order.
    let copies = ["alice", "bob"].map(|name| {
        let copy = stage.path(&format!("{name}.tx"));
        let home = stage.path(name);
        let sign = ["tx", "sign", path(&blank), "--key", name, "--dir", path(&home)];
        ok(&[&sign[..], &["--out", path(&copy)]].concat());
        copy
    });
    let all = stage.path("all.tx");
    ok(&["tx", "combine", path(&copies[1]), path(&copies[0]), "--out", path(&all)]);
    stage.ok(&["tx", "submit", path(&all)]);
    stage.mine(1);
    assert_eq!(stage.ok(&["record", "list"])["state"], "opens for nobody");

    // The signatures serve no other record.
    let again = stage.path("again.tx");
    let add = ["record", "add", path(&file), "--name", "scan-2", "--owner", &owner];
    stage.ok(&[&add[..], &guardians, &["--out", path(&again)]].concat());
    let out = stage.path("mixed.tx");
    let combine = ["tx", "combine", path(&again), path(&copies[0]), "--out", path(&out)];
    let (code, _, stderr) = crate::binary::run(&combine);
    assert_eq!(code, 2);
    assert!(stderr.contains("the files hold different transactions"), "{stderr}");

    // The third owner and one of the others revoke.
    let revoke = ["revoke", "scan", "--by", &format!("patient,{}", keys[0])];
    let part = stage.path("revoke.tx");
    let sent = stage.ok(&[&revoke[..], &["--payer", "miner", "--out", path(&part)]].concat());
    assert_eq!(sent["missing"], 1);
    ok(&["tx", "sign", path(&part), "--key", "alice", "--dir", path(&homes[0])]);
    stage.ok(&["tx", "submit", path(&part)]);
    stage.mine(1);
}

#[test]
fn the_example_is_a_policy() {
    let stage = with_record();
    let (code, example, _) = crate::binary::run(&["policy", "new", "--print-example"]);
    assert_eq!(code, 0);
    let file = stage.path("example.toml");
    fs::write(&file, &example).unwrap();
    let made = stage.ok(&["policy", "new", "finding", path(&file)]);
    assert_eq!(made["leaves"], serde_json::json!(["ward", "emergency"]));
    for (from, to, why) in [
        ("guardians = 2", "guards = 2", "line"),
        ("physician@ward", "wizard@ward", "readers: \"wizard\" is not known"),
        ("physician@ward", "physician@moon", "no key moon"),
        ("site:ward", "planet:earth", "places"),
        ("\"TREAT\"", "\"TREAT\", \"BTG\"", "emergency purposes beside others"),
        ("06:00-22:00", "6-22", "daily"),
        ("2026-12-01T08:00:00+01:00", "tomorrow", "expected a time such as"),
        ("price = \"0\"", "price = \"x\"", "no amount"),
        ("\"1 patient@hospital\"", "\"1 nurse@ward\"", "names a role twice"),
        ("name = \"emergency\"", "name = \"ward\"", "another leaf has it"),
        ("read_within = 40", "read_within = 1", "read within 1 blocks"),
        ("read_within = 40", "read_within = 131073", "expected at most 131072"),
        ("answer_within = 40", "answer_within = 131073", "answer within 131073 blocks"),
        ("together = \"one-round\"", "together = \"one-room\"", "together: "),
    ] {
        let text = example.replacen(from, to, 1);
        assert_ne!(text, example, "{from}");
        fs::write(&file, text).unwrap();
        let line = stage.refused(&["policy", "new", "finding", path(&file)]);
        assert!(line.contains(why), "{to}: {line}");
    }
}

#[test]
fn what_no_record_can_be_is_said_in_one_line() {
    let stage = with_record();
    let file = stage.path("finding.txt");
    let add = ["record", "add", path(&file), "--owner", "patient", "--name"];
    let with = |guardians: &str, name: &str| {
        stage.refused(&[&add[..], &[name, "--guardians", guardians]].concat())
    };
    for (guardians, why) in [
        ("nurse,patient", "expected K:KEY"),
        ("1:nurse,patient", "2 <= k <= n"),
        ("3:nurse,patient", "2 <= k <= n"),
        ("2:nurse,nurse", "named twice"),
        ("2:nurse!,patient!,escrow!", "at most K of them required"),
        ("2:nurse,moon", "no key moon"),
    ] {
        let line = with(guardians, "other");
        assert!(line.contains(why), "{guardians}: {line}");
    }
    assert!(with("2:nurse,patient", "finding").contains("exists"));
    assert!(with("2:nurse,patient", "NO").contains("expected 1 to 48"));
    let missing = ["record", "add", "no-such-file", "--owner", "patient", "--name", "other"];
    let line = stage.refused(&[&missing[..], &["--guardians", "2:nurse,patient"]].concat());
    assert!(line.contains("no-such-file"), "{line}");
    assert!(!stage.dir().join("records/other.json").exists());

    // Somebody who does not own it: the rules refuse, and nothing is left for the miner.
    let kept = stage.dir().join("records/finding.json");
    let text = fs::read_to_string(&kept).unwrap();
    let (patient, doctor) = (stage.public("patient"), stage.public("doctor"));
    let owners = format!("\"k\": 1,\n        \"keys\": [\n          \"{patient}\"");
    assert!(text.contains(&owners), "{text}");
    let stolen = text.replace(&owners, &owners.replace(&patient.to_string(), &doctor.to_string()));
    fs::write(&kept, stolen).unwrap();
    let args = ["revoke", "finding", "--payer", "miner", "--format", "json"];
    let (code, stdout, _) = stage.run(&args);
    assert_eq!(code, 1, "{stdout}");
    assert_eq!(crate::binary::json_lines(&stdout)[0]["rule"], "NotOwner");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
