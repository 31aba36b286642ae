//! What the predicate is asked about: a request with the approvals so far, reduced to facts of its own
//! (where its paths lead, whom a beacon heard, after which block it was signed), and what it reads of
//! the state.

use std::rc::Rc;

use borsh::{BorshDeserialize, BorshSerialize};

use super::{Cell, Entry, Leaf, Moment, Place, Presence, Purpose, RoleRef};
use crate::ledger::signature::PubKey;
use crate::ledger::state::Person;
use crate::ledger::transaction::{CoreId, PartyId, Request};

/// A request as the predicate sees it. Small enough to be kept in the state while it lives.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Asked {
    /// The record.
    pub rid: PubKey,
    /// The policy that is meant.
    pub seq: u32,
    /// Hash of the leaf.
    pub leaf: [u8; 32],
    /// Where the leaf's path leads; `None` if it is no path.
    pub root: Option<[u8; 32]>,
    /// What for.
    pub purpose: Purpose,
    /// Who reads.
    pub reader: PubKey,
    /// The reader's person by the role, if the reader ever held it.
    pub person: Option<Person>,
    /// The role, and where its path leads.
    pub role: Option<Led<RoleRef>>,
    /// The place, and where its path leads.
    pub place: Option<Led<Place>>,
    /// What a beacon said of the reader.
    pub heard: Option<Heard>,
    /// Height of the latest block that the reader's signature covers.
    pub after_h: Option<u32>,
    /// When it was accepted, or would be.
    pub at: Moment,
    /// Who has approved; the state keeps them by key.
    pub approvals: Vec<Approval>,
    /// Bit i: guardian i of the leaf's set has refused.
    pub denied: u32,
    /// When the tally was complete.
    pub completed: Option<Moment>,
    /// Whether the owners said no.
    pub vetoed: bool,
}

/// An entry with the root that its path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Led<T> {
    /// The entry.
    pub value: T,
    /// The root; `None` if the path is none.
    pub root: Option<[u8; 32]>,
}

/// A presence, reduced to what is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Heard {
    /// The beacon.
    pub beacon: PubKey,
    /// Names the round: equal for all who were heard in it.
    pub round: [u8; 32],
    /// Whether the key that signs was heard.
    pub is_signer: bool,
    /// Height of the anchor, if it is an ancestor that an anchor may be.
    pub anchor_h: Option<u32>,
}

/// An approval that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Approval {
    /// Who.
    pub key: PubKey,
    /// The person by the role.
    pub person: Person,
    /// As what.
    pub role: RoleRef,
    /// Index in the leaf's share set, of a guardian.
    pub guardian: Option<u8>,
    /// The round in which a beacon heard the approver.
    pub round: Option<[u8; 32]>,
    /// Height of the latest block that the signature covers.
    pub after_h: Option<u32>,
    /// The transaction that brought it.
    pub core: CoreId,
}

/// A record and the policy in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether it is the record and not one that another has replaced.
    pub is_active: bool,
    /// Number of the policy in force.
    pub seq: u32,
    /// Its root; zero opens nothing.
    pub root: [u8; 32],
    /// Its share sets.
    pub sets: [Option<Threshold>; 2],
}

/// The numbers of a share set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// Guardians.
    pub n: u8,
    /// How many shares give the key.
    pub k: u8,
    /// Bit i: without guardian i no combination does.
    pub required: u32,
}

/// A key in a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// The person that the claim speaks of.
    pub person: Person,
    /// Whether the claim and its issuers hold at the moment asked for.
    pub is_live: bool,
    /// When the claim was accepted.
    pub since: Moment,
}

/// A site with a live claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The site.
    pub key: PartyId,
    /// Who vouches for it.
    pub issuer: PartyId,
    /// Others without whose word it would not hold; the genesis anchor is not listed.
    pub above: Vec<PartyId>,
    /// Where it is.
    pub cells: Vec<Cell>,
    /// Who vouches for its emergency service, live claims only: for each the voucher, then others without
    /// whose word that would not hold.
    pub emergency: Vec<Vec<PartyId>>,
}

