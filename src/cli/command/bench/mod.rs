//! `proofward bench`: rates for people who compare machines, and a proof that the work was done.

mod baseline;
mod chart;
mod html;
mod machine;
mod row;
mod subject;
mod verify;

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};

use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, progress_bar, text_line};
use baseline::Baseline;
use machine::Machine;
use proofward::engine::measure::{
    Configuration, Plan, Samples, Workload, fastest_clock_hz, measure,
};
use proofward::engine::proof::{Collector, Terms};
use proofward::hash::{Algorithm, sha256};
use proofward::kernel::Kernel;
use row::Row;
use subject::{Choice, Material, Subject};

/// Measure every kernel on 1 to N threads, against the plain loop over the hash crate
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, after_help = AFTER_HELP, after_long_help = AFTER_LONG_HELP)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// What to measure: nonce search, all header rules from memory, merkle nodes
    #[arg(long, value_enum, default_value_t = Choice::All)]
    algorithm: Choice,
    /// Measure this kernel only (`proofward kernels` lists them)
    #[arg(long, value_name = "NAME")]
    kernel: Option<String>,
    /// Thread counts, as in 1,2,8 [default: 1,2,4,... up to all cores]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = thread_count)]
    threads: Vec<NonZeroUsize>,
    /// Measured time of the whole run, split evenly; warm-up comes on top
    #[arg(long, value_name = "S", default_value = "10", value_parser = positive_seconds)]
    seconds: Duration,
    /// Compare with the JSON lines of an earlier run
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write a report with charts that needs nothing but a browser
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write a proof that the hashes of the searches were done, for `proofward bench verify`
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// Bind the proof to this text of the verifier's choice
    #[arg(long, value_name = "TEXT", requires = "proof", value_parser = challenge)]
    challenge: Option<String>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The same for the short help and the long one.
macro_rules! examples {
    () => {
        "\
Examples:
  proofward bench --seconds 2
  proofward bench --algorithm sha256d --kernel avx512 --threads 1,2
  proofward bench --format json > before.json; proofward bench --baseline before.json
  proofward bench --algorithm blake3 --proof work.proof --challenge 'asked by Ann, 3 May'
  proofward bench verify work.proof"
    };
}

const AFTER_HELP: &str = examples!();

const AFTER_LONG_HELP: &str = concat!(
    "\
How it measures: all configurations take turns in short windows, so that drift of the machine
hits them alike. Before and after each window every thread times a chain of operations of known
latency, which gives the core clock at that moment.

  rate        median over the windows, all threads together; windows in which others had the
              cores for over 2 % of the time do not count where at least 3 are left (Linux)
  cycles      core cycles a hash on one thread: comparable between clocks
  port limit  share of what the vector ports of this core could do at best, where known
  spread      middle half of the windows, as a share of the median
  x plain     median of the ratios, round by round, to the plain sha2 or blake3 loop on as
              many threads; for verify that loop hashes the headers and checks nothing
  efficiency  rate on N threads / (N x rate on 1 thread), round by round; needs 1 in --threads
  throttled   at least a quarter of the windows ran at a clock 5 % below the fastest of the run

JSON has these as fields of one object for each row: the rate is hashes_per_second (for verify
headers_per_second, for merkle nodes_per_second), shares are fractions of 1, null is unknown.

A row is marked SLOWER against a baseline if it lost more than 5 % and more than both spreads
together, or more than half; this does not change the exit code.

A proof counts every hash of the searches in the run, warm-up included; to prove one rate,
measure one configuration. Its seed is fresh: SHA-256 over the random keys that the operating
system gives each process for hash tables, the process id and the time. It proves that the work
was done; not that one machine did it, nor when, unless somebody else chose the --challenge.

",
    examples!()
);

#[derive(Debug, clap::Subcommand)]
enum Command {
    Verify(verify::Args),
}

/// More threads than any machine has cores are a slip of the finger.
const THREADS_MAX: usize = 1024;

fn thread_count(text: &str) -> Result<NonZeroUsize, String> {
    let count = text.trim().parse().ok().filter(|count: &NonZeroUsize| count.get() <= THREADS_MAX);
    count.ok_or_else(|| format!("expected thread counts from 1 to {THREADS_MAX}, as in 1,2,8"))
}

