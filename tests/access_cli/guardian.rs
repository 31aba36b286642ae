//! Guardians without people, by commands: an emergency that is open before it is mined, what is submitted
//! again, what a guardian's own policy leaves to people.

use std::fs;
use std::num::NonZeroUsize;

use proofward::ledger::chain::Submitted;
use proofward::ledger::mempool::{Limits, Mempool};
use proofward::node::dir::ChainDir;
use proofward::node::feed::InboxFeed;
use serde_json::Value;

use crate::common::solve;
use crate::directory::ok;
use crate::stage::{Stage, path};

const CONTENT: &str = "blood group and allergies";
const NEW_KEYS: [&str; 8] =
    ["region", "service", "siren", "first", "second", "registry", "auditor", "other"];

const GLASS: &str = r#"
[[leaf]]
name = "glass"
readers = ["emergency-clinician@hospital"]
places = ["any-emergency"]
until = "forever"
purposes = ["BTG"]
need = ["1 emergency-clinician@hospital"]
guardians = 2
"#;

/// Blocks with what waits in the inbox, each one spacing after the one before, whatever the clock says: a
/// claim has to be old before it breaks any glass.
fn blocks(stage: &Stage, count: u32) {
    let dir = ChainDir::new(stage.dir());
    let ledger = dir.open(NonZeroUsize::MIN).unwrap();
    let payout = stage.public("miner");
    let mut feed = InboxFeed::new(dir.inbox().unwrap(), ledger.chain().genesis).unwrap();
    let mut pool = Mempool::new(ledger.chain(), &ledger.view(), Limits::default()).unwrap();
    for _ in 0..count {
        feed.poll(&mut pool, &ledger.view()).unwrap();
        let template = pool.template(&ledger.view()).unwrap();
        let (_, tip) = ledger.tip().unwrap();
        let time = tip.header.time + ledger.chain().spec.spacing_s;
        let block = template.block(template.coinbase(payout, &[]), time);
        let block = solve(ledger.chain().spec.algorithm, block);
        let submitted = ledger.submit(&block.encode(), u32::MAX.into()).unwrap();
        assert!(matches!(submitted, Submitted::Tip { .. }), "{submitted:?}");
        pool.follow(&ledger.view(), Some(&block)).unwrap();
        feed.tip_moved(&mut pool, &ledger.view()).unwrap();
    }
    ledger.into_store().close().unwrap();
}

fn act(stage: &Stage, args: &[&str]) {
    stage.ok(&[args, &["--payer", "miner"]].concat());
    blocks(stage, 1);
}

/// Two institutions, a record whose glass two clinicians break, escrow and registry unattended.
fn founded() -> Stage {
    let stage = Stage::hospital();
    for name in NEW_KEYS {
        stage.key(name);
    }
    let claims: [&[&str]; 9] = [
        &["issuer", "attest", "region", "--issuer", "anchor"],
        &["site", "attest", "service", "--issuer", "region", "--cell", crate::stage::CELL],
        &["emergency", "attest", "service", "--issuer", "region"],
        &["beacon", "attest", "siren", "--issuer", "region", "--site", "service"],
        &["role", "attest", "first", "emergency-clinician", "--issuer", "hospital"],
        &["role", "attest", "second", "emergency-clinician", "--issuer", "hospital"],
        &["role", "attest", "registry", "escrow", "--issuer", "region"],
        &["role", "attest", "other", "escrow", "--issuer", "region"],
        &["auditor", "attest", "auditor", "--issuer", "region"],
    ];
    for claim in claims {
        act(&stage, claim);
    }
    let (file, policy) = (stage.path("blood.txt"), stage.path("policy.toml"));
    fs::write(&file, CONTENT).unwrap();
    fs::write(&policy, GLASS).unwrap();
    let add = ["record", "add", path(&file), "--name", "blood", "--owner", "patient"];
    let guardians = ["--guardians", "2:nurse,patient!", "--policy", path(&policy)];
    let emergency = ["--emergency-guardians", "2:registry,other,patient"];
    act(&stage, &[&add[..], &guardians, &emergency].concat());
    let out = stage.path("glass.branch");
    stage.ok(&["policy", "show", "blood", "--leaf", "glass", "--out", path(&out)]);
    blocks(&stage, 150);
    stage
}

/// The policy file of a guardian, with a bound.
fn duty(stage: &Stage, key: &str, at_most: u32) -> String {
    let file = stage.path(&format!("{key}.toml"));
    let policy = format!(
        "key = \"{key}\"\nrole = \"escrow\"\nissuer = \"region\"\n[[agree]]\npurposes = [\"BTG\"]\n\
         readers = [\"emergency-clinician@hospital\"]\nat_most = {at_most}\n"
    );
    fs::write(&file, policy).unwrap();
    path(&file).to_owned()
}

