//! The ledger on a store: accept a block, follow the branch with the most work, never below what is
//! settled.

use std::thread;

use crate::engine::nodes::NodeKernel;
use crate::engine::pool::Pool;
use crate::ledger::block::Block;
use crate::ledger::chain::branch::{Branch, holds_settled};
use crate::ledger::chain::connect::{Chain, Prepared};
use crate::ledger::chain::header::{check_clock, check_header};
use crate::ledger::chain::node::{self, SIDE_HEADERS_MAX};
use crate::ledger::chain::record::{Record, Status};
use crate::ledger::chain::run::{Run, foresee, judge_isolated};
use crate::ledger::chain::side::{self, SIDE_BYTES_MAX};
use crate::ledger::chain::view::{META_ARRIVALS, META_ROOT, META_SPEC, META_TIP, View, corrupt};
use crate::ledger::chain::wanted::Wanted;
use crate::ledger::chain::writer::Writer;
use crate::ledger::rules::context::{Ancestors, Refusal};
use crate::ledger::rules::{BlockRule, Verdict};
use crate::ledger::spec::Spec;
use crate::ledger::store::{Overlay, Store, StoreError, Table};
use crate::ledger::transaction::attest::Point;
use crate::ledger::tree::StateRoot;
use crate::primitives::limits::HEADER_BYTES;
use crate::primitives::{BlockHash, Header, Work};

/// Bytes of writes that a run of blocks gathers before it commits them: few enough for memory, enough for
/// the cost of a commit, which does not shrink with it, to be small. Committing what is there beside the last
/// group, so that less is left for the end, made an import to disk slower by a tenth: one commit more.
const RUN_COMMIT_BYTES: usize = 32 << 20;
/// And at the latest after so many blocks: a chain of small ones is to make progress that lasts, too.
const RUN_COMMIT_BLOCKS: u64 = 1_000;

/// A chain on a store. One writer; readers take snapshots of the store.
#[derive(Debug)]
pub struct Ledger<S> {
    pub(super) chain: Chain,
    pub(super) store: S,
    pub(super) pool: Pool,
    side_bytes_max: u64,
    side_headers_max: u64,
}

/// What became of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Submitted {
    /// It was there before.
    Known,
    /// It is known on a branch with no more work than the best one. Its body is kept within the bound of
    /// [`SIDE_BYTES_MAX`], and not at all if the branch leaves the best one below the settled block.
    Side,
    /// Its branch would be the best, but some of its bodies had no room beside the best chain.
    Incomplete {
        /// The lowest one: from it on the branch is to be sent again.
        missing: BlockHash,
    },
    /// It is the new tip.
    Tip {
        /// Blocks that left the best chain, the old tip first.
        disconnected: Vec<BlockHash>,
        /// Blocks that joined it, the new tip last.
        connected: Vec<BlockHash>,
    },
}

/// Why a block was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// Its parent is not known.
    #[error("block {hash} follows {parent}, which is not known")]
    Orphan {
        /// The block.
        hash: BlockHash,
        /// Its parent.
        parent: BlockHash,
    },
    /// It breaks a rule.
    #[error(transparent)]
    Rule(#[from] Verdict),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refusal<Verdict>> for SubmitError {
    fn from(refusal: Refusal<Verdict>) -> Self {
        match refusal {
            Refusal::Rule(verdict) => Self::Rule(verdict),
            Refusal::Store(error) => Self::Store(error),
        }
    }
}

impl<S: Store> Ledger<S> {
    /// Founds the chain of `spec` in an empty store.
    ///
    /// # Errors
    ///
    /// If the store fails or holds a chain.
    pub fn create(
        store: S,
        spec: Spec,
        kernel: NodeKernel,
        pool: Pool,
    ) -> Result<Self, StoreError> {
        if store.get(Table::Meta, META_TIP)?.is_some() {
            return Err(corrupt("the store already holds a chain"));
        }
        let chain = Chain::new(spec, kernel);
        let mut overlay = Overlay::new(&store);
        write_genesis(&mut overlay, &chain);
        let batch = overlay.into_batch();
        store.commit(&batch)?;
        Ok(Self::on(store, chain, pool))
    }

