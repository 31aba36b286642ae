//! `proofward chain import`: the blocks of a file, judged and added to a directory's chain.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::report_damage;
use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, progress_bar, rate, seconds, text_line};
use crate::cli::settings::Place;
use proofward::engine::meter::{Stopwatch, per_second};
use proofward::ledger::archive::{ArchiveReader, Import, import};
use proofward::ledger::chain::Ledger;
use proofward::ledger::store::DiskStore;
use proofward::node::dir::ChainDir;
use proofward::node::unix_now;

/// Judge the blocks of a file and add them to the chain
///
/// A directory without a chain is founded by the specification in the file. Blocks that are there
/// already are passed over, so an import that was interrupted goes on where it ended.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward chain import clinic.blocks --dir copy
  proofward chain import - --dir copy --format json < clinic.blocks

Every block is judged by all rules. With --format json there is a line for each write: what it says is
durable. Exit code 0: all blocks are there; 1: the file is damaged or a block breaks a rule, and the
blocks before are there; 2: no file of blocks, or one of another chain.")]
pub(crate) struct Args {
    /// The file; - for standard input
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// How many threads judge [default: one for each CPU]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Written {
    height: u32,
    tip_hash: String,
}

#[derive(Serialize)]
struct Imported {
    known: u64,
    blocks: u64,
    transactions: u64,
    signatures: u64,
    height: u32,
    tip_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
    seconds: f64,
    transactions_per_second: f64,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let name = self.file.display().to_string();
        let input: Box<dyn Read + Send> = match self.file == Path::new("-") {
            true => Box::new(io::stdin()),
            false => Box::new(File::open(&self.file).with_context(|| name.clone())?),
        };
        let mut archive =
            ArchiveReader::open(BufReader::new(input)).with_context(|| name.clone())?;
        let dir = ChainDir::new(self.place.clone().resolve()?);
        let threads = self.threads.or_else(|| std::thread::available_parallelism().ok());
        let ledger = open(&dir, &archive, threads.unwrap_or(NonZeroUsize::MIN))?;

        let bar = progress_bar(archive.tip_height().into());
        let stopwatch = Stopwatch::start();
        let progress = |done: &Import| {
            bar.set_position(done.known + done.added.blocks);
            let speed = per_second(done.added.transactions, stopwatch.elapsed());
            bar.set_message(rate(speed, "transactions/s"));
            if self.format.is_json()
                && let Ok((tip_hash, tip)) = ledger.tip()
            {
                // A reader that went away does not end the import.
                let line = Written { height: tip.height, tip_hash: tip_hash.to_string() };
                let _ = json_line(&line);
            }
        };
        let imported = import(&ledger, &mut archive, unix_now(), progress);
        bar.finish_and_clear();
        let outcome = match imported {
            Ok(done) => {
                self.print(&ledger, &done, &stopwatch)?;
                if done.missing.is_none() { Outcome::Yes } else { Outcome::No }
            }
            Err(error) => report_damage(error, self.format, &name)?,
        };
        ledger.into_store().close()?;
        Ok(outcome)
    }

    fn print(
        &self,
        ledger: &Ledger<DiskStore>,
        done: &Import,
        stopwatch: &Stopwatch,
    ) -> anyhow::Result<()> {
        let (elapsed, (tip_hash, tip)) = (stopwatch.elapsed(), ledger.tip()?);
        let imported = Imported {
            known: done.known,
            blocks: done.added.blocks,
            transactions: done.added.transactions,
            signatures: done.added.signatures,
            height: tip.height,
            tip_hash: tip_hash.to_string(),
            missing: done.missing.map(|hash| hash.to_string()),
            seconds: elapsed.as_secs_f64(),
            transactions_per_second: per_second(done.added.transactions, elapsed),
        };
        if self.format.is_json() {
            return json_line(&imported);
        }
        text_line(format!(
            "{} blocks added, {} known before, {} transactions in {} ({})",
            imported.blocks,
            imported.known,
            imported.transactions,
            seconds(elapsed),
            rate(imported.transactions_per_second, "transactions/s")
        ))?;
        text_line(format!("tip {} at height {}", imported.tip_hash, imported.height))?;
        imported.missing.map_or(Ok(()), |missing| {
            text_line(format!(
                "the file has more work, but no room was left for all of it beside this chain: \
                 import it again from block {missing} on"
            ))
        })
    }
}

/// The chain of the directory, which must be that of the archive; founded if there is none.
fn open<R: Read>(
    dir: &ChainDir,
    archive: &ArchiveReader<R>,
    threads: NonZeroUsize,
) -> anyhow::Result<Ledger<DiskStore>> {
    if !dir.holds_chain() {
        let spec = archive.spec().clone();
        eprintln!("proofward: founding chain {} in {}", spec.name, dir.path().display());
        return Ok(dir.found(spec, threads)?);
    }
    let ours = dir.spec()?.genesis_hash();
    let theirs = archive.spec().genesis_hash();
    if ours != theirs {
        bail!(
            "the file is of chain {} with genesis {theirs}, {} holds one with genesis {ours}: \
             import into another --dir",
            archive.spec().name,
            dir.path().display()
        );
    }
    Ok(dir.open(threads)?)
}
