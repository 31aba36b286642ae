//! `proofward mine`: mines on the chain in a directory, or for other people's servers.

mod budget;
mod keys;
mod live;
mod local;
mod remote;
mod screen;
mod speed;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::cli::exit::Outcome;
use crate::cli::output::Format;
use crate::cli::settings::Place;
use proofward::engine::meter::CpuLimit;
use proofward::engine::{Engine, Options, on_cpus};
use proofward::kernel::Kernel;

/// Mine blocks on the chain of a directory, or shares for other people's servers
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward mine --blocks 20              found a local chain if there is none, and mine
  proofward mine --payout clinic --threads 1 --cpu-limit 30%
  proofward mine --budget walks.json      as many hashes as walks have earned, and no more
  proofward mine --url stratum+tcp://pool.example:3333 --user ADDRESS.rig1 --pass x
  proofward mine --url stratum+tls://first.example:443 --url stratum+tcp://second.example:3333 --user U
  proofward mine --url http://127.0.0.1:8332 --cookie ~/.bitcoin/.cookie --payout bc1q...
  proofward mine --url stratum+tcp://pool.example:3333 --user U --budget walks.json

On a chain of a directory the reward goes to --payout: an address, 64 hex digits, or the name of a key of
the directory. On a local chain it is the key named miner unless given, which is made without a
passphrase. Kill it at any moment and run it again: it goes on. Transactions that other commands leave in
the inbox are mined best fee first; one that no block will hold is named on standard error, with its rule,
and removed.

With --url nothing is read from or written to a directory. The first server in the list that delivers work
is mined for; the others stand by. On a terminal p pauses, r resumes, q ends; so do the signals USR1, USR2
and TERM.")]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// Who is paid: a key of the directory or, with --url http://..., an address of the node's chain
    /// [default on a local chain: the key named miner]
    #[arg(long, value_name = "KEY")]
    payout: Option<String>,
    /// End after this many blocks [default: go on]
    #[arg(long, value_name = "N")]
    blocks: Option<u32>,
    /// How many threads hash [default: one for each CPU]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Bind each thread to one of these CPUs, such as 0,2-3 (Linux); one thread for each unless --threads
    /// says otherwise
    #[arg(long, value_name = "LIST", value_parser = parse_cpus)]
    affinity: Option<Cpus>,
    /// Which kernel hashes, by the names of `proofward kernels` [default: the fastest, measured now]
    #[arg(long, value_name = "NAME")]
    kernel: Option<String>,
    /// The share of its time that each thread may hash
    #[arg(long, value_name = "PERCENT", default_value_t)]
    cpu_limit: CpuLimit,
    /// Spend no more hashes than this file holds, which `proofward wear import --budget` fills, and end
    /// when they are spent
    #[arg(long, value_name = "FILE")]
    budget: Option<PathBuf>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    remote: remote::Args,
}

/// CPUs by number, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cpus(Vec<usize>);

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        if self.remote.is_wanted() { self.run_remote() } else { self.run_local() }
    }

    /// The workers that the arguments ask for.
    fn options(&self) -> Options {
        let mut options = Options { cpu_limit: self.cpu_limit, ..Options::default() };
        if let Some(Cpus(cpus)) = &self.affinity {
            options.pin = true;
            options.threads = NonZeroUsize::new(cpus.len()).expect("a list names one at least");
        }
        options.threads = self.threads.unwrap_or(options.threads);
        options
    }

    /// An engine whose workers run where they should; this thread runs where it did before.
    fn engine(&self, kernel: Kernel) -> anyhow::Result<Engine> {
        let Some(Cpus(cpus)) = &self.affinity else {
            return Ok(Engine::new(kernel, self.options())?);
        };
        let engine = on_cpus(cpus, || Engine::new(kernel, self.options())).context("--affinity")?;
        Ok(engine?)
    }
}

/// A list of CPUs: numbers and ranges, such as `0,2-3`.
fn parse_cpus(text: &str) -> anyhow::Result<Cpus> {
    let mut cpus = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let ends = (first.trim().parse::<usize>(), last.trim().parse::<usize>());
        let (Ok(first), Ok(last)) = ends else { bail!("expected CPUs such as 0,2-3") };
        if first > last || last >= CPUS_MAX {
            bail!("expected an ascending range of CPUs below {CPUS_MAX}, got {part}");
        }
        cpus.extend(first..=last);
    }
    cpus.sort_unstable();
    cpus.dedup();
    Ok(Cpus(cpus))
}

/// How long who reads what is told may take nothing at the end before the rest is given up.
const PATIENCE: Duration = Duration::from_secs(1);
/// More than any machine has.
const CPUS_MAX: usize = 1024;