fn positive_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.001..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "expected seconds, 0.001 to 86400".into())
}

fn challenge(text: &str) -> Result<String, String> {
    let fits = Terms::is_text(text).then(|| text.to_owned());
    fits.ok_or_else(|| "expected at most 200 bytes without control characters".into())
}

/// A configuration and what its row is made of.
struct Entry<'a> {
    subject: Subject,
    /// `None` for the plain loop.
    kernel: Option<Kernel>,
    threads: NonZeroUsize,
    workload: Box<dyn Workload + 'a>,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        if let Some(Command::Verify(args)) = self.command {
            return args.run();
        }
        let subjects = self.algorithm.subjects();
        ensure!(
            self.proof.is_none() || subjects.iter().any(|subject| subject.searched().is_some()),
            "--proof needs a search: choose --algorithm sha256d, blake3 or all"
        );
        let baseline = self.baseline.as_deref().map(Baseline::read).transpose()?;
        for path in [&self.html, &self.proof].into_iter().flatten() {
            let opened = OpenOptions::new().append(true).create(true).open(path);
            opened.with_context(|| format!("cannot write {}", path.display()))?;
        }
        let machine = Machine::read();
        let threads = self.thread_list();
        let material = Material::new(&subjects, &threads, |algorithm| {
            Collector::new(self.terms(algorithm, &machine, &threads))
        });
        let entries = self.entries(&subjects, &threads, &material)?;
        let plan = Plan::split(self.seconds, entries.len());
        if self.format == Format::Text {
            text_line(machine.to_string())?;
            text_line(format!("{} windows of {:?} each\n", plan.rounds, plan.window))?;
        }
        let samples = self.measure(&entries, plan)?;
        let rows = rows(&entries, &samples, baseline.as_ref());
        if self.format.is_json() {
            rows.iter().try_for_each(json_line)?;
        } else {
            text_line(row::table(&rows))?;
        }
        if let Some(path) = &self.html {
            write(path, &html::report(&machine, plan, &rows))?;
        }
        if let Some(path) = &self.proof {
            write(path, &proofs(&material.collectors, &entries, &samples)?)?;
        }
        Ok(Outcome::Yes)
    }

    /// In ascending order, each once.
    fn thread_list(&self) -> Vec<NonZeroUsize> {
        let mut list: BTreeSet<NonZeroUsize> = self.threads.iter().copied().collect();
        if list.is_empty() {
            let cores = available_parallelism().unwrap_or(NonZeroUsize::MIN);
            let powers = (0..usize::BITS).filter_map(|power| NonZeroUsize::new(1 << power));
            list.extend(powers.take_while(|count| *count < cores));
            list.insert(cores);
        }
        list.into_iter().collect()
    }

    fn kernels(&self, algorithm: Algorithm) -> Vec<Kernel> {
        let wanted = |kernel: &Kernel| self.kernel.as_ref().is_none_or(|name| kernel.isa() == name);
        Kernel::available(algorithm).filter(wanted).collect()
    }

    fn terms(&self, algorithm: Algorithm, machine: &Machine, threads: &[NonZeroUsize]) -> Terms {
        let names: Vec<&str> = self.kernels(algorithm).into_iter().map(Kernel::isa).collect();
        let counts: Vec<String> = threads.iter().map(ToString::to_string).collect();
        Terms {
            algorithm,
            seed: fresh_seed(),
            challenge: self.challenge.clone().unwrap_or_default(),
            machine: fitting(&machine.short()),
            kernels: fitting(&names.join(",")),
            threads: fitting(&counts.join(",")),
        }
    }

    fn entries<'a>(
        &self,
        subjects: &[Subject],
        threads: &[NonZeroUsize],
        material: &'a Material,
    ) -> anyhow::Result<Vec<Entry<'a>>> {
        let mut entries = Vec::new();
        for &subject in subjects {
            let kernels = self.kernels(subject.algorithm());
            for &threads in threads {
                let before = entries.len();
                for &kernel in &kernels {
                    if let Some(workload) = material.workload(subject, kernel, threads)? {
                        entries.push(Entry { subject, kernel: Some(kernel), threads, workload });
                    }
                }
                if entries.len() > before {
                    let workload = subject.plain();
                    entries.push(Entry { subject, kernel: None, threads, workload });
                }
            }
        }
        if entries.is_empty() {
            let mut names = BTreeSet::new();
            for subject in subjects {
                names.extend(Kernel::available(subject.algorithm()).map(Kernel::isa));
            }
            let names: Vec<&str> = names.into_iter().collect();
            let name = self.kernel.as_deref().unwrap_or_default();
            bail!("no kernel {name:?} on this CPU for that; choose from {}", names.join(", "));
        }
        Ok(entries)
    }

    fn measure(&self, entries: &[Entry<'_>], plan: Plan) -> anyhow::Result<Vec<Samples>> {
        let configurations: Vec<Configuration<'_>> = entries
            .iter()
            .map(|entry| {
                let workload = entry.workload.as_ref();
                // What brings its threads is called from one.
                let threads = entry.threads.get().div_ceil(workload.threads_inside().get());
                Configuration { workload, threads }
            })
            .collect();
        let bar = progress_bar((entries.len() * (plan.rounds + 1)) as u64);
        let samples =
            measure(&configurations, plan, &mut || bar.inc(1)).context("choose fewer --threads")?;
        bar.finish_and_clear();
        Ok(samples)
    }
}

