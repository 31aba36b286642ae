//! Histories for benches: full blocks of payments and of grants by several owners, 1 to 4 signatures each,
//! signed by few keys or by as many as there are signatures, on a chain whose blocks cost two hashes each.
#![allow(dead_code, reason = "each bench uses its part")]

#[path = "../../tests/common/ledger.rs"]
pub(crate) mod ledger;

use ledger::{Key, easy_spec, memory_ledger, next_block};
use proofward::ledger::block::{BLOCK_BYTES_MAX, BLOCK_SIGNATURES_MAX};
use proofward::ledger::chain::{Ledger, SubmitError};
use proofward::ledger::rules::context::fee_least;
use proofward::ledger::signature::{PubKey, Sig};
use proofward::ledger::spec::UNITS_PER_TOKEN;
use proofward::ledger::store::MemoryStore;
use proofward::ledger::transaction::party::{Group, Party};
use proofward::ledger::transaction::record::ShareSet;
use proofward::ledger::transaction::{Body, Core, Grant, Pay, PayKind, Record, Transaction};
use proofward::primitives::BlockHash;

/// Room for header and coinbase.
const BLOCK_REST_BYTES: usize = 1000;
/// Blocks that pay for what the signers are given at first.
const REWARDS: usize = 200;
/// Units that they are given together: half of the rewards.
const ENDOWMENTS: u64 = REWARDS as u64 / 2 * 50 * UNITS_PER_TOKEN;

/// A chain of blocks in two parts.
pub(crate) struct History {
    /// What gives every signer its account.
    pub(crate) founding: Vec<Vec<u8>>,
    /// The blocks after it, full of payments among the signers.
    pub(crate) blocks: Vec<Full>,
}

/// A full block.
pub(crate) struct Full {
    pub(crate) bytes: Vec<u8>,
    /// How many it has, the coinbase left out.
    pub(crate) transactions: usize,
    /// Key, signature and message of each signature, in order.
    pub(crate) signatures: Vec<(PubKey, [u8; 64], [u8; 32])>,
}

/// A key pair with the last nonce that it paid with.
struct Signer {
    key: Key,
    public: PubKey,
    nonce: u64,
}

impl Signer {
    fn new(number: u32) -> Self {
        let key = Key::new(number);
        let public = key.public();
        Self { key, public, nonce: 0 }
    }
}

/// A record whose owners grant and revoke.
struct Owned {
    rid: PubKey,
    owners: Party,
    /// Indices of the owners, in the order in which they sign.
    signers: Vec<usize>,
    seq: u32,
}

/// Writes histories block by block.
pub(crate) struct Writer {
    ledger: Ledger<MemoryStore>,
    /// The miner, then those who sign the blocks.
    signers: Vec<Signer>,
    records: Vec<Owned>,
    /// How many transactions there were in blocks.
    count: usize,
    /// How many of them were grants.
    grants: usize,
    last_turn: usize,
}

impl Writer {
    /// Gives `signers` keys an account each, and founds `records` records whose owners are two or three
    /// of them in turn; the second value is the blocks that do.
    pub(crate) fn new(signers: usize, records: usize) -> (Self, Vec<Vec<u8>>) {
        let ledger = memory_ledger(easy_spec());
        let last = u32::try_from(signers).expect("few");
        let keys = (0..=last).map(Signer::new).collect();
        let records = Vec::with_capacity(records);
        let mut writer = Self { ledger, signers: keys, records, count: 0, grants: 0, last_turn: 0 };
        let mut blocks: Vec<_> = (0..REWARDS).map(|_| writer.append(Vec::new())).collect();
        let endowment = ENDOWMENTS / signers as u64;
        let mut endowed = 0;
        while endowed < signers {
            blocks.push(
                writer
                    .fill(usize::MAX, |writer| {
                        endowed += 1;
                        (endowed <= signers)
                            .then(|| writer.pay(0, 0, endowed, endowment - endowed as u64, 10_000))
                    })
                    .0,
            );
        }
        while writer.records.len() < writer.records.capacity() {
            blocks.push(writer.fill(usize::MAX, Self::found_record).0);
        }
        writer.last_turn = 0;
        (writer, blocks)
    }

