//! What the state holds, entry by entry: keys, values, and the key's place in the authenticated map.

use std::ops::Deref;

use borsh::{BorshDeserialize, BorshSerialize};

use super::Person;
use crate::engine::nodes::NodeKernel;
use crate::hash::tagged::Tag;
use crate::ledger::coinbase::Payout;
use crate::ledger::signature::PubKey;
use crate::ledger::transaction::attest::Point;
use crate::ledger::transaction::{CoreId, LotId, PartyId};
use crate::ledger::tree::StateKey;

const KEY_TAG: Tag = Tag::new("state-key");

/// Names an entry. The first byte on disk is its kind; the numbers are consensus and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// A claim.
    Claim(CoreId),
    /// The claims about a party.
    Holdings(PartyId),
    /// Whose a tag is.
    Tag(Person),
    /// Height at which an issuer's device model was withdrawn.
    Model(PartyId, [u8; 32]),
    /// A record.
    Record(PubKey),
    /// The logs of a record.
    Logs(PubKey),
    /// A request.
    Request(CoreId),
    /// The request for a record that a person has open.
    Open(PubKey, Person),
    /// Refused requests of a person.
    RefusedPerson(Person),
    /// Refused requests of a person for a record.
    RefusedRecord(PubKey, Person),
    /// Refused requests for a record of an issuer's people.
    RefusedIssuer(PubKey, PartyId),
    /// Entries that the block at a height looks at and forgets if they are over.
    Expiring(u32),
    /// How often a leaf was used under a policy of a record.
    Reads(PubKey, u32, [u8; 32]),
    /// The emergencies of a person that await their review.
    Emergencies(Person),
    /// How many of an issuer's people's do.
    Unreviewed(PartyId),
    /// The emergencies without a fee that a site has open.
    FreeSite(PartyId),
    /// A debt, by the core id of its loan.
    Debt(CoreId),
    /// A lot of goods.
    Lot(LotId),
    /// Where the readings of a device end.
    Wearable(PubKey),
    /// What an issuer's devices of a model have earned for a wearer.
    Credit(PubKey, PartyId, [u8; 32]),
    /// Height of the reading that brought samples with this root.
    Sample([u8; 32]),
    /// The samples that came at a height.
    Samples(u32),
    /// Where the oldest samples are.
    SampleQueue,
}

/// A value that one kind of entry holds.
pub trait EntryValue: BorshSerialize + BorshDeserialize + 'static {}

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
impl EntryValue for Vec<Vec<u8>> {}
impl EntryValue for Vec<Payout> {}
impl EntryValue for Vec<PubKey> {}
impl EntryValue for Point {}

