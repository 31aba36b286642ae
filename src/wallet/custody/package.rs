//! A record sealed, in one step: the file encrypted, the key split and forgotten, every share sealed to
//! its guardian. The sealed shares of all sets are one blob, the package, whose hash is the record's
//! pointer on chain. Nothing in it says who the guardians are: each finds its own by trying, and the
//! places of those who are not there hold random bytes of the same length.

use borsh::{BorshDeserialize, BorshSerialize};

use super::content::{ContentError, ContentKey};
use super::entropy::Entropy;
use super::sealing::SealError;
use super::sharing::{DealError, Member, RecordEpoch, Slip, deal};
use crate::ledger::policy::{Guardian, Path, Salt};
use crate::ledger::signature::PubKey;
use crate::ledger::store::Blobs;
use crate::ledger::transaction::record::{GUARDIANS_MAX, SHARE_SETS_MAX, ShareSet};
use crate::wallet::{NoEntropy, SecretKey};

/// Bytes of a package that anybody reads.
pub const PACKAGE_BYTES_MAX: usize = 1 << 20;
const VERSION: u8 = 1;
/// Every package has a multiple of so many slips, so that few guardians look like some more.
const SLIPS_MULTIPLE: usize = 8;

/// Who is to guard one set, and how many of them are enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guardians {
    /// How many shares give the key.
    pub k: u8,
    /// Everyone who gets a share.
    pub members: Vec<Member>,
}

/// Where a guardian stands in a set: what its owner needs to show that it is one, without its share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// The guardian.
    pub member: Member,
    /// Salt of its entry under the set's `guardians_root`.
    pub salt: Salt,
    /// From the entry to the root.
    pub path: Path,
}

/// A record ready to be announced.
#[derive(Debug)]
pub struct Sealed {
    /// The record.
    pub of: RecordEpoch,
    /// The ciphertext.
    pub blob: Vec<u8>,
    /// The sealed shares: [`Package::encode`].
    pub package: Vec<u8>,
    /// What the chain commits to.
    pub share_sets: Vec<ShareSet>,
    /// Who guards each of them, by index.
    pub seats: Vec<Vec<Seat>>,
}

/// Sealed shares.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Package {
    version: u8,
    slips: Vec<Vec<u8>>,
}

/// Why a record is not sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// The file is too long.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The key cannot be split so.
    #[error("share set {set}: {error}")]
    Deal {
        /// Which set.
        set: u8,
        /// Why.
        error: DealError,
    },
    /// No set, or too many.
    #[error("{0} share sets, expected 1 or 2: one for every day, one for emergencies")]
    Sets(usize),
    /// A guardian's key is none.
    #[error("guardian {key}: {error}")]
    Guardian {
        /// Whose.
        key: PubKey,
        /// Why.
        error: SealError,
    },
    /// No random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl Sealed {
    /// Encrypts `content` under a fresh key, splits the key among the guardians of each set, and forgets
    /// it.
    ///
    /// # Errors
    ///
    /// See [`PackageError`].
    pub fn new(of: RecordEpoch, content: &[u8], sets: &[Guardians]) -> Result<Self, PackageError> {
        if !(1..=SHARE_SETS_MAX).contains(&sets.len()) {
            return Err(PackageError::Sets(sets.len()));
        }
        let key = ContentKey::generate()?;
        let blob = key.seal(&of, content)?;
        let (mut slips, mut share_sets, mut seats) = (Vec::new(), Vec::new(), Vec::new());
        for (set, guardians) in (0..).zip(sets) {
            let dealing = deal(&key, of, set, guardians.k, &guardians.members)
                .map_err(|error| PackageError::Deal { set, error })?;
            for (slip, member) in dealing.slips.iter().zip(&guardians.members) {
                let sealed = slip.seal(&member.key);
                let guardian = |error| PackageError::Guardian { key: member.key, error };
                slips.push(sealed.map_err(guardian)?);
            }
            share_sets.push(dealing.set);
            let seated = dealing.slips.iter().zip(&guardians.members).map(|(slip, member)| Seat {
                member: *member,
                salt: slip.guardian_salt,
                path: slip.guardian_path.clone(),
            });
            seats.push(seated.collect());
        }
        let package = Package::padded(slips)?.encode();
        Ok(Self { of, blob, package, share_sets, seats })
    }

    /// What the record says on chain of the ciphertext.
    #[must_use]
    pub fn blob_hash(&self) -> [u8; 32] {
        Blobs::hash(&self.blob)
    }

    /// What the record says on chain of the package.
    #[must_use]
    pub fn pointer(&self) -> [u8; 32] {
        Blobs::hash(&self.package)
    }
}

impl Package {
    /// Fills up with random slips and sorts, so that neither number nor order says anything.
    fn padded(mut slips: Vec<Vec<u8>>) -> Result<Self, NoEntropy> {
        let mut entropy = Entropy::new()?;
        let longest = slips.iter().map(Vec::len).max().unwrap_or(0);
        let count = slips.len().next_multiple_of(SLIPS_MULTIPLE);
        slips.resize_with(count, || {
            let mut random = vec![0; longest];
            entropy.fill(&mut random);
            random
        });
        slips.sort_unstable();
        Ok(Self { version: VERSION, slips })
    }

    /// Its bytes: version 1, count, then each slip with its length.
    ///
    /// # Panics
    ///
    /// Never: memory takes every write.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("writing to memory cannot fail")
    }

    /// Reads a package without trusting it; `None` for anything that is none.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let most = usize::from(GUARDIANS_MAX) * SHARE_SETS_MAX;
        if bytes.len() > PACKAGE_BYTES_MAX {
            return None;
        }
        let package: Self = borsh::from_slice(bytes).ok()?;
        (package.version == VERSION && package.slips.len() <= most).then_some(package)
    }

    /// The shares that are sealed to this guardian.
    #[must_use]
    pub fn slips_of(&self, guardian: &SecretKey) -> Vec<Slip> {
        self.slips.iter().filter_map(|sealed| Slip::open(guardian, sealed)).collect()
    }
}

impl Slip {
    /// Whether the slip is what the chain commits to: its share, and that this key is its guardian.
    #[must_use]
    pub fn is_committed(&self, key: &PubKey, sets: &[ShareSet]) -> bool {
        let Some(set) = sets.get(usize::from(self.share.set)) else { return false };
        let RecordEpoch { rid, epoch } = self.of;
        let guardian =
            Guardian { rid, epoch, set: self.share.set, index: self.share.index, key: *key };
        self.share.is_committed(&self.of, set)
            && guardian.is_shown(&self.guardian_salt, &self.guardian_path, &set.guardians_root)
    }
}
