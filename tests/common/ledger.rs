//! Chains for tests: keys, transactions and solved blocks, all from small numbers.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use std::num::NonZeroUsize;

use ed25519_zebra::SigningKey;
use proofward::engine::nodes::NodeKernel;
use proofward::engine::pool::Pool;
use proofward::hash::{Algorithm, meets_target};
use proofward::ledger::block::{Block, Included};
use proofward::ledger::chain::{Ledger, SignedCheckpoint, SubmitError, Submitted};
use proofward::ledger::rules::context::Ancestors;
use proofward::ledger::rules::isolation::Ids;
use proofward::ledger::signature::{PubKey, Sig};
use proofward::ledger::spec::{KeySet, Spec};
use proofward::ledger::store::{MemoryStore, Store};
use proofward::ledger::template::Template;
use proofward::ledger::transaction::attest::Point;
use proofward::ledger::transaction::{Attest, Body, Core, Pay, PayKind, Transaction};
use proofward::primitives::{BlockHash, CompactTarget};

/// A key pair.
#[derive(Clone)]
pub(crate) struct Key(SigningKey);

impl Key {
    pub(crate) fn new(number: u32) -> Self {
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&number.to_le_bytes());
        Self(SigningKey::from(seed))
    }

    pub(crate) fn public(&self) -> PubKey {
        PubKey(ed25519_zebra::VerificationKeyBytes::from(&self.0).into())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Sig {
        Sig(self.0.sign(message).into())
    }
}

pub(crate) const GENESIS_TIME: u32 = 1_700_000_000;
/// Far enough ahead that no test block is too new.
pub(crate) const NOW: u64 = GENESIS_TIME as u64 + 100_000_000;

/// A chain on which every second hash is a block.
pub(crate) fn easy_spec() -> Spec {
    Spec {
        limit: CompactTarget(0x207f_ffff),
        start: CompactTarget(0x207f_ffff),
        ..Spec::local(GENESIS_TIME, Key::new(1_000_000).public()).unwrap()
    }
    .check()
    .unwrap()
}

pub(crate) fn with_witnesses(k: u8, keys: &[Key]) -> Spec {
    let keys = keys.iter().map(Key::public).collect();
    Spec { witnesses: KeySet { k, keys }, ..easy_spec() }.check().unwrap()
}

pub(crate) fn pool(threads: usize) -> Pool {
    Pool::new(NonZeroUsize::new(threads).unwrap()).unwrap()
}

pub(crate) fn memory_ledger(spec: Spec) -> Ledger<MemoryStore> {
    Ledger::create(MemoryStore::new(), spec, NodeKernel::best(), pool(1)).unwrap()
}

/// Searches the nonce.
pub(crate) fn solve(algorithm: Algorithm, mut block: Block) -> Block {
    let target = block.header.bits.to_target().unwrap();
    while meets_target(algorithm, &block.header.encode(), &target).is_none() {
        block.header.nonce = block.header.nonce.checked_add(1).expect("an easy target");
    }
    block
}

/// A solved block on the tip, one spacing after it, paying `payout`.
pub(crate) fn next_block<S: Store>(
    ledger: &Ledger<S>,
    payout: PubKey,
    transactions: Vec<Transaction>,
) -> Block {
    let (_, tip) = ledger.tip().unwrap();
    next_block_at(ledger, payout, transactions, tip.header.time + ledger.chain().spec.spacing_s)
}

/// A solved block on the tip, stamped `time`.
pub(crate) fn next_block_at<S: Store>(
    ledger: &Ledger<S>,
    payout: PubKey,
    transactions: Vec<Transaction>,
    time: u32,
) -> Block {
    let fees = transactions.iter().map(|transaction| transaction.fee).sum();
    let included = transactions.into_iter().map(Included::new).collect();
    let template = Template::on_tip(ledger.chain(), &ledger.view(), included, fees).unwrap();
    let coinbase = template.coinbase(payout, &[]);
    solve(ledger.chain().spec.algorithm, template.block(coinbase, time))
}

/// Mines and submits.
pub(crate) fn mine<S: Store>(
    ledger: &Ledger<S>,
    payout: PubKey,
    transactions: Vec<Transaction>,
) -> Block {
    let block = next_block(ledger, payout, transactions);
    let submitted = ledger.submit(&block.encode(), NOW).unwrap();
    assert!(matches!(submitted, Submitted::Tip { .. }), "{submitted:?}");
    block
}

