//! The words of the ledger's answers: both languages, every value filled in, nothing of leaves that are
//! not revealed.

use proofward::fuzzing::forge::worlds::Maker;
use proofward::ledger::policy::{Clause, Purpose, Role, findings};
use proofward::words::{Lang, clause, explain, purpose, role};

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
