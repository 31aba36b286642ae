//! `proofward verify`: headers, whole blocks, the chain of a directory.

mod blocks;
mod chain;
mod headers;

use std::num::NonZeroUsize;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};

use crate::cli::command::kernels;
use crate::cli::exit::Outcome;
use proofward::consensus::ChainSpec;
use proofward::engine::verify::{NotJudged, Verifier};
use proofward::hash::Algorithm;
use proofward::kernel::Kernel;

/// Verify headers, whole blocks, or the chain of a directory
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Headers(headers::Args),
    Blocks(blocks::Args),
    Chain(chain::Args),
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.what {
            What::Headers(args) => args.run(),
            What::Blocks(args) => args.run(),
            What::Chain(args) => args.run(),
        }
    }
}

/// What to judge by.
#[derive(Debug, clap::Args)]
struct Law {
    /// Whose rules to apply; none: links and work only
    #[arg(long, default_value = "bitcoin", value_parser = ChainSpec::NAMES)]
    chain: String,
    /// Rules beyond those of the chain
    #[arg(long, value_enum, value_name = "NAME")]
    rules: Vec<Extra>,
    /// The clock that no header may be far ahead of, in seconds since 1970; the system's unless given
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    now: Option<i64>,
}

/// Rules that a chain does not have yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Extra {
    /// The two time rules of BIP54: no timewarp above 7,200 s, no epoch of negative length
    Bip54,
}

impl Law {
    fn spec(&self) -> anyhow::Result<ChainSpec> {
        let spec = ChainSpec::named(&self.chain)?;
        if !self.rules.contains(&Extra::Bip54) {
            return Ok(spec);
        }
        if spec.name == "none" {
            bail!("--rules bip54 needs the epochs of a chain: name it with --chain");
        }
        Ok(spec.with_bip54())
    }

    fn now(&self) -> anyhow::Result<i64> {
        if let Some(now) = self.now {
            return Ok(now);
        }
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .context("the system's clock is before 1970: give --now")?;
        Ok(i64::try_from(since.as_secs())?)
    }
}

/// `at height 3` or `at heights 3 to 5`.
fn span(noun: &str, range: &NotJudged) -> String {
    if range.first == range.last {
        return format!("at {noun} {}", range.first);
    }
    format!("at {noun}s {} to {}", range.first, range.last)
}

/// Who does the work.
#[derive(Debug, clap::Args)]
struct Workers {
    /// How many threads hash and judge [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Which kernel hashes, by the names of `proofward kernels` [default: the first one of this CPU]
    #[arg(long, value_name = "NAME")]
    kernel: Option<String>,
}

impl Workers {
    fn verifier(&self, algorithm: Algorithm) -> anyhow::Result<Verifier> {
        let kernel = match &self.kernel {
            Some(name) => kernels::choose(algorithm, Some(name))?,
            // A measurement would take longer than most runs of headers.
            None => Kernel::available(algorithm).next().expect("the portable row"),
        };
        let threads = match self.threads {
            Some(threads) => threads,
            None => std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        };
        Ok(Verifier::new(kernel, threads)?)
    }
}
