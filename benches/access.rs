//! What access costs: the predicate on a policy of 32 leaves with five approvers and presence at a site;
//! a block of 2,000 attempts beside the verification of its signatures; an audit of 10,000 events.
//!
//! `cargo bench --bench access` measures; without `--bench` (under `cargo test`) small ones run once.
//!
//! The yardstick of signatures is that of `verify_blocks`, `ed25519-zebra`'s batches of 256: our own have become
//! four times as fast, which made no block slower to apply. On one core with AVX-512 and SHA-NI a block applied
//! takes 0.20 to 0.26 x of that where requests are answered in the same block, 0.16 to 0.23 x if everybody was
//! heard by a beacon, and 0.36 to 0.46 x where they are answered by the next block; the goal is 0.2. The last
//! case is the usual one of a busy chain: half as many more entries change (six for two transactions instead
//! of four), of twice as many records, and nothing that was judged or hashed for a request serves its
//! approval. It is proportional to the entries: three to four microseconds for each that changes, whatever
//! the case. Of that judging takes a half, a fifth of which to read entries that no cache holds; the state
//! tree takes 21 %, the hashes of its keys and values 9 %, the list of changes 5 %.
//!
//! What gained less than runs differ: to encode a request once instead of twice, to look an anchor up once a
//! block, to hash map keys sixteen bytes at a time, to read a byte of each cache line of the next sixteen
//! transactions before they are judged, to hash the events of all logs side by side when the block is
//! complete. To keep encoded keys in the session's slots (136 instead of 208 bytes, and half the bytes in the
//! list of changes) made a block 5 % slower: every look-up encodes its key. So did it to read what the next 64
//! transactions ask for at once, all found before any is copied so that the waits overlap, and to hash their
//! guardians' paths in lanes (4 %): the lists of keys and values cost more than the waits, and for so few
//! messages lanes hardly less than SHA-NI. With a malloc that keeps every freed block for the next of its size
//! (`glibc.malloc.tcache_count`) a block took 16 % more: what lies scattered is slow to write.
//!
//! What no single change will halve: besides its hashes a transaction of the last case executes 42,000
//! instructions (callgrind), of which no function of ours has more than 3,000; copies have 4,900 in some 400
//! calls, allocations 5,000 in 21. A block of 200 transactions takes 10 microseconds for each, one of 2,000
//! fifteen: the rest waits for memory. Full link-time optimisation in one unit takes 5 % off, mimalloc in place
//! of glibc's malloc 5 to 11 %, both together bring the three cases to 0.21, 0.18 and 0.40 x; to size the
//! lists of the tree and of the session in advance saves 1.6 % of the instructions, huge pages (`madvise`)
//! less than runs differ.

#[path = "common/attempts.rs"]
mod attempts;
#[path = "common/dearest.rs"]
mod dearest;
#[path = "../tests/common/ledger.rs"]
mod ledger;
#[path = "common/raw.rs"]
mod raw;
#[path = "../tests/common/access.rs"]
mod world;

use std::hint::black_box;

use attempts::{Attempts, Times};
use criterion::{Criterion, criterion_group};
use proofward::ledger::policy::{
    Approval, Asked, BeaconClaim, Cell, Draft, Heard, Leaf, Led, Moment, Need, Place, PolicyTree,
    Purpose, Purposes, Role, RoleClaim, RoleRef, Site, Standing, Threshold, Together, Window,
    World, allow, completion,
};
use proofward::ledger::signature::PubKey;
use proofward::ledger::state::Person;
use proofward::ledger::transaction::{CoreId, PartyId};

const LEAVES: usize = 32;
const APPROVERS: u8 = 5;
const NOW: Moment = Moment { height: 1000, median_time: 1_700_000_000 };
const ISSUER: PartyId = PartyId([90; 32]);
const SITE: PartyId = PartyId([91; 32]);

fn key(number: u8) -> PubKey {
    PubKey([number; 32])
}

fn role(role: Role) -> RoleRef {
    RoleRef { role, issuer: ISSUER }
}

fn terms() -> Leaf {
    Leaf {
        salt: [0; 16],
        set: 0,
        readers: [0; 32],
        places: [0; 32],
        window: Some(Window { from: 0, to: u32::MAX }),
        daily: None,
        purposes: Purposes::of(&[Purpose::Treat]),
        need: vec![
            Need { role: role(Role::Nurse), count: 2 },
            Need { role: role(Role::Patient), count: 1 },
        ],
        k: 3,
        together: Together::OneRound,
        together_within: 3,
        answer_within: 20,
        read_within: 10,
        delay: 0,
        max_reads: 1,
        price: 0,
        scope: [0; 32],
    }
}

fn policy() -> PolicyTree {
    let draft = Draft {
        terms: terms(),
        readers: vec![role(Role::Physician)],
        places: vec![Place::Site(SITE)],
    };
    PolicyTree::build(&[7; 32], 15, &vec![draft; LEAVES]).expect("a policy")
}

