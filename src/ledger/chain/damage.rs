//! Which part of a block is no longer what it was: found from the list of merkle leaves that is kept
//! beside each block, in a store as in an archive.

use std::fmt;

use crate::hash::sha256::sha256d;
use crate::ledger::block::Block;
use crate::ledger::chain::view::View;
use crate::ledger::coinbase::Coinbase;
use crate::ledger::store::{StoreError, Table};
use crate::ledger::transaction::{Transaction, TransactionId};
use crate::primitives::codec::Reader;
use crate::primitives::{BlockHash, Digest};

/// Entries read at a time while an index is searched.
const PAGE_ENTRIES: usize = 1024;

/// A part of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlockPart {
    /// The 80 bytes that the block hash names.
    Header,
    /// The number of transactions.
    Count,
    /// A transaction; the coinbase is 0.
    Transaction(u32),
    /// What follows the last transaction.
    End,
}

impl BlockPart {
    /// The transaction, if it is one.
    #[must_use]
    pub fn transaction(self) -> Option<u32> {
        match self {
            Self::Transaction(index) => Some(index),
            _ => None,
        }
    }

    /// The first part of a block's body (its bytes after the header) that is not what the leaves say;
    /// `None` if all of it is.
    ///
    /// Transactions are read one after another, so all before the one named are what they were, and
    /// that one begins where it should.
    #[must_use]
    pub fn first_changed(body: &[u8], leaves: &[Digest]) -> Option<Self> {
        let mut reader = Reader::new(body);
        if reader.compact_size().ok() != Some(leaves.len() as u64) {
            return Some(Self::Count);
        }
        for (index, leaf) in (0u32..).zip(leaves) {
            let start = reader.position();
            let is_read = match index {
                0 => Coinbase::decode(&mut reader).is_ok(),
                _ => Transaction::decode_prefix(&body[start..])
                    .is_ok_and(|(_, used)| reader.take(used as u64).is_ok()),
            };
            if !is_read || sha256d(reader.since(start)) != *leaf {
                return Some(Self::Transaction(index));
            }
        }
        (reader.left() > 0).then_some(Self::End)
    }
}

impl fmt::Display for BlockPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("the header"),
            Self::Count => f.write_str("the number of transactions"),
            Self::Transaction(0) => f.write_str("transaction 0, the coinbase"),
            Self::Transaction(index) => write!(f, "transaction {index}"),
            Self::End => f.write_str("the end of the block"),
        }
    }
}

impl View<'_> {
    /// Which part of a stored block is not what it was, read past its checksum; `None` if the leaf list
    /// finds nothing or cannot be read itself.
    ///
    /// # Errors
    ///
    /// If the store cannot be read beyond a damaged value.
    pub fn changed_part(&self, hash: &BlockHash) -> Result<Option<BlockPart>, StoreError> {
        let leaves = match self.0.get(Table::Leaves, &hash.0) {
            Ok(Some(leaves)) => leaves,
            Ok(None) | Err(StoreError::CorruptValue { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(body) = self.0.get_unchecked(Table::Bodies, &hash.0)? else { return Ok(None) };
        Ok(BlockPart::first_changed(&body, leaves.as_chunks::<32>().0))
    }

    /// The id of the transaction at a place in the best chain, from the index: also where its bytes are
    /// damaged. It searches the whole index. `None` for a coinbase, which has no id.
    ///
    /// # Errors
    ///
    /// If the index cannot be read.
    pub fn transaction_id_at(
        &self,
        height: u32,
        index: u32,
    ) -> Result<Option<TransactionId>, StoreError> {
        let place = [height.to_le_bytes(), index.to_le_bytes()].concat();
        let mut from = Vec::new();
        loop {
            let entries = self.0.range(Table::Transactions, &from, PAGE_ENTRIES)?;
            if let Some((key, _)) = entries.iter().find(|(_, value)| *value == place) {
                return Ok(Digest::try_from(key.as_slice()).ok().map(TransactionId));
            }
            match entries.last() {
                Some((key, _)) if entries.len() == PAGE_ENTRIES => {
                    from.clone_from(key);
                    from.push(0);
                }
                _ => return Ok(None),
            }
        }
    }

    /// The block with this hash.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or what it holds does not decode.
    pub fn block(&self, hash: &BlockHash) -> Result<Option<Block>, StoreError> {
        let Some(bytes) = self.block_bytes(hash)? else { return Ok(None) };
        let decoded = Block::decode(&bytes);
        let undecodable = |_| super::view::corrupt(&format!("block {hash} does not decode"));
        decoded.map(Some).map_err(undecodable)
    }
}
