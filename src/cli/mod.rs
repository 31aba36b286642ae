//! The person at the terminal: what they typed, what it means, what they see, the exit code.

mod command;
mod desk;
mod exit;
mod outlet;
mod output;
mod passphrase;
mod sending;
mod settings;
mod signing;

use std::process::ExitCode;
use std::sync::LazyLock;

use clap::Parser;
use clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;

use exit::Outcome;

/// Proof-of-work engine and verifier at the speed of the CPU.
#[derive(Debug, Parser)]
#[command(name = "proofward", version, long_version = LONG_VERSION.as_str(), about)]
#[command(max_term_width = 100, arg_required_else_help = true)]
struct Args {
    #[command(subcommand)]
    command: command::Command,
}

/// The version, and what was compiled in that a build can lose without a word.
static LONG_VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{}\n{}", env!("CARGO_PKG_VERSION"), command::kernels::signatures()));

/// Parses, runs, and maps what happened to an exit code: the only place that prints an error chain.
pub(crate) fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // clap chooses the stream and the code: 0 for help, 2 for usage.
            if !error.use_stderr() || error.kind() == DisplayHelpOnMissingArgumentOrSubcommand {
                let code = if error.use_stderr() { Outcome::USAGE } else { 0 };
                return if error.print().is_err() { ExitCode::SUCCESS } else { code.into() };
            }
            eprintln!("proofward: {}", usage_line(&error));
            return ExitCode::from(Outcome::USAGE);
        }
    };
    match args.command.run() {
        Ok(outcome) => outcome.into(),
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("proofward: {error:#}");
            ExitCode::from(Outcome::USAGE)
        }
    }
}

/// What clap says is wrong, on one line; its usage and tips are in `--help`.
fn usage_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    let line = lines.collect::<Vec<_>>().join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    format!("{line} (see --help)")
}
