//! The `proofward` binary: everything is in `cli`, which the library cannot import.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
