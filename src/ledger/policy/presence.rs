//! Presence: a beacon signs, once a round, the root of the keys that it heard over its short-range link.
//! One signature attests the whole room; each key shows its own path.
//!
//! It proves "the beacon signed for this key after that block", not that a body was there: a relayed
//! radio link defeats it. The anchor makes it no older than a block, the block that includes it no
//! younger. The signature stands among those of the transaction, so a false one makes the transaction
//! invalid (`BadSig`) and is verified in the common batch. Keys are salted, so that one key's path does
//! not tell who else was in the room.

use borsh::{BorshDeserialize, BorshSerialize};

use super::tree::{Entry, Path, Salt, Tree};
use crate::hash::tagged::Tag;
use crate::ledger::signature::{PubKey, Sig};
use crate::primitives::BlockHash;

const PRESENCE_TAG: Tag = Tag::new("presence");

/// What a beacon signed, and that the signing key is among those it heard.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Presence {
    /// Which beacon.
    pub beacon: PubKey,
    /// Which round.
    pub round: u64,
    /// Hash of a block: the round was not before it.
    pub anchor: [u8; 32],
    /// Root over the keys that were heard.
    pub keys_root: [u8; 32],
    /// The beacon's signature of [`Presence::message`].
    pub sig: Sig,
    /// Salt of the key.
    pub salt: Salt,
    /// From the key to `keys_root`.
    pub path: Path,
}

/// A leaf under `keys_root`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PresentKey(pub PubKey);

impl Entry for PresentKey {
    const TAG: Tag = Tag::new("present");
}

/// A round as the beacon holds it: the keys heard, before and after it signs.
#[derive(Debug, Clone)]
pub struct Roll {
    blank: Presence,
    keys: Vec<(PubKey, Salt)>,
    tree: Tree,
}

impl Presence {
    /// tagged("presence", genesis hash || beacon || round || anchor || `keys_root`): what the beacon signs.
    #[must_use]
    pub fn message(&self, genesis: &BlockHash) -> [u8; 32] {
        let mut hash = PRESENCE_TAG.start();
        hash.update(&genesis.0).update(&self.beacon.0).update(&self.round.to_le_bytes());
        hash.update(&self.anchor).update(&self.keys_root);
        hash.finish()
    }

    /// Whether the beacon heard the key, provided that its signature is valid.
    #[must_use]
    pub fn is_of(&self, key: PubKey) -> bool {
        PresentKey(key).is_under(&self.salt, &self.path, &self.keys_root)
    }

    /// Names the round: equal for all keys heard in it. A beacon that says two things of one round has
    /// said two rounds.
    #[must_use]
    pub fn round_id(&self) -> [u8; 32] {
        self.message(&BlockHash::ZERO)
    }
}

impl Roll {
    /// A round of the keys heard, each with a fresh salt; `None` for no key or more than a tree holds.
    #[must_use]
    pub fn new(
        beacon: PubKey,
        round: u64,
        anchor: BlockHash,
        keys: Vec<(PubKey, Salt)>,
    ) -> Option<Self> {
        let tree = Tree::new(keys.iter().map(|(key, salt)| PresentKey(*key).leaf(salt)).collect())?;
        let (sig, salt, path) = (Sig([0; 64]), [0; 16], Path::default());
        let keys_root = tree.root();
        let blank = Presence { beacon, round, anchor: anchor.0, keys_root, sig, salt, path };
        Some(Self { blank, keys, tree })
    }

    /// What the beacon signs.
    #[must_use]
    pub fn message(&self, genesis: &BlockHash) -> [u8; 32] {
        self.blank.message(genesis)
    }

    /// What to hand to the device that holds the key, once signed; `None` if it was not heard.
    #[must_use]
    pub fn presence(&self, key: PubKey, sig: Sig) -> Option<Presence> {
        let index = self.keys.iter().position(|(heard, _)| *heard == key)?;
        let (salt, path) = (self.keys[index].1, self.tree.path(index)?);
        Some(Presence { sig, salt, path, ..self.blank.clone() })
    }
}
