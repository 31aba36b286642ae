//! One block on top of the tip, or one block taken off it: pure steps over an overlay, durable when the
//! caller commits it.

use std::sync::Arc;

use crate::engine::nodes::NodeKernel;
use crate::engine::pool::Pool;
use crate::ledger::block::Block;
use crate::ledger::chain::known::KnownAncestors;
use crate::ledger::chain::record::{Record, Status};
use crate::ledger::chain::side;
use crate::ledger::chain::view::{META_ROOT, META_TIP, View, corrupt};
use crate::ledger::goods;
use crate::ledger::policy::Moment;
use crate::ledger::rules::context::{
    Context, Refusal, Signatures, apply_transaction, begin_block, end_block,
};
use crate::ledger::rules::isolation::Ids;
use crate::ledger::rules::{BlockRule, Verdict};
use crate::ledger::signature::KeyCache;
use crate::ledger::spec::Spec;
use crate::ledger::state::{Change as StateChange, Delta, Logged, Session};
use crate::ledger::store::{Overlay, StoreError, Table};
use crate::ledger::tree::{self, Change, PagesError, StateKey, StateRoot, ValueHash};
use crate::primitives::limits::HEADER_BYTES;
use crate::primitives::{BlockHash, Digest};

/// Changes of the state that one core hashes side by side.
const HASHED_TOGETHER: usize = 512;

/// What every step needs to know of the chain.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Its specification.
    pub spec: Spec,
    /// First bytes of its commitment.
    pub chain_id: [u8; 4],
    /// Hash of its genesis block.
    pub genesis: BlockHash,
    /// Hashes the nodes of the state tree and of merkle trees.
    pub kernel: NodeKernel,
    /// Keys that were decoded before: no verdict depends on it.
    pub keys: Arc<KeyCache>,
}

/// A block whose bytes decode, with everything that can be computed without its parent.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The block.
    pub block: Block,
    /// Its hash.
    pub hash: BlockHash,
    /// The ids of its transactions.
    pub ids: Vec<Ids>,
    /// Its merkle leaves.
    pub leaves: Vec<Digest>,
}

impl Chain {
    /// Of a specification, hashing trees with `kernel`.
    #[must_use]
    pub fn new(spec: Spec, kernel: NodeKernel) -> Self {
        let (chain_id, genesis) = (spec.chain_id(), spec.genesis_hash());
        Self { spec, chain_id, genesis, kernel, keys: Arc::default() }
    }

