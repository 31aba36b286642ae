//! Bodies beside the best chain: the least work goes first, and what is wanted is taken again.

use proofward::ledger::chain::{Ledger, SubmitError, Submitted};
use proofward::ledger::mempool::{Limits, Mempool};

use super::common::*;
use super::random::choices;
use super::*;

/// Old blocks of low difficulty cost little, and megabytes may hang on each.
#[test]
fn a26_cheap_blocks_beside_the_best_chain_have_a_bound() {
    const ROOM: usize = 32;
    const HEADERS: usize = 100;
    let [ours, theirs] = apart(15, [20, 21]);
    let ours = narrow(ours, ROOM).with_side_headers_max(HEADERS as u64);
    let mut cheap = siblings(&beginning_of(&ours, 5));
    for number in 0..10_000 {
        assert_eq!(ours.submit(&cheap(number), NOW), Ok(Submitted::Side));
        if number % 1_000 == 0 {
            assert!(bodies(&ours) <= 21 + ROOM, "{}", bodies(&ours));
        }
    }
    assert_eq!((bodies(&ours), headers(&ours)), (21 + ROOM, 21 + HEADERS));
    // A branch with more work than these pushes them out, and wins when it has the most.
    let rivals = &blocks_of(&theirs)[15..];
    for rival in &rivals[..5] {
        assert_eq!(ours.submit(rival, NOW), Ok(Submitted::Side));
    }
    assert!(matches!(ours.submit(&rivals[5], NOW), Ok(Submitted::Tip { .. })));
    assert_eq!(ours.view().root().unwrap(), theirs.view().root().unwrap());
    assert_eq!(bodies(&ours), 22 + ROOM);
}

/// There and back again, with room for fewer bodies than either branch has.
#[test]
fn a_branch_whose_beginning_was_let_go_is_sent_again() {
    const ROOM: usize = 8;
    let [ours, theirs] = apart(3, [20, 70]);
    let mut ours = narrow(ours, ROOM);
    let (first, rivals) = (blocks_of(&ours), blocks_of(&theirs));
    let tip = ours.tip().unwrap();
    let mut said = Vec::new();
    for rival in &rivals[3..] {
        said.push(ours.submit(rival, NOW).unwrap());
    }
    assert_eq!(ours.tip().unwrap(), tip, "it cannot be applied");
    let missing = ours.chain().header_hash(&rivals[3]).unwrap();
    assert_eq!(said[..17], vec![Submitted::Side; 17], "no more work than the best chain");
    assert_eq!(said[17..], vec![Submitted::Incomplete { missing }; said.len() - 17]);
    // Also after a restart.
    let store = ours.into_store();
    ours = narrow(Ledger::open(store, easy_spec(), NodeKernel::best(), pool(1)).unwrap(), ROOM);
    assert_eq!(ours.submit(rivals.last().unwrap(), NOW), Ok(said[said.len() - 1].clone()));
    let mut again = rivals[3..].iter();
    loop {
        match ours.submit(again.next().expect("all is sent before that"), NOW).unwrap() {
            Submitted::Incomplete { missing } => {
                let next = again.as_slice().first().expect("something is missing");
                assert_eq!(ours.chain().header_hash(next), Some(missing), "the next one");
            }
            Submitted::Tip { disconnected, connected } => {
                assert_eq!((disconnected.len(), connected.len()), (17, rivals.len() - 3));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ours.view().root().unwrap(), theirs.view().root().unwrap());
    assert_eq!(bodies(&ours), 1 + rivals.len() + ROOM, "the old branch is beside it now");

    // The branch that lost comes back with more work.
    let other = memory_ledger(easy_spec());
    for block in &first {
        other.submit(block, NOW).unwrap();
    }
    while other.tip().unwrap().1.work <= ours.tip().unwrap().1.work {
        mine(&other, Key::new(1).public(), vec![]);
    }
    for block in blocks_of(&other).iter().chain(&blocks_of(&other)) {
        ours.submit(block, NOW).unwrap();
    }
    assert_eq!(ours.tip().unwrap().0, other.tip().unwrap().0);
    assert_eq!(ours.view().root().unwrap(), other.view().root().unwrap());
    assert!(ours.chain().replay(&pool(1), ours.view(), |_| {}).is_ok());
}

/// Branches of branches, in any order, again and again, with next to no room: the most work is found as if there
/// were room for everything, and what is kept stays small.
#[test]
fn the_best_chain_is_found_in_any_order_with_hardly_any_room() {
    const ROOM: usize = 3;
    let mut draws = choices("any order");
    let mut chains: Vec<Vec<Vec<u8>>> = vec![Vec::new()];
    for key in 1..=8 {
        let parent = &chains[draws.index(chains.len())];
        let fork = draws.index(parent.len() + 1);
        let ledger = memory_ledger(easy_spec());
        parent[..fork].iter().for_each(|block| drop(ledger.submit(block, NOW).unwrap()));
        for _ in 0..=draws.index(12) {
            mine(&ledger, Key::new(key).public(), vec![]);
        }
        chains.push(blocks_of(&ledger));
    }
    let longest = chains.iter().map(Vec::len).max().unwrap();
    let mut blocks = chains.concat();
    blocks.sort();
    blocks.dedup();
    for _ in 0..20 {
        let ours = narrow(memory_ledger(easy_spec()), ROOM);
        let mut rounds = 0;
        while (ours.tip().unwrap().1.height as usize) < longest {
            rounds += 1;
            // Once for each header to find its parent, once for the bodies.
            assert!(rounds <= longest + 2, "{longest} blocks after {rounds} rounds");
            for last in (1..blocks.len()).rev() {
                blocks.swap(last, draws.index(last + 1));
            }
            for block in &blocks {
                match ours.submit(block, NOW) {
                    Ok(_) | Err(SubmitError::Orphan { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
                // The best chain with its genesis, the room, and a branch that is collected.
                assert!(bodies(&ours) <= 2 * longest + 1 + ROOM, "{}", bodies(&ours));
            }
        }
        assert!(ours.chain().replay(&pool(1), ours.view(), |_| {}).is_ok());
    }
}

/// The pool asks for the transactions of a branch that has lost, and may come too late.
#[test]
fn a_pool_that_follows_late_does_without_what_was_let_go() {
    let [ours, theirs] = apart(5, [7, 9]);
    let ours = narrow(ours, 0);
    let payment = pay(&ours, &Key::new(1), Key::new(3).public(), 5, 1);
    mine(&ours, Key::new(1).public(), vec![payment]);
    let mut mempool = Mempool::new(ours.chain(), &ours.view(), Limits::default()).unwrap();
    // Each is let go at once until the last one shows that they are wanted.
    for rival in blocks_of(&theirs)[5..].iter().chain(&blocks_of(&theirs)[5..]) {
        ours.submit(rival, NOW).unwrap();
    }
    assert_eq!(ours.tip().unwrap().0, theirs.tip().unwrap().0);
    assert_eq!(bodies(&ours), 10, "nothing is kept beside it");
    mempool.follow(&ours.view(), None).unwrap();
    assert_eq!(mempool.totals().count, 0, "the payment is not known any more");
}
