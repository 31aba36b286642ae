//! The ledger's tables through typed eyes: over a store, a snapshot or an overlay.
//!
//! | table | key | value |
//! |---|---|---|
//! | meta | `tip`, `root`, `spec`, `arrivals`, `settled`, `alarm` | hash, state root after the tip, commitment, counter, point, [`Alarm`] |
//! | headers | block hash | [`Record`] |
//! | bodies | block hash | the block's bytes after the header |
//! | sides | see [`super::side`] | |
//! | heights | height, big-endian | hash of the best chain's block |
//! | state | [`EntryKey`] | the entry's value |
//! | pages | page path | page of the authenticated map |
//! | undo | block hash | undo record of an applied block |
//! | leaves | block hash | merkle leaves in order |
//! | cores | core id | height, little-endian |
//! | events | record, log, number big-endian | [`Event`] |
//! | lots, moves | see [`crate::ledger::goods`] | |
//! | transactions | transaction id | height and index, little-endian |

use std::ops::Range;

use crate::ledger::bytes::Bytes;
use crate::ledger::chain::finality::Alarm;
use crate::ledger::chain::record::Record;
use crate::ledger::rules::context::Ancestors;
use crate::ledger::signature::PubKey;
use crate::ledger::state::{EntryKey, Event, LogKind, Logged, StateRead};
use crate::ledger::store::{Read, StoreError, Table};
use crate::ledger::transaction::CoreId;
use crate::ledger::transaction::attest::Point;
use crate::ledger::tree::{Page, PagePath, Pages, StateRoot};
use crate::primitives::limits::MEDIAN_TIME_SPAN_BLOCKS;
use crate::primitives::{BlockHash, Digest};

pub(super) const META_TIP: &[u8] = b"tip";
pub(super) const META_ROOT: &[u8] = b"root";
pub(super) const META_SPEC: &[u8] = b"spec";
pub(super) const META_ARRIVALS: &[u8] = b"arrivals";
pub(super) const META_SETTLED: &[u8] = b"settled";
pub(super) const META_ALARM: &[u8] = b"alarm";

/// A typed view of one consistent state of the tables.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "what it reads has none")]
pub struct View<'a>(pub &'a dyn Read);

