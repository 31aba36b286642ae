//! The nonce search: every position handed out once, every hit judged, every hash counted, and control
//! over it while it runs. The kernels themselves are tested elsewhere.

#[path = "common/real_blocks.rs"]
mod real_blocks;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::thread;

use proofward::engine::{
    Coinbase, Engine, Event, ExtranonceError, ExtranonceSource, Generation, Options, Propose,
    Solution, Template, Until, Work,
};
use proofward::hash::{Algorithm, hash_header, meets_target};
use proofward::kernel::{Hits, Job, Kernel, NonceRange};
use proofward::primitives::limits::VERSION_ROLLING_MASK;
use proofward::primitives::{Digest, Header, HeaderBytes, MerkleRoot, Target};
use real_blocks::{REAL, RealBlock};

fn header_of(hex_text: &str) -> HeaderBytes {
    hex::decode(hex_text).expect("hex").try_into().expect("80 bytes")
}

/// A header that differs from those of other seeds.
fn header_with_seed(seed: u64) -> HeaderBytes {
    let mut header = [0x11; 80];
    header[4..12].copy_from_slice(&seed.to_le_bytes());
    header
}

fn seed_of(header: &HeaderBytes) -> u64 {
    u64::from_le_bytes(header[4..12].try_into().expect("8 bytes"))
}

/// One hash in `2^bits` meets it.
fn target_of_bits(bits: u32) -> Target {
    let mut bytes = [0xff; 32];
    bytes[30..].copy_from_slice(&(0xffff_u16 >> bits).to_le_bytes());
    Target::from_le_bytes(bytes)
}

const NEVER: [u8; 32] = [0; 32];

fn range(first: u32, last: u32) -> NonceRange {
    NonceRange::new(first, last).expect("a range that is not empty")
}

fn threads(count: usize) -> Options {
    Options::threads(NonZeroUsize::new(count).expect("not zero"))
}

fn portable(algorithm: Algorithm) -> Kernel {
    Kernel::available(algorithm)
        .find(|kernel| kernel.isa() == "portable")
        .expect("every CPU has it")
}

/// Everything until the work is exhausted.
fn solutions_until_exhausted(engine: &Engine, generation: Generation) -> Vec<Solution> {
    let mut solutions = Vec::new();
    loop {
        match engine.events().recv().expect("the workers live") {
            Event::Solution(solution) => solutions.push(solution),
            Event::Exhausted(exhausted) => {
                assert_eq!(exhausted, generation);
                return solutions;
            }
            other => panic!("an event that this test does not know: {other:?}"),
        }
    }
}

/// What a loop over the scalar hash finds.
fn oracle(
    algorithm: Algorithm,
    header: &HeaderBytes,
    nonces: NonceRange,
    target: &Target,
) -> BTreeMap<u32, Digest> {
    let found = (nonces.first()..=nonces.last()).filter_map(|nonce| {
        let mut header = *header;
        header[76..].copy_from_slice(&nonce.to_le_bytes());
        meets_target(algorithm, &header, target).map(|digest| (nonce, digest))
    });
    found.collect()
}

fn wait_until_idle(engine: &Engine) {
    while !engine.is_idle() {
        thread::yield_now();
    }
}

/// Records what it is asked for and finds nothing.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<(HeaderBytes, NonceRange)>>>);

impl Propose for Recorder {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Sha256d
    }

    fn search(&self, job: &Job, range: NonceRange, _hits: &mut Hits) -> Option<u32> {
        self.0.lock().expect("not poisoned").push((job.header_with(0), range));
        None
    }
}

