//! `proofward kernels`: the table of kernels, what this CPU can run, and which of them is fastest here.

use serde::Serialize;

use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, rate, text_line};
use proofward::engine::points::CurveKernel;
use proofward::engine::sha512::Sha512Kernel;
use proofward::engine::tune::{self, Ranked};
use proofward::hash::Algorithm;
use proofward::kernel::{self, Kernel};
use proofward::ledger::signature;

/// List the kernels, which of them this CPU can run, and the fastest, measured now
///
/// Each available kernel is compared with the scalar oracle first; one that fails is never selected,
/// and the exit code is 1. The same holds of those that verify signatures; what they run on here stands in
/// the last line.
///
/// A kernel hashes by one algorithm with one instruction set. Other commands take the fastest one
/// unless --kernel names another.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward kernels
  proofward kernels --format json")]
pub(crate) struct Args {
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Row {
    algorithm: &'static str,
    kernel: &'static str,
    lanes: u32,
    available: bool,
    selected: bool,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome::Yes;
        for algorithm in Algorithm::ALL {
            let ranked = tune::rank(algorithm);
            let selected = ranked.first().map(|fastest| fastest.kernel.isa());
            for listed in kernel::table().filter(|listed| listed.algorithm == algorithm) {
                let measured = ranked.iter().find(|ranked| ranked.kernel.isa() == listed.isa);
                if listed.available && measured.is_none() {
                    outcome = Outcome::No;
                }
                let row = Row {
                    algorithm: algorithm.name(),
                    kernel: listed.isa,
                    lanes: listed.lanes,
                    available: listed.available,
                    selected: selected == Some(listed.isa),
                };
                if self.format.is_json() {
                    json_line(&row)?;
                } else {
                    text_line(row.text(measured))?;
                }
            }
        }
        for error in unsound_for_signatures() {
            eprintln!("proofward: {error}; signatures are verified without it");
            outcome = Outcome::No;
        }
        if !self.format.is_json() {
            text_line("* the fastest on one thread, measured now for a few milliseconds")?;
            text_line(signatures())?;
        }
        Ok(outcome)
    }
}

/// What signatures are verified on.
pub(crate) fn signatures() -> String {
    format!("signatures: {}, in batches: {}", signature::backend(), signature::Curve::best())
}

/// Why kernels that this CPU can run take no part in that.
fn unsound_for_signatures() -> Vec<String> {
    let curve = CurveKernel::available().filter_map(|kernel| kernel.self_test().err());
    let hash = Sha512Kernel::available().filter_map(|kernel| kernel.self_test().err());
    curve.map(|error| error.to_string()).chain(hash.map(|error| error.to_string())).collect()
}

impl Row {
    fn text(&self, measured: Option<&Ranked>) -> String {
        let mark = if self.selected { '*' } else { ' ' };
        let speed = match measured {
            Some(measured) => rate(measured.hashes_per_second, "H/s"),
            None if self.available => "failed its self-test".to_owned(),
            None => "not on this CPU".to_owned(),
        };
        let Self { algorithm, kernel, lanes, .. } = self;
        format!("{mark} {algorithm:8} {kernel:9} {lanes:>2} lanes  {speed:>15}")
    }
}

/// The kernel of that name, or the fastest one; either has passed its self-test.
pub(crate) fn choose(algorithm: Algorithm, name: Option<&str>) -> anyhow::Result<Kernel> {
    let Some(name) = name else {
        return Ok(tune::fastest(algorithm)?);
    };
    let kernel = Kernel::by_name(algorithm, name)?;
    kernel.self_test()?;
    Ok(kernel)
}
