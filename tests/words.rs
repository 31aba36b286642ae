//! The words of the ledger's answers: both languages, every value filled in, none that nobody says, nothing
//! of leaves that are not revealed.
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proofward::fuzzing::forge::worlds::Maker;
use proofward::ledger::goods::{Grade, Label};
use proofward::ledger::mempool::Refused;
use proofward::ledger::policy::{Clause, Purpose, Role, findings};
use proofward::ledger::rules::TransactionError;
use proofward::ledger::rules::access::{GrantError, RecordError, RequestError};
use proofward::ledger::signature::PubKey;
use proofward::ledger::transaction::CoreId;
use proofward::ledger::transaction::receipt::Outcome;
use proofward::words::{
    Checked, Done, Lang, Opening, Shown, Told, clause, code_opens, explain, grade, label, package,
    purpose, receipt, refusal, role, unknown_lot,
};

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

#[test]
fn every_code_has_a_word_of_its_own_in_both_languages() {
    for lang in Lang::ALL {
        let words: Vec<&str> = Clause::ALL
            .map(|code| clause(lang, code))
            .into_iter()
            .chain(Role::ALL.map(|code| role(lang, code)))
            .chain(Purpose::ALL.map(|code| purpose(lang, code)))
            .collect();
        for (i, word) in words.iter().enumerate() {
            assert_eq!(is_chinese(word), lang == Lang::Zh, "{word}");
            assert!(!words[..i].contains(word), "{word} twice");
        }
        assert_eq!(Lang::of_code(lang.code()), Some(lang));
    }
}

/// The numbers of the placeholders in a text, each once.
fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

/// Two texts are one thing in both languages.
fn is_one_thing([en, zh]: [&str; 2]) {
    assert!(!en.is_empty() && !is_chinese(en), "{en}");
    assert!(is_chinese(zh) || !en.contains(char::is_alphabetic), "{en}: {zh}");
    assert_eq!(placeholders(en), placeholders(zh), "{en}: {zh}");
}

/// The Rust files under a folder.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

/// A list of sentences: its name, and each sentence by its name, in both languages.
type Table = (&'static str, Vec<(&'static str, [String; 2])>);

fn tables() -> [Table; 4] {
    macro_rules! table {
        ($list:ident) => {{
            let both = |(name, of): &(&'static str, $list)| {
                (*name, Lang::ALL.map(|lang| of.say(lang, &[])))
            };
            (stringify!($list), $list::ALL.iter().map(both).collect())
        }};
    }
    [table!(Told), table!(Opening), table!(Done), table!(Shown)]
}

#[test]
fn every_sentence_is_there_in_both_languages_with_the_same_values_and_somebody_says_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    sources(&src, &mut all);
    let is_of_words = |path: &str| Path::new(path).starts_with(src.join("words"));
    let program: Vec<&str> =
        all.iter().filter(|(path, _)| !is_of_words(path)).map(|(_, text)| &**text).collect();
    for (list, sentences) in tables() {
        assert!(sentences.len() > 20, "{list}");
        let mut seen = BTreeSet::new();
        for (name, both) in &sentences {
            is_one_thing(both.each_ref().map(String::as_str));
            assert!(seen.insert(&both[0]), "{list}::{name} says what another says");
            // A name that begins another one is no use of it.
            let key = format!("{list}::{name}");
            let is_used = |text: &&str| {
                let mut rest = text.match_indices(&key).map(|(at, _)| &text[at + key.len()..]);
                rest.any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
            };
            assert!(program.iter().any(is_used), "nobody says {key}");
        }
    }
    // What else the table offers is asked for too.
    let offered = all.iter().find(|(path, _)| path.ends_with("words/mod.rs")).unwrap();
    let names = offered.1.lines().filter_map(|line| line.strip_prefix("pub use "));
    let names = names.flat_map(|line| line.split(['{', '}', ',', ':', ';', ' ']));
    let mut functions = 0;
    for name in names.filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())) {
        if ["attempt", "done", "explain", "goods", "opening", "rules", "story", "table"]
            .contains(&name)
        {
            continue;
        }
        functions += 1;
        let call = format!("{name}(");
        assert!(program.iter().any(|text| text.contains(&call)), "nobody asks for {name}");
    }
    assert!(functions > 10, "{functions}");
}

/// Every pair of texts in the source of the words, wherever it stands: a Chinese text follows the English
/// one that says the same, and neither stands alone.
#[test]
fn no_text_of_the_words_stands_alone() {
    let words = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/words");
    let mut files = Vec::new();
    sources(&words, &mut files);
    let mut pairs = 0;
    for (path, text) in &files {
        if path.ends_with("rules.rs") {
            // Its English texts stand with the rules; that none is missing is the compiler's to see.
            continue;
        }
        let code: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .fold(String::new(), |all, line| all + line.trim_end_matches('\\').trim_start() + "\n");
        // What stands between quotes, and what between that and the text before.
        let parts: Vec<&str> = code.split('"').collect();
        let (texts, between) = (parts.iter().skip(1).step_by(2), parts.iter().step_by(2));
        let texts: Vec<String> = texts.map(|text| text.replace('\n', "")).collect();
        let between: Vec<&&str> = between.collect();
        for (at, zh) in texts.iter().enumerate().filter(|(_, text)| is_chinese(text)) {
            assert!(at > 0 && between[at].trim() == ",", "{path}: alone: {zh}");
            is_one_thing([&texts[at - 1], zh]);
            pairs += 1;
        }
    }
    assert!(pairs > 200, "{pairs}");
}