/// What a guardian does in one look: words and requests.
fn look(stage: &Stage, duty: &str) -> Vec<(String, String)> {
    let dir = stage.dir();
    let lines = ok(&["guardian", "--policy", duty, "--once", "--dir", path(&dir)]);
    let word = |line: &Value, field: &str| line[field].as_str().unwrap().to_owned();
    lines.iter().map(|line| (word(line, "did"), word(line, "request"))).collect()
}

fn did(found: &[(String, String)]) -> Vec<&str> {
    found.iter().map(|(did, _)| did.as_str()).collect()
}

/// A clinician's request, left in the inbox without a fee.
fn break_glass(stage: &Stage, clinician: &str) -> String {
    let (presence, branch) = (stage.path("siren.presence"), stage.path("glass.branch"));
    let roll = ["beacon", "roll", "siren", "--key", clinician, "--out", path(&presence)];
    stage.ok(&roll);
    let request = ["request", "--branch", path(&branch), "--as", clinician, "--purpose", "BTG"];
    let sent = stage.ok(&[&request[..], &["--presence", path(&presence)]].concat());
    assert_eq!(sent["fee_units"], 0, "in an emergency nobody has to own anything");
    sent["core"].as_str().unwrap().to_owned()
}

#[test]
fn an_emergency_opens_before_it_is_mined_and_is_mined_after_all() {
    let stage = founded();
    let duties = ["registry", "other"].map(|key| duty(&stage, key, 8));
    let request = break_glass(&stage, "first");
    let height = stage.height();
    // Both agree to what they see in the inbox; a second clinician is still missing.
    for duty in &duties {
        assert_eq!(look(&stage, duty), [("agreed".to_owned(), request.clone())]);
        assert_eq!(look(&stage, duty), [], "once");
    }
    let to = stage.path("read.txt");
    let (code, stdout, _) = stage.run(&["open", &request, "--to", path(&to)]);
    assert_eq!(code, 1, "{stdout}");
    stage.ok(&["approve", &request, "--as", "second"]);
    for duty in &duties {
        assert_eq!(did(&look(&stage, duty)), ["sent"]);
    }
    let opened = stage.ok(&["open", &request, "--to", path(&to)]);
    assert_eq!(opened["opened"], true);
    assert_eq!(fs::read_to_string(&to).unwrap(), CONTENT);
    assert_eq!(stage.height(), height, "no block was needed");

    // The inbox is lost, with the attempt in it: who acted submits it again.
    let inbox = stage.dir().join("inbox");
    fs::remove_dir_all(&inbox).unwrap();
    assert_eq!(did(&look(&stage, &duties[0])), ["submitted again", "submitted again"]);
    assert_eq!(did(&look(&stage, &duties[1])), ["submitted again"], "the request is there again");
    stage.ok(&["approve", &request, "--as", "second"]);
    blocks(&stage, 1);
    assert!(look(&stage, &duties[0]).is_empty(), "all of it is mined");
    blocks(&stage, 1);
    let audit = stage.ok(&["audit", "blood"]);
    let kinds: Vec<&str> = audit["access"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["record", "request", "approval", "approval", "approval"]);
    act(&stage, &["review", &request, "--as", "auditor"]);
    let (_, words, _) = stage.run(&["explain", &request]);
    assert!(words.contains("enough have approved"), "{words}");
}

