//! Splitting a content key among guardians, and putting it together again.
//!
//! Shamir's scheme over GF(256), byte by byte, guardian i at x = i + 1. If some guardians are required,
//! what is shared is the key xor one random part for each of them: k shares give nothing as long as one
//! part is missing. Guardian i's value is its share, followed by its part if it is required.
//!
//! The commitment to value i is `tagged("share", rid || epoch || set || i || salt || value)`, integers
//! little-endian, epoch 4 bytes, set and i one byte each; the commitments stand under `shares_root`, the
//! guardians' keys under `guardians_root`, both padded to a power of two. Salts are fresh: a value is
//! random already, but not if a key were shared 1 of 1.

use blahaj::Sharks;
use borsh::{BorshDeserialize, BorshSerialize};
use zeroize::{Zeroize, Zeroizing};

use super::content::ContentKey;
use super::entropy::Entropy;
use crate::hash::tagged::Tag;
use crate::ledger::policy::{Entry, Guardian, Path, Salt, Tree};
use crate::ledger::signature::PubKey;
use crate::ledger::transaction::record::{GUARDIANS_MAX, ShareSet};
use crate::wallet::NoEntropy;

const SHARE_TAG: Tag = Tag::new("share");
const SECRET_BYTES: usize = 32;

/// One epoch of a record: what every commitment and every seal is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RecordEpoch {
    /// The record.
    pub rid: PubKey,
    /// Its epoch.
    pub epoch: u32,
}

/// What a guardian holds: enough to approve and to give its share away, nothing to open with.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Share {
    /// Index of the share set.
    pub set: u8,
    /// Index of the guardian.
    pub index: u8,
    /// Salt of its commitment.
    pub salt: Salt,
    /// The share, and the part of a required guardian.
    pub value: Vec<u8>,
    /// From the commitment to the set's `shares_root`.
    pub path: Path,
}

/// A share with its guardian, before it is sealed.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Slip {
    /// Whose share.
    pub of: RecordEpoch,
    /// The share.
    pub share: Share,
    /// Salt of the guardian's entry.
    pub guardian_salt: Salt,
    /// From the entry to the set's `guardians_root`.
    pub guardian_path: Path,
}

/// A key split: what goes on chain, and what goes to the guardians.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dealing {
    /// The commitments.
    pub set: ShareSet,
    /// One for each guardian, in order.
    pub slips: Vec<Slip>,
}

/// A guardian to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its key.
    pub key: PubKey,
    /// Whether nothing opens without it.
    pub is_required: bool,
}

/// Why a key is not split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DealError {
    /// k is below 2 or above the number of guardians, or there are too many of them.
    #[error("{k} of {n} guardians; it takes 2 <= k <= n <= {GUARDIANS_MAX}")]
    Threshold {
        /// How many are to be enough.
        k: u8,
        /// How many there are.
        n: usize,
    },
    /// One key twice would be one guardian who counts for two.
    #[error("guardian {0} is named twice")]
    Twice(PubKey),
    /// No random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// Why shares give no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CombineError {
    /// This one is not what the chain commits to.
    #[error("the share of guardian {0} is not the one that the chain commits to")]
    BadShare(u8),
    /// Not enough of them.
    #[error("{have} shares of the {need} that it takes")]
    TooFew {
        /// Good and distinct ones.
        have: usize,
        /// k.
        need: u8,
    },
    /// A required guardian's is missing.
    #[error("the share of guardian {0} is missing, and nothing opens without it")]
    RequiredMissing(u8),
}

