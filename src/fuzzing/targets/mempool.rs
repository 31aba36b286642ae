//! The mempool under whatever arrives: raw bytes, signed payments of every kind of fault, blocks and
//! reorganisations, all read from the input.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::OnceLock;

use crate::engine::nodes::NodeKernel;
use crate::engine::pool::Pool;
use crate::hash::{Algorithm, meets_target};
use crate::ledger::block::{Block, Included};
use crate::ledger::chain::{Ledger, Submitted};
use crate::ledger::mempool::{Limits, Mempool, SCORE_MAX, Source, Totals};
use crate::ledger::rules::context::Refusal;
use crate::ledger::rules::isolation::Ids;
use crate::ledger::signature::PubKey;
use crate::ledger::spec::Spec;
use crate::ledger::store::{Batch, MemoryStore, Read as _, Store as _, Table};
use crate::ledger::template::Template;
use crate::ledger::transaction::{Body, CORE_VERSION, Core, Pay, PayKind, Transaction};
use crate::primitives::{BlockHash, CompactTarget};
use crate::wallet::{Purpose, SecretKey, Signer as _};

const KEYS: u8 = 4;
const GENESIS_TIME: u32 = 1_700_000_000;
const NOW: u64 = GENESIS_TIME as u64 + 1_000_000;
/// Small, so that they are met.
const LIMITS: Limits = Limits { count: 8, bytes: 2_000, signatures: 11 };
const STEPS_MAX: usize = 24;
/// Of which so many may be blocks and branches, which cost most.
const BLOCKS_MAX: usize = 6;

/// The bytes are steps: transactions from peers, blocks, reorganisations. After each step the pool is
/// within its limits and reserves what a plain sum says; every template is a block that the ledger takes.
///
/// # Panics
///
/// If not.
pub fn mempool(data: &[u8]) {
    let mut world = World::new();
    let mut input = Input(data);
    let mut blocks = 0;
    for _ in 0..STEPS_MAX {
        let Some(step) = input.byte() else { break };
        blocks += usize::from(step % 8 >= 6);
        match step % 8 {
            6 | 7 if blocks > BLOCKS_MAX => {}
            0 => {
                let bytes = input.take(usize::from(step >> 3));
                world.admit(bytes, step);
            }
            6 => world.mine_template(),
            7 => world.overtake(1 + u32::from(step >> 7)),
            _ => {
                let transaction = world.payment(&mut input);
                world.admit(&transaction.encode(), step);
            }
        }
        world.check();
    }
    world.mine_template();
    world.check();
}

struct World {
    ledger: Ledger<MemoryStore>,
    pool: Mempool,
}

/// The input from its front; zeroes where it has ended inside a step.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn next(&mut self) -> u8 {
        self.byte().unwrap_or(0)
    }
}

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed(&[number.wrapping_add(1); 32])
}

fn spec() -> Spec {
    let easy = CompactTarget(0x207f_ffff);
    let local = Spec::local(GENESIS_TIME, key(200).public_key()).expect("a preset");
    Spec { limit: easy, start: easy, ..local }
}

fn open(store: MemoryStore) -> Ledger<MemoryStore> {
    let pool = Pool::new(NonZeroUsize::MIN).expect("a thread");
    Ledger::open(store, spec(), NodeKernel::best(), pool).expect("the store of this chain")
}

/// A chain on which every key owns a reward, as the writes that make it.
fn funded() -> &'static Batch {
    static FUNDED: OnceLock<Batch> = OnceLock::new();
    FUNDED.get_or_init(|| {
        let pool = Pool::new(NonZeroUsize::MIN).expect("a thread");
        let ledger = Ledger::create(MemoryStore::new(), spec(), NodeKernel::best(), pool)
            .expect("an empty store");
        for number in 0..KEYS + 4 {
            let template = Template::empty(ledger.chain(), &ledger.view()).expect("a tip");
            let block = solved(&ledger, &template, &key(number).public_key());
            ledger.submit(&block.encode(), NOW).expect("a block of ours");
        }
        let mut batch = Batch::new();
        for table in Table::ALL {
            for (key, value) in ledger.store().range(*table, &[], usize::MAX).expect("memory") {
                batch.put(*table, key, value);
            }
        }
        batch
    })
}

fn solved(ledger: &Ledger<MemoryStore>, template: &Template, payout: &PubKey) -> Block {
    let time = ledger.tip().expect("a tip").1.header.time + 1;
    let mut block = template.block(template.coinbase(*payout, &[]), time);
    let target = block.header.bits.to_target().expect("an easy one");
    while meets_target(Algorithm::Sha256d, &block.header.encode(), &target).is_none() {
        block.header.nonce += 1;
    }
    block
}

impl World {
    fn new() -> Self {
        let store = MemoryStore::new();
        store.commit(funded()).expect("memory");
        let ledger = open(store);
        let pool = Mempool::new(ledger.chain(), &ledger.view(), LIMITS).expect("memory");
        Self { ledger, pool }
    }

