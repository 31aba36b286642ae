//! Finality: what the witnesses settle stays, whatever work another branch has; and what a node does
//! when witnesses lie.

#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "common/ledger.rs"]
mod common;

use common::*;
use proofward::engine::nodes::NodeKernel;
use proofward::ledger::chain::{
    Alarm, CheckpointError, Ledger, SIDE_BODY_BYTES_LEAST, SignedCheckpoint, Submitted, Witnessed,
};
use proofward::ledger::spec::Spec;
use proofward::ledger::store::MemoryStore;
use proofward::ledger::transaction::attest::Point;
use proofward::ledger::transaction::{Attest, Body, Pay, PayKind, Transaction};

const MINER: u32 = 1;
const RIVAL: u32 = 2;

fn witnesses() -> Vec<Key> {
    (100..103).map(Key::new).collect()
}

fn spec() -> Spec {
    with_witnesses(2, &witnesses())
}

fn note(ledger: &Ledger<MemoryStore>, checkpoint: &SignedCheckpoint) -> Witnessed {
    ledger.witness(checkpoint).unwrap().unwrap()
}

/// Two nodes that share `shared` blocks and then mine apart: ours by `ours`, theirs by `theirs` blocks.
struct Split {
    ours: Ledger<MemoryStore>,
    theirs: Ledger<MemoryStore>,
    /// The rival blocks, lowest first.
    rivals: Vec<Vec<u8>>,
}

fn split(shared: u32, ours: u32, theirs: u32) -> Split {
    let (left, right) = (memory_ledger(spec()), memory_ledger(spec()));
    let (miner, rival) = (Key::new(MINER).public(), Key::new(RIVAL).public());
    for _ in 0..shared {
        let block = mine(&left, miner, vec![]);
        right.submit(&block.encode(), NOW).unwrap();
    }
    for _ in 0..ours {
        mine(&left, miner, vec![]);
    }
    let rivals = (0..theirs).map(|_| mine(&right, rival, vec![]).encode()).collect();
    Split { ours: left, theirs: right, rivals }
}

#[test]
fn k_witnesses_settle_and_one_fewer_does_not() {
    let Split { ours, .. } = split(20, 0, 0);
    let [a, b, c] = &witnesses()[..] else { unreachable!() };
    let at = point(&ours, 8);
    assert_eq!(note(&ours, &checkpoint(&ours, a, at, None)), Witnessed::Noted);
    assert_eq!(
        note(&ours, &checkpoint(&ours, a, at, None)),
        Witnessed::Noted,
        "the same one twice"
    );
    assert_eq!(ours.settled().unwrap(), None);
    assert_eq!(note(&ours, &checkpoint(&ours, b, at, None)), Witnessed::Settled(at));
    assert_eq!(ours.settled().unwrap(), Some(at));
    // A newest checkpoint speaks for its ancestors: nothing more is settled until two are above 8.
    assert_eq!(note(&ours, &checkpoint(&ours, c, point(&ours, 16), None)), Witnessed::Noted);
    assert_eq!(
        note(&ours, &checkpoint(&ours, a, point(&ours, 16), Some(at))),
        Witnessed::Settled(point(&ours, 16))
    );
    assert_eq!(ours.signed_checkpoints().unwrap().len(), 3, "handed over at every handshake");
}

#[test]
fn no_work_replaces_what_is_settled() {
    let Split { ours, rivals, .. } = split(7, 8, 30);
    let at = point(&ours, 8);
    for witness in &witnesses()[..2] {
        note(&ours, &checkpoint(&ours, witness, at, None));
    }
    let (tip, record) = ours.tip().unwrap();
    for rival in &rivals {
        assert_eq!(ours.submit(rival, NOW).unwrap(), Submitted::Side);
        let hash = ours.chain().header_hash(rival).unwrap();
        assert_eq!(ours.view().block_bytes(&hash).unwrap(), None, "nobody will ask for its body");
        assert_eq!(ours.submit(rival, NOW).unwrap(), Submitted::Known);
    }
    assert_eq!(ours.tip().unwrap().0, tip);
    let strongest = ours.chain().header_hash(rivals.last().unwrap()).unwrap();
    let rival = ours.view().record(&strongest).unwrap().unwrap();
    assert!(rival.work > record.work, "the rival had more work and lost all the same");
}