impl View<'_> {
    /// Hash of the best chain's last block.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or holds no chain.
    pub fn tip(&self) -> Result<BlockHash, StoreError> {
        Ok(BlockHash(self.meta_digest(META_TIP)?))
    }

    /// Root of the state after the tip.
    ///
    /// # Errors
    ///
    /// As [`View::tip`].
    pub fn root(&self) -> Result<StateRoot, StoreError> {
        Ok(StateRoot(self.meta_digest(META_ROOT)?))
    }

    /// Commitment of the specification that the store was made for.
    ///
    /// # Errors
    ///
    /// As [`View::tip`].
    pub fn spec_commitment(&self) -> Result<Digest, StoreError> {
        self.meta_digest(META_SPEC)
    }

    /// The settled block, if any.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn settled(&self) -> Result<Option<Point>, StoreError> {
        let Some(bytes) = self.0.get(Table::Meta, META_SETTLED)? else { return Ok(None) };
        borsh::from_slice(&bytes)
            .map(Some)
            .map_err(|_| corrupt("the settled point does not decode"))
    }

    /// The conflict of witnesses that an operator must look at, if any.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn alarm(&self) -> Result<Option<Alarm>, StoreError> {
        let Some(bytes) = self.0.get(Table::Meta, META_ALARM)? else { return Ok(None) };
        borsh::from_slice(&bytes).map(Some).map_err(|_| corrupt("the alarm does not decode"))
    }

    /// How many blocks have arrived.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn arrivals(&self) -> Result<u64, StoreError> {
        match self.0.get(Table::Meta, META_ARRIVALS)? {
            None => Ok(0),
            Some(bytes) => bytes
                .try_into()
                .map(u64::from_le_bytes)
                .map_err(|_| corrupt("the arrival counter is not 8 bytes")),
        }
    }

    /// The record of a block.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or holds something else.
    pub fn record(&self, hash: &BlockHash) -> Result<Option<Record>, StoreError> {
        let Some(bytes) = self.0.get(Table::Headers, &hash.0)? else { return Ok(None) };
        Record::decode(&bytes).map(Some).ok_or_else(|| corrupt("a header record does not decode"))
    }

    /// The record of a block that must be there.
    ///
    /// # Errors
    ///
    /// As [`View::record`], and if there is none.
    pub fn expect_record(&self, hash: &BlockHash) -> Result<Record, StoreError> {
        self.record(hash)?.ok_or_else(|| corrupt(&format!("no record of block {hash}")))
    }

    /// The bytes of a block, header included.
    ///
    /// # Errors
    ///
    /// As [`View::record`].
    pub fn block_bytes(&self, hash: &BlockHash) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(record) = self.record(hash)? else { return Ok(None) };
        let Some(body) = self.0.get(Table::Bodies, &hash.0)? else { return Ok(None) };
        Ok(Some([&record.header.encode()[..], &body].concat()))
    }

    /// Median time past of the block after `parent`: over it and up to ten ancestors.
    ///
    /// # Errors
    ///
    /// As [`View::record`].
    pub fn median_time_after(&self, parent: &Record) -> Result<u32, StoreError> {
        let mut times = Vec::with_capacity(MEDIAN_TIME_SPAN_BLOCKS);
        let mut record = *parent;
        loop {
            times.push(record.header.time);
            if times.len() == MEDIAN_TIME_SPAN_BLOCKS || record.height == 0 {
                return Ok(super::header::median_time(&mut times));
            }
            record = self.expect_record(&record.parent())?;
        }
    }

    /// Events of a record's log, in order.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or one of them is missing.
    pub fn events(
        &self,
        rid: &PubKey,
        kind: LogKind,
        indexes: Range<u64>,
    ) -> Result<Vec<Event>, StoreError> {
        indexes
            .map(|index| {
                let bytes = self.0.get(Table::Events, &Logged::key(rid, kind, index))?;
                let event = bytes.and_then(|bytes| borsh::from_slice(&bytes).ok());
                event.ok_or_else(|| corrupt(&format!("event {index} of record {rid} is missing")))
            })
            .collect()
    }

    fn meta_digest(&self, key: &[u8]) -> Result<Digest, StoreError> {
        let name = String::from_utf8_lossy(key);
        let bytes = self.0.get(Table::Meta, key)?;
        bytes
            .and_then(|bytes| Digest::try_from(bytes).ok())
            .ok_or_else(|| corrupt(&format!("no {name} in the store")))
    }
}

impl StateRead for View<'_> {
    fn entry(&self, key: &EntryKey) -> Result<Option<Bytes>, StoreError> {
        self.0.value(Table::State, &key.encoded())
    }

    fn accepted_at(&self, core: &CoreId) -> Result<Option<u32>, StoreError> {
        match self.0.value(Table::Cores, &core.0)? {
            None => Ok(None),
            Some(bytes) => <[u8; 4]>::try_from(&*bytes)
                .map(|height| Some(u32::from_le_bytes(height)))
                .map_err(|_| corrupt("the height of a core id is not 4 bytes")),
        }
    }
}

impl Pages for View<'_> {
    type Error = StoreError;

    fn page(&self, path: &PagePath) -> Result<Option<Page>, StoreError> {
        let Some(bytes) = self.0.value(Table::Pages, path.as_bytes())? else { return Ok(None) };
        Page::decode_shared(path, bytes).map(Some).map_err(|_| corrupt("a page does not decode"))
    }
}

impl Ancestors for View<'_> {
    fn hash_at(&self, height: u32) -> Result<Option<BlockHash>, StoreError> {
        match self.0.get(Table::Heights, &height.to_be_bytes())? {
            None => Ok(None),
            Some(bytes) => Digest::try_from(bytes)
                .map(|hash| Some(BlockHash(hash)))
                .map_err(|_| corrupt("the hash at a height is not 32 bytes")),
        }
    }

    fn height_of(&self, hash: &BlockHash) -> Result<Option<u32>, StoreError> {
        let Some(record) = self.record(hash)? else { return Ok(None) };
        let is_ancestor = self.hash_at(record.height)? == Some(*hash);
        Ok(is_ancestor.then_some(record.height))
    }
}

pub(super) fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt { what: what.into() }
}
