//! The node around the ledger: what other processes leave in the inbox, and how it is mined.
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "common/ledger.rs"]
mod common;

use std::time::Duration;

use common::*;
use proofward::engine::{Engine, Options};
use proofward::hash::Algorithm;
use proofward::kernel::Kernel;
use proofward::ledger::chain::Ledger;
use proofward::ledger::mempool::{Limits, Mempool};
use proofward::ledger::store::{Inbox, MemoryStore};
use proofward::ledger::transaction::Transaction;
use proofward::node::clock::Clock;
use proofward::node::feed::{InboxFeed, Told};
use proofward::node::miner::{MineError, Miner};
use proofward::node::service::{Parts, Service};

/// A chain on which key 1 owns a reward, its inbox and its pool.
struct Node {
    ledger: Ledger<MemoryStore>,
    inbox: Inbox,
    feed: InboxFeed,
    pool: Mempool,
    _dir: tempfile::TempDir,
}

impl Node {
    fn new() -> Self {
        let ledger = memory_ledger(easy_spec());
        for _ in 0..6 {
            mine(&ledger, Key::new(1).public(), vec![]);
        }
        let dir = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(dir.path()).unwrap();
        let feed = InboxFeed::new(inbox.clone(), ledger.chain().genesis).unwrap();
        let pool = Mempool::new(ledger.chain(), &ledger.view(), Limits::default()).unwrap();
        Self { ledger, inbox, feed, pool, _dir: dir }
    }

    fn leave(&self, transaction: &Transaction) {
        self.inbox.leave(&transaction.encode()).unwrap();
    }

    fn poll(&mut self) -> Vec<Told> {
        self.feed.poll(&mut self.pool, &self.ledger.view()).unwrap()
    }

    /// Somebody mines a block with these.
    fn mine(&mut self, transactions: Vec<Transaction>) -> Vec<Told> {
        mine(&self.ledger, Key::new(2).public(), transactions);
        self.pool.follow(&self.ledger.view(), None).unwrap();
        self.feed.tip_moved(&mut self.pool, &self.ledger.view()).unwrap()
    }

    fn payment(&self, nonce: u64, amount: u64) -> Transaction {
        pay(&self.ledger, &Key::new(1), Key::new(3).public(), amount, nonce)
    }

    fn waiting(&self) -> usize {
        self.inbox.size().unwrap().0
    }
}

/// Name of the rule, and whether the file is gone.
fn names(told: &[Told]) -> Vec<(&'static str, bool)> {
    told.iter().map(|told| (told.refused.name(), told.is_removed)).collect()
}

#[test]
fn a_file_stays_until_its_transaction_is_mined() {
    let mut node = Node::new();
    // The names are hashes, so the order of files is not that of nonces.
    let all: Vec<_> = (1..=20).map(|nonce| node.payment(nonce, 1_000)).collect();
    all.iter().rev().for_each(|transaction| node.leave(transaction));
    assert!(node.poll().is_empty());
    assert_eq!((node.pool.totals().count, node.waiting()), (20, 20));
    assert!(node.poll().is_empty(), "known files are not offered again");

    // A process that starts now reads all of it back.
    let mut feed = InboxFeed::new(node.inbox.clone(), node.ledger.chain().genesis).unwrap();
    let mut pool =
        Mempool::new(node.ledger.chain(), &node.ledger.view(), Limits::default()).unwrap();
    assert!(feed.poll(&mut pool, &node.ledger.view()).unwrap().is_empty());
    assert_eq!(pool.totals(), node.pool.totals());

    assert!(node.mine(all[..15].to_vec()).is_empty());
    assert_eq!((node.pool.totals().count, node.waiting()), (5, 5));
    let (count, bytes) = node.inbox.size().unwrap();
    let rest: usize = all[15..].iter().map(|transaction| transaction.encode().len()).sum();
    assert_eq!((count, bytes), (5, rest as u64));
}

#[test]
fn what_no_block_will_hold_is_told_and_removed() {
    let mut node = Node::new();
    node.inbox.leave(&[7; 100]).unwrap();
    node.leave(&node.payment(1, u64::MAX / 2));
    let mut forged = node.payment(2, 1_000);
    forged.sigs[0].0[5] ^= 1;
    node.leave(&forged);
    let mut told = names(&node.poll());
    told.sort_unstable();
    assert_eq!(told, [("BadSig", true), ("Insufficient", true), ("NonCanonical", true)]);
    assert_eq!((node.pool.totals().count, node.waiting()), (0, 0));
}

#[test]
fn what_may_hold_later_is_told_once_and_waits() {
    let mut node = Node::new();
    let genesis = node.ledger.chain().genesis;
    let mut early = node.payment(1, 1_000);
    early.core.valid_from += 3;
    early.core.valid_to += 3;
    let early = sign(&genesis, early, &[&Key::new(1)]);
    node.leave(&early);
    assert_eq!(names(&node.poll()), [("NotYetValid", false)]);
    assert!(node.poll().is_empty());
    assert!(node.mine(vec![]).is_empty(), "it is not told again");
    assert_eq!((node.pool.totals().count, node.waiting()), (0, 1));
    node.mine(vec![]);
    assert_eq!((node.pool.totals().count, node.waiting()), (1, 1));
    node.mine(vec![early]);
    assert_eq!((node.pool.totals().count, node.waiting()), (0, 0));
}

#[test]
fn one_that_lost_its_nonce_is_told_after_the_block() {
    let mut node = Node::new();
    let mine = node.payment(1, 1_000);
    node.leave(&mine);
    node.poll();
    let rival = node.payment(1, 2_000);
    assert_eq!(names(&node.mine(vec![rival])), [("NonceGap", true)]);
    assert_eq!(node.waiting(), 0);
}

/// The whole way on the engine: inbox, pool, candidate, job, block, and the next one without what was
/// mined.
#[test]
fn the_miner_mines_what_was_left() {
    let node = Node::new();
    for nonce in 1..=3 {
        node.leave(&node.payment(nonce, 1_000));
    }
    let Node { ledger, inbox, _dir, .. } = node;
    let kernel = Kernel::available(Algorithm::Sha256d).next().unwrap();
    let engine = Engine::new(kernel, Options::default()).unwrap();
    let (limits, clock) = (Limits::default(), Clock::new(|| NOW));
    let parts = Parts { ledger, inbox: Some(inbox.clone()), limits, clock };
    let service = Service::start(parts).unwrap();
    let handle = service.handle.clone();
    assert_eq!(handle.totals().count, 3);
    let mut miner = Miner::new(handle.clone(), &engine, Key::new(9).public(), "test");
    let mut mined = Vec::new();
    while mined.len() < 3 {
        mined.extend(miner.wait(Duration::from_secs(20)).unwrap());
        let tip = mined.last().map(|mined| mined.hash);
        assert!(tip.is_none_or(|tip| handle.current().tip() == tip), "the candidate follows");
    }
    miner.stop();
    let ledger = service.stop().unwrap().expect("nobody is reading");
    let counts: Vec<_> = mined.iter().map(|mined| mined.block.transactions.len()).collect();
    assert_eq!(counts, [3, 0, 0]);
    assert_eq!(mined[0].reward, mined[1].reward + 3 * 20_000);
    assert_eq!(ledger.tip().unwrap().0, mined[2].hash);
    assert_eq!((inbox.size().unwrap(), handle.totals().count), ((0, 0), 0));
    let ended = loop {
        if let Err(error) = miner.wait(Duration::from_secs(20)) {
            break error;
        }
    };
    assert_eq!(ended, MineError::Stopped);
}
