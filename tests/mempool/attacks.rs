//! One test for each attack in the table of `ledger::mempool`.

use super::*;
use proofward::ledger::mempool::{
    AGE_BLOCKS_MAX, DEBITS_MAX, LIFE_BLOCKS_MIN, SCORE_DECAY_PER_BLOCK, SCORE_MAX, Why,
};
use proofward::ledger::signature::Sig;
use proofward::ledger::spec::IDLE_BLOCKS;

const PEER: Source = Source::Peer(7);

fn names(dropped: &[proofward::ledger::mempool::Dropped]) -> Vec<&Why> {
    dropped.iter().map(|dropped| &dropped.why).collect()
}

#[test]
fn more_than_memory_holds() {
    let bytes = World::new(2, Limits::default()).own(1, 1, FEE).encode().len();
    let unbounded = Limits { count: 99, bytes: 99 * bytes, signatures: 99 };
    for limits in [
        Limits { count: 3, ..unbounded },
        Limits { bytes: 4 * bytes - 1, ..unbounded },
        Limits { signatures: 3, ..unbounded },
    ] {
        let mut world = World::new(4, limits);
        for from in 1..=3 {
            world.admit(&world.own(from, 1, FEE + u64::from(from))).unwrap();
        }
        // As good as the worst is not better.
        assert_eq!(world.refused(&world.own(4, 1, FEE + 1)), "pool-full");
        let worst = world.own(1, 1, FEE + 1);
        let admitted = world.admit(&world.own(4, 1, 2 * FEE)).unwrap();
        assert_eq!(names(&admitted.dropped), [&Why::Evicted]);
        assert!(!world.is_pending(&worst));
        assert_eq!(world.pool.totals().count, 3);
    }
}

#[test]
fn one_that_takes_the_room_of_many() {
    let small = World::new(1, Limits::default()).own(1, 1, FEE);
    let bytes = small.encode().len();
    let limits = Limits { count: 9, bytes: 2 * bytes + 10, signatures: 9 };
    let mut world = World::new(3, limits);
    for from in 1..=2 {
        world.admit(&world.own(from, 1, FEE)).unwrap();
    }
    // A sponsored payment is longer: both would have to go for it, so it must be better than both.
    let (payer, from) = (Key::new(3), Key::new(1));
    let body = Paying { from: &from, to: Key::new(50).public(), amount: 1, mark: 7 };
    let longer = world.sponsored(&payer, 1, FEE, &body);
    assert_eq!(world.refused(&longer), "pool-full");
    let admitted = world.admit(&world.sponsored(&payer, 1, 2 * FEE, &body)).unwrap();
    assert_eq!(admitted.dropped.len(), 2);
    // What can never fit is refused, and nobody goes for it.
    let mut tiny = World::new(2, Limits { bytes: bytes - 1, ..limits });
    assert_eq!(tiny.refused(&small), "pool-full");
}

#[test]
fn a_pile_that_nobody_can_pay() {
    let mut world = World::new(2, Limits::default());
    let from = Key::new(1);
    let to = Key::new(50).public();
    let pay = |world: &World, nonce: u64, amount| {
        let body = Paying { from: &from, to, amount, mark: u32::try_from(nonce).unwrap() };
        world.sponsored(&from, nonce, FEE, &body)
    };
    world.admit(&pay(&world, 1, REWARD / 2)).unwrap();
    assert_eq!(world.refused(&pay(&world, 2, REWARD / 2)), "Insufficient");
    // Fees that it has promised are gone as well.
    world.admit(&pay(&world, 2, REWARD / 2 - 2 * FEE - 5)).unwrap();
    assert_eq!(world.refused(&pay(&world, 3, 1)), "PayerCannotPay");
    // Who sponsors does not make others' coins available.
    let body = Paying { from: &from, to, amount: 6, mark: 9 };
    assert_eq!(world.refused(&world.sponsored(&Key::new(2), 1, FEE, &body)), "Insufficient");
    // Neither can coins that only arrive be spent.
    assert_eq!(world.refused(&world.own(50, 1, FEE)), "PayerCannotPay");
    assert_eq!(world.pool.reserved()[&from.public()], REWARD - 5);
}