impl EntryKey {
    /// The key in the store: the kind, then keys, ids and tags as they are, heights
    /// big-endian.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.encoded().to_vec()
    }

    /// The same without memory of its own.
    pub(in crate::ledger) fn encoded(&self) -> EncodedKey {
        match self {
            Self::Account(key) => EncodedKey::of(&[&[1][..], &key.0]),
            Self::Accepted(height) => EncodedKey::of(&[&[2][..], &height.to_be_bytes()]),
            Self::Maturing(height) => EncodedKey::of(&[&[3][..], &height.to_be_bytes()]),
            Self::Idle(height) => EncodedKey::of(&[&[4][..], &height.to_be_bytes()]),
            Self::Witness(key) => EncodedKey::of(&[&[5][..], &key.0]),
            Self::Claim(core) => EncodedKey::of(&[&[6][..], &core.0]),
            Self::Holdings(party) => EncodedKey::of(&[&[7][..], &party.0]),
            Self::Tag(person) => EncodedKey::of(&[&[8][..], &person.issuer.0, &person.tag]),
            Self::Model(issuer, model) => EncodedKey::of(&[&[9][..], &issuer.0, model]),
            Self::Record(rid) => EncodedKey::of(&[&[10][..], &rid.0]),
            Self::Logs(rid) => EncodedKey::of(&[&[11][..], &rid.0]),
            Self::Request(core) => EncodedKey::of(&[&[12][..], &core.0]),
            Self::Open(rid, person) => {
                EncodedKey::of(&[&[13][..], &rid.0, &person.issuer.0, &person.tag])
            }
            Self::RefusedPerson(person) => {
                EncodedKey::of(&[&[14][..], &person.issuer.0, &person.tag])
            }
            Self::RefusedRecord(rid, person) => {
                EncodedKey::of(&[&[15][..], &rid.0, &person.issuer.0, &person.tag])
            }
            Self::RefusedIssuer(rid, issuer) => EncodedKey::of(&[&[16][..], &rid.0, &issuer.0]),
            Self::Expiring(height) => EncodedKey::of(&[&[17][..], &height.to_be_bytes()]),
            Self::Reads(rid, seq, leaf) => {
                EncodedKey::of(&[&[18][..], &rid.0, &seq.to_be_bytes(), leaf])
            }
            Self::Emergencies(person) => {
                EncodedKey::of(&[&[19][..], &person.issuer.0, &person.tag])
            }
            Self::Unreviewed(issuer) => EncodedKey::of(&[&[20][..], &issuer.0]),
            Self::FreeSite(site) => EncodedKey::of(&[&[21][..], &site.0]),
            Self::Debt(core) => EncodedKey::of(&[&[22][..], &core.0]),
            Self::Lot(lot) => EncodedKey::of(&[&[23][..], &lot.0]),
            Self::Wearable(device) => EncodedKey::of(&[&[30][..], &device.0]),
            Self::Credit(wearer, issuer, model) => {
                EncodedKey::of(&[&[31][..], &wearer.0, &issuer.0, model])
            }
            Self::Sample(root) => EncodedKey::of(&[&[32][..], root]),
            Self::Samples(height) => EncodedKey::of(&[&[33][..], &height.to_be_bytes()]),
            Self::SampleQueue => EncodedKey::of(&[&[34]]),
        }
    }

    /// Reads what [`EntryKey::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let key = || rest.try_into().ok().map(PubKey);
        let core = || rest.try_into().ok().map(CoreId);
        let height = || rest.try_into().ok().map(u32::from_be_bytes);
        Some(match kind {
            1 => Self::Account(key()?),
            2 => Self::Accepted(height()?),
            3 => Self::Maturing(height()?),
            4 => Self::Idle(height()?),
            5 => Self::Witness(key()?),
            6 => Self::Claim(core()?),
            7 => Self::Holdings(PartyId(rest.try_into().ok()?)),
            8 => Self::Tag(person(rest)?),
            9 => {
                let (issuer, model) = rest.split_first_chunk()?;
                Self::Model(PartyId(*issuer), model.try_into().ok()?)
            }
            10 => Self::Record(key()?),
            11 => Self::Logs(key()?),
            12 => Self::Request(core()?),
            13 => {
                let (rid, rest) = rest.split_first_chunk()?;
                Self::Open(PubKey(*rid), person(rest)?)
            }
            14 => Self::RefusedPerson(person(rest)?),
            15 => {
                let (rid, rest) = rest.split_first_chunk()?;
                Self::RefusedRecord(PubKey(*rid), person(rest)?)
            }
            16 => {
                let (rid, issuer) = rest.split_first_chunk()?;
                Self::RefusedIssuer(PubKey(*rid), PartyId(issuer.try_into().ok()?))
            }
            17 => Self::Expiring(height()?),
            18 => {
                let (rid, rest) = rest.split_first_chunk()?;
                let (seq, leaf) = rest.split_first_chunk()?;
                Self::Reads(PubKey(*rid), u32::from_be_bytes(*seq), leaf.try_into().ok()?)
            }
            19 => Self::Emergencies(person(rest)?),
            20 => Self::Unreviewed(PartyId(rest.try_into().ok()?)),
            21 => Self::FreeSite(PartyId(rest.try_into().ok()?)),
            22 => Self::Debt(core()?),
            23 => Self::Lot(LotId(rest.try_into().ok()?)),
            30 => Self::Wearable(key()?),
            31 => {
                let (wearer, rest) = rest.split_first_chunk()?;
                let (issuer, model) = rest.split_first_chunk()?;
                Self::Credit(PubKey(*wearer), PartyId(*issuer), model.try_into().ok()?)
            }
            32 => Self::Sample(rest.try_into().ok()?),
            33 => Self::Samples(height()?),
            34 if rest.is_empty() => Self::SampleQueue,
            _ => return None,
        })
    }

    /// Whether it is what a walk through claims reads.
    pub(super) const fn is_of_claims(&self) -> bool {
        matches!(self, Self::Claim(_) | Self::Holdings(_) | Self::Model(..))
    }

    /// The key in the authenticated map: tagged("state-key", encoded key).
    #[must_use]
    pub fn state_key(&self) -> StateKey {
        StateKey::of_encoded(&self.encoded())
    }
}

impl StateKey {
    /// The same of an encoded key.
    fn of_encoded(key: &[u8]) -> Self {
        Self(KEY_TAG.hash(key))
    }

    /// The same of many, in order.
    pub(in crate::ledger) fn of_each(kernel: NodeKernel, keys: &[&[u8]]) -> Vec<Self> {
        let mut digests = vec![[0; 32]; keys.len()];
        kernel.hash_tagged(KEY_TAG, keys, &mut digests);
        digests.into_iter().map(Self).collect()
    }
}

/// Bytes of the longest encoded key.
const ENCODED_BYTES_MAX: usize = 1 + 3 * 32;

/// An encoded key: looked up, hashed and sorted by, thousands of times a block.
#[derive(Clone, Copy)]
pub(in crate::ledger) struct EncodedKey {
    bytes: [u8; ENCODED_BYTES_MAX],
    len: usize,
}

impl EncodedKey {
    fn of(parts: &[&[u8]]) -> Self {
        let mut key = Self { bytes: [0; ENCODED_BYTES_MAX], len: 0 };
        for part in parts {
            key.bytes[key.len..key.len + part.len()].copy_from_slice(part);
            key.len += part.len();
        }
        key
    }
}

impl Deref for EncodedKey {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

fn person(bytes: &[u8]) -> Option<Person> {
    let (issuer, tag) = bytes.split_first_chunk()?;
    Some(Person { issuer: PartyId(*issuer), tag: tag.try_into().ok()? })
}
