//! The rules of the house that the compiler cannot hold: who may import whom, where `unsafe`, clocks and
//! floats may stand, what no file may say. Every breach is reported as `file:line: why`.
//!
//! It reads text, not syntax: comments and string literals are blanked first, the rest is matched word by
//! word. It does not judge style; that is left to rustfmt and clippy.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Folder under `src/` → the paths behind `crate::` that it may name, besides its own. A folder without
/// a row fails: a new layer has to choose its place.
const LAYERS: &[(&str, &[&str])] = &[
    ("primitives", &[]),
    ("hash", &["primitives"]),
    ("consensus", &["primitives", "hash"]),
    ("kernel", &["primitives", "hash"]),
    ("engine", &["primitives", "hash", "consensus", "kernel"]),
    (
        "ledger",
        &[
            "primitives",
            "hash",
            "consensus",
            "engine::verify",
            "engine::merkle",
            "engine::nodes",
            "engine::points",
            "engine::pool",
            "engine::sha512",
            "engine::sha512",
        ],
    ),
    ("words", &["ledger"]),
    ("wallet", &["primitives", "hash", "ledger"]),
    ("interop", &["primitives", "hash", "ledger", "wallet"]),
    ("node", &["primitives", "hash", "consensus", "kernel", "engine", "ledger", "wallet", "words"]),
    (
        "fuzzing",
        &[
            "primitives",
            "hash",
            "consensus",
            "kernel",
            "engine",
            "ledger",
            "wallet",
            "interop",
            "node",
        ],
    ),
    ("cli", &["cli"]),
];

/// Dependency → the places that may name it. A dependency without a row fails.
const CRATES: &[(&str, &[&str])] = &[
    ("anyhow", &["src/cli/"]),
    ("arc_swap", &["src/engine/"]),
    ("argon2", &["src/wallet/"]),
    ("axum", &["src/node/"]),
    ("bech32", &["src/ledger/address.rs", "src/node/client/payout.rs"]),
    ("blake3", &["src/hash/"]),
    ("blahaj", &["src/wallet/custody/"]),
    ("borsh", &["src/ledger/", "src/wallet/", "src/fuzzing/", "src/cli/"]),
    ("chacha20poly1305", &["src/wallet/"]),
    ("clap", &["src/cli/"]),
    ("clap_complete", &["src/cli/"]),
    ("clap_mangen", &["src/cli/"]),
    ("comfy_table", &["src/cli/"]),
    ("console", &["src/cli/"]),
    ("crossbeam", &["src/engine/", "src/node/"]),
    ("csv", &["src/interop/"]),
    ("curve25519_dalek", &["src/wallet/custody/", "src/ledger/signature/"]),
    ("ed25519_zebra", &["src/ledger/signature/", "src/wallet/"]),
    ("geo_types", &["src/interop/"]),
    ("getrandom", &["src/wallet/"]),
    ("h3o", &["src/interop/"]),
    ("hex", &["src/"]),
    ("http_body_util", &["src/node/"]),
    ("hpke", &["src/wallet/custody/"]),
    ("hyper", &["src/node/"]),
    ("hyper_util", &["src/node/"]),
    ("indicatif", &["src/cli/"]),
    ("jiff", &["src/interop/", "src/cli/"]),
    ("prometheus_client", &["src/node/"]),
    ("qrcode", &["src/cli/"]),
    ("rand_core", &["src/wallet/custody/"]),
    ("rayon", &["src/engine/"]),
    ("redb", &["src/ledger/store/"]),
    ("ruint", &["src/primitives/", "src/consensus/"]),
    ("rustix", &["src/engine/", "src/node/", "src/cli/"]),
    ("rustls", &["src/node/"]),
    ("serde", &["src/ledger/spec/", "src/interop/", "src/wallet/", "src/node/", "src/cli/"]),
    ("serde_json", &["src/interop/", "src/wallet/", "src/node/", "src/fuzzing/", "src/cli/"]),
    ("sha2", &["src/hash/"]),
    ("thiserror", &["src/"]),
    ("tokio", &["src/node/", "src/cli/"]),
    ("tokio_rustls", &["src/node/"]),
    ("tokio_util", &["src/node/"]),
    ("toml", &["src/ledger/spec/", "src/wallet/", "src/node/"]),
    ("tracing", &["src/node/", "src/cli/"]),
    ("tracing_subscriber", &["src/cli/", "src/node/"]),
    ("webpki_roots", &["src/node/"]),
    ("zeroize", &["src/wallet/", "src/cli/"]),
];