#[test]
fn draining_an_account_by_a_block() {
    let mut world = World::new(3, Limits::default());
    let (from, sponsors) = (Key::new(1), [Key::new(2), Key::new(3)]);
    let to = Key::new(50).public();
    let mut admitted = 0;
    let mut refused = None;
    for nonce in 1..=40 {
        for (mark, payer) in (0..).zip(&sponsors) {
            let mark = 2 * u32::try_from(nonce).unwrap() + mark;
            let body = Paying { from: &from, to, amount: 1000, mark };
            match world.admit(&world.sponsored(payer, nonce, FEE, &body)) {
                Ok(_) => admitted += 1,
                Err(why) => refused = Some(why),
            }
        }
    }
    assert_eq!((admitted, refused), (DEBITS_MAX, Some(Refused::AccountBusy(DEBITS_MAX))));
    // A payment of everything, mined by somebody: what it promised goes, and only that.
    world.admit(&world.own(2, 50, FEE)).unwrap();
    let body = Paying { from: &from, to, amount: REWARD - FEE, mark: 400 };
    world.mine(vec![world.sponsored(&from, 1, FEE, &body)]);
    assert_eq!(world.pool.totals().count, 1);
}

#[test]
fn an_account_that_loses_some_keeps_what_is_covered() {
    let mut world = World::new(2, Limits::default());
    let from = Key::new(1);
    let to = Key::new(50).public();
    let body = |amount, mark| Paying { from: &from, to, amount, mark };
    let cheap = world.sponsored(&from, 5, FEE, &body(REWARD / 4, 1));
    let dear = world.sponsored(&from, 4, 3 * FEE, &body(REWARD / 4, 2));
    world.admit(&cheap).unwrap();
    world.admit(&dear).unwrap();
    world.mine(vec![world.sponsored(&from, 1, FEE, &body(REWARD / 2, 3))]);
    assert!(world.is_pending(&dear) && !world.is_pending(&cheap));
}

#[test]
fn replacing_again_and_again() {
    let mut world = World::new(3, Limits::default());
    let (from, a, b) = (Key::new(1), Key::new(2), Key::new(3));
    let body = || Paying { from: &from, to: Key::new(50).public(), amount: 1, mark: 1 };
    let first = world.sponsored(&a, 1, FEE, &body());
    world.admit(&first).unwrap();
    let relay = first.encode().len() as u64 + 100 * 2;
    // One unit short of the fee that goes and the price of its own relaying.
    let short = world.sponsored(&b, 1, FEE + relay - 1, &body());
    assert_eq!(
        world.admit(&short),
        Err(Refused::Underbid { least: FEE + relay, got: FEE + relay - 1 })
    );
    let enough = world.sponsored(&b, 1, FEE + relay, &body());
    let admitted = world.admit(&enough).unwrap();
    assert_eq!(names(&admitted.dropped), [&Why::Replaced(admitted.ids.transaction)]);
    assert!(!world.is_pending(&first) && world.is_pending(&enough));
    // The one that went has freed its nonce and coins; the same nonce again is a replacement as well.
    let again = world.own(2, 1, FEE);
    world.admit(&again).unwrap();
    assert_eq!(world.refused(&world.own(2, 1, FEE + 10)), "underbid");
    // One for two: it holds the core of one and the nonce of the other, and pays for both.
    let paid = 2 * FEE + 2 * relay;
    let both = world.sponsored(&a, 1, paid - 1, &body());
    assert_eq!(world.refused(&both), "underbid");
    let admitted = world.admit(&world.sponsored(&a, 1, paid, &body())).unwrap();
    assert_eq!(admitted.dropped.len(), 2);
}