#[test]
fn without_the_witnesses_the_same_branch_wins() {
    let Split { ours, theirs, rivals } = split(7, 8, 30);
    for rival in &rivals {
        ours.submit(rival, NOW).unwrap();
    }
    assert_eq!(ours.tip().unwrap().0, theirs.tip().unwrap().0);
}

#[test]
fn a_node_moves_to_the_settled_branch_whatever_the_work() {
    let Split { ours, theirs, rivals } = split(7, 12, 8);
    for rival in &rivals {
        assert_eq!(ours.submit(rival, NOW).unwrap(), Submitted::Side);
    }
    let at = point(&theirs, 8);
    let [a, b, _] = &witnesses()[..] else { unreachable!() };
    assert_eq!(note(&ours, &checkpoint(&theirs, a, at, None)), Witnessed::Noted);
    assert_eq!(note(&ours, &checkpoint(&theirs, b, at, None)), Witnessed::Settled(at));
    let (tip, record) = ours.tip().unwrap();
    // It moves to the settled block itself; its descendants follow as blocks do.
    assert_eq!((tip, record.height), (at.block(), 8));
    assert_eq!(ours.settled().unwrap(), Some(at));
}

#[test]
fn checkpoints_may_come_before_the_block_that_they_name() {
    let Split { ours, theirs, rivals } = split(7, 12, 8);
    let at = point(&theirs, 8);
    for witness in &witnesses()[..2] {
        assert_eq!(note(&ours, &checkpoint(&theirs, witness, at, None)), Witnessed::Noted);
    }
    let Submitted::Tip { disconnected, connected } = ours.submit(&rivals[0], NOW).unwrap() else {
        panic!("the block is settled the moment that it arrives");
    };
    assert_eq!((disconnected.len(), connected.as_slice()), (12, &[at.block()][..]));
    assert_eq!(ours.settled().unwrap(), Some(at));
    for rival in &rivals[1..] {
        let submitted = ours.submit(rival, NOW).unwrap();
        assert!(matches!(submitted, Submitted::Tip { .. }), "{submitted:?}");
    }
    assert_eq!(ours.tip().unwrap().0, theirs.tip().unwrap().0);
}

/// There was no room for the bodies of a branch of less work, until the witnesses stood behind it.
#[test]
fn what_the_witnesses_settle_is_taken_again_whatever_the_work() {
    let Split { ours, theirs, rivals } = split(7, 12, 8);
    let ours = ours.with_side_bytes_max(2 * SIDE_BODY_BYTES_LEAST);
    for rival in &rivals {
        assert_eq!(ours.submit(rival, NOW).unwrap(), Submitted::Side);
    }
    let at = point(&theirs, 8);
    for witness in &witnesses()[..2] {
        assert_eq!(note(&ours, &checkpoint(&theirs, witness, at, None)), Witnessed::Noted);
    }
    assert_eq!(ours.settled().unwrap(), None, "it cannot be applied");
    for rival in &rivals {
        let submitted = ours.submit(rival, NOW).unwrap();
        assert!(matches!(submitted, Submitted::Tip { .. }), "{submitted:?}");
    }
    assert_eq!(ours.settled().unwrap(), Some(at));
    assert_eq!(ours.tip().unwrap().0, theirs.tip().unwrap().0);
}

