//! The mempool and the bodies about access, whose validity only the state shows: what stands in each
//! other's way never makes a template invalid, and emergencies go without a fee but not without bound.
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "common/access.rs"]
mod access;
#[path = "common/ledger.rs"]
mod ledger;
#[path = "common/opening.rs"]
mod opening;

use access::*;
use ledger::{Key, NOW, solve};
use opening::{CLINICIAN_2, ESCROW, Opening};
use proofward::ledger::block::BLOCK_SIGNATURES_MAX;
use proofward::ledger::chain::{Release, Submitted};
use proofward::ledger::mempool::{
    APPROVALS_BEHIND_MAX, Dropped, FREE_OF_ISSUER_MAX, Limits, Mempool, Refused, Source, Why,
};
use proofward::ledger::policy::Reason;
use proofward::ledger::rules::context::Refusal;
use proofward::ledger::state::RequestStatus;
use proofward::ledger::transaction::{Body, CoreId, Grant, Pay, PayKind, Transaction};
use proofward::primitives::BlockHash;
use proofward::wallet::guardian::Look;

fn pool(world: &World, limits: Limits) -> Mempool {
    Mempool::new(world.ledger.chain(), &world.ledger.view(), limits).unwrap()
}

fn admit(pool: &mut Mempool, world: &World, transaction: &Transaction) -> Option<&'static str> {
    match pool.admit(&world.ledger.view(), &transaction.encode(), Source::Own) {
        Ok(_) => None,
        Err(Refusal::Rule(refused)) => Some(refused.name()),
        Err(Refusal::Store(error)) => panic!("{error}"),
    }
}

/// Mines the pool's block, which the ledger must take; how many it holds, and what the pool dropped.
fn mine_template(pool: &mut Mempool, world: &World) -> (usize, Vec<Dropped>) {
    let template = pool.template(&world.ledger.view()).unwrap();
    let time = world.ledger.tip().unwrap().1.header.time + 1;
    let block = template.block(template.coinbase(Key::new(9).public(), &[]), time);
    let block = solve(world.ledger.chain().spec.algorithm, block);
    let submitted = world.ledger.submit(&block.encode(), NOW).unwrap();
    assert!(matches!(submitted, Submitted::Tip { .. }), "{submitted:?}");
    let dropped = pool.follow(&world.ledger.view(), Some(&block)).unwrap();
    (block.transactions.len(), dropped)
}

/// The patient revokes all: the first of several, each with the same number.
fn revoke(world: &mut World, policed: &Policed) -> Transaction {
    let owners = world.party(PATIENT);
    let (rid, policy_root) = (policed.rid, [0; 32]);
    world.transaction(Body::Grant(Grant { rid, owners, seq: 1, policy_root, not_before_h: 0 })).0
}

#[test]
fn of_those_that_stand_in_each_others_way_one_is_mined() {
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    let all: Vec<_> = (0..4).map(|_| revoke(&mut world, &policed)).collect();
    let mut pool = pool(&world, Limits::default());
    for transaction in &all {
        assert_eq!(admit(&mut pool, &world, transaction), None, "each is valid alone");
    }
    // Whoever asks twice is told the same.
    for _ in 0..2 {
        let template = pool.template(&world.ledger.view()).unwrap();
        assert_eq!(template.transactions.len(), 1);
    }
    let (mined, dropped) = mine_template(&mut pool, &world);
    assert_eq!(mined, 1);
    let stale = dropped.iter().filter(|dropped| matches!(dropped.why, Why::Stale(_))).count();
    assert_eq!((dropped.len(), stale, pool.totals().count), (4, 3, 0));
}

/// The same with another fee, signed anew.
fn at_fee(world: &World, transaction: &Transaction, fee: u64) -> Transaction {
    world.signed(Transaction { fee, ..transaction.clone() })
}

/// The same under a payer of its own, so that it does not follow what others of the sponsor do.
fn paid_by(world: &mut World, payer: u32, transaction: &Transaction) -> Transaction {
    let payer = world.key(payer);
    world.signed(Transaction { payer, nonce: 1, ..transaction.clone() })
}

