//! `proofward verify`: headers and whole blocks.

mod headers;

use std::num::NonZeroUsize;

use anyhow::Context as _;

use crate::cli::exit::Outcome;
use proofward::engine::verify::Verifier;
use proofward::hash::Algorithm;
use proofward::kernel::Kernel;

/// Verify headers or whole blocks
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Headers(headers::Args),
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.what {
            What::Headers(args) => args.run(),
        }
    }
}

/// Who does the work.
#[derive(Debug, clap::Args)]
struct Workers {
    /// How many threads hash and judge; one for each core unless given
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Which kernel hashes; the best one unless given (see `proofward kernels`)
    #[arg(long, value_name = "NAME")]
    kernel: Option<String>,
}

impl Workers {
    fn verifier(&self, algorithm: Algorithm) -> anyhow::Result<Verifier> {
        let mut available = Kernel::available(algorithm);
        let kernel = match &self.kernel {
            None => available.next(),
            Some(name) => available.find(|kernel| kernel.isa() == name),
        };
        let kernel = kernel.with_context(|| {
            let name = self.kernel.as_deref().unwrap_or_default();
            format!(
                "no kernel {name:?} for {algorithm} on this CPU: `proofward kernels` lists them"
            )
        })?;
        let threads = match self.threads {
            Some(threads) => threads,
            None => std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        };
        Ok(Verifier::new(kernel, threads)?)
    }
}
