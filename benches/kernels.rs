//! Every kernel row against the plain loop that it replaces: nonce search, header hashing, merkle nodes,
//! challenges of signatures.
//! Each printed ratio is the median of ten interleaved pairs of windows on one core. Floors and goals are
//! those for a machine with AVX-512; criterion then follows the rates from run to run.

mod common;

use std::hint::black_box;

use bitcoin::hashes::{Hash as _, sha256d as their_sha256d};
use bitcoin_hashes::sha256d::Hash as Nodes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use proofward::engine::measure::{
    Merkle, PlainMerkle, PlainSearch, Samples, Units, Workload, port_limit_cycles,
};
use proofward::engine::nodes::{NodeKernel, Pair};
use proofward::engine::sha512::{Sha512Kernel, sha512_many};
use proofward::hash::sha512::{Block, sha512, write_block};
use proofward::hash::{Algorithm, blake3, sha256};
use proofward::kernel::{Hits, Job, Kernel, NonceRange};
use proofward::primitives::{HeaderBytes, Target};
use sha2::Digest as _;

use common::{BareHashing, BlockHash, interleaved, is_measured, over, print, print_ratio};

/// The hash of each header by itself, as the crates are meant to be used.
struct PlainHeaders<'a>(Algorithm, &'a [HeaderBytes]);

impl Workload for PlainHeaders<'_> {
    fn units(&self) -> Units<'_> {
        match self.0 {
            Algorithm::Sha256d => over(self.1, |header| {
                black_box(sha2::Sha256::digest(sha2::Sha256::digest(header)));
            }),
            Algorithm::Blake3 => over(self.1, |header| {
                black_box(blake3::hash(header));
            }),
        }
    }
}

/// A kernel's search of one header at a target that nothing meets.
struct BareSearch(Kernel);

impl Workload for BareSearch {
    fn units(&self) -> Units<'_> {
        let job = Job::new(self.0.algorithm(), &[0x5a; 80], Target::from_le_bytes([0; 32]));
        let mut hits = Hits::new();
        let mut first: u32 = 0;
        Box::new(move |amount| {
            let count = u32::try_from(amount).unwrap_or(u32::MAX).max(1);
            let range = NonceRange::new(first, first.saturating_add(count - 1)).expect("not empty");
            hits.clear();
            black_box(self.0.search(black_box(&job), range, &mut hits));
            first = range.last().wrapping_add(1);
            range.count()
        })
    }
}

/// A search over the `sha2` crate by somebody who keeps the midstate and pads by hand: more than the
/// plain loop of the floors, shown beside it.
struct MidstateSearch;

impl Workload for MidstateSearch {
    fn units(&self) -> Units<'_> {
        let midstate = sha256::midstate(&[0x5a; 64]);
        let mut tail = [0; 64];
        tail[..12].fill(0x5a);
        tail[16] = 0x80;
        tail[62..].copy_from_slice(&(80_u16 * 8).to_be_bytes());
        let mut second = [0; 64];
        second[32] = 0x80;
        second[62..].copy_from_slice(&(32_u16 * 8).to_be_bytes());
        let mut nonce: u32 = 0;
        Box::new(move |amount| {
            for _ in 0..amount.max(1) {
                tail[12..16].copy_from_slice(&nonce.to_le_bytes());
                let mut state = midstate;
                sha2::block_api::compress256(&mut state, std::slice::from_ref(&tail));
                for (bytes, word) in second.as_chunks_mut::<4>().0.iter_mut().zip(state) {
                    *bytes = word.to_be_bytes();
                }
                state = sha256::INITIAL_STATE;
                sha2::block_api::compress256(&mut state, std::slice::from_ref(&second));
                black_box(state[7] == 0);
                nonce = nonce.wrapping_add(1);
            }
            amount.max(1)
        })
    }
}

/// `bitcoin_hashes`' batch of merkle nodes.
struct TheirNodes(Vec<Pair>);

impl Workload for TheirNodes {
    fn units(&self) -> Units<'_> {
        let mut digests = vec![[0; 32]; self.0.len()];
        Box::new(move |_| {
            Nodes::hash_64_many(&mut digests, black_box(&self.0));
            black_box(&digests);
            self.0.len() as u64
        })
    }
}

/// What a signature's challenge is hashed from: a point, a key and an id.
type Challenge = [[u8; 32]; 3];

