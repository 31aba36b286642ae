//! Building a policy, for wallets: the trees with every salt derived from one seed of the grant, padded
//! with leaves that open nothing, so that a root shows neither what it holds nor how much.

use borsh::{BorshDeserialize, BorshSerialize};

use super::leaf::{Leaf, LeafError};
use super::place::Place;
use super::role::RoleRef;
use super::tree::{Entry, Path, Salt, Tree};
use crate::hash::tagged::Tag;

const SALT_TAG: Tag = Tag::new("policy-salt");
const PADDING_TAG: Tag = Tag::new("policy-padding");
/// Sub-trees have at least so many leaves: one reader and several look alike.
const SUB_LEAVES_MIN: usize = 4;

/// Which list a salt is for.
#[derive(Clone, Copy)]
enum List {
    Leaves = 0,
    Readers = 1,
    Places = 2,
}

/// A leaf to be, with what its roots stand for.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Draft {
    /// The terms; salt and roots are filled in.
    pub terms: Leaf,
    /// Who may read.
    pub readers: Vec<RoleRef>,
    /// Where.
    pub places: Vec<Place>,
}

/// A policy with everything that its owner can show of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyTree {
    branches: Vec<Branch>,
    tree: Tree,
}

/// An entry of a list with what shows it.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Shown<T> {
    /// The entry.
    pub value: T,
    /// Its salt.
    pub salt: Salt,
    /// From it to the root of its list.
    pub path: Path,
}

/// A leaf with its lists.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Branch {
    /// The leaf.
    pub leaf: Leaf,
    /// From the leaf to the policy's root.
    pub path: Path,
    /// The readers as they are shown.
    pub readers: Vec<Shown<RoleRef>>,
    /// The places as they are shown.
    pub places: Vec<Shown<Place>>,
}

/// Why drafts make no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// No leaf, no reader or no place, or more than a tree holds.
    #[error("{what}: none, or more than a tree holds")]
    Count {
        /// Which list.
        what: &'static str,
    },
    /// A leaf makes no sense.
    #[error("leaf {index}: {error}")]
    Leaf {
        /// Which.
        index: usize,
        /// Why.
        error: LeafError,
    },
}

impl PolicyTree {
    /// Builds the trees. The seed must be fresh for each grant: with it every salt is known.
    ///
    /// # Errors
    ///
    /// A list is empty or too long, or a leaf breaks a rule of [`Leaf::check`].
    pub fn build(seed: &[u8; 32], spacing_s: u32, drafts: &[Draft]) -> Result<Self, PolicyError> {
        let mut branches = Vec::with_capacity(drafts.len());
        for (index, draft) in drafts.iter().enumerate() {
            let readers = show_all(seed, index, List::Readers, &draft.readers)
                .ok_or(PolicyError::Count { what: "readers" })?;
            let places = show_all(seed, index, List::Places, &draft.places)
                .ok_or(PolicyError::Count { what: "places" })?;
            let leaf = Leaf {
                salt: salt(seed, index, List::Leaves, 0),
                readers: readers.0,
                places: places.0,
                ..draft.terms.clone()
            };
            leaf.check(spacing_s).map_err(|error| PolicyError::Leaf { index, error })?;
            let path = Path::default();
            branches.push(Branch { leaf, path, readers: readers.1, places: places.1 });
        }
        let leaves = branches.iter().map(|branch| branch.leaf.hash()).collect();
        let tree = padded(seed, drafts.len(), List::Leaves, leaves, 1)
            .ok_or(PolicyError::Count { what: "leaves" })?;
        for (index, branch) in branches.iter_mut().enumerate() {
            branch.path = tree.path(index).expect("a leaf of the tree");
        }
        Ok(Self { branches, tree })
    }

    /// What a grant puts on chain.
    #[must_use]
    pub fn root(&self) -> [u8; 32] {
        self.tree.root()
    }

    /// The leaves in the order of the drafts.
    #[must_use]
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }
}

impl Branch {
    /// Root of the policy that the branch is of; `None` if its path is none.
    #[must_use]
    pub fn root(&self) -> Option<[u8; 32]> {
        self.path.root_from(self.leaf.hash())
    }

    /// Whether every path in it leads where it should: the entries to the leaf, the leaf to some root.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let leads = |leaf, path: &Path, root| path.root_from(leaf) == Some(root);
        self.root().is_some()
            && self
                .readers
                .iter()
                .all(|shown| leads(shown.value.leaf(&shown.salt), &shown.path, self.leaf.readers))
            && self
                .places
                .iter()
                .all(|shown| leads(shown.value.leaf(&shown.salt), &shown.path, self.leaf.places))
    }
}

/// The root of a sub-tree and each value with its path.
fn show_all<T: Entry + Copy>(
    seed: &[u8; 32],
    leaf: usize,
    list: List,
    values: &[T],
) -> Option<([u8; 32], Vec<Shown<T>>)> {
    if values.is_empty() {
        return None;
    }
    let salts: Vec<Salt> = (0..values.len()).map(|i| salt(seed, leaf, list, i)).collect();
    let hashes = values.iter().zip(&salts).map(|(value, salt)| value.leaf(salt)).collect();
    let tree = padded(seed, leaf, list, hashes, SUB_LEAVES_MIN)?;
    let shown = values.iter().zip(salts).enumerate().map(|(index, (value, salt))| {
        let path = tree.path(index).expect("a leaf of the tree");
        Shown { value: *value, salt, path }
    });
    Some((tree.root(), shown.collect()))
}

/// A tree of a power of two leaves, the rest of them hashes of nothing that anybody knows.
fn padded(
    seed: &[u8; 32],
    leaf: usize,
    list: List,
    mut leaves: Vec<[u8; 32]>,
    least: usize,
) -> Option<Tree> {
    if leaves.is_empty() {
        return None;
    }
    let count = leaves.len().checked_next_power_of_two()?.max(least);
    leaves.extend((leaves.len()..count).map(|i| derive(PADDING_TAG, seed, leaf, list, i)));
    Tree::new(leaves)
}

fn salt(seed: &[u8; 32], leaf: usize, list: List, index: usize) -> Salt {
    let digest = derive(SALT_TAG, seed, leaf, list, index);
    *digest.first_chunk().expect("16 of 32 bytes")
}

fn derive(tag: Tag, seed: &[u8; 32], leaf: usize, list: List, index: usize) -> [u8; 32] {
    let mut hash = tag.start();
    hash.update(seed).update(&[list as u8]);
    hash.update(&(leaf as u64).to_le_bytes()).update(&(index as u64).to_le_bytes());
    hash.finish()
}