#[test]
fn jamming_a_core_with_what_cannot_be_mined() {
    let mut world = World::new(3, Limits::default());
    let (from, a, b) = (Key::new(1), Key::new(2), Key::new(3));
    let body = Paying { from: &from, to: Key::new(50).public(), amount: 1, mark: 1 };
    // A nonce that no next block can take, an empty payer: neither holds the core.
    assert_eq!(world.refused(&world.sponsored(&b, 65, 90 * FEE, &body)), "NonceGap");
    assert_eq!(world.refused(&world.sponsored(&Key::new(70), 1, FEE, &body)), "PayerCannotPay");
    let mut early = world.sponsored(&b, 1, FEE, &body);
    early.core.valid_from = world.height() + 2;
    let early = sign(&world.ledger.chain().genesis, early, &[&b, &from]);
    assert_eq!(world.refused(&early), "NotYetValid");
    world.admit(&world.sponsored(&a, 1, FEE, &body)).unwrap();
    // Nor do they take it from the one that does.
    assert_eq!(world.refused(&world.sponsored(&b, 65, 90 * FEE, &body)), "NonceGap");
    assert_eq!(world.pool.totals().count, 1);
    world.mine(vec![]);
    world.admit(&early).unwrap();
}

#[test]
fn jamming_a_sponsors_queue() {
    let mut world = World::new(4, Limits::default());
    let (sponsor, rival, from) = (Key::new(1), Key::new(2), Key::new(3));
    let body = |mark| Paying { from: &from, to: Key::new(50).public(), amount: 1, mark };
    for nonce in 1..=5 {
        let mark = u32::try_from(nonce).unwrap();
        world.admit(&world.sponsored(&sponsor, nonce, FEE, &body(mark))).unwrap();
    }
    // The rival has the core of the third mined at its own expense.
    world.mine(vec![world.sponsored(&rival, 1, FEE, &body(3))]);
    assert_eq!(world.pool.totals().count, 4);
    assert_eq!(world.mine_template(Key::new(9).public()), 4);
}

#[test]
fn pinning() {
    let mut world = World::new(4, Limits::default());
    let (sponsor, rival, from) = (Key::new(1), Key::new(2), Key::new(3));
    let body = Paying { from: &from, to: Key::new(50).public(), amount: 1, mark: 1 };
    let pinned = world.sponsored(&sponsor, 1, FEE, &body);
    world.admit(&pinned).unwrap();
    for nonce in 2..=64 {
        world.admit(&world.own(1, nonce, 10 * FEE)).unwrap();
    }
    // The price is that of the one, whatever hangs after it; the rest stays and is mined.
    let relay = pinned.encode().len() as u64 + 100 * 2;
    let admitted = world.admit(&world.sponsored(&rival, 1, FEE + relay, &body)).unwrap();
    assert_eq!(admitted.dropped.len(), 1);
    assert_eq!(world.mine_template(Key::new(9).public()), 64);
}

#[test]
fn holding_coins_or_nonces_against_the_owner() {
    let mut world = World::new(2, Limits::default());
    let genesis = world.ledger.chain().genesis;
    let (victim, thief) = (Key::new(1), Key::new(2));
    let mut stolen = world.own(1, 1, FEE);
    stolen.sigs = vec![thief.sign(b"whatever")];
    assert_eq!(world.refused(&stolen), "BadSig");
    // As a payer of one's own payment, without the owner's signature.
    let mut sponsored = world.own(2, 1, FEE);
    sponsored.payer = victim.public();
    sponsored.sigs = vec![thief.sign(b"a"), thief.sign(b"b")];
    assert_eq!(world.refused(&sponsored), "BadSig");
    let honest = sign(&genesis, sponsored, &[&victim, &thief]);
    world.admit(&honest).unwrap();
}

#[test]
fn a_cheap_one_first_and_dear_ones_behind_it() {
    let mut world = World::new(3, Limits { count: 3, ..Limits::default() });
    world.admit(&world.own(1, 1, FEE)).unwrap();
    let dear = world.own(1, 2, 50 * FEE);
    world.admit(&dear).unwrap();
    world.admit(&world.own(2, 1, 2 * FEE)).unwrap();
    // The dear one counts as much as the cheap one before it, and goes first.
    let admitted = world.admit(&world.own(3, 1, 3 * FEE)).unwrap();
    assert_eq!(names(&admitted.dropped), [&Why::Evicted]);
    assert!(!world.is_pending(&dear));
    // And it cannot come back behind the cheap one.
    assert_eq!(world.refused(&dear), "pool-full");
}