/// Runs 128 workers over the work and proves that they covered each expected header's nonces without
/// gap or overlap, and nothing else.
fn assert_disjoint_cover(
    extranonces: u64,
    mask: u32,
    seconds: u32,
    nonces: NonceRange,
) -> BTreeSet<HeaderBytes> {
    let root_of = |extranonce: u64| {
        let mut root = [0xee; 32];
        root[..8].copy_from_slice(&extranonce.to_le_bytes());
        MerkleRoot(root)
    };
    let base = Header::decode(&header_with_seed(7));
    let header = Header { version: 0x2000_0004, time: 1_700_000_000, ..base };
    let source = (0..extranonces).map(move |extranonce| {
        Template::new(&header.encode())
            .with_extranonce(extranonce)
            .with_merkle_root(root_of(extranonce))
            .with_version_mask(mask)
            .with_time_max(header.time + (seconds - 1))
            .with_nonces(nonces)
    });
    let recorder = Recorder::default();
    let engine = Engine::new(recorder.clone(), threads(128)).expect("128 threads");
    let generation = engine.publish(Work::new(source, Target::from_le_bytes(NEVER)));
    assert_eq!(solutions_until_exhausted(&engine, generation), []);

    let mut ranges: BTreeMap<HeaderBytes, Vec<NonceRange>> = BTreeMap::new();
    for (header, range) in recorder.0.lock().expect("not poisoned").drain(..) {
        ranges.entry(header).or_default().push(range);
    }
    for ranges in ranges.values_mut() {
        ranges.sort_by_key(|range| range.first());
        assert_eq!(ranges.first().map(|range| range.first()), Some(nonces.first()));
        assert_eq!(ranges.last().map(|range| range.last()), Some(nonces.last()));
        for pair in ranges.windows(2) {
            assert_eq!(pair[0].last().checked_add(1), Some(pair[1].first()), "gap or overlap");
        }
    }
    let headers: BTreeSet<_> = ranges.into_keys().collect();
    let rolled = u64::from(seconds) << mask.count_ones();
    assert_eq!(headers.len() as u64, extranonces * rolled);
    for encoded in &headers {
        let rolled = Header::decode(encoded);
        assert_eq!((rolled.version ^ header.version).cast_unsigned() & !mask, 0);
        assert!((header.time..header.time + seconds).contains(&rolled.time));
        let fixed = |header: &Header| (header.prev_block, header.bits, header.nonce);
        assert_eq!(fixed(&rolled), fixed(&Header { nonce: 0, ..header }));
        assert!((0..extranonces).any(|extranonce| rolled.merkle_root == root_of(extranonce)));
    }
    let hashes = extranonces * rolled * nonces.count();
    assert_eq!(engine.counters().hashes, hashes, "counted exactly");
    headers
}

#[test]
fn workers_of_a_128_core_machine_cover_all_nonces_once() {
    assert_disjoint_cover(3, 0x0001_2000, 2, NonceRange::ALL);
}

#[test]
fn workers_of_a_128_core_machine_cover_all_versions_once() {
    assert_disjoint_cover(2, VERSION_ROLLING_MASK, 3, range(u32::MAX - 2, u32::MAX));
}

#[test]
fn workers_of_a_128_core_machine_cover_all_extranonces_once() {
    assert_disjoint_cover(20_000, 0, 1, range(10, 12));
    assert_disjoint_cover(3_000, 0x8000_0000, 1, range(0, 0));
}

#[test]
fn versions_roll_before_time_and_time_before_the_extranonce() {
    let header = Header { version: 0x2000_0000, time: 50, ..Header::decode(&[0; 80]) };
    let template = Template::new(&header.encode()).with_version_mask(0x6000).with_time_max(51);
    assert_eq!(template.rolls(), 8);
    let rolls = (0..8).map(|roll| Header::decode(&template.header_at(roll)));
    let rolled: Vec<_> = rolls.map(|header| (header.time, header.version)).collect();
    let versions = [0x2000_0000, 0x2000_2000, 0x2000_4000, 0x2000_6000];
    let expected: Vec<_> =
        [50, 51].into_iter().flat_map(|time| versions.map(|version| (time, version))).collect();
    assert_eq!(rolled, expected);
}

#[test]
fn rolling_stops_at_the_ends_of_its_ranges() {
    let late = Header { time: u32::MAX - 1, version: -1, ..Header::decode(&[9; 80]) };
    let template = Template::new(&late.encode()).with_time_max(u32::MAX);
    assert_eq!(template.rolls(), 2);
    assert_eq!(Header::decode(&template.header_at(1)).time, u32::MAX);
    let backwards = Template::new(&late.encode()).with_time_max(5);
    assert_eq!(backwards.rolls(), 1);
    assert_eq!(backwards.header_at(0), Header { nonce: 0, ..late }.encode());

    let everything = Template::new(&[0; 80]).with_version_mask(u32::MAX).with_time_max(u32::MAX);
    assert_eq!(everything.rolls(), u64::MAX, "2^64 saturates");
    let last = Header::decode(&everything.header_at(u64::MAX));
    assert_eq!((last.version, last.time), (-1, u32::MAX));
}