/// Units for these keys, in one block.
fn fund(world: &mut World, payers: std::ops::Range<u32>, amount: u64) {
    let from = world.key(1);
    let payments: Vec<_> = payers
        .map(|payer| {
            let to = world.key(payer);
            world.transaction(Body::Pay(Pay { from, to, amount, kind: PayKind::Plain })).0
        })
        .collect();
    world.mine(payments).unwrap();
}

#[test]
fn of_those_that_stand_in_each_others_way_the_best_paying_is_mined() {
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    fund(&mut world, 900..904, 10_000_000);
    let fees = [500_000, 700_000, 900_000, 600_000];
    let all: Vec<_> = (900..)
        .zip(fees)
        .map(|(payer, fee)| {
            let transaction = revoke(&mut world, &policed);
            let transaction = paid_by(&mut world, payer, &transaction);
            at_fee(&world, &transaction, fee)
        })
        .collect();
    let mut pool = pool(&world, Limits::default());
    for transaction in &all {
        assert_eq!(admit(&mut pool, &world, transaction), None);
    }
    let mined = |pool: &mut Mempool| -> Vec<Transaction> {
        let template = pool.template(&world.ledger.view()).unwrap();
        template.transactions.iter().map(|included| included.transaction.clone()).collect()
    };
    assert_eq!(mined(&mut pool), [all[2].clone()]);
    // What is held back comes in when its time has come: here, because it pays more.
    let better = at_fee(&world, &all[0], 2_000_000);
    assert_eq!(admit(&mut pool, &world, &better), None);
    assert_eq!(mined(&mut pool), [better]);
    assert_eq!(mine_template(&mut pool, &world).0, 1);
}

#[test]
fn what_is_held_back_takes_nothing_with_it_but_what_its_payer_has_after_it() {
    let mut world = World::hospital();
    let [first, second, other] = [500, 501, 502].map(|rid| world.treated(rid, |_| {}));
    fund(&mut world, 900..907, 10_000_000);
    let mut payers = 900..;
    let mut next = |world: &mut World, body: Body, fee: u64| {
        let (transaction, _) = world.transaction(body);
        let transaction = paid_by(world, payers.next().unwrap(), &transaction);
        at_fee(world, &transaction, fee)
    };
    let ask = |world: &mut World, of: &Policed| Body::Request(Box::new(world.ask(of)));
    let end = |world: &mut World, of: &Policed| revoke(world, of).core.body;
    // Two that exclude each other, requests of records that are then revoked, and the revocations: whatever
    // moves into the place of one that is held back must not make invalid what it passes.
    let mut all = Vec::new();
    for (of, is_request, fee) in [
        (&other, false, 900_000),
        (&other, false, 800_000),
        (&first, true, 9_000_000),
        (&second, true, 8_000_000),
        (&second, false, 500_000),
        (&first, false, 400_000),
    ] {
        let body = if is_request { ask(&mut world, of) } else { end(&mut world, of) };
        all.push(next(&mut world, body, fee));
    }
    let mut pool = pool(&world, Limits::default());
    for transaction in &all {
        assert_eq!(admit(&mut pool, &world, transaction), None);
    }
    let template = pool.template(&world.ledger.view()).unwrap();
    let chosen = template.transactions.iter().map(|included| &included.transaction);
    let expected = [&all[2], &all[3], &all[0], &all[4], &all[5]];
    assert!(chosen.eq(expected), "{} are in the block", template.transactions.len());
    let (mined, dropped) = mine_template(&mut pool, &world);
    assert_eq!((mined, dropped.len(), pool.totals().count), (5, 6, 0));
}

