//! `proofward key` as a person runs it.

use proofward::ledger::signature::{Curve, backend};

use super::*;

struct Ran {
    code: i32,
    lines: Vec<Value>,
    stdout: String,
    stderr: String,
}

fn run_with(dir: &Path, passphrase: Option<&str>, stdin: &str, args: &[&str]) -> Ran {
    let mut command = Command::cargo_bin("proofward").expect("the binary");
    command.env_remove("PROOFWARD_PASSPHRASE").env("PROOFWARD_DIR", dir);
    command.envs(passphrase.map(|passphrase| ("PROOFWARD_PASSPHRASE", passphrase)));
    let output = command.args(args).write_stdin(stdin).output().expect("it runs");
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    let lines = stdout.lines().map(serde_json::from_str).collect::<Result<_, _>>();
    Ran {
        code: output.status.code().expect("an exit code"),
        lines: lines.unwrap_or_default(),
        stdout,
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

fn run(dir: &Path, args: &[&str]) -> Ran {
    run_with(dir, Some("horse"), "", args)
}

const CHEAP: [&str; 4] = ["--kdf-memory", "32", "--format", "json"];

fn new(dir: &Path, name: &str) -> Value {
    let ran = run(dir, &[&["key", "new", name], &CHEAP[..]].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    ran.lines[0].clone()
}

#[test]
fn new_list_show() {
    let dir = tempfile::tempdir().expect("a directory");
    let made = new(dir.path(), "clinic");
    assert_eq!(made["schema"], 1);
    assert_eq!(made["name"], "clinic");
    assert_eq!(made["protected"], true);
    let key: PubKey = made["public_key"].as_str().expect("text").parse().expect("a key");
    let address: Address = made["address"].as_str().expect("text").parse().expect("an address");
    assert_eq!(address.key, key);
    let file = dir.path().join("keys/clinic.key");
    assert_eq!(made["file"], file.display().to_string());
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);

    new(dir.path(), "another");
    let listed = run(dir.path(), &["key", "list", "--format", "json"]);
    let names: Vec<_> = listed.lines.iter().map(|line| line["name"].clone()).collect();
    assert_eq!(names, ["another", "clinic"]);
    assert_eq!(listed.lines[1], made);
    let shown = run(dir.path(), &["key", "show", "clinic", "--format", "json"]);
    assert_eq!(shown.lines, [made]);
    let text = run(dir.path(), &["key", "show", "clinic", "--prefix", "tpw"]);
    assert!(text.stdout.contains(&format!("key      {key}")), "{}", text.stdout);
    assert!(text.stdout.contains("address  tpw1q"), "{}", text.stdout);
}

#[test]
fn exit_codes() {
    let dir = tempfile::tempdir().expect("a directory");
    let missing = run(dir.path(), &["key", "show", "nobody"]);
    assert_eq!((missing.code, missing.stdout.as_str()), (1, ""));
    assert!(missing.stderr.contains("no key nobody"), "{}", missing.stderr);
    assert_eq!(run(dir.path(), &["key", "show", "../x"]).code, 2);
    new(dir.path(), "a");
    let again = run(dir.path(), &["key", "new", "a"]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("never overwritten"), "{}", again.stderr);
    let wrong = run_with(dir.path(), Some("cow"), "", &["key", "derive", "a", "0"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("wrong passphrase"), "{}", wrong.stderr);
    assert_eq!(run(dir.path(), &["key", "new", "b", "--kdf-memory", "31"]).code, 2);
    assert!(!dir.path().join("keys/b.key").exists());
}

#[test]
fn passphrase_sources() {
    let dir = tempfile::tempdir().expect("a directory");
    // Standard input is no terminal: nobody is asked.
    let none = run_with(dir.path(), None, "horse\n", &["key", "new", "a"]);
    assert_eq!(none.code, 2);
    assert!(none.stderr.contains("--passphrase-file"), "{}", none.stderr);
    let empty = run_with(dir.path(), Some(""), "", &["key", "new", "a"]);
    assert!(empty.stderr.contains("--no-passphrase"), "{}", empty.stderr);
    assert!(!dir.path().join("keys/a.key").exists());

    let file = dir.path().join("passphrase");
    fs::write(&file, "horse\nthe second line is not read\n").expect("written");
    let file = file.to_str().expect("UTF-8");
    let args = ["key", "new", "a", "--kdf-memory", "32", "--passphrase-file", file];
    assert_eq!(run_with(dir.path(), Some("cow"), "", &args).code, 0, "the file comes first");
    assert_eq!(run(dir.path(), &["key", "derive", "a", "0"]).code, 0);

    let args = ["key", "new", "open", "--no-passphrase", "--format", "json"];
    let open = run_with(dir.path(), None, "", &args);
    assert_eq!(open.lines[0]["protected"], false);
    assert_eq!(run_with(dir.path(), None, "", &["key", "derive", "open", "0"]).code, 0);
    let sealed = run(dir.path(), &["key", "derive", "a", "0", "--no-passphrase"]);
    assert!(sealed.stderr.contains("leave --no-passphrase out"), "{}", sealed.stderr);
}

#[test]
fn export_and_import_move_a_key() {
    let (here, there) = (tempfile::tempdir(), tempfile::tempdir());
    let (here, there) = (here.expect("a directory"), there.expect("a directory"));
    let made = new(here.path(), "a");
    let exported = run(here.path(), &["key", "export", "a"]);
    assert_eq!(exported.code, 0);
    let args = ["key", "import", "b", "-", "--format", "json"];
    let wrong = run_with(there.path(), Some("cow"), &exported.stdout, &args);
    assert_eq!(wrong.code, 2);
    assert!(!there.path().join("keys/b.key").exists(), "a copy that does not open is not kept");
    let moved = run_with(there.path(), Some("horse"), &exported.stdout, &args);
    assert_eq!(moved.lines[0]["public_key"], made["public_key"]);

    // An unprotected key leaves under a passphrase, unless one insists.
    run(here.path(), &["key", "new", "open", "--no-passphrase"]);
    let sealed = run(here.path(), &["key", "export", "open", "--kdf-memory", "32"]);
    let sealed: Value = serde_json::from_str(&sealed.stdout).expect("a key file");
    assert_eq!(sealed["protection"]["kind"], "passphrase");
    let open = run(here.path(), &["key", "export", "open", "--no-passphrase"]);
    assert!(open.stdout.contains("\"none\""), "{}", open.stdout);
}

#[test]
fn a_raw_seed_is_imported() {
    let dir = tempfile::tempdir().expect("a directory");
    let seed = format!("  {}\n", SEED.to_uppercase());
    let args = [&["key", "import", "rfc", "-"], &CHEAP[..]].concat();
    let ran = run_with(dir.path(), Some("horse"), &seed, &args);
    assert_eq!(ran.lines[0]["public_key"], PUBLIC, "{}", ran.stderr);
    assert_eq!(ran.lines[0]["protected"], true);
    let short = run_with(dir.path(), Some("horse"), &SEED[1..], &["key", "import", "x", "-"]);
    assert_eq!(short.code, 2);
    assert!(short.stderr.contains("not a key file"), "{}", short.stderr);
}

#[test]
fn derive_shows_or_keeps() {
    let dir = tempfile::tempdir().expect("a directory");
    let seed = format!("{SEED}\n");
    let args = [&["key", "import", "root", "-"], &CHEAP[..]].concat();
    assert_eq!(run_with(dir.path(), Some("horse"), &seed, &args).code, 0);
    let expected = secret().derive(&"0/7".parse().expect("a path")).public_key().to_string();
    let shown = run(dir.path(), &["key", "derive", "root", "0/7", "--format", "json"]);
    assert_eq!(shown.lines[0]["public_key"], expected);
    assert_eq!(shown.lines[0]["file"], Value::Null);
    let args = [&["key", "derive", "root", "0/7", "--name", "visit"], &CHEAP[..]].concat();
    let kept = run(dir.path(), &args);
    assert_eq!(kept.lines[0]["public_key"], expected);
    let keyring = Keyring::in_dir(dir.path());
    let kept = keyring.read(&name("visit")).expect("a key file");
    let opened = kept.open(Some(&passphrase("horse"))).expect("the passphrase of the root");
    assert_eq!(opened.public_key().to_string(), expected);
}

#[test]
fn the_directory_comes_from_the_argument_then_the_environment() {
    let (env, arg) = (tempfile::tempdir(), tempfile::tempdir());
    let (env, arg) = (env.expect("a directory"), arg.expect("a directory"));
    let dir = arg.path().to_str().expect("UTF-8");
    let args = ["key", "new", "a", "--no-passphrase", "--dir", dir];
    assert_eq!(run(env.path(), &args).code, 0);
    assert!(arg.path().join("keys/a.key").exists() && !env.path().join("keys").exists());

    // Without both: below the data folder of the user.
    let mut command = Command::cargo_bin("proofward").expect("the binary");
    command.env_remove("PROOFWARD_DIR").env_remove("XDG_DATA_HOME").env("HOME", env.path());
    command.args(["key", "new", "a", "--no-passphrase"]).assert().success();
    assert!(env.path().join(".local/share/proofward/keys/a.key").exists());
    let mut command = Command::cargo_bin("proofward").expect("the binary");
    command.env_remove("PROOFWARD_DIR").env("XDG_DATA_HOME", env.path());
    command.args(["key", "new", "a", "--no-passphrase"]).assert().success();
    assert!(env.path().join("proofward/keys/a.key").exists());
}

#[test]
fn version_names_the_backend() {
    let dir = tempfile::tempdir().expect("a directory");
    let version = run(dir.path(), &["--version"]).stdout;
    let (backend, curve) = (backend(), Curve::best());
    let expected = format!("signatures: {backend}, in batches: {curve}\n");
    assert!(version.ends_with(&expected), "{version}");
}