/// Word of code → the only places that may say it.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("unsafe", &["src/kernel/"]),
    // The second repeats what curve25519-dalek compiles in, to report it.
    ("target_feature", &["src/kernel/", "src/ledger/signature/mod.rs"]),
    ("Instant::now", CLOCKS),
    ("SystemTime::now", CLOCKS),
];
const CLOCKS: &[&str] = &[
    "src/engine/meter.rs",
    "src/engine/tune.rs",
    "src/engine/measure/",
    "src/node/",
    "src/cli/",
    "tests/",
    "benches/",
];

/// Places → words of code that they may not say, and why.
const NOT_IN: &[(&[&str], &[&str], &str)] = &[
    (
        &["src/primitives/", "src/hash/", "src/consensus/", "src/kernel/", "src/ledger/"],
        &["f32", "f64"],
        "no floats where validity is decided",
    ),
    (
        &["src/primitives/", "src/hash/", "src/consensus/"],
        &["HashMap", "HashSet", "thread", "std::fs", "std::io", "std::env"],
        "same input, same result: no threads, files or random order here",
    ),
    (
        &[
            "src/kernel/",
            "!src/kernel/conformance.rs",
            "!src/kernel/curve/conformance.rs",
            "!src/kernel/sha512/conformance.rs",
        ],
        &["Vec", "Box", "thread"],
        "kernels allocate nothing and start no thread",
    ),
    (&["src/", "tests/", "benches/", "fuzz/"], &["dbg!", "unimplemented!"], "not on main"),
    (&["tests/"], &["thread::sleep", "should_panic"], "wait for the event, assert the value"),
];

/// What no text of the repository may say, split so that this file does not say it.
const BANNED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("to", "do!("),
    concat!("#[ig", "nore"),
    concat!("crates", ".io"),
    concat!("docs", ".rs"),
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/t", "mp/"),
    concat!("/wo", "rk/"),
];

const FILE_LINES_MAX: usize = 600;
/// Files that are longer; this list must shrink.
const LONGER_FILES: &[&str] = &[];

/// One file: its path from the root with `/`, its text, and its code alone.
struct File {
    path: String,
    text: String,
    code: String,
}

impl File {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it is in one of the places and in none that starts with `!`.
    fn is_in(&self, places: &[&str]) -> bool {
        let excepted = places.iter().filter_map(|place| place.strip_prefix('!'));
        !excepted.clone().any(|place| self.path.starts_with(place))
            && places.iter().any(|place| self.path.starts_with(place))
    }

    /// The folder under `src/`; `cli` for the binary's root and nothing for the library's.
    fn layer(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        match inside.split_once('/') {
            Some((layer, _)) => Some(layer),
            None if inside == "main.rs" => Some("cli"),
            None => None,
        }
    }

    fn line_of(&self, offset: usize) -> usize {
        self.text[..offset].matches('\n').count() + 1
    }

    /// Offsets at which `word` stands in the code, not as a part of a longer name.
    fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
        self.code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
            !self.code[..at].ends_with(part_of_name)
                && (word.ends_with(':') || !self.code[at + word.len()..].starts_with(part_of_name))
        })
    }
}

#[derive(Default)]
struct Breaches(String);

impl Breaches {
    fn at(&mut self, file: &File, offset: usize, why: &str) {
        writeln!(self.0, "{}:{}: {why}", file.path, file.line_of(offset)).expect("a string");
    }

    fn assert_none(&self) {
        assert!(self.0.is_empty(), "\n{}", self.0);
    }
}

/// Blanks comments and literals with spaces, so that offsets and lines stay.
fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let after_name = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        let len = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with('"') {
            quoted_len(rest, '"')
        } else if rest.starts_with('r') && !after_name {
            raw_string_len(rest)
        } else if rest.starts_with('\'') && is_char_literal(rest) {
            quoted_len(rest, '\'')
        } else {
            0
        };
        code[at..at + len].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        at += len.max(rest.chars().next().map_or(1, char::len_utf8));
    }
    String::from_utf8(code).expect("whole characters were blanked")
}

fn quoted_len(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn raw_string_len(rest: &str) -> usize {
    let hashes = rest[1..].len() - rest[1..].trim_start_matches('#').len();
    if !rest[1 + hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let start = hashes + 2;
    rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len())
}

/// A quote that closes after one character; otherwise it opens a lifetime.
fn is_char_literal(rest: &str) -> bool {
    rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'')
}

