//! Commitment trees: a list of salted leaves under one root, of which a path reveals one leaf and
//! nothing else. Policies, their readers and places, guardians and the keys that a beacon heard are all
//! such trees; each names its leaves under a tag of its own, so that no leaf serves two purposes.
//!
//! Leaves stand in the order of their indexes. A node is `tagged("branch", left || right)`; the last
//! node of an odd level is promoted as it is. The tags of leaves differ from the node's, so no node can
//! pose as a leaf, whatever the depth.
//!
//! A path says for each step on which side the sibling stands. It proves that the leaf is in the tree,
//! not at which index: promotion makes an index without the count of leaves ambiguous, and the root does
//! not bind the count. Where the index matters (guardians, shares) the leaf itself says it.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::hash::tagged::Tag;
use crate::primitives::Digest;

/// Steps of a path.
pub const PATH_STEPS_MAX: usize = 16;
/// Leaves of a tree.
pub const TREE_LEAVES_MAX: usize = 1 << PATH_STEPS_MAX;
/// Hides what a leaf says from those who only see its hash.
pub type Salt = [u8; 16];

const BRANCH_TAG: Tag = Tag::new("branch");

/// The way from a leaf to the root.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Path {
    /// Bit `i` is set if the sibling of step `i` stands on the left; bits without a step are clear.
    pub lefts: u16,
    /// The siblings, the leaf's first.
    pub siblings: Vec<Digest>,
}

/// A value with what shows that a committed list holds it.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Shown<T> {
    /// What is shown.
    pub value: T,
    /// Its salt.
    pub salt: Salt,
    /// From its leaf to the root.
    pub path: Path,
}

/// All leaves of a list: gives the root and every path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitmentTree {
    /// The leaves, then each level above them; the last holds the root alone.
    levels: Vec<Vec<Digest>>,
}

/// A value that stands in a committed list.
pub trait Committed: BorshSerialize {
    /// Names its kind of leaf.
    const TAG: Tag;

    /// tagged(kind, salt || encoding).
    fn leaf(&self, salt: &Salt) -> Digest {
        let bytes = borsh::to_vec(self).expect("writing to memory cannot fail");
        Self::TAG.start().update(salt).update(&bytes).finish()
    }
}

impl Path {
    /// Whether it has at most [`PATH_STEPS_MAX`] steps and no side without a step.
    #[must_use]
    pub fn is_canonical(&self) -> bool {
        let steps = self.siblings.len();
        steps <= PATH_STEPS_MAX && u32::from(self.lefts) >> steps == 0
    }

    /// The root that the path leads to from a leaf; `None` if it is not canonical.
    #[must_use]
    pub fn root_from(&self, leaf: Digest) -> Option<Digest> {
        self.is_canonical().then(|| {
            let steps = self.siblings.iter().enumerate();
            steps.fold(leaf, |node, (step, sibling)| {
                let is_left = self.lefts >> step & 1 == 1;
                if is_left { branch(sibling, &node) } else { branch(&node, sibling) }
            })
        })
    }
}

impl<T: Committed> Shown<T> {
    /// The root of the list that this shows a member of; `None` if the path is not canonical.
    #[must_use]
    pub fn root(&self) -> Option<Digest> {
        self.path.root_from(self.value.leaf(&self.salt))
    }

    /// Whether the list with this root holds the value.
    #[must_use]
    pub fn is_under(&self, root: &Digest) -> bool {
        self.root().as_ref() == Some(root)
    }
}

impl CommitmentTree {
    /// Over leaves in order; `None` for none or more than [`TREE_LEAVES_MAX`].
    #[must_use]
    pub fn new(leaves: Vec<Digest>) -> Option<Self> {
        if leaves.is_empty() || leaves.len() > TREE_LEAVES_MAX {
            return None;
        }
        let mut levels = vec![leaves];
        while let [.., level] = &levels[..]
            && level.len() > 1
        {
            let above = level.chunks(2).map(|pair| match pair {
                [left, right] => branch(left, right),
                alone => alone[0],
            });
            let above = above.collect();
            levels.push(above);
        }
        Some(Self { levels })
    }

    /// What commits to all leaves.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.levels[self.levels.len() - 1][0]
    }

    /// The path of the leaf at `index`, if there is one.
    #[must_use]
    pub fn path(&self, index: usize) -> Option<Path> {
        self.levels[0].get(index)?;
        let mut path = Path::default();
        let mut at = index;
        for level in &self.levels[..self.levels.len() - 1] {
            // A promoted node has no sibling and takes no step.
            if let Some(sibling) = level.get(at ^ 1) {
                path.lefts |= u16::from(at & 1 == 1) << path.siblings.len();
                path.siblings.push(*sibling);
            }
            at /= 2;
        }
        Some(path)
    }
}

fn branch(left: &Digest, right: &Digest) -> Digest {
    BRANCH_TAG.start().update(left).update(right).finish()
}
