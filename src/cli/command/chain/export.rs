//! `proofward chain export`: the blocks of a directory's chain in one file.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use super::report_damage;
use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, progress_bar, text_line};
use crate::cli::settings::Place;
use proofward::ledger::archive::{ArchiveError, write_archive};
use proofward::ledger::chain::View;
use proofward::ledger::store::WholeFile;
use proofward::node::dir::ChainDir;

/// Write the blocks of the chain to a file
///
/// The file carries the specification and, for each block, a list of its transactions, so that a single
/// changed bit is found and named. It appears when it is whole.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward chain export clinic.blocks --dir clinic
  proofward chain export - --dir clinic | ssh backup proofward chain import - --dir clinic")]
pub(crate) struct Args {
    /// The file; - for standard output, which then holds nothing else
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Exported {
    file: String,
    height: u32,
    tip_hash: String,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let (spec, reader) = ChainDir::new(self.place.resolve()?).read()?;
        let snapshot = reader.snapshot()?;
        let view = View(&*snapshot);
        let tip_hash = view.tip()?;
        let bar = progress_bar(view.expect_record(&tip_hash)?.height.into());
        let progress = |height: u32| {
            bar.set_position(height.into());
            bar.set_message(format!("block {height}"));
        };
        let name = self.file.display().to_string();
        let is_stdout = self.file == Path::new("-");
        let written = if is_stdout {
            let mut out = BufWriter::new(io::stdout().lock());
            write_archive(&spec, view, &mut out, progress).and_then(|height| {
                out.flush().map(|()| height).map_err(|error| ArchiveError::from_io(&error))
            })
        } else {
            let mut file = WholeFile::create(&self.file).with_context(|| name.clone())?;
            match write_archive(&spec, view, &mut file, progress) {
                Ok(height) => {
                    file.finish().with_context(|| name.clone())?;
                    Ok(height)
                }
                Err(error) => Err(error),
            }
        };
        bar.finish_and_clear();
        let height = match written {
            Ok(height) => height,
            Err(error) => return report_damage(error, self.format, &name),
        };
        if is_stdout {
            return Ok(Outcome::Yes);
        }
        if self.format.is_json() {
            let tip_hash = tip_hash.to_string();
            json_line(&Exported { file: name, height, tip_hash })?;
        } else {
            text_line(format!("{height} blocks in {name}, the last {tip_hash}"))?;
        }
        Ok(Outcome::Yes)
    }
}
