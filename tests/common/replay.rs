//! A state without a chain: blocks are applied to a map of entries and undone by their undo records, and
//! only heights matter.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use std::collections::BTreeMap;

use proofward::ledger::block::Included;
use proofward::ledger::bytes::Bytes;
use proofward::ledger::coinbase::{Coinbase, Payout};
use proofward::ledger::rules::TransactionError;
use proofward::ledger::rules::context::{
    Ancestors, Context, Refusal, Signatures, apply_transaction, begin_block, end_block,
};
use proofward::ledger::rules::isolation::Ids;
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::Spec;
use proofward::ledger::state::{Account, Delta, EntryKey, Session, StateRead};
use proofward::ledger::store::StoreError;
use proofward::ledger::transaction::{Body, Core, CoreId, Transaction};
use proofward::primitives::BlockHash;

/// A chain of which only the heights matter: its blocks are named by their heights.
pub(crate) struct Heights(pub(crate) u32);

pub(crate) fn hash_of(height: u32) -> BlockHash {
    let mut hash = [1; 32];
    hash[..4].copy_from_slice(&height.to_le_bytes());
    BlockHash(hash)
}

impl Ancestors for Heights {
    fn hash_at(&self, height: u32) -> Result<Option<BlockHash>, StoreError> {
        Ok((height < self.0).then(|| hash_of(height)))
    }

    fn height_of(&self, hash: &BlockHash) -> Result<Option<u32>, StoreError> {
        let height = u32::from_le_bytes(*hash.0.first_chunk().unwrap());
        Ok((height < self.0 && hash_of(height) == *hash).then_some(height))
    }
}

/// Every entry, and the core ids that are remembered.
#[derive(Default, Clone)]
pub(crate) struct Base {
    pub(crate) entries: BTreeMap<EntryKey, Vec<u8>>,
    pub(crate) cores: BTreeMap<CoreId, u32>,
}

impl StateRead for Base {
    fn entry(&self, key: &EntryKey) -> Result<Option<Bytes>, StoreError> {
        Ok(self.entries.get(key).map(Bytes::from))
    }

    fn accepted_at(&self, core: &CoreId) -> Result<Option<u32>, StoreError> {
        Ok(self.cores.get(core).copied())
    }
}

impl Base {
    pub(crate) fn apply(&mut self, delta: &Delta) {
        for change in delta.changes() {
            let key = change.key();
            assert_eq!(self.entries.get(&key).map(Vec::as_slice), change.old.as_deref());
            match &change.new {
                Some(value) => self.entries.insert(key, value.to_vec()),
                None => self.entries.remove(&key),
            };
        }
        let (added, removed) = delta.accepted();
        for core in removed {
            self.cores.remove(&core);
        }
        self.cores.extend(added);
    }

    /// Undoes the block that left this record.
    pub(crate) fn undo(&mut self, record: &[u8]) {
        let back = Delta::from_undo(record, |key| self.entry(key)).unwrap();
        self.apply(&back.expect("a record of ours"));
    }
}

/// The core id of a transaction and its fee, or the rule that it breaks.
pub(crate) type Outcome = (CoreId, Result<u64, TransactionError>);

/// What a block of these transactions would change, those that break a rule left out; and what became of
/// each. Signatures are taken for good. Blocks come a second after one another.
pub(crate) fn judge_block(
    base: &Base,
    spec: &Spec,
    height: u32,
    payout: PubKey,
    transactions: Vec<Transaction>,
) -> (Delta, Vec<Outcome>) {
    let heights = Heights(height);
    let mut open = Open::new(base, spec, &heights, spec.genesis_time + height);
    let judge = |transaction| open.judge(transaction);
    let outcomes: Vec<Outcome> = transactions.into_iter().map(judge).collect();
    let fees: u64 = outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()).sum();
    let payouts = vec![Payout { key: payout, value: spec.subsidy(height) + fees }];
    (open.close(payouts, fees), outcomes)
}

/// A block on its way.
pub(crate) struct Open<'a> {
    context: Context<'a>,
    session: Session<'a>,
}

impl<'a> Open<'a> {
    pub(crate) fn new(
        base: &'a Base,
        spec: &'a Spec,
        heights: &'a Heights,
        median_time: u32,
    ) -> Self {
        let height = heights.0;
        let context = Context {
            spec,
            chain_id: spec.chain_id(),
            genesis: spec.genesis_hash(),
            height,
            median_time,
            ancestors: heights,
        };
        let mut session = Session::new(base, height);
        begin_block(&context, &mut session).unwrap();
        Self { context, session }
    }