/// The request under the last leaf, with all approvals.
fn asked(policy: &PolicyTree) -> Asked {
    let branch = &policy.branches()[LEAVES - 1];
    let person = |number| Person { issuer: ISSUER, tag: [number; 16] };
    let approvals = (1..=APPROVERS).map(|number| Approval {
        key: key(number),
        person: person(number),
        role: role(if number == 1 { Role::Patient } else { Role::Nurse }),
        guardian: Some(number - 1),
        round: Some([8; 32]),
        after_h: Some(999),
        core: CoreId([1; 32]),
    });
    let heard = Heard { beacon: key(100), round: [8; 32], is_signer: true, anchor_h: Some(999) };
    Asked {
        rid: key(50),
        seq: 0,
        leaf: branch.leaf.hash(),
        root: branch.path.root_from(branch.leaf.hash()),
        purpose: Purpose::Treat,
        reader: key(60),
        person: Some(person(60)),
        role: Some(Led { value: role(Role::Physician), root: Some(branch.leaf.readers) }),
        place: Some(Led { value: Place::Site(SITE), root: Some(branch.leaf.places) }),
        heard: Some(heard),
        after_h: Some(999),
        at: NOW,
        approvals: approvals.collect(),
        denied: 0,
        completed: None,
        vetoed: false,
    }
}

fn world(policy: &PolicyTree) -> World {
    let claim = |number: u8, role| RoleClaim {
        key: key(number),
        person: Person { issuer: ISSUER, tag: [number; 16] },
        role,
        site: None,
        from_h: 0,
        to_h: 5000,
        since: Moment { height: 0, median_time: 0 },
    };
    let nurses = (2..=APPROVERS).map(|number| claim(number, Role::Nurse));
    let roles = nurses.chain([claim(1, Role::Patient), claim(60, Role::Physician)]).collect();
    let sets = [Some(Threshold { n: APPROVERS, k: 3, required: 1 }), None];
    let standing = Standing { is_active: true, seq: 0, root: policy.root(), sets };
    let cells = vec![Cell(0x0892_8308_280f_ffff)];
    let (above, emergency) = (Vec::new(), Vec::new());
    let site = Site { key: SITE, issuer: ISSUER, above, cells, emergency };
    World {
        rid: key(50),
        spacing_s: 15,
        standings: vec![(0, standing)],
        roles,
        beacons: vec![BeaconClaim { key: key(100), site, from_h: 0, to_h: 5000 }],
        branches: Vec::new(),
        guardians: [Vec::new(), Vec::new()],
        owing: Vec::new(),
    }
}

fn access(c: &mut Criterion) {
    let policy = policy();
    let (world, asked) = (world(&policy), asked(&policy));
    let leaf = &policy.branches()[LEAVES - 1].leaf;
    assert!(allow(&world, &asked, leaf, NOW).expect("memory does not fail").is_allowed());

    let mut group = c.benchmark_group("access");
    group.bench_function("allow_32_leaves_5_approvers", |b| {
        b.iter(|| allow(&world, black_box(&asked), leaf, NOW));
    });
    group.bench_function("completion_32_leaves_5_approvers", |b| {
        b.iter(|| completion(&world, black_box(&asked), leaf, NOW));
    });
    let branch = &policy.branches()[LEAVES - 1];
    group.bench_function("path_of_32_leaves", |b| {
        b.iter(|| branch.path.root_from(black_box(leaf).hash()));
    });
    let denied = Asked { purpose: Purpose::Research, ..asked.clone() };
    group.bench_function("deny_at_clause_4", |b| {
        b.iter(|| allow(&world, black_box(&denied), leaf, NOW));
    });
    group.finish();
}

criterion_group!(benches, access);

/// What a block of attempts costs beside its signatures, and an audit with its proof.
#[expect(clippy::float_arithmetic, reason = "ratios for people")]
fn measure() {
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let (records, events, rounds) = if is_measured { (1_000, 10_000, 7) } else { (5, 20, 1) };
    // With three presences an attempt, 2,000 transactions would be more than a block holds.
    let fewer = records * 9 / 10;
    type Block = fn(Attempts, usize) -> Times;
    let cases: [(&str, Together, usize, Block); 3] = [
        ("the reader heard by a beacon", Together::Apart, records, Attempts::at_once),
        ("everybody heard by a beacon", Together::OneRound, fewer, Attempts::at_once),
        ("requests of the block before answered", Together::Apart, 2 * records, Attempts::by_turns),
    ];
    for (what, together, records, block) in cases {
        let times = block(Attempts::new(records, together), rounds);
        let Times { transactions, signatures, raw, verify, apply, prepare } = times;
        println!(
            "a block of {transactions} access transactions, {what}, {signatures} signatures: verified by \
             ed25519-zebra in {:.2} ms, applied in {:.2} ms: {:.3} x (goal below 0.2); verified by us in \
             {:.2} ms: {:.3} x; prepared in {:.2} ms",
            1e3 * raw,
            1e3 * apply,
            apply / raw,
            1e3 * verify,
            apply / verify,
            1e3 * prepare
        );
    }
    let [placed, ended] = dearest::dearest(rounds).map(|seconds| 1e6 * seconds);
    println!(
        "the dearest request, alone in its block: {placed:.0} us for a beacon at every site it can be at, \
         {ended:.0} us for a reader whose claims have all lost what they rest on"
    );
    let dearest = dearest::dearest_approval(if is_measured { 40 } else { 2 }, rounds);
    println!(
        "the dearest approval: {:.0} us alone in its block, {:.1} x its signatures; a block full of them and \
         of claims by turns {:.2} s",
        1e6 * dearest.alone,
        dearest.alone / dearest.signatures,
        dearest.block
    );
    let [read, check] = attempts::audit(events, rounds);
    println!(
        "an audit of {events} events: read from disk with its proof as text in {:.2} ms (goal below 100), \
         parsed and checked in {:.2} ms",
        1e3 * read,
        1e3 * check
    );
}

fn main() {
    measure();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