    /// Opens the chain of `spec` in a store.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or was made for another specification.
    pub fn open(store: S, spec: Spec, kernel: NodeKernel, pool: Pool) -> Result<Self, StoreError> {
        if View(&store).spec_commitment()? != spec.commitment() {
            return Err(corrupt("the store was made for another chain specification"));
        }
        Ok(Self::on(store, Chain::new(spec, kernel), pool))
    }

    fn on(store: S, chain: Chain, pool: Pool) -> Self {
        let (side_bytes_max, side_headers_max) = (SIDE_BYTES_MAX, SIDE_HEADERS_MAX);
        Self { chain, store, pool, side_bytes_max, side_headers_max }
    }

    /// With another bound than [`SIDE_BYTES_MAX`] for the bodies beside the best chain.
    #[must_use]
    pub fn with_side_bytes_max(self, side_bytes_max: u64) -> Self {
        Self { side_bytes_max, ..self }
    }

    /// With another bound than [`SIDE_HEADERS_MAX`] for the headers beside the best chain.
    #[must_use]
    pub fn with_side_headers_max(self, side_headers_max: u64) -> Self {
        Self { side_headers_max, ..self }
    }

    /// Specification, ids and kernel.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The store: for snapshots and for closing.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Gives the store back.
    #[must_use]
    pub fn into_store(self) -> S {
        self.store
    }

