//! Claims: made, refused, withdrawn; places from maps; presences.

use proofward::ledger::policy::Cell;
use proofward::wallet::handout::{self, HeardKeys};

use crate::stage::{Stage, path};

#[test]
fn a_hospital_is_founded_and_its_claims_end() {
    let stage = Stage::hospital();
    // The tag of a person stays, whatever the role.
    let make = ["role", "attest", "doctor", "researcher", "--issuer", "hospital"];
    let first = stage.ok(&[&make[..], &["--payer", "miner"]].concat());
    stage.mine(1);
    let make = ["role", "attest", "doctor", "escrow", "--issuer", "hospital"];
    let second = stage.ok(&[&make[..], &["--payer", "miner"]].concat());
    stage.mine(1);
    assert_eq!(first["tag"], second["tag"]);

    let line = stage.refused(&["role", "withdraw", "doctor", "--by", "hospital"]);
    assert!(line.contains("which of the claims about doctor"), "{line}");
    stage.act(&["role", "withdraw", first["core"].as_str().unwrap(), "--by", "hospital"]);
    let again = ["role", "withdraw", first["core"].as_str().unwrap(), "--by", "hospital"];
    assert!(stage.refused(&again).contains("withdrawn already"));
    stage.act(&["beacon", "withdraw", "beacon", "--by", "hospital"]);
    let line = stage.refused(&["beacon", "withdraw", "beacon", "--by", "hospital"]);
    assert!(line.contains("no such claim"), "{line}");
}

#[test]
fn every_kind_of_claim_is_taken() {
    let stage = Stage::hospital();
    for name in ["other", "site", "device"] {
        stage.key(name);
    }
    let (model, firmware) = ("11".repeat(32), "22".repeat(32));
    let device = ["device", "attest", "device", "--issuer", "hospital", "--model", &model];
    let kinds: [&[&str]; 6] = [
        &["anchor", "attest", "other", "--issuer", "anchor"],
        &["custodian", "attest", "other", "--issuer", "hospital"],
        &["maker", "attest", "other", "--issuer", "hospital"],
        &["auditor", "attest", "other", "--issuer", "hospital"],
        &["emergency", "attest", "ward", "--issuer", "ward"],
        &[&device[..], &["--firmware", &firmware]].concat(),
    ];
    for kind in kinds {
        stage.act(kind);
    }
    stage.act(&["device", "withdraw-model", &model, "--issuer", "hospital", "--by", "anchor"]);
    let narrow = ["issuer", "attest", "site", "--issuer", "anchor", "--may", "role,beacon"];
    let sent = stage.ok(&[&narrow[..], &["--roles", "nurse", "--payer", "miner"]].concat());
    assert_eq!(sent["claim"], 2);
    stage.mine(1);
    // A group issues if its first k members sign.
    stage.act(&["issuer", "attest", "2:other,hospital,doctor", "--issuer", "anchor"]);
    let by_group = ["role", "attest", "nurse", "nurse", "--issuer", "2:doctor,other,hospital"];
    stage.act(&by_group);
}

