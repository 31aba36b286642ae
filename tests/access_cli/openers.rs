//! Who can open a record, and how long that takes: sets, single points, risks, in two languages.

use std::fs;

use serde_json::Value;

use crate::binary::json_lines;
use crate::records::with_record;
use crate::stage::{Stage, path};

/// Lines of one kind.
fn of_kind<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["kind"] == kind).collect()
}

/// What a command says as objects, and its exit code.
fn said(stage: &Stage, args: &[&str]) -> (i32, Vec<Value>) {
    let (code, stdout, stderr) = stage.run(&[args, &["--format", "json"]].concat());
    assert!(code < 2, "{args:?}: {stderr}");
    (code, json_lines(&stdout))
}

fn keys(stage: &Stage, names: &[&str]) -> Vec<String> {
    let mut keys: Vec<String> = names.iter().map(|name| stage.public(name).to_string()).collect();
    keys.sort();
    keys
}

#[test]
fn the_minimal_sets_are_told_with_what_they_do() {
    let stage = with_record();
    stage.ok(&["policy", "new", "finding", path(&stage.path("policy.toml"))]);
    let (code, lines) = said(&stage, &["policy", "who-can-open", "finding"]);
    assert_eq!(code, 1, "nothing is granted: {lines:?}");
    assert_eq!(of_kind(&lines, "risk")[0]["risk"], "locked-out");

    stage.act(&["grant", "finding"]);
    stage.mine(20);
    let (code, lines) = said(&stage, &["policy", "who-can-open", "finding", "--within", "20"]);
    assert_eq!(code, 0, "{lines:?}");
    // The doctor with nurse and patient in the beacon's room. The nurse may read too, but then another
    // nurse is needed, and there is none.
    let ways = of_kind(&lines, "way");
    assert_eq!(ways.len(), 1, "{ways:?}");
    let set = serde_json::json!(keys(&stage, &["doctor", "nurse", "patient", "beacon"]));
    assert_eq!(ways[0]["keys"], set);
    assert_eq!(ways[0]["leaf"], "ward");
    assert_eq!(ways[0]["reader"], stage.public("doctor").to_string());
    let open = ways[0]["open_h"].as_u64().unwrap();
    assert_eq!(ways[0]["shares_h"], open + 2);
    assert_eq!(of_kind(&lines, "single-point").len(), 4);

    // A second nurse is another way, and nobody but the patient and the beacon is needed in each.
    stage.key("nurse-2");
    let role = ["role", "attest", "nurse-2", "nurse", "--issuer", "hospital", "--site", "ward"];
    stage.act(&role);
    let (_, lines) = said(&stage, &["policy", "who-can-open", "finding", "--within", "20"]);
    let sets: Vec<&Value> = of_kind(&lines, "way").iter().map(|way| &way["keys"]).collect();
    let nurses = serde_json::json!(keys(&stage, &["nurse-2", "nurse", "patient", "beacon"]));
    assert!(sets.contains(&&set) && sets.contains(&&nurses), "{sets:?}");
    let points: Vec<&Value> =
        of_kind(&lines, "single-point").iter().map(|line| &line["key"]).collect();
    assert!(points.contains(&&stage.public("patient").to_string().into()), "{points:?}");
    assert!(!points.contains(&&stage.public("doctor").to_string().into()), "{points:?}");

    // In words, by the names of this machine.
    let (_, text, _) = stage.run(&["policy", "who-can-open", "finding", "--within", "20"]);
    for words in ["doctor asks as physician, at site ward, heard by beacon beacon", "approve"] {
        assert!(text.contains(words), "{text}");
    }
    assert!(text.contains("without patient nobody opens it"), "{text}");
    let zh = ["policy", "who-can-open", "finding", "--within", "20", "--lang", "zh"];
    let (_, text, _) = stage.run(&zh);
    assert!(
        text.contains("doctor 以医生身份申请") && text.contains("缺少 patient 则无人能打开"),
        "{text}"
    );

    // A licence that ends in the time asked about is a risk; a beacon that is withdrawn locks out.
    stage.act(&["beacon", "withdraw", "beacon", "--by", "hospital"]);
    let (code, lines) = said(&stage, &["policy", "who-can-open", "finding"]);
    assert_eq!((code, of_kind(&lines, "way").len()), (1, 0));
    assert_eq!(of_kind(&lines, "risk")[0]["risk"], "locked-out");
    let (_, text, _) = stage.run(&["policy", "who-can-open", "finding"]);
    assert!(text.contains("nobody can open it up to block"), "{text}");
}

