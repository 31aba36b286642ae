//! Beside the best chain: how much is kept of other branches, and what is let go first.
//!
//! The header of every block is kept, some two hundred bytes for a proof of work: it tells how much work a
//! branch has. Its body may be megabytes, and where the difficulty is low it costs next to nothing to
//! make one. So the bodies beside the best chain have a bound together, and the one up to which there is the least
//! work goes first, among equals the one that arrived last: that depends on the blocks and their order alone.
//!
//! The best chain is never lost by it. A branch that has more work than the tip while some of its bodies have
//! been let go, or one that the witnesses stand behind, is *wanted*: its bodies are taken again, are
//! not let go whatever the bound says, and the tip moves once they are all there. Whoever brings such a branch
//! is told from which block on. To make one only to fill the disk takes more work than the best chain has.
//!
//! | key in [`Table::Sides`] | value |
//! |---|---|
//! | none | what all bodies count for, u64 LE |
//! | `00` | the hash of the last block of the wanted branch, then 1 if witnesses stand behind it |
//! | `01`, work BE, then the complement of the arrival number, BE | hash of the block, what its body counts for, u64 LE |

use std::collections::BTreeSet;

use crate::ledger::chain::record::{Record, Status};
use crate::ledger::chain::view::{View, corrupt};
use crate::ledger::rules::context::Ancestors;
use crate::ledger::store::{Overlay, Read, StoreError, Table};
use crate::primitives::BlockHash;

/// Bytes of bodies beside the best chain: reorganisations of more than a hundred full blocks, or tens of
/// thousands of small ones, need nothing to be sent twice.
pub const SIDE_BYTES_MAX: u64 = 256 << 20;
/// What a smaller body counts for: an entry costs the store as much.
pub const SIDE_BODY_BYTES_LEAST: u64 = 4 << 10;

const TOTAL: &[u8] = &[];
const WANTED: &[u8] = &[0];
const BODY: u8 = 1;
/// Entries that are read at a time.
const PAGE_ENTRIES: usize = 16;

/// The way from the best chain to a block.
pub(super) struct Branch {
    /// The last block that both share.
    pub(super) fork: BlockHash,
    /// The blocks above it, lowest first.
    pub(super) blocks: Vec<(BlockHash, Record)>,
}

impl Branch {
    /// Of the branch that ends in this block.
    pub(super) fn to(
        view: View<'_>,
        record: &Record,
        hash: &BlockHash,
    ) -> Result<Self, StoreError> {
        let mut blocks = Vec::new();
        let (mut hash, mut record) = (*hash, *record);
        while view.hash_at(record.height)? != Some(hash) {
            blocks.push((hash, record));
            hash = record.parent();
            record = view.expect_record(&hash)?;
        }
        blocks.reverse();
        Ok(Self { fork: hash, blocks })
    }

    /// The lowest block whose body has been let go.
    pub(super) fn missing(&self) -> Option<BlockHash> {
        let bare = self.blocks.iter().find(|(_, record)| record.status == Status::Bare);
        bare.map(|(hash, _)| *hash)
    }

    fn holds(&self, hash: &BlockHash) -> bool {
        self.blocks.iter().any(|(other, _)| other == hash)
    }
}

/// Whether the branch that ends in `record` holds the settled block.
pub(super) fn holds_settled(
    view: View<'_>,
    record: &Record,
    hash: &BlockHash,
) -> Result<bool, StoreError> {
    let Some(settled) = view.settled()? else { return Ok(true) };
    let (mut hash, mut record) = (*hash, *record);
    // The settled block is on the best chain, so the first ancestor there decides.
    while view.hash_at(record.height)? != Some(hash) {
        if record.height <= settled.height {
            return Ok(false);
        }
        hash = record.parent();
        record = view.expect_record(&hash)?;
    }
    Ok(record.height >= settled.height)
}

/// Counts a body that is beside the best chain from now on.
pub(super) fn add(
    overlay: &mut Overlay<'_>,
    record: &Record,
    hash: &BlockHash,
    body_bytes: usize,
) -> Result<(), StoreError> {
    let counted = (body_bytes as u64).max(SIDE_BODY_BYTES_LEAST);
    let total = total(overlay)?.saturating_add(counted);
    overlay.put(Table::Sides, key_of(record), [&hash.0[..], &counted.to_le_bytes()].concat());
    overlay.put(Table::Sides, TOTAL, total.to_le_bytes());
    Ok(())
}

/// Counts the body of this block no more, if it was counted: it is on the best chain, or gone.
pub(super) fn remove(overlay: &mut Overlay<'_>, record: &Record) -> Result<(), StoreError> {
    let key = key_of(record);
    let Some(value) = overlay.get(Table::Sides, &key)? else { return Ok(()) };
    let (_, counted) = entry_of(&value)?;
    forget(overlay, key, counted)
}

