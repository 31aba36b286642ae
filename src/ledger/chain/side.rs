//! Beside the best chain: how much is kept of other branches, and what is let go first.
//!
//! Above the settled block, and on a chain without witnesses above genesis, anybody may extend any block,
//! and the relief rule makes that as easy as it can be where the block is old. So both parts of a block
//! have a bound there.
//!
//! # Bodies
//!
//! A body may be megabytes. Those beside the best chain have [`SIDE_BYTES_MAX`] together, and the one up to
//! which there is the least work goes first, among equals the one that arrived last: that depends on the
//! blocks and their order alone. The header stays, as [`Status::Bare`]: it tells how much work a branch has.
//!
//! The best chain is never lost by it. A branch that has more work than the tip while some of its bodies
//! have been let go, or one that the witnesses stand behind, is *wanted* ([`Wanted`]): its bodies are taken
//! again, are not let go whatever the bound says, and the tip moves once they are all there. Whoever brings
//! such a branch is told from which block on. To make one only to fill the disk takes more work than the
//! best chain has.
//!
//! # Headers
//!
//! A header is kept for its proof of work, which may have cost next to nothing. There are
//! [`SIDE_HEADERS_MAX`] beside the best chain; with one more the branch that has not grown for longest
//! loses its last block ([`node::trim`]), and then the one below, as far down as to where another branch
//! leaves it. So the parent of a known block is always known. What is forgotten is unknown again, no more:
//! it may come back with its branch, and fork choice, which asks for work and for nothing else, decides as
//! if it had never come.
//!
//! Two ends are never cut: that of the wanted branch, and that of the block that has just arrived. The
//! second lets in a branch that is longer than the bound: while it is brought in order, from a file for
//! example, it is always the newest. It fills no disk either, because ASERT holds a chain to the schedule
//! that began with its genesis: the difficulty is low only where a chain is behind it, and then it doubles
//! with every half-life's worth of blocks. Where strangers' blocks come in between, a branch is cut once
//! all the room that it leaves has been taken since its own last block, each header by a proof of work;
//! whoever brings it hears that a block is an orphan, and begins again at the fork.
//!
//! Why not the least work first, as with bodies, and as Zebra drops whole chains beyond ten? By its headers
//! a branch shows its work, and at its beginning that is little. With blocks of the easiest difficulty on a
//! recent parent, each with more work up to it than the beginning of a deep branch has, a stranger could
//! keep every such branch out, for ever and for less than it takes to fill a disk. Why not ask for almost
//! the work of the tip before anything is kept, as Bitcoin Core does (all but that of 144 blocks), and has
//! headers sent twice? There must be somebody to ask again; here blocks arrive one at a time, from a file or
//! a call. And why not refuse what is deep, as Zebra and Kaspa do? What is final here the witnesses say.
//!
//! # Keys of [`Table::Sides`]
//!
//! | key | value |
//! |---|---|
//! | none | what all bodies count for, u64 LE |
//! | `00` | the wanted branch: its last block, and how far its bodies have been collected |
//! | `01`, work BE, then the complement of the arrival number, BE | hash of the block, what its body counts for, u64 LE |
//! | `02` | how many headers are beside the best chain, u64 LE |
//! | `03`, hash | [`Node`](super::node::Node): how many blocks beside the best chain follow this one, u32 LE; then, if it is there itself, the hash that it jumps to |
//! | `04`, arrival number BE | hash of a block beside the best chain that no other follows |

use crate::ledger::chain::node;
use crate::ledger::chain::record::{Record, Status};
use crate::ledger::chain::view::{View, corrupt};
use crate::ledger::chain::wanted::Wanted;
use crate::ledger::rules::context::Ancestors;
use crate::ledger::store::{Overlay, Read, StoreError, Table};
use crate::primitives::BlockHash;

#[cfg(doc)]
use crate::ledger::chain::node::SIDE_HEADERS_MAX;