    pub(crate) fn height(&self) -> u32 {
        self.context.height
    }

    /// Applies a transaction, if it holds.
    pub(crate) fn judge(&mut self, transaction: Transaction) -> Outcome {
        let included = Included::new(transaction);
        let ids = Ids::of(&included, &self.context.genesis);
        let (transaction, signatures) = (&included.transaction, Signatures::Verified);
        let session = &mut self.session;
        let judged = apply_transaction(&self.context, session, transaction, &ids, signatures);
        let outcome = judged.map_err(|refusal| match refusal {
            Refusal::Rule(error) => error,
            Refusal::Store(error) => panic!("{error}"),
        });
        (ids.core, outcome)
    }

    /// The same of a body: paid for with the payer's next nonce; `number` makes its core another.
    pub(crate) fn act(
        &mut self,
        payer: PubKey,
        body: Body,
        number: u64,
    ) -> (CoreId, Result<(), &'static str>) {
        let nonce = self.session.account(payer).unwrap().nonce + 1;
        let transaction = unsigned(self.context.spec, self.height(), body, payer, nonce);
        let mut core = transaction.core;
        core.valid_to = self.height() + 1 + u32::try_from(number % 900).unwrap();
        let (core, outcome) = self.judge(Transaction { core, ..transaction });
        (core, outcome.map(|_| ()).map_err(|error| error.name()))
    }

    pub(crate) fn close(mut self, payouts: Vec<Payout>, fees: u64) -> Delta {
        let coinbase = Coinbase { height: self.context.height, commitment: [0; 32], payouts };
        end_block(&self.context, &mut self.session, &coinbase, fees).unwrap();
        self.session.finish()
    }
}

/// A transaction for [`judge_block`]: nobody signs.
pub(crate) fn unsigned(
    spec: &Spec,
    height: u32,
    body: Body,
    payer: PubKey,
    nonce: u64,
) -> Transaction {
    let valid_to = height + 1 + u32::try_from(nonce % 500).unwrap();
    let (chain, anchor) = (spec.chain_id(), BlockHash::ZERO.0);
    let core = Core { version: 1, chain, valid_from: height, valid_to, anchor, body };
    Transaction { core, payer, nonce, fee: FEE, sigs: Vec::new() }
}

/// The fee of every transaction.
pub(crate) const FEE: u64 = 400_000;

/// A branch of blocks on a state, each of which can be taken off again.
pub(crate) struct Branch<'a> {
    spec: &'a Spec,
    pub(crate) base: Base,
    /// What each block left to undo it, and what was there before.
    past: Vec<(Vec<u8>, Base)>,
}

impl<'a> Branch<'a> {
    pub(crate) fn new(spec: &'a Spec, entries: BTreeMap<EntryKey, Vec<u8>>) -> Self {
        Self { spec, base: Base { entries, ..Base::default() }, past: Vec::new() }
    }

    /// A block with what `fill` puts into it; it pays nobody.
    pub(crate) fn block(&mut self, median_time: u32, fill: impl FnOnce(&mut Open<'_>)) {
        let before = self.base.clone();
        let heights = Heights(u32::try_from(self.past.len()).unwrap() + 1);
        let mut open = Open::new(&before, self.spec, &heights, median_time);
        fill(&mut open);
        let delta = open.close(Vec::new(), 0);
        self.base.apply(&delta);
        self.past.push((delta.undo_record(), before));
    }

    /// Takes the last block off, if there is one: the state is what it was, entry by entry.
    pub(crate) fn undo(&mut self) -> bool {
        let Some((undo, before)) = self.past.pop() else { return false };
        self.base.undo(&undo);
        assert_eq!(self.base.entries, before.entries);
        assert_eq!(self.base.cores, before.cores);
        true
    }
}

/// Entries of accounts that own this much each.
pub(crate) fn accounts(keys: &[PubKey], balance: u64) -> BTreeMap<EntryKey, Vec<u8>> {
    let account = borsh::to_vec(&Account { balance, ..Account::default() }).unwrap();
    keys.iter().map(|key| (EntryKey::Account(*key), account.clone())).collect()
}
