//! `proofward search`: looks for nonces of one header on all cores.

use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde::Serialize;

use crate::cli::command::kernels;
use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, progress_bar, rate, seconds, text_line};
use proofward::engine::meter::{CpuLimit, Stopwatch, per_second};
use proofward::engine::{Engine, Event, Generation, Options, Solution, Template, Until, Work};
use proofward::hash::Algorithm;
use proofward::kernel::NonceRange;
use proofward::primitives::limits::HEADER_BYTES;
use proofward::primitives::{BlockHash, CompactTarget, Header, HeaderBytes, Target};

/// More workers than any machine has cores.
const THREADS_MAX: usize = 4096;
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Search the nonces of a header for hashes that meet a target
///
/// The nonce in the header is ignored. Without --all the search ends with the lowest nonce of the
/// range that meets the target, whatever the number of threads; with it every such nonce is printed as
/// soon as it is found, in no particular order. Exits with 1 if there is none.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  Find the nonce of Bitcoin's genesis block again (its own nBits are the target):
    proofward search --header 0100000000000000000000000000000000000000000000000000000000000000\
000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c

  All nonces below a million that meet an easier target, at a third of two cores:
    proofward search --header HEX --bits 1e00ffff --range 0..=999999 --all --threads 2 \
--cpu-limit 33%")]
pub(crate) struct Args {
    /// The 80 bytes of the header as they are hashed
    #[arg(long, value_name = "HEX160", value_parser = parse_header)]
    header: HeaderBytes,
    /// The proof-of-work function: sha256d or blake3
    #[arg(long, value_name = "NAME", default_value_t = Algorithm::Sha256d)]
    algorithm: Algorithm,
    /// What the hash must not exceed, most significant digit first [default: from the header's nBits]
    #[arg(long, value_name = "HEX64", conflicts_with = "bits")]
    target: Option<Target>,
    /// The same in compact form (nBits)
    #[arg(long, value_name = "HEX8", value_parser = parse_bits)]
    bits: Option<CompactTarget>,
    /// The nonces to search, both ends included
    #[arg(long, value_name = "FIRST..=LAST", value_parser = parse_range, default_value = "0..=4294967295")]
    range: NonceRange,
    /// How many threads hash [default: one for each CPU]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    threads: Option<NonZeroUsize>,
    /// Which kernel hashes, by the names of `proofward kernels` [default: the fastest, measured now]
    #[arg(long, value_name = "NAME")]
    kernel: Option<String>,
    /// Print every nonce that meets the target instead of the lowest
    #[arg(long)]
    all: bool,
    /// The share of its time that each thread may hash
    #[arg(long, value_name = "PERCENT", default_value_t)]
    cpu_limit: CpuLimit,
    /// Bind each thread to a CPU of its own (Linux)
    #[arg(long)]
    pin: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Found {
    nonce: u32,
    header: String,
    hash: String,
}

#[derive(Serialize)]
struct Summary {
    hashes: u64,
    seconds: f64,
    hashes_per_second: f64,
    kernel: &'static str,
    threads: usize,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let target = self.target()?;
        let kernel = kernels::choose(self.algorithm, self.kernel.as_deref())?;
        let mut options =
            Options { cpu_limit: self.cpu_limit, pin: self.pin, ..Options::default() };
        options.threads = self.threads.unwrap_or(options.threads);

        let engine = Engine::new(kernel, options)?;
        let template = Template::new(&self.header).with_nonces(self.range);
        let until = if self.all { Until::Exhausted } else { Until::FirstSolution };
        let stopwatch = Stopwatch::start();
        let generation = engine.publish(Work::of(template, target).until(until));
        let found = self.follow(&engine, generation)?;

