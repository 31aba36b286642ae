//! A run of blocks on top of the tip, judged in parallel stages: structure, work and merkle roots on the
//! kernels, signatures of many blocks in common batches, then the state in order. Whatever fails in
//! parallel is judged again in order, so the verdict is the one that a serial verifier names.

use std::collections::HashSet;

use crate::engine::merkle::MerkleHasher;
use crate::engine::pool::Pool;
use crate::ledger::block::{BLOCK_BYTES_MAX, Block, BlockDecodeError};
use crate::ledger::bytes::Bytes;
use crate::ledger::chain::connect::{Chain, Prepared};
use crate::ledger::chain::header::{check_clock, check_header};
use crate::ledger::chain::record::Record;
use crate::ledger::chain::view::{META_ARRIVALS, View};
use crate::ledger::rules::context::{Refusal, Signatures};
use crate::ledger::rules::foresight::Foresight;
use crate::ledger::rules::{BlockRule, Verdict};
use crate::ledger::signature::{PubKey, Signed};
use crate::ledger::store::{Overlay, Table};
use crate::primitives::limits::HEADER_BYTES;
use crate::primitives::{BlockHash, Header};

/// Bytes of blocks that a group gathers for each core before it is judged: enough for full batches of
/// signatures. They bound the memory of a run, and how long cores wait for one another at its ends.
const GROUP_BYTES_PER_THREAD: usize = BLOCK_BYTES_MAX / 4;
/// Blocks in a group.
const GROUP_BLOCKS_MAX: usize = 1024;

/// How far a run came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Run {
    /// Blocks applied.
    pub blocks: u64,
    /// Their transactions, coinbases not counted.
    pub transactions: u64,
    /// Their signatures.
    pub signatures: u64,
}

impl Run {
    /// This run and then another.
    #[must_use]
    pub fn plus(&self, later: &Self) -> Self {
        Self {
            blocks: self.blocks + later.blocks,
            transactions: self.transactions + later.transactions,
            signatures: self.signatures + later.signatures,
        }
    }
}

/// Consecutive blocks judged as far as that goes without the state of their parent.
#[derive(Debug)]
pub struct Group {
    blocks: Vec<Judged>,
    /// Every key and signature of the blocks before this one is valid; from it on they are judged in
    /// order.
    verified: usize,
}

/// A block that was judged alone.
#[derive(Debug)]
struct Judged {
    /// Its header; none of fewer bytes than one has.
    header: Option<Header>,
    /// The bytes after the header, as the store keeps them.
    body: Bytes,
    prepared: Result<Prepared, Verdict>,
}

/// Judges everything about a block but its header's context and the state: structure, merkle root,
/// mutation, the height in the coinbase.
///
/// # Errors
///
/// The first rule broken.
pub fn judge_isolated(chain: &Chain, height: u32, bytes: &[u8]) -> Result<Prepared, Verdict> {
    let hash = chain.header_hash(bytes).unwrap_or(BlockHash::ZERO);
    let refuse = |transaction, rule| Verdict { height, hash, transaction, rule };
    let block = Block::decode(bytes).map_err(|error| {
        let transaction = match &error {
            BlockDecodeError::Coinbase(_) => Some(0),
            BlockDecodeError::Transaction { index, .. } => Some(*index),
            _ => None,
        };
        refuse(transaction, BlockRule::Decode(error))
    })?;
    let prepared = Prepared::new(chain, block);
    let root = MerkleHasher::new(chain.kernel).root(&prepared.leaves);
    if root.mutated {
        return Err(refuse(None, BlockRule::Mutated));
    }
    if root.root != prepared.block.header.merkle_root {
        return Err(refuse(None, BlockRule::BadMerkleRoot));
    }
    let named = prepared.block.coinbase.height;
    if named != height {
        return Err(refuse(Some(0), BlockRule::BadCoinbaseHeight(named)));
    }
    Ok(prepared)
}

impl Chain {
    /// Judges consecutive blocks, the first at `height`, as far as that goes without state: on every
    /// core of the pool, signatures of all of them in common batches.
    #[must_use]
    pub fn prepare(&self, pool: &Pool, height: u32, blocks: Vec<Vec<u8>>) -> Group {
        let heights: Vec<u32> = (height..).take(blocks.len()).collect();
        let mut judged = pool.map(blocks.len(), |i| Judged {
            header: blocks[i].first_chunk::<HEADER_BYTES>().map(Header::decode),
            body: blocks[i].get(HEADER_BYTES..).unwrap_or_default().into(),
            prepared: judge_isolated(self, heights[i], &blocks[i]),
        });
        foresee(pool, judged.iter_mut().map_while(|judged| judged.prepared.as_mut().ok()));
        let prepared: Vec<&Prepared> =
            judged.iter().map_while(|judged| judged.prepared.as_ref().ok()).collect();
        let verified = verified_prefix(self, pool, &prepared);
        Group { blocks: judged, verified }
    }