#[test]
fn filling_the_pool_and_letting_it_drain() {
    let mut world = World::new(6, Limits { count: 4, ..Limits::default() });
    for from in 1..=4 {
        world.admit(&world.own(from, 1, FEE)).unwrap();
    }
    world.admit(&world.own(5, 1, 2 * FEE)).unwrap();
    let floor = world.pool.floor();
    let same = world.own(1, 2, FEE);
    let weight = same.encode().len() as u64;
    assert!(floor.fee(weight) > FEE, "above what was evicted");
    // There is room again, but not for what was just outbid.
    assert_eq!(world.mine_template(Key::new(9).public()), 4);
    let mut waited = 0;
    while world.refused_or_taken(&same) == Some("pool-full") {
        world.mine(vec![]);
        waited += 1;
        assert!(waited < 64, "it falls");
    }
    for _ in 0..64 {
        world.mine(vec![]);
    }
    assert_eq!(world.pool.floor(), proofward::ledger::mempool::FeeRate::ZERO);
}

impl World {
    fn refused_or_taken(&mut self, transaction: &Transaction) -> Option<&'static str> {
        self.admit(transaction).err().map(|refused| refused.name())
    }
}

#[test]
fn living_off_expiry() {
    let mut world = World::new(2, Limits::default());
    let genesis = world.ledger.chain().genesis;
    let next = world.height() + 1;
    let until = |world: &World, nonce, valid_to| {
        let mut transaction = world.own(1, nonce, FEE);
        transaction.core.valid_to = valid_to;
        sign(&genesis, transaction, &[&Key::new(1)])
    };
    let short = until(&world, 1, next + LIFE_BLOCKS_MIN - 2);
    assert_eq!(world.admit_from(&short, PEER).unwrap_err().name(), "expires-soon");
    assert_eq!(world.pool.score(PEER), 0, "an honest peer may be late");
    let enough = until(&world, 1, next + LIFE_BLOCKS_MIN - 1);
    world.admit_from(&enough, PEER).unwrap();
    // One's own may be as short as they like, and go when their time is over.
    let last = until(&world, 2, next);
    world.admit(&last).unwrap();
    assert_eq!(world.refused(&until(&world, 3, next - 1)), "Expired");
    mine(&world.ledger, Key::new(99).public(), vec![]);
    let dropped = world.pool.follow(&world.ledger.view(), None).unwrap();
    assert_eq!(names(&dropped), [&Why::Expired]);
    assert!(world.is_pending(&enough) && !world.is_pending(&last));
}

#[test]
fn waiting_for_ever() {
    let mut world = World::new(2, Limits::default());
    let genesis = world.ledger.chain().genesis;
    let ordinary = world.own(1, 1, FEE);
    world.admit(&ordinary).unwrap();
    let mut anchored = world.own(2, 1, FEE);
    anchored.core.anchor = world.ledger.tip().unwrap().0.0;
    let anchored = sign(&genesis, anchored, &[&Key::new(2)]);
    world.admit(&anchored).unwrap();
    for waited in 1..=AGE_BLOCKS_MAX {
        world.mine(vec![]);
        assert_eq!(world.is_pending(&anchored), waited < 144, "after {waited} blocks");
        assert_eq!(world.is_pending(&ordinary), waited < AGE_BLOCKS_MAX, "after {waited} blocks");
    }
}

