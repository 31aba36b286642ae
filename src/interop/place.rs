//! Places as people have them, polygons in GeoJSON (RFC 7946), turned into cells of the H3 grid as the
//! ledger has them. Coordinates stay here: only cells go on chain.

use geo_types::{Coord, LineString, Polygon};
use h3o::geom::{ContainmentMode, TilerBuilder};
use h3o::{CellIndex, Resolution};
use serde_json::Value;

use crate::ledger::policy::Cell;
use crate::ledger::transaction::attest::SITE_CELLS_MAX;

/// Bytes of a GeoJSON text.
pub const GEOJSON_BYTES_MAX: usize = 1 << 20;
/// Polygons of a text, rings of a polygon, corners of all rings.
const POLYGONS_MAX: usize = 64;
const RINGS_MAX: usize = 64;
const CORNERS_MAX: usize = 4096;
/// Cells of one resolution that are looked at before a coarser one is tried.
const CELLS_LOOKED_AT_MAX: usize = 20_000;
/// The finest resolution that is tried unless one is asked for: cells of about six metres across. Finer
/// ones say more than a position in a building is good for.
const FINEST: Resolution = Resolution::Thirteen;

/// Why a text gives no cells.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// Over [`GEOJSON_BYTES_MAX`].
    #[error("GeoJSON of {0} bytes, at most {GEOJSON_BYTES_MAX}")]
    TooLarge(usize),
    /// No JSON.
    #[error("not GeoJSON: {0}")]
    Json(String),
    /// JSON, but no polygon where one must be.
    #[error("GeoJSON: {0}")]
    Shape(String),
    /// The grid cannot be laid over it.
    #[error("GeoJSON: not a polygon that can be covered: {0}")]
    Invalid(String),
    /// Too large a place for this resolution.
    #[error("the place takes more than {SITE_CELLS_MAX} cells at resolution {0}: name a lower one")]
    TooManyCells(u8),
    /// There is no such resolution.
    #[error("resolution {0}, expected 0 to 15")]
    Resolution(u8),
}

/// The cells that together cover the polygons of a GeoJSON text, ascending and at most
/// [`SITE_CELLS_MAX`]: of the resolution asked for, or of the finest that is enough; seven cells that fill
/// a coarser one are that one. Polygon, `MultiPolygon`, Feature, `FeatureCollection` and
/// `GeometryCollection` are read.
///
/// # Errors
///
/// See [`PlaceError`].
pub fn cells_of_geojson(text: &[u8], resolution: Option<u8>) -> Result<Vec<Cell>, PlaceError> {
    if text.len() > GEOJSON_BYTES_MAX {
        return Err(PlaceError::TooLarge(text.len()));
    }
    let value: Value =
        serde_json::from_slice(text).map_err(|error| PlaceError::Json(error.to_string()))?;
    if value.get("crs").is_some() {
        return Err(shape("longitude and latitude are WGS 84, a \"crs\" is not read"));
    }
    let mut polygons = Vec::new();
    collect(&value, &mut polygons)?;
    let corners: usize = polygons.iter().map(corners).sum();
    if polygons.is_empty() || corners > CORNERS_MAX {
        let (count, most) = (polygons.len(), CORNERS_MAX);
        return Err(shape(&format!(
            "{count} polygons with {corners} corners, expected 1 with at most {most}"
        )));
    }
    if let Some(resolution) = resolution {
        let asked = Resolution::try_from(resolution);
        let asked = asked.map_err(|_| PlaceError::Resolution(resolution))?;
        return cover(&polygons, asked)?.ok_or(PlaceError::TooManyCells(resolution));
    }
    let mut at = Some(FINEST);
    while let Some(resolution) = at {
        if let Some(cells) = cover(&polygons, resolution)? {
            return Ok(cells);
        }
        at = resolution.pred();
    }
    Err(PlaceError::TooManyCells(0))
}

