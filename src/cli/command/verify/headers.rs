//! `proofward verify headers`: a run of headers from a file or standard input.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::{Law, Workers, span};
use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, rate, seconds, text_line};
use proofward::consensus::{ChainSpec, Rule};
use proofward::engine::meter::per_second;
use proofward::engine::verify::{Failure, Report, Run, Verdict};
use proofward::hash::Algorithm;
use proofward::primitives::HeaderBytes;
use proofward::primitives::limits::HEADER_BYTES;

/// Verify a run of 80-byte headers
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Headers in chain order, 80 bytes each; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    law: Law,
    /// What headers are hashed with (chain none only)
    #[arg(long, default_value_t = Algorithm::Sha256d)]
    algorithm: Algorithm,
    /// Height of the first header; 0 or the end of the context unless given
    #[arg(long, value_name = "N")]
    from_height: Option<u32>,
    /// The headers before the first one, in chain order; trusted, and used for the rules that look back
    #[arg(long, value_name = "FILE")]
    context: Option<PathBuf>,
    #[command(flatten)]
    workers: Workers,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  proofward verify headers headers.bin
  proofward verify headers later.bin --from-height 32256 --context headers.bin
  bitcoin-headers-from-somewhere | proofward verify headers - --chain signet --format json

The verdict names the lowest bad height, its hash and the broken rule in Bitcoin Core's words.
Chain work is a decimal number, of the headers in the run. A run that starts above genesis is judged
by the rules whose context it holds; the report lists the rest.
Exit code: 0 valid, 1 invalid, 2 usage or input that cannot be read.";

#[derive(Serialize)]
struct ValidLine {
    valid: bool,
    count: u64,
    first_height: u64,
    last_height: u64,
    tip_hash: String,
    chain_work: String,
    seconds: f64,
    headers_per_second: f64,
    chain: &'static str,
    judged_from: Vec<JudgedFrom>,
    not_judged: Vec<NotJudgedLine>,
}

#[derive(Serialize)]
struct JudgedFrom {
    rule: &'static str,
    height: Option<u64>,
}

#[derive(Serialize)]
struct NotJudgedLine {
    rule: &'static str,
    first_height: u64,
    last_height: u64,
}