#[test]
fn checkpoints_on_the_chain_settle_as_those_of_gossip_do() {
    let Split { ours, .. } = split(14, 0, 0);
    let (at, miner) = (point(&ours, 8), Key::new(MINER));
    let attest = |witness: &Key, nonce: u64| {
        let body = Body::Attest(Attest::checkpoint(witness.public(), at, None));
        let transaction = Transaction {
            core: core(&ours, body),
            payer: miner.public(),
            nonce,
            fee: 50_000,
            sigs: Vec::new(),
        };
        sign(&ours.chain().genesis, transaction, &[&miner, witness])
    };
    let [a, b, _] = &witnesses()[..] else { unreachable!() };
    mine(&ours, miner.public(), vec![attest(a, 1)]);
    assert_eq!(ours.settled().unwrap(), None);
    mine(&ours, miner.public(), vec![attest(b, 2)]);
    assert_eq!(ours.settled().unwrap(), Some(at));
}

#[test]
fn a_witness_of_two_branches_is_proven_and_counts_no_more() {
    let Split { ours, theirs, rivals } = split(7, 20, 20);
    for rival in &rivals {
        ours.submit(rival, NOW).unwrap();
    }
    let [a, b, c] = &witnesses()[..] else { unreachable!() };
    let (here, there) = (point(&ours, 8), point(&theirs, 8));
    note(&ours, &checkpoint(&ours, a, here, None));
    let equivocation = Witnessed::Equivocation(a.public());
    assert_eq!(note(&ours, &checkpoint(&theirs, a, there, None)), equivocation);
    let (first, second) = ours.equivocation(&a.public()).unwrap().unwrap();
    assert_eq!((first.at, second.at), (here, there));
    // One honest witness is not two.
    assert_eq!(note(&ours, &checkpoint(&ours, b, here, None)), Witnessed::Noted);
    assert_eq!(note(&ours, &checkpoint(&ours, c, here, None)), Witnessed::Settled(here));
    assert_eq!(ours.equivocation(&b.public()).unwrap(), None);

    // At different heights the header tree decides.
    let Split { ours, theirs, rivals } = split(7, 20, 20);
    for rival in &rivals {
        ours.submit(rival, NOW).unwrap();
    }
    note(&ours, &checkpoint(&ours, a, point(&ours, 8), None));
    assert_eq!(note(&ours, &checkpoint(&theirs, a, point(&theirs, 16), None)), equivocation);
    // What the higher one itself names as its ancestor is proof without any block.
    let Split { ours, theirs, .. } = split(7, 20, 20);
    note(&ours, &checkpoint(&ours, a, point(&ours, 8), None));
    let liar = checkpoint(&theirs, a, point(&theirs, 16), Some(point(&theirs, 8)));
    assert_eq!(note(&ours, &liar), equivocation);
}

#[test]
fn of_two_settled_branches_the_first_stays_and_an_alarm_stands() {
    let Split { ours, theirs, rivals } = split(7, 8, 12);
    let [a, b, c] = &witnesses()[..] else { unreachable!() };
    let kept = point(&ours, 8);
    note(&ours, &checkpoint(&ours, a, kept, None));
    assert_eq!(note(&ours, &checkpoint(&ours, b, kept, None)), Witnessed::Settled(kept));

    // b signs the rival branch too, higher up. Its blocks are not known here yet, so nothing is proven,
    // and with c there are two who stand behind it.
    let refused = point(&theirs, 16);
    assert_eq!(note(&ours, &checkpoint(&theirs, b, refused, None)), Witnessed::Noted);
    assert_eq!(note(&ours, &checkpoint(&theirs, c, refused, None)), Witnessed::Noted);
    assert_eq!(ours.alarm().unwrap(), None);
    let tip = ours.tip().unwrap().0;
    for rival in &rivals {
        assert_eq!(ours.submit(rival, NOW).unwrap(), Submitted::Side);
    }
    assert_eq!(ours.alarm().unwrap(), Some(Alarm { kept: Some(kept), refused }));
    assert_eq!((ours.settled().unwrap(), ours.tip().unwrap().0), (Some(kept), tip));
}

