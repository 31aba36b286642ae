//! The headers beside the best chain: how they hang together, and which are forgotten when there are too
//! many of them.

use crate::ledger::chain::branch::{ancestor_at, jump_height};
use crate::ledger::chain::record::Record;
use crate::ledger::chain::side::{self, END, HEADERS, NODE};
use crate::ledger::chain::view::{View, corrupt};
use crate::ledger::chain::wanted::Wanted;
use crate::ledger::store::{Overlay, Read, StoreError, Table};
use crate::primitives::BlockHash;

/// Headers beside the best chain, of some three hundred bytes each with what finds them: a hundred MiB.
pub const SIDE_HEADERS_MAX: u64 = 1 << 18;

/// Entries that are read at a time.
const PAGE_ENTRIES: usize = 16;

/// What the tree beside the best chain has to know of a block.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Node {
    /// How many blocks beside the best chain follow it.
    followers: u32,
    /// If it is beside the best chain itself, the ancestor that it jumps to.
    pub(super) jump: Option<BlockHash>,
}

impl Node {
    /// Of any block; on the best chain most have nothing to say.
    pub(super) fn of(read: &dyn Read, hash: &BlockHash) -> Result<Self, StoreError> {
        let Some(bytes) = read.get(Table::Sides, &key_of_node(hash))? else {
            return Ok(Self::default());
        };
        let damaged = || corrupt("a node beside the best chain does not decode");
        let (followers, jump) = bytes.split_first_chunk().ok_or_else(damaged)?;
        let jump = match jump {
            [] => None,
            _ => Some(BlockHash(jump.try_into().map_err(|_| damaged())?)),
        };
        Ok(Self { followers: u32::from_le_bytes(*followers), jump })
    }

    fn put(self, overlay: &mut Overlay<'_>, hash: &BlockHash) {
        let key = key_of_node(hash);
        if self.followers == 0 && self.jump.is_none() {
            return overlay.delete(Table::Sides, key);
        }
        let jump = self.jump.as_ref().map_or(&[][..], |jump| &jump.0);
        overlay.put(Table::Sides, key, [&self.followers.to_le_bytes()[..], jump].concat());
    }

    /// Whether it is the end of a branch beside the best chain.
    fn is_end(self) -> bool {
        self.followers == 0 && self.jump.is_some()
    }
}

/// Takes a block into the tree beside the best chain, if it is not there.
pub(super) fn add(
    overlay: &mut Overlay<'_>,
    record: &Record,
    hash: &BlockHash,
) -> Result<(), StoreError> {
    let node = Node::of(&*overlay, hash)?;
    if node.jump.is_some() {
        return Ok(());
    }
    let view = View(&*overlay);
    let parent = view.expect_record(&record.parent())?;
    let jump = ancestor_at(view, &parent, &record.parent(), jump_height(record.height))?;
    let node = Node { jump: Some(jump), ..node };
    node.put(overlay, hash);
    if node.is_end() {
        overlay.put(Table::Sides, key_of_end(record), hash.0);
    }
    let before = Node::of(&*overlay, &record.parent())?;
    if before.is_end() {
        overlay.delete(Table::Sides, key_of_end(&parent));
    }
    let followers = before.followers.saturating_add(1);
    Node { followers, ..before }.put(overlay, &record.parent());
    let count = count(overlay)?.saturating_add(1);
    overlay.put(Table::Sides, HEADERS, count.to_le_bytes());
    Ok(())
}

/// Takes a block out of it, if it is there: it joins the best chain, or is forgotten. Whether its parent is
/// the end of a branch now.
pub(super) fn remove(overlay: &mut Overlay<'_>, hash: &BlockHash) -> Result<bool, StoreError> {
    let node = Node::of(&*overlay, hash)?;
    if node.jump.is_none() {
        return Ok(false);
    }
    let record = View(&*overlay).expect_record(hash)?;
    if node.is_end() {
        overlay.delete(Table::Sides, key_of_end(&record));
    }
    Node { jump: None, ..node }.put(overlay, hash);
    match count(overlay)?.saturating_sub(1) {
        0 => overlay.delete(Table::Sides, HEADERS),
        left => overlay.put(Table::Sides, HEADERS, left.to_le_bytes()),
    }
    let before = Node::of(&*overlay, &record.parent())?;
    let before = Node { followers: before.followers.saturating_sub(1), ..before };
    before.put(overlay, &record.parent());
    if before.is_end() {
        let parent = View(&*overlay).expect_record(&record.parent())?;
        overlay.put(Table::Sides, key_of_end(&parent), record.parent().0);
    }
    Ok(before.is_end())
}

/// Forgets headers until so many are left. The branch that has not grown for longest is cut first, from its
/// end; never the branch of the block that has just arrived, and never the wanted one.
pub(super) fn trim(
    overlay: &mut Overlay<'_>,
    headers_max: u64,
    arrived: &BlockHash,
) -> Result<(), StoreError> {
    if count(overlay)? <= headers_max {
        return Ok(());
    }
    let wanted = Wanted::read_or_clear(overlay)?.map(|wanted| wanted.last);
    let mut from = vec![END];
    loop {
        let page = overlay.range(Table::Sides, &from, PAGE_ENTRIES)?;
        let is_last = page.len() < PAGE_ENTRIES;
        for (key, hash) in page {
            from = [&key[..], &[0]].concat();
            let hash = hash.try_into().map(BlockHash);
            let mut hash = hash.map_err(|_| corrupt("the end of a branch is not 32 bytes"))?;
            // Whatever an end follows had arrived before it, so it is the next in turn as soon as it is an end.
            while hash != *arrived && Some(hash) != wanted {
                let record = View(&*overlay).expect_record(&hash)?;
                let is_parent_end = remove(overlay, &hash)?;
                side::remove_body(overlay, &record)?;
                overlay.delete(Table::Bodies, hash.0);
                overlay.delete(Table::Headers, hash.0);
                if count(overlay)? <= headers_max {
                    return Ok(());
                }
                if !is_parent_end {
                    break;
                }
                hash = record.parent();
            }
        }
        if is_last {
            return Ok(());
        }
    }
}

/// How many headers are beside the best chain.
fn count(read: &dyn Read) -> Result<u64, StoreError> {
    side::counter(read, HEADERS)
}

fn key_of_node(hash: &BlockHash) -> Vec<u8> {
    [&[NODE], &hash.0[..]].concat()
}

fn key_of_end(record: &Record) -> Vec<u8> {
    [&[END], &record.arrival.to_be_bytes()[..]].concat()
}