#[test]
fn later_nonces_wait_with_what_is_held_back_and_earlier_ones_do_not() {
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    fund(&mut world, 900..902, 10_000_000);
    let first = revoke(&mut world, &policed);
    let first = paid_by(&mut world, 900, &first);
    let first = at_fee(&world, &first, 3_000_000);
    let (payer, to) = (world.key(901), world.key(902));
    let pay = Body::Pay(Pay { from: payer, to, amount: 20_000, kind: PayKind::Plain });
    let mut of_one_payer = Vec::new();
    for nonce in 1..=3 {
        let body = if nonce == 2 { revoke(&mut world, &policed).core.body } else { pay.clone() };
        let (transaction, _) = world.transaction(body);
        of_one_payer.push(world.signed(Transaction { payer, nonce, ..transaction }));
    }
    let mut pool = pool(&world, Limits::default());
    for transaction in of_one_payer.iter().chain([&first]) {
        assert_eq!(admit(&mut pool, &world, transaction), None);
    }
    let template = pool.template(&world.ledger.view()).unwrap();
    let mut chosen: Vec<_> =
        template.transactions.iter().map(|included| included.transaction.nonce).collect();
    chosen.sort_unstable();
    assert_eq!((chosen, pool.totals().count), (vec![1, 1], 4), "two payers' first ones");
    // Then it is stale, and what came after it stands for itself.
    assert_eq!(mine_template(&mut pool, &world).0, 2);
    assert_eq!(mine_template(&mut pool, &world).0, 1);
    assert_eq!(pool.totals().count, 0);
}

#[test]
fn a_block_full_of_what_excludes_each_other_leaves_its_room_to_others() {
    const PAYERS: std::ops::Range<u32> = 900..910;
    const EACH: u64 = 64;
    let mut world = World::hospital();
    let policed = world.treated(500, |_| {});
    fund(&mut world, PAYERS, 100_000_000);
    let end = revoke(&mut world, &policed).core.body;
    let pay = Pay { from: world.key(1), to: world.key(2), amount: 20_000, kind: PayKind::Plain };
    let modest = [end, Body::Pay(pay)].map(|body| {
        let (transaction, _) = world.transaction(body);
        at_fee(&world, &transaction, 20_000)
    });
    let owners: Vec<u32> = (800..831).collect();
    let mut record = world.record_of(501, PATIENT);
    record.owners = world.group(31, &owners);
    // More than a block of records of one name, of which the next block takes one.
    let mut pool = pool(&world, Limits::default());
    let mut signatures = 0;
    'full: for payer in PAYERS {
        for nonce in 1..=EACH {
            if signatures > BLOCK_SIGNATURES_MAX {
                break 'full;
            }
            let core = world.core(Body::Record(record.clone()));
            let payer = world.key(payer);
            let fee = 1_000_000;
            let transaction =
                world.signed(Transaction { core, payer, nonce, fee, sigs: Vec::new() });
            signatures += transaction.signature_count();
            assert_eq!(admit(&mut pool, &world, &transaction), None);
        }
    }
    assert!(signatures > BLOCK_SIGNATURES_MAX, "{signatures}");
    for transaction in &modest {
        assert_eq!(admit(&mut pool, &world, transaction), None);
    }
    assert_eq!(mine_template(&mut pool, &world).0, 3);
}

#[test]
fn free_emergencies_come_first_and_no_more_than_the_rules_allow() {
    let mut world = World::hospital();
    world.found_emergency();
    world.crowd(4, 1);
    let policed = world.emergency(500);
    let paying: Vec<_> = (0..4).map(|_| revoke(&mut world, &policed)).collect();
    let free: Vec<_> = (0..4).map(|i| world.free_at(&policed, i, 0)).collect();
    let mut pool = pool(&world, Limits { count: 4, ..Limits::default() });
    // A pool that is full of what pays makes room for lives.
    for transaction in paying.iter().chain(&free) {
        assert_eq!(admit(&mut pool, &world, transaction), None);
    }
    assert!(pool.iter().eq(free.iter().map(Transaction::encode)));
    // Each is valid alone, but a site has two open without a fee.
    let (mined, dropped) = mine_template(&mut pool, &world);
    assert_eq!(mined, 2);
    let stale = dropped.iter().filter(|dropped| matches!(dropped.why, Why::Stale(_))).count();
    assert_eq!((dropped.len(), stale, pool.totals().count), (4, 2, 0));
    // What is no emergency does not go without.
    let mut cheap = paying[0].clone();
    cheap.fee = 0;
    assert_eq!(admit(&mut pool, &world, &world.signed(cheap)), Some("FeeTooLow"));
}

