//! `proofward site`: where a hospital stands, as cells.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use super::Kind;
use crate::cli::desk::Desk;
use crate::cli::settings::read_input;
use proofward::interop::place::{GEOJSON_BYTES_MAX, cells_of_geojson};
use proofward::ledger::policy::Cell;
use proofward::ledger::transaction::Party;
use proofward::ledger::transaction::attest::{Claim, SITE_CELLS_MAX};

/// Is a place
#[derive(Debug, clap::Args)]
pub(crate) struct Site {
    /// Its cells of the H3 grid, 16 hex digits each
    #[arg(long, value_name = "CELL,...", value_delimiter = ',', value_parser = parse_cell)]
    #[arg(required_unless_present = "geojson", conflicts_with = "geojson")]
    cell: Vec<Cell>,
    /// Polygons in GeoJSON that become cells: at most 256, as fine as that allows
    #[arg(long, value_name = "FILE")]
    geojson: Option<PathBuf>,
    /// The resolution of the cells, 0 to 15
    #[arg(long, value_name = "N", requires = "geojson")]
    resolution: Option<u8>,
}

impl Kind for Site {
    const NUMBER: u8 = 4;
    const EXAMPLES: &'static str = "\
Examples:
  proofward site attest ward --issuer hospital --geojson ward.json
  proofward site attest ward --issuer hospital --cell 89283082803ffff
  proofward site withdraw ward --by hospital";

    fn claim(&self, _desk: &Desk, _subject: &Party) -> anyhow::Result<Claim> {
        let mut cells = self.cell.clone();
        if let Some(path) = &self.geojson {
            let text = read_input(path, GEOJSON_BYTES_MAX)?;
            let name = || path.display().to_string();
            cells = cells_of_geojson(&text, self.resolution).with_context(name)?;
        }
        cells.sort_unstable();
        cells.dedup();
        ensure!(
            cells.len() <= SITE_CELLS_MAX,
            "{} cells: a site has at most {SITE_CELLS_MAX}",
            cells.len()
        );
        Ok(Claim::Site(cells))
    }
}

fn parse_cell(text: &str) -> Result<Cell, String> {
    let cell = u64::from_str_radix(text, 16).ok().map(Cell).filter(|cell| cell.is_valid());
    cell.ok_or_else(|| format!("{text:?} is no cell of the H3 grid"))
}
