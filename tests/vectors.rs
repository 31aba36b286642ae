//! Published vectors of the scalar hashes: NIST's, BLAKE3's own, and the headers of a real chain.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use proofward::hash::{blake3, sha256};
use proofward::primitives::Target;

fn text(path: &str) -> Option<String> {
    Some(std::fs::read_to_string(common::data(path)?).expect("a readable file"))
}

#[test]
fn sha256_of_every_nist_message() {
    let mut count = 0;
    for name in ["SHA256ShortMsg.rsp", "SHA256LongMsg.rsp"] {
        let Some(text) = text(&format!("vectors/sha256/{name}")) else { return };
        let mut case = BTreeMap::new();
        for line in text.lines() {
            let Some((name, value)) = line.split_once(" = ") else { continue };
            case.insert(name.to_owned(), value.trim().to_owned());
            if name == "MD" {
                let bits: usize = case["Len"].parse().expect("a number");
                let message = &hex::decode(&case["Msg"]).expect("hex")[..bits / 8];
                assert_eq!(hex::encode(sha256::sha256(message)), case["MD"], "{bits} bits");
                let twice = sha256::sha256(&sha256::sha256(message));
                assert_eq!(sha256::sha256d(message), twice);
                for cut in [0, message.len() / 3, message.len()] {
                    let parts = [&message[..cut], &[], &message[cut..]];
                    assert_eq!(sha256::sha256d_of_parts(&parts), twice);
                }
                count += 1;
            }
        }
    }
    assert_eq!(count, 129);
}

#[test]
fn blake3_of_every_official_length() {
    let Some(text) = text("vectors/blake3/test_vectors.json") else { return };
    let vectors: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let cases = vectors["cases"].as_array().expect("a list");
    for case in cases {
        let len = usize::try_from(case["input_len"].as_u64().expect("a length")).expect("small");
        let message: Vec<u8> = (0..251).cycle().take(len).collect();
        let digest = hex::encode(blake3::hash(&message));
        assert!(case["hash"].as_str().expect("hex").starts_with(&digest), "{len} bytes");
    }
    assert_eq!(cases.len(), 35);
}

#[test]
fn blake3_of_the_headers_of_a_real_chain() {
    let Some(text) = text("vectors/blake3/ironfish_headers180.json") else { return };
    let cases: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let cases = cases.as_array().expect("a list");
    let field =
        |case: &serde_json::Value, name: &str| case[name].as_str().expect("text").to_owned();
    let mut digests = BTreeSet::new();
    let mut parents = Vec::new();
    for case in cases {
        let header = hex::decode(field(case, "header_hex")).expect("hex");
        assert_eq!(header.len(), 180);
        let digest = blake3::hash(&header);
        assert_eq!(hex::encode(digest), field(case, "blake3"));
        // That chain reads digests most significant byte first.
        let target: Target = field(case, "target_hex").parse().expect("a target");
        let mut reversed = digest;
        reversed.reverse();
        assert_eq!(Some(target.is_met_by(&reversed)), case["target_met"].as_bool());
        digests.insert(digest.to_vec());
        parents.push(header[12..44].to_vec());
    }
    assert_eq!(cases.len(), 585);
    // Each hash is its child's parent id, where the child is in the file too.
    let links = parents.iter().filter(|parent| digests.contains(*parent)).count();
    println!("{links} links between headers of the file");
    assert!(links > 100, "{links}");
}