#[test]
fn an_account_about_to_be_pruned_as_receiver() {
    let mut world = World::new(2, Limits::default());
    let empty = Key::new(3);
    let fund = pay(&world.ledger, &Key::new(1), empty.public(), FEE + 1, 1);
    world.mine(vec![fund]);
    let body = Paying { from: &empty, to: Key::new(2).public(), amount: 1, mark: 1 };
    world.mine(vec![world.sponsored(&empty, 1, FEE, &body)]);
    let to_empty = |world: &World| {
        let from = Key::new(1);
        let body = Paying { from: &from, to: empty.public(), amount: 1, mark: 2 };
        world.sponsored(&from, 5, 1000, &body)
    };
    // It is there, so the rules ask nothing for a new entry; the pool does once it might be pruned.
    world.admit(&to_empty(&world)).unwrap();
    world.mine_template(Key::new(9).public());
    let body = Paying { from: &empty, to: Key::new(2).public(), amount: 1, mark: 3 };
    world.mine(vec![world.sponsored(&Key::new(2), 1, FEE, &body)]);
    let touched = world.height();
    while world.height() + 1 + AGE_BLOCKS_MAX < touched + IDLE_BLOCKS {
        world.mine(vec![]);
    }
    let late = {
        let from = Key::new(1);
        let body = Paying { from: &from, to: empty.public(), amount: 1, mark: 4 };
        world.sponsored(&from, 6, 1000, &body)
    };
    assert_eq!(world.refused(&late), "FeeTooLow");
    let from = Key::new(1);
    let body = Paying { from: &from, to: empty.public(), amount: 1, mark: 4 };
    world.admit(&world.sponsored(&from, 6, 11_000, &body)).unwrap();
}

#[test]
fn costing_signature_checks() {
    let mut world = World::new(2, Limits::default());
    // With a bad signature and a cheaper fault, the cheaper fault is named.
    let broken = |mut transaction: Transaction| {
        transaction.sigs[0] = Sig([1; 64]);
        transaction
    };
    let unpayable = {
        let from = Key::new(1);
        let body = Paying { from: &from, to: Key::new(50).public(), amount: REWARD, mark: 1 };
        world.sponsored(&from, 1, FEE, &body)
    };
    for (transaction, name) in [
        (world.own(1, 90, FEE), "NonceGap"),
        (world.own(1, 1, 10), "FeeTooLow"),
        (unpayable, "Insufficient"),
        (world.own(60, 1, FEE), "PayerCannotPay"),
    ] {
        assert_eq!(world.refused(&broken(transaction)), name);
    }
    let mut peer = 0;
    while world.pool.score(PEER) < SCORE_MAX {
        let forged = broken(world.own(1, 1, FEE));
        assert_eq!(world.admit_from(&forged, PEER).unwrap_err().name(), "BadSig");
        peer += 1;
        assert!(peer < 10, "a few of them are enough");
    }
    assert_eq!(world.admit_from(&world.own(1, 1, FEE), PEER).unwrap_err().name(), "source-refused");
}

#[test]
fn costing_anything_else_by_garbage() {
    let mut world = World::new(2, Limits::default());
    let garbage = [7; 300];
    for _ in 0..5 {
        assert_eq!(world.admit_bytes(&garbage, PEER).unwrap_err().name(), "NonCanonical");
        assert_eq!(world.admit_bytes(&garbage, Source::Own).unwrap_err().name(), "NonCanonical");
    }
    let good = world.own(1, 1, FEE);
    assert_eq!(world.admit_from(&good, PEER).unwrap_err().name(), "source-refused");
    assert_eq!(world.pool.score(Source::Own), 0);
    world.admit_from(&good, Source::Peer(8)).unwrap();
    // What lost a race costs little, and a known one nothing.
    assert_eq!(world.admit_from(&good, Source::Peer(8)), Err(Refused::Known));
    assert_eq!(world.pool.score(Source::Peer(8)), 0);
    let late = world.own(2, 1, FEE);
    world.mine(vec![late.clone()]);
    assert_eq!(world.admit_from(&late, Source::Peer(8)).unwrap_err().name(), "NonceGap");
    assert_eq!(world.pool.score(Source::Peer(8)), 1);
    // Blocks heal: a minute's fault is not for ever.
    let score = world.pool.score(PEER);
    for _ in 0..score.div_ceil(SCORE_DECAY_PER_BLOCK) {
        assert!(world.pool.score(PEER) > 0);
        world.mine(vec![]);
    }
    assert_eq!(world.pool.score(PEER), 0);
}

