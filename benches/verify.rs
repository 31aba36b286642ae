//! Verification of headers beside what it consists of: every row's bare hashing, rust-bitcoin's
//! `block_hash` in a loop, all rules from memory on one and two threads; then the command on a file of
//! 977,000 headers, start-up included. Ratios are medians over interleaved windows.

use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bitcoin::block::Header as TheirHeader;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use proofward::consensus::ChainSpec;
use proofward::engine::measure::{
    Configuration, HeaderRun, Plan, Samples, Units, Verify, Workload, measure, median,
};
use proofward::engine::merkle::MerkleHasher;
use proofward::engine::nodes::NodeKernel;
use proofward::engine::verify::{BlockRun, BlockVerdict, Run, Verifier};
use proofward::hash::{Algorithm, sha256};
use proofward::kernel::Kernel;
use proofward::primitives::{Digest, Header, HeaderBytes};

/// As many as Bitcoin's main chain will have early in 2027.
const FILE_HEADERS: u32 = 977_000;
const RUNS: usize = 10;

/// Run once, to see that it still works (`cargo test --benches`).
fn is_test() -> bool {
    std::env::args().any(|argument| argument == "--test")
}

fn threads(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("not zero")
}

/// The best kernel's bare loop over headers.
struct BareHashing<'a> {
    kernel: Kernel,
    headers: &'a [HeaderBytes],
}

impl Workload for BareHashing<'_> {
    fn units(&self) -> Units<'_> {
        let mut digests = [[0; 32]; 256];
        Box::new(move |_| {
            for batch in black_box(self.headers).chunks(256) {
                self.kernel.hash_headers(batch, &mut digests[..batch.len()]);
                black_box(&digests);
            }
            self.headers.len() as u64
        })
    }
}

/// What verification is compared with: rust-bitcoin's hash of a decoded header, one after another.
struct TheirHashing(Vec<TheirHeader>);

impl Workload for TheirHashing {
    fn units(&self) -> Units<'_> {
        Box::new(|_| {
            for header in black_box(&self.0) {
                black_box(header.block_hash());
            }
            self.0.len() as u64
        })
    }
}

#[expect(clippy::print_stdout, reason = "the figures are the purpose of a bench")]
fn print(line: &str) {
    println!("{line}");
}

#[expect(clippy::float_arithmetic, reason = "measurement")]
fn ratios(_: &mut Criterion) {
    let count = if is_test() { 2048 } else { 1 << 14 };
    let run = HeaderRun::generate(2 * count);
    let headers = &run.headers()[..count as usize];
    let theirs = headers
        .iter()
        .map(|header| bitcoin::consensus::deserialize(header).expect("80 bytes"))
        .collect();
    let theirs = TheirHashing(theirs);
    let kernels: Vec<Kernel> = Kernel::available(Algorithm::Sha256d).collect();
    let bare: Vec<BareHashing<'_>> =
        kernels.iter().map(|kernel| BareHashing { kernel: *kernel, headers }).collect();
    let best = kernels[0];
    let one = Verify::new(best, threads(1), &run).expect("a thread");
    let two = Verify::new(best, threads(2), &run).expect("threads");

    let mut configurations = vec![
        Configuration { workload: &theirs, threads: 1 },
        Configuration { workload: &one, threads: 1 },
        Configuration { workload: &two, threads: 1 },
        Configuration { workload: &bare[0], threads: 2 },
    ];
    configurations.extend(bare.iter().map(|workload| Configuration { workload, threads: 1 }));
    let rounds = if is_test() { 1 } else { RUNS };
    let plan = Plan { window: Duration::from_millis(20), rounds };
    let samples = measure(&configurations, plan, &mut || {}).expect("threads");
    let [theirs, one, two, bare_two, bare @ ..] = &samples[..] else { unreachable!("as above") };
    let rate = |samples: &Samples| format!("{:6.2} M/s", samples.units_per_second() / 1e6);
    let row = |name: &str, samples: &Samples| {
        let ratio = samples.ratio_to(theirs);
        print(&format!("{name:34} {}  {ratio:5.2} x block_hash", rate(samples)));
    };
    row("rust-bitcoin block_hash", theirs);
    for (kernel, samples) in kernels.iter().zip(bare) {
        row(&format!("bare hashing, {}", kernel.isa()), samples);
    }
    row("all rules, 1 thread", one);
    row("all rules, 2 threads", two);
    row("bare hashing, 2 threads", bare_two);
    print(&format!("rules cost {:.1} % of bare hashing", 100.0 * (bare[0].ratio_to(one) - 1.0)));
    let scaling = two.ratio_to(one) / bare_two.ratio_to(&bare[0]);
    print(&format!("scaling on 2 threads: {scaling:.3} x that of bare hashing"));
}