#[test]
fn a_settled_branch_that_breaks_a_rule_raises_the_alarm() {
    let Split { ours, theirs, .. } = split(7, 4, 0);
    // A rival whose block 8 pays what nobody owns: its header is sound, its body is not.
    let poor = Key::new(50);
    let payment = Body::Pay(Pay {
        from: poor.public(),
        to: Key::new(51).public(),
        amount: 5,
        kind: PayKind::Plain,
    });
    let transaction = Transaction {
        core: core(&theirs, payment),
        payer: poor.public(),
        nonce: 1,
        fee: 20_000,
        sigs: Vec::new(),
    };
    let transaction = sign(&theirs.chain().genesis, transaction, &[&poor]);
    let bad = next_block(&theirs, Key::new(RIVAL).public(), vec![transaction]);
    assert_eq!(ours.submit(&bad.encode(), NOW).unwrap(), Submitted::Side);
    let refused = Point { height: 8, hash: ours.chain().spec.hash_header(&bad.header).0 };
    let [a, b, _] = &witnesses()[..] else { unreachable!() };
    let tip = ours.tip().unwrap().0;
    note(&ours, &checkpoint(&ours, a, refused, None));
    let alarm = Alarm { kept: None, refused };
    assert_eq!(note(&ours, &checkpoint(&ours, b, refused, None)), Witnessed::Conflict(alarm));
    assert_eq!(ours.alarm().unwrap(), Some(alarm));
    assert_eq!(ours.tip().unwrap().0, tip);
    assert_eq!(ours.settled().unwrap(), None);
    // The node lives on.
    mine(&ours, Key::new(MINER).public(), vec![]);
}

#[test]
fn only_a_witness_of_this_chain_on_the_grid_is_heard() {
    let Split { ours, .. } = split(20, 0, 0);
    let a = &witnesses()[0];
    let refused = |checkpoint: &SignedCheckpoint| ours.witness(checkpoint).unwrap().unwrap_err();
    let good = checkpoint(&ours, a, point(&ours, 8), None);
    assert_eq!(ours.witness(&good).unwrap(), Ok(Witnessed::Noted), "the nearest valid neighbour");

    let stranger = checkpoint(&ours, &Key::new(104), point(&ours, 8), None);
    assert_eq!(refused(&stranger), CheckpointError::NotAWitness);
    assert_eq!(refused(&checkpoint(&ours, a, point(&ours, 9), None)), CheckpointError::OffGrid(9));
    let falls = checkpoint(&ours, a, point(&ours, 8), Some(point(&ours, 8)));
    assert_eq!(refused(&falls), CheckpointError::OffGrid(8));
    let mut forged = good.clone();
    forged.sig.0[40] ^= 1;
    assert_eq!(refused(&forged), CheckpointError::BadSig);
    let mut elsewhere = good.clone();
    elsewhere.core.chain[0] ^= 1;
    assert_eq!(refused(&elsewhere), CheckpointError::NotACheckpoint);
    let pay = Pay { from: a.public(), to: Key::new(3).public(), amount: 1, kind: PayKind::Plain };
    let core = core(&ours, Body::Pay(pay));
    let sig = a.sign(&core.id(&ours.chain().genesis).0);
    assert_eq!(refused(&SignedCheckpoint { core, sig }), CheckpointError::NotACheckpoint);
    // A signature for a chain of another specification names another genesis.
    let other = memory_ledger(with_witnesses(1, &witnesses()[..1]));
    let mut foreign = checkpoint(&other, a, point(&ours, 8), None);
    foreign.core.chain = ours.chain().chain_id;
    assert_eq!(refused(&foreign), CheckpointError::BadSig);
}

#[test]
fn what_is_settled_survives_a_restart() {
    let Split { ours, rivals, .. } = split(7, 8, 30);
    let at = point(&ours, 8);
    for witness in &witnesses()[..2] {
        note(&ours, &checkpoint(&ours, witness, at, None));
    }
    let store = ours.into_store();
    let reopened = Ledger::open(store, spec(), NodeKernel::best(), pool(1)).unwrap();
    assert_eq!(reopened.settled().unwrap(), Some(at));
    for rival in &rivals {
        assert_eq!(reopened.submit(rival, NOW).unwrap(), Submitted::Side);
    }
}