#[test]
fn many_names() {
    let mut world = World::new(1, Limits::default());
    for _ in 0..5 {
        world.admit_bytes(&[7; 9], Source::Peer(0)).unwrap_err();
    }
    for name in 1..=9_000 {
        world.admit_bytes(&[7; 9], Source::Peer(name)).unwrap_err();
    }
    let kept = (0..=9_000).filter(|name| world.pool.score(Source::Peer(*name)) > 0).count();
    assert_eq!(kept, 4096);
    assert_eq!(world.pool.score(Source::Peer(0)), SCORE_MAX, "the most guilty is remembered");
}

#[test]
fn a_copy_with_a_broken_signature() {
    let mut world = World::new(1, Limits::default());
    let good = world.own(1, 1, FEE);
    let mut copy = good.clone();
    copy.sigs[0].0[0] ^= 1;
    assert_eq!(world.admit_from(&copy, PEER).unwrap_err().name(), "BadSig");
    world.admit(&good).unwrap();
    // With the good one here the copy is known by its id, and no signature of it is checked.
    assert_eq!(world.admit_from(&copy, Source::Peer(8)), Err(Refused::Known));
    assert!(world.is_pending(&good));
}

#[test]
fn a_reorganisation_of_more_than_the_pool_may_hold() {
    let limits = Limits { count: 3, ..Limits::default() };
    let mut world = World::new(6, limits);
    let rival = World::new(6, limits);
    for round in 0..2 {
        for from in 1..=3 {
            world.admit(&world.own(3 * round + from, 1, FEE)).unwrap();
        }
        assert_eq!(world.mine_template(Key::new(9).public()), 3);
    }
    for _ in 0..3 {
        let block = mine(&rival.ledger, Key::new(8).public(), vec![]);
        world.ledger.submit(&block.encode(), NOW).unwrap();
    }
    world.pool.follow(&world.ledger.view(), None).unwrap();
    // Those of the lowest block, as many as there is room for.
    assert_eq!(world.pool.totals().count, 3);
    assert!((1..=3).all(|from| world.is_pending(&world.own_at(from, 10))));
}

impl World {
    /// What `own` gave when the tip was at a height.
    fn own_at(&self, from: u32, height: u32) -> Transaction {
        let mut transaction = self.own(from, 1, FEE);
        transaction.core.valid_from = height;
        transaction.core.valid_to = height + 1000 - 1;
        sign(&self.ledger.chain().genesis, transaction, &[&Key::new(from)])
    }
}

/// Two checkpoints of one witness: each is valid alone, both together are not.
#[test]
fn transactions_that_stand_in_each_others_way() {
    use proofward::ledger::rules::context::Ancestors;
    use proofward::ledger::transaction::Attest;
    use proofward::ledger::transaction::attest::Point;

    let witness = Key::new(40);
    let spec = with_witnesses(1, std::slice::from_ref(&witness));
    let mut world = World::on(spec, 24, Limits::default());
    let genesis = world.ledger.chain().genesis;
    let checkpoint = |world: &World, height: u32, payer: u32, fee| {
        let hash = world.ledger.view().hash_at(height).unwrap().unwrap();
        let point = Point { height, hash: hash.0 };
        let body = Body::Attest(Attest::checkpoint(witness.public(), point, None));
        let payer = Key::new(payer);
        let (key, sigs) = (payer.public(), Vec::new());
        let transaction =
            Transaction { core: core(&world.ledger, body), payer: key, nonce: 1, fee, sigs };
        sign(&genesis, transaction, &[&payer, &witness])
    };
    let low = checkpoint(&world, 8, 1, FEE);
    let high = checkpoint(&world, 16, 2, FEE);
    world.admit(&low).unwrap();
    assert_eq!(world.refused(&high), "underbid");
    world.admit(&checkpoint(&world, 16, 2, 3 * FEE)).unwrap();
    assert_eq!(world.mine_template(Key::new(9).public()), 1);
    // After it, one that names none before it is stale.
    assert_eq!(world.refused(&low), "CheckpointPrevious");
}
