//! `proofward verify blocks`: whole Bitcoin blocks, one in a file or many in blk format.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::{Law, Workers, span};
use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, rate, seconds, text_line};
use proofward::consensus::ChainSpec;
use proofward::engine::meter::per_second;
use proofward::engine::verify::{
    BlockFailure, BlockFileError, BlockReport, BlockRun, BlockVerdict, Verifier,
};

/// Verify whole blocks: structure, merkle root, work, amounts, links
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A block, or blocks each after magic and length (blk format); - for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    law: Law,
    /// Height of the first block of each file; known without it if that is the genesis block
    #[arg(long, value_name = "N", conflicts_with = "unlinked")]
    from_height: Option<u32>,
    /// The blocks of a file come in any order, as a node stores them: do not judge their links
    #[arg(long)]
    unlinked: bool,
    #[command(flatten)]
    workers: Workers,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  proofward verify blocks block.bin
  proofward verify blocks blk00000.dat --unlinked
  proofward verify blocks regtest.blk --chain regtest --format json

Scripts and the coins that are spent are not judged: this is what a block says without its chain.
One result for each file. Exit code: 0 all valid, 1 one is invalid, 2 usage or input that cannot be read.";

#[derive(Serialize)]
struct ValidLine<'a> {
    file: &'a str,
    valid: bool,
    count: u64,
    first_height: Option<u64>,
    last_height: Option<u64>,
    tip_hash: String,
    chain_work: String,
    transactions: u64,
    bytes: u64,
    seconds: f64,
    blocks_per_second: f64,
    not_judged: Vec<NotJudgedLine>,
}

#[derive(Serialize)]
struct NotJudgedLine {
    rule: &'static str,
    first_position: u64,
    last_position: u64,
}

#[derive(Serialize)]
struct InvalidLine<'a> {
    file: &'a str,
    valid: bool,
    position: u64,
    height: Option<u64>,
    hash: Option<String>,
    rule: &'static str,
    detail: String,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let spec = self.law.spec()?;
        let verifier = self.workers.verifier(spec.algorithm)?;
        let mut run = BlockRun::new(&spec).with_now(self.law.now()?);
        if let Some(height) = self.from_height {
            run = run.from_height(height);
        }
        if self.unlinked {
            run = run.unlinked();
        }
        let mut outcome = Outcome::Yes;
        for file in &self.files {
            let name = file.display().to_string();
            let started = Instant::now();
            let verdict = verify(&verifier, &run, &spec, file)
                .with_context(|| format!("cannot verify {name}"))?;
            match verdict {
                BlockVerdict::Valid(report) => {
                    self.print_valid(&name, &report, started.elapsed())?
                }
                BlockVerdict::Invalid(failure) => {
                    self.print_invalid(&name, &failure)?;
                    outcome = Outcome::No;
                }
            }
        }
        Ok(outcome)
    }

    fn print_valid(
        &self,
        file: &str,
        report: &BlockReport,
        elapsed: Duration,
    ) -> anyhow::Result<()> {
        let blocks_per_second = per_second(report.count, elapsed);
        if self.format.is_json() {
            let not_judged = report.not_judged.iter().map(|range| NotJudgedLine {
                rule: range.rule.name(),
                first_position: range.first,
                last_position: range.last,
            });
            return json_line(&ValidLine {
                file,
                valid: true,
                count: report.count,
                first_height: report.last_height.map(|last| last + 1 - report.count),
                last_height: report.last_height,
                tip_hash: report.tip.to_string(),
                chain_work: report.chain_work.to_string(),
                transactions: report.transactions,
                bytes: report.bytes,
                seconds: elapsed.as_secs_f64(),
                blocks_per_second,
                not_judged: not_judged.collect(),
            });
        }
        text_line(format!(
            "{file}: valid: {} blocks, {} transactions, {} bytes",
            report.count, report.transactions, report.bytes
        ))?;
        text_line(format!("tip         {}", report.tip))?;
        text_line(format!("chain work  {}", report.chain_work))?;
        text_line(format!(
            "time        {}, {}",
            seconds(elapsed),
            rate(blocks_per_second, "blocks/s")
        ))?;
        for range in &report.not_judged {
            text_line(format!("not judged  {} {}", range.rule, span("block", range)))?;
        }
        Ok(())
    }

    fn print_invalid(&self, file: &str, failure: &BlockFailure) -> anyhow::Result<()> {
        let line = InvalidLine {
            file,
            valid: false,
            position: failure.position,
            height: failure.height,
            hash: failure.hash.map(|hash| hash.to_string()),
            rule: failure.violation.rule(),
            detail: failure.violation.to_string(),
        };
        if self.format.is_json() {
            return json_line(&line);
        }
        text_line(format!("{file}: invalid: {} in block {}", line.rule, line.position))?;
        if let Some(hash) = &line.hash {
            text_line(format!("hash        {hash}"))?;
        }
        text_line(format!("detail      {}", line.detail))
    }
}

fn verify(
    verifier: &Verifier,
    run: &BlockRun<'_>,
    spec: &ChainSpec,
    path: &Path,
) -> anyhow::Result<BlockVerdict> {
    let verdict = if path.as_os_str() == "-" {
        verify_input(verifier, run, spec, io::stdin())
    } else {
        let file = File::open(path).context("cannot open it")?;
        if file.metadata().context("cannot read it")?.is_dir() {
            bail!("it is a directory: name a file of blocks");
        }
        verify_input(verifier, run, spec, file)
    };
    Ok(verdict?)
}

/// A file that begins with a magic holds frames; a block begins with its version.
fn verify_input(
    verifier: &Verifier,
    run: &BlockRun<'_>,
    spec: &ChainSpec,
    mut input: impl Read + Send,
) -> Result<BlockVerdict, BlockFileError> {
    let mut start = Vec::new();
    (&mut input).take(4).read_to_end(&mut start)?;
    let magic = spec.magics().into_iter().find(|magic| start == magic);
    let whole = start.as_slice().chain(input);
    match magic {
        Some(magic) => verifier.verify_block_file(run, magic, whole),
        None => verifier.verify_block(run, whole),
    }
}