/// An emergency that nobody has mined: the request, and an approval by each of these.
fn broken_glass(
    opening: &mut Opening,
    approvers: &[u32],
) -> (CoreId, Transaction, Vec<Transaction>) {
    let body = opening.world.break_glass(&opening.policed, CLINICIAN);
    let request = opening.world.free(Body::Request(Box::new(body)));
    let core = request.core.id(&opening.world.ledger.chain().genesis);
    let mut approve = |number| {
        let approvers = opening.approvers(&[number]);
        opening.world.free(Opening::body(core, approvers))
    };
    let approvals = approvers.iter().map(|number| approve(*number)).collect();
    (core, request, approvals)
}

fn may_release(world: &World, request: &Transaction, approvals: &[&Transaction]) -> Release {
    let chain = world.ledger.chain();
    chain.may_release_emergency(world.ledger.view(), &[], request, approvals, None).unwrap()
}

#[test]
fn approvals_wait_with_their_request_and_are_mined_after_it() {
    let mut opening = Opening::emergency();
    let (core, request, approvals) = broken_glass(&mut opening, &[ESCROW, CLINICIAN_2]);
    let mut pool = pool(&opening.world, Limits::default());
    let early = admit(&mut pool, &opening.world, &approvals[0]);
    assert_eq!(early, Some("FeeTooLow"), "there is no emergency to approve");
    for transaction in std::iter::once(&request).chain(&approvals) {
        assert_eq!(admit(&mut pool, &opening.world, transaction), None);
    }
    assert_eq!(pool.requests().map(|(core, _)| core).collect::<Vec<_>>(), [core]);
    assert_eq!(pool.request(&core).unwrap().transaction, request);
    assert_eq!(pool.approvals(&core).count(), 2);
    // A better sponsor takes the request to another place of the block; what waits with it stays.
    let sponsored = opening.world.sponsor(request.core.clone());
    assert_eq!(admit(&mut pool, &opening.world, &sponsored), None);
    assert_eq!(pool.totals().count, 3);
    let (mined, dropped) = mine_template(&mut pool, &opening.world);
    assert_eq!((mined, pool.totals().count), (3, 0));
    assert!(dropped.iter().all(|dropped| dropped.why == Why::Included), "{dropped:?}");
    assert_eq!(opening.held(core).status, RequestStatus::Answered);
}

#[test]
fn what_waits_with_a_request_goes_with_it_and_who_takes_it_away_pays_for_all() {
    let mut opening = Opening::emergency();
    let (core, request, _) = broken_glass(&mut opening, &[]);
    let request = opening.world.sponsor(request.core);
    let approvers = opening.approvers(&[ESCROW]);
    let sponsored: Vec<_> = (0..=APPROVALS_BEHIND_MAX)
        .map(|_| opening.world.transaction(Opening::body(core, approvers.clone())).0)
        .collect();
    let mut pool = pool(&opening.world, Limits::default());
    assert_eq!(admit(&mut pool, &opening.world, &request), None);
    for transaction in &sponsored[..APPROVALS_BEHIND_MAX] {
        assert_eq!(admit(&mut pool, &opening.world, transaction), None);
    }
    let one_more = admit(&mut pool, &opening.world, &sponsored[APPROVALS_BEHIND_MAX]);
    assert_eq!(one_more, Some("request-busy"));
    // Of those that stand in each other's way one is in the block, behind its request.
    let template = pool.template(&opening.world.ledger.view()).unwrap();
    assert_eq!(template.transactions.len(), 2);
    assert_eq!(template.transactions[0].transaction, request);

    // Another transaction under the request's nonce takes it away, and all that waits with it.
    let mut other = revoke(&mut opening.world, &opening.policed);
    (other.nonce, other.fee) = (request.nonce, 2 * request.fee);
    let refused = pool.admit(
        &opening.world.ledger.view(),
        &opening.world.signed(other.clone()).encode(),
        Source::Own,
    );
    let Err(Refusal::Rule(Refused::Underbid { least, .. })) = refused else {
        panic!("{refused:?}");
    };
    assert!(least > request.fee * (1 + APPROVALS_BEHIND_MAX as u64), "{least}");
    other.fee = least;
    assert_eq!(admit(&mut pool, &opening.world, &opening.world.signed(other)), None);
    assert_eq!((pool.totals().count, pool.approvals(&core).count()), (1, 0));
    assert_eq!(mine_template(&mut pool, &opening.world).0, 1);
}

