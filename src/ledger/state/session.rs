//! A session: the state as it is while transactions are applied one after another, over a base that
//! does not change. It keeps what it reads and writes; [`Session::finish`] gives the delta.
//!
//! Two things are kept besides the bytes, because the transactions of a block are about the same people and
//! records: entries decoded ([`Session::shared`]), and where walks through the claims have led (`Walked`).
//! Together they halved what a block of 2,000 requests and approvals takes to apply.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::slots::{Slots, Written, corrupt};
use super::{
    Account, Change, Delta, EntryKey, EntryValue, Event, HeldClaim, LogKind, Logged, Logs, Walked,
};
use crate::ledger::bytes::Bytes;
use crate::ledger::map::LongKeySet;
use crate::ledger::policy::{Judge, ReadClaims};
use crate::ledger::signature::PubKey;
use crate::ledger::store::StoreError;
use crate::ledger::transaction::{CoreId, PartyId};

/// What a session reads through: the state after some block.
pub trait StateRead {
    /// The value of an entry.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    fn entry(&self, key: &EntryKey) -> Result<Option<Bytes>, StoreError>;

    /// The height at which a core id was accepted, if it is still remembered.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    fn accepted_at(&self, core: &CoreId) -> Result<Option<u32>, StoreError>;
}

/// Entries that most transactions read or write.
const SLOTS_PER_TRANSACTION: usize = 4;

/// Changes on the way to a block.
#[expect(missing_debug_implementations, reason = "the base has none; its contents would be noise")]
pub struct Session<'a> {
    base: &'a dyn StateRead,
    height: u32,
    slots: Slots,
    walked: Walked,
    /// Whether a claim or a record was written.
    is_moved: bool,
    accepted: Vec<CoreId>,
    accepted_set: LongKeySet<CoreId>,
    events: Vec<Logged>,
    /// Entries to look at again, by height.
    looks: BTreeMap<u32, Vec<EntryKey>>,
    /// Roots of samples that came.
    samples: Vec<[u8; 32]>,
    free_requests: u16,
    free_approves: u16,
    /// For encoding.
    buffer: Vec<u8>,
}

impl<'a> Session<'a> {
    /// Nothing changed yet by the block at `height`, which follows the base.
    #[must_use]
    pub fn new(base: &'a dyn StateRead, height: u32) -> Self {
        let (slots, accepted_set) = (Slots::default(), LongKeySet::default());
        let (accepted, events, looks, samples) =
            (Vec::new(), Vec::new(), BTreeMap::new(), Vec::new());
        let (free_requests, free_approves) = (0, 0);
        Self {
            base,
            height,
            slots,
            walked: Walked::default(),
            is_moved: false,
            accepted,
            accepted_set,
            events,
            looks,
            samples,
            free_requests,
            free_approves,
            buffer: Vec::new(),
        }
    }

    /// Makes room for what so many transactions read and write.
    pub fn reserve(&mut self, transactions: usize) {
        self.slots.reserve(transactions.saturating_mul(SLOTS_PER_TRANSACTION));
        self.accepted.reserve(transactions);
        self.accepted_set.reserve(transactions);
        self.events.reserve(transactions);
    }

    /// The value of an entry as it stands.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or holds something else than this kind of value.
    pub fn get<T: EntryValue>(&mut self, key: &EntryKey) -> Result<Option<T>, StoreError> {
        self.slots.slot(self.base, key)?.decode(&mut self.buffer)
    }

    /// The same, decoded once for all who read it before it is written again: for what many transactions
    /// of a block read, and what is long.
    ///
    /// # Errors
    ///
    /// As [`Session::get`].
    pub fn shared<T: EntryValue>(&mut self, key: &EntryKey) -> Result<Option<Rc<T>>, StoreError> {
        self.slots.slot(self.base, key)?.decoded(&mut self.buffer)
    }

    /// The same of an entry that is hardly read twice: the session does not keep it.
    ///
    /// # Errors
    ///
    /// As [`Session::get`].
    pub fn glance<T: EntryValue + Clone>(
        &mut self,
        key: &EntryKey,
    ) -> Result<Option<T>, StoreError> {
        if let Some(slot) = self.slots.known(key) {
            return Ok(slot.decoded::<T>(&mut self.buffer)?.map(Rc::unwrap_or_clone));
        }
        let Some(bytes) = self.base.entry(key)? else { return Ok(None) };
        borsh::from_slice(&bytes).map(Some).map_err(|_| corrupt(key))
    }

