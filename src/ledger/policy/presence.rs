//! Presence: a beacon says which keys it heard in a round.

use borsh::{BorshDeserialize, BorshSerialize};

use super::Path;
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
    /// From the key to `keys_root`.
    pub path: Path,
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
}
