//! What it costs to collect a branch: reads are counted, so that no clock decides.

use proofward::ledger::chain::{Ledger, Submitted, Witnessed};

use super::common::*;
use super::counting::CountingStore;
use super::*;

/// Blocks that both branches share, of which the witnesses settle the last but one.
const SHARED: usize = 9;
/// Bodies for which there is room beside the best chain.
const ROOM: usize = 4;

/// Reads for each block of a branch of so many: while it comes beside the best chain, which it exceeds by one
/// block, and while its bodies, of which next to none were kept, are brought again in this order.
fn reads_a_block(length: usize, order: impl Fn(&mut [Vec<u8>])) -> [u64; 2] {
    let witness = Key::new(100);
    let spec = with_witnesses(1, std::slice::from_ref(&witness));
    let lengths = [SHARED + length - 1, SHARED + length];
    let [best, theirs] = apart_on(&spec, SHARED, lengths);
    let ours = Ledger::create(CountingStore::default(), spec, NodeKernel::best(), pool(1)).unwrap();
    let ours = narrow(ours, ROOM);
    let blocks = blocks_of(&best).into_iter().map(Ok);
    ours.extend::<proofward::ledger::chain::SubmitError>(blocks, NOW, |_| {}).unwrap();
    let settled = point(&ours, 8);
    let settling = checkpoint(&ours, &witness, settled, None);
    assert_eq!(ours.witness(&settling).unwrap(), Ok(Witnessed::Settled(settled)));

    let mut rivals = blocks_of(&theirs).split_off(SHARED);
    let (ours, first) = bring(ours, &rivals);
    // What has to be brought again.
    let missing = |rival: &Vec<u8>| {
        let hash = ours.chain().header_hash(rival).unwrap();
        ours.view().block_bytes(&hash).unwrap().is_none()
    };
    rivals.retain(missing);
    assert!(rivals.len() > length - ROOM - 2, "{} of {length}", rivals.len());
    order(&mut rivals);
    // The last one moves the tip, by as many blocks as there are: that is another cost.
    let (last, rest) = rivals.split_last().unwrap();
    let (ours, again) = bring(ours, rest);
    let Submitted::Tip { connected, .. } = ours.submit(last, NOW).unwrap() else {
        panic!("the branch is whole")
    };
    assert_eq!(connected.len(), length);
    assert_eq!(ours.tip().unwrap().0, theirs.tip().unwrap().0);
    [first, again]
}

/// Reads for each of these blocks, of which the last leaves the branch incomplete. Nothing but the store is
/// kept from one block to the next, as if each were the last before the power goes.
fn bring(mut ours: Ledger<CountingStore>, rivals: &[Vec<u8>]) -> (Ledger<CountingStore>, u64) {
    let before = ours.store().reads();
    let mut said = None;
    for rival in rivals {
        said = Some(ours.submit(rival, NOW).unwrap());
        let spec = ours.chain().spec.clone();
        ours = Ledger::open(ours.into_store(), spec, NodeKernel::best(), pool(1)).unwrap();
        ours = narrow(ours, ROOM);
    }
    assert!(matches!(said, Some(Submitted::Incomplete { .. })), "{said:?}");
    let reads = (ours.store().reads() - before) / rivals.len() as u64;
    (ours, reads)
}

/// Eight times as long a branch has three more steps to each of its ancestors, not eight times as many.
#[track_caller]
fn grows_with_the_logarithm(order: impl Fn(&mut [Vec<u8>]) + Copy) {
    let (short, long) = (reads_a_block(50, order), reads_a_block(400, order));
    println!("reads a block: {short:?} in a branch of 50, {long:?} in one of 400");
    for (short, long) in short.into_iter().zip(long) {
        assert!(long <= 2 * short, "{short} and {long} reads a block");
    }
}

#[test]
fn to_collect_a_branch_from_its_beginning_is_not_quadratic() {
    grows_with_the_logarithm(|_| {});
}

#[test]
fn to_collect_a_branch_from_its_end_is_not_quadratic() {
    grows_with_the_logarithm(<[_]>::reverse);
}
