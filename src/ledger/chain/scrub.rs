//! The scrub of a stored chain: finds what is damaged without judging a block again. Three passes: every
//! stored value against its checksum, every block against its leaves and its header, every state entry
//! against the tree.

use std::collections::BTreeSet;

use crate::engine::merkle::MerkleHasher;
use crate::ledger::chain::connect::Chain;
use crate::ledger::chain::damage::BlockPart;
use crate::ledger::chain::view::View;
use crate::ledger::rules::context::Ancestors;
use crate::ledger::state::EntryKey;
use crate::ledger::store::{Damage, Read, ScrubCursor, Snapshot, StoreError, Table, scrub_step};
use crate::ledger::transaction::TransactionId;
use crate::ledger::tree::{self, prove};
use crate::primitives::BlockHash;
use crate::primitives::limits::HEADER_BYTES;

/// Bytes read for each snapshot: none is held for long beside a miner.
const STEP_BYTES: u64 = 4 << 20;
/// State entries read at a time.
const PAGE_ENTRIES: usize = 1024;

/// Something that the scrub found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// A part of a block of the best chain is not what was stored.
    #[error("block {height} ({hash}): {part} is not what was stored{}", .id.map_or(String::new(), |id| format!(" (transaction {id})")))]
    Block {
        /// Its height.
        height: u32,
        /// Its hash.
        hash: BlockHash,
        /// Which part.
        part: BlockPart,
        /// The id of the transaction, as the index has it.
        id: Option<TransactionId>,
    },
    /// A stored value that belongs to no block's bytes.
    #[error(transparent)]
    Value(Damage),
    /// The state is not what its root says.
    #[error("the state is not that of its root: {0}")]
    State(String),
}

/// How far a scrub has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Stored values whose checksums hold.
    pub values: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blocks that are what their headers say.
    pub blocks: u32,
    /// State entries that the root holds.
    pub entries: u64,
    /// What was found.
    pub findings: u64,
}

struct Scrub<'a, F, P> {
    chain: &'a Chain,
    found: F,
    progress: P,
    done: Scrubbed,
    /// Blocks that have been named.
    named: BTreeSet<BlockHash>,
}

impl Chain {
    /// Scrubs a store; `snapshot` gives its newest state, `found` takes what is found, `progress` is
    /// called after each step.
    ///
    /// # Errors
    ///
    /// Only what is no damage: the disk fails, the store is closed.
    pub fn scrub(
        &self,
        snapshot: impl Fn() -> Result<Snapshot, StoreError>,
        found: impl FnMut(Finding),
        progress: impl FnMut(&Scrubbed),
    ) -> Result<Scrubbed, StoreError> {
        let done = Scrubbed::default();
        let mut scrub = Scrub { chain: self, found, progress, done, named: BTreeSet::new() };
        scrub.values(&snapshot)?;
        scrub.blocks(&snapshot)?;
        scrub.state(&*snapshot()?)?;
        Ok(scrub.done)
    }
}