#[test]
fn goods_and_receipts_have_words_in_both_languages() {
    let (core, device) = (CoreId([0xab; 32]), PubKey([0xcd; 32]));
    let labels = [
        Label::DoubleMake(core),
        Label::DoubleHold(core),
        Label::ImpossibleTravel { other: core, kilometres: 800, seconds: 600 },
        Label::Tainted { device, height: 7 },
    ];
    let grades =
        [Grade::SelfClaimed, Grade::CounterSigned, Grade::Witnessed, Grade::BeaconAndWitnessed];
    let tags = [Checked::NoKey, Checked::NotAsked, Checked::Answered, Checked::Silent];
    let said = |lang| -> Vec<String> {
        let flags = [false, true];
        let packages = flags.iter().flat_map(|recalled| {
            flags.iter().flat_map(move |over| {
                tags.into_iter().flat_map(move |tag| package(lang, *recalled, *over, tag))
            })
        });
        let words = grades.map(|of| grade(lang, of)).into_iter();
        let words = words.chain(Outcome::ALL.map(|of| receipt(lang, of))).chain(packages);
        let words =
            words.chain(flags.map(|opens| code_opens(lang, opens))).chain([unknown_lot(lang)]);
        words.map(str::to_owned).chain(labels.iter().map(|of| label(lang, of))).collect()
    };
    let (en, zh) = (said(Lang::En), said(Lang::Zh));
    let distinct = |of: &[String]| of.iter().collect::<BTreeSet<_>>().len();
    assert_eq!(distinct(&en), distinct(&zh), "as many things are said in both");
    assert!(distinct(&en) > 20);
    for (en, zh) in en.iter().zip(&zh) {
        assert!(!is_chinese(en) && is_chinese(zh), "{en}: {zh}");
        assert!(!en.contains('{') && !zh.contains('{'), "{en}: {zh}");
        let digits = |text: &str| -> BTreeSet<String> {
            let runs = text.split(|c: char| !c.is_ascii_hexdigit());
            runs.filter(|run| run.starts_with(|c: char| c.is_ascii_digit()))
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(digits(en), digits(zh), "{en}: {zh}");
    }
}

/// That every rule has its Chinese words the compiler sees; here that name and numbers are in both.
#[test]
fn a_refusal_says_its_name_and_its_numbers_in_both_languages() {
    let refusals: [(Refused, &[&str]); 7] = [
        (TransactionError::from(RequestError::TooManyOpen).into(), &["TooManyOpen"]),
        (TransactionError::from(RequestError::TooManyRefused { clause: 6 }).into(), &["6"]),
        (TransactionError::from(GrantError::TooSoon { least: 90, got: 70 }).into(), &["70", "90"]),
        (
            TransactionError::from(RecordError::EpochNotNext { expected: Some(3), got: 5 }).into(),
            &["EpochNotNext", "3", "5"],
        ),
        (TransactionError::FeeTooLow { least: 400, got: 300 }.into(), &["FeeTooLow", "300", "400"]),
        (Refused::RequestBusy(16), &["request-busy", "16"]),
        (Refused::Known, &["pending"]),
    ];
    for (refused, values) in &refusals {
        for lang in Lang::ALL {
            let said = refusal(lang, refused);
            assert_eq!(is_chinese(&said), lang == Lang::Zh, "{said}");
            assert!(said.starts_with(refused.name()), "{said}");
            assert!(values.iter().all(|value| said.contains(value)), "{said}: {values:?}");
        }
    }
}

#[test]
fn an_explanation_names_the_first_failed_clause_and_what_holds() {
    let (mut open, mut closed) = (0, 0);
    let mut sentences = std::collections::BTreeSet::new();
    for seed in 0..5000 {
        let mut maker = Maker::new(seed);
        let world = maker.world(5);
        let (asked, leaf, at) = maker.question(&world);
        let found = findings(&world, &asked, &leaf, at).unwrap();
        let explanation = explain(&found);
        let failed = found.iter().flatten().count();
        assert_eq!(explanation.met.len() + failed, 9);
        for lang in Lang::ALL {
            let lines = explanation.lines(lang);
            assert_eq!(lines.len(), 1 + explanation.met.len() + failed.saturating_sub(1) + failed);
            for line in &lines {
                assert!(!line.contains(['{', '}']), "a value is missing: {line}");
                assert_eq!(is_chinese(line), lang == Lang::Zh, "{line}");
            }
            if lang == Lang::En {
                sentences.extend(found.iter().flatten().map(|r| proofward::words::reason(lang, r)));
            }
        }
        match explanation.first_failed {
            None => open += 1,
            Some(reason) => {
                closed += 1;
                let number = reason.clause().number();
                let start = format!("not open: clause {number} fails: ");
                assert!(explanation.lines(Lang::En)[0].starts_with(&start));
            }
        }
    }
    assert!(open > 50 && closed > 50);
    assert!(sentences.len() > 25, "few reasons were seen: {sentences:#?}");
}

/// A leaf that is not revealed has a salt, roots and a scope; whatever is said must not depend on them.
#[test]
fn what_is_said_does_not_depend_on_leaves_that_are_not_revealed() {
    for seed in 0..2000 {
        let mut maker = Maker::new(seed);
        let world = maker.world(5);
        let (asked, leaf, at) = maker.question(&world);
        let said = |world: &_| {
            explain(&findings(world, &asked, &leaf, at).unwrap()).lines(Lang::En).join("\n")
        };
        let mut other = world.clone();
        other.branches.retain(|branch| branch.leaf == leaf);
        for guardians in &mut other.guardians {
            guardians.clear();
        }
        assert_eq!(said(&world), said(&other), "seed {seed}");
        for secret in [leaf.salt.to_vec(), leaf.scope.to_vec(), leaf.readers.to_vec()] {
            let hex = secret.iter().fold(String::new(), |all, byte| all + &format!("{byte:02x}"));
            assert!(!said(&world).contains(&hex), "seed {seed}");
        }
    }
}
