//! The folder of keys: modes, names, never overwritten.

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it exists").permissions().mode() & 0o777
}

#[test]
fn created_with_closed_modes_and_listed() {
    let dir = tempfile::tempdir().expect("a directory");
    let keyring = Keyring::in_dir(dir.path());
    assert!(keyring.list().expect("nothing yet").is_empty());
    let path = keyring.create(&name("b"), &protected()).expect("created");
    keyring.create(&name("a.1"), &KeyFile::unprotected(&secret())).expect("created");
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&dir.path().join("keys")), 0o700);
    fs::write(dir.path().join("keys/broken.key"), "{").expect("written");
    fs::write(dir.path().join("keys/NOTES.txt"), "not a key").expect("written");

    let listed = keyring.list().expect("a list");
    let names: Vec<String> = listed.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names, ["a.1", "b", "broken"]);
    let protected: Vec<_> =
        listed.iter().map(|(_, key)| key.as_ref().map(KeyFile::is_protected).ok()).collect();
    assert_eq!(protected, [Some(false), Some(true), None]);
    // Nothing is left of how the files were written.
    assert_eq!(fs::read_dir(dir.path().join("keys")).expect("a folder").count(), 4);
}

#[test]
fn never_overwrites() {
    let dir = tempfile::tempdir().expect("a directory");
    let keyring = Keyring::in_dir(dir.path());
    let path = keyring.create(&name("a"), &protected()).expect("created");
    let before = fs::read(&path).expect("readable");
    let again = keyring.create(&name("a"), &KeyFile::unprotected(&secret()));
    assert_eq!(again, Err(KeyringError::Exists { path: path.clone() }));
    assert_eq!(fs::read(&path).expect("readable"), before);
    // Not through a dangling link either.
    std::os::unix::fs::symlink("nowhere", keyring.path(&name("link"))).expect("a link");
    let through = keyring.create(&name("link"), &protected());
    assert!(matches!(through, Err(KeyringError::Exists { .. })));
}

#[test]
fn of_many_at_once_one_creates() {
    let dir = tempfile::tempdir().expect("a directory");
    let keyring = Keyring::in_dir(dir.path());
    let keys: Vec<SecretKey> = (0..8_u8).map(|i| SecretKey::from_seed(&[i; 32])).collect();
    let created: Vec<bool> = std::thread::scope(|scope| {
        let threads: Vec<_> = keys
            .iter()
            .map(|key| {
                let keyring = &keyring;
                scope
                    .spawn(move || keyring.create(&name("one"), &KeyFile::unprotected(key)).is_ok())
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(created.iter().filter(|created| **created).count(), 1);
    let winner = created.iter().position(|created| *created).expect("one");
    let stored = keyring.read(&name("one")).expect("a whole file");
    assert_eq!(stored.public_key(), keys[winner].public_key());
    assert_eq!(fs::read_dir(dir.path().join("keys")).expect("a folder").count(), 1);
}

#[test]
fn an_unprotected_key_that_others_read_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let keyring = Keyring::in_dir(dir.path());
    let path = keyring.create(&name("a"), &KeyFile::unprotected(&secret())).expect("created");
    let set = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode));
    set(0o640).expect("changed");
    let error = keyring.read(&name("a")).expect_err("exposed");
    assert_eq!(error, KeyringError::Exposed { path: path.clone(), mode: 0o640 });
    set(0o400).expect("changed");
    keyring.read(&name("a")).expect("closed again");
    // A protected one is no secret.
    let sealed = keyring.create(&name("b"), &protected()).expect("created");
    fs::set_permissions(sealed, fs::Permissions::from_mode(0o644)).expect("changed");
    keyring.read(&name("b")).expect("readable");
}

#[test]
fn what_cannot_be_read_says_why() {
    let dir = tempfile::tempdir().expect("a directory");
    let keyring = Keyring::in_dir(dir.path());
    assert!(matches!(keyring.read(&name("a")), Err(KeyringError::Missing { .. })));
    fs::create_dir_all(keyring.path(&name("folder"))).expect("a folder");
    let error = keyring.read(&name("folder")).expect_err("a folder");
    assert!(error.to_string().ends_with("not a file"), "{error}");
    fs::write(keyring.path(&name("long")), vec![b' '; 1 << 20]).expect("written");
    let error = keyring.read(&name("long")).expect_err("too long");
    assert!(matches!(error, KeyringError::File { .. }), "{error}");
}

#[test]
fn names_are_plain() {
    for good in ["a", "0", "a-b_c.d", &"x".repeat(48)] {
        assert_eq!(name(good).to_string(), good);
    }
    let (long, key) = ("x".repeat(49), PUBLIC);
    for bad in ["", ".", "..", ".a", "-a", "a/b", "../a", "A", "a b", "é", "a\n", &long, key] {
        assert!(bad.parse::<KeyName>().is_err(), "{bad:?}");
    }
}
