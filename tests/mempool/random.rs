//! Random histories from printed seeds.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use proofward::ledger::mempool::Totals;
use proofward::ledger::rules::context::Ancestors;
use proofward::ledger::state::{Account, EntryKey, StateRead};

const KEYS: u32 = 6;

fn account(ledger: &Ledger<MemoryStore>, key: PubKey) -> Account {
    let entry = ledger.view().entry(&EntryKey::Account(key)).unwrap();
    entry.map_or(Account::default(), |bytes| borsh::from_slice(&bytes).unwrap())
}

impl World {
    fn random_transaction(&self, random: &mut SplitMix64) -> Transaction {
        let payer = Key::new(1 + random.number(KEYS));
        let from =
            if random.below(3) == 0 { Key::new(1 + random.number(KEYS)) } else { payer.clone() };
        let owned = account(&self.ledger, from.public()).balance;
        let amount = match random.below(6) {
            0 => owned,
            1 => owned / 2 + 1,
            _ => 1 + random.below(1_000_000),
        };
        let nonce = account(&self.ledger, payer.public()).nonce + random.below(12);
        let fee = 9_000 + random.below(200_000);
        let to = Key::new(1 + random.number(KEYS + 3)).public();
        let body = Paying { from: &from, to, amount, mark: random.number(40) };
        self.sponsored(&payer, nonce, fee, &body)
    }

    /// Another ledger with the blocks up to a height.
    fn replayed_to(&self, height: u32) -> Ledger<MemoryStore> {
        let other = memory_ledger(easy_spec());
        let view = self.ledger.view();
        for height in 1..=height {
            let hash = view.hash_at(height).unwrap().unwrap();
            other.submit(&view.block_bytes(&hash).unwrap().unwrap(), NOW).unwrap();
        }
        other
    }

    /// What must hold whatever has happened.
    fn check(&self, limits: &Limits) {
        let pending: Vec<Transaction> =
            self.pool.iter().map(|bytes| Transaction::decode(bytes).unwrap()).collect();
        let totals = Totals {
            count: pending.len(),
            bytes: self.pool.iter().map(<[u8]>::len).sum(),
            signatures: pending.iter().map(Transaction::signature_count).sum(),
        };
        assert_eq!(self.pool.totals(), totals);
        assert!(totals.count <= limits.count, "{totals:?}");
        assert!(totals.bytes <= limits.bytes, "{totals:?}");
        assert!(totals.signatures <= limits.signatures, "{totals:?}");

        let mut reserved: BTreeMap<PubKey, u64> = BTreeMap::new();
        let (mut cores, mut nonces) = (BTreeSet::new(), BTreeMap::new());
        for transaction in &pending {
            *reserved.entry(transaction.payer).or_default() += transaction.fee;
            let Body::Pay(pay) = &transaction.core.body else { panic!("only payments here") };
            *reserved.entry(pay.from).or_default() += pay.amount;
            assert!(cores.insert(transaction.core.id(&self.ledger.chain().genesis)), "one sponsor");
            // Best first is, within a payer, in the order of nonces.
            let last = nonces.insert(transaction.payer, transaction.nonce);
            assert!(last.is_none_or(|last| last < transaction.nonce), "one sequence");
        }
        assert_eq!(self.pool.reserved(), reserved);
    }
}

/// Admits, blocks of one's own and of others, and reorganisations: the template is a valid block after
/// each, or `mine_template` fails.
fn history(seed: u64, limits: Limits, steps: u32) -> (usize, usize) {
    println!("seed {seed}");
    let mut random = SplitMix64::new(seed);
    let mut world = World::new(KEYS, limits);
    let mut abandoned = Vec::new();
    let (mut mined, mut refused) = (0, 0);
    for _ in 0..steps {
        for _ in 0..random.below(40) {
            let transaction = world.random_transaction(&mut random);
            refused += usize::from(world.admit(&transaction).is_err());
            // Some are seen by others as well, and mined there first.
            if random.below(4) == 0 {
                abandoned.push(transaction);
            }
        }
        world.check(&limits);
        match random.below(8) {
            0..4 => mined += world.mine_template(Key::new(1 + random.number(KEYS)).public()),
            4 | 5 => {
                // A block of others: whatever of theirs still holds.
                let transaction = abandoned.pop();
                let block = transaction.map(|transaction| {
                    let payout = Key::new(98).public();
                    next_block(&world.ledger, payout, vec![transaction])
                });
                if let Some(block) = block
                    && world.ledger.submit(&block.encode(), NOW).is_ok()
                {
                    world.pool.follow(&world.ledger.view(), Some(&block)).unwrap();
                }
            }
            6 => {
                // A branch from some blocks back overtakes ours.
                let depth = 1 + random.number(4);
                let other = world.replayed_to(world.height() - depth);
                for _ in 0..=depth {
                    let payout = Key::new(60 + random.number(5)).public();
                    let block = mine(&other, payout, vec![]).encode();
                    world.ledger.submit(&block, NOW).unwrap();
                }
                world.pool.follow(&world.ledger.view(), None).unwrap();
            }
            _ => {}
        }
        world.check(&limits);
    }
    mined += world.mine_template(Key::new(1).public());
    (mined, refused)
}

#[test]
fn every_template_is_a_block_and_every_sum_is_that_of_a_twin() {
    let small = Limits { count: 40, bytes: 9_000, signatures: 45 };
    for (seed, limits) in [(1, Limits::default()), (2, small), (3, Limits::default()), (4, small)] {
        let (mined, refused) = history(seed, limits, 60);
        println!("{mined} mined, {refused} refused");
        assert!(mined > 50, "{mined} transactions were mined");
        assert!(refused > 50, "{refused} transactions were refused");
    }
}