fn challenges() -> Vec<Challenge> {
    (0..1024_u32)
        .map(|i| [0, 1, 2].map(|part| sha256::sha256(&[i, part].map(u32::to_le_bytes).concat())))
        .collect()
}

fn parts(challenge: &Challenge) -> [&[u8]; 3] {
    challenge.each_ref().map(<[u8; 32]>::as_slice)
}

/// The `sha2` crate, one challenge after another.
struct PlainChallenges<'a>(&'a [Challenge]);

impl Workload for PlainChallenges<'_> {
    fn units(&self) -> Units<'_> {
        over(self.0, |challenge| {
            let hash = sha2::Sha512::new();
            let hash = challenge.iter().fold(hash, |hash, part| hash.chain_update(part));
            black_box(hash.finalize());
        })
    }
}

/// A kernel's loop over blocks that are there already.
struct BareBlocks<'a>(Sha512Kernel, &'a [Block]);

impl Workload for BareBlocks<'_> {
    fn units(&self) -> Units<'_> {
        let mut digests = vec![[0; 64]; self.1.len()];
        Box::new(move |_| {
            self.0.hash_blocks(black_box(self.1), &mut digests);
            black_box(&digests);
            self.1.len() as u64
        })
    }
}

/// The same with everything that a batch of signatures needs.
struct Challenges<'a>(Sha512Kernel, &'a [Challenge]);

impl Workload for Challenges<'_> {
    fn units(&self) -> Units<'_> {
        let mut digests = Vec::new();
        Box::new(move |_| {
            digests.clear();
            sha512_many(self.0, black_box(self.1).iter().map(parts), &mut digests);
            black_box(&digests);
            self.1.len() as u64
        })
    }
}

fn kernels(algorithm: Algorithm) -> Vec<Kernel> {
    Kernel::available(algorithm).collect()
}

#[expect(clippy::float_arithmetic, reason = "units for people")]
fn rate(samples: &Samples) -> String {
    format!("{:7.2} M/s {:7.1} cycles", samples.units_per_second() / 1e6, samples.cycles_per_unit())
}