/// The paths that a use tree names: `a::{b, c::{d}}` → `a::b`, `a::c::d`.
fn paths_of(tree: &str) -> Vec<String> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let (head, rest) = tree.split_at(tree.find(|c| !is_path(c)).unwrap_or(tree.len()));
    if !(head.ends_with("::") || head.is_empty()) || !rest.starts_with('{') {
        return vec![head.trim_end_matches(':').to_owned()];
    }
    let (mut depth, mut start, mut paths) = (0_usize, 1, Vec::new());
    for (at, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && c == ',') {
            let branch = rest[start..at].trim();
            if !branch.is_empty() {
                paths.extend(paths_of(branch).into_iter().map(|path| format!("{head}{path}")));
            }
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    paths
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn collect(place: &Path, found: &mut Vec<PathBuf>) {
    if place.is_file() {
        found.push(place.to_owned());
    }
    let Ok(entries) = fs::read_dir(place) else { return };
    for entry in entries {
        let path = entry.expect("a directory entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a UTF-8 name");
        if !["target", "corpus", "artifacts", "coverage", "Cargo.lock"].contains(&name) {
            collect(&path, found);
        }
    }
}

/// Every text that people wrote, in a fixed order.
fn files() -> Vec<File> {
    let mut paths = Vec::new();
    for place in
        ["src", "tests", "benches", "fuzz", ".ci", "Cargo.toml", "README.md", "CHANGELOG.md"]
    {
        collect(&root().join(place), &mut paths);
    }
    paths.sort();
    let read = |path: PathBuf| {
        let text = String::from_utf8(fs::read(&path).expect("a readable file")).ok()?;
        let inside = path.strip_prefix(root()).expect("collected below the root");
        let path = inside.to_str().expect("a UTF-8 path").replace('\\', "/");
        let code = if path.ends_with(".rs") { code_of(&text) } else { String::new() };
        Some(File { path, text, code })
    };
    let files: Vec<File> = paths.into_iter().filter_map(read).collect();
    assert!(files.iter().any(|file| file.path == "src/lib.rs"), "the walk found nothing");
    files
}

#[test]
fn imports_point_down_the_layers() {
    let mut breaches = Breaches::default();
    for file in files().iter().filter(|file| file.path.starts_with("src/")) {
        let Some(layer) = file.layer() else { continue };
        let Some((_, below)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
            breaches.at(file, 0, &format!("layer {layer} has no row in the table"));
            continue;
        };
        for at in file.words("crate::") {
            for path in paths_of(&file.code[at + "crate::".len()..]) {
                let is_under = |parent: &str| {
                    let rest = path.strip_prefix(parent);
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
                };
                if !is_under(layer) && !below.iter().any(|parent| is_under(parent)) {
                    breaches.at(file, at, &format!("{layer} may not import crate::{path}"));
                }
            }
        }
        let depth = file.path.matches('/').count() - usize::from(file.path.ends_with("/mod.rs"));
        for at in file.words("super") {
            let chain = file.code[at..].split("::").take_while(|part| *part == "super").count();
            if chain >= depth.max(1) {
                breaches.at(file, at, "leaves its layer: name the layer with crate::");
            }
        }
    }
    breaches.assert_none();
}

#[test]
fn dependencies_stay_in_their_folders() {
    let mut breaches = Breaches::default();
    let files = files();
    let manifest = files.iter().find(|file| file.path == "Cargo.toml").expect("a manifest");
    let section =
        manifest.text.split("\n[dependencies]\n").nth(1).expect("a section of dependencies");
    let section = section.split("\n[").next().expect("split gives at least one part");
    for line in section.lines().filter(|line| !line.starts_with('#') && line.contains('=')) {
        let name = line.split([' ', '.', '=']).next().expect("a name").replace('-', "_");
        if !CRATES.iter().any(|(known, _)| *known == name) {
            breaches.at(manifest, 0, &format!("dependency {name} has no row in the table"));
        }
    }
    let is_our_module = |name: &str| {
        let ends = [format!("/{name}.rs"), format!("/{name}/mod.rs")];
        files.iter().any(|file| ends.iter().any(|end| file.path.ends_with(end)))
    };
    for file in files.iter().filter(|file| file.path.starts_with("src/")) {
        for (name, places) in CRATES.iter().filter(|(_, places)| !file.is_in(places)) {
            for at in file.words(name) {
                let before = file.code[..at].trim_end();
                let is_path = file.code[at + name.len()..].starts_with("::");
                // `::name` and `use name` are the crate; `name::` alone may be a module of ours.
                let is_absolute = before.ends_with("use")
                    || before
                        .strip_suffix("::")
                        .is_some_and(|before| before.ends_with([' ', '(', '<']));
                if is_absolute || (is_path && !before.ends_with("::") && !is_our_module(name)) {
                    breaches.at(file, at, &format!("{name} may be named in {places:?} only"));
                }
            }
        }
    }
    breaches.assert_none();
}

#[test]
fn words_stand_where_they_may() {
    let mut breaches = Breaches::default();
    for file in files().iter().filter(|file| file.is_rust()) {
        for (word, places) in ONLY_IN.iter().filter(|(_, places)| !file.is_in(places)) {
            for at in file.words(word) {
                breaches.at(file, at, &format!("{word} may stand in {places:?} only"));
            }
        }
        for (_, words, why) in NOT_IN.iter().filter(|(places, ..)| file.is_in(places)) {
            for word in *words {
                for at in file.words(word) {
                    breaches.at(file, at, &format!("{word}: {why}"));
                }
            }
        }
    }
    breaches.assert_none();
}

#[test]
fn no_text_says_what_is_banned() {
    let mut breaches = Breaches::default();
    for file in &files() {
        for banned in BANNED {
            for (at, _) in file.text.match_indices(banned) {
                breaches.at(file, at, &format!("{banned:?} may not stand in the repository"));
            }
        }
    }
    breaches.assert_none();
}

#[test]
fn every_file_says_what_it_is_and_stays_short() {
    let mut breaches = Breaches::default();
    let files = files();
    for file in files.iter().filter(|file| file.is_rust()) {
        if !file.text.starts_with("//!") {
            breaches.at(file, 0, "opens without //!");
        }
        let lines = file.text.lines().count();
        match (lines > FILE_LINES_MAX, LONGER_FILES.contains(&file.path.as_str())) {
            (true, false) => {
                breaches.at(file, 0, &format!("{lines} lines, over {FILE_LINES_MAX}: split it"));
            }
            (false, true) => breaches.at(file, 0, "short enough now: take it off LONGER_FILES"),
            _ => {}
        }
    }
    for listed in LONGER_FILES {
        assert!(files.iter().any(|file| file.path == *listed), "{listed} is gone: take it off");
    }
    breaches.assert_none();
}

#[test]
fn every_unsafe_block_says_why_it_is_sound() {
    const LINES_ABOVE: usize = 8;
    let mut breaches = Breaches::default();
    let mut seen = 0;
    for file in files().iter().filter(|file| file.path.starts_with("src/kernel/")) {
        let lines: Vec<&str> = file.text.lines().collect();
        for at in file.words("unsafe") {
            let after = file.code[at + "unsafe".len()..].trim_start();
            if !(after.starts_with('{') || after.starts_with("impl")) {
                continue;
            }
            seen += 1;
            let line = file.line_of(at) - 1;
            let above = &lines[line.saturating_sub(LINES_ABOVE)..=line];
            if !above.iter().any(|line| line.contains("SAFETY:")) {
                breaches.at(file, at, "unsafe without a SAFETY comment above it");
            }
        }
    }
    assert!(seen > 0, "the walk found no unsafe block");
    breaches.assert_none();
}

#[test]
fn every_kernel_file_has_a_row_in_the_table() {
    let mut breaches = Breaches::default();
    let files = files();
    for (folder, row) in [("src/kernel/", "ROWS"), ("src/kernel/sha512/", "ROW")] {
        let path = format!("{folder}mod.rs");
        let table = files.iter().find(|file| file.path == path).expect("the kernel table");
        let start = table.code.find("static KERNELS").expect("the table is named KERNELS");
        let rows = &table.code[start..];
        let rows = &rows[..rows.find("];").expect("the table ends")];
        for file in &files {
            let name = file.path.strip_prefix(folder).and_then(|name| name.strip_suffix(".rs"));
            let Some(stem) = name else { continue };
            let is_row = stem == "portable"
                || ["x86_", "arm_", "riscv_"].iter().any(|a| stem.starts_with(a));
            if is_row && !rows.contains(&format!("{stem}::{row}")) {
                breaches.at(file, 0, &format!("{stem}::{row} is not in KERNELS"));
            }
        }
    }
    breaches.assert_none();
}

/// The reader above is itself code that can be wrong.
#[test]
fn the_reader_sees_code_and_nothing_else() {
    let check = |text: &str, [before, blank, after]: [&str; 3]| {
        assert_eq!(code_of(text), format!("{before}{}{after}", " ".repeat(blank.len())), "{text}");
    };
    check("a // b\nc", ["a ", "// b", "\nc"]);
    check("a /* b */ c", ["a ", "/* b */", " c"]);
    check("a \"b \\\" // c\" d", ["a ", "\"b \\\" // c\"", " d"]);
    check("r#\"a\"b\"# c", ["", "r#\"a\"b\"#", " c"]);
    check("for 'a in 'b' c", ["for 'a in ", "'b'", " c"]);
    check("a '\\'' b", ["a ", "'\\''", " b"]);
    check("bar\"x\"", ["bar", "\"x\"", ""]);
    let paths = |tree: &str| paths_of(tree).join(" ");
    assert_eq!(paths("a::b(c)"), "a::b");
    assert_eq!(paths("{a::{b, c::{d, e}}, f};"), "a::b a::c::d a::c::e f");
    assert_eq!(paths("a::{\n    b,\n    c,\n};"), "a::b a::c");
}
