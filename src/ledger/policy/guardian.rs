//! Who holds a share: a member of a share set, shown by a path under the record's `guardians_root`.

use borsh::{BorshDeserialize, BorshSerialize};

use super::tree::{Entry, Path, Salt};
use crate::hash::tagged::Tag;
use crate::ledger::signature::PubKey;

/// What a leaf under `guardians_root` says. It names the record, the epoch, the set and the index, so a
/// path serves no other record, and no index is claimed with a path to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Guardian {
    /// The record.
    pub rid: PubKey,
    /// Its epoch.
    pub epoch: u32,
    /// Index of the share set.
    pub set: u8,
    /// Index of the guardian and of its share, from 0.
    pub index: u8,
    /// The guardian's key.
    pub key: PubKey,
}

impl Entry for Guardian {
    const TAG: Tag = Tag::new("guardian");
}

/// A guardian as a path may show one, with the root that the path leads to.
pub(in crate::ledger) type LedGuardian = (Guardian, Option<[u8; 32]>);

impl Guardian {
    /// Whether the path, which says the index, shows this guardian.
    #[must_use]
    pub fn is_shown(&self, salt: &Salt, path: &Path, guardians_root: &[u8; 32]) -> bool {
        u16::from(self.index) == path.index && self.is_under(salt, path, guardians_root)
    }
}
