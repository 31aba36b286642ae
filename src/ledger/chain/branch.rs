//! Ways through the header tree: from a block down its branch to the best chain.
//!
//! On the best chain a height names its block. Beside it a block names its parent, and its [`Node`] one more
//! ancestor, to which it jumps. Heights alone say which: those of the skip lists that Myers proved optimal
//! ("An applicative random-access stack", 1983), a finer choice than Bitcoin Core's `pskip` makes. So
//! neither a reorganisation nor a restart changes where a block jumps to, and any ancestor is found in
//! steps that grow with the logarithm of the way. Jumps only save reads: who has none goes by parents.

use crate::ledger::chain::node::Node;
use crate::ledger::chain::record::{Record, Status};
use crate::ledger::chain::view::{View, corrupt};
use crate::ledger::rules::context::Ancestors;
use crate::ledger::store::StoreError;
use crate::ledger::transaction::attest::Point;
use crate::primitives::BlockHash;

/// The way from the best chain to a block.
pub(super) struct Branch {
    /// The last block that both share.
    pub(super) fork: BlockHash,
    /// The blocks above it, lowest first.
    pub(super) blocks: Vec<(BlockHash, Record)>,
}

impl Branch {
    /// Of the branch that ends in this block: a read or two for each of its blocks.
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

    /// The height of the lowest block whose body has been let go.
    pub(super) fn missing(&self) -> Option<u32> {
        let bare = self.blocks.iter().find(|(_, record)| record.status == Status::Bare);
        bare.map(|(_, record)| record.height)
    }
}

/// The height of the ancestor that a block jumps to: its own less the last term of it in skew binary, whose
/// terms are of the form 2^k - 1, the largest first.
pub(super) fn jump_height(height: u32) -> u32 {
    let (mut rest, mut term) = (height, 0);
    while rest > 0 {
        term = u32::MAX >> rest.leading_zeros();
        if term > rest {
            term >>= 1;
        }
        rest -= term;
    }
    height - term
}

/// The ancestor of a block at a height that is not above its own; at its own it is the block itself.
pub(super) fn ancestor_at(
    view: View<'_>,
    record: &Record,
    hash: &BlockHash,
    height: u32,
) -> Result<BlockHash, StoreError> {
    let (mut hash, mut record) = (*hash, *record);
    while record.height > height {
        let jump = Node::of(view.0, &hash)?.jump;
        if jump.is_none() && view.hash_at(record.height)? == Some(hash) {
            return view.hash_at(height)?.ok_or_else(|| corrupt("a gap in the best chain"));
        }
        hash = match jump {
            Some(jump) if jump_height(record.height) >= height => jump,
            _ => record.parent(),
        };
        record = view.expect_record(&hash)?;
    }
    Ok(hash)
}

/// The height of the last block that the branch that ends in this block shares with the best chain.
pub(super) fn fork_height(
    view: View<'_>,
    record: &Record,
    hash: &BlockHash,
) -> Result<u32, StoreError> {
    let (mut hash, mut record) = (*hash, *record);
    while view.hash_at(record.height)? != Some(hash) {
        let jump = Node::of(view.0, &hash)?.jump;
        let is_beside = |jump: &BlockHash| -> Result<bool, StoreError> {
            Ok(view.hash_at(jump_height(record.height))? != Some(*jump))
        };
        hash = match jump {
            // One to the best chain may lead below the fork.
            Some(jump) if is_beside(&jump)? => jump,
            _ => record.parent(),
        };
        record = view.expect_record(&hash)?;
    }
    Ok(record.height)
}

/// Whether `point` is this block or an ancestor of it.
pub(super) fn holds(
    view: View<'_>,
    record: &Record,
    hash: &BlockHash,
    point: &Point,
) -> Result<bool, StoreError> {
    Ok(record.height >= point.height
        && ancestor_at(view, record, hash, point.height)? == point.block())
}

/// Whether the branch that ends in this block holds the settled one.
pub(super) fn holds_settled(
    view: View<'_>,
    record: &Record,
    hash: &BlockHash,
) -> Result<bool, StoreError> {
    view.settled()?.map_or(Ok(true), |settled| holds(view, record, hash, &settled))
}
