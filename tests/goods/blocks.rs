//! The index of moves follows the best chain, and every way of judging blocks agrees about goods.

use proofward::ledger::chain::View;
use proofward::ledger::store::{MemoryStore, Read as _, Table};
use proofward::ledger::transaction::CoreId;
use proofward::ledger::transaction::lot::Step;

use crate::ledger::{NOW, easy_spec, in_parallel, memory_ledger, pool, serially};
use crate::world::*;

fn tables(store: &MemoryStore) -> Vec<Vec<(Vec<u8>, Vec<u8>)>> {
    let all = |table| store.range(table, &[], usize::MAX).unwrap();
    [Table::Lots, Table::Moves, Table::State].map(all).into()
}

#[test]
fn the_index_lists_the_moves_of_a_lot_in_order_and_follows_a_reorganisation() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    let before = goods.blocks.clone();
    let root = goods.ledger.view().root().unwrap();
    goods.hand_over(MAKER, lot, TRADER);
    let parts = goods.split(TRADER, lot, &[4, 6]);
    goods.step(TRADER, Step::Dispense { lot: parts[0] }).unwrap();
    let recall = goods.step(MAKER, Step::Recall { made: lot }).unwrap();
    let steps = |view: View<'_>, lot| -> Vec<(CoreId, &'static str)> {
        let moves = view.moves_of(&lot).unwrap();
        moves.iter().map(|(core, moved)| (*core, moved.body().step.name())).collect()
    };
    let names = |view: View<'_>, lot| -> Vec<&'static str> {
        steps(view, lot).into_iter().map(|(_, name)| name).collect()
    };
    let view = goods.ledger.view();
    assert_eq!(names(view, lot), ["make", "ship", "receive", "split", "recall"]);
    assert_eq!(steps(view, lot)[4].0, recall);
    assert_eq!(names(view, parts[0]), ["split", "dispense"]);
    assert_eq!(names(view, parts[1]), ["split"]);
    let moved = view.moved(&recall).unwrap().unwrap();
    assert_eq!(moved.at.height, goods.next() - 1);
    assert_eq!(moved.index, 1);
    goods.ledger.chain().replay(&pool(1), view, |_| {}).unwrap();

    // The other branch has the make only, and more blocks.
    let other = memory_ledger(easy_spec());
    for block in &before {
        other.submit(block, NOW).unwrap();
    }
    assert_eq!(other.view().root().unwrap(), root);
    while other.tip().unwrap().1.height < goods.next() {
        crate::ledger::mine(&other, goods.key(1), vec![]);
    }
    let view = other.view();
    for height in 1..=other.tip().unwrap().1.height {
        let hash = proofward::ledger::rules::context::Ancestors::hash_at(&view, height).unwrap();
        let block = view.block_bytes(&hash.unwrap()).unwrap().unwrap();
        goods.ledger.submit(&block, NOW).unwrap();
    }
    assert_eq!(goods.tip(), other.view().tip().unwrap());
    assert_eq!(tables(goods.ledger.store()), tables(other.store()));
    assert_eq!(names(goods.ledger.view(), lot), ["make"]);
    assert_eq!(goods.ledger.view().moved(&recall).unwrap(), None);
}

#[test]
fn blocks_of_goods_are_judged_alike_one_by_one_and_in_parallel() {
    let mut goods = Goods::new();
    let lot = goods.make(MAKER, 1);
    goods.hand_over(MAKER, lot, TRADER);
    goods.split(TRADER, lot, &[4, 6]);
    let blocks = goods.blocks.clone();
    assert_eq!(serially(&blocks), Ok(goods.tip()));
    assert_eq!(in_parallel(&blocks), Ok(goods.tip()));
}