    /// The committed tables.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        View(&self.store)
    }

    /// Hash and record of the tip.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn tip(&self) -> Result<(BlockHash, Record), StoreError> {
        let hash = self.view().tip()?;
        Ok((hash, self.view().expect_record(&hash)?))
    }

    /// Judges a block at time `now` (seconds since 1970) and keeps it if it is valid: as the new tip if
    /// its branch has more work than the best one and holds the settled block, else beside it. When
    /// this returns `Ok`, what it says is durable.
    ///
    /// # Errors
    ///
    /// The rule that it breaks, an unknown parent, or a failing store; nothing of it is kept then but
    /// the fact that the block is invalid, where its hash proves that.
    pub fn submit(&self, bytes: &[u8], now: u64) -> Result<Submitted, SubmitError> {
        let (before, _) = self.tip()?;
        let submitted = self.keep(bytes, now)?;
        if submitted == Submitted::Known || self.chain.spec.witnesses.keys.is_empty() {
            return Ok(submitted);
        }
        let (kept, _) = self.tip()?;
        self.follow_witnesses()?;
        if self.tip()?.0 == kept { Ok(submitted) } else { self.moved_from(&before) }
    }

    fn keep(&self, bytes: &[u8], now: u64) -> Result<Submitted, SubmitError> {
        let mut overlay = Overlay::new(&self.store);
        let judged = self.judge_header(View(&self.store), bytes, now)?;
        let (tip_hash, tip) = self.tip()?;
        let (hash, record, prepared) = match judged {
            Judged::Known(hash, record) => {
                let view = View(&self.store);
                if record.work <= tip.work || !holds_settled(view, &record, &hash)? {
                    return Ok(Submitted::Known);
                }
                // Its branch was incomplete when it came.
                (hash, record, None)
            }
            Judged::New(record, prepared) => {
                let hash = prepared.hash;
                overlay.put(Table::Headers, hash.0, record.encode());
                let arrivals = self.view().arrivals()?.max(record.arrival + 1);
                overlay.put(Table::Meta, META_ARRIVALS, arrivals.to_le_bytes());
                if record.status == Status::Bare {
                    // It can never be applied, so its header is enough to tell what witnesses lie about;
                    // old blocks are cheap to mine again, and their bodies would fill the disk.
                    node::add(&mut overlay, &record, &hash)?;
                    self.keep_beside(overlay, &hash)?;
                    return Ok(Submitted::Side);
                }
                overlay.put(Table::Bodies, hash.0, &bytes[HEADER_BYTES..]);
                (hash, record, Some(prepared))
            }
        };
        let wanted = Wanted::read_with(View(&overlay), &record, &hash)?;
        // What follows the tip joins it at once; of a wanted branch a later block may be refused, and all stays
        // beside the best chain.
        if prepared.is_some() && (record.parent() != tip_hash || wanted.is_some()) {
            side::add(&mut overlay, &record, &hash, bytes.len() - HEADER_BYTES)?;
        }
        let mut missing = None;
        if let Some(mut wanted) = wanted {
            missing = wanted.missing(View(&overlay))?;
            if missing.is_none() && wanted.record.work > tip.work {
                let branch = Branch::to(View(&overlay), &wanted.record, &wanted.last)?;
                return self.move_tip(overlay, &branch, prepared.as_deref());
            }
            wanted.write(&mut overlay);
        }
        if record.work > tip.work {
            let mut better = Wanted::to(View(&overlay), &record, &hash)?;
            missing = better.missing(View(&overlay))?;
            if missing.is_none() {
                let branch = Branch::to(View(&overlay), &record, &hash)?;
                return self.move_tip(overlay, &branch, prepared.as_deref());
            }
            better.want(&mut overlay)?;
        }
        self.keep_beside(overlay, &hash)?;
        Ok(missing.map_or(Submitted::Side, |missing| Submitted::Incomplete { missing }))
    }

    /// Makes durable what has arrived beside the best chain, within the bounds.
    fn keep_beside(&self, mut overlay: Overlay<'_>, arrived: &BlockHash) -> Result<(), StoreError> {
        node::trim(&mut overlay, self.side_headers_max, arrived)?;
        side::trim(&mut overlay, self.side_bytes_max)?;
        let batch = overlay.into_batch();
        self.store.commit(&batch)
    }

    /// The way from a former tip to the tip.
    fn moved_from(&self, before: &BlockHash) -> Result<Submitted, SubmitError> {
        let view = self.view();
        let (mut hash, mut record) = (*before, view.expect_record(before)?);
        let mut disconnected = Vec::new();
        while view.hash_at(record.height)? != Some(hash) {
            disconnected.push(hash);
            hash = record.parent();
            record = view.expect_record(&hash)?;
        }
        let (_, tip) = self.tip()?;
        let connected = (record.height + 1..=tip.height)
            .map(|height| view.hash_at(height)?.ok_or_else(|| corrupt("a gap in the best chain")));
        Ok(Submitted::Tip { disconnected, connected: connected.collect::<Result<_, _>>()? })
    }

    /// Moves the tip to a stored block whatever its work: for one that the witnesses have settled.
    ///
    /// # Errors
    ///
    /// As [`Ledger::submit`], if the branch turns out to be invalid.
    pub(super) fn move_to(&self, hash: &BlockHash) -> Result<Submitted, SubmitError> {
        let record = self.view().expect_record(hash)?;
        let mut overlay = Overlay::new(&self.store);
        let mut branch = Wanted::to(self.view(), &record, hash)?;
        let Some(missing) = branch.missing(self.view())? else {
            let branch = Branch::to(self.view(), &record, hash)?;
            return self.move_tip(overlay, &branch, None);
        };
        if Wanted::read_with(self.view(), &record, hash)?.is_none() {
            branch.want_witnessed(&mut overlay);
            let batch = overlay.into_batch();
            self.store.commit(&batch)?;
        }
        Ok(Submitted::Incomplete { missing })
    }

    /// Applies blocks that follow the tip one after another, in parallel stages; durable in steps of
    /// some ten thousand transactions or a thousand blocks and at the end, so that an interrupted run goes on where it ended.
    /// `progress` hears of each step once it is durable.
    ///
    /// # Errors
    ///
    /// What `blocks` fails with, the lowest bad block with its first bad transaction, or a failing
    /// store; everything below stays.
    pub fn extend<E: From<SubmitError> + Send>(
        &self,
        blocks: impl Iterator<Item = Result<Vec<u8>, E>>,
        now: u64,
        progress: impl FnMut(&Run) + Send,
    ) -> Result<Run, E> {
        let mut overlay = Overlay::new(&self.store);
        let blocks = blocks.map(|block| block.map_err(Extend));
        let run = thread::scope(|scope| {
            let mut writer = Writer::new(scope, &self.store, progress);
            let (mut last, mut parted) = (Run::default(), 0);
            let run =
                self.chain.run(&self.pool, &mut overlay, blocks, Some(now), |overlay, run| {
                    last = *run;
                    let is_long = run.blocks - parted >= RUN_COMMIT_BLOCKS;
                    let kept = if is_long || overlay.batch().bytes() >= RUN_COMMIT_BYTES {
                        parted = run.blocks;
                        writer.write(overlay, *run)
                    } else {
                        writer.look()
                    };
                    kept.map_err(|error| Extend(SubmitError::from(error).into()))
                });
            // What was applied before a bad block is kept all the same, and a disk that fails is why a
            // run fails that can no longer read.
            writer.finish(overlay, last).map_err(SubmitError::from)?;
            run.map_err(|Extend(error)| error)
        })?;
        self.follow_witnesses()?;
        Ok(run)
    }

    /// The settled block, if any.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn settled(&self) -> Result<Option<Point>, StoreError> {
        self.view().settled()
    }

    /// Everything about a block that needs no state: header, structure, merkle root, coinbase height.
    fn judge_header(&self, view: View<'_>, bytes: &[u8], now: u64) -> Result<Judged, SubmitError> {
        let hash = self.chain.header_hash(bytes);
        let known = hash.map(|hash| view.record(&hash)).transpose()?.flatten();
        if let (Some(hash), Some(record)) = (hash, known) {
            if record.status == Status::Invalid {
                let (height, rule) = (record.height, BlockRule::KnownInvalid);
                return Err(Verdict { height, hash, transaction: None, rule }.into());
            }
            // Of a header alone there is something to bring, if it can ever be applied.
            if record.status != Status::Bare || !holds_settled(view, &record, &hash)? {
                return Ok(Judged::Known(hash, record));
            }
        }
        let (Some(hash), Some(header)) =
            (hash, bytes.first_chunk::<HEADER_BYTES>().map(Header::decode))
        else {
            // Too short for a header: it would have come after the tip.
            let (_, tip) = self.tip()?;
            judge_isolated(&self.chain, tip.height + 1, bytes)?;
            return Err(corrupt("a block without a header was judged sound").into());
        };
        let Some(parent) = view.record(&header.prev_block)? else {
            return Err(SubmitError::Orphan { hash, parent: header.prev_block });
        };
        let height = parent.height + 1;
        let refuse = |rule| Verdict { height, hash, transaction: None, rule };
        if parent.status == Status::Invalid {
            return Err(refuse(BlockRule::InvalidParent(header.prev_block)).into());
        }
        // Work before the body: only who has done some can make us decode and hash 2 MiB.
        let median = view.median_time_after(&parent)?;
        check_header(&self.chain.spec, &parent, median, &header, &hash).map_err(refuse)?;
        check_clock(&self.chain.spec, &header, now).map_err(refuse)?;
        let mut prepared = judge_isolated(&self.chain, height, bytes)?;
        foresee(&self.pool, std::iter::once(&mut prepared));
        let mut record = match known {
            Some(known) => Record { status: Status::Stored, ..known },
            None => self.chain.record(&parent, &header, view.arrivals()?),
        };
        if !holds_settled(view, &record, &hash)? {
            record.status = Status::Bare;
        }
        Ok(Judged::New(record, Box::new(prepared)))
    }

    /// Moves the tip to the end of a branch of the overlay that lacks no body; `prepared` is the block of it
    /// that has just arrived, if one has.
    fn move_tip(
        &self,
        mut overlay: Overlay<'_>,
        branch: &Branch,
        prepared: Option<&Prepared>,
    ) -> Result<Submitted, SubmitError> {
        let arrived = overlay.batch().clone();
        let mut disconnected = Vec::new();
        while View(&overlay).tip()? != branch.fork {
            disconnected.push(self.chain.disconnect(&mut overlay)?);
        }
        let mut connected = Vec::new();
        for (hash, record) in &branch.blocks {
            let result = match prepared.filter(|prepared| prepared.hash == *hash) {
                Some(prepared) => {
                    let signatures = self.chain.signatures_of(&self.pool, prepared);
                    self.chain.connect(&self.pool, &mut overlay, record, prepared, signatures)
                }
                None => self.connect_stored(&mut overlay, record, hash),
            };
            match result {
                Ok(_) => connected.push(*hash),
                Err(Refusal::Rule(verdict)) => {
                    let mut overlay = Overlay::with_batch(&self.store, arrived);
                    let failed = connected.len();
                    let mut last = branch.fork;
                    for (hash, record) in &branch.blocks[failed..] {
                        node::add(&mut overlay, record, hash)?;
                        side::remove_body(&mut overlay, record)?;
                        let invalid = Record { status: Status::Invalid, ..*record };
                        overlay.put(Table::Headers, hash.0, invalid.encode());
                        overlay.delete(Table::Bodies, hash.0);
                        last = *hash;
                    }
                    self.keep_beside(overlay, &last)?;
                    return Err(verdict.into());
                }
                Err(Refusal::Store(error)) => return Err(error.into()),
            }
        }
        side::trim(&mut overlay, self.side_bytes_max)?;
        let batch = overlay.into_batch();
        self.store.commit(&batch)?;
        Ok(Submitted::Tip { disconnected, connected })
    }

    fn connect_stored(
        &self,
        overlay: &mut Overlay<'_>,
        record: &Record,
        hash: &BlockHash,
    ) -> Result<u64, Refusal<Verdict>> {
        if record.status == Status::Invalid {
            let rule = BlockRule::KnownInvalid;
            let verdict = Verdict { height: record.height, hash: *hash, transaction: None, rule };
            return Err(Refusal::Rule(verdict));
        }
        let bytes = View(&*overlay).block_bytes(hash)?;
        let bytes = bytes.ok_or_else(|| corrupt(&format!("block {hash} has no body")))?;
        let block = Block::decode(&bytes)
            .map_err(|_| corrupt(&format!("the body of block {hash} does not decode")))?;
        let prepared = Prepared::new(&self.chain, block);
        let signatures = self.chain.signatures_of(&self.pool, &prepared);
        self.chain.connect(&self.pool, overlay, record, &prepared, signatures)
    }
}

