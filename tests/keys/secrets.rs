//! Keys in memory: seeds, derivation, and that nothing prints them.

use super::*;

#[test]
fn the_key_of_a_seed_is_that_of_rfc_8032() {
    assert_eq!(secret().public_key().to_string(), PUBLIC);
    assert_eq!(hex::encode(secret().seed()), SEED);
    assert_eq!(secret().public_key().check(), Ok(()));
}

#[test]
fn fresh_keys_differ_and_sign() {
    let keys = [(); 3].map(|()| SecretKey::generate().expect("entropy"));
    for (i, key) in keys.iter().enumerate() {
        let sig = key.sign(&[7; 32], Purpose::Core).expect("a key in memory signs");
        for (j, other) in keys.iter().enumerate() {
            let signed = Signed { key: other.public_key(), sig, message: &[7; 32] };
            assert_eq!(signed.is_valid(), i == j);
        }
    }
}

#[test]
fn secrets_are_not_printed() {
    let plain = KeyFile::unprotected(&secret());
    for text in [format!("{:?}", secret()), format!("{plain:?}"), format!("{:?}", protected())] {
        assert!(text.contains(PUBLIC) && !text.contains(SEED), "{text}");
    }
    assert!(!format!("{:?}", passphrase("horse")).contains("horse"));
}

/// The documented formula, computed from plain SHA-256.
fn derived_by_hand(seed: &[u8], indices: &[u32]) -> [u8; 32] {
    let tag = sha256(b"proofward/derive");
    indices.iter().fold(seed.try_into().expect("32 bytes"), |seed: [u8; 32], index| {
        sha256(&[&tag[..], &tag, &seed, &index.to_le_bytes()].concat())
    })
}

#[test]
fn derivation_follows_its_formula() {
    for text in ["0", "7", "0/7", "7/0", "4294967295", "1/2/3/4/5/6/7/8"] {
        let path: Derivation = text.parse().expect("a path");
        assert_eq!(path.to_string(), text);
        let by_hand = derived_by_hand(secret().seed(), path.indices());
        assert_eq!(secret().derive(&path).seed(), &by_hand, "{text}");
    }
    let (once, twice) = ("3".parse().expect("a path"), "3/9".parse().expect("a path"));
    let stepwise = secret().derive(&once).derive(&"9".parse().expect("a path"));
    assert_eq!(secret().derive(&twice).seed(), stepwise.seed());
}

#[test]
fn a_path_has_one_text() {
    let long = "1/".repeat(1_000_000);
    for bad in [
        "",
        "/",
        "0/",
        "/0",
        "+1",
        "-1",
        "01",
        " 1",
        "4294967296",
        "m/0",
        "1/2/3/4/5/6/7/8/9",
        &long,
    ] {
        let error = bad.parse::<Derivation>().expect_err("not a path");
        assert!(error.to_string().len() < 250);
    }
}
