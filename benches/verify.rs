//! Verification of headers beside what it consists of: bare hashing, rust-bitcoin's `block_hash` in a
//! loop, all rules from memory on one and two threads; then the command on a file of 977,000 headers,
//! start-up included, and on five million from a pipe. Ratios are medians of ten interleaved pairs.

mod common;

use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use proofward::consensus::ChainSpec;
use proofward::engine::measure::{HeaderRun, Samples, Verify, Workload, median};
use proofward::engine::merkle::MerkleHasher;
use proofward::engine::nodes::NodeKernel;
use proofward::engine::verify::{BlockRun, BlockVerdict, Run, Verifier};
use proofward::hash::{Algorithm, sha256};
use proofward::kernel::Kernel;
use proofward::primitives::{Digest, Header, HeaderBytes};

use common::{BareHashing, BlockHash, PAIRS, interleaved_in, is_measured, print, print_ratio};

/// As many as Bitcoin's main chain will have early in 2027.
const FILE_HEADERS: usize = 977_000;
const FILE_MILLISECONDS: f64 = 60.0;
const PIPE_HEADERS: usize = 5_000_000;
/// Half of them for each of two threads. Waking threads costs some tens of microseconds: nothing of a file of a
/// million headers, 4 % of pieces of a millisecond, 0.5 % of these.
const HEADERS: u32 = 1 << 18;
/// A dozen pieces.
const WINDOW: Duration = Duration::from_millis(100);
const PIPE_KIB: u64 = 100 * 1024;

fn threads(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("not zero")
}

#[expect(clippy::float_arithmetic, reason = "measurement")]
fn ratios(_: &mut Criterion) {
    let run = HeaderRun::generate(if is_measured() { HEADERS } else { 256 });
    let pieces = run.headers().len() / 2;
    let headers = &run.headers()[..pieces];
    let theirs = BlockHash::of(headers);
    let kernel = Kernel::available(Algorithm::Sha256d).next().expect("the portable row");
    // Two threads of bare hashing share one thread's headers, those that judge have twice as many between
    // them. That is no handicap: bare hashing of them all, more than a core's second-level cache holds, scales
    // the same.
    let bare = BareHashing { kernel, headers };
    let one = Verify::new(kernel, threads(1), &run, pieces).expect("a thread");
    let two = Verify::new(kernel, threads(2), &run, pieces).expect("threads");
    let workloads: [(&dyn Workload, usize); 5] =
        [(&theirs, 1), (&bare, 1), (&one, 1), (&bare, 2), (&two, 1)];
    let samples = interleaved_in(WINDOW, &workloads);
    let [theirs, bare, one, bare_two, two] = &samples[..] else { unreachable!("as above") };
    let row = |name: &str, samples: &Samples| {
        let (rate, ratio) = (samples.units_per_second() / 1e6, samples.ratio_to(theirs));
        print(&format!("{name:28} {rate:7.2} M/s  {ratio:5.2} x block_hash"));
    };
    print(&format!("headers, {}", kernel.isa()));
    row("rust-bitcoin block_hash", theirs);
    row("bare hashing, 1 thread", bare);
    row("all rules, 1 thread", one);
    row("bare hashing, 2 threads", bare_two);
    row("all rules, 2 threads", two);
    print_ratio("all rules, rust-bitcoin's block_hash", one.ratio_to(theirs), 3.0, None);
    let scaling = two.ratio_to(one) / bare_two.ratio_to(bare);
    print_ratio("scaling of all rules, that of bare hashing", scaling, 0.95, None);
}

/// Headers of a regtest chain from its genesis block on.
fn regtest(count: usize) -> Vec<HeaderBytes> {
    let target = ChainSpec::regtest().limit.to_compact_lossy().to_target().expect("a target");
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
    while headers.len() < count {
        header.time += 1;
        let bytes = header.encode();
        let digest = sha256::sha256d(&bytes);
        if target.is_met_by(&digest) {
            headers.push(bytes);
            header.prev_block.0 = digest;
        }
    }
    headers
}

fn command(input: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proofward"));
    command.args(["verify", "headers", input, "--chain", "regtest", "--now", "4000000000"]);
    command.stdout(Stdio::null());
    command
}

/// The whole process, from its start to its end, with the file in the page cache.
#[expect(clippy::float_arithmetic, reason = "measurement")]
fn file(_: &mut Criterion) {
    let headers = regtest(if is_measured() { FILE_HEADERS } else { 10_000 });
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("headers.bin");
    fs::write(&path, headers.as_flattened()).expect("written");
    let run = |_| {
        let start = Instant::now();
        let status = command(path.to_str().expect("UTF-8")).status().expect("started");
        assert!(status.success(), "a valid chain");
        start.elapsed().as_secs_f64() * 1e3
    };
    let milliseconds = median((0..if is_measured() { PAIRS } else { 1 }).map(run));
    let verdict = match milliseconds < FILE_MILLISECONDS {
        _ if !is_measured() => "not measured",
        true => "within the limit",
        false => "OVER THE LIMIT",
    };
    print(&format!(
        "\nverify headers, {} headers in a file: {milliseconds:.1} ms \
         (limit {FILE_MILLISECONDS}): {verdict}",
        headers.len()
    ));
}

/// Memory at its peak, where the system says, when all but what a pipe holds has been read.
fn pipe(_: &mut Criterion) {
    let headers = regtest(if is_measured() { PIPE_HEADERS } else { 10_000 });
    let start = Instant::now();
    let mut child = command("-").stdin(Stdio::piped()).spawn().expect("started");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(headers.as_flattened()).expect("read to the end");
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    drop(stdin);
    assert!(child.wait().expect("ended").success(), "a valid chain");
    let seconds = start.elapsed().as_secs_f64();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.split_whitespace().next()?.parse::<u64>().ok());
    let memory = match peak {
        None => "peak memory unknown on this system".to_owned(),
        Some(kib) => {
            assert!(kib < PIPE_KIB, "{kib} KiB at the peak");
            format!("{} MiB at the peak (limit {})", kib / 1024, PIPE_KIB / 1024)
        }
    };
    let count = headers.len();
    print(&format!("verify headers, {count} headers from a pipe: {seconds:.2} s, {memory}"));
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

criterion_group!(benches, ratios, file, pipe, followed);
criterion_main!(benches);