#[test]
fn every_kernel_finds_what_the_scalar_hash_finds() {
    let (nonces, target) = (range(u32::MAX - 40_000, u32::MAX), target_of_bits(9));
    for algorithm in Algorithm::ALL {
        let header = header_with_seed(1);
        let expected = oracle(algorithm, &header, nonces, &target);
        for kernel in Kernel::available(algorithm) {
            for workers in [1, 2, 5] {
                let engine = Engine::new(kernel, threads(workers)).unwrap();
                let template = Template::new(&header).with_nonces(nonces);
                let generation = engine.publish(Work::of(template, target));
                let solutions = solutions_until_exhausted(&engine, generation);
                let found: BTreeMap<_, _> =
                    solutions.iter().map(|found| (found.nonce(), found.digest)).collect();
                assert_eq!(found, expected, "{kernel:?}, {workers} workers");
                assert_eq!(solutions.len(), found.len(), "each nonce once");
                let counters = engine.counters();
                assert_eq!(counters.hashes, nonces.count());
                assert_eq!(counters.solutions, found.len() as u64);
                assert_eq!(engine.worker_counters().count(), workers);
            }
            println!("ran: {algorithm} {}", kernel.isa());
        }
    }
}

#[test]
fn the_first_solution_is_the_lowest() {
    let (nonces, target) = (range(1000, 60_000), target_of_bits(11));
    let kernel = portable(Algorithm::Sha256d);
    let engine = Engine::new(kernel, threads(8)).unwrap();
    for seed in 0..20 {
        let header = header_with_seed(seed);
        let expected = oracle(kernel.algorithm(), &header, nonces, &target);
        let template = Template::new(&header).with_nonces(nonces);
        let work = Work::of(template, target).until(Until::FirstSolution);
        let generation = engine.publish(work);
        let solutions = solutions_until_exhausted(&engine, generation);
        assert!(solutions.len() <= 8, "one for each worker at most");
        let lowest = solutions.iter().map(Solution::nonce).min();
        assert_eq!(lowest, expected.keys().next().copied());
    }
}

#[test]
fn real_blocks_are_found() {
    let engine = Engine::new(portable(Algorithm::Sha256d), threads(2)).unwrap();
    for RealBlock { height, nonce, header, hash } in REAL {
        let header = header_of(header);
        let bits = Header::decode(&header).bits;
        let nonces = range(nonce - 3000, nonce + 3000);
        let template = Template::new(&header).with_nonces(nonces);
        let generation = engine.publish(Work::of(template, bits.to_target().unwrap()));
        let solutions = solutions_until_exhausted(&engine, generation);
        let [solution] = &solutions[..] else { panic!("height {height}: {solutions:?}") };
        assert_eq!(solution.header, header, "height {height}");
        let mut display = solution.digest;
        display.reverse();
        assert_eq!(hex::encode(display), hash, "height {height}");
    }
}

/// A kernel gone wrong: what it proposes comes from a function of the range.
struct Liar(fn(&Job, NonceRange) -> Vec<u32>);

impl Propose for Liar {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Sha256d
    }

    fn search(&self, job: &Job, range: NonceRange, hits: &mut Hits) -> Option<u32> {
        let lies = (self.0)(job, range).into_iter();
        lies.take(Hits::CAPACITY).for_each(|nonce| hits.push(nonce));
        None
    }
}

