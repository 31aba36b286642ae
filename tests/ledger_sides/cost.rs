//! What it costs to collect a branch: reads are counted, so that no clock decides.

use proofward::ledger::chain::{Ledger, Submitted, Witnessed};

use super::common::*;
use super::counting::CountingStore;
use super::*;

/// Blocks that both branches share, of which the witnesses settle the last but one.
const SHARED: usize = 9;

/// Reads for each block of a branch of so many: while it comes beside the best chain, which it exceeds by one
/// block, and while its bodies, of which next to none were kept, are brought again in this order.
fn reads_a_block(length: usize, order: impl Fn(&mut [Vec<u8>])) -> [u64; 2] {
    let witness = Key::new(100);
    let spec = with_witnesses(1, std::slice::from_ref(&witness));
    let lengths = [SHARED + length - 1, SHARED + length];
    let [best, theirs] = apart_on(&spec, SHARED, lengths);
    let ours = Ledger::create(CountingStore::default(), spec, NodeKernel::best(), pool(1)).unwrap();
    let ours = narrow(ours, 4);
    let blocks = blocks_of(&best).into_iter().map(Ok);
    ours.extend::<proofward::ledger::chain::SubmitError>(blocks, NOW, |_| {}).unwrap();
    let settled = point(&ours, 8);
    let settling = checkpoint(&ours, &witness, settled, None);
    assert_eq!(ours.witness(&settling).unwrap(), Ok(Witnessed::Settled(settled)));

    let mut rivals = blocks_of(&theirs).split_off(SHARED);
    let bring = |rivals: &[Vec<u8>]| {
        let before = ours.store().reads();
        let said = rivals.iter().map(|rival| ours.submit(rival, NOW).unwrap()).last();
        ((ours.store().reads() - before) / length as u64, said.unwrap())
    };
    let (first, said) = bring(&rivals);
    assert!(matches!(said, Submitted::Incomplete { .. }), "{said:?}");
    // What has to be brought again.
    let missing = |rival: &Vec<u8>| {
        let hash = ours.chain().header_hash(rival).unwrap();
        ours.view().block_bytes(&hash).unwrap().is_none()
    };
    rivals.retain(missing);
    assert!(rivals.len() >= length - 5, "{} of {length}", rivals.len());
    order(&mut rivals);
    // The last one moves the tip, by as many blocks as there are: that is another cost.
    let (last, rest) = rivals.split_last().unwrap();
    let (again, said) = bring(rest);
    assert!(matches!(said, Submitted::Incomplete { .. }), "{said:?}");
    let Submitted::Tip { connected, .. } = ours.submit(last, NOW).unwrap() else {
        panic!("the branch is whole")
    };
    assert_eq!(connected.len(), length);
    assert_eq!(ours.tip().unwrap().0, theirs.tip().unwrap().0);
    [first, again]
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