/// A claim has to be 144 blocks old before it breaks any glass; then people do what the services of the
/// other tests do, each by a command, and it is looked into afterwards.
#[test]
fn people_break_the_glass_at_once_if_the_claim_of_who_asks_is_old_enough() {
    let stage = founded();
    stage.key("young");
    act(&stage, &["role", "attest", "young", "emergency-clinician", "--issuer", "hospital"]);
    let presence = stage.path("young.presence");
    stage.ok(&["beacon", "roll", "siren", "--key", "young", "--out", path(&presence)]);
    let branch = stage.path("glass.branch");
    let request = ["request", "--branch", path(&branch), "--as", "young", "--purpose", "BTG"];
    let request = [&request[..], &["--presence", path(&presence)]].concat();
    let (code, words, _) = stage.run(&request);
    assert_eq!(code, 1, "{words}");
    assert!(words.contains("in an emergency a claim must be older"), "{words}");
    assert!(words.contains("not sent: it would be refused, and logged"), "{words}");
    let (code, words, _) = stage.run(&[&request[..], &["--lang", "zh"]].concat());
    assert_eq!(code, 1, "{words}");
    assert!(words.contains("紧急情况下证明须签发已久") && words.contains("未发送"), "{words}");

    let request = break_glass(&stage, "first");
    let height = stage.height();
    let to = stage.path("read.txt");
    for guardian in ["registry", "other"] {
        stage.ok(&["approve", &request, "--as", guardian]);
        let (code, words, _) = stage.run(&["release", &request, "--as", guardian]);
        assert_eq!(code, 1, "a second clinician is missing: {words}");
    }
    let (code, words, _) = stage.run(&["open", &request, "--to", path(&to), "--lang", "zh"]);
    assert_eq!(code, 1);
    assert!(words.contains("尚未发送分片") && words.contains("未能打开"), "{words}");
    stage.ok(&["approve", &request, "--as", "second"]);
    for guardian in ["registry", "other"] {
        assert_eq!(stage.ok(&["release", &request, "--as", guardian])["sent"], true);
    }
    assert_eq!(stage.ok(&["open", &request, "--to", path(&to)])["opened"], true);
    assert_eq!(fs::read_to_string(&to).unwrap(), CONTENT);
    assert_eq!(stage.height(), height, "no block was needed");

    // Nobody looks into what no block holds; afterwards an auditor of the other institution does, once.
    blocks(&stage, 1);
    let (code, words, _) = stage.run(&["veto", &request, "--as", "patient", "--payer", "miner"]);
    assert_eq!(code, 1, "an emergency is not objected to");
    assert!(words.contains("TooLateToVeto"), "{words}");
    let review = ["review", &request, "--as", "auditor", "--payer", "miner"];
    act(&stage, &review[..4]);
    let (code, words, _) = stage.run(&[&review[..], &["--lang", "zh"]].concat());
    assert_eq!(code, 1, "{words}");
    assert!(words.contains("被拒绝：NotOpen："), "{words}");
    let audit = stage.ok(&["audit", "blood", "--lang", "zh"]);
    let last = audit["access"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["kind"], "approval", "the review is proven by one more block");
    blocks(&stage, 1);
    let audit = stage.ok(&["audit", "blood", "--lang", "zh"]);
    let last = audit["access"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["kind"], &last["words"]), (&"receipt".into(), &"回执：已审查".into()));
}

#[test]
fn an_unattended_guardian_keeps_to_its_own_policy() {
    let stage = founded();
    let one = duty(&stage, "registry", 1);
    break_glass(&stage, "first");
    break_glass(&stage, "second");
    assert_eq!(did(&look(&stage, &one)), ["agreed"], "one in 144 blocks");
    // It sends nothing that is not open, however often it looks.
    blocks(&stage, 3);
    assert_eq!(look(&stage, &one), []);
    let file = stage.path("bad.toml");
    fs::write(&file, "key = \"registry\"\nrole = \"escrow\"\n").unwrap();
    let line = stage.refused(&["guardian", "--policy", path(&file), "--once"]);
    assert!(line.contains("issuer"), "{line}");
    // What is no guardian of a record passes it by.
    let file = stage.path("escrow.toml");
    let policy = fs::read_to_string(&one).unwrap().replace("registry", "escrow");
    fs::write(&file, policy.replace("region", "hospital")).unwrap();
    assert_eq!(look(&stage, path(&file)), []);
}

/// By then it neither counts nor goes without a fee: who acted pays for it, and it is on the ledger.
#[test]
fn what_was_released_and_lost_is_recorded_at_the_expense_of_who_acted() {
    let stage = founded();
    let (one, other) = (duty(&stage, "registry", 8), duty(&stage, "other", 8));
    let request = break_glass(&stage, "first");
    for duty in [&one, &other] {
        assert_eq!(did(&look(&stage, duty)), ["agreed"]);
    }
    stage.ok(&["approve", &request, "--as", "second"]);
    assert_eq!(did(&look(&stage, &one)), ["sent"]);
    fs::remove_dir_all(stage.dir().join("inbox")).unwrap();
    // The reader was heard too long ago.
    blocks(&stage, 5);
    assert_eq!(did(&look(&stage, &one)), ["could not"], "it owns nothing");
    act(&stage, &["pay", "registry", "1", "--from", "miner"]);
    assert_eq!(did(&look(&stage, &one)), ["sponsored", "sponsored"]);
    assert_eq!(look(&stage, &one), [], "they wait for a block");
    blocks(&stage, 2);
    assert_eq!(look(&stage, &one), []);
    let audit = stage.ok(&["audit", "blood"]);
    let kinds = |log: &str| -> Vec<String> {
        let events = audit[log].as_array().unwrap().iter();
        events.map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds("access"), ["record", "approval"]);
    assert_eq!(kinds("refusals"), ["refusal"]);
}
