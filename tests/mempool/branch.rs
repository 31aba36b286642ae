//! The coinbase's way up a tree that changes, against the plain one.

use proofward::consensus::merkle::Inclusion;
use proofward::engine::merkle::BranchTree;
use proofward::engine::nodes::NodeKernel;
use proofward::fuzzing::forge::SplitMix64;
use proofward::hash::sha256::sha256d;

#[test]
fn a_branch_that_is_kept_is_the_one_of_the_leaves() {
    let seed = 3;
    println!("seed {seed}");
    let mut random = SplitMix64::new(seed);
    for kernel in NodeKernel::available() {
        let mut tree = BranchTree::new(kernel);
        // Leaf 0 is unknown to the tree, so what stands there must not matter.
        let mut leaves = vec![[9; 32]];
        for _ in 0..300 {
            for _ in 0..random.below(12) {
                let leaf = sha256d(&random.next_u64().to_le_bytes());
                match random.below(5) {
                    0 | 1 => {
                        tree.push(leaf);
                        leaves.push(leaf);
                    }
                    2 if leaves.len() > 1 => {
                        let at = 1 + random.index(leaves.len() - 1);
                        tree.set(at, leaf);
                        leaves[at] = leaf;
                    }
                    3 if leaves.len() > 1 => {
                        tree.pop();
                        leaves.pop();
                    }
                    4 if random.below(40) == 0 => {
                        tree.clear();
                        leaves.truncate(1);
                    }
                    _ => {}
                }
            }
            let expected = Inclusion::new(&leaves, 0).unwrap().siblings;
            assert_eq!(tree.branch(), expected, "{} leaves, {}", leaves.len(), kernel.isa());
            assert_eq!(tree.leaves(), leaves.len());
        }
    }
}