#[test]
fn who_outbids_the_sponsor_of_a_request_cannot_take_it_away() {
    for is_by_block in [false, true] {
        let mut opening = Opening::emergency();
        let world = &mut opening.world;
        fund(world, 900..901, 100_000_000);
        let stranger = world.key(900);
        let (core, request, approvals) = broken_glass(&mut opening, &[ESCROW, CLINICIAN_2]);
        let world = &mut opening.world;
        let mut pool = pool(world, Limits::default());
        for transaction in std::iter::once(&request).chain(&approvals) {
            assert_eq!(admit(&mut pool, world, transaction), None);
        }
        let outbids = Transaction { payer: stranger, nonce: 1, fee: 2_000_000, ..request.clone() };
        let outbids = world.signed(outbids);
        assert_eq!(admit(&mut pool, world, &outbids), None);
        assert_eq!(pool.request(&core).unwrap().transaction, outbids);
        // A payment under the same nonce takes the place of the request.
        let to = world.key(2);
        let pay = Pay { from: stranger, to, amount: 20_000, kind: PayKind::Plain };
        let (pay, _) = world.transaction(Body::Pay(pay));
        let pay = Transaction { payer: stranger, nonce: 1, fee: 20_000_000, ..pay };
        let pay = world.signed(pay);
        if is_by_block {
            world.mine(vec![pay]).unwrap();
            pool.follow(&world.ledger.view(), None).unwrap();
        } else {
            assert_eq!(admit(&mut pool, world, &pay), None);
        }
        assert_eq!(pool.request(&core).unwrap().transaction, request);
        assert_eq!(pool.approvals(&core).count(), 2);
        let (mined, _) = mine_template(&mut pool, &opening.world);
        assert_eq!((mined, pool.totals().count), (3 + usize::from(!is_by_block), 0));
        assert_eq!(opening.held(core).status, RequestStatus::Answered);
    }
}

#[test]
fn nobody_holds_the_room_of_others_emergencies() {
    let mut world = World::hospital();
    world.found_emergency();
    let crowd = u32::try_from(FREE_OF_ISSUER_MAX).unwrap() + 1;
    world.crowd(crowd, 1);
    let policed = [500, 501].map(|rid| world.emergency(rid));
    fund(&mut world, 900..901, 10_000_000);
    let mut pool = pool(&world, Limits::default());
    let mut last = None;
    for clinician in 0..crowd {
        let request = world.free_at(&policed[0], clinician, 0);
        let refused = admit(&mut pool, &world, &request);
        let is_over = clinician + 1 == crowd;
        assert_eq!(refused, is_over.then_some("pool-full"), "{clinician}");
        let again = world.free_at(&policed[1], clinician, 0);
        let refused = admit(&mut pool, &world, &again);
        assert_eq!(refused, Some(if is_over { "pool-full" } else { "underbid" }), "{clinician}");
        last = Some(again);
    }
    // Whoever pays needs none of that room.
    let sponsored = paid_by(&mut world, 900, &last.unwrap());
    let sponsored = at_fee(&world, &sponsored, 400_000);
    assert_eq!(admit(&mut pool, &world, &sponsored), None);
}

#[test]
fn an_approver_approves_once_without_a_fee() {
    let mut opening = Opening::emergency();
    let (core, request, approvals) =
        broken_glass(&mut opening, &[ESCROW, ESCROW, CLINICIAN_2, CLINICIAN_2]);
    let mut pool = pool(&opening.world, Limits::default());
    assert_eq!(admit(&mut pool, &opening.world, &request), None);
    let found = approvals.iter().map(|approval| admit(&mut pool, &opening.world, approval));
    assert!(found.eq([None, Some("underbid"), None, Some("underbid")]));
    let sponsored = opening.world.sponsor(approvals[1].core.clone());
    assert_eq!(admit(&mut pool, &opening.world, &sponsored), None);
    assert_eq!(pool.approvals(&core).count(), 3);
}