/// The cells of one resolution; nothing if they are too many.
fn cover(polygons: &[Polygon], resolution: Resolution) -> Result<Option<Vec<Cell>>, PlaceError> {
    let invalid = |error: &dyn std::fmt::Display| PlaceError::Invalid(error.to_string());
    let mut tiler = TilerBuilder::new(resolution).containment_mode(ContainmentMode::Covers).build();
    tiler.add_batch(polygons.iter().cloned()).map_err(|error| invalid(&error))?;
    if tiler.coverage_size_hint() > CELLS_LOOKED_AT_MAX {
        return Ok(None);
    }
    let mut cells: Vec<CellIndex> = tiler.into_coverage().take(CELLS_LOOKED_AT_MAX + 1).collect();
    if cells.len() > CELLS_LOOKED_AT_MAX {
        return Ok(None);
    }
    cells.sort_unstable();
    cells.dedup();
    CellIndex::compact(&mut cells).map_err(|error| invalid(&error))?;
    let mut cells: Vec<Cell> = cells.into_iter().map(|cell| Cell(cell.into())).collect();
    cells.sort_unstable();
    Ok((1..=SITE_CELLS_MAX).contains(&cells.len()).then_some(cells))
}

fn collect(value: &Value, polygons: &mut Vec<Polygon>) -> Result<(), PlaceError> {
    let list = |name: &str| {
        let found = value.get(name).and_then(Value::as_array);
        found.ok_or_else(|| shape(&format!("expected a list of {name}")))
    };
    let kind = value.get("type").and_then(Value::as_str);
    match kind {
        Some("Polygon") => polygons.push(polygon(list("coordinates")?)?),
        Some("MultiPolygon") => {
            for rings in list("coordinates")? {
                let rings =
                    rings.as_array().ok_or_else(|| shape("a polygon is a list of rings"))?;
                polygons.push(polygon(rings)?);
                check_count(polygons)?;
            }
        }
        Some("Feature") => match value.get("geometry") {
            Some(geometry) => collect(geometry, polygons)?,
            None => return Err(shape("a feature without geometry")),
        },
        Some("FeatureCollection") => {
            list("features")?.iter().try_for_each(|feature| collect(feature, polygons))?;
        }
        Some("GeometryCollection") => {
            list("geometries")?.iter().try_for_each(|geometry| collect(geometry, polygons))?;
        }
        Some(other) => {
            let other: String = other.chars().take(40).collect();
            return Err(shape(&format!("type {other:?} is no area: expected a polygon")));
        }
        None => return Err(shape("no \"type\"")),
    }
    check_count(polygons)
}

fn check_count(polygons: &[Polygon]) -> Result<(), PlaceError> {
    if polygons.len() > POLYGONS_MAX {
        return Err(shape(&format!("more than {POLYGONS_MAX} polygons")));
    }
    Ok(())
}

fn polygon(rings: &[Value]) -> Result<Polygon, PlaceError> {
    if rings.is_empty() || rings.len() > RINGS_MAX {
        return Err(shape(&format!("a polygon of {} rings, expected 1 to 64", rings.len())));
    }
    let mut lines = rings.iter().map(ring).collect::<Result<Vec<_>, _>>()?;
    let outer = lines.remove(0);
    Ok(Polygon::new(outer, lines))
}

fn ring(value: &Value) -> Result<LineString, PlaceError> {
    let positions = value.as_array().ok_or_else(|| shape("a ring is a list of positions"))?;
    if !(4..=CORNERS_MAX).contains(&positions.len()) {
        let most = CORNERS_MAX;
        return Err(shape(&format!(
            "a ring of {} positions, expected 4 to {most}",
            positions.len()
        )));
    }
    let line = positions.iter().map(position).collect::<Result<Vec<Coord>, _>>()?;
    if line.first() != line.last() {
        return Err(shape("a ring ends where it began"));
    }
    Ok(LineString::new(line))
}

/// Longitude, latitude, and what may follow.
fn position(value: &Value) -> Result<Coord, PlaceError> {
    let number = |at: usize| value.get(at).and_then(Value::as_f64);
    match (number(0), number(1)) {
        (Some(x), Some(y)) if (-180.0..=180.0).contains(&x) && (-90.0..=90.0).contains(&y) => {
            Ok(Coord { x, y })
        }
        _ => Err(shape("a position is [longitude, latitude] in degrees")),
    }
}

fn corners(polygon: &Polygon) -> usize {
    let rings = polygon.interiors().iter().chain([polygon.exterior()]);
    rings.map(|ring| ring.0.len()).sum()
}

fn shape(why: &str) -> PlaceError {
    PlaceError::Shape(why.to_owned())
}
