//! `proofward kernels`: the table of kernels.

use serde::Serialize;

use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line};
use proofward::kernel;

/// List the kernels and which of them this CPU can run
#[derive(Debug, clap::Args)]
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
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        for listed in kernel::table() {
            let row = Row {
                algorithm: listed.algorithm.name(),
                kernel: listed.isa,
                lanes: listed.lanes,
                available: listed.available,
            };
            if self.format.is_json() {
                json_line(&row)?;
            } else {
                text_line(format!(
                    "{:8} {:9} {:>2} lanes {}",
                    row.algorithm, row.kernel, row.lanes, row.available
                ))?;
            }
        }
        Ok(Outcome::Yes)
    }
}
