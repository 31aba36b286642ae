//! Goods at scale: a history of 100,000 moves on disk, in which one lot is traced; the recall of a Make from
//! which more than 50,000 lots came, as a block of its own; and blocks of moves before and after the recall,
//! because each checks it through at most sixteen origins.
//!
//! `cargo bench --bench goods` measures; without `--bench` (under `cargo test`) a small history runs once,
//! and only what does not depend on time is asserted.

#![expect(clippy::float_arithmetic, reason = "times for people")]

#[path = "../tests/common/ledger.rs"]
mod ledger;

use std::collections::{BTreeSet, VecDeque};
use std::num::NonZeroUsize;
use std::time::Instant;

use ledger::{Key, NOW, easy_spec, next_block, sign};
use proofward::engine::nodes::NodeKernel;
use proofward::engine::pool::Pool;
use proofward::ledger::chain::Ledger;
use proofward::ledger::signature::PubKey;
use proofward::ledger::store::{CACHE_BYTES_DEFAULT, DiskStore};
use proofward::ledger::transaction::attest::{Claim, IssuerSet};
use proofward::ledger::transaction::lot::{OUTPUTS_MAX, Step};
use proofward::ledger::transaction::{Attest, Body, Core, LotId, Move, Transaction};
use proofward::primitives::BlockHash;

struct Effort {
    moves: usize,
    descendants: usize,
    block: usize,
    traces: usize,
}

impl Effort {
    const FULL: Self = Self { moves: 100_000, descendants: 50_000, block: 4000, traces: 200 };
    const ONCE: Self = Self { moves: 300, descendants: 400, block: 100, traces: 5 };
}

/// Blocks that pay the maker before there are goods.
const REWARDS: usize = 60;

/// Somebody who acts and pays for it.
struct Actor {
    key: Key,
    public: PubKey,
    nonce: u64,
}

struct Goods {
    ledger: Ledger<DiskStore>,
    maker: Actor,
    trader: Actor,
    pending: Vec<Transaction>,
    /// Lots that the trader has; the maker has all others.
    with_trader: BTreeSet<LotId>,
    effort: Effort,
    moves: usize,
}

fn main() {
    let full = std::env::args().any(|arg| arg == "--bench");
    let effort = if full { Effort::FULL } else { Effort::ONCE };
    let dir = tempfile::tempdir().expect("a directory");
    let mut goods = Goods::found(dir.path(), effort);
    let (root, leaves) = goods.divide(1, goods.effort.descendants);
    // Half of the lots change hands, again and again; the traced one like all others.
    let (passing, held) = leaves.split_at(leaves.len() / 2);
    for lot in passing.iter().cycle() {
        if goods.moves >= goods.effort.moves {
            break;
        }
        goods.pass(*lot);
    }
    for _ in 0..4 {
        goods.pass(passing[0]);
    }
    goods.mine();
    println!("{} moves in blocks of {}", goods.moves, goods.effort.block);
    goods.trace(passing[0]);
    goods.recall(root, leaves.len());
    goods.blocks_that_end_lots(held);
}

impl Goods {
    /// A chain on disk whose anchor lets the first key make goods.
    fn found(path: &std::path::Path, effort: Effort) -> Self {
        let store = DiskStore::create(path, CACHE_BYTES_DEFAULT).expect("a working disk");
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let pool = Pool::new(threads).expect("threads");
        let ledger = Ledger::create(store, easy_spec(), NodeKernel::best(), pool);
        let actor = |number| {
            let key = Key::new(number);
            let public = key.public();
            Actor { key, public, nonce: 0 }
        };
        let mut goods = Self {
            ledger: ledger.expect("an empty store"),
            maker: actor(1),
            trader: actor(2),
            pending: Vec::new(),
            with_trader: BTreeSet::new(),
            effort,
            moves: 0,
        };
        for at in 0..REWARDS {
            let payout = if at % 2 == 0 { goods.maker.public } else { goods.trader.public };
            goods.submit(payout, Vec::new());
        }
        let issuer = Key::new(3);
        let anchor = Key::new(1_000_000);
        let claims = [
            (&anchor, issuer.public(), Claim::Issuer(IssuerSet::ALL)),
            (&issuer, goods.maker.public, Claim::Maker),
        ];
        for (by, about, claim) in claims {
            let attest = Attest {
                issuer: by.public().into(),
                subject: about.into(),
                claim,
                from_h: 0,
                to_h: 1_000_000,
                subject_tag: [0; 16],
                evidence: [0; 32],
                prev: None,
            };
            let blank = goods.envelope(Body::Attest(attest), true);
            let keys = [by, &issuer, &goods.maker.key];
            let signed = sign(&goods.ledger.chain().genesis, blank, &keys);
            goods.submit(goods.maker.public, vec![signed]);
        }
        goods
    }

    fn submit(&self, payout: PubKey, transactions: Vec<Transaction>) -> f64 {
        let block = next_block(&self.ledger, payout, transactions).encode();
        let started = Instant::now();
        self.ledger.submit(&block, NOW).expect("a block of our own");
        started.elapsed().as_secs_f64()
    }

