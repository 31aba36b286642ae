//! Who acts: one key, or k of a group of keys. A group has an id of its own, and a body that it signs
//! names by a bitmap which k members sign, so that nobody can add, drop or swap a signature.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};

use super::list;
use crate::hash::tagged::Tag;
use crate::ledger::signature::PubKey;
use crate::ledger::spec::KEY_SET_MAX;

const GROUP_TAG: Tag = Tag::new("group");

/// One key or a group, with those who sign.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Party {
    /// One key, which signs.
    Key(PubKey) = 0,
    /// k of n keys.
    Group(Group) = 1,
}

/// k of n keys, and who of them signs.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Group {
    /// How many must sign.
    pub k: u8,
    /// 2 to 32 members, ascending.
    #[borsh(deserialize_with = "list::at_most::<KEY_SET_MAX, _, _>")]
    pub keys: Vec<PubKey>,
    /// Bit i, from the least significant: member i signs. Exactly k bits.
    pub signed_by: u32,
}

/// Names a party: the bytes of its key, or tagged("group", k || count || keys) of its group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct PartyId(pub [u8; 32]);

impl Party {
    /// Its name in the state.
    #[must_use]
    pub fn id(&self) -> PartyId {
        match self {
            Self::Key(key) => PartyId(key.0),
            Self::Group(group) => PartyId::of_group(group.k, &group.keys),
        }
    }

    /// Who signs, in order.
    #[must_use]
    pub fn signers(&self) -> Vec<PubKey> {
        match self {
            Self::Key(key) => vec![*key],
            Self::Group(group) => {
                let bits = (0..u32::BITS).map(|at| group.signed_by >> at & 1);
                let members = group.keys.iter().zip(bits);
                members.filter(|(_, bit)| *bit == 1).map(|(key, _)| *key).collect()
            }
        }
    }

    /// Every key that it names.
    #[must_use]
    pub fn keys(&self) -> Vec<PubKey> {
        match self {
            Self::Key(key) => vec![*key],
            Self::Group(group) => group.keys.clone(),
        }
    }

    /// Whether this is the one way to write the party and its signers: what is wrong, if not.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let Self::Group(group) = self else { return None };
        let (n, k) = (group.keys.len(), usize::from(group.k));
        if !(2..=KEY_SET_MAX).contains(&n) {
            Some("a group has 2 to 32 members")
        } else if !(1..=n).contains(&k) {
            Some("k of a group is 1 to the number of members")
        } else if !group.keys.is_sorted_by(|a, b| a < b) {
            Some("the members of a group ascend")
        } else if n < 32 && group.signed_by >> n != 0 {
            Some("a bit of a group's bitmap beyond its members")
        } else if group.signed_by.count_ones() != u32::from(group.k) {
            Some("a group's bitmap has exactly k bits")
        } else {
            None
        }
    }
}

impl PartyId {
    /// Of a group, its members ascending.
    #[must_use]
    pub fn of_group(k: u8, keys: &[PubKey]) -> Self {
        let mut hash = GROUP_TAG.start();
        // A list is at most 32 long, so its count fits the byte; after it every part has a fixed length.
        hash.update(&[k, u8::try_from(keys.len()).unwrap_or(u8::MAX)]);
        for key in keys {
            hash.update(&key.0);
        }
        Self(hash.finish())
    }
}

impl From<PubKey> for PartyId {
    fn from(key: PubKey) -> Self {
        Self(key.0)
    }
}

impl From<PubKey> for Party {
    fn from(key: PubKey) -> Self {
        Self::Key(key)
    }
}

impl fmt::Display for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartyId({self})")
    }
}
