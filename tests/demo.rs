//! The story: it asserts every claim that it makes, so it is enough that it ends well, in both languages.

#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use assert_cmd::Command;

fn tell(lang: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let story = dir.path().join("story");
    let output = Command::cargo_bin("proofward")
        .unwrap()
        .args(["demo", "--lang", lang, "--dir"])
        .arg(&story)
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), output.stderr);
    assert!(output.status.success(), "{out}\n{}", String::from_utf8_lossy(&err));
    assert!(!story.exists(), "nothing is left behind");
    out.lines().map(str::to_owned).collect()
}

#[test]
fn the_story_ends_well_in_both_languages() {
    let (english, chinese) = (tell("en"), tell("zh"));
    assert_eq!(english.len(), chinese.len());
    assert!(!english.iter().any(|line| has_han(line)));
    for line in &chinese {
        assert!(has_han(line), "a line of the Chinese story without Chinese: {line}");
    }
}

fn has_han(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

#[test]
fn a_kept_story_is_a_chain_like_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let story = dir.path().join("story");
    let run = |args: &[&str]| {
        let mut command = Command::cargo_bin("proofward").unwrap();
        command.args(args).arg(&story).assert()
    };
    run(&["demo", "--keep", "--dir"]).success();
    run(&["verify", "chain"]).success();
    // Commands go on with the people and the records of the story.
    let said = |args: &[&str]| {
        let output = run(&[args, &["--dir"]].concat()).success().get_output().stdout.clone();
        String::from_utf8(output).unwrap()
    };
    let listed = said(&["record", "list"]);
    assert!(listed.lines().all(|line| line.ends_with("in force")), "{listed}");
    assert_eq!(listed.lines().count(), 2, "{listed}");
    let shown = said(&["record", "show", "visit"]);
    assert_eq!(shown.matches("treatment, emergency").count(), 2, "both epochs: {shown}");
    assert!(said(&["key", "list"]).contains("clinician-2"));
    assert!(said(&["audit", "visit"]).contains("complete up to block"));
    said(&["policy", "who-can-open", "visit"]);
    // It does not overwrite what is there.
    run(&["demo", "--dir"]).code(2);
}
