//! The README's table of rules is the one in the code. `PROOFWARD_WRITE_README=1` writes it anew.
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const BEGIN: &str = "<!-- The rules: written by tests/readme.rs. -->\n";
const END: &str = "<!-- End of the rules. -->\n";

/// Where the enumerations of rules stand, what the table calls them, and whether a variant without a
/// name of its own is called as it is written.
const SOURCES: &[(&str, &str, &str, bool)] = &[
    ("block", "BlockDecodeError", "src/ledger/block.rs", false),
    ("block", "CoinbaseError", "src/ledger/coinbase.rs", false),
    ("block", "BlockRule", "src/ledger/rules/error.rs", false),
    ("transaction", "TransactionError", "src/ledger/rules/error.rs", false),
    ("Pay", "PayError", "src/ledger/rules/pay/error.rs", true),
    ("Attest", "AttestError", "src/ledger/rules/access/error.rs", true),
    ("Record", "RecordError", "src/ledger/rules/access/error.rs", true),
    ("Grant", "GrantError", "src/ledger/rules/access/error.rs", true),
    ("Request", "RequestError", "src/ledger/rules/access/error.rs", true),
    ("Approve", "ApproveError", "src/ledger/rules/access/error.rs", true),
    ("Receipt", "ReceiptError", "src/ledger/rules/access/error.rs", true),
    ("Move", "MoveError", "src/ledger/rules/goods/error.rs", true),
    ("Reading", "ReadingError", "src/ledger/rules/reading/error.rs", true),
];
const NAMES: &str = "src/ledger/rules/error.rs";

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(at(path)).unwrap()
}

/// The names that `fn name` gives: (enumeration, variant) to name.
fn names() -> BTreeMap<(String, String), String> {
    let text = read(NAMES);
    let (mut names, mut of) = (BTreeMap::new(), String::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("impl ") {
            of = rest.split([' ', '{']).next().unwrap().to_owned();
        }
        let Some((patterns, name)) = line.split_once(" => \"") else { continue };
        let name = name.split('"').next().unwrap();
        for pattern in patterns.split(" | ") {
            let Some((owner, variant)) = pattern.trim().split_once("::") else { continue };
            let owner = if owner == "Self" { &of } else { owner };
            let variant: String = variant.chars().take_while(char::is_ascii_alphanumeric).collect();
            names.insert((owner.to_owned(), variant), name.to_owned());
        }
    }
    names
}

/// Each variant of an enumeration with the first paragraph of its documentation, in order.
fn variants(text: &str, name: &str) -> Vec<(String, String)> {
    let start = text.find(&format!("pub enum {name} {{\n")).unwrap();
    let body = &text[start..];
    let body = &body[..body.find("\n}\n").unwrap()];
    let (mut variants, mut doc) = (Vec::new(), String::new());
    for line in body.lines().skip(1) {
        // Fields of a variant are further in.
        let Some(line) = line.strip_prefix("    ").filter(|line| !line.starts_with([' ', '}']))
        else {
            continue;
        };
        if let Some(text) = line.strip_prefix("/// ") {
            doc = if doc.is_empty() { text.to_owned() } else { format!("{doc} {text}") };
        } else if line.starts_with(|c: char| c.is_ascii_uppercase()) {
            let variant = line.chars().take_while(char::is_ascii_alphanumeric).collect();
            variants.push((variant, std::mem::take(&mut doc)));
        }
    }
    variants
}

fn table() -> String {
    let names = names();
    let mut table = String::from("| of | name | when |\n|---|---|---|\n");
    for (of, name, path, is_named_by_variant) in SOURCES {
        let mut rows = 0;
        for (variant, doc) in variants(&read(path), name) {
            let named = names.get(&((*name).to_owned(), variant.clone())).cloned();
            let Some(named) = named.or(is_named_by_variant.then_some(variant)) else { continue };
            assert!(!doc.is_empty(), "{name}: {named} has no sentence");
            // A link of the documentation is plain text here.
            let doc = doc.replace("[`", "`").replace("`]", "`");
            writeln!(table, "| {of} | `{named}` | {doc} |").unwrap();
            rows += 1;
        }
        assert!(rows > 1, "{name} in {path} has no names");
    }
    table
}

#[test]
fn the_table_of_rules_is_the_one_in_the_code() {
    let readme = read("README.md");
    let begin = readme.find(BEGIN).expect("the table begins") + BEGIN.len();
    let end = readme.find(END).expect("the table ends");
    let table = table();
    if std::env::var_os("PROOFWARD_WRITE_README").is_some() {
        let written = format!("{}{table}{}", &readme[..begin], &readme[end..]);
        fs::write(at("README.md"), written).unwrap();
        return;
    }
    assert!(
        readme[begin..end] == table,
        "the rules have changed: run this test with PROOFWARD_WRITE_README=1"
    );
}