    /// A payment that is mostly right: each byte of the input may spoil something.
    fn payment(&self, input: &mut Input<'_>) -> Transaction {
        let (who, what, how_much) = (input.next(), input.next(), input.next());
        let (nonce, fee, spoil) = (input.next(), input.next(), input.next());
        let payer = who % (KEYS + 1);
        let from = if who & 0x40 == 0 { payer } else { (who >> 3) % (KEYS + 1) };
        let (payer, from) = (key(payer), key(from));
        let height = self.ledger.tip().expect("a tip").1.height;
        let body = Body::Pay(Pay {
            from: from.public_key(),
            to: key(what % 8).public_key(),
            amount: u64::from(how_much) * 20_000_000,
            kind: PayKind::Plain,
        });
        let chain = self.ledger.chain();
        let core = Core {
            version: CORE_VERSION + u8::from(spoil == 1),
            chain: if spoil == 2 { [0; 4] } else { chain.chain_id },
            valid_from: height + u32::from(spoil == 3) * 2,
            valid_to: height + 1 + u32::from(what >> 3),
            anchor: if spoil == 4 { self.ledger.tip().expect("a tip").0 } else { BlockHash::ZERO }
                .0,
            body,
        };
        let fee = u64::from(fee) * 200;
        let (payer_key, nonce) = (payer.public_key(), u64::from(nonce));
        let transaction = Transaction { core, payer: payer_key, nonce, fee, sigs: Vec::new() };
        let ids = Ids::of(&Included::new(transaction.clone()), &chain.genesis);
        let signers = [payer, from];
        let sigs = transaction.signers().into_iter().enumerate().map(|(index, signer)| {
            let secret = signers.iter().find(|key| key.public_key() == signer).expect("one of two");
            let mut sig = secret.sign(ids.signed_message(index), Purpose::Core).expect("in memory");
            sig.0[0] ^= u8::from(spoil == 5);
            sig
        });
        let sigs = sigs.collect();
        Transaction { sigs, ..transaction }
    }

    fn admit(&mut self, bytes: &[u8], step: u8) {
        let source = if step & 0x80 == 0 { Source::Own } else { Source::Peer(step.into()) };
        let before = self.pool.totals();
        match self.pool.admit(&self.ledger.view(), bytes, source) {
            Ok(admitted) => {
                let transaction = admitted.ids.transaction;
                assert_eq!(self.pool.sponsor_of(&admitted.ids.core), Some(transaction));
            }
            Err(Refusal::Rule(refused)) => {
                assert_eq!(self.pool.totals(), before, "{refused}");
                assert!(self.pool.score(source) <= SCORE_MAX + 32);
            }
            Err(Refusal::Store(error)) => panic!("{error}"),
        }
    }

    fn mine_template(&mut self) {
        let template = self.pool.template(&self.ledger.view()).expect("memory");
        let block = solved(&self.ledger, &template, &key(100).public_key());
        let submitted = self.ledger.submit(&block.encode(), NOW);
        assert!(matches!(submitted, Ok(Submitted::Tip { .. })), "{submitted:?}");
        self.pool.follow(&self.ledger.view(), Some(&block)).expect("memory");
    }

    /// A branch from `depth` blocks back becomes the best one.
    fn overtake(&mut self, depth: u32) {
        let other = MemoryStore::new();
        other.commit(funded()).expect("memory");
        let other = open(other);
        let view = self.ledger.view();
        let height = other.tip().expect("a tip").1.height;
        let (_, tip) = self.ledger.tip().expect("a tip");
        for height in height + 1..=tip.height.saturating_sub(depth) {
            use crate::ledger::rules::context::Ancestors as _;
            let hash = view.hash_at(height).expect("memory").expect("below the tip");
            let bytes = view.block_bytes(&hash).expect("memory").expect("a stored block");
            other.submit(&bytes, NOW).expect("a block of ours");
        }
        while other.tip().expect("a tip").1.height <= tip.height {
            let template = Template::empty(other.chain(), &other.view()).expect("a tip");
            let block = solved(&other, &template, &key(101).public_key()).encode();
            other.submit(&block, NOW).expect("a block of ours");
            self.ledger.submit(&block, NOW).expect("a block of ours");
        }
        self.pool.follow(&self.ledger.view(), None).expect("memory");
    }

    fn check(&self) {
        let mut totals = Totals::default();
        let mut reserved: BTreeMap<PubKey, u64> = BTreeMap::new();
        for bytes in self.pool.iter() {
            let transaction = Transaction::decode(bytes).expect("it was taken in");
            totals.count += 1;
            totals.bytes += bytes.len();
            totals.signatures += transaction.signature_count();
            *reserved.entry(transaction.payer).or_default() += transaction.fee;
            let Body::Pay(pay) = &transaction.core.body else { continue };
            *reserved.entry(pay.from).or_default() += pay.amount;
        }
        assert_eq!(self.pool.totals(), totals);
        assert!(totals.count <= LIMITS.count && totals.bytes <= LIMITS.bytes, "{totals:?}");
        assert!(totals.signatures <= LIMITS.signatures, "{totals:?}");
        assert_eq!(self.pool.reserved(), reserved);
    }
}