/// Lets bodies go until the rest is within the bound, those of the wanted branch excepted.
pub(super) fn trim(overlay: &mut Overlay<'_>, bytes_max: u64) -> Result<(), StoreError> {
    if total(overlay)? <= bytes_max {
        return Ok(());
    }
    let view = View(&*overlay);
    let kept: BTreeSet<BlockHash> = match wanted(view)? {
        Some((hash, record)) => {
            let branch = Branch::to(view, &record, &hash)?;
            branch.blocks.into_iter().map(|(hash, _)| hash).collect()
        }
        None => BTreeSet::new(),
    };
    let mut from = vec![BODY];
    loop {
        let page = overlay.range(Table::Sides, &from, PAGE_ENTRIES)?;
        let is_last = page.len() < PAGE_ENTRIES;
        for (key, value) in page {
            from = [&key[..], &[0]].concat();
            let (hash, counted) = entry_of(&value)?;
            if kept.contains(&hash) {
                continue;
            }
            let view = View(&*overlay);
            let record = view.expect_record(&hash)?;
            if view.hash_at(record.height)? != Some(hash) {
                let bare = Record { status: Status::Bare, ..record };
                overlay.put(Table::Headers, hash.0, bare.encode());
                overlay.delete(Table::Bodies, hash.0);
            }
            forget(overlay, key, counted)?;
            if total(overlay)? <= bytes_max {
                return Ok(());
            }
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Has the bodies of a branch collected; of two that have more work than the tip those of the one with more.
pub(super) fn want(
    overlay: &mut Overlay<'_>,
    record: &Record,
    hash: &BlockHash,
    is_witnessed: bool,
) -> Result<(), StoreError> {
    let other = wanted(View(&*overlay))?;
    if is_witnessed || other.is_none_or(|(_, other)| other.work < record.work) {
        let value = [&hash.0[..], &[u8::from(is_witnessed)]].concat();
        overlay.put(Table::Sides, WANTED, value);
    }
    Ok(())
}

/// The last block of the branch whose bodies are collected, while that makes sense.
pub(super) fn wanted(view: View<'_>) -> Result<Option<(BlockHash, Record)>, StoreError> {
    let Some(value) = view.0.get(Table::Sides, WANTED)? else { return Ok(None) };
    let parts = value.split_first_chunk().map(|(hash, rest)| (BlockHash(*hash), rest));
    let Some((hash, [is_witnessed @ (0 | 1)])) = parts else {
        return Err(corrupt("the wanted branch does not decode"));
    };
    let record = view.expect_record(&hash)?;
    let is_better = *is_witnessed == 1 || record.work > view.expect_record(&view.tip()?)?.work;
    let makes_sense = is_better
        && record.status != Status::Invalid
        && view.hash_at(record.height)? != Some(hash)
        && holds_settled(view, &record, &hash)?;
    Ok(makes_sense.then_some((hash, record)))
}

/// The wanted branch, if a block is on it.
pub(super) fn wanted_with(
    view: View<'_>,
    hash: &BlockHash,
) -> Result<Option<(Record, Branch)>, StoreError> {
    let Some((last, record)) = wanted(view)? else { return Ok(None) };
    let branch = Branch::to(view, &record, &last)?;
    Ok(branch.holds(hash).then_some((record, branch)))
}

fn total(read: &dyn Read) -> Result<u64, StoreError> {
    match read.get(Table::Sides, TOTAL)? {
        None => Ok(0),
        Some(bytes) => bytes
            .try_into()
            .map(u64::from_le_bytes)
            .map_err(|_| corrupt("the bytes beside the best chain are not 8 bytes")),
    }
}

fn forget(overlay: &mut Overlay<'_>, key: Vec<u8>, counted: u64) -> Result<(), StoreError> {
    match total(overlay)?.saturating_sub(counted) {
        0 => overlay.delete(Table::Sides, TOTAL),
        left => overlay.put(Table::Sides, TOTAL, left.to_le_bytes()),
    }
    overlay.delete(Table::Sides, key);
    Ok(())
}

fn key_of(record: &Record) -> Vec<u8> {
    let mut work = record.work.to_le_bytes();
    work.reverse();
    [&[BODY], &work[..], &(!record.arrival).to_be_bytes()].concat()
}

fn entry_of(value: &[u8]) -> Result<(BlockHash, u64), StoreError> {
    value
        .split_first_chunk()
        .and_then(|(hash, counted)| {
            Some((BlockHash(*hash), u64::from_le_bytes(counted.try_into().ok()?)))
        })
        .ok_or_else(|| corrupt("a body beside the best chain is not counted in 40 bytes"))
}
