//! What a session has read and written, entry by entry, in the order in which it came to each.
//!
//! An entry with its key takes some 200 bytes. They lie side by side, and what finds them is a map of
//! small numbers, which stays in a core's cache while a block is applied.

use std::any::Any;
use std::hash::BuildHasher;
use std::rc::Rc;

use super::session::StateRead;
use super::{EntryKey, EntryValue};
use crate::ledger::bytes::Bytes;
use crate::ledger::map::{Folding, LongKeyMap};
use crate::ledger::store::StoreError;

/// Entries by key.
#[derive(Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    /// Where the slot of a key is: by the hash of the key or, where that belongs to another one, by the
    /// first number above that does not.
    places: LongKeyMap<u64, usize>,
    hashing: Folding,
}

/// One entry.
pub(super) struct Slot {
    pub(super) key: EntryKey,
    /// In the base.
    pub(super) old: Option<Bytes>,
    pub(super) written: Written,
    /// Invariant: what the entry as it stands decodes to.
    decoded: Option<Rc<dyn Decoded>>,
}

/// What was written.
pub(super) enum Written {
    /// Nothing.
    No,
    /// These bytes, or that there is no entry.
    Bytes(Option<Bytes>),
    /// What is decoded: bytes are made of it when somebody asks for them.
    Decoded,
}

/// A value of an entry of whatever kind.
trait Decoded: Any {
    fn encode(&self, buffer: &mut Vec<u8>) -> Bytes;
}

impl<T: EntryValue> Decoded for T {
    fn encode(&self, buffer: &mut Vec<u8>) -> Bytes {
        encode(self, buffer)
    }
}

fn encode(value: &impl EntryValue, buffer: &mut Vec<u8>) -> Bytes {
    buffer.clear();
    value.serialize(buffer).expect("writing to memory cannot fail");
    Bytes::from(&*buffer)
}

impl Slots {
    /// Makes room for so many more.
    pub(super) fn reserve(&mut self, additional: usize) {
        self.slots.reserve(additional);
        self.places.reserve(additional);
    }

    /// The slot of a key, read from the base if it is new.
    pub(super) fn slot(
        &mut self,
        base: &dyn StateRead,
        key: &EntryKey,
    ) -> Result<&mut Slot, StoreError> {
        let place = match self.place(key) {
            Ok(place) => place,
            Err(number) => self.push(number, key, base.entry(key)?),
        };
        Ok(&mut self.slots[place])
    }

    /// The slot of a key, if it is there.
    pub(super) fn known(&mut self, key: &EntryKey) -> Option<&mut Slot> {
        let place = self.place(key).ok()?;
        Some(&mut self.slots[place])
    }

    /// The slot of a key that the base does not have.
    pub(super) fn fresh(&mut self, key: &EntryKey) -> &mut Slot {
        let place = match self.place(key) {
            Ok(place) => place,
            Err(number) => self.push(number, key, None),
        };
        &mut self.slots[place]
    }

    /// Where the slot of a key is, or else the number to find it by.
    fn place(&self, key: &EntryKey) -> Result<usize, u64> {
        let mut number = self.hashing.hash_one(key);
        loop {
            match self.places.get(&number) {
                Some(place) if self.slots[*place].key == *key => return Ok(*place),
                Some(_) => number = number.wrapping_add(1),
                None => return Err(number),
            }
        }
    }

    fn push(&mut self, number: u64, key: &EntryKey, old: Option<Bytes>) -> usize {
        let place = self.slots.len();
        self.places.insert(number, place);
        self.slots.push(Slot { key: *key, old, written: Written::No, decoded: None });
        place
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter()
    }

    pub(super) fn into_inner(self) -> Vec<Slot> {
        self.slots
    }
}

impl Slot {
    /// The bytes as they stand.
    pub(super) fn now(&mut self, buffer: &mut Vec<u8>) -> Option<&[u8]> {
        self.settle(buffer);
        match &self.written {
            Written::Bytes(bytes) => bytes.as_deref(),
            Written::No | Written::Decoded => self.old.as_deref(),
        }
    }

    /// Makes bytes of what was written.
    pub(super) fn settle(&mut self, buffer: &mut Vec<u8>) {
        if let (Written::Decoded, Some(decoded)) = (&self.written, &self.decoded) {
            self.written = Written::Bytes(Some(decoded.encode(buffer)));
        }
    }

    /// What the entry decodes to; kept for the next who asks.
    pub(super) fn decoded<T: EntryValue>(
        &mut self,
        buffer: &mut Vec<u8>,
    ) -> Result<Option<Rc<T>>, StoreError> {
        if let Some(decoded) = self.known() {
            return Ok(Some(decoded));
        }
        let Some(bytes) = self.now(buffer) else { return Ok(None) };
        let decoded = Rc::new(borsh::from_slice::<T>(bytes).map_err(|_| corrupt(&self.key))?);
        self.decoded = Some(decoded.clone());
        Ok(Some(decoded))
    }

    /// The same where what is kept would serve nobody.
    pub(super) fn decode<T: EntryValue>(
        &mut self,
        buffer: &mut Vec<u8>,
    ) -> Result<Option<T>, StoreError> {
        match self.now(buffer) {
            None => Ok(None),
            Some(bytes) => borsh::from_slice(bytes).map(Some).map_err(|_| corrupt(&self.key)),
        }
    }

    /// Changes what the entry decodes to, or what stands for it where there is none.
    pub(super) fn change<T: EntryValue + Clone>(
        &mut self,
        buffer: &mut Vec<u8>,
        absent: Option<T>,
        change: impl FnOnce(&mut T),
    ) -> Result<(), StoreError> {
        let found = self.decoded::<T>(buffer)?.or_else(|| absent.map(Rc::new));
        let Some(mut value) = found else { return Ok(()) };
        // Nobody else holds it as a rule: then it changes where it lies.
        self.decoded = None;
        change(Rc::make_mut(&mut value));
        self.set_decoded(value);
        Ok(())
    }

    /// Sets the entry; `None` deletes it.
    pub(super) fn set<T: EntryValue>(&mut self, value: Option<&T>, buffer: &mut Vec<u8>) {
        self.written = Written::Bytes(value.map(|value| encode(value, buffer)));
        self.decoded = None;
    }

    /// Sets the entry to a value that is encoded when somebody asks for bytes.
    pub(super) fn set_decoded<T: EntryValue>(&mut self, value: Rc<T>) {
        self.written = Written::Decoded;
        self.decoded = Some(value);
    }

    fn known<T: EntryValue>(&self) -> Option<Rc<T>> {
        let decoded: Rc<dyn Any> = self.decoded.clone()?;
        decoded.downcast().ok()
    }
}

pub(super) fn corrupt(key: &EntryKey) -> StoreError {
    StoreError::Corrupt { what: format!("state entry {key:?} does not decode") }
}