/// Headers of a regtest chain from its genesis block on.
fn regtest(count: u32) -> Vec<HeaderBytes> {
    let spec = ChainSpec::regtest();
    let run = HeaderRun::generate(1);
    let mut header = Header::decode(&run.headers()[0]);
    let genesis = hex::decode(
        "0100000000000000000000000000000000000000000000000000000000000000000000003ba3ed\
         fd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000",
    );
    let genesis: HeaderBytes = genesis.expect("hex").try_into().expect("80 bytes");
    header.time = Header::decode(&genesis).time;
    header.prev_block.0 = sha256::sha256d(&genesis);
    let mut headers = vec![genesis];
    while headers.len() < count as usize {
        header.time += 1;
        let bytes = header.encode();
        let digest = sha256::sha256d(&bytes);
        if spec.limit.is_met_by(&digest) {
            headers.push(bytes);
            header.prev_block.0 = digest;
        }
    }
    headers
}

#[expect(clippy::float_arithmetic, reason = "measurement")]
fn command(_: &mut Criterion) {
    let count = if is_test() { 10_000 } else { FILE_HEADERS };
    let headers = regtest(count);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("headers.bin");
    fs::write(&file, headers.as_flattened()).expect("written");
    let verify = |input: Option<&[u8]>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proofward"));
        command.args(["verify", "headers", "--chain", "regtest", "--now", "4000000000"]);
        match input {
            None => command.arg(&file),
            Some(_) => command.arg("-").stdin(Stdio::piped()),
        };
        let start = Instant::now();
        let mut child = command.stdout(Stdio::null()).spawn().expect("started");
        if let Some(input) = input {
            child.stdin.take().expect("piped").write_all(input).expect("read to the end");
        }
        assert!(child.wait().expect("ended").success(), "a valid chain");
        start.elapsed().as_secs_f64() * 1e3
    };
    let runs = if is_test() { 1 } else { RUNS };
    let from_file = median((0..runs).map(|_| verify(None)));
    let from_pipe = median((0..runs).map(|_| verify(Some(headers.as_flattened()))));
    print(&format!(
        "command, {count} headers: {from_file:.1} ms from a file, {from_pipe:.1} ms piped"
    ));
}

/// Rates that criterion follows from run to run.
fn followed(c: &mut Criterion) {
    let run = HeaderRun::generate(1 << 14);
    let kernel = Kernel::available(Algorithm::Sha256d).next().expect("the portable row");
    let verifier = Verifier::new(kernel, threads(1)).expect("a thread");
    let mut group = c.benchmark_group("verify");
    group.sample_size(10).measurement_time(Duration::from_secs(1));
    group.throughput(Throughput::Elements(run.headers().len() as u64));
    group.bench_function("headers", |b| {
        b.iter(|| verifier.verify(&run.run(), black_box(run.headers())));
    });
    let none = ChainSpec::none(Algorithm::Sha256d);
    group.bench_function("headers_links_and_work", |b| {
        b.iter(|| verifier.verify(&Run::from_height(&none, 0), black_box(run.headers())));
    });
    let leaves: Vec<Digest> =
        (0..4096_u32).map(|leaf| sha256::sha256(&leaf.to_le_bytes())).collect();
    group.throughput(Throughput::Elements(leaves.len() as u64));
    for kernel in NodeKernel::available() {
        let mut hasher = MerkleHasher::new(kernel);
        group.bench_function(format!("merkle_root_of_4096_{}", kernel.isa()), |b| {
            b.iter(|| hasher.root(black_box(&leaves)));
        });
    }
    if let Some(root) = std::env::var_os("PROOFWARD_DATA") {
        let path = std::path::Path::new(&root).join("blocks/mainnet_709632.bin");
        let block = fs::read(path).expect("a readable file");
        let spec = ChainSpec::bitcoin();
        group.throughput(Throughput::Bytes(block.len() as u64));
        group.bench_function("block_709632", |b| {
            b.iter(|| {
                let verdict = verifier.verify_block(&BlockRun::new(&spec), black_box(&block[..]));
                assert!(matches!(verdict, Ok(BlockVerdict::Valid(_))));
            });
        });
        group.bench_function("block_709632_rust_bitcoin", |b| {
            b.iter(|| {
                let block: bitcoin::Block =
                    bitcoin::consensus::deserialize(black_box(&block)).expect("a block");
                assert!(block.check_merkle_root() && block.check_witness_commitment());
            });
        });
    }
    group.finish();
}

criterion_group!(benches, ratios, command, followed);
criterion_main!(benches);