    /// Mines what is pending.
    fn mine(&mut self) -> f64 {
        let transactions = std::mem::take(&mut self.pending);
        self.submit(self.maker.public, transactions)
    }

    fn envelope(&mut self, body: Body, by_maker: bool) -> Transaction {
        let chain = self.ledger.chain().chain_id;
        let tip = self.ledger.tip().expect("a tip").1.height;
        let actor = if by_maker { &mut self.maker } else { &mut self.trader };
        actor.nonce += 1;
        let anchor = BlockHash::ZERO.0;
        // A core is accepted once: equal steps differ in their window.
        let valid_to = tip + 50 + u32::try_from(actor.nonce % 900).expect("below 900");
        let core = Core { version: 1, chain, valid_from: tip, valid_to, anchor, body };
        Transaction { core, payer: actor.public, nonce: actor.nonce, fee: 200_000, sigs: vec![] }
    }

    /// A step, signed and pending; what comes out of it.
    fn step(&mut self, step: Step, by_maker: bool) -> Vec<LotId> {
        let actor = if by_maker { &self.maker } else { &self.trader };
        let by = actor.public.into();
        let body = Move { by, step, event: [0; 32], site: None, presence: None, witnesses: vec![] };
        let blank = self.envelope(Body::Move(body.clone()), by_maker);
        let fee = if body.step.outputs().is_empty() { 11_000 } else { blank.fee };
        let blank = Transaction { fee, ..blank };
        let genesis = self.ledger.chain().genesis;
        let core = blank.core.id(&genesis);
        let key = if by_maker { &self.maker.key } else { &self.trader.key };
        self.pending.push(sign(&genesis, blank, &[key]));
        self.moves += 1;
        if self.pending.len() >= self.effort.block {
            self.mine();
        }
        body.created(&core)
    }

    /// One Make, divided until enough lots came of it: the Make, and those that are still whole.
    fn divide(&mut self, id: u8, enough: usize) -> (LotId, Vec<LotId>) {
        let quantity = 1 << 20;
        let make =
            Step::Make { id: [id; 32], class: [1; 32], quantity, inputs: vec![], min_witness: 0 };
        let root = self.step(make, true)[0];
        let mut lots = VecDeque::from([(root, quantity)]);
        let mut came_of_it = 0;
        while came_of_it < enough {
            let (lot, quantity) = lots.pop_front().expect("some lot");
            let each = quantity / OUTPUTS_MAX as u64;
            let outputs = vec![each; OUTPUTS_MAX];
            let created = self.step(Step::Unpack { lot, outputs }, true);
            came_of_it += created.len();
            lots.extend(created.into_iter().map(|lot| (lot, each)));
        }
        self.mine();
        (root, lots.into_iter().map(|(lot, _)| lot).collect())
    }

    /// The maker's lot goes to the trader, or the trader's back.
    fn pass(&mut self, lot: LotId) {
        let from_maker = self.with_trader.insert(lot);
        if !from_maker {
            self.with_trader.remove(&lot);
        }
        let to = if from_maker { self.trader.public } else { self.maker.public };
        self.step(Step::Ship { lot, to: to.into() }, from_maker);
        self.step(Step::Receive { lot }, !from_maker);
    }

    fn trace(&self, lot: LotId) {
        let mut times: Vec<f64> = (0..self.effort.traces)
            .map(|_| {
                let started = Instant::now();
                let trace = self.ledger.view().trace(&lot, &[], &|_, _| None);
                let trace = trace.expect("a readable store");
                assert_eq!(trace.origins.len(), 1);
                assert!(trace.steps.len() >= 8, "{}", trace.steps.len());
                started.elapsed().as_secs_f64()
            })
            .collect();
        times.sort_unstable_by(f64::total_cmp);
        println!("trace of one lot: median {:.3} ms (goal 5 ms)", 1e3 * times[times.len() / 2]);
    }

    fn recall(&mut self, root: LotId, leaves: usize) {
        let empty = self.mine();
        self.step(Step::Recall { made: root }, true);
        let block = self.mine();
        let started = Instant::now();
        let mut count = 0_usize;
        let view = self.ledger.view();
        view.descendants(&root, |_| count += 1).expect("a readable store");
        let listed = started.elapsed().as_secs_f64();
        assert!(count > self.effort.descendants && count > leaves, "{count}");
        println!(
            "recall of a Make with {} lots: its block {:.2} ms, an empty block {:.2} ms; all of them \
             listed in {:.0} ms",
            count - 1,
            1e3 * block,
            1e3 * empty,
            1e3 * listed
        );
    }

    /// Two full blocks that end lots: each lot asks its origin whether it is recalled.
    fn blocks_that_end_lots(&mut self, recalled: &[LotId]) {
        let block = self.effort.block;
        let (_, others) = self.divide(2, 2 * block);
        self.effort.block = usize::MAX;
        let mut time = |lots: &[LotId]| {
            for lot in lots {
                self.step(Step::Destroy { lot: *lot }, true);
            }
            1e3 * self.mine()
        };
        let (recalled, free) = (time(&recalled[..block]), time(&others[..block]));
        println!(
            "a block of {block} moves: {recalled:.0} ms of recalled lots, {free:.0} ms of others"
        );
    }
}