    /// Where a block on top of the tip is judged.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn next_context<'a>(&'a self, view: &'a View<'a>) -> Result<Context<'a>, StoreError> {
        let tip = view.expect_record(&view.tip()?)?;
        Ok(Context {
            spec: &self.spec,
            chain_id: self.chain_id,
            genesis: self.genesis,
            height: tip.height.checked_add(1).ok_or_else(|| corrupt("no height above the tip"))?,
            median_time: view.median_time_after(&tip)?,
            ancestors: view,
        })
    }

    /// Applies a block whose header, merkle root and coinbase height hold to the state of its parent,
    /// which must be the tip of the overlay; the state tree is hashed on the cores of the pool. Returns
    /// the fees.
    ///
    /// # Errors
    ///
    /// The first rule broken, or a store that cannot be read. The overlay is as it was.
    pub fn connect(
        &self,
        pool: &Pool,
        overlay: &mut Overlay<'_>,
        record: &Record,
        prepared: &Prepared,
        signatures: Signatures,
    ) -> Result<u64, Refusal<Verdict>> {
        let (delta, fees, now) = {
            let view = View(&*overlay);
            self.judge(view, record.height, prepared, signatures)?
        };
        let hash = prepared.hash;
        let undo = delta.undo_record();
        self.write_delta(Some(pool), overlay, delta)?;
        overlay.put(Table::Undo, hash.0, undo);
        overlay.put(Table::Heights, record.height.to_be_bytes(), hash.0);
        overlay.put(Table::Leaves, hash.0, prepared.leaves.concat());
        overlay.reserve(Table::Transactions, prepared.ids.len());
        for (index, ids) in (1u32..).zip(&prepared.ids) {
            let mut place = [0; 8];
            place[..4].copy_from_slice(&record.height.to_le_bytes());
            place[4..].copy_from_slice(&index.to_le_bytes());
            overlay.put(Table::Transactions, ids.transaction.0, place);
        }
        goods::write(overlay, now, &prepared.block, &prepared.ids);
        side::remove(overlay, &hash)?;
        let valid = Record { status: Status::Valid, ..*record };
        overlay.put(Table::Headers, hash.0, valid.encode());
        overlay.put(Table::Meta, META_TIP, hash.0);
        Ok(fees)
    }

    /// Takes the tip off: the state, its root and every index are those of the parent again.
    ///
    /// # Errors
    ///
    /// If the store cannot be read, or its undo record does not lead back to the root that the block
    /// committed to.
    pub fn disconnect(&self, overlay: &mut Overlay<'_>) -> Result<BlockHash, StoreError> {
        let view = View(&*overlay);
        let hash = view.tip()?;
        let record = view.expect_record(&hash)?;
        let bytes = view.block_bytes(&hash)?.ok_or_else(|| corrupt("the tip has no body"))?;
        let block = Block::decode(&bytes).map_err(|_| corrupt("the tip's body does not decode"))?;
        let undo = crate::ledger::store::Read::get(&*overlay, Table::Undo, &hash.0)?;
        let undo = undo.ok_or_else(|| corrupt("the tip has no undo record"))?;
        let state = |key: &_| crate::ledger::state::StateRead::entry(&View(&*overlay), key);
        let delta = Delta::from_undo(&undo, state)?
            .ok_or_else(|| corrupt("the tip's undo record does not decode"))?;
        for (rid, kind, indexes) in delta.forgotten() {
            for index in indexes {
                overlay.delete(Table::Events, Logged::key(&rid, kind, index));
            }
        }
        self.write_delta(None, overlay, delta)?;
        if View(&*overlay).root()? != StateRoot(block.coinbase.commitment) {
            return Err(corrupt("undoing the tip does not give its parent's state"));
        }
        let ids = Ids::of_block(&block, &self.genesis);
        for ids in &ids {
            overlay.delete(Table::Transactions, ids.transaction.0);
        }
        goods::remove(overlay, record.height, &block, &ids);
        overlay.delete(Table::Undo, hash.0);
        overlay.delete(Table::Leaves, hash.0);
        overlay.delete(Table::Heights, record.height.to_be_bytes());
        side::add(overlay, &record, &hash, bytes.len() - HEADER_BYTES)?;
        overlay.put(Table::Meta, META_TIP, record.parent().0);
        Ok(hash)
    }

    /// What a block on top of the tip changes, its fees and when it is, if every rule of the state holds.
    pub(super) fn judge(
        &self,
        view: View<'_>,
        height: u32,
        prepared: &Prepared,
        signatures: Signatures,
    ) -> Result<(Delta, u64, Moment), Refusal<Verdict>> {
        let Prepared { block, hash, ids, .. } = prepared;
        let refuse = |transaction, rule| {
            Refusal::Rule(Verdict { height, hash: *hash, transaction: Some(transaction), rule })
        };
        let expected = view.root()?;
        if expected != StateRoot(block.coinbase.commitment) {
            let (expected, got) = (expected.to_string(), hex::encode(block.coinbase.commitment));
            return Err(refuse(0, BlockRule::BadStateRoot { expected, got }));
        }
        for payout in &block.coinbase.payouts {
            self.keys
                .check(&payout.key)
                .map_err(|error| refuse(0, BlockRule::BadCoinbaseKey(error)))?;
        }
        let ancestors = KnownAncestors::new(&view);
        let context = Context { ancestors: &ancestors, ..self.next_context(&view)? };
        let mut session = Session::new(&view, height);
        session.reserve(block.transactions.len());
        begin_block(&context, &mut session)?;
        let mut fees: u64 = 0;
        for (index, (included, ids)) in (1u32..).zip(block.transactions.iter().zip(ids)) {
            let fee =
                apply_transaction(&context, &mut session, &included.transaction, ids, signatures)
                    .map_err(|refusal| match refusal {
                    Refusal::Rule(error) => refuse(index, BlockRule::Transaction(error)),
                    Refusal::Store(error) => Refusal::Store(error),
                })?;
            // Each fee was owned by its payer, so together they are part of the supply.
            fees = fees.checked_add(fee).ok_or_else(|| corrupt("fees do not add up"))?;
        }
        end_block(&context, &mut session, &block.coinbase, fees).map_err(
            |refusal| match refusal {
                Refusal::Rule(rule) => refuse(0, rule),
                Refusal::Store(error) => Refusal::Store(error),
            },
        )?;
        Ok((session.finish(), fees, context.now()))
    }

    /// Writes entries, pages, the root and the indexes of core ids and events.
    fn write_delta(
        &self,
        pool: Option<&Pool>,
        overlay: &mut Overlay<'_>,
        delta: Delta,
    ) -> Result<(), StoreError> {
        let parts: Vec<&[StateChange]> = delta.changes().chunks(HASHED_TOGETHER).collect();
        let hashed = |part: &[StateChange]| hash_changes(self.kernel, part);
        let changes = match pool {
            Some(pool) => pool.map(parts.len(), |i| hashed(parts[i])).concat(),
            None => parts.into_iter().flat_map(hashed).collect(),
        };
        let changes = in_order(&changes);
        let view = View(&*overlay);
        let update = match pool {
            Some(pool) => tree::update_on(pool, self.kernel, &view, &changes),
            None => tree::update(self.kernel, &view, &changes),
        };
        let update = update.map_err(|error| match error {
            PagesError::Store { source, .. } => source,
            other => corrupt(&other.to_string()),
        })?;
        overlay.reserve(Table::Pages, update.pages.len());
        overlay.reserve(Table::State, changes.len());
        for (path, page) in update.pages {
            match page {
                Some(page) => overlay.put(Table::Pages, path.as_bytes(), page.into_bytes()),
                None => overlay.delete(Table::Pages, path.as_bytes()),
            }
        }
        overlay.put(Table::Meta, META_ROOT, update.root.0);
        overlay.reserve(Table::Events, delta.events().len());
        for Logged { rid, kind, index, event } in delta.events() {
            overlay.put(Table::Events, Logged::key(rid, *kind, *index), event.encode());
        }
        let (added, removed) = delta.accepted();
        for core in removed {
            overlay.delete(Table::Cores, core.0);
        }
        overlay.reserve(Table::Cores, added.len());
        for (core, height) in added {
            overlay.put(Table::Cores, core.0, height.to_le_bytes());
        }
        for (key, value) in delta.into_changes().into_iter().map(StateChange::into_write) {
            match value {
                Some(value) => overlay.put(Table::State, key, value),
                None => overlay.delete(Table::State, key),
            }
        }
        Ok(())
    }
}

