//! What the engine adds to its kernel: how soon new work reaches every worker, how much old work is
//! done meanwhile, what threads cost against processes, and what a batch costs against a bare loop.
//!
//! `cargo bench --bench engine` measures; without `--bench` (under `cargo test`) everything runs once,
//! briefly, and only what does not depend on time is asserted. The bench starts itself as a child to
//! compare threads with processes.

#![expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "ratios for people")]

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Write};
use std::num::NonZeroUsize;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use proofward::engine::measure::clock::waited_for_core;
use proofward::engine::meter::CpuLimit;
use proofward::engine::{Engine, Options, Propose, Template, Work, tune};
use proofward::hash::Algorithm;
use proofward::kernel::{Hits, Job, Kernel, NonceRange};
use proofward::primitives::limits::VERSION_ROLLING_MASK;
use proofward::primitives::{Header, Target};

fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    if let [flag, kernel, threads, limit] = &args[..]
        && flag == "--child"
    {
        return child(kernel, threads.parse().expect("a count"), limit.parse().expect("a limit"));
    }
    let full = args.iter().any(|arg| arg == "--bench");
    let effort = if full { Effort::FULL } else { Effort::ONCE };
    let kernel = tune::fastest(Algorithm::Sha256d).expect("a kernel that works");
    let cores = thread::available_parallelism().expect("a number of CPUs");
    println!("sha256d {}, {cores} workers", kernel.isa());
    replacement(kernel, cores, &effort);
    against_bare_loop(kernel, &effort);
    against_processes(kernel, cores, &effort);
    duty_cycle(kernel, &effort);
}

struct Effort {
    publications: u32,
    pairs: usize,
    window: Duration,
}

impl Effort {
    const FULL: Self = Self { publications: 3000, pairs: 10, window: Duration::from_millis(1000) };
    const ONCE: Self = Self { publications: 5, pairs: 1, window: Duration::from_millis(5) };
}

/// Never solved, hardly ever used up, and told apart by its time.
fn endless(time: u32) -> Work {
    let header = Header { time, ..Header::decode(&[0x33; 80]) };
    let template = Template::new(&header.encode()).with_version_mask(VERSION_ROLLING_MASK);
    Work::of(template, Target::from_le_bytes([0; 32]))
}

fn options(threads: NonZeroUsize) -> Options {
    Options::threads(threads)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

// How soon new work reaches every worker.

/// A kernel that notes when it sees new work and when it is done with a batch of old work.
#[derive(Clone)]
struct Probe {
    kernel: Kernel,
    shared: Arc<Notes>,
}

struct Notes {
    epoch: Instant,
    /// Number of the publication that has begun.
    publishing: AtomicU64,
    /// When it began, in nanoseconds since the epoch.
    publishing_at: AtomicU64,
    /// Number of the publication that `publish` has returned from.
    published: AtomicU64,
    /// Nanoseconds from the begin of a publication to the first batch of each worker.
    delays: Mutex<Vec<u64>>,
    /// Those during which nobody else had the worker's core.
    calm_delays: Mutex<Vec<u64>>,
    /// Nanoseconds of each batch. Much over half a millisecond, the system ran somebody else meanwhile,
    /// which no engine can help: read the delays beside it.
    batches: Mutex<Vec<u64>>,
    /// Batches of old work that ended after `publish` had returned.
    stale: AtomicU64,
    /// The most of them that one worker did after one publication.
    stale_max: AtomicU64,
}

impl Notes {
    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).expect("585 years")
    }
}

/// A worker that waited longer for its core shared it with another program, not with the publisher.
const CALM: Duration = Duration::from_micros(100);