    /// Sets an entry; `None` deletes it.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn put<T: EntryValue>(
        &mut self,
        key: &EntryKey,
        value: Option<&T>,
    ) -> Result<(), StoreError> {
        self.slots.slot(self.base, key)?.set(value, &mut self.buffer);
        self.note_written(key);
        Ok(())
    }

    /// Sets a claim, and where it is a new one the claims about its subject.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn put_claim(
        &mut self,
        core: CoreId,
        held: &HeldClaim,
        about_subject: Option<&Vec<CoreId>>,
    ) -> Result<(), StoreError> {
        if let Some(cores) = about_subject {
            let key = EntryKey::Holdings(held.subject);
            self.slots.slot(self.base, &key)?.set(Some(cores), &mut self.buffer);
        }
        let key = EntryKey::Claim(core);
        self.slots.slot(self.base, &key)?.set(Some(held), &mut self.buffer);
        self.walked.forget(held.subject, &held.claim);
        self.is_moved = true;
        Ok(())
    }

    /// What this judge has found by walking the claims since they were last written.
    pub(in crate::ledger) fn walked(&mut self, judge: Judge) -> &mut Walked {
        self.walked.by(judge)
    }

    /// Sets an entry to a value that others may read or write in this session: it is not decoded for them,
    /// and encoded once.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn put_shared<T: EntryValue>(
        &mut self,
        key: &EntryKey,
        value: Rc<T>,
    ) -> Result<(), StoreError> {
        self.slots.slot(self.base, key)?.set_decoded(value);
        self.note_written(key);
        Ok(())
    }

    /// The same of an entry that the base cannot have: nobody looks for it there.
    pub fn put_fresh<T: EntryValue>(&mut self, key: &EntryKey, value: Rc<T>) {
        debug_assert!(matches!(self.base.entry(key), Ok(None) | Err(_)), "{key:?} is there");
        self.slots.fresh(key).set_decoded(value);
        self.note_written(key);
    }

    /// Changes an entry where it lies, if there is one.
    ///
    /// # Errors
    ///
    /// As [`Session::get`].
    pub fn change<T: EntryValue + Clone>(
        &mut self,
        key: &EntryKey,
        change: impl FnOnce(&mut T),
    ) -> Result<(), StoreError> {
        self.slots.slot(self.base, key)?.change(&mut self.buffer, None, change)?;
        self.note_written(key);
        Ok(())
    }

    /// Whether nothing was written that says who somebody is, where a beacon stands, or how a record does:
    /// what was found of a request in this block still holds.
    #[must_use]
    pub fn stands_firm(&self) -> bool {
        !self.is_moved
    }

    /// Forgets walks through claims if what they have read was written.
    fn note_written(&mut self, key: &EntryKey) {
        if key.is_of_claims() {
            self.walked = Walked::default();
            self.is_moved = true;
        } else if matches!(key, EntryKey::Record(_)) {
            self.is_moved = true;
        }
    }

    /// An account; the default one where there is no entry.
    ///
    /// # Errors
    ///
    /// As [`Session::get`].
    pub fn account(&mut self, key: PubKey) -> Result<Account, StoreError> {
        Ok(self.get(&EntryKey::Account(key))?.unwrap_or_default())
    }

    /// Whether an account has an entry.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn has_account(&mut self, key: PubKey) -> Result<bool, StoreError> {
        let slot = self.slots.slot(self.base, &EntryKey::Account(key))?;
        Ok(slot.now(&mut self.buffer).is_some())
    }

    /// Sets an account and notes the height that touched it.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn put_account(&mut self, key: PubKey, account: Account) -> Result<(), StoreError> {
        let touched = self.height;
        self.put(&EntryKey::Account(key), Some(&Account { touched, ..account }))
    }

    /// The height at which a core id was accepted, in this session or before, if it is remembered.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn accepted_at(&self, core: &CoreId) -> Result<Option<u32>, StoreError> {
        if self.accepted_set.contains(core) {
            return Ok(Some(self.height));
        }
        self.base.accepted_at(core)
    }

    /// Remembers a core id as accepted.
    pub fn accept(&mut self, core: CoreId) {
        self.accepted.push(core);
        self.accepted_set.insert(core);
    }

    /// Core ids accepted in this session, in order.
    #[must_use]
    pub fn accepted(&self) -> &[CoreId] {
        &self.accepted
    }

    /// Appends an event to a log of a record.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn log(&mut self, rid: PubKey, kind: LogKind, event: Event) -> Result<(), StoreError> {
        let mut index = 0;
        let slot = self.slots.slot(self.base, &EntryKey::Logs(rid))?;
        slot.change(&mut self.buffer, Some(Logs::default()), |logs| {
            let log = logs.of_mut(kind);
            index = log.count;
            log.push(&event);
        })?;
        self.events.push(Logged { rid, kind, index, event });
        Ok(())
    }

    /// Has an entry looked at by the block at a height, which forgets it if it is over.
    pub fn look_at(&mut self, height: u32, key: EntryKey) {
        let keys = self.looks.entry(height).or_default();
        if keys.last() != Some(&key) {
            keys.push(key);
        }
    }

    /// What is to be looked at, by height, and nothing from now on.
    pub fn take_looks(&mut self) -> BTreeMap<u32, Vec<EntryKey>> {
        std::mem::take(&mut self.looks)
    }

    /// Notes the root of samples that came with a reading.
    pub fn note_sample(&mut self, root: [u8; 32]) {
        self.samples.push(root);
    }

    /// The roots of samples that came, in order, and none from now on.
    pub fn take_samples(&mut self) -> Vec<[u8; 32]> {
        std::mem::take(&mut self.samples)
    }

    /// Emergency requests of the block that went without a fee.
    #[must_use]
    pub fn free_requests(&self) -> u16 {
        self.free_requests
    }

    /// Counts one of them.
    pub fn count_free_request(&mut self) {
        self.free_requests = self.free_requests.saturating_add(1);
    }

    /// Approvals of emergencies in the block that went without a fee.
    #[must_use]
    pub fn free_approves(&self) -> u16 {
        self.free_approves
    }

    /// Counts one of them.
    pub fn count_free_approve(&mut self) {
        self.free_approves = self.free_approves.saturating_add(1);
    }

    /// Accounts written in this session that are empty now, keys ascending.
    #[must_use]
    pub fn emptied_accounts(&self) -> Vec<PubKey> {
        let is_empty = |bytes: &[u8]| {
            borsh::from_slice::<Account>(bytes).is_ok_and(|account| account.balance == 0)
        };
        let emptied = self.slots.iter().filter_map(|slot| match (&slot.key, &slot.written) {
            (EntryKey::Account(key), Written::Bytes(Some(bytes))) => {
                (slot.old.as_ref() != Some(bytes) && is_empty(bytes)).then_some(*key)
            }
            _ => None,
        });
        let mut emptied: Vec<PubKey> = emptied.collect();
        emptied.sort_unstable();
        emptied
    }

    /// The changes.
    #[must_use]
    pub fn finish(mut self) -> Delta {
        let slots = self.slots.into_inner();
        let mut all = Vec::with_capacity(slots.len());
        all.extend(slots.into_iter().filter_map(|mut slot| {
            slot.settle(&mut self.buffer);
            let Written::Bytes(new) = slot.written else { return None };
            (slot.old != new).then(|| Change::new(&slot.key, slot.old, new))
        }));
        Delta::new(all, self.events)
    }
}

impl ReadClaims for Session<'_> {
    fn claim(&mut self, core: &CoreId) -> Result<Option<Rc<HeldClaim>>, StoreError> {
        self.shared(&EntryKey::Claim(*core))
    }

    fn holdings(&mut self, party: PartyId) -> Result<Rc<Vec<CoreId>>, StoreError> {
        Ok(self.shared(&EntryKey::Holdings(party))?.unwrap_or_default())
    }

    fn model_withdrawn(
        &mut self,
        issuer: PartyId,
        model: [u8; 32],
    ) -> Result<Option<u32>, StoreError> {
        self.get(&EntryKey::Model(issuer, model))
    }
}