    /// A block with at most `transactions_max` transactions, less if it is full before: a payment, one
    /// that is sponsored, a grant by two owners and one by three, again and again. Signers take turns.
    pub(crate) fn block(&mut self, transactions_max: usize) -> (Vec<u8>, Vec<Transaction>) {
        self.fill(transactions_max, |writer| {
            writer.count += 1;
            let count = writer.count;
            let payer = writer.turn();
            Some(if count % 4 < 2 {
                let from = if count % 4 == 0 { payer } else { writer.turn() };
                let to = writer.after(from, 1 + count % (writer.signers.len() - 2));
                writer.pay(payer, from, to, count as u64, 0)
            } else {
                writer.grant(payer)
            })
        })
    }

    /// A block of what `next` gives until it gives nothing or the block is full.
    fn fill(
        &mut self,
        transactions_max: usize,
        mut next: impl FnMut(&mut Self) -> Option<Transaction>,
    ) -> (Vec<u8>, Vec<Transaction>) {
        let mut room = Room::default();
        let mut transactions = Vec::new();
        while transactions.len() < transactions_max && room.has_some() {
            let Some(transaction) = next(self) else { break };
            room.take(&transaction);
            transactions.push(transaction);
        }
        (self.append(transactions.clone()), transactions)
    }

    /// The chain written so far.
    pub(crate) fn ledger(&self) -> &Ledger<MemoryStore> {
        &self.ledger
    }

    /// The signer that comes `steps` after another, the miner left out.
    fn after(&self, signer: usize, steps: usize) -> usize {
        (signer - 1 + steps) % (self.signers.len() - 1) + 1
    }

    fn turn(&mut self) -> usize {
        self.last_turn = if self.last_turn == 0 { 1 } else { self.after(self.last_turn, 1) };
        self.last_turn
    }

    fn skip(&mut self, turns: usize) {
        (0..turns).for_each(|_| {
            self.turn();
        });
    }

    fn append(&self, transactions: Vec<Transaction>) -> Vec<u8> {
        let block = next_block(&self.ledger, self.signers[0].public, transactions).encode();
        let blocks = [Ok(block.clone())].into_iter();
        let run = self.ledger.extend::<SubmitError>(blocks, ledger::NOW, |_| {});
        run.expect("a block of ours is valid");
        block
    }

    fn pay(
        &mut self,
        payer: usize,
        from: usize,
        to: usize,
        amount: u64,
        entries_fee: u64,
    ) -> Transaction {
        let [from_key, to] = [from, to].map(|i| self.signers[i].public);
        let pay = Pay { from: from_key, to, amount, kind: PayKind::Plain };
        let others = if payer == from { vec![] } else { vec![from] };
        self.transaction(Body::Pay(pay), payer, &others, None, entries_fee)
    }

    /// One more record, unless there are enough. The miner pays, which leaves the owners' turns alone.
    fn found_record(&mut self) -> Option<Transaction> {
        let index = self.records.len();
        if index == self.records.capacity() {
            return None;
        }
        if index == 0 {
            // Those of the sponsored payment that opens a block.
            self.skip(2);
        }
        // The payer of a grant comes before its owners.
        self.turn();
        let count = 2 + index % 2;
        let mut signers: Vec<_> = (0..count).map(|_| self.turn()).collect();
        if count == 3 {
            // Those of the two payments that come next.
            self.skip(3);
        }
        signers.sort_unstable_by_key(|i| self.signers[*i].public);
        let keys: Vec<_> = signers.iter().map(|i| self.signers[*i].public).collect();
        let payout = keys[0];
        let k = u8::try_from(count).expect("few");
        let owners = Party::Group(Group { k, keys, signed_by: (1 << count) - 1 });
        let number = u32::MAX - 1 - u32::try_from(index).expect("few");
        let rid = Signer::new(number);
        let set =
            ShareSet { n: 3, k: 2, shares_root: [1; 32], guardians_root: [2; 32], required: 0 };
        let record = Record {
            rid: rid.public,
            owners: owners.clone(),
            blob: [3; 32],
            pointer: [4; 32],
            epoch: 0,
            share_sets: vec![set],
            payout,
            policy_root: [0; 32],
            grant_delay: 1,
            prev: None,
        };
        let public = rid.public;
        let transaction = self.transaction(Body::Record(record), 0, &signers, Some(&rid), 20_000);
        self.records.push(Owned { rid: public, owners, signers, seq: 0 });
        Some(transaction)
    }