thread_local! {
    static WAITED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static SEEN: Cell<u64> = const { Cell::new(0) };
    static STALE: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

impl Propose for Probe {
    fn algorithm(&self) -> Algorithm {
        self.kernel.algorithm()
    }

    fn search(&self, job: &Job, range: NonceRange, hits: &mut Hits) -> Option<u32> {
        let notes = &*self.shared;
        let number = u64::from(Header::decode(&job.header_with(0)).time);
        let waited = waited_for_core().unwrap_or_default();
        let waited_since_last_batch_began = waited.saturating_sub(WAITED.replace(waited));
        if SEEN.replace(number) != number {
            let delay = notes.now().saturating_sub(notes.publishing_at.load(Ordering::SeqCst));
            if notes.publishing.load(Ordering::SeqCst) == number {
                notes.delays.lock().expect("not poisoned").push(delay);
                if waited_since_last_batch_began < CALM {
                    notes.calm_delays.lock().expect("not poisoned").push(delay);
                }
            }
        }
        let begin = notes.now();
        let resume = self.kernel.search(job, range, hits);
        notes.batches.lock().expect("not poisoned").push(notes.now() - begin);
        let newest = notes.published.load(Ordering::SeqCst);
        if newest > number {
            let (of, count) = STALE.get();
            let count = if of == newest { count + 1 } else { 1 };
            STALE.set((newest, count));
            notes.stale.fetch_add(1, Ordering::SeqCst);
            notes.stale_max.fetch_max(count, Ordering::SeqCst);
        }
        resume
    }
}

fn replacement(kernel: Kernel, workers: NonZeroUsize, effort: &Effort) {
    let notes = Arc::new(Notes {
        epoch: Instant::now(),
        publishing: AtomicU64::new(0),
        publishing_at: AtomicU64::new(0),
        published: AtomicU64::new(0),
        delays: Mutex::new(Vec::new()),
        calm_delays: Mutex::new(Vec::new()),
        batches: Mutex::new(Vec::new()),
        stale: AtomicU64::new(0),
        stale_max: AtomicU64::new(0),
    });
    let probe = Probe { kernel, shared: Arc::clone(&notes) };
    let engine = Engine::new(probe, options(workers)).expect("threads");
    engine.publish(endless(0));
    thread::sleep(Duration::from_millis(50));
    let mut calls = Vec::new();
    for number in 1..=effort.publications {
        // Asleep, as a node is that waits for a block; not in step with the batches.
        thread::sleep(Duration::from_micros(3000 + u64::from(number) * 7919 % 2000));
        let work = endless(number);
        let start = notes.now();
        notes.publishing_at.store(start, Ordering::SeqCst);
        notes.publishing.store(number.into(), Ordering::SeqCst);
        engine.publish(work);
        notes.published.store(number.into(), Ordering::SeqCst);
        calls.push(notes.now() - start);
    }
    thread::sleep(Duration::from_millis(50));
    drop(engine);
    let delays = report("new work to each worker", &notes.delays);
    let calm = report("the same where it had its core meanwhile (limit 1000)", &notes.calm_delays);
    let expected = effort.publications as usize * workers.get();
    println!(
        "  seen {delays} times ({calm}) of {expected}, else replaced before a worker ran again"
    );
    report("publish()", &Mutex::new(calls));
    report("batches (limit 500 but for what the system takes)", &notes.batches);
    let (stale, most) =
        (notes.stale.load(Ordering::SeqCst), notes.stale_max.load(Ordering::SeqCst));
    println!(
        "old work: {stale} batches ended after publish(), {most} of a worker at most (limit 1)"
    );
    assert!(delays > 0 && most <= 1, "a worker begins no batch of old work after that in hand");
}

/// Prints the spread of some nanoseconds and returns how many there are.
fn report(what: &str, nanos: &Mutex<Vec<u64>>) -> usize {
    let mut sorted = nanos.lock().expect("not poisoned");
    sorted.sort_unstable();
    if sorted.is_empty() {
        println!("{what}: never");
        return 0;
    }
    let micros = |percent| sorted[(sorted.len() - 1) * percent / 100] as f64 / 1000.0;
    let [median, high, max] = [50, 99, 100].map(micros);
    println!("{what}: median {median:.1} us, 99th percentile {high:.1} us, max {max:.1} us");
    sorted.len()
}

// What a batch costs against a bare loop.

fn against_bare_loop(kernel: Kernel, effort: &Effort) {
    let engine = Engine::new(kernel, options(NonZeroUsize::MIN)).expect("a thread");
    let job = Job::new(kernel.algorithm(), &[0x33; 80], Target::from_le_bytes([0; 32]));
    let ratios = (0..effort.pairs).map(|_| {
        engine.publish(endless(1));
        thread::sleep(effort.window / 10);
        let (rate, _) = rate_of(&engine, effort.window / 2);
        engine.stop();
        while !engine.is_idle() {
            thread::yield_now();
        }
        let (start, mut hashes, mut hits) = (Instant::now(), 0_u64, Hits::new());
        while start.elapsed() < effort.window / 2 {
            hits.clear();
            let range = NonceRange::new(0, (1 << 20) - 1).expect("not empty");
            let resume = kernel.search(&job, range, &mut hits);
            hashes += resume.map_or(range.count(), u64::from);
        }
        rate / (hashes as f64 / start.elapsed().as_secs_f64())
    });
    println!("one worker against a bare loop over the kernel: {:.4}", median(ratios.collect()));
}

/// Hashes a second over a window, and the hashes.
fn rate_of(engine: &Engine, window: Duration) -> (f64, u64) {
    let (start, before) = (Instant::now(), engine.counters().hashes);
    thread::sleep(window);
    let hashes = engine.counters().hashes - before;
    (hashes as f64 / start.elapsed().as_secs_f64(), hashes)
}

// What threads cost against processes.

struct Process {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    fn start(kernel: Kernel, threads: usize, limit: CpuLimit) -> Self {
        let program = std::env::current_exe().expect("the bench knows where it is");
        let mut child = Command::new(program)
            .args(["--child", kernel.isa(), &threads.to_string(), &limit.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the bench can start itself");
        let stdin = child.stdin.take().expect("piped");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut process = Self { child, stdin, stdout };
        assert_eq!(process.line(), "ready");
        process
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    fn begin(&mut self, window: Duration) {
        writeln!(self.stdin, "{}", window.as_micros()).expect("the child reads");
        self.stdin.flush().expect("the child reads");
    }

    fn rate(&mut self) -> f64 {
        self.line().parse().expect("a rate")
    }

    fn end(mut self) {
        drop(self.stdin);
        assert!(self.child.wait().expect("a child").success());
    }
}

/// Measures one window for each line on standard input, which gives its microseconds.
fn child(kernel: &str, threads: NonZeroUsize, cpu_limit: CpuLimit) {
    let kernel = Kernel::by_name(Algorithm::Sha256d, kernel).expect("the parent runs it");
    let engine = Engine::new(kernel, Options { cpu_limit, ..options(threads) }).expect("threads");
    println!("ready");
    for line in io::stdin().lines() {
        let micros = line.expect("text").parse().expect("microseconds");
        engine.publish(endless(1));
        let window = Duration::from_micros(micros);
        thread::sleep(window / 10);
        let (rate, _) = rate_of(&engine, window);
        engine.stop();
        println!("{rate}");
    }
}

fn against_processes(kernel: Kernel, cores: NonZeroUsize, effort: &Effort) {
    let mut one = Process::start(kernel, cores.get(), CpuLimit::NONE);
    let mut many: Vec<_> =
        (0..cores.get()).map(|_| Process::start(kernel, 1, CpuLimit::NONE)).collect();
    let ratios = (0..effort.pairs).map(|_| {
        one.begin(effort.window);
        let threads = one.rate();
        many.iter_mut().for_each(|process| process.begin(effort.window));
        threads / many.iter_mut().map(Process::rate).sum::<f64>()
    });
    let ratio = median(ratios.collect());
    println!("{cores} threads against {cores} processes at once: {ratio:.4} (floor 0.98)");
    one.end();
    many.into_iter().for_each(Process::end);
}

// Whether a duty cycle keeps its word.

fn duty_cycle(kernel: Kernel, effort: &Effort) {
    let limit = CpuLimit::from_percent(30).expect("a percentage");
    let mut free = Process::start(kernel, 1, CpuLimit::NONE);
    let mut limited = Process::start(kernel, 1, limit);
    let ratios = (0..effort.pairs).map(|_| {
        free.begin(effort.window / 2);
        let full = free.rate();
        limited.begin(effort.window / 2);
        limited.rate() / full
    });
    println!(
        "one worker limited to {limit}: {:.1} % of the rate",
        100.0 * median(ratios.collect())
    );
    free.end();
    limited.end();
}
