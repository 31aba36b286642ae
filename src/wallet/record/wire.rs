//! A kept record as text, version 1, JSON.
//!
//! ```json
//! {
//!   "format": "proofward-record", "version": 1, "genesis": "<genesis hash>",
//!   "epochs": [{
//!     "rid": "<public key>", "rid_seed": "<secret>", "epoch": 0,
//!     "owners": {"k": 1, "keys": ["<key>"]},
//!     "blob": "<hash>", "package": "<hash>", "payout": "<key>", "grant_delay": 1,
//!     "share_sets": [{
//!       "k": 2, "shares_root": "<hash>", "guardians_root": "<hash>",
//!       "guardians": [{"key": "<key>", "required": false, "salt": "<16 bytes>", "path": "<path>"}]
//!     }],
//!     "policies": [{"seed": "<secret>", "leaves": [{"name": "ward", "terms": ["<hex>", "<hex>"]}]}]
//!   }]
//! }
//! ```
//!
//! Bytes are hex; `path` and `terms` are the borsh bytes of a path and of a draft of a leaf. Whoever reads
//! it computes what can be computed: the public key from the seed, and every guardian's place under the
//! root.

use borsh::BorshDeserialize;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    EPOCHS_MAX, KeptEpoch, KeptPolicy, KeptRecord, KeptSet, LEAVES_MAX, Owners, POLICIES_MAX,
};
use crate::ledger::policy::{Draft, Guardian, Path};
use crate::ledger::signature::PubKey;
use crate::ledger::spec::KEY_SET_MAX;
use crate::ledger::transaction::record::{GUARDIANS_MAX, SHARE_SETS_MAX, ShareSet};
use crate::wallet::custody::Seat;
use crate::wallet::custody::sharing::Member;
use crate::wallet::{SecretKey, hex_lines};

/// Bytes of a record file.
pub const RECORD_FILE_BYTES_MAX: usize = 8 << 20;

const FORMAT: &str = "proofward-record";
const VERSION: u32 = 1;
/// Characters of a leaf's name.
const LEAF_NAME_CHARS_MAX: usize = 48;

