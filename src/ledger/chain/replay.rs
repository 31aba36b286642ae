//! The whole stored chain judged again from genesis, in memory, by the same stages as any other run, and
//! what is stored beside it compared with what follows from it.

use crate::engine::pool::Pool;
use crate::ledger::chain::connect::Chain;
use crate::ledger::chain::ledger::write_genesis;
use crate::ledger::chain::run::Run;
use crate::ledger::chain::view::View;
use crate::ledger::rules::context::{Ancestors, Refusal};
use crate::ledger::rules::{BlockRule, Verdict};
use crate::ledger::store::{Batch, MemoryStore, Overlay, Read, Store, StoreError, Table};
use crate::ledger::transaction::TransactionId;
use crate::primitives::BlockHash;

/// Entries compared at a time.
const COMPARED: usize = 4096;

/// Why a stored chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A block breaks a rule.
    #[error(transparent)]
    Rule(#[from] Verdict),
    /// What is stored of a block is not what was stored: the transaction is named where the leaf list
    /// shows which one.
    #[error(
        "block {height} is damaged{}{}: {what}",
        .transaction.map_or(String::new(), |index| format!(", transaction {index}")),
        .id.map_or(String::new(), |id| format!(" ({id})"))
    )]
    Damaged {
        /// Height of the block.
        height: u32,
        /// Index of the transaction.
        transaction: Option<u32>,
        /// Its id, as the index of transactions has it.
        id: Option<TransactionId>,
        /// What was found.
        what: String,
    },
    /// The state or an index is not what the blocks lead to.
    #[error("the stored {0} is not what the blocks lead to")]
    Differs(&'static str),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refusal<Verdict>> for ReplayError {
    fn from(refusal: Refusal<Verdict>) -> Self {
        match refusal {
            Refusal::Rule(verdict) => Self::Rule(verdict),
            Refusal::Store(error) => Self::Store(error),
        }
    }
}

impl Chain {
    /// Replays what `stored` holds from genesis to its tip and compares every state root, the header
    /// tree's best chain and the state's entries. Memory grows with the state, not with the chain.
    ///
    /// # Errors
    ///
    /// The lowest block that does not hold, with its first transaction that does not.
    pub fn replay(
        &self,
        pool: &Pool,
        stored: View<'_>,
        mut progress: impl FnMut(&Run) + Send,
    ) -> Result<Run, ReplayError> {
        if stored.spec_commitment()? != self.spec.commitment() {
            return Err(ReplayError::Differs("specification"));
        }
        if stored.hash_at(0)? != Some(self.genesis) {
            return Err(ReplayError::Differs("genesis block"));
        }
        let tip = stored.expect_record(&stored.tip()?)?;
        let memory = MemoryStore::new();
        let mut founding = Overlay::new(&memory);
        write_genesis(&mut founding, self);
        let batch = founding.into_batch();
        memory.commit(&batch)?;

        let blocks = (1..=tip.height).map(|height| stored_block(stored, height));
        let mut overlay = Overlay::new(&memory);
        let run = self.run(pool, &mut overlay, blocks, None, |overlay, run| {
            let batch = std::mem::replace(overlay, Overlay::new(&memory)).into_batch();
            compare_index(&batch, stored.0)?;
            memory.commit(&judging_part(&batch))?;
            progress(run);
            Ok(())
        });
        let run = run.map_err(|error| self.name_transaction(stored, error))?;

        let replayed = View(&memory);
        if replayed.tip()? != stored.tip()? {
            return Err(ReplayError::Differs("tip"));
        }
        if replayed.root()? != stored.root()? {
            return Err(ReplayError::Differs("state root"));
        }
        compare(&memory, stored.0, Table::State, "state")?;
        compare(&memory, stored.0, Table::Pages, "state tree")?;
        compare(&memory, stored.0, Table::Cores, "index of core ids")?;
        compare(&memory, stored.0, Table::Heights, "index of heights")?;
        Ok(run)
    }

    /// A block that does not decode or whose merkle root no longer fits is a changed one: the leaf list
    /// says where.
    fn name_transaction(&self, stored: View<'_>, error: ReplayError) -> ReplayError {
        let ReplayError::Rule(verdict) = &error else { return error };
        if !matches!(verdict.rule, BlockRule::BadMerkleRoot | BlockRule::Decode(_)) {
            return error;
        }
        match stored.hash_at(verdict.height) {
            Ok(Some(hash)) => match stored.damage(verdict.height, &hash) {
                Ok(Some(damage)) => damage,
                Ok(None) => error,
                Err(error) => error.into(),
            },
            Ok(None) => error,
            Err(error) => error.into(),
        }
    }
}

impl View<'_> {
    /// What is wrong with the body of a block, by its leaf list; `None` if that finds nothing.
    fn damage(&self, height: u32, hash: &BlockHash) -> Result<Option<ReplayError>, StoreError> {
        let Some(part) = self.changed_part(hash)? else { return Ok(None) };
        let transaction = part.transaction();
        let id = match transaction {
            Some(index) => self.transaction_id_at(height, index)?,
            None => None,
        };
        let what = format!("{part} is not what was stored");
        Ok(Some(ReplayError::Damaged { height, transaction, id, what }))
    }
}

fn stored_block(stored: View<'_>, height: u32) -> Result<Vec<u8>, ReplayError> {
    let damaged = |what: String| ReplayError::Damaged { height, transaction: None, id: None, what };
    let hash = stored.hash_at(height)?.ok_or_else(|| damaged("no hash at this height".into()))?;
    match stored.block_bytes(&hash) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(damaged("header or body is missing".into())),
        Err(error @ StoreError::CorruptValue { .. }) => match stored.damage(height, &hash)? {
            Some(damage) => Err(damage),
            None => Err(damaged(error.to_string())),
        },
        Err(error) => Err(error.into()),
    }
}

/// What the rules read: bodies and indexes of transactions stay out of memory.
fn judging_part(batch: &Batch) -> Batch {
    let mut part = Batch::new();
    for (table, key, value) in batch.iter() {
        let is_read = !matches!(
            table,
            Table::Bodies
                | Table::Undo
                | Table::Leaves
                | Table::Transactions
                | Table::Lots
                | Table::Moves
        );
        match value {
            _ if !is_read => {}
            Some(value) => part.put(table, key, value),
            None => part.delete(table, key),
        }
    }
    part
}

/// Compares what was just derived and is not kept with what is stored.
fn compare_index(batch: &Batch, stored: &dyn Read) -> Result<(), ReplayError> {
    for (table, key, value) in batch.iter() {
        let name = match table {
            Table::Leaves => "leaf list",
            Table::Transactions => "index of transactions",
            Table::Undo => "undo record",
            Table::Events => "index of events",
            Table::Lots | Table::Moves => "index of moves",
            _ => continue,
        };
        if stored.get(table, key)?.as_deref() != value {
            return Err(ReplayError::Differs(name));
        }
    }
    Ok(())
}

fn compare(
    replayed: &dyn Read,
    stored: &dyn Read,
    table: Table,
    name: &'static str,
) -> Result<(), ReplayError> {
    let mut from = Vec::new();
    loop {
        let ours = replayed.range(table, &from, COMPARED)?;
        if ours != stored.range(table, &from, COMPARED)? {
            return Err(ReplayError::Differs(name));
        }
        match ours.last() {
            Some((key, _)) if ours.len() == COMPARED => {
                from.clone_from(key);
                from.push(0);
            }
            _ => return Ok(()),
        }
    }
}
