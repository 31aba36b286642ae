//! A guardian through reorganisations and to the end: what it submits again, when it sends its share and
//! not before, and when it may forget that it ever acted.

use crate::access::*;
use crate::ledger::NOW;
use crate::opening::*;
use proofward::ledger::chain::{Release as Decision, Submitted};
use proofward::ledger::mempool::{Limits, Mempool, Source};
use proofward::ledger::policy::{Place, Reason};
use proofward::ledger::transaction::{Body, CoreId, Pay, PayKind, Transaction};
use proofward::wallet::custody::Release;
use proofward::wallet::guardian::{Acted, Look, Step};

/// A record that opens anywhere, so that a request outlives the blocks that it was made after.
fn anywhere(delay: u32) -> Opening {
    Opening::with(|draft| {
        draft.places = vec![Place::Anywhere];
        draft.terms.delay = delay;
    })
}

/// A request that ends `lives` blocks after the tip, its approval by the nurse, who guards a share, and
/// the patient; and what the nurse keeps of it. Nothing is mined.
fn acted_on(opening: &mut Opening, lives: u32) -> (Transaction, Transaction, Acted) {
    let tip = opening.world.next() - 1;
    let body = opening.world.request(&opening.policed, DOCTOR, None);
    let mut core = opening.world.core(Body::Request(Box::new(body)));
    core.valid_to = tip + lives;
    let id = core.id(&opening.world.ledger.chain().genesis);
    let request = opening.world.sponsor(core);
    let release = Release { request: id.0, sealed: vec![1, 2, 3] };
    let mut approvers = opening.approvers(&[NURSE, PATIENT]);
    approvers[0].release = release.hash();
    let mut core = opening.world.core(Opening::body(id, approvers));
    core.valid_to = tip + lives;
    let approval = opening.world.sponsor(core);
    let acted = Acted {
        guardian: opening.key(NURSE),
        request: request.encode(),
        approval: Some(approval.encode()),
        releases: vec![release],
        at: tip,
        is_sent: false,
    };
    (request, approval, acted)
}

fn steps_beside(opening: &Opening, pool: &Mempool, acted: &Acted) -> Vec<Step> {
    let ledger = &opening.world.ledger;
    Look { chain: ledger.chain(), view: ledger.view(), pool }.steps(acted).unwrap()
}

/// With nothing waiting for a block.
fn steps(opening: &Opening, acted: &Acted) -> Vec<Step> {
    let ledger = &opening.world.ledger;
    let pool = Mempool::new(ledger.chain(), &ledger.view(), Limits::default()).unwrap();
    steps_beside(opening, &pool, acted)
}

fn submit(request: CoreId, transaction: &Transaction) -> Step {
    Step::Submit { request, bytes: transaction.encode() }
}

#[test]
fn what_a_reorganisation_drops_is_submitted_again_and_waits_again() {
    let (mut opening, mut other) = (anywhere(0), anywhere(0));
    let (request, approval, acted) = acted_on(&mut opening, 900);
    let core = acted.core();
    let send = Step::Send { request: core, sealed: vec![1, 2, 3] };
    let again = [submit(core, &request), submit(core, &approval)];
    assert_eq!(steps(&opening, &acted), again);
    // What waits in the pool is not submitted twice.
    let view = opening.world.ledger.view();
    let mut pool = Mempool::new(opening.world.ledger.chain(), &view, Limits::default()).unwrap();
    pool.admit(&view, &request.encode(), Source::Own).unwrap();
    assert_eq!(steps_beside(&opening, &pool, &acted), again[1..]);

    let open = |opening: &mut Opening| {
        opening.world.mine(vec![request.clone()]).unwrap();
        assert_eq!(steps(opening, &acted), again[1..]);
        opening.world.mine(vec![approval.clone()]).unwrap();
        for _ in 0..2 {
            assert_eq!(steps(opening, &acted), [], "open, but not deep enough");
            opening.world.wait(1);
        }
        assert_eq!(steps(opening, &acted), std::slice::from_ref(&send));
    };
    open(&mut opening);
    // A longer branch without any of it.
    for block in other.mine_apart(5) {
        let submitted = opening.world.ledger.submit(&block, NOW).unwrap();
        assert_ne!(submitted, Submitted::Known);
    }
    assert_eq!(opening.world.tip(), other.world.tip());
    assert_eq!(steps(&opening, &acted), again, "nothing is sent that is open nowhere");
    open(&mut opening);
    let acted = Acted { is_sent: true, ..acted };
    assert_eq!(steps(&opening, &acted), [], "a share is sent once");
}

