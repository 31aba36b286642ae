//! The JSON lines of an earlier run, to compare with.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, ensure};

use super::row::Row;

/// Rows of an earlier run.
#[derive(Debug)]
pub(super) struct Baseline(Vec<Row>);

/// Some ten thousand rows.
const BYTES_MAX: u64 = 4 << 20;

impl Baseline {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        let mut text = String::new();
        let file = File::open(path).with_context(|| format!("cannot read baseline {name}"))?;
        file.take(BYTES_MAX + 1)
            .read_to_string(&mut text)
            .with_context(|| format!("cannot read baseline {name}"))?;
        ensure!(text.len() as u64 <= BYTES_MAX, "baseline {name} is longer than {BYTES_MAX} bytes");
        let mut rows = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let row: Row = serde_json::from_str(line).with_context(|| {
                format!("line {} of {name} is no line of bench --format json", at + 1)
            })?;
            ensure!(row.per_second() > 0.0, "line {} of {name} has no rate", at + 1);
            rows.push(row);
        }
        ensure!(!rows.is_empty(), "baseline {name} is empty");
        Ok(Self(rows))
    }

    pub(super) fn find(&self, algorithm: &str, kernel: &str, threads: usize) -> Option<&Row> {
        self.0.iter().find(|row| {
            row.algorithm == algorithm && row.kernel == kernel && row.threads == threads
        })
    }
}