#[test]
fn approvals_of_a_request_that_is_mined_apart_stand_for_themselves() {
    let mut opening = Opening::emergency();
    let (core, request, approvals) = broken_glass(&mut opening, &[ESCROW, CLINICIAN_2]);
    let mut pool = pool(&opening.world, Limits::default());
    for transaction in std::iter::once(&request).chain(&approvals) {
        assert_eq!(admit(&mut pool, &opening.world, transaction), None);
    }
    // Somebody else's block holds the request alone.
    opening.world.mine(vec![request.clone()]).unwrap();
    pool.follow(&opening.world.ledger.view(), None).unwrap();
    assert!(pool.request(&core).is_none());
    assert_eq!(pool.approvals(&core).count(), 2);
    assert_eq!(mine_template(&mut pool, &opening.world).0, 2);
    assert_eq!(opening.held(core).status, RequestStatus::Answered);
}

/// Two clinicians break the glass of a leaf that one may read, or one of them does it twice.
#[test]
fn of_emergencies_that_cannot_all_be_mined_the_first_is_released() {
    for is_same_reader in [false, true] {
        let mut opening = Opening::emergency();
        let (core, request, approvals) = broken_glass(&mut opening, &[ESCROW, CLINICIAN_2]);
        let reader = if is_same_reader { CLINICIAN } else { CLINICIAN_2 };
        let helpers: &[u32] =
            if is_same_reader { &[ESCROW, CLINICIAN_2] } else { &[ESCROW, CLINICIAN, PATIENT] };
        let body = opening.world.break_glass(&opening.policed, reader);
        let second = opening.world.transaction(Body::Request(Box::new(body))).0;
        let second_core = second.core.id(&opening.world.ledger.chain().genesis);
        let approvers = opening.approvers(helpers);
        let second_approval = opening.world.transaction(Opening::body(second_core, approvers)).0;
        let world = &opening.world;
        assert_eq!(may_release(world, &request, &[&approvals[0], &approvals[1]]), Release::Now);
        assert_eq!(may_release(world, &second, &[&second_approval]), Release::Now, "alone");

        let mut pool = pool(world, Limits::default());
        for transaction in [&second, &second_approval, &request, &approvals[0], &approvals[1]] {
            assert_eq!(admit(&mut pool, world, transaction), None);
        }
        let (chain, view) = (world.ledger.chain(), world.ledger.view());
        let look = Look { chain, view, pool: &pool };
        let release = |core| {
            let attempt = look.attempt(core).unwrap().unwrap();
            let own = attempt.approvals[0].clone();
            look.may_release(&attempt, Some(&own)).unwrap()
        };
        // The one without a fee goes first, and what is mined agrees with what is released.
        assert_eq!(release(core), Release::Now);
        assert_ne!(release(second_core), Release::Now);
        mine_template(&mut pool, &opening.world);
        assert_eq!(opening.held(core).status, RequestStatus::Answered);
    }
}

/// A guardian whose own approval cannot be mined any more, or with the others, has nothing to release under.
#[test]
fn no_share_goes_out_under_an_approval_that_leaves_no_trace() {
    let mut opening = Opening::emergency();
    let (core, request, approvals) = broken_glass(&mut opening, &[ESCROW, CLINICIAN_2, PATIENT]);
    let [escrow, clinician, patient] = &approvals[..] else { panic!("three") };
    let world = &opening.world;
    let (chain, tip) = (world.ledger.chain(), world.next() - 1);
    let release = |own: &Transaction| {
        let all = [escrow, clinician, own];
        chain.may_release_emergency(world.ledger.view(), &[], &request, &all, Some(own)).unwrap()
    };
    assert_eq!(release(patient), Release::Now);
    let mut short = patient.clone();
    short.core.valid_to = tip + 143;
    assert_eq!(release(&world.signed(short)), Release::Untraced);
    let mut forged = patient.clone();
    forged.sigs[1] = forged.sigs[0];
    assert_eq!(release(&forged), Release::Untraced);
    // Nobody else could have mined what its signer pays for.
    let mut paid = request.clone();
    let Body::Request(body) = &paid.core.body else { panic!("a request") };
    paid.payer = body.reader;
    let paid = world.signed(paid);
    let found = may_release(world, &paid, &[escrow, clinician]);
    assert_eq!(found, Release::PaidBySigner(paid.payer));
    // One that names the guardian twice is refused whatever comes first.
    let approvers = opening.approvers(&[PATIENT, PATIENT]);
    let twice = opening.world.free(Opening::body(core, approvers));
    let world = &opening.world;
    let all = [escrow, clinician, &twice];
    let chain = world.ledger.chain();
    let found = chain.may_release_emergency(world.ledger.view(), &[], &request, &all, Some(&twice));
    assert_eq!(found.unwrap(), Release::Untraced);
}

