//! Key files as text: round trips, tampering, hostile costs.

use super::*;

#[test]
fn round_trip_with_and_without_a_passphrase() {
    let plain = KeyFile::parse(KeyFile::unprotected(&secret()).to_text().as_bytes());
    let plain = plain.expect("a key file");
    assert!(!plain.is_protected());
    assert_eq!(plain.open(None).expect("opens").seed(), secret().seed());

    let text = protected().to_text();
    assert!(!text.contains(SEED) && text.contains(PUBLIC));
    let sealed = KeyFile::parse(text.as_bytes()).expect("a key file");
    assert!(sealed.is_protected());
    let opened = sealed.open(Some(&passphrase("horse"))).expect("opens");
    assert_eq!(opened.seed(), secret().seed());
}

#[test]
fn the_same_key_is_never_encrypted_the_same_way() {
    assert_ne!(*protected().to_text(), *protected().to_text());
}

#[test]
fn wrong_or_missing_passphrase() {
    for wrong in ["Horse", "horse ", "hors", "\u{0}horse"] {
        let error = protected().open(Some(&passphrase(wrong))).expect_err("another passphrase");
        assert_eq!(error, OpenError::WrongPassphrase);
    }
    assert_eq!(protected().open(None).expect_err("none"), OpenError::PassphraseNeeded);
    assert_eq!(Passphrase::new(String::new()), Err(EmptyPassphrase));
}

#[test]
fn standard_cost_opens() {
    let key = KeyFile::protected(&secret(), &passphrase("horse"), Cost::STANDARD);
    let value = json_of(&key.expect("entropy"));
    let protection = &value["protection"];
    let cost = ["memory_kib", "passes", "lanes"].map(|name| protection[name].as_u64());
    assert_eq!(cost, [Some(65536), Some(3), Some(4)]);
    parse(&value).expect("a key file").open(Some(&passphrase("horse"))).expect("opens");
}

/// One character of any value changed: refused when read, or does not open.
#[test]
fn every_changed_character_is_found() {
    let (mut at_reading, mut at_opening) = (0, 0);
    for key in [protected(), KeyFile::unprotected(&secret())] {
        let text = key.to_text();
        for at in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = match bytes[at] {
                b'0' => b'1',
                _ => b'0',
            };
            let Ok(changed) = KeyFile::parse(&bytes) else {
                at_reading += 1;
                continue;
            };
            // White space carries nothing.
            if *changed.to_text() == *text {
                continue;
            }
            let opened = changed.open(Some(&passphrase("horse")));
            assert!(opened.is_err(), "byte {at} of {}", *text);
            at_opening += 1;
        }
    }
    println!("{at_reading} changes refused when read, {at_opening} when opened");
    assert!(at_reading > 300 && at_opening > 200);
}

#[test]
fn a_swapped_public_key_is_found() {
    let other = SecretKey::from_seed(&[9; 32]).public_key().to_string();
    let swapped = |key: KeyFile| {
        let mut value = json_of(&key);
        value["public_key"] = json!(other);
        parse(&value).expect("well formed").open(Some(&passphrase("horse"))).map(|_| ())
    };
    assert_eq!(swapped(protected()), Err(OpenError::WrongPassphrase));
    assert_eq!(swapped(KeyFile::unprotected(&secret())), Err(OpenError::OtherKey));
}

#[test]
fn hostile_costs_are_refused_before_any_work() {
    let with = |field: &str, number: u64| {
        let mut value = json_of(&protected());
        value["protection"][field] = json!(number);
        parse(&value).map(|_| ())
    };
    let cost = |error| Err(KeyFileError::Cost(error));
    let memory = |memory_kib| cost(CostError::Memory { memory_kib, min: 8 });
    assert_eq!(with("memory_kib", 100 * 1024 * 1024), memory(100 * 1024 * 1024));
    assert_eq!(with("memory_kib", 256 * 1024 + 1), memory(256 * 1024 + 1));
    assert_eq!(with("memory_kib", 256 * 1024), Ok(()));
    assert_eq!(with("memory_kib", 7), memory(7));
    assert_eq!(with("passes", 17), cost(CostError::Passes(17)));
    assert_eq!(with("passes", 0), cost(CostError::Passes(0)));
    assert_eq!(with("lanes", 0), cost(CostError::Lanes(0)));
    assert_eq!(with("lanes", 0x00ff_ffff), cost(CostError::Lanes(0x00ff_ffff)));
    // Two lanes need twice the memory.
    assert_eq!(with("lanes", 2), cost(CostError::Memory { memory_kib: 8, min: 16 }));
    assert!(matches!(with("passes", 1 << 32), Err(KeyFileError::Malformed(_))));
}

#[test]
fn each_wrong_field_is_named() {
    let with = |field: &str, value: Value| {
        let mut file = json_of(&protected());
        let pointer = format!("/{}", field.replace('.', "/"));
        *file.pointer_mut(&pointer).expect("a field") = value;
        parse(&file).map(|_| ()).expect_err("refused")
    };
    let field = |field, expected| KeyFileError::Field { field, expected };
    assert_eq!(with("format", json!("other")), field("format", "proofward-key"));
    assert_eq!(with("version", json!(2)), KeyFileError::Version(2));
    assert_eq!(with("public_key", json!("00")), field("public_key", "32 bytes in hex"));
    assert_eq!(with("public_key", json!("00".repeat(32))), KeyFileError::Key(KeyError::SmallOrder));
    assert_eq!(with("protection.kdf", json!("scrypt")), field("kdf", "argon2id"));
    assert_eq!(with("protection.cipher", json!("rot13")), field("cipher", "xchacha20poly1305"));
    assert_eq!(with("protection.salt", json!("00")), field("salt", "16 bytes in hex"));
    assert_eq!(with("protection.nonce", json!("é")), field("nonce", "24 bytes in hex"));
    assert_eq!(with("secret", json!(SEED)), field("secret", "48 bytes in hex"));
    assert!(matches!(with("protection.kind", json!("magic")), KeyFileError::Malformed(_)));
}

#[test]
fn other_texts_are_refused() {
    let nested = "[".repeat(4000);
    for bad in ["", "{}", "null", "[]", "{\"format\":\"proofward-key\"}", &nested, "\u{feff}{}"] {
        let error = KeyFile::parse(bad.as_bytes()).expect_err("no key file");
        assert!(matches!(error, KeyFileError::Malformed(_)), "{error}");
    }
    let mut extra = json_of(&protected());
    extra["comment"] = json!("hello");
    assert!(matches!(parse(&extra), Err(KeyFileError::Malformed(_))));
    let long = vec![b' '; 5000];
    assert_eq!(KeyFile::parse(&long).map(|_| ()), Err(KeyFileError::TooLong(5000)));
}
