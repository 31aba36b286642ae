//! What the mempool costs with 50,000 transactions pending: the block to mine from nothing, after one
//! more transaction and after a new tip, and one transaction taken in. Floors are those of the project's
//! goals.
#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up fails")]

#[path = "../tests/common/ledger.rs"]
mod common;

use std::hint::black_box;

use common::{Key, NOW, core, easy_spec, memory_ledger, mine, pay, sign, solve};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use proofward::ledger::chain::Ledger;
use proofward::ledger::mempool::{Limits, Mempool, Source};
use proofward::ledger::store::MemoryStore;
use proofward::ledger::template::Template;
use proofward::ledger::transaction::{Body, Pay, PayKind, Transaction};
use proofward::node::job::Job;

const PENDING: u32 = 50_000;
const EACH: u32 = 50;
const PAYERS: u32 = PENDING / EACH;

/// A chain on which every payer owns something.
fn funded() -> Ledger<MemoryStore> {
    let ledger = memory_ledger(easy_spec());
    let rich = Key::new(1);
    for _ in 0..6 {
        mine(&ledger, rich.public(), vec![]);
    }
    let numbers: Vec<u32> = (0..=PAYERS).collect();
    let mut nonce = 0;
    for part in numbers.chunks(64) {
        let payments = part.iter().map(|number| {
            nonce += 1;
            pay(&ledger, &rich, payer(*number).public(), 10_000_000, nonce)
        });
        let payments = payments.collect();
        mine(&ledger, Key::new(2).public(), payments);
    }
    ledger
}

fn payer(number: u32) -> Key {
    Key::new(1000 + number)
}

fn payment(ledger: &Ledger<MemoryStore>, number: u32, nonce: u32, fee: u64) -> Transaction {
    let from = payer(number);
    let to = payer((number + 1) % PAYERS).public();
    let pay = Pay { from: from.public(), to, amount: 1, kind: PayKind::Plain };
    let mut core = core(ledger, Body::Pay(pay));
    core.valid_to -= nonce;
    let nonce = nonce.into();
    let transaction = Transaction { core, payer: from.public(), nonce, fee, sigs: Vec::new() };
    sign(&ledger.chain().genesis, transaction, &[&from])
}

fn filled(ledger: &Ledger<MemoryStore>) -> Mempool {
    let snapshot = proofward::ledger::store::Store::snapshot(ledger.store()).unwrap();
    let view = proofward::ledger::chain::View(&*snapshot);
    let mut pool = Mempool::new(ledger.chain(), &view, Limits::default()).unwrap();
    for nonce in 1..=EACH {
        for number in 0..PAYERS {
            // Some order that is neither that of arrival nor that of payers.
            let fee = 400 + u64::from((number * 7919 + nonce * 104_729) % 5_000);
            let bytes = payment(ledger, number, nonce, fee).encode();
            pool.admit(&view, &bytes, Source::Own).unwrap();
        }
    }
    assert_eq!(pool.totals().count, usize::try_from(PENDING).unwrap());
    pool
}

fn mempool(c: &mut Criterion) {
    let ledger = funded();
    let mut pool = filled(&ledger);
    let template = pool.template(&ledger.view()).unwrap();
    println!("{} of {PENDING} pending transactions fill the block", template.transactions.len());
    // Something has been taken in before, so that the tables of a copy have grown where they must.
    let first = payment(&ledger, PAYERS, 1, 100_000).encode();
    let dear = payment(&ledger, PAYERS, 2, 90_000).encode();
    let copy = |pool: &Mempool| {
        let mut copy = pool.clone();
        copy.admit(&ledger.view(), &first, Source::Own).unwrap();
        copy.template(&ledger.view()).unwrap();
        copy
    };

    let mut group = c.benchmark_group("mempool_50000");
    group.sample_size(20);
    group.bench_function("template_from_nothing", |b| {
        b.iter(|| {
            pool.assemble_anew();
            pool.template(&ledger.view()).unwrap()
        });
    });
    pool.template(&ledger.view()).unwrap();
    group.bench_function("take_in_one", |b| {
        let take_in = |mut pool: Mempool| {
            pool.admit(&ledger.view(), black_box(&dear), Source::Own).unwrap();
            pool
        };
        b.iter_batched(|| copy(&pool), take_in, BatchSize::PerIteration);
    });
    group.bench_function("template_after_one_more", |b| {
        let one_more = || {
            let mut pool = copy(&pool);
            pool.admit(&ledger.view(), &dear, Source::Own).unwrap();
            pool
        };
        let template = |mut pool: Mempool| {
            let template = pool.template(&ledger.view()).unwrap();
            (pool, template)
        };
        b.iter_batched(one_more, template, BatchSize::PerIteration);
    });

    let block = template.block(template.coinbase(Key::new(3).public(), &[]), 0);
    let time = ledger.tip().unwrap().1.header.time + 1;
    let mut block = template.block(block.coinbase_bytes, time);
    block = solve(ledger.chain().spec.algorithm, block);
    ledger.submit(&block.encode(), NOW).unwrap();
    group.bench_function("job_of_the_coinbase_alone_after_a_full_block", |b| {
        b.iter(|| {
            let template = Template::empty(ledger.chain(), &ledger.view()).unwrap();
            Job::new(template, Key::new(3).public(), time).work()
        });
    });
    group.bench_function("follow_and_template_after_a_full_block", |b| {
        let follow = |mut pool: Mempool| {
            pool.follow(&ledger.view(), Some(&block)).unwrap();
            let template = pool.template(&ledger.view()).unwrap();
            (pool, template)
        };
        b.iter_batched(|| pool.clone(), follow, BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, mempool);
criterion_main!(benches);