/// A67 of the list of adversaries: output of a fast path is never trusted.
#[test]
fn a_corrupted_proposal_is_never_a_solution() {
    let header = header_with_seed(3);
    let (nonces, target) = (range(0, 9999), target_of_bits(6));
    let confirmed = oracle(Algorithm::Sha256d, &header, nonces, &target);
    let run = |lie: fn(&Job, NonceRange) -> Vec<u32>| {
        let engine = Engine::new(Liar(lie), threads(3)).unwrap();
        let template = Template::new(&header).with_nonces(nonces);
        let generation = engine.publish(Work::of(template, target));
        let mut found: Vec<_> = solutions_until_exhausted(&engine, generation)
            .iter()
            .map(|solution| (solution.nonce(), solution.digest))
            .collect();
        found.sort_unstable();
        (found, engine.counters())
    };

    // Every 61st nonce, good or not.
    let (found, counters) = run(|_, range| (range.first()..=range.last()).step_by(61).collect());
    assert!(!found.is_empty() && counters.refused > 0);
    assert!(found.iter().all(|(nonce, digest)| confirmed.get(nonce) == Some(digest)));
    assert_eq!(counters.solutions, found.len() as u64);

    // Good nonces with one bit flipped, so good only by chance.
    let (found, _) = run(|job, range| {
        let good = oracle(job.algorithm(), &job.header_with(0), range, &job.target());
        good.into_keys().map(|nonce| nonce ^ 1).collect()
    });
    assert!(found.iter().all(|(nonce, digest)| confirmed.get(nonce) == Some(digest)));

    // Good nonces, but each twice and in the wrong order.
    let (found, counters) = run(|job, range| {
        let good = oracle(job.algorithm(), &job.header_with(0), range, &job.target());
        good.into_keys().take(30).flat_map(|nonce| [nonce, nonce]).rev().collect()
    });
    assert!(counters.refused >= counters.solutions);
    assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0), "none twice");

    // Good nonces of other workers' ranges.
    let (found, counters) = run(|job, range| {
        let beyond = NonceRange::new(range.last() + 1, range.last() + 500).unwrap();
        let good = oracle(job.algorithm(), &job.header_with(0), beyond, &job.target());
        good.into_keys().collect()
    });
    assert_eq!((found, counters.solutions), (vec![], 0));
    assert!(counters.refused > 0);
}

#[test]
fn a_hit_that_shares_only_the_top_word_is_refused() {
    let header = header_with_seed(4);
    let nonces = range(0, 2000);
    let every = oracle(Algorithm::Sha256d, &header, nonces, &Target::MAX);
    let (best, digest) = every
        .into_iter()
        .min_by_key(|(_, digest)| digest.iter().rev().copied().collect::<Vec<_>>())
        .unwrap();
    // The best hash is a hit for every kernel under this target, and one above it.
    let mut below = digest;
    assert!(below[0] > 0, "else the subtraction borrows: choose another seed");
    below[0] -= 1;
    for (target, expected) in [(digest, vec![best]), (below, vec![])] {
        let engine = Engine::new(portable(Algorithm::Sha256d), threads(2)).unwrap();
        let template = Template::new(&header).with_nonces(nonces);
        let generation = engine.publish(Work::of(template, Target::from_le_bytes(target)));
        let solutions = solutions_until_exhausted(&engine, generation);
        let found: Vec<_> = solutions.iter().map(Solution::nonce).collect();
        assert_eq!(found, expected);
        assert_eq!(engine.counters().refused, 1 - found.len() as u64);
    }
}

#[test]
fn a_pause_stops_the_count_and_resuming_finishes_exactly() {
    let engine = Engine::new(portable(Algorithm::Sha256d), threads(3)).unwrap();
    let template = |seed| Template::new(&header_with_seed(seed)).with_nonces(range(0, 3_000_000));
    let generation = engine.publish(Work::of(template(1), Target::from_le_bytes(NEVER)));
    while engine.counters().hashes == 0 {
        thread::yield_now();
    }
    engine.pause();
    wait_until_idle(&engine);
    let paused = engine.counters();
    assert!(paused.hashes < 3_000_001, "paused on the way");
    thread::yield_now();
    assert_eq!(engine.counters(), paused);
    engine.resume();
    assert_eq!(solutions_until_exhausted(&engine, generation), []);
    assert_eq!(engine.counters().hashes, 3_000_001);
    wait_until_idle(&engine);

    // Work published during a pause waits for the end of it.
    engine.pause();
    let small = Template::new(&header_with_seed(2)).with_nonces(range(0, 99));
    let generation = engine.publish(Work::of(small, Target::from_le_bytes(NEVER)));
    wait_until_idle(&engine);
    assert_eq!(engine.counters().hashes, 3_000_001);
    assert!(engine.events().is_empty());
    engine.resume();
    assert_eq!(solutions_until_exhausted(&engine, generation), []);
    assert_eq!(engine.counters().hashes, 3_000_101);
}