    /// Whether every key and signature of a block is valid.
    pub(super) fn signatures_of(&self, pool: &Pool, prepared: &Prepared) -> Signatures {
        match verified_prefix(self, pool, &[prepared]) {
            0 => Signatures::Verify,
            _ => Signatures::Verified,
        }
    }

    /// Applies a group on top of the tip of the overlay, block by block; `now` is the clock that no
    /// block may be too far ahead of, if there is one to ask.
    ///
    /// # Errors
    ///
    /// The first rule broken, or a store that cannot be read; the blocks before stay applied.
    pub fn apply(
        &self,
        pool: &Pool,
        overlay: &mut Overlay<'_>,
        group: &Group,
        now: Option<u64>,
        run: &mut Run,
    ) -> Result<(), Refusal<Verdict>> {
        for (index, Judged { header, body, prepared }) in group.blocks.iter().enumerate() {
            let record = self.judge_next_header(View(&*overlay), header.as_ref(), now)?;
            let prepared = prepared.as_ref().map_err(|verdict| Refusal::Rule(verdict.clone()))?;
            let record = record.expect("what decodes has a header");
            let signatures =
                if index < group.verified { Signatures::Verified } else { Signatures::Verify };
            self.connect(pool, overlay, &record, prepared, signatures)?;
            overlay.put(Table::Bodies, prepared.hash.0, body.clone());
            overlay.put(Table::Meta, META_ARRIVALS, (record.arrival + 1).to_le_bytes());
            run.blocks += 1;
            run.transactions += prepared.ids.len() as u64;
            let transactions = &prepared.block.transactions;
            run.signatures +=
                transactions.iter().map(|tx| tx.transaction.signature_count() as u64).sum::<u64>();
        }
        Ok(())
    }

    /// Applies blocks on top of the tip: while the state of one group is applied on one core, the next
    /// group is prepared on the others. After each group `keep` may commit and empty the overlay.
    ///
    /// # Errors
    ///
    /// The lowest bad block with its first bad transaction, or a store that cannot be read, or whatever
    /// `keep` fails with. Everything below stays applied.
    pub fn run<'a, E: From<Refusal<Verdict>> + Send>(
        &self,
        pool: &Pool,
        overlay: &mut Overlay<'a>,
        mut blocks: impl Iterator<Item = Result<Vec<u8>, E>>,
        now: Option<u64>,
        mut keep: impl FnMut(&mut Overlay<'a>, &Run) -> Result<(), E> + Send,
    ) -> Result<Run, E> {
        let store = |error| E::from(Refusal::Store(error));
        let tip = View(&*overlay).tip().map_err(store)?;
        let mut height = View(&*overlay).expect_record(&tip).map_err(store)?.height;
        let mut run = Run::default();
        let group_bytes = pool.threads().get().saturating_mul(GROUP_BYTES_PER_THREAD);
        let (raw, mut ended) = next_group(&mut blocks, group_bytes);
        let mut next = self.prepare(pool, height.saturating_add(1), raw);
        let mut spent = None;
        loop {
            let current = next;
            let count = u32::try_from(current.blocks.len()).expect("a group is bounded");
            if count == 0 {
                return ended.unwrap_or(Ok(())).map(|()| run);
            }
            height = height.saturating_add(count);
            let raw = if ended.is_some() {
                Vec::new()
            } else {
                let (raw, end) = next_group(&mut blocks, group_bytes);
                ended = end;
                raw
            };
            let (prepared, applied) = pool.join(
                || {
                    // To free a group takes a while, which is better spent here than between blocks.
                    drop(spent);
                    self.prepare(pool, height.saturating_add(1), raw)
                },
                || {
                    let applied = self.apply(pool, overlay, &current, now, &mut run);
                    // What was applied before a bad block is kept all the same.
                    keep(overlay, &run)?;
                    applied.map_err(E::from)
                },
            );
            applied?;
            next = prepared;
            spent = Some(current);
        }
    }