/// What the predicate reads of the state. `at` is the moment that is asked about: that of the including
/// block, or a later one.
pub trait AccessRead {
    /// Why it cannot be read.
    type Error;

    /// Seconds between blocks, for waits.
    fn spacing_s(&self) -> u32;

    /// The hash of a leaf, which is asked for at every question.
    fn hash_of(&self, leaf: &Leaf) -> [u8; 32] {
        leaf.hash()
    }

    /// A record; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If the state cannot be read.
    fn standing(&self, rid: &PubKey, at: Moment) -> Result<Option<Standing>, Self::Error>;

    /// The claim by which a key has a role: a live one if there is any; `None` if it never had one.
    ///
    /// # Errors
    ///
    /// If the state cannot be read.
    fn holding(
        &self,
        key: &PubKey,
        role: &RoleRef,
        at: Moment,
    ) -> Result<Option<Holding>, Self::Error>;

    /// The sites of which a key is a beacon by a live claim, as far as they are live themselves.
    ///
    /// # Errors
    ///
    /// If the state cannot be read.
    fn sites(&self, beacon: &PubKey, at: Moment) -> Result<Rc<[Site]>, Self::Error>;

    /// How many requests the leaf has opened under this policy.
    ///
    /// # Errors
    ///
    /// If the state cannot be read.
    fn reads(&self, rid: &PubKey, seq: u32, leaf: &[u8; 32]) -> Result<u16, Self::Error>;

    /// Whether the person owes a review of an emergency.
    ///
    /// # Errors
    ///
    /// If the state cannot be read.
    fn owes_review(&self, person: &Person, at: Moment) -> Result<bool, Self::Error>;
}

impl Site {
    /// Whether it is an emergency service by the word of others than this issuer, and of none that it has
    /// made.
    #[must_use]
    pub fn is_emergency_besides(&self, issuer: PartyId) -> bool {
        let is_free_of = |parties: &[PartyId]| !parties.contains(&issuer);
        is_free_of(&[self.issuer, self.key])
            && is_free_of(&self.above)
            && self.emergency.iter().any(|voucher| is_free_of(voucher))
    }
}

impl Asked {
    /// What a request says by itself: all that has to be hashed.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let leaf = request.leaf.hash();
        let heard = request.presence.as_ref();
        Self {
            rid: request.rid,
            seq: request.seq,
            leaf,
            root: request.leaf_path.root_from(leaf),
            purpose: request.purpose,
            reader: request.reader,
            person: None,
            role: request.role.as_ref().map(|proof| Led {
                value: proof.role,
                root: proof.path.root_from(proof.role.leaf(&proof.salt)),
            }),
            place: request.place.as_ref().map(|proof| Led {
                value: proof.place,
                root: proof.path.root_from(proof.place.leaf(&proof.salt)),
            }),
            heard: heard.map(|presence| Heard::new(presence, request.reader)),
            after_h: None,
            at: Moment { height: 0, median_time: 0 },
            approvals: Vec::new(),
            denied: 0,
            completed: None,
            vetoed: false,
        }
    }

    /// The request at the moment at which it is accepted, or would be, with the heights of the core's
    /// anchor and of its presence's, if these may be named at that moment.
    #[must_use]
    pub fn accepted(
        self,
        person: Option<Person>,
        at: Moment,
        core_anchor_h: Option<u32>,
        presence_anchor_h: Option<u32>,
    ) -> Self {
        let heard = self.heard.map(|heard| Heard { anchor_h: presence_anchor_h, ..heard });
        let after_h = core_anchor_h.max(heard.and_then(|heard| heard.anchor_h));
        Self { person, heard, after_h, at, ..self }
    }
}

impl Heard {
    /// A presence that `signer` carries, its anchor not looked up.
    #[must_use]
    pub fn new(presence: &Presence, signer: PubKey) -> Self {
        Self {
            beacon: presence.beacon,
            round: presence.round_id(),
            is_signer: presence.is_of(signer),
            anchor_h: None,
        }
    }
}
