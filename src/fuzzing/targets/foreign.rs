//! Formats of other people: files of wearables, maps, codes on packages.

use crate::interop::activity::{Reader, days};
use crate::interop::place::cells_of_geojson;
use crate::ledger::transaction::attest::SITE_CELLS_MAX;
use crate::wallet::lot::LotCode;

/// Long after any file of the corpus was written, and before seconds of a `u32` end.
const NOW: u32 = 4_000_000_000;

/// Any bytes are what a wearable has recorded, in one of three formats, or an error that names its row.
///
/// # Panics
///
/// If samples overlap, reach beyond now, or get lost between the days.
pub fn activity_file(data: &[u8]) {
    let Ok(samples) = Reader::utc(NOW).read(data) else { return };
    for sample in &samples {
        assert!(sample.t0 < sample.t1 && sample.t1 <= NOW, "{sample:?}");
    }
    for pair in samples.windows(2) {
        assert!(pair[0].t1 <= pair[1].t0, "{pair:?}");
    }
    let counted: usize = days(&samples).iter().map(|day| day.samples).sum();
    assert_eq!(counted, samples.len());
}

/// Any bytes are a map that becomes cells, or none: few, ascending, each once, each one that there is.
///
/// # Panics
///
/// If a cell is none, or they are not in order, or too many.
pub fn geojson(data: &[u8]) {
    let Ok(cells) = cells_of_geojson(data, None) else { return };
    assert!((1..=SITE_CELLS_MAX).contains(&cells.len()));
    assert!(cells.iter().all(|cell| cell.is_valid()), "{cells:?}");
    assert!(cells.windows(2).all(|pair| pair[0] < pair[1]), "{cells:?}");
}

/// Any text is the code on a package or none; one that is has one way to be written.
///
/// # Panics
///
/// If it reads otherwise the second time.
pub fn lot_code(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(code) = text.parse::<LotCode>() else { return };
    assert_eq!(code.to_string().parse().as_ref(), Ok(&code));
    assert_eq!(code.to_string().parse::<LotCode>().map(|code| code.id()), Ok(code.id()));
}