/// Why a text is no record file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordFileError {
    /// Over [`RECORD_FILE_BYTES_MAX`].
    #[error("record file of {0} bytes, at most {RECORD_FILE_BYTES_MAX}")]
    TooLarge(usize),
    /// No JSON, or not these fields.
    #[error("not a record file: {0}")]
    Malformed(String),
    /// Another version.
    #[error("record file of version {0}, this program reads version {VERSION}")]
    Version(u32),
    /// A field holds something else than it should.
    #[error("record file: {field}: expected {expected}")]
    Field {
        /// Which.
        field: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    format: String,
    version: u32,
    genesis: String,
    epochs: Vec<WireEpoch>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireEpoch {
    rid: String,
    rid_seed: Zeroizing<String>,
    epoch: u32,
    owners: WireOwners,
    blob: String,
    package: String,
    payout: String,
    grant_delay: u32,
    share_sets: Vec<WireSet>,
    policies: Vec<WirePolicy>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireOwners {
    k: u8,
    keys: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSet {
    k: u8,
    shares_root: String,
    guardians_root: String,
    guardians: Vec<WireSeat>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSeat {
    key: String,
    required: bool,
    salt: String,
    path: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePolicy {
    seed: Zeroizing<String>,
    leaves: Vec<WireLeaf>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireLeaf {
    name: String,
    terms: Vec<String>,
}

/// The text of a record, with a line feed at its end.
///
/// # Panics
///
/// Never: texts and numbers serialise.
#[must_use]
pub fn to_text(record: &KeptRecord) -> Zeroizing<String> {
    let wire = Wire {
        format: FORMAT.into(),
        version: VERSION,
        genesis: record.genesis.to_string(),
        epochs: record.epochs.iter().map(WireEpoch::of).collect(),
    };
    let mut text =
        Zeroizing::new(serde_json::to_string_pretty(&wire).expect("texts and numbers serialise"));
    text.push('\n');
    text
}

/// Reads a record without trusting it.
///
/// # Errors
///
/// The first thing that is wrong.
pub fn parse(text: &[u8]) -> Result<KeptRecord, RecordFileError> {
    if text.len() > RECORD_FILE_BYTES_MAX {
        return Err(RecordFileError::TooLarge(text.len()));
    }
    let wire: Wire = serde_json::from_slice(text)
        .map_err(|error| RecordFileError::Malformed(error.to_string()))?;
    if wire.format != FORMAT {
        return Err(RecordFileError::Field { field: "format", expected: FORMAT });
    }
    if wire.version != VERSION {
        return Err(RecordFileError::Version(wire.version));
    }
    let genesis = wire.genesis.parse();
    let genesis = genesis.map_err(|_| field("genesis", "64 hex digits"))?;
    if wire.epochs.is_empty() || wire.epochs.len() > EPOCHS_MAX {
        return Err(field("epochs", "1 to 64 of them"));
    }
    let epochs = wire.epochs.iter().map(WireEpoch::read).collect::<Result<_, _>>()?;
    Ok(KeptRecord { genesis, epochs })
}

impl WireEpoch {
    fn of(epoch: &KeptEpoch) -> Self {
        let KeptEpoch { rid, epoch, owners, blob, pointer, payout, grant_delay, sets, policies } =
            epoch;
        Self {
            rid: rid.public_key().to_string(),
            rid_seed: Zeroizing::new(hex::encode(rid.seed())),
            epoch: *epoch,
            owners: WireOwners {
                k: owners.k,
                keys: owners.keys.iter().map(PubKey::to_string).collect(),
            },
            blob: hex::encode(blob),
            package: hex::encode(pointer),
            payout: payout.to_string(),
            grant_delay: *grant_delay,
            share_sets: sets.iter().map(WireSet::of).collect(),
            policies: policies.iter().map(WirePolicy::of).collect(),
        }
    }

    fn read(&self) -> Result<KeptEpoch, RecordFileError> {
        let seed = Zeroizing::new(array(&self.rid_seed, "rid_seed", "64 hex digits")?);
        let rid = SecretKey::from_seed(&seed);
        if rid.public_key() != key(&self.rid, "rid")? {
            return Err(field("rid", "the public key of rid_seed"));
        }
        let keys = self.owners.keys.iter().map(|text| key(text, "owners"));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let is_owners = (1..=keys.len()).contains(&usize::from(self.owners.k))
            && keys.len() <= KEY_SET_MAX
            && keys.is_sorted_by(|a, b| a < b);
        if !is_owners {
            return Err(field("owners", "1 to 32 keys, ascending, and k of them"));
        }
        if !(1..=SHARE_SETS_MAX).contains(&self.share_sets.len()) {
            return Err(field("share_sets", "1 or 2 of them"));
        }
        if self.policies.len() > POLICIES_MAX {
            return Err(field("policies", "at most 64 of them"));
        }
        let sets = (0_u8..).zip(&self.share_sets);
        let sets = sets.map(|(set, wire)| wire.read(rid.public_key(), self.epoch, set));
        Ok(KeptEpoch {
            epoch: self.epoch,
            owners: Owners { k: self.owners.k, keys },
            blob: array(&self.blob, "blob", "64 hex digits")?,
            pointer: array(&self.package, "package", "64 hex digits")?,
            payout: key(&self.payout, "payout")?,
            grant_delay: self.grant_delay,
            sets: sets.collect::<Result<_, _>>()?,
            policies: self.policies.iter().map(WirePolicy::read).collect::<Result<_, _>>()?,
            rid,
        })
    }
}

impl WireSet {
    fn of(kept: &KeptSet) -> Self {
        let seats = kept.seats.iter().map(|seat| WireSeat {
            key: seat.member.key.to_string(),
            required: seat.member.is_required,
            salt: hex::encode(seat.salt),
            path: hex::encode(borsh::to_vec(&seat.path).expect("writing to memory cannot fail")),
        });
        Self {
            k: kept.set.k,
            shares_root: hex::encode(kept.set.shares_root),
            guardians_root: hex::encode(kept.set.guardians_root),
            guardians: seats.collect(),
        }
    }

    fn read(&self, rid: PubKey, epoch: u32, set: u8) -> Result<KeptSet, RecordFileError> {
        let n = u8::try_from(self.guardians.len()).ok().filter(|n| *n <= GUARDIANS_MAX);
        let n = n.ok_or(field("guardians", "at most 32 of them"))?;
        let guardians_root = array(&self.guardians_root, "guardians_root", "64 hex digits")?;
        let mut seats = Vec::with_capacity(n.into());
        let mut required = 0;
        for (index, wire) in (0..n).zip(&self.guardians) {
            let key = key(&wire.key, "guardians")?;
            let salt = array(&wire.salt, "salt", "32 hex digits")?;
            let path: Path = value(&wire.path, "path", "a path")?;
            let guardian = Guardian { rid, epoch, set, index, key };
            if !guardian.is_shown(&salt, &path, &guardians_root) {
                return Err(field("guardians", "paths that lead to guardians_root"));
            }
            required |= u32::from(wire.required) << index;
            let member = Member { key, is_required: wire.required };
            seats.push(Seat { member, salt, path });
        }
        let shares_root = array(&self.shares_root, "shares_root", "64 hex digits")?;
        let set = ShareSet { n, k: self.k, shares_root, guardians_root, required };
        Ok(KeptSet { set, seats })
    }
}

impl WirePolicy {
    fn of(policy: &KeptPolicy) -> Self {
        let leaves = policy.leaves.iter().map(|(name, draft)| WireLeaf {
            name: name.clone(),
            terms: hex_lines(&borsh::to_vec(draft).expect("writing to memory cannot fail")),
        });
        Self { seed: Zeroizing::new(hex::encode(policy.seed.as_slice())), leaves: leaves.collect() }
    }

    fn read(&self) -> Result<KeptPolicy, RecordFileError> {
        if !(1..=LEAVES_MAX).contains(&self.leaves.len()) {
            return Err(field("leaves", "1 to 64 of them"));
        }
        let mut leaves: Vec<(String, Draft)> = Vec::with_capacity(self.leaves.len());
        for WireLeaf { name, terms } in &self.leaves {
            if name.is_empty() || name.chars().count() > LEAF_NAME_CHARS_MAX {
                return Err(field("name", "1 to 48 characters"));
            }
            if leaves.iter().any(|(known, _)| known == name) {
                return Err(field("name", "another one for each leaf"));
            }
            leaves.push((name.clone(), value(&terms.concat(), "terms", "the terms of a leaf")?));
        }
        let seed = Zeroizing::new(array(&self.seed, "seed", "64 hex digits")?);
        Ok(KeptPolicy { seed, leaves })
    }
}

fn field(field: &'static str, expected: &'static str) -> RecordFileError {
    RecordFileError::Field { field, expected }
}

fn array<const N: usize>(
    text: &str,
    name: &'static str,
    expected: &'static str,
) -> Result<[u8; N], RecordFileError> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| field(name, expected))?;
    Ok(bytes)
}

fn key(text: &str, name: &'static str) -> Result<PubKey, RecordFileError> {
    let key = PubKey(array(text, name, "keys of 64 hex digits")?);
    key.check().map_err(|_| field(name, "keys that can sign"))?;
    Ok(key)
}

fn value<T: BorshDeserialize>(
    text: &str,
    name: &'static str,
    expected: &'static str,
) -> Result<T, RecordFileError> {
    let bytes = hex::decode(text).ok();
    bytes.and_then(|bytes| borsh::from_slice(&bytes).ok()).ok_or(field(name, expected))
}
