//! What the state holds, entry by entry: keys, values, and the key's place in the authenticated map.

use borsh::{BorshDeserialize, BorshSerialize};

use super::Person;
use crate::hash::tagged::Tag;
use crate::ledger::coinbase::Payout;
use crate::ledger::signature::PubKey;
use crate::ledger::transaction::attest::Point;
use crate::ledger::transaction::{CoreId, LotId, PartyId};
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
impl EntryValue for Vec<Vec<u8>> {}
impl EntryValue for Vec<Payout> {}
impl EntryValue for Vec<PubKey> {}
impl EntryValue for Point {}

impl EntryKey {
    /// The key in the store: the kind, then keys, ids and tags as they are, heights
    /// big-endian.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Account(key) => [&[1][..], &key.0].concat(),
            Self::Accepted(height) => [&[2][..], &height.to_be_bytes()].concat(),
            Self::Maturing(height) => [&[3][..], &height.to_be_bytes()].concat(),
            Self::Idle(height) => [&[4][..], &height.to_be_bytes()].concat(),
            Self::Witness(key) => [&[5][..], &key.0].concat(),
            Self::Claim(core) => [&[6][..], &core.0].concat(),
            Self::Holdings(party) => [&[7][..], &party.0].concat(),
            Self::Tag(person) => [&[8][..], &person.issuer.0, &person.tag].concat(),
            Self::Model(issuer, model) => [&[9][..], &issuer.0, model].concat(),
            Self::Record(rid) => [&[10][..], &rid.0].concat(),
            Self::Logs(rid) => [&[11][..], &rid.0].concat(),
            Self::Request(core) => [&[12][..], &core.0].concat(),
            Self::Open(rid, person) => [&[13][..], &rid.0, &person.issuer.0, &person.tag].concat(),
            Self::RefusedPerson(person) => [&[14][..], &person.issuer.0, &person.tag].concat(),
            Self::RefusedRecord(rid, person) => {
                [&[15][..], &rid.0, &person.issuer.0, &person.tag].concat()
            }
            Self::RefusedIssuer(rid, issuer) => [&[16][..], &rid.0, &issuer.0].concat(),
            Self::Expiring(height) => [&[17][..], &height.to_be_bytes()].concat(),
            Self::Reads(rid, seq, leaf) => [&[18][..], &rid.0, &seq.to_be_bytes(), leaf].concat(),
            Self::Emergencies(person) => [&[19][..], &person.issuer.0, &person.tag].concat(),
            Self::Unreviewed(issuer) => [&[20][..], &issuer.0].concat(),
            Self::FreeSite(site) => [&[21][..], &site.0].concat(),
            Self::Debt(core) => [&[22][..], &core.0].concat(),
            Self::Lot(lot) => [&[23][..], &lot.0].concat(),
            Self::Wearable(device) => [&[30][..], &device.0].concat(),
            Self::Credit(wearer, issuer, model) => {
                [&[31][..], &wearer.0, &issuer.0, model].concat()
            }
            Self::Sample(root) => [&[32][..], root].concat(),
            Self::Samples(height) => [&[33][..], &height.to_be_bytes()].concat(),
            Self::SampleQueue => vec![34],
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

    /// The key in the authenticated map: tagged("state-key", encoded key).
    #[must_use]
    pub fn state_key(&self) -> StateKey {
        StateKey(KEY_TAG.hash(&self.encode()))
    }
}

fn person(bytes: &[u8]) -> Option<Person> {
    let (issuer, tag) = bytes.split_first_chunk()?;
    Some(Person { issuer: PartyId(*issuer), tag: tag.try_into().ok()? })
}
