//! `proofward kernels`: the table of kernels, what this CPU can run, and which of them is fastest here.

use anyhow::bail;
use serde::Serialize;

use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, rate, text_line};
use proofward::engine::tune;
use proofward::hash::Algorithm;
use proofward::kernel::{self, Kernel};

/// List the kernels, which of them this CPU can run, and the fastest, measured now
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
        for algorithm in Algorithm::ALL {
            let ranked = tune::rank(algorithm);
            for listed in kernel::table().filter(|listed| listed.algorithm == algorithm) {
                let place = ranked.iter().position(|ranked| ranked.kernel.isa() == listed.isa);
                let row = Row {
                    algorithm: algorithm.name(),
                    kernel: listed.isa,
                    lanes: listed.lanes,
                    available: listed.available,
                    selected: place == Some(0),
                };
                if self.format.is_json() {
                    json_line(&row)?;
                    continue;
                }
                let speed = match place {
                    Some(place) => rate(ranked[place].hashes_per_second, "H/s"),
                    None => "not on this CPU".to_owned(),
                };
                let mark = if row.selected { '*' } else { ' ' };
                text_line(format!(
                    "{mark} {:8} {:9} {:>2} lanes  {speed:>15}",
                    row.algorithm, row.kernel, row.lanes
                ))?;
            }
        }
        if !self.format.is_json() {
            text_line(
                "* selected: the fastest on one thread, measured now for a few milliseconds",
            )?;
        }
        Ok(Outcome::Yes)
    }
}

/// The kernel of that name, or the fastest one.
pub(crate) fn choose(algorithm: Algorithm, name: Option<&str>) -> anyhow::Result<Kernel> {
    let Some(name) = name else {
        return Ok(tune::fastest(algorithm));
    };
    if let Some(kernel) = Kernel::available(algorithm).find(|kernel| kernel.isa() == name) {
        return Ok(kernel);
    }
    let names: Vec<_> = Kernel::available(algorithm).map(Kernel::isa).collect();
    let names = names.join(", ");
    if kernel::table().any(|listed| listed.algorithm == algorithm && listed.isa == name) {
        bail!("this CPU cannot run the {algorithm} kernel {name}: choose one of {names}");
    }
    bail!("unknown {algorithm} kernel {name:?}: choose one of {names}");
}