/// An error of the caller's that can also be a refusal of ours.
struct Extend<E>(E);

impl<E: From<SubmitError>> From<Refusal<Verdict>> for Extend<E> {
    fn from(refusal: Refusal<Verdict>) -> Self {
        Self(SubmitError::from(refusal).into())
    }
}

enum Judged {
    /// There is nothing to bring of it.
    Known(BlockHash, Record),
    /// It is new, or its body is; its status says whether that is of any use.
    New(Record, Box<Prepared>),
}

impl Chain {
    /// The hash of the header at the front of a block's bytes; `None` if they are too short.
    #[must_use]
    pub fn header_hash(&self, bytes: &[u8]) -> Option<BlockHash> {
        let header = bytes.first_chunk::<HEADER_BYTES>()?;
        Some(BlockHash(crate::hash::hash_header(self.spec.algorithm, header)))
    }

    /// The record of a block whose header is valid, not judged further.
    #[must_use]
    pub fn record(&self, parent: &Record, header: &Header, arrival: u64) -> Record {
        Record {
            header: *header,
            height: parent.height + 1,
            work: parent.work.plus(header_work(header)),
            latest_time: parent.latest_time.max(header.time),
            arrival,
            status: Status::Stored,
        }
    }
}

fn header_work(header: &Header) -> Work {
    header.bits.to_target().map_or(Work::ZERO, |target| target.work())
}

/// Writes block 0 and the empty state.
pub(super) fn write_genesis(overlay: &mut Overlay<'_>, chain: &Chain) {
    let genesis = chain.spec.genesis();
    let header = genesis.header;
    let record = Record {
        header,
        height: 0,
        work: header_work(&header),
        latest_time: header.time,
        arrival: 0,
        status: Status::Valid,
    };
    let hash = chain.genesis;
    overlay.put(Table::Headers, hash.0, record.encode());
    overlay.put(Table::Bodies, hash.0, &genesis.encode()[HEADER_BYTES..]);
    overlay.put(Table::Heights, 0u32.to_be_bytes(), hash.0);
    overlay.put(Table::Leaves, hash.0, genesis.leaves().concat());
    overlay.put(Table::Meta, META_SPEC, chain.spec.commitment());
    overlay.put(Table::Meta, META_TIP, hash.0);
    overlay.put(Table::Meta, META_ROOT, StateRoot::EMPTY.0);
    overlay.put(Table::Meta, META_ARRIVALS, 1u64.to_le_bytes());
}
