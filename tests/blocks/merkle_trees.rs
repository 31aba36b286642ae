//! Merkle trees: every kernel against the naive one, mutation (CVE-2012-2459), proofs of inclusion.

use proofward::consensus::merkle::{self, Inclusion, InclusionError};
use proofward::engine::merkle::MerkleHasher;
use proofward::engine::nodes::NodeKernel;
use proofward::hash::sha256::sha256d;
use proofward::primitives::{Digest, Header, MerkleRoot};

use crate::common;

#[test]
fn a01_repeated_transactions_are_a_mutation_and_the_block_stays_good() {
    let Some(path) = common::data("vectors/merkle/cve_2012_2459_real_blocks.json") else { return };
    let text = std::fs::read(path).expect("a readable file");
    let vectors: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    let cases = vectors["cases"].as_array().expect("a list");
    let mut hashers: Vec<MerkleHasher> = NodeKernel::available().map(MerkleHasher::new).collect();
    for case in cases {
        let digest = |value: &serde_json::Value| -> Digest {
            hex::decode(value.as_str().expect("hex")).expect("hex").try_into().expect("32 bytes")
        };
        let mut txids: Vec<Digest> =
            case["txids"].as_array().expect("a list").iter().map(digest).collect();
        let root = MerkleRoot(digest(&case["merkle_root"]));
        let header = hex::decode(case["header"].as_str().expect("hex")).expect("hex");
        assert_eq!(Header::decode(header.as_slice().try_into().expect("80")).merkle_root, root);
        assert_eq!(case["ntx"].as_u64(), Some(txids.len() as u64));
        let good = merkle::Merkle { root, mutated: false };
        let bad = merkle::Merkle { root, mutated: true };
        let repeated = usize::try_from(case["dup_last"].as_u64().expect("a count")).expect("small");
        let original = txids.clone();
        txids.extend_from_within(original.len() - repeated..);
        for hasher in &mut hashers {
            assert_eq!(hasher.root(&original), good);
            assert_eq!(hasher.root(&txids), bad);
            assert_eq!(hasher.root(&original), good, "untouched, it is good again");
        }
        assert_eq!((merkle::root(&original), merkle::root(&txids)), (good, bad));
    }
    assert_eq!(cases.len(), 40);
}

#[test]
fn roots_on_every_kernel_equal_the_naive_one() {
    let mut leaves: Vec<Digest> = Vec::new();
    let mut hashers: Vec<(MerkleHasher, &str)> =
        NodeKernel::available().map(|kernel| (MerkleHasher::new(kernel), kernel.isa())).collect();
    for count in 0..140_u32 {
        let expected = merkle::root(&leaves);
        assert!(!expected.mutated);
        for (hasher, isa) in &mut hashers {
            assert_eq!(hasher.root(&leaves), expected, "{isa}, {count} leaves");
        }
        leaves.push(sha256d(&count.to_le_bytes()));
    }
    // Equal leaves in one pair are a mutation wherever they stand, in two pairs they are not.
    let mut doubled = leaves.clone();
    doubled[101] = doubled[100];
    let mut apart = leaves.clone();
    apart[102] = apart[101];
    for (hasher, _) in &mut hashers {
        assert!(hasher.root(&doubled).mutated && !hasher.root(&apart).mutated);
    }
}

#[test]
fn a02_a_proof_holds_for_its_leaf_and_depth_only() {
    for leaves in 1..40_u32 {
        let digests: Vec<Digest> = (0..leaves).map(|leaf| sha256d(&leaf.to_le_bytes())).collect();
        let root = merkle::root(&digests).root;
        assert_eq!(Inclusion::new(&digests, leaves), None);
        for index in 0..leaves {
            let proof = Inclusion::new(&digests, index).expect("a leaf");
            let leaf = digests[index as usize];
            assert_eq!(proof.verify(&leaf, leaves, &root), Ok(()));
            let other = sha256d(b"another leaf");
            assert!(proof.verify(&other, leaves, &root).is_err());
            let elsewhere = Inclusion { index: leaves, ..proof.clone() };
            assert_eq!(
                elsewhere.verify(&leaf, leaves, &root),
                Err(InclusionError::NoSuchLeaf { index: leaves, leaves })
            );
            // An inner node posing as a leaf: the path above it proves it against the root, but not
            // against the depth.
            let [sibling, above @ ..] = &proof.siblings[..] else { continue };
            let inner = if index % 2 == 0 {
                merkle::node(&leaf, sibling)
            } else {
                merkle::node(sibling, &leaf)
            };
            let shorter = Inclusion { index: index / 2, siblings: above.to_vec() };
            let expected = proof.siblings.len();
            assert_eq!(
                shorter.verify(&inner, leaves, &root),
                Err(InclusionError::WrongDepth { expected, actual: expected - 1 })
            );
            // Who is allowed to lie about the number of leaves proves anything.
            if leaves.is_power_of_two() {
                assert_eq!(shorter.verify(&inner, leaves / 2, &root), Ok(()));
            }
        }
    }
}

#[test]
fn a01_a_proof_that_pairs_a_node_with_itself_proves_nothing() {
    let digests: Vec<Digest> = (0..6_u32).map(|leaf| sha256d(&leaf.to_le_bytes())).collect();
    let mut repeated = digests.clone();
    repeated.extend_from_slice(&digests[4..]);
    let root = merkle::root(&digests).root;
    // Leaf 6 of the mutated tree is leaf 4 of the real one.
    let proof = Inclusion::new(&repeated, 6).expect("a leaf");
    assert_eq!(proof.verify(&digests[4], 8, &root), Err(InclusionError::Mutated { level: 1 }));
    assert_eq!(
        proof.verify(&digests[4], 6, &root),
        Err(InclusionError::NoSuchLeaf { index: 6, leaves: 6 })
    );
}