/// Who paid has used the nonce for something else: the same bytes would never be mined again.
#[test]
fn what_its_payer_has_made_stale_is_sponsored_anew() {
    let mut opening = anywhere(0);
    let (request, approval, acted) = acted_on(&mut opening, 900);
    let core = acted.core();
    let (from, to) = (opening.world.key(1), opening.world.key(2));
    assert_eq!(request.payer, from);
    let pay = Body::Pay(Pay { from, to, amount: 20_000, kind: PayKind::Plain });
    let (pay, _) = opening.world.transaction(pay);
    opening.world.mine(vec![pay]).unwrap();
    let sponsor = |of: &Transaction| Step::Sponsor { request: core, bytes: of.encode() };
    let found = steps(&opening, &acted);
    assert_eq!(found, [sponsor(&request), sponsor(&approval)]);
    for step in found {
        let Step::Sponsor { bytes, .. } = step else { panic!("{step:?}") };
        // Nobody of those who signed the core signs again.
        let stale = Transaction::decode(&bytes).unwrap();
        let sponsored = opening.world.sponsor(stale.core.clone());
        assert_eq!(sponsored.sigs[1..], stale.sigs[1..]);
        opening.world.mine(vec![sponsored]).unwrap();
    }
    assert_eq!(steps(&opening, &acted), []);
}

#[test]
fn no_share_is_sent_before_the_owners_time_to_object_is_over() {
    let mut opening = anywhere(5);
    let (request, approval, acted) = acted_on(&mut opening, 900);
    let asked = opening.world.next();
    opening.world.mine(vec![request, approval]).unwrap();
    let release = |opening: &Opening| {
        let ledger = &opening.world.ledger;
        ledger.chain().may_release(ledger.view(), acted.core()).unwrap()
    };
    let delayed = Decision::NotOpen(Some(Reason::Delay { until: asked + 5 }));
    while opening.world.next() < asked + 5 {
        assert_eq!(release(&opening), delayed);
        assert_eq!(steps(&opening, &acted), []);
        opening.world.wait(1);
    }
    for _ in 0..3 {
        assert_eq!(release(&opening), Decision::TooFresh { until: asked + 7 });
        assert_eq!(steps(&opening, &acted), []);
        opening.world.wait(1);
    }
    assert_eq!(steps(&opening, &acted).len(), 1, "sent");
}

/// It forgets when no block can hold the request or the approval any more and the chain has forgotten the
/// request itself: neither a reorganisation nor a reader can bring it back.
#[test]
fn it_forgets_what_can_no_longer_change_and_not_a_block_sooner() {
    // Never mined: until its last height it is submitted again.
    let mut opening = anywhere(0);
    let (request, approval, acted) = acted_on(&mut opening, 4);
    let forget = [Step::Forget { request: acted.core() }];
    for _ in 0..4 {
        let again = [submit(acted.core(), &request), submit(acted.core(), &approval)];
        assert_eq!(steps(&opening, &acted), again);
        opening.world.wait(1);
    }
    assert_eq!(steps(&opening, &acted), forget);

    // Mined, and sent: as long as the chain remembers the request.
    let mut opening = anywhere(0);
    let (request, approval, acted) = acted_on(&mut opening, 4);
    let acted = Acted { is_sent: true, ..acted };
    let mined = opening.world.next();
    opening.world.mine(vec![request, approval]).unwrap();
    while steps(&opening, &acted).is_empty() {
        assert!(opening.world.next() <= mined + 2000, "it never forgets");
        opening.world.wait(1);
    }
    assert_eq!(steps(&opening, &acted), forget);
    // A core id is remembered for a thousand blocks after its own; the one after those drops it.
    assert_eq!(opening.world.next() - 1, mined + 1000 + 1);
}

#[test]
fn no_share_is_sent_before_the_record_has_been_open_for_two_blocks_by_the_clock_too() {
    let mut opening = Opening::with(|draft| {
        draft.terms.delay = 60;
        draft.terms.answer_within = 200;
        draft.terms.read_within = 200;
    });
    let request = opening.asked();
    opening.approve(request, &[NURSE, PATIENT]).unwrap();
    // The blocks of the delay pass in no time, so the clock decides when the owners can no longer object.
    opening.world.burst(70);
    let release = |opening: &Opening| {
        opening.world.ledger.chain().may_release(opening.world.ledger.view(), request).unwrap()
    };
    while !opening.answer(request).is_open {
        assert!(matches!(release(&opening), Decision::NotOpen(_)));
        opening.world.wait(1);
    }
    let tip = opening.world.next() - 1;
    assert_eq!(release(&opening), Decision::TooFresh { until: tip + 2 });
    opening.world.wait(1);
    assert_eq!(release(&opening), Decision::TooFresh { until: tip + 2 });
    opening.world.wait(1);
    assert_eq!(release(&opening), Decision::Now);
}
