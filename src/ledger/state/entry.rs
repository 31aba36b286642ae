//! What the state holds, entry by entry: keys, values, and the key's place in the authenticated map.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::hash::tagged::Tag;
use crate::ledger::coinbase::Payout;
use crate::ledger::signature::PubKey;
use crate::ledger::transaction::CoreId;
use crate::ledger::transaction::attest::Point;
use crate::ledger::tree::StateKey;

const KEY_TAG: Tag = Tag::new("state-key");

/// Names an entry. The first byte on disk is its kind; the numbers are consensus and never reused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EntryKey {
    /// What a key owns.
    Account(PubKey),
    /// Core ids accepted at a height, in block order; forgotten when none can still be valid. One
    /// entry a block, because thousands of short-lived ones would be most of the tree's work; the
    /// height of each id is kept beside the tree and derived from these lists.
    Accepted(u32),
    /// Rewards of the coinbase at a height that cannot be spent yet.
    Maturing(u32),
    /// Accounts left empty by the block at a height: pruned if they stay untouched.
    Idle(u32),
    /// A witness's last checkpoint on this chain.
    Witness(PubKey),
}

/// A value that one kind of entry holds.
pub trait EntryValue: BorshSerialize + BorshDeserialize {}

/// What a key owns. No entry means nothing owned and no nonce used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Account {
    /// Units.
    pub balance: u64,
    /// The last nonce that it paid with.
    pub nonce: u64,
    /// Height of the block that last changed it.
    pub touched: u32,
}

impl EntryValue for Account {}
impl EntryValue for Vec<CoreId> {}
impl EntryValue for Vec<Payout> {}
impl EntryValue for Vec<PubKey> {}
impl EntryValue for Point {}

impl EntryKey {
    /// The key in the store: the kind, then the key or the big-endian height.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Account(key) => [&[1][..], &key.0].concat(),
            Self::Accepted(height) => [&[2][..], &height.to_be_bytes()].concat(),
            Self::Maturing(height) => [&[3][..], &height.to_be_bytes()].concat(),
            Self::Idle(height) => [&[4][..], &height.to_be_bytes()].concat(),
            Self::Witness(key) => [&[5][..], &key.0].concat(),
        }
    }

    /// Reads what [`EntryKey::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let key = || rest.try_into().ok().map(PubKey);
        let height = || rest.try_into().ok().map(u32::from_be_bytes);
        Some(match kind {
            1 => Self::Account(key()?),
            2 => Self::Accepted(height()?),
            3 => Self::Maturing(height()?),
            4 => Self::Idle(height()?),
            5 => Self::Witness(key()?),
            _ => return None,
        })
    }

    /// The key in the authenticated map: tagged("state-key", encoded key).
    #[must_use]
    pub fn state_key(&self) -> StateKey {
        StateKey(KEY_TAG.hash(&self.encode()))
    }
}