/// The block of the best chain at a height.
pub(crate) fn point<S: Store>(ledger: &Ledger<S>, height: u32) -> Point {
    Point { height, hash: ledger.view().hash_at(height).unwrap().unwrap().0 }
}

/// A witness's checkpoint, as it travels outside blocks.
pub(crate) fn checkpoint<S: Store>(
    ledger: &Ledger<S>,
    witness: &Key,
    at: Point,
    previous: Option<Point>,
) -> SignedCheckpoint {
    let core = core(ledger, Body::Attest(Attest::checkpoint(witness.public(), at, previous)));
    let sig = witness.sign(&core.id(&ledger.chain().genesis).0);
    SignedCheckpoint { core, sig }
}

/// A core that is valid for the next 1,000 blocks.
pub(crate) fn core<S: Store>(ledger: &Ledger<S>, body: Body) -> Core {
    let (_, tip) = ledger.tip().unwrap();
    Core {
        version: 1,
        chain: ledger.chain().chain_id,
        valid_from: tip.height,
        valid_to: tip.height + 1000,
        anchor: BlockHash::ZERO.0,
        body,
    }
}

/// Signs as the payer and every other signer of the body found among `keys`.
pub(crate) fn sign(
    genesis: &BlockHash,
    mut transaction: Transaction,
    keys: &[&Key],
) -> Transaction {
    let ids = Ids::of(&Included::new(transaction.clone()), genesis);
    let signers = transaction.signers();
    transaction.sigs = signers
        .iter()
        .enumerate()
        .map(|(index, signer)| {
            let key = keys.iter().find(|key| key.public() == *signer).expect("a key to sign with");
            key.sign(ids.signed_message(index))
        })
        .collect();
    transaction
}

/// A plain payment by its own sender, with a generous fee.
pub(crate) fn pay<S: Store>(
    ledger: &Ledger<S>,
    from: &Key,
    to: PubKey,
    amount: u64,
    nonce: u64,
) -> Transaction {
    let body = Body::Pay(Pay { from: from.public(), to, amount, kind: PayKind::Plain });
    let mut core = core(ledger, body);
    // A core is accepted once: equal payments differ in their window.
    core.valid_to -= u32::try_from(nonce % 500).expect("below 500");
    let transaction =
        Transaction { core, payer: from.public(), nonce, fee: 20_000, sigs: Vec::new() };
    sign(&ledger.chain().genesis, transaction, &[from])
}

pub(crate) fn verdict(error: SubmitError) -> proofward::ledger::rules::Verdict {
    match error {
        SubmitError::Rule(verdict) => verdict,
        other => panic!("not a verdict: {other:?}"),
    }
}

/// What was named of a bad run of blocks: height, transaction, rule.
pub(crate) type Named = (u32, Option<u32>, &'static str);

/// Judged block by block, as they arrive one at a time.
pub(crate) fn serially(blocks: &[Vec<u8>]) -> Result<BlockHash, Named> {
    let ledger = memory_ledger(easy_spec());
    for block in blocks {
        match ledger.submit(block, NOW) {
            Ok(_) => {}
            Err(SubmitError::Rule(verdict)) => {
                return Err((verdict.height, verdict.transaction, verdict.rule.name()));
            }
            // A block whose parent is not the one before: the run says so by its link.
            Err(SubmitError::Orphan { .. }) => return Err((0, None, "bad-prevblk")),
            Err(error) => panic!("{error}"),
        }
    }
    Ok(ledger.view().tip().unwrap())
}

/// Judged as one run, in parallel stages.
pub(crate) fn in_parallel(blocks: &[Vec<u8>]) -> Result<BlockHash, Named> {
    let ledger =
        Ledger::create(MemoryStore::new(), easy_spec(), NodeKernel::best(), pool(2)).unwrap();
    match ledger.extend::<SubmitError>(blocks.iter().cloned().map(Ok), NOW, |_| {}) {
        Ok(_) => Ok(ledger.view().tip().unwrap()),
        Err(SubmitError::Rule(verdict)) if verdict.rule.name() == "bad-prevblk" => {
            Err((0, None, "bad-prevblk"))
        }
        Err(SubmitError::Rule(verdict)) => {
            Err((verdict.height, verdict.transaction, verdict.rule.name()))
        }
        Err(error) => panic!("{error}"),
    }
}
