//! What the benches of the engine share: whether to measure or only to run once, the bare loops that a
//! kernel's rows and other people's crates are compared in, and lines with a floor and a goal.
#![allow(dead_code, reason = "each bench uses a part")]

use std::hint::black_box;
use std::time::Duration;

use bitcoin::block::Header as TheirHeader;
use proofward::engine::measure::{
    Configuration, HeaderRun, Plan, Samples, Units, Workload, measure,
};
use proofward::kernel::Kernel;
use proofward::primitives::HeaderBytes;

/// Interleaved pairs of windows behind each ratio.
pub(crate) const PAIRS: usize = 10;

/// Whether to measure (`cargo bench`), or only to see that everything still runs (`cargo test`).
pub(crate) fn is_measured() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// One window of each workload after the other, round by round, in the order given.
pub(crate) fn interleaved(workloads: &[(&dyn Workload, usize)]) -> Vec<Samples> {
    interleaved_in(Duration::from_millis(20), workloads)
}

/// The same in longer windows.
pub(crate) fn interleaved_in(
    window: Duration,
    workloads: &[(&dyn Workload, usize)],
) -> Vec<Samples> {
    let configurations: Vec<Configuration<'_>> = workloads
        .iter()
        .map(|(workload, threads)| Configuration { workload: *workload, threads: *threads })
        .collect();
    let plan = if is_measured() {
        Plan { window, rounds: PAIRS }
    } else {
        Plan { window: Duration::from_millis(1), rounds: 1 }
    };
    measure(&configurations, plan, &mut || {}).expect("threads")
}

#[expect(clippy::print_stdout, reason = "the figures are the purpose of a bench")]
pub(crate) fn print(line: &str) {
    println!("{line}");
}

/// Prints a median ratio beside what it has to be and what it should be.
pub(crate) fn print_ratio(what: &str, ratio: f64, floor: f64, goal: Option<f64>) {
    let verdict = match goal {
        _ if !is_measured() => "not measured",
        _ if ratio < floor => "BELOW THE FLOOR",
        Some(goal) if ratio < goal => "between floor and goal",
        Some(_) => "at the goal",
        None => "above the floor",
    };
    let goal = goal.map_or(String::new(), |goal| format!(", goal {goal}"));
    print(&format!("{what:58} {ratio:6.2} x  (floor {floor}{goal}): {verdict}"));
}

/// Headers for hashing: real links and work, few enough for the second-level cache.
pub(crate) fn headers() -> Vec<HeaderBytes> {
    HeaderRun::generate(if is_measured() { 4096 } else { 256 }).headers().to_vec()
}

/// Goes through all items in each piece of work.
pub(crate) fn over<'a, T: Sync>(items: &'a [T], mut each: impl FnMut(&T) + 'a) -> Units<'a> {
    Box::new(move |_| {
        for item in black_box(items) {
            each(item);
        }
        items.len() as u64
    })
}

/// A kernel's bare loop over headers.
pub(crate) struct BareHashing<'a> {
    pub(crate) kernel: Kernel,
    pub(crate) headers: &'a [HeaderBytes],
}

impl Workload for BareHashing<'_> {
    fn units(&self) -> Units<'_> {
        const BATCH: usize = 256;
        let mut digests = [[0; 32]; BATCH];
        Box::new(move |_| {
            for batch in black_box(self.headers).chunks(BATCH) {
                self.kernel.hash_headers(batch, &mut digests[..batch.len()]);
                black_box(&digests);
            }
            self.headers.len() as u64
        })
    }
}

/// rust-bitcoin's hash of decoded headers, one after another; its `validate_pow` costs the same.
pub(crate) struct BlockHash(Vec<TheirHeader>);

impl BlockHash {
    pub(crate) fn of(headers: &[HeaderBytes]) -> Self {
        let decode = |header| bitcoin::consensus::deserialize(header).expect("80 bytes");
        Self(headers.iter().map(|header| decode(header)).collect())
    }
}

impl Workload for BlockHash {
    fn units(&self) -> Units<'_> {
        over(&self.0, |header| {
            black_box(header.block_hash());
        })
    }
}
