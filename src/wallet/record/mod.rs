//! What an owner keeps of a record: its key, who guards it, and every policy with its salts, so that any
//! leaf and any path can be shown again. Never the content key, and no share: both are forgotten when the
//! record is sealed.
//!
//! A record goes through epochs: each has a key of its own, its own guardians and its own policies, and
//! takes the place of the one before. What stands on the chain is read there; here is only what the chain
//! hides.

mod folder;
mod wire;

use std::fmt;

use zeroize::Zeroizing;

pub use folder::{RecordError, RecordFolder, RecordName};
pub use wire::{RECORD_FILE_BYTES_MAX, RecordFileError, parse, to_text};

use crate::ledger::policy::{Branch, Draft, PolicyError, PolicyTree};
use crate::ledger::signature::PubKey;
use crate::ledger::transaction::party::PartyId;
use crate::ledger::transaction::record::{Previous, Record, ShareSet};
use crate::ledger::transaction::{Group, Party};
use crate::primitives::BlockHash;
use crate::wallet::custody::sharing::RecordEpoch;
use crate::wallet::custody::{Guardians, Sealed, Seat};
use crate::wallet::handout::PolicyBranch;
use crate::wallet::secret::fill_random;
use crate::wallet::{NoEntropy, SecretKey};

/// Epochs that one file keeps.
pub const EPOCHS_MAX: usize = 64;
/// Policies of one epoch.
pub const POLICIES_MAX: usize = 64;
/// Leaves of one policy.
pub const LEAVES_MAX: usize = 64;

/// A record through all its epochs.
#[derive(Debug, PartialEq, Eq)]
pub struct KeptRecord {
    /// Genesis of its chain.
    pub genesis: BlockHash,
    /// At least one, at most [`EPOCHS_MAX`], in order; the last one is the latest, which the chain need
    /// not have accepted.
    pub epochs: Vec<KeptEpoch>,
}

/// A record between two changes of its key.
#[derive(Debug)]
pub struct KeptEpoch {
    /// The key that names it, and signs when it is announced.
    pub rid: SecretKey,
    /// Its number.
    pub epoch: u32,
    /// Who owns it.
    pub owners: Owners,
    /// Hash of the ciphertext.
    pub blob: [u8; 32],
    /// Hash of the package of sealed shares.
    pub pointer: [u8; 32],
    /// Who is paid where a leaf has a price.
    pub payout: PubKey,
    /// Blocks that a new policy waits.
    pub grant_delay: u32,
    /// Its share sets, the everyday one first.
    pub sets: Vec<KeptSet>,
    /// Its policies in the order in which they were made; the chain says which is in force.
    pub policies: Vec<KeptPolicy>,
}

/// One key, or k of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owners {
    /// How many must sign.
    pub k: u8,
    /// All of them, ascending.
    pub keys: Vec<PubKey>,
}

/// A share set with its guardians.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSet {
    /// What the chain commits to.
    pub set: ShareSet,
    /// Who guards, by index.
    pub seats: Vec<Seat>,
}

/// A policy with the seed of its salts.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptPolicy {
    /// Every salt hangs on it; fresh for each policy.
    pub seed: Zeroizing<[u8; 32]>,
    /// The leaves: what the owner calls each, and what it says.
    pub leaves: Vec<(String, Draft)>,
}

impl KeptRecord {
    /// The latest epoch.
    ///
    /// # Panics
    ///
    /// Never: there is at least one.
    #[must_use]
    pub fn latest(&self) -> &KeptEpoch {
        self.epochs.last().expect("a record has an epoch")
    }

    /// The epoch of a record's name on the chain.
    #[must_use]
    pub fn epoch_of(&self, rid: &PubKey) -> Option<&KeptEpoch> {
        self.epochs.iter().find(|epoch| epoch.rid.public_key() == *rid)
    }

    /// The same, to change it.
    pub fn epoch_of_mut(&mut self, rid: &PubKey) -> Option<&mut KeptEpoch> {
        self.epochs.iter_mut().find(|epoch| epoch.rid.public_key() == *rid)
    }
}

impl KeptEpoch {
    /// What is kept of a record that has just been sealed under the key `rid`.
    ///
    /// # Panics
    ///
    /// If it was sealed for another key.
    #[must_use]
    pub fn new(
        rid: SecretKey,
        sealed: &Sealed,
        owners: Owners,
        payout: PubKey,
        grant_delay: u32,
    ) -> Self {
        assert_eq!(rid.public_key(), sealed.of.rid, "sealed for this key");
        let sets = sealed.share_sets.iter().zip(&sealed.seats);
        Self {
            rid,
            epoch: sealed.of.epoch,
            owners,
            blob: sealed.blob_hash(),
            pointer: sealed.pointer(),
            payout,
            grant_delay,
            sets: sets
                .map(|(set, seats)| KeptSet { set: set.clone(), seats: seats.clone() })
                .collect(),
            policies: Vec::new(),
        }
    }

