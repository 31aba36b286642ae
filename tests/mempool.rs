//! The mempool: one test for each attack that its documentation lists, and random histories in which
//! every template is a valid block and every sum is that of a plain twin.
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "mempool/attacks.rs"]
mod attacks;
#[path = "mempool/branch.rs"]
mod branch;
#[path = "mempool/chain.rs"]
mod chain;
#[path = "common/ledger.rs"]
mod common;
#[path = "mempool/random.rs"]
mod random;

use common::*;
use proofward::fuzzing::forge::SplitMix64;
use proofward::ledger::chain::{Ledger, Submitted};
use proofward::ledger::mempool::{Admitted, Limits, Mempool, Refused, Source};
use proofward::ledger::rules::context::Refusal;
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::Spec;
use proofward::ledger::store::MemoryStore;
use proofward::ledger::transaction::{Body, Pay, PayKind, Transaction};

/// A ledger, and a pool that follows it.
struct World {
    ledger: Ledger<MemoryStore>,
    pool: Mempool,
}

const REWARD: u64 = 50 * proofward::ledger::spec::UNITS_PER_TOKEN;

impl World {
    /// Keys 1 to `rich` own a reward each.
    fn new(rich: u32, limits: Limits) -> Self {
        Self::on(easy_spec(), rich, limits)
    }

    fn on(spec: Spec, rich: u32, limits: Limits) -> Self {
        let ledger = memory_ledger(spec);
        for number in 1..=rich {
            mine(&ledger, Key::new(number).public(), vec![]);
        }
        for _ in 0..ledger.chain().spec.maturity_blocks {
            mine(&ledger, Key::new(99).public(), vec![]);
        }
        let pool = Mempool::new(ledger.chain(), &ledger.view(), limits).unwrap();
        Self { ledger, pool }
    }

    fn admit(&mut self, transaction: &Transaction) -> Result<Admitted, Refused> {
        self.admit_from(transaction, Source::Own)
    }

    fn admit_from(&mut self, transaction: &Transaction, from: Source) -> Result<Admitted, Refused> {
        self.admit_bytes(&transaction.encode(), from)
    }

    fn admit_bytes(&mut self, bytes: &[u8], from: Source) -> Result<Admitted, Refused> {
        let before = self.pool.totals();
        match self.pool.admit(&self.ledger.view(), bytes, from) {
            Ok(admitted) => Ok(admitted),
            Err(Refusal::Rule(refused)) => {
                assert_eq!(self.pool.totals(), before, "a refused one changes nothing");
                Err(refused)
            }
            Err(Refusal::Store(error)) => panic!("{error}"),
        }
    }

    /// The name under which a transaction is refused.
    fn refused(&mut self, transaction: &Transaction) -> &'static str {
        self.admit(transaction).unwrap_err().name()
    }

    fn height(&self) -> u32 {
        self.ledger.tip().unwrap().1.height
    }

    /// Mines what the pool proposes; the ledger accepts it and the pool follows.
    fn mine_template(&mut self, payout: PubKey) -> usize {
        let template = self.pool.template(&self.ledger.view()).unwrap();
        let time = self.ledger.tip().unwrap().1.header.time + 1;
        let block = template.block(template.coinbase(payout, &[]), time);
        let block = solve(self.ledger.chain().spec.algorithm, block);
        let submitted = self.ledger.submit(&block.encode(), NOW).unwrap();
        assert!(matches!(submitted, Submitted::Tip { .. }), "{submitted:?}");
        self.pool.follow(&self.ledger.view(), Some(&block)).unwrap();
        block.transactions.len()
    }

    /// Somebody else mines these.
    fn mine(&mut self, transactions: Vec<Transaction>) {
        mine(&self.ledger, Key::new(99).public(), transactions);
        self.pool.follow(&self.ledger.view(), None).unwrap();
    }

    fn is_pending(&self, transaction: &Transaction) -> bool {
        let bytes = transaction.encode();
        self.pool.iter().any(|pending| pending == bytes)
    }

    /// A payment by `from`, sponsored by `payer`.
    fn sponsored(&self, payer: &Key, nonce: u64, fee: u64, body: &Paying<'_>) -> Transaction {
        let pay = Pay {
            from: body.from.public(),
            to: body.to,
            amount: body.amount,
            kind: PayKind::Plain,
        };
        let mut core = core(&self.ledger, Body::Pay(pay));
        // Equal payments differ in their window.
        core.valid_to -= body.mark;
        let payer_key = payer.public();
        let transaction = Transaction { core, payer: payer_key, nonce, fee, sigs: Vec::new() };
        sign(&self.ledger.chain().genesis, transaction, &[payer, body.from])
    }

    /// A small payment to key 2 by its own sender.
    fn own(&self, from: u32, nonce: u64, fee: u64) -> Transaction {
        let from = Key::new(from);
        let to = Key::new(50).public();
        let mark = u32::try_from(nonce % 500).unwrap();
        self.sponsored(&from, nonce, fee, &Paying { from: &from, to, amount: 1, mark })
    }
}

/// What a payment says.
struct Paying<'a> {
    from: &'a Key,
    to: PubKey,
    amount: u64,
    mark: u32,
}

/// Enough for any small payment to a new account.
const FEE: u64 = 20_000;
