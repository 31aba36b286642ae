//! What the state holds about claims, records, policies and requests.

use borsh::{BorshDeserialize, BorshSerialize};

use super::EntryValue;
use crate::hash::tagged::Tag;
use crate::ledger::policy::{Asked, Leaf, Moment};
use crate::ledger::signature::PubKey;
use crate::ledger::transaction::attest::Claim;
use crate::ledger::transaction::record::ShareSet;
use crate::ledger::transaction::{CoreId, PartyId};

const LOG_TAG: Tag = Tag::new("log");

/// A person: a tag by the word of an issuer. A key may be several persons, with several issuers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct Person {
    /// Who gave the tag.
    pub issuer: PartyId,
    /// The tag.
    pub tag: [u8; 16],
}

/// A claim as it was accepted. It stays when it ends: the height of its withdrawal is evidence.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HeldClaim {
    /// Who claims.
    pub issuer: PartyId,
    /// About whom.
    pub subject: PartyId,
    /// What.
    pub claim: Claim,
    /// First height at which it holds.
    pub from_h: u32,
    /// First height at which it no longer holds.
    pub to_h: u32,
    /// The subject's pseudonym; zero for none.
    pub tag: [u8; 16],
    /// When it was accepted.
    pub at: Moment,
    /// Height of the block that withdrew it.
    pub withdrawn: Option<u32>,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HeldRecord {
    /// Who owns it.
    pub owners: PartyId,
    /// Hash of the ciphertext.
    pub blob: [u8; 32],
    /// Hash of the package of sealed shares, by which guardians find theirs.
    pub pointer: [u8; 32],
    /// 0, or one above that of the record before.
    pub epoch: u32,
    /// One or two.
    pub share_sets: Vec<ShareSet>,
    /// Who is paid.
    pub payout: PubKey,
    /// Blocks that a new policy waits.
    pub grant_delay: u32,
    /// The last seq given out.
    pub last_seq: u32,
    /// Until it takes the place of the record before; none for a first one. Nothing opens before.
    pub begins: Option<Wait>,
    /// The policy in force, unless `pending` has begun.
    pub policy: Policy,
    /// The policy to come, or in force if it has begun.
    pub pending: Option<Pending>,
    /// The last policy in force before `policy` that opened anything.
    pub former: Option<Policy>,
    /// The record that takes its place, and when.
    pub successor: Option<Successor>,
}

/// A policy of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Policy {
    /// Its number.
    pub seq: u32,
    /// Root of its leaves; zero opens nothing.
    pub root: [u8; 32],
}

/// A wait until something begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Wait {
    /// When it was announced.
    pub start: Moment,
    /// Blocks that must pass, and half their time.
    pub blocks: u32,
    /// First height at which it may begin.
    pub not_before_h: u32,
}

/// A policy that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Pending {
    /// The policy.
    pub policy: Policy,
    /// Until it begins.
    pub wait: Wait,
}

/// The record that takes the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Successor {
    /// Its name.
    pub rid: PubKey,
    /// Until its policy begins and the other retires.
    pub wait: Wait,
}

/// The two logs of a record. Refusals have their own, so that they never lengthen the access audit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Logs {
    /// Records, grants, requests, approvals, receipts.
    pub access: Log,
    /// Refused requests.
    pub refusals: Log,
}

/// Which log of a record. The numbers name them in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LogKind {
    /// Everything but refusals.
    Access = 0,
    /// Refused requests.
    Refusals = 1,
}

/// An event at its place in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logged {
    /// The record.
    pub rid: PubKey,
    /// Which log.
    pub kind: LogKind,
    /// Its number, from 0.
    pub index: u64,
    /// What happened.
    pub event: Event,
}

/// A chain of events: its head commits to all of them in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Log {
    /// Zero, or tagged("log", head before || event).
    pub head: [u8; 32],
    /// Events so far.
    pub count: u64,
}

/// Something that happened to a record: 38 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Event {
    /// Height of its block.
    pub height: u32,
    /// The core of the transaction that did it.
    pub core: CoreId,
    /// What.
    pub kind: EventKind,
    /// Of a refusal the clause, of a receipt the outcome, otherwise zero.
    pub note: u8,
}

/// Kinds of events. The numbers are consensus and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum EventKind {
    /// The record was made.
    Record = 1,
    /// Another record was announced in its place.
    Rekey = 2,
    /// A policy was granted or revoked.
    Grant = 3,
    /// A request waits for approval.
    Request = 4,
    /// A request was refused.
    Refusal = 5,
    /// Somebody approved.
    Approval = 6,
    /// Something came of a request.
    Receipt = 7,
}

/// A request, for as long as anything can follow from it.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HeldRequest {
    /// What the predicate is asked: the request, and the approvals so far.
    pub asked: Asked,
    /// The leaf that it reveals.
    pub leaf: Leaf,
    /// The most that the reader pays.
    pub max_price: u64,
    /// How it stands.
    pub status: RequestStatus,
}