    /// Judges the header at the front of a block's bytes as the next one after the tip, before anything
    /// is asked about the body: work comes before whatever a stranger can make expensive.
    fn judge_next_header(
        &self,
        view: View<'_>,
        header: Option<&Header>,
        now: Option<u64>,
    ) -> Result<Option<Record>, Refusal<Verdict>> {
        let Some(header) = header else { return Ok(None) };
        let hash = self.spec.hash_header(header);
        let tip = view.tip()?;
        let parent = view.expect_record(&tip)?;
        let height = parent.height + 1;
        let refuse = |rule| Refusal::Rule(Verdict { height, hash, transaction: None, rule });
        if header.prev_block != tip {
            return Err(refuse(BlockRule::BadPrevBlock { expected: tip, got: header.prev_block }));
        }
        let median = view.median_time_after(&parent)?;
        check_header(&self.spec, &parent, median, header, &hash).map_err(refuse)?;
        if let Some(now) = now {
            check_clock(&self.spec, header, now).map_err(refuse)?;
        }
        Ok(Some(self.record(&parent, header, view.arrivals()?)))
    }
}

/// Hashes the guardians' paths of blocks, as far as the blocks say whose guardians they speak of.
pub(super) fn foresee<'a>(pool: &Pool, blocks: impl Iterator<Item = &'a mut Prepared>) {
    let mut blocks: Vec<&mut Prepared> = blocks.collect();
    let mut foresight = Foresight::default();
    for prepared in &blocks {
        foresight.note(&prepared.block, &prepared.ids);
    }
    if foresight.is_empty() {
        return;
    }
    let shown = pool.map(blocks.len(), |i| foresight.guardians_of(&blocks[i].block));
    for (prepared, shown) in blocks.iter_mut().zip(shown) {
        for (index, guardians) in shown {
            prepared.ids[index].show_guardians(guardians);
        }
    }
}

/// Blocks until a group has so many bytes; the second value says that, and how, the source ended.
fn next_group<E>(
    blocks: &mut impl Iterator<Item = Result<Vec<u8>, E>>,
    bytes_max: usize,
) -> (Vec<Vec<u8>>, Option<Result<(), E>>) {
    let (mut group, mut bytes) = (Vec::new(), 0);
    while group.len() < GROUP_BLOCKS_MAX && bytes < bytes_max {
        match blocks.next() {
            None => return (group, Some(Ok(()))),
            Some(Err(error)) => return (group, Some(Err(error))),
            Some(Ok(block)) => {
                bytes += block.len();
                group.push(block);
            }
        }
    }
    (group, None)
}

/// What a block asks of the signature stage.
struct Claims<'a> {
    /// Keys that bodies name and that do not sign there, ascending, each once. Those that sign are
    /// decoded with their signatures.
    named: Vec<PubKey>,
    signed: Vec<Signed<'a>>,
}

impl<'a> Claims<'a> {
    /// `None` if a signature too many or too few, or the bytes of a key, refuse the block.
    fn of(prepared: &'a Prepared) -> Option<Self> {
        let (mut named, mut signed) = (Vec::new(), Vec::new());
        for (included, ids) in prepared.block.transactions.iter().zip(&prepared.ids) {
            let transaction = &included.transaction;
            let signers = ids.signed(transaction)?;
            if signers.iter().any(|signed| signed.key.check_encoding().is_err()) {
                return None;
            }
            let keys = transaction.core.body.keys().into_iter();
            named.extend(keys.filter(|key| signers.iter().all(|signed| signed.key != *key)));
            signed.extend(signers);
        }
        named.sort_unstable();
        named.dedup();
        Some(Self { named, signed })
    }
}

/// How many of the blocks, from the first on, hold only valid keys and signatures.
fn verified_prefix(chain: &Chain, pool: &Pool, prepared: &[&Prepared]) -> usize {
    let claims = pool.map(prepared.len(), |i| Claims::of(prepared[i]));
    let mut claims: Vec<_> = claims.into_iter().map_while(|claims| claims).collect();

    let mut named: Vec<_> = claims.iter().flat_map(|claims| &claims.named).copied().collect();
    // Runs that ascend are merged.
    named.sort();
    named.dedup();
    let checked = chain.keys.check_all(pool, &named);
    let refused: HashSet<_> = named
        .iter()
        .zip(checked)
        .filter(|(_, checked)| checked.is_err())
        .map(|(key, _)| key)
        .collect();
    if !refused.is_empty() {
        let is_sound = |claims: &&Claims<'_>| !claims.named.iter().any(|key| refused.contains(key));
        let sound = claims.iter().take_while(is_sound).count();
        claims.truncate(sound);
    }

    let mut signed: Vec<Signed<'_>> = Vec::new();
    let mut ends = Vec::with_capacity(claims.len());
    for claims in claims {
        signed.extend(claims.signed);
        ends.push(signed.len());
    }
    match chain.keys.verify_all(pool, &signed) {
        Ok(()) => ends.len(),
        Err(bad) => ends.iter().take_while(|end| **end <= bad.index).count(),
    }
}