#[test]
fn an_emergency_is_released_before_it_is_mined_and_nothing_else_is() {
    let mut opening = Opening::emergency();
    let (core, request, approvals) = broken_glass(&mut opening, &[ESCROW, CLINICIAN_2]);
    let [escrow, clinician] = &approvals[..] else { panic!("two") };
    let world = &opening.world;
    assert_eq!(may_release(world, &request, &[escrow, clinician]), Release::Now);
    assert_eq!(may_release(world, &request, &[clinician, escrow]), Release::Now);
    // One who is needed is missing, or the request itself.
    let missing = may_release(world, &request, &[escrow]);
    assert!(matches!(missing, Release::NotOpen(Some(Reason::TooFew { .. }))), "{missing:?}");
    assert_eq!(may_release(world, escrow, &[clinician]), Release::Unknown);
    // A signature that is not there yet.
    let mut forged = clinician.clone();
    forged.sigs[1] = forged.sigs[0];
    let missing = may_release(world, &request, &[escrow, &forged]);
    assert!(matches!(missing, Release::NotOpen(Some(Reason::TooFew { .. }))), "{missing:?}");
    let mut forged = request.clone();
    forged.sigs[1] = forged.sigs[0];
    assert_eq!(may_release(world, &forged, &[escrow, clinician]), Release::Unknown);

    // What could soon not be mined any more, or hangs on a block that may be abandoned.
    let tip = world.next() - 1;
    let with = |change: &dyn Fn(&mut Transaction)| {
        let mut changed = request.clone();
        change(&mut changed);
        may_release(world, &world.signed(changed), &[])
    };
    for (to, is_enough) in [(tip + 143, false), (tip + 144, true)] {
        let found = with(&|transaction| transaction.core.valid_to = to);
        let expected = Release::ExpiresSoon { to, least: tip + 144 };
        assert_eq!(found != expected, is_enough, "{found:?}");
    }
    for (depth, is_enough) in [(5, false), (6, true)] {
        let view = world.ledger.view();
        let anchor: BlockHash =
            proofward::ledger::rules::context::Ancestors::hash_at(&view, tip - depth)
                .unwrap()
                .unwrap();
        let found = with(&|transaction| transaction.core.anchor = anchor.0);
        assert_eq!(found != Release::ShallowAnchor(anchor), is_enough, "{found:?}");
    }
    let mut short = clinician.clone();
    short.core.valid_to = tip + 143;
    let missing = may_release(world, &request, &[escrow, &world.signed(short)]);
    assert!(matches!(missing, Release::NotOpen(Some(Reason::TooFew { .. }))), "{missing:?}");

    // Half of it mined is as good; all of it is the ordinary question.
    opening.world.mine(vec![request.clone()]).unwrap();
    assert_eq!(may_release(&opening.world, &request, &[escrow, clinician]), Release::Now);
    assert_ne!(may_release(&opening.world, &request, &[escrow]), Release::Now);
    let (request, escrow, clinician) = (&request, escrow.clone(), clinician.clone());
    opening.world.mine(vec![escrow.clone(), clinician.clone()]).unwrap();
    assert_eq!(may_release(&opening.world, request, &[&escrow, &clinician]), Release::Now);
    let chain = opening.world.ledger.chain();
    assert_eq!(chain.may_release(opening.world.ledger.view(), core).unwrap(), Release::Now);

    // On any other leaf nothing counts before it is mined.
    let mut everyday = Opening::new();
    let body = everyday.world.ask(&everyday.policed);
    let (request, core) = everyday.world.transaction(Body::Request(Box::new(body)));
    let approval = everyday.approval(core, &[NURSE, PATIENT]);
    assert_eq!(may_release(&everyday.world, &request, &[&approval]), Release::NoEmergency);
}