/// How a request stands. The numbers are consensus and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum RequestStatus {
    /// Waits for approval, as long as there is time.
    Pending = 0,
    /// Refused by the first clause that fails; 0 is a limit.
    Refused(u8) = 1,
    /// Every approval is there: the predicate says when it is open.
    Answered = 2,
    /// Too few guardians are left.
    Denied = 3,
    /// The owners said no.
    Vetoed = 4,
}

/// How often something happened in a window of blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Counter {
    /// Height divided by the window's blocks.
    pub window: u32,
    /// How often.
    pub count: u16,
}

/// An emergency that awaits its review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Emergency {
    /// Its request.
    pub request: CoreId,
    /// Height of the block that accepted it.
    pub height: u32,
}

impl EntryValue for Vec<Emergency> {}
impl EntryValue for HeldClaim {}
impl EntryValue for HeldRecord {}
impl EntryValue for Logs {}
impl EntryValue for HeldRequest {}
impl EntryValue for Counter {}
impl EntryValue for PartyId {}
impl EntryValue for CoreId {}
impl EntryValue for u32 {}
impl EntryValue for u16 {}

impl Wait {
    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self, now: Moment, spacing_s: u32) -> bool {
        now.height >= self.not_before_h && now.has_waited(self.start, self.blocks, spacing_s)
    }
}

impl HeldRecord {
    /// The policy in force; of a record that has not begun its number with a root that opens nothing.
    #[must_use]
    pub fn policy_at(&self, now: Moment, spacing_s: u32) -> Policy {
        let policy = match self.pending {
            Some(pending) if pending.wait.is_over(now, spacing_s) => pending.policy,
            _ => self.policy,
        };
        let has_begun = self.begins.is_none_or(|wait| wait.is_over(now, spacing_s));
        if has_begun { policy } else { Policy { root: [0; 32], ..policy } }
    }

    /// Puts a policy that has waited long enough in its place.
    pub fn settle(&mut self, now: Moment, spacing_s: u32) {
        if let Some(pending) = self.pending.filter(|pending| pending.wait.is_over(now, spacing_s)) {
            self.put_in_force(pending.policy);
        }
    }

    /// Puts a policy in force and drops one that waits.
    pub fn put_in_force(&mut self, policy: Policy) {
        if self.policy.root != [0; 32] {
            self.former = Some(self.policy);
        }
        self.policy = policy;
        self.pending = None;
    }

    /// Whether another record has taken its place.
    #[must_use]
    pub fn is_retired(&self, now: Moment, spacing_s: u32) -> bool {
        self.successor.is_some_and(|successor| successor.wait.is_over(now, spacing_s))
    }
}

impl HeldRequest {
    /// First height at which nothing can follow from it any more, if nothing happens before; none if
    /// that is beyond all heights. What was closed early counts as over when its time to answer is.
    #[must_use]
    pub fn over_at(&self) -> Option<u32> {
        let asked = &self.asked;
        let answered = asked.at.height.checked_add(self.leaf.answer_within)?;
        let last = match (self.status, asked.completed) {
            (RequestStatus::Refused(_), _) => return Some(asked.at.height),
            (RequestStatus::Denied | RequestStatus::Vetoed, _) | (_, None) => answered,
            (_, Some(completed)) => {
                let opened = asked.at.height.checked_add(self.leaf.delay)?.max(completed.height);
                opened.checked_add(self.leaf.read_within)?
            }
        };
        last.checked_add(1)
    }
}

impl LogKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Access, Self::Refusals];
}

impl Logs {
    /// One of the two.
    #[must_use]
    pub fn of(&self, kind: LogKind) -> &Log {
        match kind {
            LogKind::Access => &self.access,
            LogKind::Refusals => &self.refusals,
        }
    }

    pub(super) fn of_mut(&mut self, kind: LogKind) -> &mut Log {
        match kind {
            LogKind::Access => &mut self.access,
            LogKind::Refusals => &mut self.refusals,
        }
    }
}

impl Logged {
    /// Its key in the index: record, log, number big-endian.
    #[must_use]
    pub fn key(rid: &PubKey, kind: LogKind, index: u64) -> [u8; 41] {
        let mut key = [0; 41];
        key[..32].copy_from_slice(&rid.0);
        key[32] = kind as u8;
        key[33..].copy_from_slice(&index.to_be_bytes());
        key
    }
}

impl Event {
    /// Its encoding.
    ///
    /// # Panics
    ///
    /// Never: it has this length.
    #[must_use]
    pub fn encode(&self) -> [u8; 38] {
        let mut bytes = [0; 38];
        borsh::to_writer(&mut bytes[..], self).expect("an event has 38 bytes");
        bytes
    }
}

impl Log {
    /// Appends an event.
    pub fn push(&mut self, event: &Event) {
        let mut message = [0; 70];
        message[..32].copy_from_slice(&self.head);
        message[32..].copy_from_slice(&event.encode());
        self.head = LOG_TAG.hash(&message);
        self.count = self.count.saturating_add(1);
    }
}