/// The keys of changes in the state tree with the hashes of the new values.
fn hash_changes(kernel: NodeKernel, changes: &[StateChange]) -> Vec<Change> {
    let keys: Vec<&[u8]> = changes.iter().map(StateChange::encoded).collect();
    let values: Vec<&[u8]> = changes.iter().filter_map(|change| change.new.as_deref()).collect();
    let mut values = ValueHash::of_each(kernel, &values).into_iter();
    let keys = StateKey::of_each(kernel, &keys).into_iter();
    let value = |change: &StateChange| change.new.as_ref().and_then(|_| values.next());
    keys.zip(changes.iter().map(value)).collect()
}

/// Changes by ascending keys. What is sorted are the first bytes of the keys, which as good as always
/// decide, with the numbers of the changes: a quarter of the bytes to move.
fn in_order(changes: &[Change]) -> Vec<Change> {
    let head = |change: &Change| u64::from_be_bytes(*change.0.0.first_chunk().expect("it has 32"));
    let mut order: Vec<(u64, usize)> = changes.iter().map(head).zip(0..).collect();
    order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| changes[a.1].0.cmp(&changes[b.1].0)));
    order.into_iter().map(|(_, number)| changes[number]).collect()
}

impl Prepared {
    /// Hashes a decoded block: header, leaves, ids.
    #[must_use]
    pub fn new(chain: &Chain, block: Block) -> Self {
        let hash = chain.spec.hash_header(&block.header);
        let ids = Ids::of_block(&block, &chain.genesis);
        let leaves = block.leaves();
        Self { block, hash, ids, leaves }
    }
}