#[test]
fn stopped_work_is_gone() {
    let engine = Engine::new(portable(Algorithm::Blake3), threads(2)).unwrap();
    let endless = Template::new(&header_with_seed(1)).with_version_mask(VERSION_ROLLING_MASK);
    engine.publish(Work::of(endless, Target::from_le_bytes(NEVER)));
    while engine.counters().hashes == 0 {
        thread::yield_now();
    }
    engine.stop();
    wait_until_idle(&engine);
    let stopped = engine.counters().hashes;
    let small = Template::new(&header_with_seed(2)).with_nonces(range(5, 5));
    let generation = engine.publish(Work::of(small, Target::MAX));
    let solutions = solutions_until_exhausted(&engine, generation);
    assert_eq!(solutions.iter().map(Solution::nonce).collect::<Vec<_>>(), [5]);
    assert_eq!(engine.counters().hashes, stopped + 1);
}

#[test]
fn work_that_is_empty_is_exhausted_at_once() {
    let engine = Engine::new(portable(Algorithm::Sha256d), threads(4)).unwrap();
    let generation = engine.publish(Work::new(std::iter::empty(), Target::MAX));
    assert_eq!(solutions_until_exhausted(&engine, generation), []);
    assert_eq!(engine.counters().hashes, 0);
}

#[test]
fn replaced_work_gives_no_solution_as_new_work() {
    let engine = Engine::new(portable(Algorithm::Sha256d), threads(4)).unwrap();
    let (nonces, target) = (range(0, 50_000), target_of_bits(8));
    let mut last = None;
    for seed in 1..=200 {
        let template = Template::new(&header_with_seed(seed)).with_nonces(nonces);
        let generation = engine.publish(Work::of(template, target));
        assert_eq!(generation.number(), seed);
        last = Some(generation);
        // Every solution so far belongs to a header that was published under its number.
        for event in engine.events().try_iter() {
            if let Event::Solution(solution) = event {
                assert_eq!(solution.generation.number(), seed_of(&solution.header));
            }
        }
    }
    let mut found = BTreeMap::new();
    loop {
        match engine.events().recv().unwrap() {
            Event::Solution(solution) => {
                assert_eq!(solution.generation.number(), seed_of(&solution.header));
                assert!(target.is_met_by(&solution.digest));
                assert_eq!(hash_header(Algorithm::Sha256d, &solution.header), solution.digest);
                if Some(solution.generation) == last {
                    found.insert(solution.nonce(), solution.digest);
                }
            }
            Event::Exhausted(generation) if Some(generation) == last => break,
            _ => {}
        }
    }
    let expected = oracle(Algorithm::Sha256d, &header_with_seed(200), nonces, &target);
    assert_eq!(found, expected);
}

#[test]
fn workers_blocked_by_a_full_channel_turn_to_new_work_and_end() {
    let engine = Engine::new(portable(Algorithm::Sha256d), threads(4)).unwrap();
    let flood = Template::new(&header_with_seed(1)).with_version_mask(VERSION_ROLLING_MASK);
    engine.publish(Work::of(flood.clone(), Target::MAX));
    while !engine.events().is_full() {
        thread::yield_now();
    }
    let small = Template::new(&header_with_seed(2)).with_nonces(range(0, 9));
    let generation = engine.publish(Work::of(small, Target::from_le_bytes(NEVER)));
    while engine.events().recv().unwrap() != Event::Exhausted(generation) {}
    assert!(engine.events().is_empty());

    engine.publish(Work::of(flood, Target::MAX));
    while !engine.events().is_full() {
        thread::yield_now();
    }
    drop(engine);
}

#[test]
fn a_source_that_panics_closes_the_channel() {
    let engine = Engine::new(portable(Algorithm::Sha256d), threads(3)).unwrap();
    let mut left = 3;
    let source = std::iter::from_fn(move || {
        left -= 1;
        assert!(left > 0, "a fault of this test's own making");
        Some(Template::new(&[0; 80]).with_nonces(range(0, 100)))
    });
    engine.publish(Work::new(source, Target::from_le_bytes(NEVER)));
    assert!(engine.events().recv().is_err());
}