/// One row a kernel and thread count: the plain loops are what they are compared with.
fn rows(entries: &[Entry<'_>], samples: &[Samples], baseline: Option<&Baseline>) -> Vec<Row> {
    let fastest_hz = fastest_clock_hz(samples);
    let find = |subject: Subject, kernel: Option<Kernel>, threads: NonZeroUsize| {
        let same = |entry: &Entry<'_>| {
            (entry.subject, entry.kernel, entry.threads) == (subject, kernel, threads)
        };
        entries.iter().position(same).map(|at| &samples[at])
    };
    let mut rows = Vec::new();
    for (entry, ours) in entries.iter().zip(samples) {
        let Some(kernel) = entry.kernel else { continue };
        let plain = find(entry.subject, None, entry.threads).expect("measured beside each kernel");
        let single = find(entry.subject, entry.kernel, NonZeroUsize::MIN);
        let mut row = Row::new(entry.subject, kernel, entry.threads, ours, plain, single);
        row.mark_throttled(ours, fastest_hz);
        if let Some(baseline) = baseline {
            row.compare(baseline);
        }
        rows.push(row);
    }
    rows
}

fn proofs(
    collectors: &[Collector],
    entries: &[Entry<'_>],
    samples: &[Samples],
) -> anyhow::Result<String> {
    let mut text = String::new();
    for collector in collectors {
        let algorithm = collector.algorithm();
        let counted = |entry: &Entry<'_>| {
            entry.subject == Subject::Search(algorithm) && entry.kernel.is_some()
        };
        let wall: Duration = entries
            .iter()
            .zip(samples)
            .filter(|(entry, _)| counted(entry))
            .map(|(_, samples)| samples.wall)
            .sum();
        let milliseconds = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
        let Some(proof) = collector.finish(milliseconds) else {
            bail!("too few {algorithm} hashes for a proof; raise --seconds");
        };
        text.push_str(&proof.to_string());
    }
    Ok(text)
}

/// What fits into the terms of a proof.
fn fitting(text: &str) -> String {
    let printable = text.chars().filter(|c| !c.is_control());
    let mut fitting = String::new();
    for c in printable {
        if !Terms::is_text(&format!("{fitting}{c}")) {
            break;
        }
        fitting.push(c);
    }
    fitting
}

/// Unlike any other, which is all that a seed must be. The keys of `RandomState` come from the
/// operating system.
fn fresh_seed() -> [u8; 32] {
    let mut entropy = Vec::new();
    for _ in 0..4 {
        entropy.extend_from_slice(&RandomState::new().build_hasher().finish().to_le_bytes());
    }
    entropy.extend_from_slice(&std::process::id().to_le_bytes());
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    entropy.extend_from_slice(&time.as_nanos().to_le_bytes());
    sha256::sha256(&entropy)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