#[test]
fn a_map_becomes_cells() {
    let stage = Stage::hospital();
    let map = stage.path("map.json");
    let square = |size: f64| {
        let (x, y) = (-122.42, 37.77);
        format!(
            r#"{{"type":"Feature","properties":{{}},"geometry":{{"type":"Polygon","coordinates":
            [[[{x},{y}],[{},{y}],[{},{}],[{x},{}],[{x},{y}]]]}}}}"#,
            x + size,
            x + size,
            y + size,
            y + size
        )
    };
    stage.key("tower");
    stage.key("city");
    for (name, size, more) in [("tower", 0.000_2, &[][..]), ("city", 0.2, &["--resolution", "6"])] {
        std::fs::write(&map, square(size)).unwrap();
        let make = ["site", "attest", name, "--issuer", "hospital", "--geojson", path(&map)];
        let sent = stage.ok(&[&make[..], more, &["--payer", "miner"]].concat());
        let cells = sent["cells"].as_u64().unwrap();
        assert!((1..=256).contains(&cells), "{name}: {cells} cells");
        stage.mine(1);
    }
    let make = ["site", "attest", "city", "--issuer", "hospital", "--geojson", path(&map)];
    let line = stage.refused(&[&make[..], &["--resolution", "12"]].concat());
    assert!(line.contains("more than 256 cells at resolution 12"), "{line}");
    for (text, why) in [
        ("{", "not GeoJSON"),
        (r#"{"type":"Point","coordinates":[1,2]}"#, "is no area"),
        (r#"{"type":"Polygon","coordinates":[[[1,2],[3,4],[1,2]]]}"#, "a ring of 3 positions"),
        (r#"{"type":"Polygon","coordinates":[[[1,2],[3,4],[5,6],[1,3]]]}"#, "ends where it began"),
        (r#"{"type":"Polygon","coordinates":[[[1,92],[3,4],[5,6],[1,92]]]}"#, "in degrees"),
        (r#"{"type":"FeatureCollection","features":[]}"#, "0 polygons"),
        (r#"{"type":"Polygon","crs":{},"coordinates":[]}"#, "WGS 84"),
    ] {
        std::fs::write(&map, text).unwrap();
        let line = stage.refused(&make);
        assert!(line.contains(why), "{text}: {line}");
    }
}

#[test]
fn a_beacon_says_who_is_in_the_room() {
    let stage = Stage::hospital();
    let out = stage.path("room");
    let roll = ["beacon", "roll", "beacon", "--key", "doctor", "--key", "nurse", "--out"];
    let said = stage.ok(&[&roll[..], &[path(&out)]].concat());
    assert_eq!(said["keys"].as_array().unwrap().len(), 2);
    let text = std::fs::read(&out).unwrap();
    let (_, heard) = handout::parse::<HeardKeys>(&text).unwrap();
    let (doctor, nurse) = (stage.public("doctor"), stage.public("nurse"));
    assert!(heard.of(&doctor).is_some() && heard.of(&nurse).is_some());

    let each = stage.ok(&[&roll[..], &[path(&out), "--each"]].concat());
    let files = each["files"].as_array().unwrap();
    assert_eq!(files.len(), 2);
    let text = std::fs::read(files[0].as_str().unwrap()).unwrap();
    let (_, alone) = handout::parse::<HeardKeys>(&text).unwrap();
    assert!(alone.of(&doctor).is_some() && alone.of(&nurse).is_none());
}

#[test]
fn what_cannot_be_claimed_is_said_in_one_line() {
    let stage = Stage::hospital();
    let by = ["--issuer", "hospital"];
    let cases: [(&[&str], &str); 9] = [
        (&["role", "attest", "doctor", "wizard"], "is no role: expected physician"),
        (&["role", "attest", "nobody", "nurse"], "no key nobody"),
        (&["role", "attest", "doctor", "nurse", "--until", "3"], "holds at no height to come"),
        (&["role", "attest", "doctor", "nurse", "--tag", "12"], "expected 32 hex digits"),
        (&["site", "attest", "ward"], "required arguments were not provided"),
        (&["site", "attest", "ward", "--cell", "12"], "is no cell"),
        (
            &["role", "attest", "2:doctor,nurse", "nurse", "--issuer", "9:doctor,nurse"],
            "k of a group",
        ),
        (&["issuer", "attest", "ward", "--may", "moon"], "is no claim that can be given"),
        (&["issuer", "attest", "ward", "--may", "site", "--roles", "nurse"], "role is not among"),
    ];
    for (args, why) in cases {
        let args = if args.contains(&"--issuer") { args.to_vec() } else { [args, &by].concat() };
        let line = stage.refused(&args);
        assert!(line.contains(why), "{args:?}: {line}");
    }
    // Somebody else has to sign: not without a file.
    let stranger = proofward::wallet::SecretKey::from_seed(&[77; 32]).public_key().to_string();
    let line = stage.refused(&[&["role", "attest", &stranger, "nurse"][..], &by].concat());
    assert!(line.contains("1 of 2 signatures are missing") && line.contains("--out"), "{line}");
    assert!(Cell(0x0892_8308_2803_ffff).is_valid());
}