#[test]
fn the_extranonce_of_a_real_block_gives_its_merkle_root() {
    let transaction = hex::decode(
        "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff0704ffff\
         001d0102ffffffff0100f2052a01000000434104d46c4968bde02899d2aa0963367c7a6ce34eec332b32e42e5f\
         3407e052d64ac625da6f0718e7b302140434bd725706957c092db53805b821a85b23a7ac61725bac00000000",
    )
    .unwrap();
    let second = hex::decode("169e1e83e930853391bc6f35f605c6754cfead57cf8387639d3b4096c54f18f4");
    let coinbase = Coinbase {
        prefix: transaction[..48].to_vec(),
        suffix: transaction[49..].to_vec(),
        extranonce_bytes: 1,
        branch: vec![second.unwrap().try_into().unwrap()],
    };
    assert_eq!(coinbase.with_extranonce(2), transaction);
    let header = header_of(REAL[2].header);
    assert_eq!(coinbase.merkle_root(2), Header::decode(&header).merkle_root);

    // Blocks that nobody mined: the extranonces around it.
    let nonces = range(1_889_418_792 - 50, 1_889_418_792 + 50);
    let template = Template::new(&header_with_seed(5)).with_nonces(nonces);
    let source = ExtranonceSource::new(template, coinbase.clone(), None).unwrap();
    assert_eq!(source.clone().count(), 256);
    let engine = Engine::new(portable(Algorithm::Sha256d), threads(2)).unwrap();
    let generation = engine.publish(Work::new(source, target_of_bits(7)));
    let solutions = solutions_until_exhausted(&engine, generation);
    assert_eq!(engine.counters().hashes, 256 * 101);
    let extranonces: BTreeSet<_> = solutions.iter().map(|solution| solution.extranonce).collect();
    assert!(extranonces.len() > 50, "found with {} extranonces", extranonces.len());
    for solution in solutions {
        let root = Header::decode(&solution.header).merkle_root;
        assert_eq!(root, coinbase.merkle_root(solution.extranonce));
    }
}

#[test]
fn extranonce_ranges_must_fit_their_width() {
    let coinbase = |extranonce_bytes| Coinbase {
        prefix: vec![1],
        suffix: vec![2],
        extranonce_bytes,
        branch: vec![],
    };
    let source = |bytes, range| {
        ExtranonceSource::new(Template::new(&[0; 80]), coinbase(bytes), range).map(|_| ())
    };
    assert_eq!(source(0, None), Err(ExtranonceError::Width(0)));
    assert_eq!(source(9, None), Err(ExtranonceError::Width(9)));
    assert_eq!(source(8, Some(0..=u64::MAX)), Ok(()));
    assert_eq!(source(2, Some(0..=0xffff)), Ok(()));
    let (first, max) = (5, 0xffff);
    let range = |last| Err(ExtranonceError::Range { first, last, max });
    assert_eq!(source(2, Some(5..=0x1_0000)), range(0x1_0000));
    assert_eq!(source(2, Some(std::ops::RangeInclusive::new(5, 4))), range(4));
    assert_eq!(coinbase(4).with_extranonce(0x0a0b_0c0d_0e0f), [1, 0x0f, 0x0e, 0x0d, 0x0c, 2]);
}

#[cfg(all(target_os = "linux", feature = "affinity"))]
#[test]
fn pinned_workers_may_use_one_cpu_each() {
    let options = Options { pin: true, ..threads(3) };
    let engine = Engine::new(Recorder::default(), options).unwrap();
    let small = Template::new(&[0; 80]).with_nonces(range(0, 9));
    let generation = engine.publish(Work::of(small, Target::from_le_bytes(NEVER)));
    assert_eq!(solutions_until_exhausted(&engine, generation), []);
    // Only this test binds threads, so one that may use a single CPU is one of its workers.
    let allowed = std::fs::read_dir("/proc/self/task").unwrap().filter_map(|task| {
        let status = std::fs::read_to_string(task.unwrap().path().join("status")).ok()?;
        let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
        Some(allowed.trim().parse::<u32>().is_ok())
    });
    assert!(allowed.filter(|single| *single).count() >= 3);
    drop(engine);
}