#[derive(Serialize)]
struct InvalidLine {
    valid: bool,
    height: u64,
    hash: String,
    rule: &'static str,
    detail: String,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let spec = self.spec()?;
        let verifier = self.workers.verifier(spec.algorithm)?;
        let run = self.with_context(&spec)?.with_now(self.law.now()?);
        let started = Instant::now();
        let name = self.file.display();
        let verdict = if self.file.as_os_str() == "-" {
            verifier.verify_stream(&run, io::stdin())
        } else {
            let (file, _) = open(&self.file)?;
            verifier.verify_stream(&run, file)
        };
        let verdict = verdict.with_context(|| format!("cannot verify {name}"))?;
        let elapsed = started.elapsed();
        match verdict {
            Verdict::Valid(report) => {
                self.print_valid(&spec, &report, elapsed)?;
                Ok(Outcome::Yes)
            }
            Verdict::Invalid(failure) => {
                self.print_invalid(&failure)?;
                Ok(Outcome::No)
            }
        }
    }

    fn spec(&self) -> anyhow::Result<ChainSpec> {
        let mut spec = self.law.spec()?;
        if self.algorithm != spec.algorithm {
            if spec.name != "none" {
                bail!("chain {} is hashed with {}: use --chain none", spec.name, spec.algorithm);
            }
            spec.algorithm = self.algorithm;
        }
        Ok(spec)
    }

    fn with_context<'a>(&self, spec: &'a ChainSpec) -> anyhow::Result<Run<'a>> {
        let Some(path) = &self.context else {
            return Ok(Run::from_height(spec, self.from_height.unwrap_or(0)));
        };
        let (headers, count) = read_tail(path, spec.context_blocks_max())?;
        let height = match self.from_height {
            Some(height) => height,
            None => {
                u32::try_from(count).context("the context is too long to count from height 0")?
            }
        };
        Run::from_height(spec, height)
            .with_context(&headers)
            .with_context(|| format!("cannot use {} as context", path.display()))
    }

    fn print_valid(
        &self,
        spec: &ChainSpec,
        report: &Report,
        elapsed: Duration,
    ) -> anyhow::Result<()> {
        let headers_per_second = per_second(report.count, elapsed);
        let rules = Rule::ALL.into_iter().filter(|rule| spec.has(*rule));
        if self.format.is_json() {
            let judged_from = rules
                .map(|rule| JudgedFrom { rule: rule.name(), height: report.judged_from(rule) });
            let not_judged = report.not_judged.iter().map(|range| NotJudgedLine {
                rule: range.rule.name(),
                first_height: range.first,
                last_height: range.last,
            });
            return json_line(&ValidLine {
                valid: true,
                count: report.count,
                first_height: report.first_height,
                last_height: report.last_height,
                tip_hash: report.tip.to_string(),
                chain_work: report.chain_work.to_string(),
                seconds: elapsed.as_secs_f64(),
                headers_per_second,
                chain: spec.name,
                judged_from: judged_from.collect(),
                not_judged: not_judged.collect(),
            });
        }
        text_line(format!(
            "valid: {} headers of {}, heights {} to {}",
            report.count, spec.name, report.first_height, report.last_height
        ))?;
        text_line(format!("tip         {}", report.tip))?;
        text_line(format!("chain work  {}", report.chain_work))?;
        text_line(format!(
            "time        {}, {}",
            seconds(elapsed),
            rate(headers_per_second, "headers/s")
        ))?;
        for range in &report.not_judged {
            text_line(format!("not judged  {} {}", range.rule, span("height", range)))?;
        }
        Ok(())
    }

    fn print_invalid(&self, failure: &Failure) -> anyhow::Result<()> {
        let line = InvalidLine {
            valid: false,
            height: failure.height,
            hash: failure.hash.to_string(),
            rule: failure.violation.rule().name(),
            detail: failure.violation.to_string(),
        };
        if self.format.is_json() {
            return json_line(&line);
        }
        text_line(format!("invalid: {} at height {}", line.rule, line.height))?;
        text_line(format!("hash        {}", line.hash))?;
        text_line(format!("detail      {}", line.detail))
    }
}

/// Opens a file of headers; its length if it is a regular file of whole ones.
fn open(path: &Path) -> anyhow::Result<(File, Option<u64>)> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
    let metadata = file.metadata().with_context(|| format!("cannot read {name}"))?;
    if metadata.is_dir() {
        bail!("{name} is a directory: name a file of headers");
    }
    if !metadata.is_file() {
        return Ok((file, None));
    }
    let bytes = metadata.len();
    if !bytes.is_multiple_of(HEADER_BYTES as u64) {
        bail!("{name} holds {bytes} bytes, which is not a multiple of {HEADER_BYTES}");
    }
    Ok((file, Some(bytes)))
}

/// The last headers of a regular file, at most `count_max`, and how many it holds.
fn read_tail(path: &Path, count_max: usize) -> anyhow::Result<(Vec<HeaderBytes>, u64)> {
    let name = path.display();
    let (mut file, bytes) = open(path)?;
    let Some(bytes) = bytes else {
        bail!("{name} is not a regular file: context is read from its end")
    };
    let kept = bytes.min((count_max * HEADER_BYTES) as u64);
    let mut tail = vec![[0; HEADER_BYTES]; usize::try_from(kept)? / HEADER_BYTES];
    file.seek(SeekFrom::Start(bytes - kept))
        .and_then(|_| file.read_exact(tail.as_flattened_mut()))
        .with_context(|| format!("cannot read {name}"))?;
    Ok((tail, bytes / HEADER_BYTES as u64))
}