    /// Its name with its number.
    #[must_use]
    pub fn of(&self) -> RecordEpoch {
        RecordEpoch { rid: self.rid.public_key(), epoch: self.epoch }
    }

    /// What announces it, signed by `owners` in the place of `prev`.
    #[must_use]
    pub fn announcement(
        &self,
        owners: Party,
        policy_root: [u8; 32],
        prev: Option<Previous>,
    ) -> Record {
        Record {
            rid: self.rid.public_key(),
            owners,
            blob: self.blob,
            pointer: self.pointer,
            epoch: self.epoch,
            share_sets: self.sets.iter().map(|kept| kept.set.clone()).collect(),
            payout: self.payout,
            policy_root,
            grant_delay: self.grant_delay,
            prev,
        }
    }

    /// Who guards its sets, to seal the next epoch to.
    #[must_use]
    pub fn guardians(&self) -> Vec<Guardians> {
        let sets = self.sets.iter().map(|kept| Guardians {
            k: kept.set.k,
            members: kept.seats.iter().map(|seat| seat.member).collect(),
        });
        sets.collect()
    }

    /// The policy of a root, if it is kept.
    #[must_use]
    pub fn policy_of(&self, root: &[u8; 32], spacing_s: u32) -> Option<(&KeptPolicy, PolicyTree)> {
        self.policies.iter().rev().find_map(|policy| {
            let tree = policy.tree(spacing_s).ok()?;
            (tree.root() == *root).then_some((policy, tree))
        })
    }

    /// A branch of one of its policies, as it is handed to a reader.
    #[must_use]
    pub fn handout(&self, branch: &Branch) -> PolicyBranch {
        PolicyBranch { rid: self.rid.public_key(), branch: branch.clone() }
    }
}

impl Owners {
    /// Of a party.
    #[must_use]
    pub fn of(party: &Party) -> Self {
        match party {
            Party::Key(key) => Self { k: 1, keys: vec![*key] },
            Party::Group(group) => Self { k: group.k, keys: group.keys.clone() },
        }
    }

    /// Their name on the chain.
    #[must_use]
    pub fn id(&self) -> PartyId {
        match self.keys.as_slice() {
            [key] => (*key).into(),
            keys => PartyId::of_group(self.k, keys),
        }
    }

    /// As they sign: of a group the k members that `signs` picks first; `None` if it picks fewer.
    #[must_use]
    pub fn party(&self, signs: impl Fn(&PubKey) -> bool) -> Option<Party> {
        if let [key] = self.keys.as_slice() {
            return Some(Party::Key(*key));
        }
        let picked = self.keys.iter().enumerate().filter(|(_, key)| signs(key));
        let picked: Vec<usize> = picked.map(|(at, _)| at).take(self.k.into()).collect();
        let signed_by = picked.iter().fold(0, |bits, at| bits | 1_u32 << (at & 31));
        let group = Group { k: self.k, keys: self.keys.clone(), signed_by };
        (picked.len() == usize::from(self.k)).then_some(Party::Group(group))
    }
}

impl KeptPolicy {
    /// A policy of these leaves under a fresh seed.
    ///
    /// # Errors
    ///
    /// If the system gives no random bytes.
    pub fn new(leaves: Vec<(String, Draft)>) -> Result<Self, NoEntropy> {
        let mut seed = Zeroizing::new([0; 32]);
        fill_random(seed.as_mut_slice())?;
        Ok(Self { seed, leaves })
    }

    /// Every salt, leaf and path again.
    ///
    /// # Errors
    ///
    /// As [`PolicyTree::build`].
    pub fn tree(&self, spacing_s: u32) -> Result<PolicyTree, PolicyError> {
        let drafts: Vec<Draft> = self.leaves.iter().map(|(_, draft)| draft.clone()).collect();
        PolicyTree::build(&self.seed, spacing_s, &drafts)
    }

    /// Index of the leaf of this name.
    #[must_use]
    pub fn leaf_named(&self, name: &str) -> Option<usize> {
        self.leaves.iter().position(|(known, _)| known == name)
    }
}

impl PartialEq for KeptEpoch {
    fn eq(&self, other: &Self) -> bool {
        self.rid.public_key() == other.rid.public_key()
            && (self.epoch, &self.owners, self.blob, self.pointer)
                == (other.epoch, &other.owners, other.blob, other.pointer)
            && (self.payout, self.grant_delay, &self.sets, &self.policies)
                == (other.payout, other.grant_delay, &other.sets, &other.policies)
    }
}

impl Eq for KeptEpoch {}

/// Without the seed.
impl fmt::Debug for KeptPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptPolicy").field("leaves", &self.leaves).finish_non_exhaustive()
    }
}
