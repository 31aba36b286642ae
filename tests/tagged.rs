//! Tagged hashes against the definition of BIP340, written out over the scalar SHA-256.

use proofward::engine::nodes::NodeKernel;
use proofward::hash::sha256::sha256;
use proofward::hash::tagged::Tag;

fn naive(name: &str, data: &[u8]) -> [u8; 32] {
    let tag = sha256(format!("proofward/{name}").as_bytes());
    sha256(&[&tag[..], &tag[..], data].concat())
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|i| u8::try_from(i * 167 % 251).expect("below 251")).collect()
}

#[test]
fn every_length_of_name_and_message_follows_the_definition() {
    const CONSTANT: Tag = Tag::new("core");
    assert_eq!(CONSTANT, Tag::new("core"));
    for len in 0..=45 {
        let name = "n".repeat(len);
        assert_eq!(Tag::new(&name).hash(b"data"), naive(&name, b"data"), "name of {len} bytes");
    }
    for len in 0..300 {
        let data = bytes(len);
        assert_eq!(CONSTANT.hash(&data), naive("core", &data), "message of {len} bytes");
    }
}

#[test]
fn messages_side_by_side_hash_as_each_alone() {
    let tag = Tag::new("state-value");
    let data = bytes(5_000);
    // Every place where a block ends, and messages that are too long for lanes between short ones.
    let lengths = (0..300).chain([2_000, 2_048, 2_049, 5_000, 1, 64]);
    let messages: Vec<&[u8]> = lengths.map(|len| &data[..len]).collect();
    for kernel in NodeKernel::available() {
        for count in [0, 1, 7, 8, 9, 255, 256, 257, messages.len()] {
            let messages = &messages[messages.len() - count..];
            let mut digests = vec![[0; 32]; count];
            kernel.hash_tagged(tag, messages, &mut digests);
            for (message, digest) in messages.iter().zip(&digests) {
                let what = format!("{} of {count}: {} bytes", kernel.isa(), message.len());
                assert_eq!(*digest, naive("state-value", message), "{what}");
            }
        }
    }
}

#[test]
fn messages_of_64_bytes_side_by_side_hash_as_each_alone() {
    let tag = Tag::new("state-leaf");
    let data = bytes(300 * 64);
    let (messages, _) = data.as_chunks::<64>();
    for kernel in NodeKernel::available() {
        for count in [0, 1, 7, 8, 9, 255, 256, 257, 300] {
            let mut digests = vec![[0; 32]; count];
            kernel.hash_tagged_pairs(tag, &messages[..count], &mut digests);
            for (index, (message, digest)) in messages.iter().zip(&digests).enumerate() {
                let what = format!("{}: {index} of {count}", kernel.isa());
                assert_eq!(*digest, naive("state-leaf", message), "{what}");
            }
        }
    }
}

#[test]
fn pieces_hash_as_the_whole() {
    let tag = Tag::new("tx");
    let data = bytes(200);
    for first in 0..=data.len() {
        for second in [first, first + 1, first + 63, first + 64, first + 65, data.len()] {
            let second = second.min(data.len());
            let mut hash = tag.start();
            hash.update(&data[..first]).update(&data[first..second]);
            assert_eq!(hash.finish(), naive("tx", &data[..second]), "to {first}, to {second}");
            hash.update(&data[second..]);
            assert_eq!(hash.finish(), naive("tx", &data), "to {first}, to {second}, to the end");
        }
    }
}

#[test]
fn tags_part_their_hashes() {
    let hashes = ["a", "b", "ab", ""].map(|name| Tag::new(name).hash(b"same"));
    for (i, hash) in hashes.iter().enumerate() {
        assert!(!hashes[..i].contains(hash));
    }
}