#[test]
fn what_ends_in_the_time_asked_about_is_said() {
    let stage = with_record();
    stage.ok(&["policy", "new", "finding", path(&stage.path("policy.toml"))]);
    stage.act(&["grant", "finding"]);
    stage.mine(20);
    // The nurse, whose claim ends and is not renewed: a guardian without a role from then on.
    stage.act(&["role", "withdraw", "nurse", "--by", "hospital"]);
    stage.act(&["role", "withdraw", "escrow", "--by", "hospital"]);
    let until = (stage.height() + 30).to_string();
    let role = ["role", "attest", "nurse", "nurse", "--issuer", "hospital", "--site", "ward"];
    stage.act(&[&role[..], &["--until", &until]].concat());
    let (code, lines) = said(&stage, &["policy", "who-can-open", "finding", "--within", "100"]);
    assert_eq!(code, 0);
    let risks: Vec<&Value> = of_kind(&lines, "risk").iter().map(|line| &line["risk"]).collect();
    assert!(risks.contains(&&"ends".into()), "{lines:?}");
    assert!(risks.contains(&&"too-few-guardians".into()), "{lines:?}");
}

fn spacing_of(times: &[&Value], chain: &str) -> f64 {
    let line = times.iter().find(|line| line["chain"] == chain);
    line.unwrap_or_else(|| panic!("no times of {chain}"))["spacing_s"].as_f64().unwrap()
}

#[test]
fn a_policy_is_examined_before_it_is_granted() {
    let stage = with_record();
    let policy = stage.path("policy.toml");
    let (code, lines) = said(&stage, &["policy", "check", "finding", path(&policy)]);
    assert_eq!(code, 0, "{lines:?}");
    // Three chains for each of two leaves: request, approvals, and two blocks that the guardians wait.
    let times = of_kind(&lines, "time");
    assert_eq!(times.len(), 6);
    let of = |chain: &str| {
        let line = times.iter().find(|line| line["leaf"] == "ward" && line["chain"] == chain);
        let line = line.unwrap();
        let number = |name: &str| line[name].as_f64().unwrap();
        (line["blocks"].as_u64().unwrap(), number("median_s"), number("p99_s"))
    };
    let (blocks, median, p99) = of("main");
    // Erlang's quantiles for four intervals: 3.672 and 10.045 times the mean of one.
    assert_eq!(blocks, 4);
    assert!((median / 15.0 - 3.672).abs() < 0.001, "{median}");
    assert!((p99 / 15.0 - 10.045).abs() < 0.001, "{p99}");
    // On any other as many spacings; this one is called local.
    let per_spacing = |chain: &str| of(chain).1 / spacing_of(&times, chain);
    for chain in ["test", "local"] {
        assert!((per_spacing(chain) - median / 15.0).abs() < 0.001, "{chain}");
    }

    let delayed = fs::read_to_string(&policy).unwrap().replace("max_reads = 4", "delay = 30");
    let file = stage.path("delayed.toml");
    fs::write(&file, delayed).unwrap();
    let (_, text, _) = stage.run(&["policy", "check", "finding", path(&file)]);
    assert!(text.contains("33 blocks from sending the request to the shares"), "{text}");
    assert!(text.contains("no leaf breaks the glass"), "{text}");
    let (_, text, _) = stage.run(&["policy", "check", "finding", path(&file), "--lang", "zh"]);
    assert!(text.contains("共 33 个区块") && text.contains("没有紧急规则"), "{text}");

    let example = stage.path("example.toml");
    let (_, shown, _) = crate::binary::run(&["policy", "new", "--print-example"]);
    fs::write(&example, shown).unwrap();
    let (code, text, _) = stage.run(&["policy", "check", "finding", path(&example)]);
    assert!(text.contains("opens at once, when request and approvals are pending"), "{text}");
    assert_eq!(
        code, 1,
        "its window has not begun, and the record has no emergency guardians: {text}"
    );
    // The emergency: open when it is pending, on the chain with the first block; for one interval Erlang's
    // quantiles are those of the exponential distribution, ln 2 and ln 100.
    let (_, lines) = said(&stage, &["policy", "check", "finding", path(&example)]);
    let times = of_kind(&lines, "time");
    let glass: Vec<_> = times.iter().filter(|line| line["emergency"] == true).collect();
    assert_eq!(glass.len(), 3, "{lines:?}");
    for line in glass {
        let (spacing_s, number) = (line["spacing_s"].as_f64().unwrap(), |of| line[of].as_f64());
        assert_eq!(line["blocks"], 1);
        assert!((number("median_s").unwrap() / spacing_s - 2_f64.ln()).abs() < 0.001, "{line}");
        assert!((number("p99_s").unwrap() / spacing_s - 100_f64.ln()).abs() < 0.001, "{line}");
    }
    let line = stage.refused(&["policy", "check", "finding"]);
    assert!(line.contains("no policy is kept"), "{line}");
    let line = stage.refused(&["policy", "check", "finding", path(&policy), "--within", "99999"]);
    assert!(line.contains("99999"), "{line}");
}