/// Bytes of bodies beside the best chain: reorganisations of more than a hundred full blocks, or tens of
/// thousands of small ones, need nothing to be sent twice.
pub const SIDE_BYTES_MAX: u64 = 256 << 20;
/// What a smaller body counts for: an entry costs the store as much.
pub const SIDE_BODY_BYTES_LEAST: u64 = 4 << 10;

const TOTAL: &[u8] = &[];
pub(super) const WANTED: &[u8] = &[0];
pub(super) const BODY: u8 = 1;
pub(super) const HEADERS: &[u8] = &[2];
pub(super) const NODE: u8 = 3;
pub(super) const END: u8 = 4;
/// Entries that are read at a time.
const PAGE_ENTRIES: usize = 16;

/// Counts a block with its body that is beside the best chain from now on.
pub(super) fn add(
    overlay: &mut Overlay<'_>,
    record: &Record,
    hash: &BlockHash,
    body_bytes: usize,
) -> Result<(), StoreError> {
    node::add(overlay, record, hash)?;
    let counted = (body_bytes as u64).max(SIDE_BODY_BYTES_LEAST);
    let total = total(overlay)?.saturating_add(counted);
    let key = key_of(record);
    if let Some(wanted) = Wanted::read_or_clear(overlay)?
        && key[..] < *wanted.kept_below()
        && !wanted.holds(View(&*overlay), record, hash)?
    {
        wanted.with_kept_below(key.clone()).write(overlay);
    }
    overlay.put(Table::Sides, key, [&hash.0[..], &counted.to_le_bytes()].concat());
    overlay.put(Table::Sides, TOTAL, total.to_le_bytes());
    Ok(())
}

/// Counts a block no more that joins the best chain, if it was beside it.
pub(super) fn remove(overlay: &mut Overlay<'_>, hash: &BlockHash) -> Result<(), StoreError> {
    if node::Node::of(&*overlay, hash)?.jump.is_none() {
        return Ok(());
    }
    let record = View(&*overlay).expect_record(hash)?;
    node::remove(overlay, hash)?;
    remove_body(overlay, &record)
}

/// Counts the body of this block no more, if it was counted.
pub(super) fn remove_body(overlay: &mut Overlay<'_>, record: &Record) -> Result<(), StoreError> {
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
    let wanted = Wanted::read_or_clear(overlay)?;
    let mut from =
        wanted.as_ref().map_or_else(|| vec![BODY], |wanted| wanted.kept_below().to_vec());
    'pages: loop {
        let page = overlay.range(Table::Sides, &from, PAGE_ENTRIES)?;
        let is_last = page.len() < PAGE_ENTRIES;
        for (key, value) in page {
            if key.first() != Some(&BODY) {
                break 'pages;
            }
            from = [&key[..], &[0]].concat();
            let (hash, counted) = entry_of(&value)?;
            let view = View(&*overlay);
            let record = view.expect_record(&hash)?;
            if let Some(wanted) = &wanted
                && wanted.holds(view, &record, &hash)?
            {
                continue;
            }
            if view.hash_at(record.height)? != Some(hash) {
                let bare = Record { status: Status::Bare, ..record };
                overlay.put(Table::Headers, hash.0, bare.encode());
                overlay.delete(Table::Bodies, hash.0);
            }
            forget(overlay, key, counted)?;
            if total(overlay)? <= bytes_max {
                break 'pages;
            }
        }
        if is_last {
            break;
        }
    }
    // What is not of the wanted branch has gone, up to here.
    if let Some(wanted) = wanted {
        wanted.with_kept_below(from).write(overlay);
    }
    Ok(())
}

fn total(read: &dyn Read) -> Result<u64, StoreError> {
    counter(read, TOTAL)
}

pub(super) fn counter(read: &dyn Read, key: &[u8]) -> Result<u64, StoreError> {
    match read.get(Table::Sides, key)? {
        None => Ok(0),
        Some(bytes) => bytes
            .try_into()
            .map(u64::from_le_bytes)
            .map_err(|_| corrupt("a counter beside the best chain is not 8 bytes")),
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
