//! Writing an archive from what a store holds at one commit.

use std::io::Write;

use super::{ArchiveError, Checked, END, MAGIC, Place, VERSION};
use crate::ledger::block::Block;
use crate::ledger::chain::{BlockPart, View};
use crate::ledger::rules::context::Ancestors;
use crate::ledger::rules::isolation::Ids;
use crate::ledger::spec::Spec;
use crate::ledger::store::{StoreError, Table};
use crate::primitives::BlockHash;
use crate::primitives::limits::HEADER_BYTES;

/// Writes the best chain of `view`, block by block; `progress` is told each height. Returns the height of
/// the tip.
///
/// # Errors
///
/// If the store cannot be read or `out` refuses. A stored block that is not what its leaf list says is
/// named and not written.
pub fn write_archive(
    spec: &Spec,
    view: View<'_>,
    mut out: impl Write,
    mut progress: impl FnMut(u32),
) -> Result<u32, ArchiveError> {
    let mut put =
        |bytes: &[u8]| out.write_all(bytes).map_err(|error| ArchiveError::from_io(&error));
    let tip_hash = view.tip()?;
    let tip = view.expect_record(&tip_hash)?;
    let genesis = spec.genesis_hash();
    let text = spec.to_toml();
    let text_bytes = u32::try_from(text.len()).expect("a specification is short");
    let head = [
        &MAGIC[..],
        &VERSION.to_le_bytes(),
        &tip.height.to_le_bytes(),
        &tip_hash.0,
        &genesis.0,
        &text_bytes.to_le_bytes(),
    ]
    .concat();
    put(&head)?;
    put(&Checked::Head.check(&[&head]))?;
    put(text.as_bytes())?;
    put(&Checked::Spec.check(&[text.as_bytes()]))?;
    for height in 1..=tip.height {
        let (hash, bytes) = stored_block(view, height)?;
        let list = list_of(view, &genesis, height, &hash, &bytes)?;
        let transactions = u32::try_from(list.len()).expect("bounded by the block");
        let block_bytes = u32::try_from(bytes.len()).expect("bounded by the rules");
        let frame = [
            &height.to_le_bytes()[..],
            &block_bytes.to_le_bytes(),
            &transactions.to_le_bytes(),
            &hash.0,
        ]
        .concat();
        let list = list.as_flattened().as_flattened();
        put(&frame)?;
        put(&Checked::Frame.check(&[&frame]))?;
        put(list)?;
        put(&Checked::List.check(&[&hash.0, list]))?;
        put(&bytes)?;
        put(&Checked::Block.check(&[&bytes]))?;
        progress(height);
    }
    put(&END)?;
    Ok(tip.height)
}

fn stored_block(view: View<'_>, height: u32) -> Result<(BlockHash, Vec<u8>), ArchiveError> {
    let missing = |what: &str| StoreError::Corrupt { what: format!("{what} at height {height}") };
    let hash = view.hash_at(height)?.ok_or_else(|| missing("no hash"))?;
    match view.block_bytes(&hash) {
        Ok(Some(bytes)) => Ok((hash, bytes)),
        Ok(None) => Err(missing("no block").into()),
        Err(error @ StoreError::CorruptValue { .. }) => match view.changed_part(&hash)? {
            Some(part) => Err(damaged(view, height, hash, part)?),
            None => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}

fn damaged(
    view: View<'_>,
    height: u32,
    hash: BlockHash,
    part: BlockPart,
) -> Result<ArchiveError, StoreError> {
    let id = match part.transaction() {
        Some(index) => view.transaction_id_at(height, index)?,
        None => None,
    };
    Ok(ArchiveError::Damaged { height, hash, part, id })
}

/// Leaf and id of each transaction, having compared the block with its stored leaves.
fn list_of(
    view: View<'_>,
    genesis: &BlockHash,
    height: u32,
    hash: &BlockHash,
    bytes: &[u8],
) -> Result<Vec<[[u8; 32]; 2]>, ArchiveError> {
    let leaves = view.0.get(Table::Leaves, &hash.0)?.unwrap_or_default();
    let leaves = leaves.as_chunks::<32>().0;
    if let Some(part) = BlockPart::first_changed(&bytes[HEADER_BYTES..], leaves) {
        return Err(damaged(view, height, *hash, part)?);
    }
    let block = Block::decode(bytes).map_err(|_| ArchiveError::Frame(Place::Block(height)))?;
    let ids = Ids::of_block(&block, genesis);
    let ids = ids.iter().map(|ids| ids.transaction.0);
    // The coinbase has no id of ours.
    let ids = std::iter::once(leaves[0]).chain(ids);
    Ok(leaves.iter().copied().zip(ids).map(|(leaf, id)| [leaf, id]).collect())
}