/// Splits a key among the guardians of one set.
///
/// # Errors
///
/// See [`DealError`].
///
/// # Panics
///
/// Never: the counts are checked first.
pub fn deal(
    key: &ContentKey,
    of: RecordEpoch,
    set: u8,
    k: u8,
    members: &[Member],
) -> Result<Dealing, DealError> {
    let n = u8::try_from(members.len()).ok().filter(|n| (2..=*n).contains(&k));
    let Some(n) = n.filter(|n| *n <= GUARDIANS_MAX) else {
        return Err(DealError::Threshold { k, n: members.len() });
    };
    for (index, member) in members.iter().enumerate() {
        if members[..index].iter().any(|other| other.key == member.key) {
            return Err(DealError::Twice(member.key));
        }
    }
    let mut entropy = Entropy::new()?;

    let mut masked = Zeroizing::new(*key.as_bytes());
    let mut parts = Vec::with_capacity(members.len());
    let mut required = 0_u32;
    for (index, member) in members.iter().enumerate() {
        let part = member.is_required.then(|| {
            required |= 1 << index;
            let part = Zeroizing::new(entropy.array::<SECRET_BYTES>());
            masked.iter_mut().zip(part.iter()).for_each(|(byte, part)| *byte ^= part);
            part
        });
        parts.push(part);
    }
    let dealt = Sharks(k).dealer_rng(&*masked, &mut entropy);
    let mut shares: Vec<Share> = (0..n)
        .zip(dealt)
        .zip(&parts)
        .map(|((index, dealt), part)| {
            // The library's bytes are x, then the share; x is index + 1.
            let bytes = Zeroizing::new(Vec::from(&dealt));
            let part = part.as_ref().map_or(&[][..], |part| part.as_slice());
            let value = [&bytes[1..], part].concat();
            Share { set, index, salt: Salt::default(), value, path: Path::default() }
        })
        .collect();
    for share in &mut shares {
        share.salt = entropy.array();
    }
    let guardian_salts: Vec<Salt> = members.iter().map(|_| entropy.array()).collect();

    let commitments = shares.iter().map(|share| share.commitment(&of)).collect();
    let shares_tree = padded(commitments, &mut entropy);
    let entries = (0..n).zip(members).zip(&guardian_salts).map(|((index, member), salt)| {
        let guardian = Guardian { rid: of.rid, epoch: of.epoch, set, index, key: member.key };
        guardian.leaf(salt)
    });
    let guardians_tree = padded(entries.collect(), &mut entropy);
    let slips = shares.into_iter().zip(guardian_salts).enumerate();
    let slips = slips.map(|(index, (mut share, guardian_salt))| {
        share.path = shares_tree.path(index).expect("a leaf of the tree");
        let guardian_path = guardians_tree.path(index).expect("a leaf of the tree");
        Slip { of, share, guardian_salt, guardian_path }
    });
    let slips = slips.collect();
    let (shares_root, guardians_root) = (shares_tree.root(), guardians_tree.root());
    Ok(Dealing { set: ShareSet { n, k, shares_root, guardians_root, required }, slips })
}

/// Puts the key together from shares of one set. Every share is checked against the chain's commitment
/// first, so that a bad one is named and never spoils the others.
///
/// # Errors
///
/// See [`CombineError`].
pub fn combine(
    of: &RecordEpoch,
    set: &ShareSet,
    shares: &[Share],
) -> Result<ContentKey, CombineError> {
    let mut good: Vec<&Share> = Vec::with_capacity(shares.len());
    for share in shares {
        if !share.is_committed(of, set) {
            return Err(CombineError::BadShare(share.index));
        }
        if good.iter().all(|other| other.index != share.index) {
            good.push(share);
        }
    }
    let missing = (0..set.n)
        .find(|i| set.required >> i & 1 == 1 && good.iter().all(|share| share.index != *i));
    if let Some(index) = missing {
        return Err(CombineError::RequiredMissing(index));
    }
    let too_few = CombineError::TooFew { have: good.len(), need: set.k };
    let points: Vec<blahaj::Share> = good
        .iter()
        .take(usize::from(set.k))
        .filter_map(|share| {
            let x = share.index.checked_add(1)?;
            let bytes = Zeroizing::new([&[x][..], &share.value[..SECRET_BYTES]].concat());
            blahaj::Share::try_from(bytes.as_slice()).ok()
        })
        .collect();
    let secret = Zeroizing::new(Sharks(set.k).recover(&points).map_err(|_| too_few)?);
    let mut key = Zeroizing::new([0; SECRET_BYTES]);
    key.copy_from_slice(&secret);
    for share in good {
        key.iter_mut().zip(&share.value[SECRET_BYTES..]).for_each(|(byte, part)| *byte ^= part);
    }
    Ok(ContentKey::from_bytes(key))
}

impl RecordEpoch {
    /// rid, then the epoch little-endian.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [&self.rid.0[..], &self.epoch.to_le_bytes()].concat()
    }
}

impl Share {
    /// What stands for it under `shares_root`.
    #[must_use]
    pub fn commitment(&self, of: &RecordEpoch) -> [u8; 32] {
        let mut hash = SHARE_TAG.start();
        hash.update(&of.encode()).update(&[self.set, self.index]);
        hash.update(&self.salt).update(&self.value);
        hash.finish()
    }

    /// Whether it is the one that the chain commits to: of this record, epoch, set and index, with as
    /// many bytes as the guardian's part in the scheme asks for.
    #[must_use]
    pub fn is_committed(&self, of: &RecordEpoch, set: &ShareSet) -> bool {
        let is_required = self.index < 32 && set.required >> self.index & 1 == 1;
        let bytes = if is_required { 2 * SECRET_BYTES } else { SECRET_BYTES };
        self.index < set.n
            && self.value.len() == bytes
            && self.path.index == u16::from(self.index)
            && self.path.root_from(self.commitment(of)) == Some(set.shares_root)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

/// Without the value.
impl std::fmt::Debug for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Share")
            .field("set", &self.set)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

/// The tree over leaves and random padding: a path then says the index, and the root not the number.
fn padded(mut leaves: Vec<[u8; 32]>, entropy: &mut Entropy) -> Tree {
    let count = leaves.len().next_power_of_two().max(4);
    leaves.resize_with(count, || entropy.array());
    Tree::new(leaves).expect("4 to 32 leaves")
}
