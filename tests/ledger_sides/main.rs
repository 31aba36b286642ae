//! Beside the best chain: what is kept of other branches, what is let go, and how a branch that comes to have the
//! most work gets in all the same.
#![cfg(feature = "ledger")]
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

mod bodies;
#[path = "../common/ledger.rs"]
mod common;
mod cost;
#[path = "../common/counting.rs"]
mod counting;
mod headers;
#[path = "../common/random.rs"]
mod random;

use common::*;
use proofward::engine::nodes::NodeKernel;
use proofward::ledger::chain::{Ledger, SIDE_BODY_BYTES_LEAST};
use proofward::ledger::rules::context::Ancestors;
use proofward::ledger::spec::Spec;
use proofward::ledger::store::{MemoryStore, Store, Table};
use proofward::ledger::template::Template;

/// With room for so many small bodies beside the best chain.
fn narrow<S: Store>(ledger: Ledger<S>, bodies: usize) -> Ledger<S> {
    ledger.with_side_bytes_max(bodies as u64 * SIDE_BODY_BYTES_LEAST)
}

fn bodies<S: Store>(ledger: &Ledger<S>) -> usize {
    ledger.store().range(Table::Bodies, &[], usize::MAX).unwrap().len()
}

fn headers<S: Store>(ledger: &Ledger<S>) -> usize {
    ledger.store().range(Table::Headers, &[], usize::MAX).unwrap().len()
}

/// The blocks of a chain above its genesis.
fn blocks_of<S: Store>(ledger: &Ledger<S>) -> Vec<Vec<u8>> {
    let view = ledger.view();
    let heights = 1..=ledger.tip().unwrap().1.height;
    let block = |height| view.block_bytes(&view.hash_at(height).unwrap().unwrap()).unwrap();
    heights.map(|height| block(height).unwrap()).collect()
}

/// Chains of these lengths that share so many blocks.
fn apart(shared: usize, lengths: [usize; 2]) -> [Ledger<MemoryStore>; 2] {
    apart_on(&easy_spec(), shared, lengths)
}

fn apart_on(spec: &Spec, shared: usize, lengths: [usize; 2]) -> [Ledger<MemoryStore>; 2] {
    let both = [1, 2].map(|key| (memory_ledger(spec.clone()), Key::new(key).public()));
    for _ in 0..shared {
        let block = mine(&both[0].0, both[0].1, vec![]);
        both[1].0.submit(&block.encode(), NOW).unwrap();
    }
    for ((ledger, key), length) in both.iter().zip(lengths) {
        (shared..length).for_each(|_| drop(mine(ledger, *key, vec![])));
    }
    both.map(|(ledger, _)| ledger)
}

/// The same store after a restart, with its bounds.
fn reopened(
    ledger: Ledger<MemoryStore>,
    spec: Spec,
    bodies: usize,
    headers: u64,
) -> Ledger<MemoryStore> {
    let store = ledger.into_store();
    let ledger = Ledger::open(store, spec, NodeKernel::best(), pool(1)).unwrap();
    narrow(ledger, bodies).with_side_headers_max(headers)
}

/// Blocks that all follow the tip of `early`, as many as are asked for.
fn siblings(early: &Ledger<MemoryStore>) -> impl FnMut(u32) -> Vec<u8> + use<> {
    let template = Template::on_tip(early.chain(), &early.view(), vec![], 0).unwrap();
    let time = early.tip().unwrap().1.header.time + early.chain().spec.spacing_s;
    let (algorithm, payout) = (early.chain().spec.algorithm, Key::new(9).public());
    move |number| {
        let coinbase = template.coinbase(payout, &number.to_le_bytes());
        solve(algorithm, template.block(coinbase, time)).encode()
    }
}

/// A chain that begins as another does.
fn beginning_of(ledger: &Ledger<MemoryStore>, blocks: usize) -> Ledger<MemoryStore> {
    let early = memory_ledger(ledger.chain().spec.clone());
    for block in &blocks_of(ledger)[..blocks] {
        early.submit(block, NOW).unwrap();
    }
    early
}
