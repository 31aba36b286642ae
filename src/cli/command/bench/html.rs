//! The report as one HTML file: machine, charts, table, and what the columns mean. It needs a browser
//! and nothing else: no script, no network.

use std::fmt::Write as _;

use super::chart::{self, Bar, Line};
use super::machine::Machine;
use super::row::{NAME_COLUMNS, Row};
use crate::cli::output::rate;
use proofward::engine::measure::Plan;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1a1a1a;--paper:#fff;--soft:#767676;--rule:#ddd;--bar:#2f6fb0}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--paper:#161616;--soft:#9a9a9a;--rule:#383838;--bar:#6aa6e0}}\
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;padding:0 1rem}\
h2{margin-top:2.5rem}table{border-collapse:collapse;font-variant-numeric:tabular-nums}\
.wide{overflow-x:auto}th,td{padding:.2rem .6rem;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}\
th.name,td.name{text-align:left}svg{width:100%;height:auto;margin:.5rem 0}svg text{font-size:12px;fill:var(--ink)}\
.bar{fill:var(--bar)}.reference{fill:var(--soft)}.axis{fill:none;stroke:var(--soft)}\
.ideal{fill:none;stroke:var(--soft);stroke-dasharray:4 4}.line{fill:none;stroke-width:2}\
.c0{stroke:#2f6fb0}.c1{stroke:#d1720f}.c2{stroke:#3b9150}.c3{stroke:#b33f62}.c4{stroke:#7d5bb5}.c5{stroke:#8a8a2c}\
dt{font-weight:600}dd{margin:0 0 .4rem}";

const COLUMNS: [(&str, &str); 9] = [
    (
        "rate",
        "Median over the windows, all threads together. Windows in which others had the cores for \
         over 2 % of the time do not count where at least three are left (known on Linux only).",
    ),
    (
        "cycles",
        "Core cycles a hash on one thread, from the clock measured around each window: comparable \
         between machines and clocks.",
    ),
    (
        "port limit",
        "Share of what the vector ports of this core could do at best; only where they are known.",
    ),
    ("spread", "Middle half of the windows, as a share of the median."),
    ("clock", "Median of the slowest core clock seen around each window."),
    (
        "x plain",
        "Median of the ratios, round by round, to the plain loop over the hash crate on as many \
         threads.",
    ),
    ("efficiency", "Rate on N threads / (N x rate on one thread), round by round."),
    (
        "throttled",
        "A quarter of the windows or more ran at a clock 5 % below the fastest of the run.",
    ),
    ("core shared", "In a quarter of the windows or more, other programs had the cores at times."),
];

/// The whole file.
pub(super) fn report(machine: &Machine, plan: Plan, rows: &[Row]) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>proofward bench: {cpu}</title><style>{STYLE}</style></head>\n<body>\n\
         <h1>proofward bench</h1>\n",
        cpu = escape(&machine.cpu),
    );
    page.push_str(&machine_table(machine, plan));
    for algorithm in distinct(rows.iter().map(|row| row.algorithm.as_str())) {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.algorithm == algorithm).collect();
        page.push_str(&charts(algorithm, &rows));
    }
    page.push_str("<h2>All figures</h2>\n");
    page.push_str(&table(rows));
    page.push_str("<h2>What the columns mean</h2>\n<dl>");
    for (name, meaning) in COLUMNS {
        push(&mut page, format_args!("<dt>{name}</dt><dd>{meaning}</dd>"));
    }
    page.push_str("</dl>\n</body></html>\n");
    page
}

fn machine_table(machine: &Machine, plan: Plan) -> String {
    let lines = [
        ("CPU", machine.cpu_and_core()),
        ("hardware threads", machine.threads.to_string()),
        ("features", machine.features.join(" ")),
        ("memory", machine.memory()),
        ("system", machine.system.clone()),
        ("measured", format!("{} interleaved windows of {:?}", plan.rounds, plan.window)),
        ("program", concat!("proofward ", env!("CARGO_PKG_VERSION")).to_owned()),
    ];
    let mut table = String::from("<table>");
    for (name, value) in lines {
        let value = escape(&value);
        push(
            &mut table,
            format_args!(
                "<tr><th class=\"name\">{name}</th><td class=\"name\">{value}</td></tr>\n"
            ),
        );
    }
    table + "</table>\n"
}