/// Prints the rows from the slowest to the fastest beside the order that they are meant to have.
fn print_order(what: &str, rows: &[(&'static str, f64)], meant: &[&str]) {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
    let names: Vec<_> = sorted.iter().map(|(name, _)| *name).collect();
    let meant: Vec<_> = meant.iter().copied().filter(|name| names.contains(name)).collect();
    let verdict = match names == meant {
        _ if !is_measured() => "not measured",
        true => "as meant",
        false => "NOT AS MEANT",
    };
    print(&format!("{what}: {}: {verdict}", names.join(" < ")));
}

#[expect(clippy::float_arithmetic, reason = "measurement")]
fn searches(_: &mut Criterion) {
    for (algorithm, floor, goal, meant) in [
        (Algorithm::Sha256d, 4.1, 4.5, &["portable", "sse4.1", "avx2", "sha-ni", "avx512"][..]),
        (Algorithm::Blake3, 19.0, 23.0, &["portable", "sse4.1", "avx2", "avx512"]),
    ] {
        let kernels = kernels(algorithm);
        let searches: Vec<_> = kernels.iter().map(|kernel| BareSearch(*kernel)).collect();
        let plain = PlainSearch(algorithm);
        let mut workloads: Vec<(&dyn Workload, usize)> = vec![(&plain, 1), (&MidstateSearch, 1)];
        workloads.extend(searches.iter().map(|search| (search as &dyn Workload, 1)));
        let samples = interleaved(&workloads);
        let [plain, midstate, rows @ ..] = &samples[..] else { unreachable!("as above") };
        print(&format!("\n{algorithm} search"));
        print(&format!("  plain loop            {}", rate(plain)));
        if algorithm == Algorithm::Sha256d {
            let ratio = midstate.ratio_to(plain);
            print(&format!("  by hand with midstate {}  {ratio:5.2} x", rate(midstate)));
        }
        for (kernel, samples) in kernels.iter().zip(rows) {
            let share = port_limit_cycles(*kernel).map_or(String::new(), |limit| {
                format!("  {:4.1} % of the port limit", 100.0 * limit / samples.cycles_per_unit())
            });
            let ratio = samples.ratio_to(plain);
            print(&format!("  {:21} {}  {ratio:5.2} x{share}", kernel.isa(), rate(samples)));
        }
        let order: Vec<_> = kernels
            .iter()
            .zip(rows)
            .map(|(kernel, samples)| (kernel.isa(), samples.units_per_second()))
            .collect();
        print_order("  order", &order, meant);
        let best = rows[0].ratio_to(plain);
        print_ratio(&format!("{algorithm} search, plain loop"), best, floor, Some(goal));
    }
}

fn headers(_: &mut Criterion) {
    let headers = common::headers();
    for (algorithm, floor, goal) in
        [(Algorithm::Sha256d, 3.5, Some(4.2)), (Algorithm::Blake3, 5.0, None)]
    {
        let kernels = kernels(algorithm);
        let bare: Vec<_> = kernels
            .iter()
            .map(|kernel| BareHashing { kernel: *kernel, headers: &headers })
            .collect();
        let plain = PlainHeaders(algorithm, &headers);
        let theirs = BlockHash::of(&headers);
        let mut workloads: Vec<(&dyn Workload, usize)> = vec![(&plain, 1), (&theirs, 1)];
        workloads.extend(bare.iter().map(|bare| (bare as &dyn Workload, 1)));
        let samples = interleaved(&workloads);
        let [plain, theirs, rows @ ..] = &samples[..] else { unreachable!("as above") };
        print(&format!("\n{algorithm} of headers"));
        print(&format!("  plain loop            {}", rate(plain)));
        let (reference, name) = match algorithm {
            Algorithm::Sha256d => {
                print(&format!("  block_hash            {}", rate(theirs)));
                (theirs, "block_hash")
            }
            Algorithm::Blake3 => (plain, "plain loop"),
        };
        for (kernel, samples) in kernels.iter().zip(rows) {
            let ratio = samples.ratio_to(reference);
            print(&format!("  {:21} {}  {ratio:5.2} x", kernel.isa(), rate(samples)));
        }
        let best = rows[0].ratio_to(reference);
        print_ratio(&format!("{algorithm} of headers, rust-bitcoin or {name}"), best, floor, goal);
    }
}

fn nodes(_: &mut Criterion) {
    let pairs: Vec<Pair> = (0..=u8::MAX).map(|byte| [byte; 64]).collect();
    let theirs = TheirNodes(pairs);
    let kernels: Vec<_> = NodeKernel::available().collect();
    let ours: Vec<_> = kernels.iter().map(|kernel| Merkle(*kernel)).collect();
    let mut workloads: Vec<(&dyn Workload, usize)> = vec![(&PlainMerkle, 1), (&theirs, 1)];
    workloads.extend(ours.iter().map(|ours| (ours as &dyn Workload, 1)));
    let samples = interleaved(&workloads);
    let [plain, theirs, rows @ ..] = &samples[..] else { unreachable!("as above") };
    print("\nmerkle nodes");
    print(&format!("  plain sha2 loop       {}", rate(plain)));
    print(&format!("  hash_64_many          {}", rate(theirs)));
    for (kernel, samples) in kernels.iter().zip(rows) {
        let ratio = samples.ratio_to(theirs);
        print(&format!("  {:21} {}  {ratio:5.2} x", kernel.isa(), rate(samples)));
    }
    // The reference is whichever is faster: theirs, or our row for the same instructions.
    let sha_ni = kernels.iter().zip(rows).find(|(kernel, _)| kernel.isa() == "sha-ni");
    let reference = match sha_ni {
        Some((_, samples)) if samples.units_per_second() > theirs.units_per_second() => samples,
        _ => theirs,
    };
    let best = rows[0].ratio_to(reference);
    print_ratio("merkle nodes, faster of hash_64_many and sha-ni", best, 1.25, None);
}

fn signatures(_: &mut Criterion) {
    let challenges = challenges();
    let mut blocks = vec![[0; size_of::<Block>()]; challenges.len()];
    for (challenge, block) in challenges.iter().zip(&mut blocks) {
        assert!(write_block(parts(challenge), block), "short enough");
    }
    let kernels: Vec<_> = Sha512Kernel::available().collect();
    let bare: Vec<_> = kernels.iter().map(|kernel| BareBlocks(*kernel, &blocks)).collect();
    let whole: Vec<_> = kernels.iter().map(|kernel| Challenges(*kernel, &challenges)).collect();
    let plain = PlainChallenges(&challenges);
    let mut workloads: Vec<(&dyn Workload, usize)> = vec![(&plain, 1)];
    for (bare, whole) in bare.iter().zip(&whole) {
        workloads.extend([(bare as &dyn Workload, 1), (whole, 1)]);
    }
    let samples = interleaved(&workloads);
    let [plain, rows @ ..] = &samples[..] else { unreachable!("as above") };
    print("\nchallenges of signatures, SHA-512 of 96 bytes: blocks, and messages");
    print(&format!("  plain sha2 loop       {}", rate(plain)));
    for (kernel, samples) in kernels.iter().zip(rows.chunks(2)) {
        for (samples, what) in samples.iter().zip(["blocks", "messages"]) {
            let ratio = samples.ratio_to(plain);
            print(&format!("  {:11} {what:9} {}  {ratio:5.2} x", kernel.isa(), rate(samples)));
        }
    }
    print_ratio("challenges of signatures, plain sha2 loop", rows[1].ratio_to(plain), 3.0, None);
}

/// Rates that criterion follows from run to run, one group for each operation.
fn followed(c: &mut Criterion) {
    const NONCES: u32 = 1 << 12;
    for algorithm in Algorithm::ALL {
        let job = Job::new(algorithm, &[0x33; 80], Target::from_le_bytes([0; 32]));
        let range = NonceRange::new(0, NONCES - 1).expect("not empty");
        let mut group = c.benchmark_group(format!("{algorithm} search"));
        group.sample_size(10).throughput(Throughput::Elements(NONCES.into()));
        for kernel in kernels(algorithm) {
            group.bench_function(BenchmarkId::from_parameter(kernel.isa()), |b| {
                let mut hits = Hits::new();
                b.iter(|| kernel.search(black_box(&job), range, &mut hits));
            });
        }
        group.finish();
        let headers = common::headers();
        let mut digests = vec![[0; 32]; headers.len()];
        let mut group = c.benchmark_group(format!("{algorithm} headers"));
        group.sample_size(10).throughput(Throughput::Elements(headers.len() as u64));
        for kernel in kernels(algorithm) {
            group.bench_function(BenchmarkId::from_parameter(kernel.isa()), |b| {
                b.iter(|| kernel.hash_headers(black_box(&headers), &mut digests));
            });
        }
        group.finish();
    }
    let pairs = vec![[0x44; 64]; 256];
    let mut digests = vec![[0; 32]; pairs.len()];
    let mut group = c.benchmark_group("merkle nodes");
    group.sample_size(10).throughput(Throughput::Elements(pairs.len() as u64));
    for kernel in NodeKernel::available() {
        group.bench_function(BenchmarkId::from_parameter(kernel.isa()), |b| {
            b.iter(|| kernel.hash(black_box(&pairs), &mut digests));
        });
    }
    group.finish();
    let challenges = challenges();
    let mut digests = Vec::new();
    let mut group = c.benchmark_group("challenges of signatures");
    group.sample_size(10).throughput(Throughput::Elements(challenges.len() as u64));
    for kernel in Sha512Kernel::available() {
        group.bench_function(BenchmarkId::from_parameter(kernel.isa()), |b| {
            b.iter(|| {
                digests.clear();
                sha512_many(kernel, black_box(&challenges).iter().map(parts), &mut digests);
            });
        });
    }
    group.finish();
}

/// The loops compared compute the same.
fn same_hashes(_: &mut Criterion) {
    let header = [0x5a; 80];
    let ours = sha256::sha256d(&header);
    assert_eq!(their_sha256d::Hash::hash(&header).to_byte_array(), ours);
    assert_eq!(<[u8; 32]>::from(sha2::Sha256::digest(sha2::Sha256::digest(header))), ours);
    let (mut theirs, mut node) = ([[0; 32]], [[0; 32]]);
    Nodes::hash_64_many(&mut theirs, &[[3; 64]]);
    NodeKernel::best().hash(&[[3; 64]], &mut node);
    assert_eq!(theirs, node);
    let challenge = [[1; 32], [2; 32], [3; 32]];
    let mut digests = Vec::new();
    sha512_many(Sha512Kernel::best(), [parts(&challenge)], &mut digests);
    assert_eq!(digests, [sha512(parts(&challenge))]);
    assert_eq!(digests, [<[u8; 64]>::from(sha2::Sha512::digest(challenge.concat()))]);
}

criterion_group!(benches, same_hashes, searches, headers, nodes, signatures, followed);
criterion_main!(benches);
