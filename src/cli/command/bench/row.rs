//! One measured configuration as people and programs see it.

use std::num::NonZeroUsize;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::{Deserialize, Serialize};

use super::Subject;
use super::baseline::Baseline;
use crate::cli::output::rate;
use proofward::engine::measure::{Samples, port_limit_cycles};
use proofward::kernel::Kernel;

/// A JSON line of `bench`. Exactly one of the three rates is there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) algorithm: String,
    pub(super) kernel: String,
    pub(super) threads: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    hashes_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nodes_per_second: Option<f64>,
    pub(super) cycles_per_hash: f64,
    pub(super) port_limit_share: Option<f64>,
    pub(super) spread: f64,
    pub(super) reference_hashes_per_second: f64,
    pub(super) ratio_to_reference: f64,
    pub(super) efficiency: Option<f64>,
    #[serde(default)]
    pub(super) throttled: bool,
    /// Rate now / rate then; only with `--baseline`, null for a row that it lacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) baseline: Option<Comparison>,
    #[serde(skip)]
    pub(super) clock_hz: f64,
    #[serde(skip)]
    windows: Windows,
}

/// How many windows there were, and how many were not as they should be.
#[derive(Debug, Clone, Copy, Default)]
struct Windows {
    all: usize,
    throttled: usize,
    disturbed: usize,
}

impl Windows {
    /// A quarter is too many to be chance.
    fn are_many(self, some: usize) -> bool {
        some * 4 >= self.all
    }
}

/// How a row did against an earlier run.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Comparison {
    /// Rate now / rate then.
    pub(super) ratio: f64,
    /// Lost more than chance explains.
    pub(super) slower: bool,
}

/// A loss up to here is never marked.
const LOSS_TOLERATED: f64 = 0.05;
/// A loss beyond is marked however unsteady the machine was.
const LOSS_CERTAIN: f64 = 0.5;

#[expect(clippy::float_arithmetic, reason = "measurement")]
impl Row {
    pub(super) fn new(
        subject: Subject,
        kernel: Kernel,
        threads: NonZeroUsize,
        ours: &Samples,
        plain: &Samples,
        single: Option<&Samples>,
    ) -> Self {
        let units = Some(ours.units_per_second());
        let cycles = ours.cycles_per_unit();
        let (hashes, headers, nodes) = match subject {
            Subject::Search(_) => (units, None, None),
            Subject::Verify => (None, units, None),
            Subject::Merkle => (None, None, units),
        };
        let limit = port_limit_cycles(kernel).filter(|_| subject.searched().is_some());
        let threads = threads.get();
        Self {
            algorithm: subject.name().to_owned(),
            kernel: kernel.isa().to_owned(),
            threads,
            hashes_per_second: hashes,
            headers_per_second: headers,
            nodes_per_second: nodes,
            cycles_per_hash: cycles,
            port_limit_share: limit.map(|limit| limit / cycles),
            spread: ours.spread(),
            reference_hashes_per_second: plain.units_per_second(),
            ratio_to_reference: ours.ratio_to(plain),
            efficiency: single.map(|single| ours.ratio_to(single) / threads as f64),
            throttled: false,
            baseline: None,
            clock_hz: ours.clock_hz(),
            windows: Windows {
                all: ours.windows.len(),
                throttled: 0,
                disturbed: ours.disturbed_windows(),
            },
        }
    }

    /// Units a second, whatever the unit is.
    pub(super) fn per_second(&self) -> f64 {
        let rates = [self.hashes_per_second, self.headers_per_second, self.nodes_per_second];
        rates.into_iter().flatten().next().unwrap_or(f64::NAN)
    }

    /// Short name of the unit in a rate.
    pub(super) fn unit(&self) -> &'static str {
        if self.hashes_per_second.is_some() {
            "H/s"
        } else if self.headers_per_second.is_some() {
            "headers/s"
        } else {
            "nodes/s"
        }
    }

    pub(super) fn mark_throttled(&mut self, ours: &Samples, fastest_hz: f64) {
        self.windows.throttled = ours.throttled_windows(fastest_hz);
        self.throttled = self.windows.are_many(self.windows.throttled);
    }

    pub(super) fn compare(&mut self, baseline: &Baseline) {
        let Some(then) = baseline.find(&self.algorithm, &self.kernel, self.threads) else { return };
        let ratio = self.per_second() / then.per_second();
        let slower = 1.0 - ratio > (self.spread + then.spread).clamp(LOSS_TOLERATED, LOSS_CERTAIN);
        self.baseline = Some(Comparison { ratio, slower });
    }

    /// What a reader should know before believing the row.
    pub(super) fn note(&self) -> String {
        let mut notes = Vec::new();
        let Windows { all, throttled, disturbed } = self.windows;
        if self.throttled {
            notes.push(format!("throttled in {throttled} of {all} windows"));
        }
        if self.windows.are_many(disturbed) {
            notes.push(format!("core shared in {disturbed} of {all} windows"));
        }
        if self.baseline.is_some_and(|comparison| comparison.slower) {
            notes.push("SLOWER".to_owned());
        }
        notes.join(", ")
    }

    /// What stands under each of [`Row::heads`].
    pub(super) fn cells(&self, with_baseline: bool) -> Vec<String> {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let optional = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), percent);
        let mut cells = vec![
            self.algorithm.clone(),
            self.kernel.clone(),
            self.threads.to_string(),
            rate(self.per_second(), self.unit()),
            format!("{:.1}", self.cycles_per_hash),
            optional(self.port_limit_share),
            percent(self.spread),
            format!("{:.2} GHz", self.clock_hz / 1e9),
            format!("{:.2}", self.ratio_to_reference),
            optional(self.efficiency),
        ];
        if with_baseline {
            let ratio = self.baseline.map(|comparison| format!("{:.3}", comparison.ratio));
            cells.push(ratio.unwrap_or_else(|| "-".to_owned()));
        }
        cells.push(self.note());
        cells
    }

    /// Heads of the table's columns.
    pub(super) fn heads(with_baseline: bool) -> Vec<&'static str> {
        let mut heads = vec![
            "algorithm",
            "kernel",
            "threads",
            "rate",
            "cycles",
            "port limit",
            "spread",
            "clock",
            "x plain",
            "efficiency",
        ];
        if with_baseline {
            heads.push("x baseline");
        }
        heads.push("");
        heads
    }
}

/// Columns of names, which stand left; numbers stand right.
pub(super) const NAME_COLUMNS: usize = 2;

/// The table for a terminal.
pub(super) fn table(rows: &[Row]) -> String {
    let with_baseline = rows.iter().any(|row| row.baseline.is_some());
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let heads = Row::heads(with_baseline);
    let last = heads.len() - 1;
    table.set_header(heads);
    for row in rows {
        table.add_row(row.cells(with_baseline));
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        if (NAME_COLUMNS..last).contains(&at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}
