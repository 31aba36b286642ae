//! A state without a chain: blocks are applied to a map of entries and undone by their undo records, and
//! only heights matter.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use std::collections::BTreeMap;

use proofward::ledger::block::Included;
use proofward::ledger::coinbase::{Coinbase, Payout};
use proofward::ledger::rules::TransactionError;
use proofward::ledger::rules::context::{
    Ancestors, Context, Refusal, Signatures, apply_transaction, begin_block, end_block,
};
use proofward::ledger::rules::isolation::Ids;
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::Spec;
use proofward::ledger::state::{Change, Delta, EntryKey, Session, StateRead};
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
    fn entry(&self, key: &EntryKey) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.entries.get(key).cloned())
    }

    fn accepted_at(&self, core: &CoreId) -> Result<Option<u32>, StoreError> {
        Ok(self.cores.get(core).copied())
    }
}

impl Base {
    pub(crate) fn apply(&mut self, delta: &Delta) {
        for Change { key, old, new } in delta.changes() {
            assert_eq!(self.entries.get(key), old.as_ref());
            match new {
                Some(value) => self.entries.insert(key.clone(), value.clone()),
                None => self.entries.remove(key),
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
    let ancestors = Heights(height);
    let context = Context {
        spec,
        chain_id: spec.chain_id(),
        genesis: spec.genesis_hash(),
        height,
        median_time: spec.genesis_time + height,
        ancestors: &ancestors,
    };
    let mut session = Session::new(base, height);
    begin_block(&context, &mut session).unwrap();
    let (mut fees, mut outcomes) = (0, Vec::new());
    for transaction in transactions {
        let included = Included::new(transaction);
        let ids = Ids::of(&included, &context.genesis);
        let (transaction, signatures) = (&included.transaction, Signatures::Verified);
        let outcome = match apply_transaction(&context, &mut session, transaction, &ids, signatures)
        {
            Ok(fee) => {
                fees += fee;
                Ok(fee)
            }
            Err(Refusal::Rule(error)) => Err(error),
            Err(Refusal::Store(error)) => panic!("{error}"),
        };
        outcomes.push((ids.core, outcome));
    }
    let payouts = vec![Payout { key: payout, value: spec.subsidy(height) + fees }];
    let coinbase = Coinbase { height, commitment: [0; 32], payouts };
    end_block(&context, &mut session, &coinbase, fees).unwrap();
    (session.finish(), outcomes)
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
    Transaction { core, payer, nonce, fee: 400_000, sigs: Vec::new() }
}