/// Bars for the fewest and the most threads, lines where there are several counts.
fn charts(algorithm: &str, rows: &[&Row]) -> String {
    let mut html = format!("<h2>{}</h2>\n", escape(algorithm));
    let mut counts: Vec<usize> = distinct(rows.iter().map(|row| row.threads));
    counts.sort_unstable();
    let ends = distinct(counts.first().into_iter().chain(counts.last()).copied());
    for threads in ends {
        let rows: Vec<&&Row> = rows.iter().filter(|row| row.threads == threads).collect();
        let title = format!("{algorithm} on {threads} {}", plural(threads));
        push(&mut html, format_args!("<h3>{threads} {}</h3>\n", plural(threads)));
        html.push_str(&chart::bars(&title, &bars(&rows)));
    }
    if counts.len() > 1 && rows.iter().any(|row| row.efficiency.is_some()) {
        html.push_str("<h3>Scaling</h3>\n");
        html.push_str(&chart::scaling(
            &format!("{algorithm}: speed-up over threads"),
            &lines(rows),
        ));
    }
    html
}

fn bars(rows: &[&&Row]) -> Vec<Bar> {
    let mut bars: Vec<Bar> = rows
        .iter()
        .map(|row| Bar {
            label: row.kernel.clone(),
            value: row.per_second(),
            caption: format!(
                "{} ({:.2}x)",
                rate(row.per_second(), row.unit()),
                row.ratio_to_reference
            ),
            is_reference: false,
        })
        .collect();
    if let Some(row) = rows.first() {
        let value = row.reference_hashes_per_second;
        let caption = rate(value, row.unit());
        bars.push(Bar { label: "plain loop".to_owned(), value, caption, is_reference: true });
    }
    bars
}

#[expect(clippy::float_arithmetic, reason = "display only")]
fn lines(rows: &[&Row]) -> Vec<Line> {
    let line = |kernel: &str| Line {
        label: kernel.to_owned(),
        points: rows
            .iter()
            .filter(|row| row.kernel == kernel)
            .filter_map(|row| Some((row.threads, row.efficiency? * row.threads as f64)))
            .collect(),
    };
    distinct(rows.iter().map(|row| row.kernel.as_str())).into_iter().map(line).collect()
}

fn table(rows: &[Row]) -> String {
    let with_baseline = rows.iter().any(|row| row.baseline.is_some());
    let mut table = String::from("<div class=\"wide\"><table><thead>");
    let heads = Row::heads(with_baseline).into_iter().map(str::to_owned).collect();
    table.push_str(&table_row("th", heads));
    table.push_str("</thead>\n");
    for row in rows {
        table.push_str(&table_row("td", row.cells(with_baseline)));
    }
    table + "</table></div>\n"
}

fn table_row(tag: &str, cells: Vec<String>) -> String {
    let mut row = String::from("<tr>");
    let last = cells.len() - 1;
    for (at, cell) in cells.into_iter().enumerate() {
        let class = if at < NAME_COLUMNS || at == last { " class=\"name\"" } else { "" };
        push(&mut row, format_args!("<{tag}{class}>{}</{tag}>", escape(&cell)));
    }
    row + "</tr>\n"
}

fn plural(threads: usize) -> &'static str {
    if threads == 1 { "thread" } else { "threads" }
}

/// Each value once, in the order of its first appearance.
fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}

fn push(html: &mut String, text: std::fmt::Arguments<'_>) {
    html.write_fmt(text).expect("a string takes everything");
}

/// Text as HTML: a CPU may call itself anything.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
