//! The authenticated map of the state: from 32-byte keys to the hashes of values, under one root of 32
//! bytes, with proofs that an entry is there or is not. It is a pure data structure: where pages are
//! kept is the store's affair, what the entries mean the state's.
//!
//! # The root
//!
//! A binary tree over the bits of the keys, most significant first. The hash of the subtree that holds
//! the entries whose keys begin with some bits is
//!
//! - 32 zero bytes if there is none,
//! - the hash of the leaf if there is one: `tagged("state-leaf", key || tagged("state-value", value))`,
//!   however deep the subtree,
//! - otherwise `SHA-256(SHA-256(left || right))` of the subtrees with one bit more.
//!
//! So it depends on the set of entries alone, not on the order in which they came, and setting the old
//! values again undoes a change.
//!
//! **Why no hash can pose as another.** A node is the SHA-256 of a string of 32 bytes, a leaf that of a
//! string of 128 which begins with the doubled hash of its tag ([`crate::hash::tagged`]). Strings of
//! different length are different, so a digest that is both would be a collision of SHA-256, and a
//! node or leaf of 32 zero bytes a preimage. Inside a node both halves have a fixed length; inside a
//! leaf the key has, and the value is hashed under a tag of its own. Hence one root stands for one set
//! of entries. Node hashing is that of Bitcoin's merkle tree, so the same kernels compute it in batches.
//!
//! # Pages
//!
//! Four levels at a time are kept as a [`Page`], named by its [`PagePath`]: finding an entry among n
//! takes about log16(n) reads. [`update`] computes from the changed entries the new root and exactly
//! the pages that change; it writes nothing. Which kernel hashes the nodes makes no difference to the
//! result. See [`Page`] and [`Proof`] for their bytes.

mod fold;
mod key;
mod leaf;
mod memory;
mod page;
mod pages;
mod proof;
mod scrub;
mod update;

pub use key::{KEY_BITS, PAGE_SLOTS, PagePath, StateKey};
pub use leaf::{Leaf, ValueHash};
pub use memory::MemoryPages;
pub use page::{PAGE_BYTES_MAX, Page, Slot};
pub use pages::{Pages, PagesError};
pub use proof::{PROOF_BYTES_MAX, Proof, ProofError, prove};
pub use scrub::Scrub;
pub use update::{Change, PageChange, Update, update, update_on};

use std::fmt;

use crate::primitives::Digest;

/// The hash of a subtree without entries.
const EMPTY: Digest = [0; 32];

/// The root of the tree: what a coinbase commits to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StateRoot(pub Digest);

impl StateRoot {
    /// The root of the state without entries.
    pub const EMPTY: Self = Self(EMPTY);
}

impl fmt::Display for StateRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for StateRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateRoot({self})")
    }
}