impl<F: FnMut(Finding), P: FnMut(&Scrubbed)> Scrub<'_, F, P> {
    fn report(&mut self, finding: Finding) {
        if let Finding::Block { hash, .. } = &finding
            && !self.named.insert(*hash)
        {
            return;
        }
        self.done.findings += 1;
        (self.found)(finding);
    }

    fn values(
        &mut self,
        snapshot: &impl Fn() -> Result<Snapshot, StoreError>,
    ) -> Result<(), StoreError> {
        let mut cursor = Some(ScrubCursor::default());
        while let Some(from) = cursor {
            let view = snapshot()?;
            let step = scrub_step(&*view, from, STEP_BYTES)?;
            for damage in step.damage {
                let finding = explain(View(&*view), damage)?;
                self.report(finding);
            }
            self.done.values += step.entries;
            self.done.bytes += step.bytes;
            (self.progress)(&self.done);
            cursor = step.next;
        }
        Ok(())
    }

    fn blocks(
        &mut self,
        snapshot: &impl Fn() -> Result<Snapshot, StoreError>,
    ) -> Result<(), StoreError> {
        let mut hasher = MerkleHasher::new(self.chain.kernel);
        let (mut height, mut read) = (0u32, STEP_BYTES);
        let mut view = snapshot()?;
        loop {
            if read >= STEP_BYTES {
                (view, read) = (snapshot()?, 0);
                (self.progress)(&self.done);
            }
            let stored = View(&*view);
            // What cannot be read was found before.
            let Some(hash) = readable(stored.hash_at(height))?.flatten() else { return Ok(()) };
            let record = readable(stored.record(&hash))?.flatten();
            let body = readable(stored.0.get(Table::Bodies, &hash.0))?.flatten();
            let leaves = readable(stored.0.get(Table::Leaves, &hash.0))?.flatten();
            if let (Some(record), Some(body), Some(leaves)) = (record, body, leaves) {
                read += (HEADER_BYTES + body.len() + leaves.len()) as u64;
                let leaves = leaves.as_chunks::<32>().0;
                let is_header = self.chain.spec.hash_header(&record.header) == hash
                    && hasher.root(leaves).root == record.header.merkle_root;
                let part = match is_header {
                    true => BlockPart::first_changed(&body, leaves),
                    false => Some(BlockPart::Header),
                };
                match part {
                    None => self.done.blocks += 1,
                    Some(part) => {
                        let finding = block_finding(stored, height, hash, part)?;
                        self.report(finding);
                    }
                }
            }
            height = height.saturating_add(1);
        }
    }

    /// Every page against the root, every entry against the pages, and no leaf without an entry.
    fn state(&mut self, view: &dyn Read) -> Result<(), StoreError> {
        let stored = View(view);
        let (kernel, root) = (self.chain.kernel, stored.root()?);
        let mut leaves: u64 = 0;
        match tree::Scrub::new(kernel, stored, root) {
            Ok(pages) => {
                for step in pages {
                    match step {
                        Ok(step) => leaves += step.len() as u64,
                        Err(error) => {
                            self.report(Finding::State(error.to_string()));
                            return Ok(());
                        }
                    }
                }
            }
            Err(error) => {
                self.report(Finding::State(error.to_string()));
                return Ok(());
            }
        }
        let mut from = Vec::new();
        let mut entries: u64 = 0;
        loop {
            let Some(page) = readable(view.range(Table::State, &from, PAGE_ENTRIES))? else {
                return Ok(());
            };
            for (key, value) in &page {
                entries += 1;
                let held = EntryKey::decode(key).is_some_and(|key| {
                    let key = key.state_key();
                    prove(kernel, &stored, root, &key)
                        .is_ok_and(|proof| proof.check(&root, &key, Some(value)).is_ok())
                });
                if held {
                    self.done.entries += 1;
                } else {
                    let what = format!("entry {} is not in the tree", hex::encode(key));
                    self.report(Finding::State(what));
                }
            }
            (self.progress)(&self.done);
            match page.last() {
                Some((key, _)) if page.len() == PAGE_ENTRIES => {
                    from.clone_from(key);
                    from.push(0);
                }
                _ => break,
            }
        }
        if entries != leaves {
            let what = format!("{entries} entries, the tree has {leaves}");
            self.report(Finding::State(what));
        }
        Ok(())
    }
}

/// What is damage counts as nothing read.
fn readable<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(StoreError::CorruptValue { .. } | StoreError::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A damaged value in the words of the chain: which block, which transaction.
fn explain(view: View<'_>, damage: Damage) -> Result<Finding, StoreError> {
    let Damage::Value { table: table @ (Table::Bodies | Table::Headers), key } = &damage else {
        return Ok(Finding::Value(damage));
    };
    let Ok(hash) = key.as_slice().try_into().map(BlockHash) else {
        return Ok(Finding::Value(damage));
    };
    let part = match table {
        Table::Headers => Some(BlockPart::Header),
        _ => view.changed_part(&hash)?,
    };
    match (part, height_of(view, &hash)?) {
        (Some(part), Some(height)) => block_finding(view, height, hash, part),
        _ => Ok(Finding::Value(damage)),
    }
}

fn block_finding(
    view: View<'_>,
    height: u32,
    hash: BlockHash,
    part: BlockPart,
) -> Result<Finding, StoreError> {
    let id = match part.transaction() {
        Some(index) => readable(view.transaction_id_at(height, index))?.flatten(),
        None => None,
    };
    Ok(Finding::Block { height, hash, part, id })
}

/// The height of a block of the best chain, by its record, or by a search if that is what is damaged.
fn height_of(view: View<'_>, hash: &BlockHash) -> Result<Option<u32>, StoreError> {
    if let Some(Some(record)) = readable(view.record(hash))? {
        return Ok(Some(record.height));
    }
    let mut from = Vec::new();
    loop {
        let Some(page) = readable(view.0.range(Table::Heights, &from, PAGE_ENTRIES))? else {
            return Ok(None);
        };
        if let Some((key, _)) = page.iter().find(|(_, value)| *value == hash.0) {
            return Ok(key.as_slice().try_into().ok().map(u32::from_be_bytes));
        }
        match page.last() {
            Some((key, _)) if page.len() == PAGE_ENTRIES => {
                from.clone_from(key);
                from.push(0);
            }
            _ => return Ok(None),
        }
    }
}