        let (hashes, elapsed) = (engine.counters().hashes, stopwatch.elapsed());
        let summary = Summary {
            hashes,
            seconds: elapsed.as_secs_f64(),
            hashes_per_second: per_second(hashes, elapsed),
            kernel: kernel.isa(),
            threads: options.threads.get(),
        };
        if self.format.is_json() {
            json_line(&summary)?;
        } else {
            if !found {
                let (first, last) = (self.range.first(), self.range.last());
                text_line(format!("no nonce in {first}..={last} meets the target {target}"))?;
            }
            text_line(format!(
                "{hashes} hashes in {}: {}, {} {}, {} threads",
                seconds(elapsed),
                rate(summary.hashes_per_second, "H/s"),
                self.algorithm,
                summary.kernel,
                summary.threads
            ))?;
        }
        Ok(if found { Outcome::Yes } else { Outcome::No })
    }

    fn target(&self) -> anyhow::Result<Target> {
        let own_bits = Header::decode(&self.header).bits;
        match (self.target, self.bits) {
            (Some(target), _) => Ok(target),
            (None, Some(bits)) => bits.to_target().context("--bits"),
            (None, None) => own_bits
                .to_target()
                .context("the header has no usable target of its own: give --target or --bits"),
        }
    }

    /// Prints what the engine finds until it is done; says whether there was anything.
    fn follow(&self, engine: &Engine, generation: Generation) -> anyhow::Result<bool> {
        let bar = progress_bar(self.range.count());
        let stopwatch = Stopwatch::start();
        let mut lowest: Option<Solution> = None;
        let mut found = false;
        loop {
            match engine.events().recv_timeout(PROGRESS_INTERVAL) {
                Ok(Event::Solution(solution)) if self.all => {
                    found = true;
                    bar.suspend(|| self.print(&solution))?;
                }
                Ok(Event::Solution(solution)) => {
                    let lower = lowest.is_none_or(|lowest| solution.nonce() < lowest.nonce());
                    lowest = if lower { Some(solution) } else { lowest };
                }
                Ok(Event::Exhausted(exhausted)) if exhausted == generation => break,
                Ok(_) => {}
                Err(error) if error.is_timeout() => {
                    let hashes = engine.counters().hashes;
                    bar.set_position(hashes);
                    bar.set_message(rate(per_second(hashes, stopwatch.elapsed()), "H/s"));
                }
                Err(_) => bail!("a worker died: this is a defect of proofward"),
            }
        }
        bar.finish_and_clear();
        if let Some(lowest) = lowest {
            found = true;
            self.print(&lowest)?;
        }
        Ok(found)
    }

    fn print(&self, solution: &Solution) -> anyhow::Result<()> {
        let nonce = solution.nonce();
        let header = hex::encode(solution.header);
        let hash = BlockHash(solution.digest).to_string();
        if self.format.is_json() {
            json_line(&Found { nonce, header, hash })
        } else {
            text_line(format!("nonce  {nonce}\nhash   {hash}\nheader {header}"))
        }
    }
}

fn parse_header(text: &str) -> anyhow::Result<HeaderBytes> {
    let bytes = hex::decode(text)
        .map_err(|error| anyhow!("expected {} hex digits: {error}", 2 * HEADER_BYTES))?;
    let len = bytes.len();
    let header = bytes.try_into();
    header.map_err(|_| anyhow!("expected a header of {HEADER_BYTES} bytes, got {len}"))
}

fn parse_bits(text: &str) -> anyhow::Result<CompactTarget> {
    let mut bytes = [0; 4];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| anyhow!("expected 8 hex digits"))?;
    Ok(CompactTarget(u32::from_be_bytes(bytes)))
}

fn parse_range(text: &str) -> anyhow::Result<NonceRange> {
    let ends = text
        .split_once("..=")
        .and_then(|(first, last)| Some((first.parse::<u32>().ok()?, last.parse::<u32>().ok()?)));
    let (first, last) = ends.context("expected FIRST..=LAST, each from 0 to 4294967295")?;
    NonceRange::new(first, last).context("the range is empty: FIRST is above LAST")
}

fn parse_threads(text: &str) -> anyhow::Result<NonZeroUsize> {
    let threads = text.parse().ok().filter(|threads: &NonZeroUsize| threads.get() <= THREADS_MAX);
    threads.with_context(|| format!("expected 1 to {THREADS_MAX} threads"))
}
