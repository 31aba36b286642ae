//! Salted trees: a list under one root, of which a path reveals one entry and nothing else. Policies,
//! their readers and places, guardians and the keys that a beacon heard are such trees; each names its
//! leaves under a tag of its own, so that no leaf serves two purposes.
//!
//! Leaves stand in the order of their indexes. A node is `tagged("branch", left || right)`; the last
//! node of an odd level is promoted as it is. The tags of leaves differ from the node's, so no node can
//! pose as a leaf, whatever the depth.
//!
//! Bit `i` of a path's index says on which side of step `i` the path comes from; in a tree of a power of
//! two leaves, to which wallets pad theirs, that is the index of the leaf. Elsewhere a promoted node
//! takes no step, and neither the root nor the path binds the count of leaves: where an index matters
//! (guardians, shares) the leaf itself says it, so such a list has to be padded.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::hash::tagged::Tag;
use crate::ledger::transaction::list;

/// Levels of a tree.
pub const PATH_MAX: usize = 16;
/// Leaves of a tree.
pub const LEAVES_MAX: usize = 1 << PATH_MAX;

/// Hides what a leaf says from those who see its hash.
pub type Salt = [u8; 16];

const BRANCH_TAG: Tag = Tag::new("branch");

/// From an entry to the root.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Path {
    /// Index of the entry, from 0: bit `i` is set if the sibling of step `i` stands on the left.
    pub index: u16,
    /// The hashes beside it, lowest level first, at most [`PATH_MAX`].
    #[borsh(deserialize_with = "list::at_most::<PATH_MAX, _, _>")]
    pub siblings: Vec<[u8; 32]>,
}

/// A value that stands in a list under a root.
pub trait Entry: BorshSerialize {
    /// Names its kind of leaf.
    const TAG: Tag;

    /// tagged(kind, salt || encoding).
    fn leaf(&self, salt: &Salt) -> [u8; 32] {
        let bytes = borsh::to_vec(self).expect("writing to memory cannot fail");
        Self::TAG.start().update(salt).update(&bytes).finish()
    }

    /// Whether the path leads from this entry to the root.
    fn is_under(&self, salt: &Salt, path: &Path, root: &[u8; 32]) -> bool {
        path.root_from(self.leaf(salt)).as_ref() == Some(root)
    }
}

/// All leaves of a list: gives the root and every path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// The leaves, then each level above them; the last holds the root alone.
    levels: Vec<Vec<[u8; 32]>>,
}

impl Path {
    /// The root that the path leads to from a leaf; `None` if it has more than [`PATH_MAX`] steps or its
    /// index a bit without a step.
    #[must_use]
    pub fn root_from(&self, leaf: [u8; 32]) -> Option<[u8; 32]> {
        let steps = self.siblings.len();
        if steps > PATH_MAX || u32::from(self.index) >> steps != 0 {
            return None;
        }
        Some(self.siblings.iter().enumerate().fold(leaf, |node, (step, sibling)| {
            let is_right = self.index >> step & 1 == 1;
            if is_right { branch(sibling, &node) } else { branch(&node, sibling) }
        }))
    }
}

impl Tree {
    /// Over leaves in order; `None` for none or more than [`LEAVES_MAX`].
    #[must_use]
    pub fn new(leaves: Vec<[u8; 32]>) -> Option<Self> {
        if leaves.is_empty() || leaves.len() > LEAVES_MAX {
            return None;
        }
        let mut levels = vec![leaves];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let pairs = level.chunks(2).map(|pair| match pair {
                [left, right] => branch(left, right),
                alone => alone[0],
            });
            let above = pairs.collect();
            levels.push(above);
        }
        Some(Self { levels })
    }

    /// What commits to all leaves.
    #[must_use]
    pub fn root(&self) -> [u8; 32] {
        self.levels[self.levels.len() - 1][0]
    }

    /// The path of the leaf at `index`, if there is one.
    #[must_use]
    pub fn path(&self, index: usize) -> Option<Path> {
        self.levels[0].get(index)?;
        let (mut path, mut at) = (Path::default(), index);
        for level in &self.levels[..self.levels.len() - 1] {
            // A promoted node has no sibling and takes no step.
            if let Some(sibling) = level.get(at ^ 1) {
                path.index |= u16::from(at & 1 == 1) << path.siblings.len();
                path.siblings.push(*sibling);
            }
            at /= 2;
        }
        Some(path)
    }
}

fn branch(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    BRANCH_TAG.start().update(left).update(right).finish()
}