    /// The owners of the next record revoke all.
    fn grant(&mut self, payer: usize) -> Transaction {
        let next = self.grants % self.records.len();
        self.grants += 1;
        let record = &mut self.records[next];
        record.seq += 1;
        let grant = Grant {
            rid: record.rid,
            owners: record.owners.clone(),
            seq: record.seq,
            policy_root: [0; 32],
            not_before_h: 0,
        };
        let signers = record.signers.clone();
        // In the order of the founding, so that each key signs when its turn comes.
        self.skip(signers.len());
        let signers: Vec<_> = signers.into_iter().filter(|signer| *signer != payer).collect();
        self.transaction(Body::Grant(grant), payer, &signers, None, 0)
    }

    /// Signed by the payer, then by `rid`, then by the others.
    fn transaction(
        &mut self,
        body: Body,
        payer: usize,
        others: &[usize],
        rid: Option<&Signer>,
        entries_fee: u64,
    ) -> Transaction {
        let chain = self.ledger.chain();
        let height = self.ledger.tip().expect("a chain in memory").1.height + 1;
        let core = Core {
            version: 1,
            chain: chain.chain_id,
            valid_from: height,
            valid_to: height + 100,
            anchor: BlockHash::ZERO.0,
            body,
        };
        let id = core.id(&chain.genesis);
        let by_others = rid.into_iter().chain(others.iter().map(|i| &self.signers[*i]));
        let mut sigs = vec![Sig([0; 64])];
        sigs.extend(by_others.map(|signer| signer.key.sign(&id.0)));
        let payer = &mut self.signers[payer];
        payer.nonce += 1;
        let mut transaction =
            Transaction { core, payer: payer.public, nonce: payer.nonce, fee: 0, sigs };
        transaction.fee = fee_least(transaction.encode().len(), &transaction, 0) + entries_fee;
        transaction.sigs[0] = payer.key.sign(&transaction.id(&id).0);
        transaction
    }
}

impl History {
    /// `blocks` full blocks (of at most `transactions_max`) whose signatures are by `signers` keys in
    /// turn, or all by keys of their own.
    pub(crate) fn new(signers: Option<usize>, blocks: usize, transactions_max: usize) -> Self {
        // Four transactions carry ten signatures, two of them are grants; a full block has less than
        // 14,000 signatures.
        let most = blocks * transactions_max.saturating_mul(5).div_ceil(2).min(14_000) + 10;
        let records = signers.map_or(most / 5, |signers| signers);
        let (mut writer, founding) = Writer::new(signers.unwrap_or(most), records);
        let genesis = writer.ledger.chain().genesis;
        let mut stretches = Vec::new();
        for _ in 0..blocks {
            let (bytes, transactions) = writer.block(transactions_max);
            let count = transactions.len();
            let mut signatures = Vec::new();
            for transaction in transactions {
                let core = transaction.core.id(&genesis);
                let id = transaction.id(&core);
                let messages = std::iter::once(id.0).chain(std::iter::repeat(core.0));
                let signers = transaction.signers().into_iter();
                for ((key, sig), message) in signers.zip(&transaction.sigs).zip(messages) {
                    signatures.push((key, sig.0, message));
                }
            }
            stretches.push(Full { bytes, transactions: count, signatures });
        }
        Self { founding, blocks: stretches }
    }
}

/// What is left of a block.
struct Room {
    bytes: usize,
    signatures: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { bytes: BLOCK_BYTES_MAX - BLOCK_REST_BYTES, signatures: BLOCK_SIGNATURES_MAX }
    }
}

impl Room {
    /// Whether any payment still fits.
    fn has_some(&self) -> bool {
        self.bytes >= 800 && self.signatures >= 5
    }

    fn take(&mut self, transaction: &Transaction) {
        self.bytes -= transaction.encode().len();
        self.signatures -= transaction.sigs.len();
    }
}
