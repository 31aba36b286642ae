//! A session: the state as it is while transactions are applied one after another, over a base that
//! does not change. It keeps what it reads and writes; [`Session::finish`] gives the delta.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;

use super::{
    Account, Change, Delta, EntryKey, EntryValue, Event, HeldClaim, LogKind, Logged, Logs,
};
use crate::ledger::bytes::Bytes;
use crate::ledger::map::{LongKeyMap, LongKeySet};
use crate::ledger::policy::ReadClaims;
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

#[derive(Debug, Clone)]
struct Slot {
    old: Option<Bytes>,
    /// What was written, if anything was.
    written: Option<Option<Bytes>>,
}

impl Slot {
    fn now(&self) -> Option<&[u8]> {
        self.written.as_ref().unwrap_or(&self.old).as_deref()
    }
}

/// Changes on the way to a block.
#[expect(missing_debug_implementations, reason = "the base has none; its contents would be noise")]
pub struct Session<'a> {
    base: &'a dyn StateRead,
    height: u32,
    slots: LongKeyMap<EntryKey, Slot>,
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
        let (slots, accepted_set) = (LongKeyMap::default(), LongKeySet::default());
        let (accepted, events, looks, samples) =
            (Vec::new(), Vec::new(), BTreeMap::new(), Vec::new());
        let (free_requests, free_approves) = (0, 0);
        Self {
            base,
            height,
            slots,
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

    /// The value of an entry as it stands.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or holds something else than this kind of value.
    pub fn get<T: EntryValue>(&mut self, key: &EntryKey) -> Result<Option<T>, StoreError> {
        let slot = self.slot(key)?;
        match slot.now() {
            None => Ok(None),
            Some(bytes) => borsh::from_slice(bytes).map(Some).map_err(|_| corrupt(key)),
        }
    }

    /// Sets an entry; `None` deletes it.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    ///
    /// # Panics
    ///
    /// Never: memory takes every write.
    pub fn put<T: EntryValue>(
        &mut self,
        key: &EntryKey,
        value: Option<&T>,
    ) -> Result<(), StoreError> {
        let encoded = value.map(|value| {
            self.buffer.clear();
            value.serialize(&mut self.buffer).expect("writing to memory cannot fail");
            Bytes::from(&self.buffer)
        });
        self.slot(key)?.written = Some(encoded);
        Ok(())
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
        Ok(self.slot(&EntryKey::Account(key))?.now().is_some())
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
        let key = EntryKey::Logs(rid);
        let mut logs: Logs = self.get(&key)?.unwrap_or_default();
        let log = logs.of_mut(kind);
        let index = log.count;
        log.push(&event);
        self.put(&key, Some(&logs))?;
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
        let mut emptied: Vec<PubKey> = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.now() != slot.old.as_deref())
            .filter_map(|(key, slot)| match key {
                EntryKey::Account(key) => Some((key, slot.now()?)),
                _ => None,
            })
            .filter(|(_, bytes)| {
                borsh::from_slice::<Account>(bytes).is_ok_and(|account| account.balance == 0)
            })
            .map(|(key, _)| *key)
            .collect();
        emptied.sort_unstable();
        emptied
    }

    /// The changes.
    #[must_use]
    pub fn finish(self) -> Delta {
        let changes = self.slots.into_iter();
        // The order of the map does not matter: the delta sorts.
        let changes = changes.filter_map(|(key, Slot { old, written })| {
            let new = written?;
            (old != new).then_some(Change { key, old, new })
        });
        Delta::new(changes.collect(), self.events)
    }

    fn slot(&mut self, key: &EntryKey) -> Result<&mut Slot, StoreError> {
        match self.slots.entry(key.clone()) {
            Entry::Occupied(slot) => Ok(slot.into_mut()),
            Entry::Vacant(place) => {
                let old = self.base.entry(key)?;
                Ok(place.insert(Slot { old, written: None }))
            }
        }
    }
}

impl ReadClaims for Session<'_> {
    fn claim(&mut self, core: &CoreId) -> Result<Option<HeldClaim>, StoreError> {
        self.get(&EntryKey::Claim(*core))
    }

    fn holdings(&mut self, party: PartyId) -> Result<Vec<CoreId>, StoreError> {
        Ok(self.get(&EntryKey::Holdings(party))?.unwrap_or_default())
    }

    fn model_withdrawn(
        &mut self,
        issuer: PartyId,
        model: [u8; 32],
    ) -> Result<Option<u32>, StoreError> {
        self.get(&EntryKey::Model(issuer, model))
    }
}

fn corrupt(key: &EntryKey) -> StoreError {
    StoreError::Corrupt { what: format!("state entry {key:?} does not decode") }
}
